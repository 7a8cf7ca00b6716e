#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bus/broker/bus.h"
#include "foundation/base/testing.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"
#include "foundation/json/value.h"
#include "foundation/sql/outbox.h"
#include "foundation/sql/test_folder.h"
#include "household/application/consumers.h"
#include "household/application/schema.h"
#include "server/api/services.h"
#include "server/http/wire.h"

/// The whole API on a real bus and real databases, without a network. For tests only.
namespace bascule::api {

/// What a request was answered: a body, or a stream's head with the first bytes of its body.
struct Answer {
    int status = 0;
    std::string body;
    http::Headers headers;

    /// What a pointer names in the body, as text or as JSON; "-" where nothing is.
    std::string at(std::string_view pointer) const {
        const auto value = json::Value::parse(body);
        const json::Value* found = value ? value->at(pointer) : nullptr;
        if (found == nullptr) {
            return "-";
        }
        const auto text = found->as_string();
        return text ? std::string(*text) : found->text();
    }
};

class TestApi {
  public:
    TestApi() {
        auto migrations = application::migrations();
        for (sql::Migration& migration : auth::Authenticator::migrations()) {
            migrations.push_back(std::move(migration));
        }
        database_ = sql::Database::open({.path = folder_.path("bascule.db")}, migrations).value();
        audit_database_ = sql::Database::open({.path = folder_.path("audit.db")},
                                              application::AuditTrail::migrations())
                              .value();
        writer_ = std::make_unique<sql::Writer>(*database_, sql_);
        audit_writer_ = std::make_unique<sql::Writer>(*audit_database_, audit_sql_);
        blobs_.emplace(sql::BlobStore::open(disk_, folder_.path("blobs")).value());
        audit_.emplace(*audit_database_, *audit_writer_);
        const application::Environment environment{*database_, *writer_, *blobs_, clock_};
        household_.emplace(environment);
        bus_ = broker::Bus::open({disk_, tasks_, workers_}, {.directory = folder_.path("bus")})
                   .value();
        EXPECT_THAT(application::attach_consumers(*bus_, environment, *audit_, 100), Succeeds());
        relay_ = std::make_unique<application::Relay>(*database_, *writer_, *bus_, tasks_);
        writer_->on_commit([this] { relay_->wake(); });
        wait([&](auto done) {
            bus_->configure(application::built_in_consumers(), std::move(done));
        });
        wait([&](auto done) { relay_->start(std::move(done)); });
        authenticator_ = auth::Authenticator::create(*database_, *writer_, clock_).value();
        services_.emplace(
            Services{.bus = *bus_,
                     .household = *household_,
                     .audit = *audit_,
                     .relay = *relay_,
                     .authenticator = *authenticator_,
                     .readers = readers_,
                     .clock = clock_,
                     .version = "test",
                     .database_trouble =
                         [this] { return trouble.with([](const auto& now) { return now; }); },
                     .bus_config = [] { return application::built_in_consumers(); },
                     .stream_beat = std::chrono::milliseconds(50),
                     .report =
                         [this](const std::string& message) {
                             reports.with([&](auto& all) { all += message + "\n"; });
                         }});
        add_routes(router_, *services_);
        owner_id = user("owner", auth::Role::owner);
        owner = token(auth::Role::owner, owner_id);
    }

    ~TestApi() {
        wait([&](auto done) { relay_->stop(std::move(done)); });
        wait([&](auto done) { bus_->stop(std::chrono::seconds(5), std::move(done)); });
        wait([&](auto done) { writer_->stop(std::move(done)); });
        wait([&](auto done) { audit_writer_->stop(std::move(done)); });
        readers_.stop();
        workers_.stop();
        tasks_.stop();
    }

    std::string user(const std::string& name, auth::Role role) {
        return io::wait_for<auth::User>(
                   [&](auto done) { authenticator_->create_user(name, "", role, std::move(done)); })
            .value()
            .id;
    }
    std::string token(auth::Role role, const std::string& user_id = "") {
        return io::wait_for<auth::NewToken>([&](auto done) {
                   authenticator_->create_token(role, user_id, "", std::nullopt, std::move(done));
               })
            .value()
            .secret;
    }
    void delete_user(const std::string& id) {
        wait([&](auto done) { authenticator_->delete_user(id, std::move(done)); });
    }

