#include "household/application/consumers/audit.h"

#include "bus/event/body.h"
#include "household/application/consumers/run.h"
#include "household/application/stores/audit_chain.h"

namespace bascule::application {

namespace {

/// A replay is no news to the audit trail, so the inbox key leaves it out.
Result<bool> is_new(sql::Session& session, const std::string& consumer,
                    const broker::DeliveredEvent& delivered) {
    const auto claimed = TRY(sql::inbox::claim(session, {.consumer = consumer,
                                                         .message_id = message_id(delivered.event),
                                                         .offset = delivered.offset.value()}));
    return claimed == sql::inbox::Claim::fresh;
}

Result<> append(sql::Session& session, const Run& run, const std::vector<AuditRecord>& records) {
    AuditHead head = TRY(audit_head(session));
    for (std::size_t i = 0; i < records.size(); ++i) {
        const broker::DeliveredEvent& delivered = run.events()[i];
        if (TRY(is_new(session, run.consumer(), delivered))) {
            TRY(audit_append(session, head, records[i], delivered.event));
        }
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
        [run](Result<> result) { run->finish(result); });
}

}  // namespace bascule::application
