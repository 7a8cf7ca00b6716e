#include "serve.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdio>

#include "address.h"
#include "household/application/consumers.h"
#include "journal.h"
#include "server.h"

namespace bascule {

namespace {

constexpr int exit_configuration = 3;
constexpr int exit_conflict = 7;
constexpr int exit_server_error = 9;

int exit_code_of(const Error& error) {
    switch (error.kind()) {
        case ErrorKind::invalid:
            return exit_configuration;
        case ErrorKind::conflict:
            return exit_conflict;
        default:
            return exit_server_error;
    }
}

/// Blocked before any thread starts, so that only `sigwait` below sees them.
sigset_t block_stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);  // a limit of file sizes is an error of the write, as a full disk is
    return signals;
}

/// A shell allows 1 024 descriptors as a rule, and each connection takes one.
void raise_descriptor_limit(std::size_t connections_max) {
    constexpr rlim_t for_files = 256;  // databases, segments, webhooks
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < connections_max + for_files) {
        journal::warn("this process may open " + std::to_string(limit.rlim_max) +
                      " descriptors, too few for server.connections_max " +
                      std::to_string(connections_max) + " and " + std::to_string(for_files) +
                      " for files; raise the limit (ulimit -n), or lower the setting");
    }
}

}  // namespace

int serve(const ServeOptions& options) {
    if (options.json_log) {
        journal::set_format(journal::Format::json);
    }
    const sigset_t signals = block_stop_signals();
    auto settings = Settings::load(options.sources);
    if (!settings) {
        std::fprintf(stderr, "%s\n", settings.error().message().c_str());
        return exit_configuration;
    }
    raise_descriptor_limit(settings->connections_max);
    const std::string data = settings->data_directory;
    auto server = Server::start(options.sources, std::move(*settings));
    if (!server) {
        journal::error("cannot start: " + server.error().message() +
                       (server.error().kind() == ErrorKind::exhausted
                            ? "; free space on the disk of the data directory and start again"
                            : ""));
        return exit_code_of(server.error());
    }
    journal::info("serving on " + (*server)->url() + ", data in " + data);
    int signal = 0;
    sigwait(&signals, &signal);
    journal::info("stopping");
    server->reset();
    journal::info("stopped");
    return 0;
}

int check_config(const SettingSources& sources) {
    const auto settings = Settings::load(sources);
    if (!settings) {
        std::fprintf(stderr, "%s\n", settings.error().message().c_str());
        return exit_configuration;
    }
    config::Problems problems;
    if (const auto address = address_of(*settings); !address) {
        problems.add(address.error().message());
    }
    const config::Node* routing =
        settings->routing.kind == config::Node::Kind::null ? nullptr : &settings->routing;
    broker::BusConfig built_in = built_in_consumers();
    built_in.limits = settings->rules;
    const broker::BusConfig config = broker::read_bus_config(
        built_in, application::target_aliases(), settings->root, routing, problems);
    if (problems.empty()) {
        const auto built =
            broker::Routing::build(config.plan(), nullptr, WallTime{}, config.limits);
        if (!built) {
            problems.add(built.error().message());
        }
    }
    for (const std::string& problem : problems.messages()) {
        std::fprintf(stderr, "%s\n", problem.c_str());
    }
    return problems.empty() ? 0 : exit_configuration;
}

int show_config(const SettingSources& sources, const std::string& prefix) {
    const auto settings = Settings::load(sources);
    if (!settings) {
        std::fprintf(stderr, "%s\n", settings.error().message().c_str());
        return exit_configuration;
    }
    bool any = false;
    for (const config::Setting& setting : settings->ledger) {
        if (setting.key.starts_with(prefix)) {
            any = true;
            std::printf("%s = %s  # %s\n", setting.key.c_str(), setting.value.c_str(),
                        setting.origin.c_str());
        }
    }
    if (!any) {
        std::fprintf(stderr, "there is no setting '%s'\n", prefix.c_str());
        return 6;
    }
    return 0;
}

}  // namespace bascule
