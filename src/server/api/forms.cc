#include "server/api/forms.h"

#include <charconv>

#include "bus/event/seed_form.h"
#include "foundation/json/writer.h"
#include "household/application/stores/condition_json.h"

namespace bascule::api {

namespace {

using json::Writer;

/// Text, or null where it is empty.
void member_or_null(Writer& writer, std::string_view key, std::string_view text) {
    if (text.empty()) {
        writer.key(key).null();
    } else {
        writer.member(key, text);
    }
}

void member_or_null(Writer& writer, std::string_view key, const std::optional<money::Date>& date) {
    member_or_null(writer, key, date ? date->to_text() : "");
}

void member_or_null(Writer& writer, std::string_view key,
                    const std::optional<money::Money>& money) {
    member_or_null(writer, key, money ? money->to_text() : "");
}

void member_or_null(Writer& writer, std::string_view key, const std::optional<WallTime>& time) {
    if (time) {
        writer.member(key, to_unix_ms(*time));
    } else {
        writer.key(key).null();
    }
}

void times(Writer& writer, WallTime created, WallTime updated) {
    writer.member("createdAt", to_unix_ms(created)).member("updatedAt", to_unix_ms(updated));
}

std::string money_text(money::Int128 minor, const money::Currency& currency) {
    return money::decimal_text(minor, currency.exponent());
}

void notes(Writer& writer, const application::File& file) {
    writer.key("rejected").begin_array();
    for (const application::FileNote& note : file.notes) {
        if (note.kind == "rejected") {
            writer.begin_object().member("line", note.line).member("code", note.code);
            writer.member("message", note.message).member("raw", note.raw).end_object();
        }
    }
    writer.end_array().key("ambiguities").begin_array();
    for (const application::FileNote& note : file.notes) {
        if (note.kind != "rejected") {
            writer.begin_object().member("kind", note.kind).member("code", note.code);
            writer.member("line", note.line).member("message", note.message).end_object();
        }
    }
    writer.end_array();
}

void write_assignment(Writer& writer, const application::Transaction& transaction) {
    const finance::Assignment& assignment = transaction.assignment;
    // A suggestion is shown but does not count.
    const bool suggested = assignment.type == finance::AssignmentType::suggested;
    member_or_null(writer, "categoryId", suggested ? "" : assignment.category_id);
    member_or_null(writer, "suggestedCategoryId", suggested ? assignment.category_id : "");
    writer.key("category");
    if (!transaction.assigned_at) {
        writer.null();
        return;
    }
    writer.begin_object().member("assignmentType", finance::name(assignment.type));
    writer.member("categoryId", assignment.category_id);
    member_or_null(writer, "ruleId", assignment.rule_id);
    if (assignment.rule_id.empty()) {
        writer.key("ruleVersion").null();
    } else {
        writer.member("ruleVersion", assignment.rule_version);
    }
    writer.member("confidence", assignment.confidence);
    writer.member("assignedAt", to_unix_ms(*transaction.assigned_at)).end_object();
}

void write_summary(Writer& writer, const broker::LetterSummary& letter) {
    writer.member("id", letter.id).member("consumer", letter.consumer);
    writer.member("position", position_text(letter.offset)).member("eventId", letter.event_id);
    writer.member("eventType", letter.event_type).member("userId", letter.user_id);
    writer.member("state", letter.state).member("reason", letter.reason);
    writer.member("attempts", letter.attempts).member("redrives", letter.redrives);
    writer.member("firstError", letter.first_error);
    writer.member("lastError", letter.last_error).member("fingerprint", letter.fingerprint);
    writer.member("createdAt", to_unix_ms(letter.created));
}

void write_counts(Writer& writer, const delivery::Counts& counts) {
    const delivery::Settlements& settled = counts.settled;
    writer.begin_object().member("matched", counts.matched).member("done", settled.done);
    writer.member("coalesced", settled.coalesced).member("superseded", settled.superseded);
    writer.member("discarded", settled.discarded).member("skipped", settled.skipped);
    writer.member("gap", settled.gap).member("expired", settled.expired);
    writer.member("reopened", settled.reopened).member("letters", counts.letters);
    writer.member("deferred", counts.deferred).member("queued", counts.queued);
    writer.member("waiting", counts.waiting).member("running", counts.running);
    writer.member("attempts", counts.attempts).member("failures", counts.failures);
    writer.member("lateAnswers", counts.late_answers).end_object();
}

}  // namespace

std::string account_form(const application::Account& account) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("id", account.id).member("name", account.name);
    writer.member("type", account.type).member("institution", account.institution);
    writer.member("currency", account.currency.code()).key("identifiers").begin_array();
    for (const std::string& identifier : account.identifiers) {
        writer.string(identifier);
    }
    writer.end_array();
    member_or_null(writer, "openingBalance", account.opening_balance);
    member_or_null(writer, "openingDate", account.opening_date);
    writer.member("active", account.active);
    member_or_null(writer, "balance", account.balance);
    writer.member("transactionCount", account.transaction_count);
    writer.member("beforeOpeningCount", account.before_opening_count);
    writer.key("otherCurrencies").begin_array();
    for (const application::CurrencyTotal& other : account.other_currencies) {
        writer.begin_object().member("currency", other.total.currency().code());
        writer.member("total", other.total.to_text());
        writer.member("transactionCount", other.transaction_count).end_object();
    }
    writer.end_array();
    times(writer, account.created_at, account.updated_at);
    writer.end_object();
    return out;
}

