#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "household/money/currency.h"
#include "household/money/date.h"
#include "household/money/decimal.h"

/// What one bank file says. The JSON form, field by field, is docs/reference/statement.md; names
/// are the same here.
///
/// Conventions: every text is valid UTF-8 with its ends trimmed, and an empty text means that the
/// file has none. Lines count from 1. Positive is money into the account. Nothing is converted:
/// dates and digits are as written.
namespace bascule::statement {

enum class Format { unknown, csv, ofx1, ofx2, qif, mt940, mt942, camt_052, camt_053, camt_054 };

enum class AccountType {
    unknown,
    checking,
    savings,
    money_market,
    credit_line,
    credit_card,
    cash,
    asset,
    liability,
    investment,
};

enum class Status { booked, pending, info };
enum class BalanceCheck { not_possible, ok, gap };

/// Names as they stand in the JSON form ("camt.053", "credit_card", "booked", "not_possible").
std::string_view name(Format format);
std::string_view name(AccountType type);
std::string_view name(Status status);
std::string_view name(BalanceCheck check);

/// Where a record begins. The offset counts bytes of the file as it was given, before decoding.
struct Place {
    std::uint64_t line = 0;
    std::uint64_t offset = 0;
};

/// An amount with the digits the file wrote and its value in minor units, rounded half to even.
struct Amount {
    money::Decimal exact;
    std::int64_t minor = 0;
};

struct Balance {
    Amount amount;
    std::optional<money::Date> as_of;
};

struct Institution {
    std::string id;
    std::string name;
    std::string branch;
};

/// The days a statement says it covers; either end may be missing.
struct Period {
    std::optional<money::Date> from;
    std::optional<money::Date> to;
};

/// A part of one transaction, as the bank or the program that wrote the file split it.
struct Split {
    Amount amount;
    std::string category;
    std::string memo;
};

struct Transaction {
    money::Date date;
    std::optional<money::Date> value_date;
    Amount amount;
    money::Currency currency;  ///< the row's own, else the account's; not stated when neither says
    Status status = Status::booked;
    bool reversal = false;
    std::string payee;
    std::string memo;
    /// Of a CSV file with columns for both payee and description: the latter, where the header (or
    /// the mapping) calls it so. The memo begins with it. Beside the JSON form.
    std::string description;
    std::string id;
    std::string type;
    std::string check_number;
    std::string category;
    std::vector<Split> splits;
    Place place;
};

struct Account {
    std::string id;
    AccountType type = AccountType::unknown;
    money::Currency currency;  ///< not stated (`XXX`) when the file does not say
    Institution institution;
    std::optional<Balance> opening_balance;
    std::optional<Balance> ledger_balance;
    std::optional<Balance> available_balance;
    BalanceCheck balance_check = BalanceCheck::not_possible;
    std::optional<Period> period;
    std::vector<Transaction> transactions;  ///< in file order
};

/// Something that could not be decided from the file alone: `candidates` all fit every record and
/// give different values; `chosen` was used, or is empty when nothing could be.
struct Ambiguity {
    std::string what;  ///< date_order, decimal_mark, delimiter, encoding, sign, header
    std::vector<std::string> candidates;
    std::string chosen;
    std::string evidence;
};

/// A record that is a transaction by its place but could not be read.
struct Rejected {
    Place place;
    std::string code;
    std::string message;
    std::string raw;  ///< the record as written, decoded; cut after raw_bytes_max
};

/// Records of other kinds that were recognised and left out.
struct Unsupported {
    std::string kind;
    std::uint64_t count = 0;
};

/// A warning or an error. Line 0: about the file as a whole.
struct Note {
    std::uint64_t line = 0;
    std::string code;
    std::string message;
};

/// One thing that was inferred from the file, with what speaks for it; for people who check an
/// import.
struct Inference {
    std::string
        what;  ///< delimiter, header, date_order, decimal_mark, sign, column.date, column.amount …
    std::string value;
    std::string evidence;
};

struct Statement {
    Format format = Format::unknown;
    std::string format_version;
    std::string encoding;
    std::string encoding_source;  ///< bom, declared, utf-8-valid, detected, profile, fallback
    std::vector<Account> accounts;
    std::vector<Ambiguity> ambiguities;
    std::vector<Rejected> rejected;
    std::vector<Unsupported> unsupported;
    std::vector<Note> warnings;
    std::vector<Note> errors;

    // Beside the JSON form: what a preview shows and a saved profile needs. Filled for CSV only.
    std::vector<Inference> inferred;
    /// What a mapping has to settle in a file whose records contradict each other, named as in an
    /// ambiguity; rows that do not fit the answer are then rejected.
    std::vector<std::string> to_settle;
    std::vector<std::string> columns;  ///< header names, or `1`, `2` … where the file has no header
    std::string header_fingerprint;    ///< equal for files of one shape; key of saved profiles

    /// Whether the file was understood, perhaps with rows rejected: the exit code 0 of `statement
    /// parse`.
    bool usable() const { return format != Format::unknown && errors.empty(); }
    std::size_t transaction_count() const;
};

}  // namespace bascule::statement
