#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/event/event.h"

/// One function for every type of the catalogue that this program publishes, so that nobody writes
/// an event's JSON by hand.
///
///     bus.publish(event::file_uploaded(occasion, {.file_id = id, .file_name = name, .file_size =
///     812, .s3_key = key}));
///
/// The answers are valid by construction as far as types go (form seed, version and source from the
/// catalogue); `validate` still holds the values against the schema. Field names and meanings:
/// docs/reference/events.md.
namespace bascule::event {

/// What an event has whatever its type.
struct Occasion {
    std::string event_id;  ///< derived, when a consumer publishes; else new_uuid
    WallTime timestamp;
    std::string user_id;  ///< whose data changed; "" only for bus.*
    std::string correlation_id;
    std::string causation_id;
    std::string metadata;  ///< JSON object or empty: {"actor": …}
    std::uint32_t hops = 0;
};

/// The occasion of something that `cause` led to: same user and chain, one hop further.
Occasion caused_by(const EventView& cause, std::string event_id, WallTime timestamp);

/// Civil days, `YYYY-MM-DD`.
struct DateRange {
    std::string start_date;
    std::string end_date;
};

/// One field that was edited. Values are JSON texts: `"Lidl"`, `true`, `null`.
struct Change {
    std::string field;
    std::string old_value = "null";
    std::string new_value = "null";
};

/// Which part of a long list of ids this event carries: 0 ≤ index < count.
struct Chunk {
    std::uint32_t index = 0;
    std::uint32_t count = 1;
};

inline constexpr std::size_t transaction_ids_max =
    1000;  ///< ids an event; longer lists are chunked

// --- files

struct FileUploaded {
    std::string file_id;
    std::string file_name;
    std::int64_t file_size = 0;
    std::string s3_key;
    std::string account_id = {};   ///< optional
    std::string file_format = {};  ///< optional
};
Event file_uploaded(const Occasion& occasion, const FileUploaded& data);

enum class ProcessingStatus : std::uint8_t { success, partial, failed };
struct FileProcessed {
    std::string file_id;
    std::string account_id;  ///< "" where there is none
    std::int64_t transaction_count = 0;
    std::int64_t duplicate_count = 0;
    std::optional<DateRange> date_range;
    ProcessingStatus processing_status = ProcessingStatus::success;
    std::string error_message = {};  ///< optional
};
Event file_processed(const Occasion& occasion, const FileProcessed& data);

struct FileAssociated {
    std::string file_id;
    std::string account_id;                ///< "" = taken from its account
    std::string previous_account_id = {};  ///< optional
};
Event file_associated(const Occasion& occasion, const FileAssociated& data);

struct FileDeleted {
    std::string file_id;
    std::string account_id = {};  ///< optional
    std::int64_t transaction_count = 0;
};
Event file_deleted(const Occasion& occasion, const FileDeleted& data);

struct ImportReverted {
    std::string file_id;
    std::string account_id;
    std::int64_t deleted_count = 0;   ///< rows that the import had made
    std::int64_t restored_count = 0;  ///< rows brought back to what they were before
    std::int64_t kept_count = 0;      ///< rows left because the user had edited them
};
Event import_reverted(const Occasion& occasion, const ImportReverted& data);

// --- transactions

enum class Origin : std::uint8_t { file, manual };
struct TransactionsCreated {
    std::string file_id;  ///< "" for manual rows
    std::string account_id;
    std::vector<std::string> transaction_ids;
    DateRange date_range;
    Origin origin = Origin::file;
    std::optional<Chunk> chunk = {};
};
Event transactions_created(const Occasion& occasion, const TransactionsCreated& data);

struct TransactionUpdated {
    std::string transaction_id;
    std::string account_id;
    std::vector<Change> changes;
};
Event transaction_updated(const Occasion& occasion, const TransactionUpdated& data);

enum class DeletionType : std::uint8_t {
    single,
    bulk,
    file_reprocessing,
    import_reverted,
    account_deleted,
    file_deleted
};
struct TransactionsDeleted {
    std::vector<std::string> transaction_ids;
    std::vector<std::string> account_ids;
    DeletionType deletion_type = DeletionType::single;
    std::optional<Chunk> chunk = {};
};
Event transactions_deleted(const Occasion& occasion, const TransactionsDeleted& data);

enum class AssignmentType : std::uint8_t { manual, rule_based, suggested };
struct TransactionCategorized {
    std::string transaction_id;
    std::string account_id;
    std::string category_id;                ///< "" = the category was taken away
    std::string previous_category_id = {};  ///< optional
    std::int32_t confidence = 100;          ///< 0–100
    AssignmentType assignment_type = AssignmentType::manual;
    std::string rule_id = {};  ///< optional
};
Event transaction_categorized(const Occasion& occasion, const TransactionCategorized& data);

// --- accounts

struct AccountCreated {
    std::string account_id;
    std::string account_name;
    std::string account_type;
    std::string currency;  ///< ISO 4217
};
Event account_created(const Occasion& occasion, const AccountCreated& data);

struct AccountUpdated {
    std::string account_id;
    std::vector<Change> changes;
};
Event account_updated(const Occasion& occasion, const AccountUpdated& data);

struct AccountDeleted {
    std::string account_id;
    std::int64_t transaction_count = 0;  ///< how many transactions were affected
};
Event account_deleted(const Occasion& occasion, const AccountDeleted& data);

// --- users and their settings

struct UserDeleted {
    std::int64_t notification_count = 0;  ///< that went with them
};
Event user_deleted(const Occasion& occasion, const UserDeleted& data);

/// Secrets are never part of an event; that one changed is.
struct PreferencesUpdated {
    std::vector<Change> changes;
};
Event preferences_updated(const Occasion& occasion, const PreferencesUpdated& data);

// --- categories and their rules

enum class ApplicationType : std::uint8_t { manual, bulk, automated };
struct CategoryRulesApplied {
    std::string category_id;
    std::vector<std::string> rule_ids;
    std::vector<std::string> transaction_ids;
    ApplicationType application_type = ApplicationType::manual;
};
Event category_rules_applied(const Occasion& occasion, const CategoryRulesApplied& data);

struct CategoryRuleCreated {
    std::string category_id;
    std::string rule_id;
    std::string rule_pattern;
    bool auto_apply = false;
};
Event category_rule_created(const Occasion& occasion, const CategoryRuleCreated& data);

struct CategoryRuleUpdated {
    std::string category_id;
    std::string rule_id;
    std::vector<Change> changes;
};
Event category_rule_updated(const Occasion& occasion, const CategoryRuleUpdated& data);

struct CategoryRuleDeleted {
    std::string category_id;
    std::string rule_id;
};
Event category_rule_deleted(const Occasion& occasion, const CategoryRuleDeleted& data);

enum class CategoryType : std::uint8_t {
    income,
    expense,
    transfer
};  ///< INCOME, EXPENSE, TRANSFER
struct CategoryCreated {
    std::string category_id;
    std::string category_name;
    CategoryType category_type = CategoryType::expense;
    std::string parent_category_id = {};  ///< optional
};
Event category_created(const Occasion& occasion, const CategoryCreated& data);

struct CategoryUpdated {
    std::string category_id;
    std::vector<Change> changes;
};
Event category_updated(const Occasion& occasion, const CategoryUpdated& data);

struct CategoryDeleted {
    std::string category_id;
    std::int64_t transaction_count = 0;  ///< how many transactions lost their category
};
Event category_deleted(const Occasion& occasion, const CategoryDeleted& data);

// --- analytics and notifications

struct AnalyticsComputed {
    std::vector<std::string> analytic_types;  ///< cash_flow, category_trends, …
    std::string account_id = {};              ///< optional; absent = all accounts
    std::string data_through = {};  ///< optional civil day: the last booking the figures cover
    std::int64_t generation = 0;    ///< offset up to which events are covered
};
Event analytics_computed(const Occasion& occasion, const AnalyticsComputed& data);

enum class Severity : std::uint8_t { info, warning, critical };
struct NotificationRaised {
    std::string notification_id;
    std::string kind;  ///< import_finished, account_deleted, low_balance, …
    Severity severity = Severity::info;
    std::string title;
    std::string body;
    std::string subject_id = {};  ///< optional: the file, account or transaction it is about
};
Event notification_raised(const Occasion& occasion, const NotificationRaised& data);

// --- the bus about itself

enum class RuleChange : std::uint8_t { created, updated, deleted };
struct BusRuleChanged {
    std::string rule_name;
    RuleChange change = RuleChange::updated;
    std::int64_t rule_version = 0;
};
Event bus_rule_changed(const Occasion& occasion, const BusRuleChanged& data);

struct BusConsumerPaused {
    std::string consumer;
    std::string reason = {};  ///< optional
    std::optional<WallTime> until = {};
};
Event bus_consumer_paused(const Occasion& occasion, const BusConsumerPaused& data);

struct BusConsumerResumed {
    std::string consumer;
    std::string from;  ///< position, now, an offset or a time
};
Event bus_consumer_resumed(const Occasion& occasion, const BusConsumerResumed& data);

/// A person decided about a letter.
struct BusLetterSettled {
    std::string consumer;
    std::string letter_id;
    std::string letter_event_id;  ///< "" where damage took the event itself
    std::string reason = {};      ///< optional
};
Event bus_letter_redriven(const Occasion& occasion, const BusLetterSettled& data);
Event bus_letter_discarded(const Occasion& occasion, const BusLetterSettled& data);
Event bus_letter_skipped(const Occasion& occasion, const BusLetterSettled& data);
Event bus_letter_stopped(const Occasion& occasion, const BusLetterSettled& data);

struct BusConfigReloaded {
    std::string file;
    std::int64_t rule_version = 0;
};
Event bus_config_reloaded(const Occasion& occasion, const BusConfigReloaded& data);

}  // namespace bascule::event