std::string file_form(const application::File& file) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("id", file.id).member("fileName", file.file_name);
    writer.member("size", file.size).member("sha256", file.sha256);
    writer.member("accountId", file.account_id).member("format", file.format);
    writer.member("status", application::name(file.status)).member("message", file.message);
    writer.member("rowCount", file.row_count).member("transactionCount", file.transaction_count);
    writer.member("duplicateCount", file.duplicate_count);
    writer.member("rejectedCount", file.rejected_count);
    member_or_null(writer, "dateFrom", file.date_from);
    member_or_null(writer, "dateTo", file.date_to);
    notes(writer, file);
    member_or_null(writer, "profile", file.profile);
    writer.member_raw("mapping", file.mapping.empty() ? "null" : file.mapping);
    writer.member("eventId", file.event_id).member("correlationId", file.event_id);
    writer.member("uploadedAt", to_unix_ms(file.uploaded_at));
    member_or_null(writer, "processedAt", file.processed_at);
    writer.end_object();
    return out;
}

std::string transaction_form(const application::Transaction& transaction) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("id", transaction.id).member("accountId", transaction.account_id);
    writer.member("fileId", transaction.file_id).member("date", transaction.date.to_text());
    member_or_null(writer, "valueDate", transaction.value_date);
    writer.member("amount", transaction.amount.to_text());
    writer.member("currency", transaction.amount.currency().code());
    member_or_null(writer, "payee", transaction.payee);
    member_or_null(writer, "description", transaction.description);
    member_or_null(writer, "memo", transaction.memo);
    member_or_null(writer, "notes", transaction.notes);
    member_or_null(writer, "bankPayee", transaction.bank_payee);
    member_or_null(writer, "bankMemo", transaction.bank_memo);
    member_or_null(writer, "bankId", transaction.bank_id);
    member_or_null(writer, "bankType", transaction.bank_type);
    writer.member("status", transaction.status);
    write_assignment(writer, transaction);
    writer.member("occurrence", transaction.occurrence).member("line", transaction.line);
    writer.member("origin", transaction.file_id.empty() ? "manual" : "file");
    times(writer, transaction.created_at, transaction.updated_at);
    writer.end_object();
    return out;
}

std::string category_form(const application::Category& category) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("id", category.node.id).member("name", category.node.name);
    writer.member("type", finance::name(category.node.type));
    member_or_null(writer, "parentId", category.node.parent_id);
    writer.member("icon", category.icon).member("colour", category.colour);
    times(writer, category.created_at, category.updated_at);
    writer.end_object();
    return out;
}

std::string rule_form(const application::CategoryRule& record) {
    const finance::Rule& rule = record.rule;
    std::string out;
    Writer writer(out);
    writer.begin_object().member("id", rule.id).member("version", rule.version);
    writer.member("categoryId", rule.category_id)
        .member("name", rule.name)
        .member_raw("conditions", application::to_json(rule.conditions));
    writer.member("priority", rule.priority).member("position", rule.position);
    writer.member("stop", rule.stop).member("enabled", rule.enabled);
    writer.member("confidence", rule.confidence).member("autoApply", rule.auto_apply);
    times(writer, record.created_at, record.updated_at);
    writer.end_object();
    return out;
}

std::string notification_form(const application::Notification& notification) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("id", notification.id).member("kind", notification.kind);
    writer.member("title", notification.title).member("message", notification.message);
    writer.member_raw("data", notification.data.empty() ? "{}" : notification.data);
    writer.member("eventId", notification.event_id).member("read", notification.read);
    writer.member("createdAt", to_unix_ms(notification.created_at)).end_object();
    return out;
}

