#include "household/statement/csv_sample.h"

#include <algorithm>
#include <array>

#include "household/statement/csv_reader.h"
#include "household/statement/text.h"

namespace bascule::statement {

namespace {

bool is_date(std::string_view cell) { return read_date(cell).orders != 0; }

bool is_number(std::string_view cell) {
    BareNumber number;
    return strip_number(cell, NumberDress::free, number);
}

bool has_date(const SampleRecord& record) { return std::ranges::any_of(record.cells, is_date); }

}  // namespace

CsvSample::CsvSample(std::string_view text, std::size_t begin, char delimiter) {
    const bool whole = text.size() - begin <= bytes_max;
    const std::string_view part = whole ? text : cut(text, begin + bytes_max);
    CsvReader reader(part, delimiter, begin);
    CsvRecord record;
    while (records_.size() < records_max && reader.next(record)) {
        SampleRecord& kept = records_.emplace_back();
        kept.begin = record.begin;
        for (const auto& cell : record.cells) {
            if (kept.cells.size() < columns_max) {
                kept.cells.emplace_back(cut(cell, 1000));
            }
        }
    }
    end_ = text.size();
    if (records_.size() == records_max) {
        end_ = reader.next(record) ? record.begin : part.size();
    } else if (!whole && !records_.empty()) {
        end_ = records_.back().begin;  // cut in the middle, perhaps
        records_.pop_back();
    }
}

std::size_t CsvSample::begin_after(std::size_t record) const {
    return record + 1 < records_.size() ? records_[record + 1].begin : end_;
}

std::size_t CsvSample::usual_width(std::size_t first, bool with_date) const {
    std::array<std::size_t, columns_max + 1> counts{};
    for (std::size_t i = first; i < records_.size(); ++i) {
        const bool blank = records_[i].cells.size() == 1 && trimmed(records_[i].cells[0]).empty();
        if (!blank && (!with_date || has_date(records_[i]))) {
            ++counts[records_[i].cells.size()];
        }
    }
    return static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin());
}

std::size_t CsvSample::first_row_with_date() const {
    const std::size_t width = usual_width(0, /*with_date=*/true);
    const auto found = std::ranges::find_if(records_, [&](const SampleRecord& record) {
        return record.cells.size() == width && has_date(record);
    });
    return static_cast<std::size_t>(found - records_.begin());
}

bool CsvSample::is_wordy(std::size_t record) const {
    std::size_t words = 0;
    for (const std::string& cell : records_[record].cells) {
        if (is_number(cell) || is_date(cell)) {
            return false;
        }
        words += trimmed(cell).empty() ? 0 : 1;
    }
    return words * 2 > records_[record].cells.size();
}

void CsvSample::set_rows(std::size_t first, std::size_t width) {
    first_row_ = first;
    width_ = width != 0 ? width : usual_width(first, /*with_date=*/false);
}

int CsvSample::regularity_percent() const {
    std::size_t regular = 0;
    std::size_t rows = 0;
    const std::size_t usual = usual_width(first_row_, /*with_date=*/false);
    for (std::size_t i = first_row_; i < records_.size(); ++i) {
        const bool blank = records_[i].cells.size() == 1 && trimmed(records_[i].cells[0]).empty();
        rows += blank ? 0 : 1;
        regular += !blank && records_[i].cells.size() == usual ? 1 : 0;
    }
    return rows == 0 ? 100 : static_cast<int>(regular * 100 / rows);
}

template <class Fits>
CsvSample::Share CsvSample::share(std::size_t column, Fits fits) const {
    Share share;
    for (std::size_t i = first_row_; i < records_.size(); ++i) {
        // Rows that are too short are preamble, footer or blank and say nothing about a column.
        if (records_[i].cells.size() > column && records_[i].cells.size() * 2 >= width_) {
            const std::string_view cell = trimmed(records_[i].cells[column]);
            share.filled += cell.empty() ? 0 : 1;
            share.fits += !cell.empty() && fits(cell) ? 1 : 0;
        }
    }
    return share;
}

bool CsvSample::is_dates(std::size_t column) const {
    const Share dates = share(column, is_date);
    return dates.fits > 0 && dates.fits * 10 >= dates.filled * 9;
}

bool CsvSample::is_numbers(std::size_t column) const {
    const Share numbers = share(column, is_number);
    return numbers.fits > 0 && numbers.fits * 10 >= numbers.filled * 9;
}

