#include "demo.h"

#include <cstdio>
#include <filesystem>
#include <functional>
#include <thread>

#include "foundation/base/guarded.h"
#include "foundation/base/uuid.h"
#include "foundation/io/wait.h"
#include "foundation/json/value.h"
#include "foundation/json/writer.h"
#include "server.h"
#include "server/http/client.h"
#include "server/http/router.h"
#include "server/http/server.h"

namespace bascule {

namespace {

constexpr std::string_view bank_file =
    "Buchungstag;Empfaenger;Verwendungszweck;Betrag;Waehrung\n"
    "01.03.2026;Uhrwerk AG;Gehalt Maerz;2.850,00;EUR\n"
    "02.03.2026;Wohnbau Nord;Miete Maerz;-940,00;EUR\n"
    "03.03.2026;Markthalle;Einkauf;-48,15;EUR\n"
    "14.03.2026;Cafe Anker;Kaffee;-3,80;EUR\n"
    "14.03.2026;Cafe Anker;Kaffee;-3,80;EUR\n"
    "17.03.2026;Markthalle;Einkauf;-61,90;EUR\n"
    "21.03.2026;Markthalle;Rueckgabe;12,50;EUR\n";

void say(const std::string& text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

std::string text_at(const json::Value& value, std::string_view pointer) {
    const json::Value* found = value.at(pointer);
    if (found == nullptr) {
        return "";
    }
    const auto text = found->as_string();
    return text ? std::string(*text) : found->text();
}

/// A partner system of somebody else: refuses what it gets until it is repaired.
class Partner {
  public:
    Result<> start() {
        http::Router router;
        router.add(
            http::Method::post, "/events", [this](const http::Request& request, http::Reply reply) {
                const auto event = json::Value::parse(request.body);
                const std::string id = event ? text_at(*event, "/data/transactionId") : "";
                const bool works = state_.with([&](State& state) {
                    state.seen.push_back(id);
                    return state.works;
                });
                reply.send(
                    http::text_response(works ? 204 : 422, works ? "" : "column 7 is unknown"));
            });
        server_ = TRY(http::Server::create({}, std::move(router)));
        return {};
    }
    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server_->port()) + "/events";
    }
    void repair() {
        state_.with([](State& state) {
            state.works = true;
            state.seen.clear();
        });
    }
    std::size_t seen() const {
        return state_.with([](const State& state) { return state.seen.size(); });
    }

  private:
    struct State {
        bool works = false;
        std::vector<std::string> seen;
    };
    Guarded<State> state_;
    std::unique_ptr<http::Server> server_;
};

/// The story, told through the REST API like any client would.
class Story {
  public:
    explicit Story(std::string directory) : directory_(std::move(directory)) {}

    Result<> tell() {
        TRY(open());
        TRY(import());
        TRY(show_money());
        TRY(show_chain());
        TRY(fail_and_repair());
        TRY(verify());
        return {};
    }

  private:
    Result<json::Value> call(http::Method method, const std::string& path, std::string body = "") {
        http::ClientRequest request{.method = method, .url = server_->url() + path};
        request.headers.set("Authorization", "Bearer " + server_->token());
        request.headers.set("Content-Type", "application/json");
        request.body = std::move(body);
        const http::Response response = TRY(io::wait_for<http::Response>(
            [&](auto done) { client_->send(std::move(request), std::move(done)); }));
        json::Value answer = TRY(json::Value::parse(response.body));
        if (response.status >= 300) {
            return fail(ErrorKind::unavailable, path + ": " + text_at(answer, "/error/message"));
        }
        return answer;
    }
    Result<json::Value> get(const std::string& path) { return call(http::Method::get, path); }
    Result<json::Value> post(const std::string& path, std::string body) {
        return call(http::Method::post, path, std::move(body));
    }

    /// Asks until `fits` says yes; half a minute at most.
    Result<json::Value> until(const std::string& path,
                              const std::function<bool(const json::Value&)>& fits) {
        for (int round = 0; round < 300; ++round) {
            json::Value answer = TRY(get(path));
            if (fits(answer)) {
                return answer;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(100));  // house: a demo watches
        }
        return fail(ErrorKind::unavailable, path + ": what was expected did not come");
    }

    Result<> open() {
        say("1. A server on an empty folder, with a partner system as one more consumer, which is "
            "broken today.");
        TRY(partner_.start());
        client_ = TRY(http::Client::create({}));
        SettingSources sources;
        sources.overrides = {
            "storage.data=" + directory_, "server.listen=127.0.0.1:0",
            "consumers.analytics.debounce={period: 1s, leading: 100ms, max_wait: 2s}",
            "consumers.partner.patterns=[{detail-type: [transaction.categorized]}]",
            "consumers.partner.handler={http: {url: \"" + partner_.url() +
                "\", allow_private: true}}"};
        Settings settings = TRY(Settings::load(sources));
        server_ = TRY(Server::start(sources, std::move(settings)));
        say("   serving on " + server_->url());
        return {};
    }

