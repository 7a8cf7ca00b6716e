#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "household/statement/dates.h"
#include "household/statement/numbers.h"

namespace bascule::statement {

struct SampleRecord {
    std::size_t begin = 0;
    std::vector<std::string> cells;
};

/// The first records of a CSV text under one delimiter, and what its columns seem to hold.
class CsvSample {
  public:
    static constexpr std::size_t bytes_max = 64 * 1024;
    static constexpr std::size_t records_max = 400;
    static constexpr std::size_t columns_max = 256;

    CsvSample(std::string_view text, std::size_t begin, char delimiter);

    const std::vector<SampleRecord>& records() const { return records_; }
    std::size_t begin_after(std::size_t record) const;

    /// The first record that holds a date and is as wide as most that do; records().size() when
    /// there is none.
    std::size_t first_row_with_date() const;

    /// Whether a record has no dates, no numbers and few blanks: a row of names.
    bool is_wordy(std::size_t record) const;

    /// Says where the rows begin; `width` 0: as wide as most rows are.
    void set_rows(std::size_t first, std::size_t width);
    std::size_t width() const { return width_; }

    int regularity_percent() const;  ///< of rows as wide as most
    bool is_regular() const { return regularity_percent() >= 50; }

    // About the cells of one column that are not blank. The `is_` questions want nine in ten and at
    // least one.
    bool is_dates(std::size_t column) const;
    bool is_numbers(std::size_t column) const;
    bool is_currencies(std::size_t column) const;
    bool is_constant(std::size_t column) const;
    bool is_blank(std::size_t column) const;
    bool mostly_dates_or_blank(std::size_t column) const;  ///< a third will do
    bool mostly_numbers_or_blank(std::size_t column) const;
    bool looks_like_money(
        std::size_t column) const;  ///< a sign, a currency or a decimal mark somewhere
    std::size_t text_bytes(std::size_t column) const;

    /// Whether each step of `balance` is the `amount` of one of its two rows, forwards or
    /// backwards.
    bool is_running_balance(std::size_t amount, std::size_t balance) const;

  private:
    struct Share {
        std::size_t fits = 0;
        std::size_t filled = 0;
    };
    template <class Fits>
    Share share(std::size_t column, Fits fits) const;
    std::size_t usual_width(std::size_t first, bool with_date) const;

    std::vector<SampleRecord> records_;
    std::size_t end_ = 0;
    std::size_t first_row_ = 0;
    std::size_t width_ = 0;
};

bool is_iban(std::string_view text);

}  // namespace bascule::statement
