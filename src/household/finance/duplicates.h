#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/hash.h"
#include "household/money/date.h"
#include "household/money/money.h"

/// Which rows of a file the account already has.
///
/// Two rows are the same when day, amount, currency and normalised text agree and both are the n-th
/// such row: a day's second equal coffee is a second coffee, and importing a file again, or one
/// that overlaps, adds nothing. Bank ids only ever help: they are looked at within one account and
/// together with day and amount, because banks use them twice and change them between downloads.
namespace bascule::finance {

enum class RowState : std::uint8_t {
    booked,
    pending,  ///< the bank may still change day and text
    manual,   ///< entered by hand, not yet seen in a bank file
};

/// A row of one account as far as identity goes. `text` is what the bank wrote, never what the user
/// made of it: bank_text(payee, memo).
struct BankRow {
    money::Date date;
    std::int64_t minor = 0;
    money::Currency currency;
    std::string text;
    std::string bank_id;  ///< FITID, AcctSvcrRef …; empty where the bank gave none
    RowState state = RowState::booked;
};

struct ExistingRow {
    std::string id;
    BankRow row;
    std::uint32_t occurrence = 1;
};

/// The text that takes part in a row's identity, normalised.
std::string bank_text(std::string_view payee, std::string_view memo);

/// A row's identity within all accounts but for its occurrence. Stable across versions: it is
/// stored.
Hash128 fingerprint(std::string_view account_id, const BankRow& row);

enum class RowVerdict : std::uint8_t {
    added,             ///< new
    already_imported,  ///< nothing to do
    update_of,         ///< the bank's later word about a row that is there
};

/// What an update changes.
struct RowChanges {
    bool date = false;
    bool text = false;
    bool bank_id = false;
    bool state = false;

    bool any() const { return date || text || bank_id || state; }
    friend bool operator==(const RowChanges&, const RowChanges&) = default;
};

struct Verdict {
    RowVerdict kind = RowVerdict::added;
    std::size_t existing = 0;      ///< index into the existing rows, unless added
    std::uint32_t occurrence = 1;  ///< of the row as it is to be stored: n-th equal row of its day
    RowChanges changes;            ///< for update_of
    /// The row carries a bank id that a different row of the account carries too; worth a warning.
    bool id_reused = false;
};

struct DuplicateOptions {
    /// How far a pending or manual row may lie from the booked row of equal amount that settles it.
    std::int32_t near_days_max = 5;
};

/// One verdict for each incoming row, in their order. All rows belong to one account. `existing`
/// must hold every row of the account from near_days_max before the first incoming day to as many
/// after the last; more does no harm.
///
/// The assignment is made over the whole batch and claims every existing row at most once: first by
/// bank id with equal day and amount, then by fingerprint in order of occurrence, then pending and
/// manual rows, closest days first. A pending row never changes a booked one: it is of an older
/// export, and its booked row is that of equal amount on its day or up to near_days_max later. A
/// bank id that differs keeps equal rows apart only if the batch shows that the bank's ids last,
/// that is, if one of them is seen again.
///
/// Deterministic. O(n log n + n * near_days_max) in the rows of both lists, however many are equal.
std::vector<Verdict> assign(std::span<const ExistingRow> existing,
                            std::span<const BankRow> incoming,
                            const DuplicateOptions& options = {});

}  // namespace bascule::finance
