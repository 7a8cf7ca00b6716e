#include "settings.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

extern char** environ;

namespace bascule {

namespace {

using config::Node;
using config::Problems;
using config::Reader;

constexpr std::string_view environment_prefix = "BASCULE_";
/// What the command line's own client reads; not settings.
constexpr std::string_view client_variables[] = {"BASCULE_URL", "BASCULE_TOKEN"};

/// Counting beyond it would let one pattern take seconds.
constexpr std::size_t pattern_complexity_most = 100;

Result<Node> read_yaml(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return fail(ErrorKind::not_found, path + ": cannot be read");
    }
    std::ostringstream text;
    text << file.rdbuf();
    return config::parse_yaml(text.str(), path);
}

std::string setting_of_variable(std::string_view name) {
    name.remove_prefix(environment_prefix.size());
    std::string path;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] == '_' && i + 1 < name.size() && name[i + 1] == '_') {
            path += '.';
            ++i;
        } else {
            path += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
        }
    }
    return path;
}

Result<> apply_environment(Node& root) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        const std::string_view name = text.substr(0, equals);
        if (!name.starts_with(environment_prefix) || equals == std::string_view::npos ||
            std::ranges::find(client_variables, name) != std::end(client_variables)) {
            continue;
        }
        TRY(config::set_value(root, setting_of_variable(name), text.substr(equals + 1),
                              {.source = "environment " + std::string(name)}));
    }
    return {};
}

Result<> apply_overrides(Node& root, const std::vector<std::string>& overrides) {
    for (const std::string& override : overrides) {
        const std::size_t equals = override.find('=');
        if (equals == std::string::npos) {
            return fail(ErrorKind::invalid, "--set " + override + ": KEY=VALUE is needed");
        }
        TRY(config::set_value(root, override.substr(0, equals), override.substr(equals + 1),
                              {.source = "flag --set"}));
    }
    return {};
}

void read_bus(Reader& root, log::Options& log, broker::RuleLimits& rules) {
    Reader bus = root.section("bus");
    Reader dedup = bus.section("dedup");
    log.dedup.age = dedup.duration("window", log.dedup.age);
    log.dedup.entries_max = static_cast<std::uint64_t>(dedup.integer(
        "max_entries", static_cast<std::int64_t>(log.dedup.entries_max), {1000, 16'000'000}));
    dedup.finish();
    log.segment_bytes = bus.bytes("segment_bytes", log.segment_bytes);
    log.record_bytes_max = bus.bytes("event_bytes_max", log.record_bytes_max);
    log.queue_bytes_max = bus.bytes("queue_bytes_max", log.queue_bytes_max);
    const auto count = [&](std::string_view key, std::size_t& value, std::size_t most) {
        value = static_cast<std::size_t>(bus.integer(key, static_cast<std::int64_t>(value),
                                                     {1, static_cast<std::int64_t>(most)}));
    };
    count("pattern_characters_max", rules.pattern.characters_max, pattern::Pattern::characters_max);
    count("pattern_complexity_max", rules.pattern.complexity_max, pattern_complexity_most);
    rules.memory_bytes_max = bus.bytes("rules_bytes_max", rules.memory_bytes_max);
    bus.finish();
    Reader retention = root.section("retention");
    log.retention.age = retention.duration("age", log.retention.age);
    log.retention.bytes = retention.bytes("bytes", log.retention.bytes);
    retention.finish();
}

/// Sections that later versions will know are refused like any other unknown one, but with a word
/// that says so.
void refuse_later_sections(Reader& root, Problems& problems) {
    for (const std::string_view key : {"queues", "schemas", "notifications", "alerts", "users"}) {
        if (const Node* node = root.node(key); node != nullptr) {
            problems.add(*node, "is not available yet; remove it");
        }
    }
}

void read_settings(Settings& settings, Problems& problems) {
    Reader root(&settings.root, "", problems, &settings.ledger);
    Reader server = root.section("server");
    settings.listen = server.text("listen", settings.listen);
    settings.behind_proxy = server.flag("behind_proxy", settings.behind_proxy);
    settings.http_threads =
        static_cast<int>(server.integer("threads", settings.http_threads, {1, 64}));
    settings.upload_bytes_max = server.bytes("upload_bytes_max", settings.upload_bytes_max);
    settings.connections_max = static_cast<std::size_t>(server.integer(
        "connections_max", static_cast<std::int64_t>(settings.connections_max), {1, 100'000}));
    // A proxy brings everybody's connections from one address.
    settings.connections_per_peer_max = static_cast<std::size_t>(server.integer(
        "connections_per_peer_max",
        static_cast<std::int64_t>(settings.behind_proxy ? settings.connections_max
                                                        : settings.connections_per_peer_max),
        {1, 100'000}));
    settings.header_timeout = server.duration("header_timeout", settings.header_timeout);
    if (settings.header_timeout <= std::chrono::milliseconds(0)) {
        problems.add(*server.node("header_timeout"), "must be above 0");
    }
    settings.workers = static_cast<int>(server.integer("workers", settings.workers, {1, 64}));
    settings.private_hosts_allowed = server.texts("private_hosts_allowed");
    server.finish();
    Reader storage = root.section("storage");
    settings.data_directory = storage.text("data", default_data_directory());
    storage.finish();
    read_bus(root, settings.log, settings.rules);
    root.node("consumers");
    root.node("event_rules");
    refuse_later_sections(root, problems);
    root.finish();
    if (auto valid = settings.log.validate(); !valid) {
        problems.add(valid.error().message());
    }
}

}  // namespace

std::string default_data_directory() {
    if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data != '\0') {
        return std::string(data) + "/bascule";
    }
    const char* home = std::getenv("HOME");
    return std::string(home == nullptr ? "." : home) + "/.local/share/bascule";
}

Result<Settings> Settings::load(const SettingSources& sources) {
    namespace fs = std::filesystem;
    Settings settings;
    settings.root.kind = Node::Kind::map;
    settings.config_file = sources.config_file;
    if (settings.config_file.empty() && fs::exists("bascule.yaml")) {
        settings.config_file = "bascule.yaml";
    }
    if (!settings.config_file.empty()) {
        settings.root = TRY(read_yaml(settings.config_file));
    }
    settings.routing_file = sources.routing_file;
    settings.has_routing_file = !settings.routing_file.empty();
    if (!settings.has_routing_file) {
        settings.routing_file =
            (fs::path(settings.config_file).parent_path() / "config/event_routing.yaml").string();
        settings.has_routing_file = fs::exists(settings.routing_file);
    }
    if (settings.has_routing_file) {
        settings.routing = TRY(read_yaml(settings.routing_file));
    }
    TRY(apply_environment(settings.root));
    TRY(apply_overrides(settings.root, sources.overrides));
    Problems problems;
    read_settings(settings, problems);
    TRY(problems.result());
    return settings;
}

}  // namespace bascule
