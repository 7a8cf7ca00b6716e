#include "bus/event/types.h"

#include <algorithm>

namespace bascule::event {

namespace {

using enum FieldKind;
using enum Presence;
using Options = std::string_view;

constexpr Options processing_statuses[] = {"success", "partial", "failed"};
constexpr Options origins[] = {"file", "manual"};
constexpr Options deletion_types[] = {
    "single", "bulk", "file_reprocessing", "import_reverted", "account_deleted", "file_deleted"};
constexpr Options assignment_types[] = {"manual", "rule_based", "suggested"};
constexpr Options application_types[] = {"manual", "bulk", "automated"};
constexpr Options category_types[] = {"INCOME", "EXPENSE", "TRANSFER"};
constexpr Options severities[] = {"info", "warning", "critical"};
constexpr Options rule_changes[] = {"created", "updated", "deleted"};

constexpr Field account_created[] = {
    {"accountId", id}, {"accountName", text}, {"accountType", text}, {"currency", id}};
constexpr Field account_deleted[] = {{"accountId", id}, {"transactionCount", count}};
constexpr Field account_updated[] = {{"accountId", id}, {"changes", changes}};
constexpr Field analytics_computed[] = {{"analyticTypes", words},
                                        {"accountId", id, optional},
                                        {"dataThrough", day, optional},
                                        {"generation", count}};
constexpr Field bus_config_reloaded[] = {{"file", text}, {"ruleVersion", count}};
constexpr Field bus_consumer_paused[] = {
    {"consumer", id}, {"reason", text, optional}, {"until", count, optional}};
constexpr Field bus_consumer_resumed[] = {{"consumer", id}, {"from", id}};
constexpr Field bus_letter_settled[] = {
    {"consumer", id}, {"letterId", id}, {"letterEventId", text}, {"reason", text, optional}};
constexpr Field bus_rule_changed[] = {
    {"ruleName", id}, {"change", one_of, required, rule_changes}, {"ruleVersion", count}};
constexpr Field category_created[] = {{"categoryId", id},
                                      {"categoryName", text},
                                      {"categoryType", one_of, required, category_types},
                                      {"parentCategoryId", text, optional}};
constexpr Field category_deleted[] = {{"categoryId", id}, {"transactionCount", count}};
constexpr Field category_rule_created[] = {
    {"categoryId", id}, {"ruleId", id}, {"rulePattern", text}, {"autoApply", flag}};
constexpr Field category_rule_deleted[] = {{"categoryId", id}, {"ruleId", id}};
constexpr Field category_rule_updated[] = {
    {"categoryId", id}, {"ruleId", id}, {"changes", changes}};
constexpr Field category_rules_applied[] = {
    {"categoryId", id},
    {"ruleIds", ids},
    {"transactionIds", ids},
    {"applicationType", one_of, required, application_types}};
constexpr Field category_updated[] = {{"categoryId", id}, {"changes", changes}};
constexpr Field file_associated[] = {
    {"fileId", id}, {"accountId", text}, {"previousAccountId", text, optional}};
constexpr Field file_deleted[] = {
    {"fileId", id}, {"accountId", text, optional}, {"transactionCount", count}};
constexpr Field file_processed[] = {{"fileId", id},
                                    {"accountId", text},
                                    {"transactionCount", count},
                                    {"duplicateCount", count},
                                    {"dateRange", date_range, nullable},
                                    {"processingStatus", one_of, required, processing_statuses},
                                    {"errorMessage", text, optional}};
constexpr Field file_uploaded[] = {{"fileId", id},
                                   {"fileName", text},
                                   {"fileSize", count},
                                   {"s3Key", text},
                                   {"accountId", text, optional},
                                   {"fileFormat", text, optional}};
constexpr Field import_reverted[] = {{"fileId", id},
                                     {"accountId", text},
                                     {"deletedCount", count},
                                     {"restoredCount", count},
                                     {"keptCount", count}};
constexpr Field notification_raised[] = {
    {"notificationId", id}, {"kind", id},   {"severity", one_of, required, severities},
    {"title", text},        {"body", text}, {"subjectId", text, optional}};
constexpr Field preferences_updated[] = {{"changes", changes}};
constexpr Field transaction_categorized[] = {
    {"transactionId", id},     {"accountId", id},
    {"categoryId", text},      {"previousCategoryId", text, optional},
    {"confidence", percent},   {"assignmentType", one_of, required, assignment_types},
    {"ruleId", text, optional}};
constexpr Field transaction_updated[] = {
    {"transactionId", id}, {"accountId", id}, {"changes", changes}};
constexpr Field transactions_created[] = {
    {"fileId", text},          {"accountId", id},
    {"transactionIds", ids},   {"transactionCount", count},
    {"dateRange", date_range}, {"origin", one_of, optional, origins},
    {"chunk", chunk, optional}};
constexpr Field transactions_deleted[] = {{"transactionIds", ids},
                                          {"accountIds", ids},
                                          {"deletionType", one_of, required, deletion_types},
                                          {"chunk", chunk, optional}};

constexpr Field user_deleted[] = {{"notificationCount", count}};

constexpr Type all_types[] = {
    {"account.created", "account_service", "An account was opened.", account_created},
    {"account.deleted", "account_service",
     "An account was deleted; says how many transactions were affected.", account_deleted},
    {"account.updated", "account_service", "Fields of an account were edited.", account_updated},
    {"analytics.computed", "analytics_service", "New figures exist; says what they cover.",
     analytics_computed},
    {"bus.config_reloaded", "bascule", "A changed routing file took effect.", bus_config_reloaded},
    {"bus.consumer_paused", "bascule", "A person paused a consumer.", bus_consumer_paused},
    {"bus.consumer_resumed", "bascule", "A consumer runs again; says from where.",
     bus_consumer_resumed},
    {"bus.letter_discarded", "bascule", "A person gave up a letter.", bus_letter_settled},
    {"bus.letter_redriven", "bascule", "A person sent a letter on its way again.",
     bus_letter_settled},
    {"bus.letter_skipped", "bascule", "A person let a letter's key go on without it.",
     bus_letter_settled},
    {"bus.letter_stopped", "bascule",
     "A person took a letter back that waited for its turn in a redrive.", bus_letter_settled},
    {"bus.rule_changed", "bascule", "A rule was created, updated or deleted.", bus_rule_changed},
    {"category.created", "category_service", "A category was added.", category_created},
    {"category.deleted", "category_service",
     "A category was deleted; says how many transactions lost it.", category_deleted},
    {"category.rule_created", "category_service", "A new category rule exists.",
     category_rule_created},
    {"category.rule_deleted", "category_service", "A category rule was deleted.",
     category_rule_deleted},
    {"category.rule_updated", "category_service", "A category rule was edited.",
     category_rule_updated},
    {"category.rules_applied", "category_service",
     "Rules were applied to transactions; one event per run and category.", category_rules_applied},
    {"category.updated", "category_service", "Fields of a category were edited.", category_updated},
    {"file.associated", "transaction_service",
     "A file was tied to an account, moved to another or taken from it.", file_associated},
    {"file.deleted", "file_service", "A file is gone, with its transactions.", file_deleted},
    {"file.processed", "transaction_service",
     "Processing of a file ended: success, partial or failed.", file_processed},
    {"file.uploaded", "transaction_service", "The bytes of a file are stored.", file_uploaded},
    {"import.reverted", "transaction_service", "An import was taken back.", import_reverted},
    {"notification.raised", "notification_service", "Something the user should know.",
     notification_raised},
    {"preferences.updated", "user_service", "A user's settings were changed.", preferences_updated},
    {"transaction.categorized", "category_service",
     "A transaction's category was set, changed or removed.", transaction_categorized},
    {"transaction.updated", "transaction_service", "Fields of a transaction were edited.",
     transaction_updated},
    {"transactions.created", "transaction_service",
     "Transactions exist that did not before, from a file or by hand.", transactions_created},
    {"transactions.deleted", "transaction_service", "Transactions were deleted.",
     transactions_deleted},
    {"user.deleted", "user_service", "A user was deleted, with their notifications and settings.",
     user_deleted},
};

static_assert(std::is_sorted(std::begin(all_types), std::end(all_types),
                             [](const Type& a, const Type& b) { return a.name < b.name; }));

}  // namespace

std::span<const Type> types() { return all_types; }

const Type* type_named(std::string_view name) {
    const auto before = [](const Type& type, std::string_view wanted) {
        return type.name < wanted;
    };
    const auto* const found =
        std::lower_bound(std::begin(all_types), std::end(all_types), name, before);
    return found != std::end(all_types) && found->name == name ? found : nullptr;
}

}  // namespace bascule::event
