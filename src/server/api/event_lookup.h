#pragma once

#include <string>

#include "household/application/stores/audit_trail.h"
#include "server/api/services.h"

namespace bascule::api {

/// The event by its id, as soon as its publication was acknowledged.
///
/// The audit trail knows ids but follows the log by moments; what it does not hold yet is looked
/// for in the log itself, from where the trail ends. Blocks: for a reader's thread. Errors:
/// `not_found`. Cost: one index lookup, then linear in the trail's lag, at most lookup_records_max
/// records.
Result<application::AuditEntry> find_event(const Services& services, const std::string& event_id,
                                           const std::string& user_id);

inline constexpr std::uint64_t lookup_records_max = 1'000'000;

}  // namespace bascule::api
