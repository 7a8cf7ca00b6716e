#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "household/money/currency.h"

namespace bascule::statement {

/// What a column of a CSV file can hold.
enum class Field {
    date,
    value_date,
    payee,
    description,  ///< becomes the payee where there is no payee column; else begins the memo
    memo,
    amount,
    debit,
    credit,
    balance,
    indicator,  ///< says debit or credit beside an unsigned amount
    currency,
    account,
    id,
    type,
    category,
    check_number,
    status,
};

std::string_view name(Field field);
Result<Field> parse_field(std::string_view name);

enum class DateOrder { dmy, mdy, ymd };
std::string_view name(DateOrder order);  ///< `DMY`, `MDY`, `YMD`

/// Where the sign of an amount comes from.
enum class SignConvention {
    as_stated,     ///< one signed column, positive is money in
    reversed,      ///< one signed column, positive is money out (card files)
    debit_credit,  ///< two columns
    indicator,     ///< an unsigned amount and a mark
};
std::string_view name(SignConvention sign);

/// A column by its header (compared without case, blanks and punctuation) or, when `name` is empty,
/// by its place.
struct ColumnReference {
    std::string name;
    std::uint32_t index = 0;  ///< from 0
};

struct ColumnMapping {
    Field field;
    ColumnReference column;
};

/// One setting of a profile as text: {"date_format", "DMY"}, {"columns.amount", "Betrag"},
/// {"columns.date", "0"}. `is_number` tells an index from a header that is called `0`.
struct MappingEntry {
    std::string key;
    std::string value;
    bool is_number = false;
};

/// How one bank's CSV is to be read; every setting that is absent is inferred from the file as
/// before.
///
/// The JSON form (`--profile`, and profiles saved by an import) is a flat object of the keys below
/// with one object `columns`; a field with several columns takes an array there and joins them with
/// a blank:
///
///     {"columns": {"date": "Buchungstag", "amount": 4, "memo": ["VWZ1", "VWZ2"]}, "date_format":
///     "DMY",
///      "decimal_mark": ",", "sign": "as_stated", "skip_lines": 3, "header": true, "delimiter":
///      ";", "encoding": "windows-1252", "currency": "EUR", "account": "DE02…", "debit_marks": "S",
///      "credit_marks": "H"}
///
/// This room knows no JSON: rooms that do flatten it to entries (arrays: one entry an element, same
/// key).
struct Mapping {
    std::vector<ColumnMapping> columns;
    std::optional<DateOrder> date_order;
    std::optional<char> decimal_mark;  ///< `.` or `,`
    std::optional<SignConvention> sign;
    std::vector<std::string>
        debit_marks;  ///< values of the indicator column; the common ones need no naming
    std::vector<std::string> credit_marks;
    std::uint32_t skip_lines = 0;  ///< physical lines before the header (or the first row)
    std::optional<bool> header;
    std::optional<char> delimiter;
    std::string encoding;
    money::Currency currency;  ///< for files that do not say
    std::string account;       ///< likewise

    /// Errors: `invalid`, naming the key, its value and what is allowed; unknown keys are refused.
    static Result<Mapping> from_entries(std::span<const MappingEntry> entries);

    /// The inverse: only what is set, in a fixed order.
    std::vector<MappingEntry> to_entries() const;

    bool has(Field field) const;
};

}  // namespace bascule::statement
