#include "household/application/consumers/notification.h"

#include "foundation/json/writer.h"
#include "household/application/consumers/payload.h"
#include "household/application/consumers/run.h"
#include "household/application/stores/file_store.h"

namespace bascule::application {

namespace {

/// What a person reads, before it has an id.
struct Message {
    std::string kind;
    event::Severity severity = event::Severity::info;
    std::string title;
    std::string text;
    std::string subject_id;
    std::string data;  ///< JSON object: the numbers behind the text
};

std::string plural(std::int64_t count, std::string_view noun) {
    return std::to_string(count).append(" ").append(noun) + (count == 1 ? "" : "s");
}

Result<std::optional<Message>> about_import(UnitOfWork& unit, const Payload& payload) {
    const std::string file_id = payload.text("fileId");
    const auto file =
        TRY(FileStore(unit.session(), unit.user_id()).find(file_id, FileStore::Notes::without));
    const std::string name = file ? file->file_name : "a file that was deleted meanwhile";
    const std::string status = payload.text("processingStatus");
    const std::int64_t added = payload.integer("transactionCount");
    const std::int64_t known = payload.integer("duplicateCount");
    const std::string reason = payload.text("errorMessage");

    Message message{.subject_id = file_id};
    const std::string counts =
        plural(added, "new transaction") + ", " + std::to_string(known) + " already known";
    if (status == "failed") {
        const bool asks = file && file->status == FileStatus::needs_mapping;
        message.kind = asks ? "import_question" : "import_failed";
        message.severity = event::Severity::warning;
        message.title = (asks ? "A question about " : "Could not import ") + name;
        message.text = reason.empty() ? "no reason was given" : reason;
    } else if (status == "partial") {
        message.kind = "import_partial";
        message.severity = event::Severity::warning;
        message.title = "Imported " + name + " in part";
        message.text = counts + (reason.empty() ? "" : "; " + reason);
    } else {
        message.kind = "import_finished";
        message.title = "Imported " + name;
        message.text = counts;
    }
    json::Writer(message.data)
        .begin_object()
        .member("fileId", file_id)
        .member("accountId", payload.text("accountId"))
        .member("status", status)
        .member("transactionCount", added)
        .member("duplicateCount", known)
        .end_object();
    return std::optional(std::move(message));
}

/// Chunks but the last are full (transaction_ids_max), so the last one knows the whole number.
std::optional<Message> about_deletion(const Payload& payload) {
    const std::string type = payload.text("deletionType");
    if (type != "single" && type != "bulk") {
        return std::nullopt;
    }
    auto count = static_cast<std::int64_t>(payload.texts("transactionIds").size());
    if (const json::Value* chunk = payload.find("chunk"); chunk != nullptr) {
        const auto number = [&](const char* member) {
            const json::Value* value = chunk->find(member);
            return value == nullptr ? 0 : value->as_int64().value_or(0);
        };
        if (number("index") + 1 < number("count")) {
            return std::nullopt;
        }
        count += number("index") * static_cast<std::int64_t>(event::transaction_ids_max);
    }
    Message message{.kind = "transactions_deleted",
                    .title = plural(count, "transaction") + " deleted",
                    .text = plural(count, "transaction") +
                            (type == "bulk" ? " deleted together" : " deleted by hand")};
    json::Writer(message.data)
        .begin_object()
        .member("deletionType", type)
        .member("transactionCount", count)
        .end_object();
    return message;
}

Message about_account(const Payload& payload) {
    const std::int64_t count = payload.integer("transactionCount");
    Message message{.kind = "account_deleted",
                    .title = "Account deleted",
                    .text = "with " + plural(count, "transaction"),
                    .subject_id = payload.text("accountId")};
    json::Writer(message.data)
        .begin_object()
        .member("accountId", message.subject_id)
        .member("transactionCount", count)
        .end_object();
    return message;
}

Result<std::optional<Message>> message_about(UnitOfWork& unit, const event::EventView& event) {
    const Payload payload = TRY(Payload::of(event));
    if (event.event_type == "file.processed") {
        return about_import(unit, payload);
    }
    if (event.event_type == "transactions.deleted") {
        return about_deletion(payload);
    }
    if (event.event_type == "account.deleted") {
        return std::optional(about_account(payload));
    }
    return std::optional<Message>();
}

Result<> raise(UnitOfWork& unit, const event::EventView& cause, const Message& message) {
    const std::string id = unit.new_id();
    TRY(unit.session().execute(
        "insert into notifications (id, user_id, kind, title, message, data, event_id, created_ms)"
        " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        {id, unit.user_id(), message.kind, message.title, message.text, message.data,
         cause.event_id, to_unix_ms(unit.now())}));
    unit.publish(event::notification_raised(unit.occasion(), {.notification_id = id,
                                                              .kind = message.kind,
                                                              .severity = message.severity,
                                                              .title = message.title,
                                                              .body = message.text,
                                                              .subject_id = message.subject_id}));
    return {};
}

}  // namespace

void NotificationConsumer::handle(broker::Delivery delivery, broker::Done done) {
    auto run = std::make_shared<Run>(std::move(delivery), std::move(done));
    commit_once(environment_, run, [run](UnitOfWork& unit) -> Result<> {
        const auto message = TRY(message_about(unit, run->event()));
        return message ? raise(unit, run->event(), *message) : Result<>();
    });
}

}  // namespace bascule::application