std::string preferences_form(const application::Preferences& preferences) {
    std::string out;
    Writer writer(out);
    writer.begin_object().key("webhook");
    if (preferences.webhook_url.empty()) {
        writer.null();
    } else {
        // The secret is written, never read back.
        writer.begin_object().member("url", preferences.webhook_url);
        writer.member("enabled", preferences.webhook_enabled).end_object();
    }
    writer.member("locale", preferences.locale).member("currency", preferences.currency);
    writer.end_object();
    return out;
}

std::string analytics_status_form(const application::AnalyticsStatus& status) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("analyticType", status.analytic_type);
    writer.member("accountId", status.account_id.empty() ? "all" : status.account_id);
    writer.member("computationNeeded", status.computation_needed);
    writer.member("processingPriority", status.processing_priority);
    writer.member("status", status.status);
    member_or_null(writer, "lastComputedDate", status.last_computed);
    member_or_null(writer, "dataAvailableThrough", status.data_through);
    writer.member("generation", status.generation).end_object();
    return out;
}

std::string report_form(const application::Report& report, const finance::CategoryTree& tree) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("type", report.type);
    writer.member("period", finance::name(report.period));
    member_or_null(writer, "computedAt", report.computed_at);
    member_or_null(writer, "dataThrough", report.data_through);
    writer.member("stale", report.stale);
    std::int64_t uncategorised = 0;
    writer.key("buckets").begin_array();
    for (const finance::CashFlowLine& line : report.cash_flow) {
        uncategorised += line.uncategorised_count;
        writer.begin_object().member("period", line.period);
        writer.member("currency", line.currency.code());
        writer.member("income", money_text(line.income, line.currency));
        writer.member("expenses", money_text(line.expenses, line.currency));
        writer.member("net", money_text(line.net, line.currency));
        writer.member("moneyIn", money_text(line.money_in, line.currency));
        writer.member("moneyOut", money_text(line.money_out, line.currency));
        writer.member("count", line.count);
        writer.member("uncategorizedCount", line.uncategorised_count);
        writer.member("transferCount", line.transfer_count).end_object();
    }
    for (const finance::CategoryLine& line : report.category_trends) {
        const finance::Category* category = tree.find(line.category_id);
        uncategorised += line.category_id.empty() ? line.count : 0;
        writer.begin_object().member("period", line.period);
        writer.member("currency", line.currency.code());
        member_or_null(writer, "categoryId", line.category_id);
        member_or_null(writer, "categoryName", category == nullptr ? "" : category->name);
        member_or_null(writer, "categoryType", line.type ? finance::name(*line.type) : "");
        writer.member("total", money_text(line.total, line.currency));
        writer.member("totalWithChildren", money_text(line.total_with_children, line.currency));
        writer.member("count", line.count).end_object();
    }
    writer.end_array().member("uncategorizedCount", uncategorised).end_object();
    return out;
}

std::string audit_entry_form(const application::AuditEntry& entry) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("position", position_text(entry.offset));
    writer.member("recordedAt", to_unix_ms(entry.recorded));
    writer.member_raw("event", event::to_seed_json(event::view_of(entry.event))).end_object();
    return out;
}

std::string audit_verdict_form(const application::AuditVerdict& verdict) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("ok", verdict.ok).member("entries", verdict.entries);
    if (verdict.first_broken) {
        writer.member("firstBroken", std::to_string(*verdict.first_broken));
    } else {
        writer.key("firstBroken").null();
    }
    writer.member("head", verdict.head).member("message", verdict.message).end_object();
    return out;
}

