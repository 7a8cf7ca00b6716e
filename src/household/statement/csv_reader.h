#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace bascule::statement {

/// One record of a CSV text: its cells without their quotes, and where it stands in the text.
struct CsvRecord {
    std::size_t begin = 0;
    std::size_t end = 0;  ///< after the last cell, before the line end
    std::vector<std::string_view> cells;
    bool has_open_quote = false;  ///< a cell begins with a quote that nothing closes

    bool is_blank() const;
};

/// Splits a CSV text into records, RFC 4180 with a tolerant eye:
/// quotes inside an unquoted cell are text; a quoted cell ends only at a quote before a delimiter
/// or a line's end, so stray quotes inside it are text too; blanks around a quoted cell are
/// dropped; a quote that is never closed is text, which keeps it from swallowing the rest of the
/// file. `="…"` (a spreadsheet's way to protect text) is the text.
///
/// Lines end at `\n`, `\r\n`, or `\r` in a text without `\n`. Linear in the text.
class CsvReader {
  public:
    CsvReader(std::string_view text, char delimiter, std::size_t begin = 0);

    /// Cells stay valid until the next call. Returns false at the end.
    bool next(CsvRecord& record);

    /// Reads the line that begins at `record.begin` once more with quotes as text, and goes on
    /// behind it.
    void reread_line(CsvRecord& record) { split(record, /*quotes=*/false); }

    std::size_t position() const { return position_; }

  private:
    void split(CsvRecord& record, bool quotes);
    bool at_line_end(std::size_t position) const;
    bool ends_quoted(std::size_t after_quote, std::size_t& next_cell) const;
    std::string_view quoted_cell(std::size_t open, std::size_t& next_cell, bool& closed);
    std::size_t skip_line_end(std::size_t position) const;

    std::string_view text_;
    char delimiter_;
    char line_end_;
    std::size_t position_;
    bool quotes_close_ = true;  ///< false once a search for a closing quote has met the end
    std::deque<std::string> unescaped_;
};

}  // namespace bascule::statement
