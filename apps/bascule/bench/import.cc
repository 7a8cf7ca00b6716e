#include <cstdio>
#include <thread>

#include "bench/bench_server.h"
#include "bench/benches.h"
#include "bench/report.h"

namespace bascule::bench {

namespace {

using Clock = std::chrono::steady_clock;
using Method = http::Method;

std::string two(std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }

/// A bank file whose rows name one of 1 000 shops each; half of them have a rule.
std::string bank_file(std::int64_t rows) {
    std::string text = "Date,Payee,Memo,Amount,Currency\n";
    for (std::int64_t i = 0; i < rows; ++i) {
        text += std::to_string(2016 + i * 10 / rows) + "-" + two(1 + i % 12) + "-" +
                two(1 + i % 28) + ",shop number " + std::to_string(i % 1000) +
                " main street,card " + std::to_string(i) + ",-" + std::to_string(1 + i % 300) +
                "." + two(i % 100) + ",EUR\n";
    }
    return text;
}

/// Whether a consumer, or each where no name is given, has nothing left to do.
bool is_quiet(BenchServer& server, const std::string& name = "") {
    const json::Value consumers = server.call(Method::get, "/v1/consumers");
    for (const json::Value& consumer : consumers.find("items")->items()) {
        const bool counts = name.empty() || consumer.find("name")->as_string() == name;
        if (counts && consumer.find("lagEvents")->text() != "0") {
            return false;
        }
    }
    return true;
}

void wait_until_quiet(BenchServer& server) {
    while (!is_quiet(server)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));  // house: a bench watches
    }
}

}  // namespace

int import(const Arguments& arguments) {
    const std::int64_t rows = arguments.number("rows", 100'000);
    const std::int64_t rules = arguments.number("rules", 500);
    BenchServer server(arguments.directory());
    const std::string account =
        server.text(Method::post, "/v1/accounts", "/id",
                    R"({"name":"bench","type":"checking","currency":"EUR"})");
    const std::string category =
        server.text(Method::post, "/v1/categories", "/id", R"({"name":"shops","type":"EXPENSE"})");
    for (std::int64_t i = 0; i < rules; ++i) {
        server.call(
            Method::post, "/v1/category-rules",
            R"({"categoryId":")" + category +
                R"(","autoApply":true,"conditions":{"field":"payee","operator":"contains","value":"shop number )" +
                std::to_string(i) + R"( main"}})");
    }
    wait_until_quiet(server);

    const std::string text = bank_file(rows);
    const auto begin = Clock::now();
    const std::string file =
        server.text(Method::post, "/v1/files?fileName=bench.csv&accountId=" + account, "/id", text);
    std::string status = "pending";
    while (status == "pending") {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));  // house: a bench watches
        status = server.text(Method::get, "/v1/files/" + file, "/status");
    }
    const auto stored = Clock::now();
    print({.bench = "import",
           .work = "csv stored",
           .count = static_cast<std::uint64_t>(rows),
           .time = stored - begin,
           .bytes = text.size(),
           .note = "upload until file.processed is committed: " + status});
    for (;;) {
        // Counting rows costs the machine under measurement more than asking for a lag.
        if (is_quiet(server, "categorization")) {
            const std::string open =
                server.text(Method::get, "/v1/transactions?uncategorized=true&limit=1", "/total");
            if (std::stoll(open) <= rows - rows * std::min<std::int64_t>(rules, 1000) / 1000) {
                break;
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));  // house: a bench watches
    }
    print({.bench = "import",
           .work = "csv categorised",
           .count = static_cast<std::uint64_t>(rows),
           .time = Clock::now() - begin,
           .bytes = text.size(),
           .note = std::to_string(rules) + " rules, every assignment committed with its event"});
    return 0;
}

}  // namespace bascule::bench
