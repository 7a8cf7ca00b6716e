#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bus/broker/bus.h"
#include "foundation/base/clock.h"
#include "foundation/io/executor.h"
#include "household/application/household.h"
#include "household/application/relay.h"
#include "household/application/stores/audit_trail.h"
#include "server/auth/authenticator.h"
#include "server/http/router.h"

namespace bascule::api {

/// What ails the databases; empty while nothing does. May name files.
struct DatabaseTrouble {
    std::vector<std::string> stopped;  ///< why one takes no more writes
    std::vector<std::string> told;     ///< what keeps nobody from working yet
};

/// What the API stands on. Everything outlives the router.
struct Services {
    broker::Bus& bus;
    application::Household& household;
    application::AuditTrail& audit;
    application::Relay& relay;
    auth::Authenticator& authenticator;
    io::Executor& readers;  ///< where queries block
    const Clock& clock;
    std::string version;
    std::function<DatabaseTrouble()> database_trouble = [] { return DatabaseTrouble(); };
    /// The configuration in force, by consumer name: for showing policies.
    std::function<broker::BusConfig()> bus_config;
    /// How often a stream says something though nothing happens: so that a peer which is gone
    /// without a word is noticed, and nobody between takes the connection for dead.
    std::chrono::milliseconds stream_beat{15'000};
    /// Takes what a client is not told: a line for the program's log. Any thread.
    std::function<void(const std::string& message)> report = [](const std::string&) {};
};

/// Adds every operation of docs/reference/openapi.yaml.
void add_routes(http::Router& router, const Services& services);

}  // namespace bascule::api