    Result<> import() {
        say("\n2. An account, two categories, two rules, and a bank file with seven rows.");
        account_ = text_at(
            TRY(post("/v1/accounts", R"({"name":"Giro","type":"checking","currency":"EUR"})")),
            "/id");
        const std::string food =
            text_at(TRY(post("/v1/categories", R"({"name":"Groceries","type":"EXPENSE"})")), "/id");
        const std::string pay =
            text_at(TRY(post("/v1/categories", R"({"name":"Salary","type":"INCOME"})")), "/id");
        for (const auto& [category, word] :
             {std::pair(food, "markthalle"), std::pair(pay, "uhrwerk")}) {
            TRY(post(
                "/v1/category-rules",
                R"({"categoryId":")" + category +
                    R"(","autoApply":true,"conditions":{"field":"payee","operator":"contains","value":")" +
                    word + R"("}})"));
        }
        const json::Value file =
            TRY(post("/v1/files?fileName=maerz.csv&accountId=" + account_, std::string(bank_file)));
        chain_ = text_at(file, "/correlationId");
        say("   202: the bytes and the event file.uploaded were committed together; the rest "
            "happens on the bus.");
        const json::Value processed =
            TRY(until("/v1/files/" + text_at(file, "/id"), [](const json::Value& answer) {
                return text_at(answer, "/status") != "pending";
            }));
        say("   file: " + text_at(processed, "/status") + ", " +
            text_at(processed, "/transactionCount") + " transactions (two equal coffees stay two)");
        TRY(until("/v1/transactions?uncategorized=true",
                  [](const json::Value& answer) { return text_at(answer, "/total") == "3"; }));
        say("   categorised by rule: 4, left for you: 3");
        return {};
    }

    Result<> show_money() {
        const json::Value report =
            TRY(until("/v1/analytics/cash_flow", [](const json::Value& answer) {
                return text_at(answer, "/buckets/0/count") == "7";
            }));
        say("\n3. Cash flow " + text_at(report, "/buckets/0/period") + ": income " +
            text_at(report, "/buckets/0/income") + ", expenses " +
            text_at(report, "/buckets/0/expenses") + ", net " + text_at(report, "/buckets/0/net") +
            " " + text_at(report, "/buckets/0/currency"));
        return {};
    }

    Result<> show_chain() {
        say("\n4. What one upload led to (bascule events chain " + chain_ + "):");
        const json::Value chain = TRY(until("/v1/chains/" + chain_, [](const json::Value& answer) {
            return answer.find("events") != nullptr && answer.find("events")->items().size() >= 7;
        }));
        show_children(chain, "null", 0);
        return {};
    }

    static void show_children(const json::Value& chain, const std::string& parent, int depth) {
        for (const json::Value& node : chain.find("events")->items()) {
            if (text_at(node, "/parent") == parent) {
                say("   " + std::string(static_cast<std::size_t>(depth) * 3, ' ') +
                    text_at(node, "/event/eventType") + "  (" + text_at(node, "/event/source") +
                    ")");
                show_children(chain, text_at(node, "/event/eventId"), depth + 1);
            }
        }
    }

    Result<> fail_and_repair() {
        const auto letters =
            TRY(until("/v1/letters?consumer=partner",
                      [](const json::Value& answer) { return text_at(answer, "/total") != "0"; }));
        say("\n5. The partner refused the first categorisation; its letter waits, the user's later "
            "events wait behind it:");
        say("   letter " + text_at(letters, "/items/0/id") + ": " +
            text_at(letters, "/items/0/lastError"));
        say("   seen by the partner so far: " + std::to_string(partner_.seen()) +
            " (nothing overtook it, and nobody else was held up)");
        partner_.repair();
        TRY(post("/v1/letters:redrive", R"({"consumer":"partner"})"));
        TRY(until("/v1/consumers/partner", [](const json::Value& answer) {
            return text_at(answer, "/counts/done") == "4";
        }));
        say("   repaired and redriven: " + std::to_string(partner_.seen()) +
            " events, in the order in which they happened");
        return {};
    }

    Result<> verify() {
        const json::Value verdict = TRY(post("/v1/audit:verify", ""));
        say("\n6. The audit trail: " + text_at(verdict, "/entries") + " events, chain " +
            (text_at(verdict, "/ok") == "true" ? "intact" : "BROKEN"));
        return {};
    }

    std::string directory_;
    Partner partner_;
    std::unique_ptr<http::Client> client_;
    std::unique_ptr<Server> server_;
    std::string account_;
    std::string chain_;
};

}  // namespace

int demo() {
    const std::string directory =
        (std::filesystem::temp_directory_path() / ("bascule-demo-" + new_uuid())).string();
    const Result<> told = Story(directory).tell();
    std::filesystem::remove_all(directory);
    if (!told) {
        std::fprintf(stderr, "the demo stopped: %s\n", told.error().message().c_str());
        return 1;
    }
    return 0;
}

}  // namespace bascule
