#include "server.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "address.h"
#include "bus/broker/bus.h"
#include "bus/event/builders.h"
#include "data_directory.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/uuid.h"
#include "foundation/io/file_watcher.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"
#include "foundation/json/value.h"
#include "foundation/json/writer.h"
#include "foundation/sql/database.h"
#include "foundation/sql/writer.h"
#include "health_news.h"
#include "household/application/consumers.h"
#include "household/application/household.h"
#include "household/application/relay.h"
#include "household/application/schema.h"
#include "journal.h"
#include "next_start.h"
#include "server/api/notification_channel.h"
#include "server/api/services.h"
#include "server/auth/authenticator.h"
#include "server/http/client.h"
#include "server/http/server.h"
#include "server/http/webhook.h"

namespace bascule {

namespace {

constexpr std::chrono::seconds stop_grace{10};

/// What the token of this machine's own user is described as.
constexpr std::string_view machine_token = "this machine's command line";

/// What the command line on this machine uses, with mode 0600: {"url", "token"}.
std::string credentials_path(const std::string& data) { return data + "/secrets/cli.json"; }

std::string stored_token(const std::string& data) {
    std::ifstream file(credentials_path(data));
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto value = json::Value::parse(text);
    const json::Value* token = value ? value->find("token") : nullptr;
    return std::string(token == nullptr ? "" : token->as_string().value_or(""));
}

Result<> store_credentials(io::Disk& disk, const std::string& data, const std::string& url,
                           const std::string& token) {
    std::string text;
    json::Writer(text).begin_object().member("url", url).member("token", token).end_object();
    const auto there = io::read_file(disk, credentials_path(data), text.size());
    if (there && *there == text) {
        return {};  // nothing is written where there may be no room for it
    }
    TRY(disk.make_directories(data + "/secrets"));
    ::chmod((data + "/secrets").c_str(), 0700);
    // Files are made readable for their owner only; the umask is set before any thread starts.
    return io::wait_for<>(
        [&](auto done) { io::replace_file(disk, credentials_path(data), text, std::move(done)); });
}

}  // namespace

broker::BusConfig built_in_consumers() {
    broker::BusConfig config = application::built_in_consumers();
    api::NotificationChannel::add_to(config);
    return config;
}

struct Server::Parts {
    SettingSources sources;
    Settings settings;
    std::string token;
    SystemClock clock;

    // In the order in which they are made; destroyed in the reverse one.
    std::unique_ptr<io::ThreadPool> syncs;
    std::unique_ptr<io::PosixDisk> disk;
    std::unique_ptr<DataDirectory> directory;
    std::unique_ptr<io::ThreadPool> tasks;
    std::unique_ptr<io::ThreadPool> workers;
    std::unique_ptr<io::ThreadPool> readers;
    std::unique_ptr<io::ThreadPool> sql_thread;
    std::unique_ptr<io::ThreadPool> audit_thread;
    std::unique_ptr<sql::Database> database;
    std::unique_ptr<sql::Database> audit_database;
    std::unique_ptr<sql::Writer> writer;
    std::unique_ptr<sql::Writer> audit_writer;
    std::unique_ptr<sql::BlobStore> blobs;
    std::unique_ptr<application::Household> household;
    std::unique_ptr<application::AuditTrail> audit;
    std::unique_ptr<auth::Authenticator> authenticator;
    std::unique_ptr<http::Client> client;          ///< refuses private networks
    std::unique_ptr<http::Client> private_client;  ///< for targets that say allow_private
    std::unique_ptr<broker::Bus> bus;
    Guarded<broker::BusConfig> bus_config;
    std::optional<NextStart> next_start;
    std::unique_ptr<application::Relay> relay;
    std::unique_ptr<api::Services> services;
    std::unique_ptr<http::Server> http;
    std::unique_ptr<io::FileWatcher> watcher;
    Address address;

    ~Parts() { stop(); }

