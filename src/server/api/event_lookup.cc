#include "server/api/event_lookup.h"

#include <algorithm>

#include "bus/event/body.h"

namespace bascule::api {

namespace {

/// In [from, end) of the log; nothing where it is not, or where the log is damaged.
std::optional<application::AuditEntry> look_in_log(const log::Log& log, Offset from,
                                                   const std::string& event_id,
                                                   const std::string& user_id) {
    const Offset end = log.end();
    for (Offset next = std::max(from, log.begin()); next < end;) {
        const auto batch = log.read(next, {.records_max = 256});
        if (!batch) {
            return std::nullopt;
        }
        for (const log::RecordView& record : batch->records()) {
            if (record.kind != log::RecordKind::event) {
                continue;
            }
            const auto view = event::decode_body(record.body);
            if (view && view->event_id == event_id &&
                (user_id.empty() || view->user_id == user_id)) {
                return application::AuditEntry{.offset = record.offset,
                                               .recorded = record.recorded,
                                               .event = event::owned(*view)};
            }
        }
        next = batch->next();
    }
    return std::nullopt;
}

}  // namespace

Result<application::AuditEntry> find_event(const Services& services, const std::string& event_id,
                                           const std::string& user_id) {
    // Asked before the trail is: what is appended to it meanwhile is looked at twice, not never.
    const Offset trail_end = TRY(services.audit.end());
    auto entry = services.audit.get(event_id, user_id);
    if (entry || entry.error().kind() != ErrorKind::not_found) {
        return entry;
    }
    const log::Log& log = services.bus.log();
    const std::uint64_t end = log.end().value();
    const std::uint64_t from = std::max(
        trail_end.value(), end > lookup_records_max ? end - lookup_records_max : std::uint64_t{0});
    if (auto found = look_in_log(log, Offset(from), event_id, user_id)) {
        return *std::move(found);
    }
    return fail(ErrorKind::not_found, "there is no event '" + event_id + "'");
}

}  // namespace bascule::api
