#include "bus/event/builders.h"

#include <span>

#include "bus/event/types.h"
#include "foundation/base/check.h"
#include "foundation/json/raw.h"
#include "foundation/json/writer.h"

namespace bascule::event {

namespace {

/// Writes `data` member by member and wraps it up as an event of its type.
class Builder {
  public:
    Builder(std::string_view type, const Occasion& occasion)
        : type_(type_named(type)), occasion_(occasion), writer_(data_) {
        CHECK(type_ != nullptr);
        writer_.begin_object();
    }

    Builder& text(std::string_view name, std::string_view value) {
        writer_.member(name, value);
        return *this;
    }
    Builder& optional_text(std::string_view name, std::string_view value) {
        return value.empty() ? *this : text(name, value);
    }
    Builder& number(std::string_view name, std::int64_t value) {
        writer_.member(name, value);
        return *this;
    }
    Builder& flag(std::string_view name, bool value) {
        writer_.member(name, value);
        return *this;
    }
    Builder& texts(std::string_view name, std::span<const std::string> values) {
        writer_.key(name).begin_array();
        for (const std::string& value : values) {
            writer_.string(value);
        }
        writer_.end_array();
        return *this;
    }
    Builder& changes(std::span<const Change> changes) {
        writer_.key("changes").begin_array();
        for (const Change& change : changes) {
            CHECK(json::is_valid(change.old_value) && json::is_valid(change.new_value));
            writer_.begin_object().member("field", change.field);
            writer_.member_raw("oldValue", change.old_value)
                .member_raw("newValue", change.new_value)
                .end_object();
        }
        writer_.end_array();
        return *this;
    }
    Builder& date_range(const std::optional<DateRange>& range) {
        writer_.key("dateRange");
        if (range) {
            writer_.begin_object()
                .member("startDate", range->start_date)
                .member("endDate", range->end_date)
                .end_object();
        } else {
            writer_.null();
        }
        return *this;
    }
    Builder& chunk(const std::optional<Chunk>& chunk) {
        if (chunk) {
            writer_.key("chunk")
                .begin_object()
                .member("index", chunk->index)
                .member("count", chunk->count)
                .end_object();
        }
        return *this;
    }

    Event event() {
        writer_.end_object();
        return {.form = Form::seed,
                .event_id = occasion_.event_id,
                .event_type = std::string(type_->name),
                .event_version = std::string(catalogue_version),
                .timestamp = occasion_.timestamp,
                .source = std::string(type_->source),
                .user_id = occasion_.user_id,
                .correlation_id = occasion_.correlation_id,
                .causation_id = occasion_.causation_id,
                .data = std::move(data_),
                .metadata = occasion_.metadata,
                .hops = occasion_.hops};
    }