    Result<> open_storage();
    Result<> open_databases();
    Result<> open_bus();
    Result<> open_access();
    Result<std::string> owner_id();
    api::DatabaseTrouble database_trouble() const;
    Result<> open_http();
    Result<broker::BusConfig> read_bus_config(const Settings& from) const;
    Result<std::shared_ptr<broker::Handler>> handler_for(const broker::ConsumerConfig& consumer);
    void watch();
    void reload();
    void stop();
    std::string url(std::uint16_t port) const { return url_of({address.host, port}); }
};

Result<> Server::Parts::open_storage() {
    syncs = std::make_unique<io::ThreadPool>(io::ThreadPool::Options{.name = "sync", .threads = 2});
    disk = std::make_unique<io::PosixDisk>(*syncs);
    directory = TRY(DataDirectory::take(*disk, settings.data_directory));
    tasks = std::make_unique<io::ThreadPool>(io::ThreadPool::Options{.name = "bus", .threads = 2});
    // Consumers catch up; publishers wait. With two cores busy the first make way for the second.
    constexpr int behind_publishers = 5;
    workers = std::make_unique<io::ThreadPool>(io::ThreadPool::Options{
        .name = "work", .threads = settings.workers, .niceness = behind_publishers});
    readers =
        std::make_unique<io::ThreadPool>(io::ThreadPool::Options{.name = "read", .threads = 2});
    sql_thread = std::make_unique<io::ThreadPool>(
        io::ThreadPool::Options{.name = "sql", .niceness = behind_publishers});
    audit_thread = std::make_unique<io::ThreadPool>(
        io::ThreadPool::Options{.name = "audit", .niceness = behind_publishers});
    return {};
}

Result<> Server::Parts::open_databases() {
    const std::string& data = settings.data_directory;
    std::vector<sql::Migration> migrations = application::migrations();
    for (sql::Migration& migration : auth::Authenticator::migrations()) {
        migrations.push_back(std::move(migration));
    }
    database = TRY(sql::Database::open(
        {.path = data + "/bascule.db", .message_bytes_max = settings.log.record_bytes_max},
        migrations));
    audit_database = TRY(
        sql::Database::open({.path = data + "/audit.db"}, application::AuditTrail::migrations()));
    writer = std::make_unique<sql::Writer>(*database, *sql_thread);
    audit_writer = std::make_unique<sql::Writer>(*audit_database, *audit_thread);
    blobs = std::make_unique<sql::BlobStore>(TRY(sql::BlobStore::open(*disk, data + "/blobs")));
    audit = std::make_unique<application::AuditTrail>(*audit_database, *audit_writer);
    return {};
}

Result<broker::BusConfig> Server::Parts::read_bus_config(const Settings& from) const {
    config::Problems problems;
    const config::Node* routing =
        from.routing.kind == config::Node::Kind::null ? nullptr : &from.routing;
    broker::BusConfig built_in = built_in_consumers();
    built_in.limits = from.rules;
    broker::BusConfig config = broker::read_bus_config(built_in, application::target_aliases(),
                                                       from.root, routing, problems);
    TRY(problems.result());
    return config;
}

Result<std::shared_ptr<broker::Handler>> Server::Parts::handler_for(
    const broker::ConsumerConfig& consumer) {
    http::Client& chosen = consumer.handler.http.allow_private ? *private_client : *client;
    return std::make_shared<http::WebhookHandler>(chosen, clock, consumer.handler.http,
                                                  consumer.policy.timeout);
}

Result<> Server::Parts::open_bus() {
    const application::Environment environment{
        .database = *database, .writer = *writer, .blobs = *blobs, .clock = clock};
    household = std::make_unique<application::Household>(environment);
    client = TRY(http::Client::create({.private_networks = http::PrivateNetworks::refused,
                                       .hosts_allowed = settings.private_hosts_allowed}));
    private_client =
        TRY(http::Client::create({.private_networks = http::PrivateNetworks::allowed}));

    const std::string directory = settings.data_directory + "/buses/1";
    TRY(disk->make_directories(directory));
    bus = TRY(broker::Bus::open({.disk = *disk, .executor = *tasks, .workers = *workers},
                                {.directory = directory, .log = settings.log}));
    bus->on_health([last = broker::BusHealth{}](const broker::BusHealth& now) mutable {
        for (const News& news : health_news(last, now)) {
            news.good ? journal::info(news.text) : journal::error(news.text);
        }
        last = now;
    });
    broker::BusConfig config = TRY(read_bus_config(settings));
    const broker::ConsumerConfig* categorization = config.find("categorization");
    TRY(application::attach_consumers(
        *bus, environment, *audit,
        categorization == nullptr ? 100 : categorization->part_size.value_or(100)));
    bus->attach(api::NotificationChannel::name,
                std::make_shared<api::NotificationChannel>(household->preferences, *client, clock));
    bus->set_handler_factory(
        [this](const broker::ConsumerConfig& consumer) { return handler_for(consumer); });
    // Consumers commit as soon as they are in force: the relay must be there to hear of it.
    relay = std::make_unique<application::Relay>(*database, *writer, *bus, *tasks);
    relay->on_trouble([](const std::string& trouble) {
        trouble.empty() ? journal::info("the household's changes are published again")
                        : journal::error(
                              "the household's changes cannot be published, they wait "
                              "in bascule.db and are tried again: " +
                              trouble);
    });
    relay->on_refused([](const std::string& reason) {
        journal::error(
            "a change of the household will never be published: the log refused its event for "
            "good, and keeps it where `bascule outbox refused` shows it: " +
            reason);
    });
    writer->on_commit([this] { relay->wake(); });
    TRY(io::wait_for<>([&](auto done) { bus->configure(config, std::move(done)); }));
    next_start.emplace(settings.root, config);
    bus_config.with([&](broker::BusConfig& current) { current = std::move(config); });
    return io::wait_for<>([&](auto done) { relay->start(std::move(done)); });
}

/// The first user, who owns everything, and a token for this machine's own user. A start that was
/// cut short may have left the user without the token's file, and nobody else has that token: the
/// next start makes another in its place.
Result<> Server::Parts::open_access() {
    authenticator = TRY(auth::Authenticator::create(*database, *writer, clock));
    token = stored_token(settings.data_directory);
    if (!token.empty()) {
        return {};
    }
    const std::string owner = TRY(owner_id());
    for (const auth::Token& lost : authenticator->tokens()) {
        if (lost.user_id == owner && lost.description == machine_token && !lost.revoked) {
            TRY(io::wait_for<>(
                [&](auto done) { authenticator->revoke_token(lost.id, std::move(done)); }));
        }
    }
    const auth::NewToken created = TRY(io::wait_for<auth::NewToken>([&](auto done) {
        authenticator->create_token(auth::Role::owner, owner, std::string(machine_token),
                                    std::nullopt, std::move(done));
    }));
    token = created.secret;
    return {};
}

/// Of the user who has owned the household for longest; makes one where there is none.
Result<std::string> Server::Parts::owner_id() {
    const std::vector<auth::User> users = authenticator->users();
    const auth::User* first = nullptr;
    for (const auth::User& user : users) {
        if (user.role == auth::Role::owner &&
            (first == nullptr || user.created_at < first->created_at)) {
            first = &user;
        }
    }
    if (first != nullptr) {
        return first->id;
    }
    const auth::User made = TRY(io::wait_for<auth::User>([&](auto done) {
        authenticator->create_user("owner", "", auth::Role::owner, std::move(done));
    }));
    return made.id;
}

Result<> Server::Parts::open_http() {
    address = TRY(address_of(settings));
    services = std::make_unique<api::Services>(api::Services{
        .bus = *bus,
        .household = *household,
        .audit = *audit,
        .relay = *relay,
        .authenticator = *authenticator,
        .readers = *readers,
        .clock = clock,
        .version = BASCULE_VERSION,
        .database_trouble = [this] { return database_trouble(); },
        .bus_config = [this] { return bus_config.with([](const auto& config) { return config; }); },
        .report = [](const std::string& message) { journal::error(message); }});
    http::Router router;
    api::add_routes(router, *services);
    auto created = http::Server::create(
        {.address = address.host,
         .port = address.port,
         .threads = settings.http_threads,
         .body_bytes_max = settings.upload_bytes_max,
         .body_bytes_setting = "server.upload_bytes_max",
         .connections_max = settings.connections_max,
         .connections_per_peer_max = settings.connections_per_peer_max,
         .paths_always = {"/healthz", "/readyz"},
         .header_timeout = settings.header_timeout,
         .on_listening =
             [this](std::uint16_t port) {
                 // Who is answered may look for the token at once.
                 return store_credentials(*disk, settings.data_directory, url(port), token);
             }},
        std::move(router));
    if (!created && created.error().kind() == ErrorKind::conflict) {
        return fail(ErrorKind::conflict,
                    created.error().message() +
                        "; another program listens there, perhaps another `bascule serve`: stop "
                        "it, or take another port with --listen ADDRESS:PORT (port 0: any that is "
                        "free)");
    }
    http = TRY(std::move(created));
    return {};
}

api::DatabaseTrouble Server::Parts::database_trouble() const {
    api::DatabaseTrouble trouble;
    const auto look = [&](const sql::Database& looked_at, const sql::Writer& its_writer) {
        if (const std::string failure = looked_at.failure(); !failure.empty()) {
            trouble.stopped.push_back("the database " + looked_at.path() + ": " + failure);
        }
        if (const std::string text = its_writer.checkpoint_trouble(); !text.empty()) {
            trouble.told.push_back("the database " + looked_at.path() +
                                   " cannot be written out: " + text);
        }
    };
    look(*database, *writer);
    look(*audit_database, *audit_writer);
    return trouble;
}

void Server::Parts::watch() {
    std::vector<std::string> paths;
    for (const std::string& path : {settings.config_file, settings.routing_file}) {
        if (!path.empty()) {
            paths.push_back(path);
        }
    }
    if (paths.empty()) {
        return;
    }
    auto created = io::FileWatcher::create(paths, [this] { reload(); });
    if (created) {
        watcher = std::move(*created);
    } else {
        journal::warn("configuration is not watched: " + created.error().message());
    }
}

/// Only rules and consumers change while the server runs; a bad file leaves everything as it is.
void Server::Parts::reload() {
    auto loaded = Settings::load(sources);
    Result<broker::BusConfig> config =
        loaded ? read_bus_config(*loaded)
               : Result<broker::BusConfig>(std::unexpected(loaded.error()));
    if (config) {
        const Result<> applied =
            io::wait_for<>([&](auto done) { bus->configure(*config, std::move(done)); });
        if (applied) {
            CHECK(next_start);  // who starts comes before who reloads
            const auto waiting = next_start->waiting(loaded->root, *config);
            bus_config.with([&](broker::BusConfig& current) { current = std::move(*config); });
            const std::uint32_t version = bus->routing()->version();
            journal::info("configuration reloaded, rules version " + std::to_string(version));
            for (const std::string& name : waiting) {
                journal::warn("the changed settings of " + name + " wait for the next start");
            }
            std::vector<event::Event> told;
            told.push_back(event::bus_config_reloaded(
                {.event_id = new_uuid(), .timestamp = clock.wall()},
                {.file = loaded->has_routing_file ? loaded->routing_file : loaded->config_file,
                 .rule_version = version}));
            bus->publish(std::move(told), {}, [](const auto&) {});
            return;
        }
        config = std::unexpected(applied.error());
    }
    journal::error("the changed configuration is not used, the one before stays in force:\n" +
                   config.error().message());
}

void Server::Parts::stop() {
    watcher.reset();
    if (http) {
        http->stop();
    }
    if (relay) {
        static_cast<void>(io::wait_for<>([&](auto done) { relay->stop(std::move(done)); }));
    }
    if (bus) {
        const Result<> stopped =
            io::wait_for<>([&](auto done) { bus->stop(stop_grace, std::move(done)); });
        if (!stopped) {
            journal::error("the bus did not close in peace: " + stopped.error().message());
        }
    }
    for (auto* each : {&writer, &audit_writer}) {
        if (*each) {
            static_cast<void>(io::wait_for<>([&](auto done) { (*each)->stop(std::move(done)); }));
        }
    }
    for (auto* pool : {&workers, &readers, &sql_thread, &audit_thread}) {
        if (*pool) {
            (*pool)->stop();
        }
    }
    client.reset();
    private_client.reset();
    http.reset();
    relay.reset();
    bus.reset();
    if (tasks) {
        tasks->stop();
    }
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

std::string Server::url() const { return parts_->url(parts_->http->port()); }
const std::string& Server::token() const { return parts_->token; }
bool Server::is_new() const { return parts_->directory->is_new(); }

Result<std::unique_ptr<Server>> Server::start(SettingSources sources, Settings settings) {
    ::umask(0077);
    auto parts = std::make_unique<Parts>();
    parts->sources = std::move(sources);
    parts->settings = std::move(settings);
    TRY(address_of(parts->settings));
    TRY(parts->open_storage());
    TRY(parts->open_databases());
    TRY(parts->open_bus());
    TRY(parts->open_access());
    parts->watch();  // before anybody can be told that it serves: a change is then never missed
    TRY(parts->open_http());
    return std::unique_ptr<Server>(new Server(std::move(parts)));
}

}  // namespace bascule