std::string consumer_form(const broker::ConsumerStatus& status,
                          const broker::ConsumerConfig* config) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("name", status.name).member("state", status.state);
    writer.member("stateReason", status.state_reason).member("handler", status.handler);
    writer.member("ordering", status.ordering).member("position", position_text(status.position));
    writer.member("cursor", position_text(status.cursor)).member("lagEvents", status.lag_events);
    writer.member("lagSeconds", status.lag_ms / 1000).member("letters", status.counts.letters);
    writer.member("windows", status.counts.windows).key("counts");
    write_counts(writer, status.counts);
    writer.key("gaps").begin_array();
    for (const delivery::ConsumerState::Gap& gap : status.gaps) {
        writer.begin_object().member("first", position_text(gap.first));
        writer.member("end", position_text(gap.end)).end_object();
    }
    writer.end_array();
    if (config != nullptr) {
        const delivery::Policy& policy = config->policy;
        writer.key("policy").begin_object().member("key", config->key);
        writer.member("concurrency", policy.concurrency);
        writer.member("timeoutMs", policy.timeout.count());
        writer.member("onExhausted", delivery::name(policy.exhausted()));
        writer.member("maxUnsettled", policy.max_unsettled).key("retry").begin_object();
        writer.member("initialMs", policy.retry.initial.count()).key("factor");
        writer.real(policy.retry.factor).member("maxIntervalMs", policy.retry.max_interval.count());
        writer.member("maxAttempts", policy.retry.max_attempts);
        writer.member("maxAgeMs", policy.retry.max_age.count()).end_object();
        if (policy.batch) {
            writer.key("batch").begin_object().member("maxSize", policy.batch->max_size);
            writer.member("maxWaitMs", policy.batch->max_wait.count());
            writer.member("onError", delivery::name(policy.batch->on_error)).end_object();
        }
        if (policy.debounce) {
            writer.key("debounce").begin_object();
            writer.member("periodMs", policy.debounce->period.count());
            writer.member("leadingMs", policy.debounce->leading.count());
            writer.member("maxWaitMs", policy.debounce->max_wait.count()).end_object();
        }
        writer.end_object();
    }
    writer.end_object();
    return out;
}

std::string letter_summary_form(const broker::LetterSummary& letter) {
    std::string out;
    Writer writer(out);
    writer.begin_object();
    write_summary(writer, letter);
    writer.end_object();
    return out;
}

std::string letter_detail_form(const broker::LetterDetail& letter) {
    std::string out;
    Writer writer(out);
    writer.begin_object();
    write_summary(writer, letter.summary);
    writer.key("history").begin_array();
    for (const broker::LetterAttempt& attempt : letter.attempts) {
        writer.begin_object().member("at", to_unix_ms(attempt.at)).member("error", attempt.error);
        writer.end_object();
    }
    writer.end_array();
    writer.member_raw("event", event::to_seed_json(event::view_of(letter.event))).end_object();
    return out;
}

namespace {

void write_refused(Writer& writer, const application::RefusedEvent& refused) {
    writer.member("id", refused.id).member("userId", refused.user_id);
    writer.member("eventType", refused.event.event_type).member("code", refused.code);
    writer.member("reason", refused.reason).member("refusedAt", to_unix_ms(refused.at));
}

}  // namespace

std::string refused_event_form(const application::RefusedEvent& refused) {
    std::string out;
    Writer writer(out);
    writer.begin_object();
    write_refused(writer, refused);
    writer.end_object();
    return out;
}

std::string refused_event_detail_form(const application::RefusedEvent& refused) {
    std::string out;
    Writer writer(out);
    writer.begin_object();
    write_refused(writer, refused);
    writer.key("event");
    if (refused.event.event_id.empty()) {
        writer.null();
    } else {
        writer.raw(event::to_seed_json(event::view_of(refused.event)));
    }
    writer.end_object();
    return out;
}

std::string explanation_form(const broker::Explanation& explanation, std::string_view event_id,
                             std::string_view consumer, Offset offset) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("eventId", event_id).member("position", position_text(offset));
    writer.member("consumer", consumer).member("state", explanation.state);
    const std::string error = explanation.last_error.empty()
                                  ? std::string()
                                  : ", the last with: " + explanation.last_error;
    writer.member("reason", explanation.reason + error);
    if (explanation.next_attempt) {
        writer.member("nextAttemptAt", to_unix_ms(*explanation.next_attempt));
    }
    writer.member("ruleVersion", explanation.rule_version).end_object();
    return out;
}

std::string deleted_form(std::int64_t count) {
    return R"({"count":)" + std::to_string(count) + "}";
}

std::string removal_form(const application::FileRemoval& removal) {
    return R"({"count":)" + std::to_string(removal.deleted_count) + R"(,"keptCount":)" +
           std::to_string(removal.kept_count) + "}";
}

std::string position_text(Offset offset) { return "0:" + std::to_string(offset.value()); }

Result<Offset> parse_position(std::string_view text) {
    std::uint64_t offset = 0;
    const std::string_view digits = text.starts_with("0:") ? text.substr(2) : "";
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
        return fail(ErrorKind::invalid, "'" + std::string(text) + "' is not a position");
    }
    return Offset(offset);
}

}  // namespace bascule::api
