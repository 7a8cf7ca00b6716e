#include "household/application/consumers/audit.h"

#include <deque>

#include "bus/event/body.h"
#include "household/application/consumers/run.h"
#include "household/application/stores/audit_chain.h"

namespace bascule::application {

namespace {

/// A replay is no news to the audit trail, so the inbox key leaves it out.
Result<std::vector<sql::inbox::Claim>> claim_events(sql::Session& session, const Run& run) {
    std::deque<std::string> ids;
    std::vector<sql::inbox::Key> keys;
    for (const broker::DeliveredEvent& delivered : run.events()) {
        keys.push_back({.consumer = run.consumer(),
                        .message_id = ids.emplace_back(message_id(delivered.event)),
                        .offset = delivered.offset.value()});
    }
    return sql::inbox::claim_all(session, keys);
}

Result<> append(sql::Session& session, const Run& run, const std::vector<AuditRecord>& records) {
    const auto claims = TRY(claim_events(session, run));
    AuditHead head = TRY(audit_head(session));
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (claims[i] == sql::inbox::Claim::fresh) {
            TRY(audit_append(session, head, records[i], run.events()[i].event));
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
        [run](const Result<>& result) { run->finish(result); });
}

}  // namespace bascule::application
