#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/clock.h"
#include "household/finance/assignment.h"
#include "household/finance/category_tree.h"
#include "household/finance/rule.h"
#include "household/money/date.h"
#include "household/money/money.h"

/// What the household keeps, as values. Field names are those of the REST API in snake_case; ids
/// are UUIDs; every row belongs to one user, who is not repeated here.
namespace bascule::application {

/// checking, savings, credit_card, investment, loan, other.
bool is_account_type(std::string_view text);

/// What an account's transactions in a currency other than its own add up to. Such amounts are in
/// no balance, because amounts of different currencies are never added.
struct CurrencyTotal {
    money::Money total;
    std::int64_t transaction_count = 0;
};

struct Account {
    std::string id;
    std::string name;
    std::string type;
    std::string institution;
    money::Currency currency;
    std::vector<std::string> identifiers;  ///< IBAN, bank:account, card
    std::optional<money::Money> opening_balance;
    std::optional<money::Date> opening_date;
    bool active = true;
    /// Opening balance and the transactions of the account's currency that are booked on
    /// opening_date or later (all without such a date); nothing without an opening balance, and
    /// where rows that came later make it more than 64 bits hold.
    std::optional<money::Money> balance;
    std::int64_t transaction_count = 0;
    std::int64_t before_opening_count = 0;  ///< of them, booked before opening_date
    std::vector<CurrencyTotal> other_currencies;
    WallTime created_at;
    WallTime updated_at;
};

enum class FileStatus : std::uint8_t {
    pending,
    needs_mapping,
    preview,
    processed,
    partial,
    failed,
    reverted
};
std::string_view name(FileStatus status);
Result<FileStatus> parse_file_status(std::string_view text);

/// The note by which a file asks about its account: `code` of an "ambiguity", whose `raw` is the id
/// of the account in question.
inline constexpr std::string_view account_question = "account";

/// A row of a file that was not taken, or a question the file leaves open.
struct FileNote {
    std::string kind;  ///< "rejected", "ambiguity", "warning", "error"
    std::uint64_t line = 0;
    std::string code;
    std::string message;
    std::string raw;  ///< the record's text, where there is one
};

struct File {
    std::string id;
    std::string file_name;
    std::int64_t size = 0;
    std::string sha256;  ///< of the content: the blob's name
    std::string account_id;
    /// The account that a person insisted on, though the file speaks for another; else empty.
    std::string confirmed_account_id;
    std::string format;   ///< "csv", "ofx1", … once it was looked at
    std::string mapping;  ///< JSON of the column mapping it was or is to be read with; may be empty
    std::string profile;  ///< name of the saved profile that it was read with; may be empty
    FileStatus status = FileStatus::pending;
    std::string message;  ///< why it needs a mapping or failed
    std::int64_t row_count = 0;
    std::int64_t transaction_count = 0;  ///< that it brought in
    std::int64_t duplicate_count = 0;
    std::int64_t rejected_count = 0;
    std::optional<money::Date> date_from;
    std::optional<money::Date> date_to;
    std::vector<FileNote> notes;  ///< at most file_notes_max, only from File queries by id
    std::string event_id;         ///< of its file.uploaded: the head of its chain
    WallTime uploaded_at;
    std::optional<WallTime> processed_at;
};
inline constexpr std::size_t file_notes_max = 1000;

/// What went with a deleted file, and what stays.
struct FileRemoval {
    std::int64_t deleted_count = 0;
    std::int64_t kept_count = 0;  ///< transactions that another file states
};

struct Transaction {
    std::string id;
    std::string account_id;
    std::string file_id;  ///< empty: entered by hand
    money::Date date;
    std::optional<money::Date> value_date;
    money::Money amount;
    /// What the user sees: their own words where they edited, else the bank's.
    std::string payee;
    std::string description;
    std::string memo;
    std::string notes;
    /// What the bank wrote; never changed by an edit.
    std::string bank_payee;
    std::string bank_memo;
    std::string bank_id;
    std::string bank_type;
    std::string status;  ///< booked, pending, manual
    std::uint32_t occurrence = 1;
    std::uint64_t line = 0;
    finance::Assignment assignment;
    std::optional<WallTime> assigned_at;
    WallTime created_at;
    WallTime updated_at;
};

struct Category {
    finance::Category node;  ///< id, name, type, parent
    std::string icon;
    std::string colour;
    WallTime created_at;
    WallTime updated_at;
};

struct CategoryRule {
    finance::Rule rule;
    WallTime created_at;
    WallTime updated_at;
};

/// Whether figures are known to be current; one row per analytic type and account, or all accounts.
struct AnalyticsStatus {
    std::string analytic_type;
    std::string account_id;  ///< empty: all
    bool computation_needed = false;
    std::int32_t processing_priority = 3;  ///< 1 is the best
    std::string status;                    ///< pending, in_progress, completed, failed, stale
    std::optional<WallTime> last_computed;
    std::optional<money::Date> data_through;
    std::uint64_t generation = 0;
};

struct Notification {
    std::string id;
    std::string kind;  ///< "import_finished", …
    std::string title;
    std::string message;
    std::string data;  ///< JSON object
    std::string event_id;
    bool read = false;
    WallTime created_at;
};

/// Channels and settings of a user.
struct Preferences {
    std::string webhook_url;  ///< empty: none
    std::string webhook_secret;
    bool webhook_enabled = false;
    std::string locale;
    std::string currency;
};

}  // namespace bascule::application
