#include "household/statement/csv_rows.h"

#include <algorithm>
#include <array>

#include "household/statement/csv_headers.h"
#include "household/statement/dates.h"
#include "household/statement/numbers.h"
#include "household/statement/text.h"

namespace bascule::statement {

bool CsvRows::next() {
    while (reader_.next(record_)) {
        if (raw().find('\n') != std::string_view::npos && swallowed_its_neighbours()) {
            reader_.reread_line(record_);
        }
        while (record_.cells.size() > layout_.columns.size() &&
               trimmed(record_.cells.back()).empty()) {
            record_.cells.pop_back();
        }
        if (!record_.is_blank() && !repeats_header()) {
            return true;
        }
    }
    return false;
}

/// A record of several lines is either a text with line ends in it or the work of one stray quote.
/// It is the latter when its first line is a row by itself and so is its second, or the whole is no
/// row.
bool CsvRows::swallowed_its_neighbours() {
    constexpr int questions_max = 1000;  // keeps the whole linear
    if (++line_questions_ > questions_max) {
        return false;
    }
    CsvReader reader(text_, layout_.delimiter, record_.begin);
    CsvRecord first{.begin = record_.begin};
    reader.reread_line(first);
    if (!is_row(first)) {
        return false;
    }
    CsvRecord second;
    return !is_row(record_) || (reader.next(second) && is_row(second));
}

bool CsvRows::is_row(const CsvRecord& record) const {
    if (record.cells.size() != layout_.columns.size()) {
        return false;
    }
    BareNumber number;
    const bool amount = std::ranges::any_of(
        std::array{Field::amount, Field::debit, Field::credit}, [&](Field field) {
            return layout_.has(field) &&
                   strip_number(record.cells[layout_.at(field).front()], NumberDress::free, number);
        });
    return amount && read_date(record.cells[layout_.at(Field::date).front()]).orders != 0;
}

bool CsvRows::repeats_header() const {
    return layout_.has_header && record_.cells.size() == layout_.columns.size() &&
           std::ranges::equal(record_.cells, layout_.columns);
}

std::string_view CsvRows::cell(std::size_t column) const {
    return column < record_.cells.size() ? trimmed(record_.cells[column]) : std::string_view();
}

std::string_view CsvRows::cell(Field field) const {
    const auto& columns = layout_.at(field);
    return columns.empty() ? std::string_view() : cell(columns.front());
}

bool CsvRows::join_at(std::size_t column) {
    const std::size_t surplus = record_.cells.size() - layout_.columns.size();
    if (column + surplus >= record_.cells.size()) {
        return false;
    }
    before_join_ = record_.cells;
    const std::string_view first = record_.cells[column];
    const std::string_view last = record_.cells[column + surplus];
    // Unescaped cells lie elsewhere; only cells that are views of one stretch of the file can be
    // joined.
    const auto inside = [&](std::string_view cell) {
        return std::less_equal<>()(text_.data(), cell.data()) &&
               std::less_equal<>()(cell.data() + cell.size(), text_.data() + text_.size());
    };
    if (!inside(first) || !inside(last)) {
        return false;
    }
    record_.cells[column] = std::string_view(
        first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data()));
    record_.cells.erase(record_.cells.begin() + static_cast<std::ptrdiff_t>(column) + 1,
                        record_.cells.begin() + static_cast<std::ptrdiff_t>(column + surplus) + 1);
    return true;
}

bool CsvRows::is_about_the_list(bool after_last_row) const {
    const std::string_view date = cell(Field::date);
    const bool has_amount =
        !cell(Field::amount).empty() || !cell(Field::debit).empty() || !cell(Field::credit).empty();
    if (date.empty() && !has_amount) {
        return true;
    }
    const auto first = std::ranges::find_if(
        record_.cells, [](std::string_view text) { return !trimmed(text).empty(); });
    const auto place = static_cast<std::size_t>(first - record_.cells.begin());
    if (place <= layout_.at(Field::date).front() && begins_like_a_summary(*first)) {
        return true;
    }
    const bool narrow = record_.cells.size() == 1 ||
                        (after_last_row && record_.cells.size() < layout_.columns.size());
    return narrow || (after_last_row && !has_amount);
}

}  // namespace bascule::statement
