#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "bus/broker/routing.h"
#include "bus/log/options.h"
#include "foundation/config/node.h"
#include "foundation/config/reader.h"

namespace bascule {

/// What the command line says about configuration.
struct SettingSources {
    std::string config_file;   ///< empty: bascule.yaml in the present folder, if it is there
    std::string routing_file;  ///< empty: config/event_routing.yaml beside bascule.yaml, if there
    std::vector<std::string> overrides;  ///< KEY=VALUE of --set
};

/// The program's settings in force, and where each comes from.
///
/// Precedence: flag > environment BASCULE_* > file > default. BASCULE_SERVER__LISTEN sets
/// server.listen: two underscores stand for the dot, one for itself.
struct Settings {
    std::string listen = "127.0.0.1:4010";
    bool behind_proxy = false;
    int http_threads = 2;
    std::uint64_t upload_bytes_max = std::uint64_t{64} << 20;
    std::size_t connections_max = 1024;
    std::size_t connections_per_peer_max = 768;  ///< behind a proxy by default: connections_max
    std::chrono::milliseconds header_timeout = std::chrono::seconds(10);
    std::string data_directory;
    log::Options log;
    broker::RuleLimits rules;
    int workers = 4;
    std::vector<std::string> private_hosts_allowed;  ///< for webhooks that users choose

    config::Node root;         ///< for sections that rooms read themselves
    config::Node routing;      ///< of the routing file; null where there is none
    std::string config_file;   ///< that was read; empty if none
    std::string routing_file;  ///< that was read, or would be if it appeared
    bool has_routing_file = false;
    config::Ledger ledger;

    /// Errors: `invalid` with one line a problem: file, line, field, what is allowed.
    static Result<Settings> load(const SettingSources& sources);
};

/// ~/.local/share/bascule, or what XDG_DATA_HOME says.
std::string default_data_directory();

}  // namespace bascule