bool CsvSample::is_currencies(std::size_t column) const {
    const Share codes = share(column, [](std::string_view cell) {
        const auto currency = money::Currency::parse(cell);
        return currency && currency->is_known();
    });
    return codes.fits > 0 && codes.fits == codes.filled;
}

bool CsvSample::is_constant(std::size_t column) const {
    std::string first;
    const Share same = share(column, [&](std::string_view cell) {
        first = first.empty() ? std::string(cell) : first;
        return cell == first;
    });
    return same.fits == same.filled;
}

bool CsvSample::is_blank(std::size_t column) const {
    return share(column, [](std::string_view) { return true; }).filled == 0;
}

bool CsvSample::mostly_dates_or_blank(std::size_t column) const {
    const Share dates = share(
        column, [](std::string_view cell) { return is_date(cell) || is_impossible_date(cell); });
    return dates.fits * 3 >= dates.filled;
}

bool CsvSample::mostly_numbers_or_blank(std::size_t column) const {
    const Share numbers = share(column, is_number);
    return numbers.fits * 3 >= numbers.filled;
}

bool CsvSample::looks_like_money(std::size_t column) const {
    const Share money = share(column, [](std::string_view cell) {
        return std::ranges::any_of(
            cell, [](char c) { return c == '.' || c == ',' || c == '-' || c == '+' || c == '('; });
    });
    return money.fits > 0;
}

std::size_t CsvSample::text_bytes(std::size_t column) const {
    std::size_t bytes = 0;
    share(column, [&](std::string_view cell) {
        bytes += cell.size();
        return true;
    });
    return bytes;
}

bool CsvSample::is_running_balance(std::size_t amount, std::size_t balance) const {
    struct Row {
        money::Int128 amount;
        money::Int128 balance;
    };
    std::vector<Row> rows;
    DecimalMarkVote vote;
    for (const bool reading : {false, true}) {
        for (std::size_t i = first_row_; i < records_.size(); ++i) {
            const auto& cells = records_[i].cells;
            BareNumber first;
            BareNumber second;
            if (cells.size() <= std::max(amount, balance) ||
                !strip_number(cells[amount], NumberDress::free, first) ||
                !strip_number(cells[balance], NumberDress::free, second)) {
                continue;
            }
            if (!reading) {
                vote.add(first, i + 1);
                vote.add(second, i + 1);
                continue;
            }
            const auto left = read_number(first, vote.mark());
            const auto right = read_number(second, vote.mark());
            const auto left_minor =
                left ? left->to_minor(4) : Result<money::MinorUnits>(money::MinorUnits{});
            const auto right_minor =
                right ? right->to_minor(4) : Result<money::MinorUnits>(money::MinorUnits{});
            if (left && right && left_minor && right_minor) {
                rows.push_back({left_minor->value, right_minor->value});
            }
        }
    }
    std::size_t forwards = 0;
    std::size_t backwards = 0;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        forwards += rows[i].balance - rows[i - 1].balance == rows[i].amount ? 1 : 0;
        backwards += rows[i - 1].balance - rows[i].balance == rows[i - 1].amount ? 1 : 0;
    }
    return rows.size() >= 3 && std::max(forwards, backwards) * 10 >= (rows.size() - 1) * 9;
}

/// Two letters, two check digits, 11 to 30 letters and digits; with the front moved to the end and
/// letters as 10 to 35 the number leaves 1 when divided by 97 (ISO 13616).
bool is_iban(std::string_view text) {
    std::string compact;
    for (const char c : text) {
        if (c != ' ') {
            compact += c;
        }
    }
    if (compact.size() < 15 || compact.size() > 34 || !is_letter(compact[0]) ||
        !is_letter(compact[1]) || !is_digit(compact[2]) || !is_digit(compact[3])) {
        return false;
    }
    std::ranges::rotate(compact, compact.begin() + 4);
    int rest = 0;
    for (const char c : compact) {
        if (is_digit(c)) {
            rest = (rest * 10 + (c - '0')) % 97;
        } else if (is_letter(c)) {
            rest = (rest * 100 + ((c & ~0x20) - 'A' + 10)) % 97;
        } else {
            return false;
        }
    }
    return rest == 1;
}

}  // namespace bascule::statement