  private:
    const Type* type_;
    const Occasion& occasion_;
    std::string data_;
    json::Writer writer_;
};

std::string_view word(ProcessingStatus status) {
    constexpr std::string_view words[] = {"success", "partial", "failed"};
    return words[static_cast<std::size_t>(status)];
}
std::string_view word(Origin origin) { return origin == Origin::manual ? "manual" : "file"; }
std::string_view word(DeletionType type) {
    constexpr std::string_view words[] = {
        "single",          "bulk",        "file_reprocessing", "import_reverted",
        "account_deleted", "file_deleted"};
    return words[static_cast<std::size_t>(type)];
}
std::string_view word(AssignmentType type) {
    constexpr std::string_view words[] = {"manual", "rule_based", "suggested"};
    return words[static_cast<std::size_t>(type)];
}
std::string_view word(ApplicationType type) {
    constexpr std::string_view words[] = {"manual", "bulk", "automated"};
    return words[static_cast<std::size_t>(type)];
}
std::string_view word(CategoryType type) {
    constexpr std::string_view words[] = {"INCOME", "EXPENSE", "TRANSFER"};
    return words[static_cast<std::size_t>(type)];
}
std::string_view word(Severity severity) {
    constexpr std::string_view words[] = {"info", "warning", "critical"};
    return words[static_cast<std::size_t>(severity)];
}
std::string_view word(RuleChange change) {
    constexpr std::string_view words[] = {"created", "updated", "deleted"};
    return words[static_cast<std::size_t>(change)];
}

Event letter_settled(std::string_view type, const Occasion& occasion,
                     const BusLetterSettled& data) {
    return Builder(type, occasion)
        .text("consumer", data.consumer)
        .text("letterId", data.letter_id)
        .text("letterEventId", data.letter_event_id)
        .optional_text("reason", data.reason)
        .event();
}

}  // namespace

Occasion caused_by(const EventView& cause, std::string event_id, WallTime timestamp) {
    return {.event_id = std::move(event_id),
            .timestamp = timestamp,
            .user_id = std::string(cause.user_id),
            .correlation_id = std::string(correlation_of(cause)),
            .causation_id = std::string(cause.event_id),
            .hops = cause.hops + 1};
}

Event file_uploaded(const Occasion& occasion, const FileUploaded& data) {
    return Builder("file.uploaded", occasion)
        .text("fileId", data.file_id)
        .text("fileName", data.file_name)
        .number("fileSize", data.file_size)
        .text("s3Key", data.s3_key)
        .optional_text("accountId", data.account_id)
        .optional_text("fileFormat", data.file_format)
        .event();
}

Event file_processed(const Occasion& occasion, const FileProcessed& data) {
    return Builder("file.processed", occasion)
        .text("fileId", data.file_id)
        .text("accountId", data.account_id)
        .number("transactionCount", data.transaction_count)
        .number("duplicateCount", data.duplicate_count)
        .date_range(data.date_range)
        .text("processingStatus", word(data.processing_status))
        .optional_text("errorMessage", data.error_message)
        .event();
}

Event file_associated(const Occasion& occasion, const FileAssociated& data) {
    return Builder("file.associated", occasion)
        .text("fileId", data.file_id)
        .text("accountId", data.account_id)
        .optional_text("previousAccountId", data.previous_account_id)
        .event();
}

Event file_deleted(const Occasion& occasion, const FileDeleted& data) {
    return Builder("file.deleted", occasion)
        .text("fileId", data.file_id)
        .optional_text("accountId", data.account_id)
        .number("transactionCount", data.transaction_count)
        .event();
}

Event import_reverted(const Occasion& occasion, const ImportReverted& data) {
    return Builder("import.reverted", occasion)
        .text("fileId", data.file_id)
        .text("accountId", data.account_id)
        .number("deletedCount", data.deleted_count)
        .number("restoredCount", data.restored_count)
        .number("keptCount", data.kept_count)
        .event();
}

Event transactions_created(const Occasion& occasion, const TransactionsCreated& data) {
    return Builder("transactions.created", occasion)
        .text("fileId", data.file_id)
        .text("accountId", data.account_id)
        .texts("transactionIds", data.transaction_ids)
        .number("transactionCount", static_cast<std::int64_t>(data.transaction_ids.size()))
        .date_range(data.date_range)
        .text("origin", word(data.origin))
        .chunk(data.chunk)
        .event();
}

Event transaction_updated(const Occasion& occasion, const TransactionUpdated& data) {
    return Builder("transaction.updated", occasion)
        .text("transactionId", data.transaction_id)
        .text("accountId", data.account_id)
        .changes(data.changes)
        .event();
}

Event transactions_deleted(const Occasion& occasion, const TransactionsDeleted& data) {
    return Builder("transactions.deleted", occasion)
        .texts("transactionIds", data.transaction_ids)
        .texts("accountIds", data.account_ids)
        .text("deletionType", word(data.deletion_type))
        .chunk(data.chunk)
        .event();
}

Event transaction_categorized(const Occasion& occasion, const TransactionCategorized& data) {
    return Builder("transaction.categorized", occasion)
        .text("transactionId", data.transaction_id)
        .text("accountId", data.account_id)
        .text("categoryId", data.category_id)
        .optional_text("previousCategoryId", data.previous_category_id)
        .number("confidence", data.confidence)
        .text("assignmentType", word(data.assignment_type))
        .optional_text("ruleId", data.rule_id)
        .event();
}

Event account_created(const Occasion& occasion, const AccountCreated& data) {
    return Builder("account.created", occasion)
        .text("accountId", data.account_id)
        .text("accountName", data.account_name)
        .text("accountType", data.account_type)
        .text("currency", data.currency)
        .event();
}

Event account_updated(const Occasion& occasion, const AccountUpdated& data) {
    return Builder("account.updated", occasion)
        .text("accountId", data.account_id)
        .changes(data.changes)
        .event();
}

Event user_deleted(const Occasion& occasion, const UserDeleted& data) {
    return Builder("user.deleted", occasion)
        .number("notificationCount", data.notification_count)
        .event();
}

Event preferences_updated(const Occasion& occasion, const PreferencesUpdated& data) {
    return Builder("preferences.updated", occasion).changes(data.changes).event();
}

Event account_deleted(const Occasion& occasion, const AccountDeleted& data) {
    return Builder("account.deleted", occasion)
        .text("accountId", data.account_id)
        .number("transactionCount", data.transaction_count)
        .event();
}

Event category_rules_applied(const Occasion& occasion, const CategoryRulesApplied& data) {
    return Builder("category.rules_applied", occasion)
        .text("categoryId", data.category_id)
        .texts("ruleIds", data.rule_ids)
        .texts("transactionIds", data.transaction_ids)
        .text("applicationType", word(data.application_type))
        .event();
}

Event category_rule_created(const Occasion& occasion, const CategoryRuleCreated& data) {
    return Builder("category.rule_created", occasion)
        .text("categoryId", data.category_id)
        .text("ruleId", data.rule_id)
        .text("rulePattern", data.rule_pattern)
        .flag("autoApply", data.auto_apply)
        .event();
}

Event category_rule_updated(const Occasion& occasion, const CategoryRuleUpdated& data) {
    return Builder("category.rule_updated", occasion)
        .text("categoryId", data.category_id)
        .text("ruleId", data.rule_id)
        .changes(data.changes)
        .event();
}

Event category_rule_deleted(const Occasion& occasion, const CategoryRuleDeleted& data) {
    return Builder("category.rule_deleted", occasion)
        .text("categoryId", data.category_id)
        .text("ruleId", data.rule_id)
        .event();
}

Event category_created(const Occasion& occasion, const CategoryCreated& data) {
    return Builder("category.created", occasion)
        .text("categoryId", data.category_id)
        .text("categoryName", data.category_name)
        .text("categoryType", word(data.category_type))
        .optional_text("parentCategoryId", data.parent_category_id)
        .event();
}

Event category_updated(const Occasion& occasion, const CategoryUpdated& data) {
    return Builder("category.updated", occasion)
        .text("categoryId", data.category_id)
        .changes(data.changes)
        .event();
}

Event category_deleted(const Occasion& occasion, const CategoryDeleted& data) {
    return Builder("category.deleted", occasion)
        .text("categoryId", data.category_id)
        .number("transactionCount", data.transaction_count)
        .event();
}

Event analytics_computed(const Occasion& occasion, const AnalyticsComputed& data) {
    return Builder("analytics.computed", occasion)
        .texts("analyticTypes", data.analytic_types)
        .optional_text("accountId", data.account_id)
        .optional_text("dataThrough", data.data_through)
        .number("generation", data.generation)
        .event();
}

Event notification_raised(const Occasion& occasion, const NotificationRaised& data) {
    return Builder("notification.raised", occasion)
        .text("notificationId", data.notification_id)
        .text("kind", data.kind)
        .text("severity", word(data.severity))
        .text("title", data.title)
        .text("body", data.body)
        .optional_text("subjectId", data.subject_id)
        .event();
}

Event bus_rule_changed(const Occasion& occasion, const BusRuleChanged& data) {
    return Builder("bus.rule_changed", occasion)
        .text("ruleName", data.rule_name)
        .text("change", word(data.change))
        .number("ruleVersion", data.rule_version)
        .event();
}

Event bus_consumer_paused(const Occasion& occasion, const BusConsumerPaused& data) {
    Builder builder("bus.consumer_paused", occasion);
    builder.text("consumer", data.consumer).optional_text("reason", data.reason);
    if (data.until) {
        builder.number("until", to_unix_ms(*data.until));
    }
    return builder.event();
}

Event bus_consumer_resumed(const Occasion& occasion, const BusConsumerResumed& data) {
    return Builder("bus.consumer_resumed", occasion)
        .text("consumer", data.consumer)
        .text("from", data.from)
        .event();
}

Event bus_letter_redriven(const Occasion& occasion, const BusLetterSettled& data) {
    return letter_settled("bus.letter_redriven", occasion, data);
}

Event bus_letter_discarded(const Occasion& occasion, const BusLetterSettled& data) {
    return letter_settled("bus.letter_discarded", occasion, data);
}

Event bus_letter_skipped(const Occasion& occasion, const BusLetterSettled& data) {
    return letter_settled("bus.letter_skipped", occasion, data);
}

Event bus_letter_stopped(const Occasion& occasion, const BusLetterSettled& data) {
    return letter_settled("bus.letter_stopped", occasion, data);
}

Event bus_config_reloaded(const Occasion& occasion, const BusConfigReloaded& data) {
    return Builder("bus.config_reloaded", occasion)
        .text("file", data.file)
        .number("ruleVersion", data.rule_version)
        .event();
}

}  // namespace bascule::event