    Answer ask(const std::string& token, http::Method method, std::string target,
               std::string body = "", http::Headers headers = {}) {
        return io::wait_for<Answer>([&](io::Completion<Answer> done) {
                   dispatch(token, method, std::move(target), reply_to(std::move(done)),
                            std::move(body), std::move(headers));
               })
            .value();
    }
    /// The same for whoever wants to be the other end itself.
    void dispatch(const std::string& token, http::Method method, std::string target,
                  http::Reply reply, std::string body = "", http::Headers headers = {}) {
        http::Request request{.method = method,
                              .method_text = std::string(http::name(method)),
                              .target = std::move(target),
                              .headers = std::move(headers),
                              .body = std::move(body),
                              .id = "r-1"};
        request.headers.set("Authorization", "Bearer " + token);
        EXPECT_TRUE(http::read_target(request).has_value());
        router_.dispatch(std::move(request), std::move(reply));
    }
    static http::Reply reply_to(io::Completion<Answer> done) {
        return http::Reply(std::make_shared<Sink>(std::move(done)));
    }
    Answer get(const std::string& token, std::string target) {
        return ask(token, http::Method::get, std::move(target));
    }
    Answer post(const std::string& token, std::string target, std::string body) {
        return ask(token, http::Method::post, std::move(target), std::move(body));
    }

    broker::Bus& bus() { return *bus_; }
    /// Commits a message to the outbox as it stands, whatever the log will say of it.
    void commit_to_outbox(const std::string& user_id, const std::string& id,
                          const std::string& bytes) {
        wait([&](auto done) {
            writer_->submit(
                [=, &clock = clock_](sql::Session& session) {
                    const std::vector<sql::outbox::Message> messages = {{id, bytes}};
                    return sql::outbox::add(session, user_id, messages, clock.wall());
                },
                std::move(done));
        });
    }
    /// Keeps the SQL writer busy until the promise is kept.
    std::promise<void> hold_writer() {
        std::promise<void> release;
        writer_->submit(
            [held = release.get_future().share()](sql::Session&) -> Result<> {
                held.wait();
                return {};
            },
            [](const Result<>& done) { EXPECT_THAT(done, Succeeds()); });
        return release;
    }
    /// How many rows of a table are a user's.
    std::int64_t rows_of(const std::string& user_id, const std::string& table) {
        return database_->read()
            .value()
            ->query_integer("select count(*) from " + table + " where user_id = ?1", {user_id})
            .value();
    }
    std::string folder() const { return folder_.path(); }

    std::string owner;  ///< a token
    std::string owner_id;
    Guarded<std::string> reports;
    Guarded<DatabaseTrouble> trouble;  ///< what the databases are said to have

  private:
    /// Takes one answer; of a stream its head.
    class Sink final : public http::ReplySink {
      public:
        explicit Sink(io::Completion<Answer> done) : done_(std::move(done)) {}
        void send(http::Response response) override { tell(std::move(response)); }
        /// A stream of events has no end, and its head is the answer; of any other all is read.
        void begin_stream(http::Response head) override {
            if (head.headers.value_or("Content-Type", "") == "text/event-stream") {
                tell(std::move(head));
            } else {
                read_ = std::move(head);
            }
        }
        Taken write(std::string& bytes) override {
            if (!read_) {
                return Taken::gone;
            }
            read_->body += std::exchange(bytes, {});
            return Taken::yes;
        }
        void when_writable(std::move_only_function<void()>) override {}
        void when_gone(std::move_only_function<void()> task) override {
            if (!read_) {
                task();
            }
        }
        void end_stream() override {
            if (read_) {
                tell(*std::exchange(read_, std::nullopt));
            }
        }

      private:
        void tell(http::Response response) {
            std::exchange(done_, nullptr)(Answer{.status = response.status,
                                                 .body = std::move(response.body),
                                                 .headers = std::move(response.headers)});
        }
        std::optional<http::Response> read_;
        io::Completion<Answer> done_;
    };

    template <class Start>
    static void wait(Start&& start) {
        EXPECT_THAT(io::wait_for<>(std::forward<Start>(start)), Succeeds());
    }

    sql::TestFolder folder_;
    SystemClock clock_;
    io::ThreadPool syncs_{{.name = "sync"}};
    io::PosixDisk disk_{syncs_};
    io::ThreadPool tasks_{{.name = "bus", .threads = 2}};
    io::ThreadPool workers_{{.name = "work", .threads = 2}};
    io::ThreadPool readers_{{.name = "read", .threads = 2}};
    io::ThreadPool sql_{{.name = "sql"}};
    io::ThreadPool audit_sql_{{.name = "audit"}};
    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<sql::Database> audit_database_;
    std::unique_ptr<sql::Writer> writer_;
    std::unique_ptr<sql::Writer> audit_writer_;
    std::optional<sql::BlobStore> blobs_;
    std::optional<application::AuditTrail> audit_;
    std::optional<application::Household> household_;
    std::unique_ptr<broker::Bus> bus_;
    std::unique_ptr<application::Relay> relay_;
    std::unique_ptr<auth::Authenticator> authenticator_;
    std::optional<Services> services_;
    http::Router router_;
};

}  // namespace bascule::api
