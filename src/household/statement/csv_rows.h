#pragma once

#include <cstddef>
#include <string_view>

#include "household/statement/csv_layout.h"
#include "household/statement/csv_reader.h"

namespace bascule::statement {

/// The records below the header, one after another, with their cells by field.
class CsvRows {
  public:
    CsvRows(std::string_view text, const CsvLayout& layout)
        : text_(text), layout_(layout), reader_(text, layout.delimiter, layout.rows_begin) {}

    /// Goes to the next record that is not blank and does not repeat the header. Returns false at
    /// the end.
    bool next();

    std::size_t begin() const { return record_.begin; }
    std::string_view raw() const {
        return text_.substr(record_.begin, record_.end - record_.begin);
    }
    std::size_t size() const { return record_.cells.size(); }
    /// A quote opens a cell and is never closed, so it was taken for text.
    bool has_open_quote() const { return record_.has_open_quote; }
    /// The file ends in this record, without so much as a line's end.
    bool is_cut_off() const { return record_.end == text_.size(); }

    /// The first column of a field; empty when the file or this record has none. Trimmed.
    std::string_view cell(Field field) const;
    std::string_view cell(std::size_t column) const;

    /// More filled cells than the header has names: which cell is which is then uncertain.
    bool has_surplus() const { return record_.cells.size() > layout_.columns.size(); }

    /// Joins cells `column` to `column + surplus` into one, as they stood in the file: a delimiter
    /// in a text without quotes. Returns false when the record is out of reach for that.
    bool join_at(std::size_t column);
    void undo_join() { record_.cells = before_join_; }

    /// Whether this is a line about the list (a total, a section's title) rather than a row of it;
    /// only for records whose date cannot be read.
    bool is_about_the_list(bool after_last_row) const;

  private:
    bool swallowed_its_neighbours();
    bool is_row(const CsvRecord& record) const;
    bool repeats_header() const;

    std::string_view text_;
    const CsvLayout& layout_;
    CsvReader reader_;
    CsvRecord record_;
    int line_questions_ = 0;
    std::vector<std::string_view> before_join_;
};

}  // namespace bascule::statement
