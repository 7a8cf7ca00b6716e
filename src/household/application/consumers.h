#pragma once

#include "bus/broker/bus.h"
#include "bus/broker/consumer_config.h"
#include "household/application/environment.h"
#include "household/application/stores/audit_trail.h"

namespace bascule::application {

/// The built-in consumers with the policies and default rules of the design (docs/reference/
/// consumers.md): file_processor, categorization, analytics_status, analytics, notification, audit.
broker::BusConfig built_in_consumers();

/// What targets of routing files mean: `analytics_consumer` is analytics_status and analytics.
broker::TargetAliases target_aliases();

/// Gives the bus its in-process handlers, each with what its database says was done. `part_size` is
/// categorization's (ConsumerConfig::part_size).
Result<> attach_consumers(broker::Bus& bus, Environment environment, AuditTrail& audit,
                          std::uint32_t part_size);

}  // namespace bascule::application
