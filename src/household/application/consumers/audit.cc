#include "household/application/consumers/audit.h"

#include "bus/event/body.h"
#include "household/application/consumers/run.h"
#include "household/application/stores/audit_chain.h"

namespace bascule::application {

namespace {

/// What the log holds twice, the trail holds twice: an id may come again for another event once the
/// log has forgotten it.
Result<> append(sql::Session& session, const Run& run, const std::vector<AuditRecord>& records) {
    const auto fresh = TRY(claim_all(session, run, KnownBy::place));
    AuditHead head = TRY(audit_head(session));
    for (const broker::DeliveredEvent* delivered : fresh) {
        const auto index = static_cast<std::size_t>(delivered - run.events().data());
        TRY(audit_append(session, head, records[index], delivered->event));
    }
    return keep_position(session, run);
}

}  // namespace

void AuditConsumer::handle(broker::Delivery delivery, broker::Done done) {
    auto run = std::make_shared<Run>(std::move(delivery), std::move(done));
    std::vector<AuditRecord> records;
    records.reserve(run->events().size());
    for (const broker::DeliveredEvent& delivered : run->events()) {
        records.push_back({delivered.offset.value(), to_unix_ms(delivered.recorded),
                           event::encode_body(delivered.event)});
    }
    trail_.writer().submit_alone(
        [run, records = std::move(records)](sql::Session& session) {
            return append(session, *run, records);
        },
        [run](const Result<>& result) { run->finish(result); });
}

}  // namespace bascule::application
