#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "household/statement/csv_layout.h"
#include "household/statement/dates.h"
#include "household/statement/encoding.h"
#include "household/statement/numbers.h"

namespace bascule::statement {

/// What has to be known of all rows before the first can be read.
struct CsvReading {
    DateOrder date_order = DateOrder::ymd;
    DateOrder value_date_order = DateOrder::ymd;
    char decimal_mark = '.';
    SignConvention sign = SignConvention::as_stated;
    std::size_t indicator_column = 0;  ///< with SignConvention::indicator
    bool unmarked_is_debit = false;    ///< only credits carry a mark (`50.00 CR`)
    bool debits_are_negative = false;  ///< the debit column states its amounts with a minus
    std::size_t rows = 0;
    std::size_t last_row_begin = 0;  ///< of the last record with a readable date
};

/// Goes over all rows once and decides each question for the whole file (for numbers: for the whole
/// column); what stays open goes to `out.ambiguities`, what contradicts itself to `out.errors`,
/// what was decided to `out.inferred`.
CsvReading survey(std::string_view text, const CsvLayout& layout, const Mapping& mapping,
                  const DecodedText& decoded, Statement& out);

/// Debit or credit by the mapping's marks, else by the common ones.
char side_by_mark(std::string_view cell, const Mapping& mapping);

}  // namespace bascule::statement
