#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "household/money/currency.h"
#include "household/statement/mapping.h"
#include "household/statement/statement.h"

namespace bascule::statement {

inline constexpr std::size_t field_count = static_cast<std::size_t>(Field::status) + 1;

/// How a CSV text is laid out: where its rows begin, and which column holds what.
struct CsvLayout {
    char delimiter = ',';
    std::size_t header_begin = 0;
    std::size_t rows_begin =
        0;  ///< position of the first record after the header and what stands before it
    bool has_header = false;
    std::vector<std::string> columns;  ///< header names as written, or `1`, `2` …
    std::array<std::vector<std::size_t>, field_count> of_field;
    money::Currency currency;  ///< that headers or the lines before them state
    std::string account;       ///< likewise
    bool card = false;         ///< a header speaks of a card

    const std::vector<std::size_t>& at(Field field) const {
        return of_field[static_cast<std::size_t>(field)];
    }
    std::vector<std::size_t>& at(Field field) { return of_field[static_cast<std::size_t>(field)]; }
    bool has(Field field) const { return !at(field).empty(); }
    bool has_amount() const {
        return has(Field::amount) || has(Field::debit) || has(Field::credit);
    }
};

/// What looking for the layout brought to light.
struct LayoutFinding {
    CsvLayout layout;
    bool is_table =
        false;  ///< a table with a date or an amount in it: a CSV file, though perhaps not readable
    std::vector<Ambiguity> ambiguities;
    std::vector<Inference> inferred;
};

/// Finds the layout from the first 64 KiB: tries each delimiter, looks for the header row among the
/// first records and for roles by header names and, where those do not tell, by content. The
/// mapping's settings are taken as given. Errors: `invalid` when the mapping names a column the
/// file does not have.
Result<LayoutFinding> find_layout(std::string_view text, const Mapping& mapping);

}  // namespace bascule::statement
