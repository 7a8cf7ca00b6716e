#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "bench/benches.h"
#include "bench/report.h"
#include "bus/pattern/pattern.h"
#include "bus/pattern/rule_set.h"

namespace bascule::bench {

namespace {

using Clock = std::chrono::steady_clock;
using pattern::Matcher;
using pattern::RuleId;
using Snapshot = std::shared_ptr<const Matcher>;

constexpr std::uint32_t rules_of_a_tenant = 4;

pattern::Pattern parsed(const std::string& text) {
    auto parsed = pattern::Pattern::parse(text);
    if (!parsed) {
        std::fprintf(stderr, "bench: %s\n", parsed.error().message().c_str());
        std::exit(1);
    }
    return *std::move(parsed);
}

/// A rule of many tenants', as a service that routes by customer has them.
pattern::Pattern rule(std::uint32_t number) {
    return parsed(R"({"detail-type":["Order)" + std::to_string(number % 7) + R"(","Invoice)" +
                  std::to_string(number % 5) + R"("],"detail":{"userId":["tenant-)" +
                  std::to_string(number / rules_of_a_tenant) + R"("],"status":["NEW",")" +
                  (number % 2 == 0 ? "OPEN" : "DONE") + R"("]}})");
}

std::string event(std::uint64_t number, std::uint32_t rules) {
    // Half of the events belong to a tenant that no rule names.
    const std::uint64_t tenant = number * 7919 % (rules / rules_of_a_tenant * 2 + 1);
    return R"({"id":")" + std::to_string(number) + R"(","detail-type":"Order)" +
           std::to_string(number % 7) +
           R"(","source":"shop.orders","time":"2026-11-23T10:00:00Z","region":"eu-central-1",)"
           R"("resources":[],"detail":{"userId":"tenant-)" +
           std::to_string(tenant) +
           R"(","status":"NEW","amount":12.50,"note":"groceries and books and a coffee on the way",)"
           R"("items":[{"sku":"sku-1","quantity":2},{"sku":"sku-2","quantity":1}]}})";
}

void add(pattern::RuleSet& set, std::uint32_t number) {
    if (const auto added = set.add(RuleId(number), rule(number)); !added) {
        std::fprintf(stderr, "bench: %s\n", added.error().message().c_str());
        std::exit(1);
    }
}

/// One rule more and its matcher, again and again.
void add_one_by_one(pattern::RuleSet& set, std::uint32_t first, std::uint32_t changes) {
    Measurement measurement{.bench = "rules",
                            .work = "add one to " + std::to_string(set.size()),
                            .count = changes,
                            .durability = "none",
                            .note = "each with a matcher of its own"};
    for (std::uint32_t i = 0; i < changes; ++i) {
        pattern::Pattern next = rule(first + i);
        const auto begin = Clock::now();
        if (!set.add(RuleId(first + i), std::move(next))) {
            std::exit(1);
        }
        const Snapshot matcher = set.snapshot();
        measurement.latencies.push_back(Clock::now() - begin);
        measurement.time += measurement.latencies.back();
    }
    print(measurement);
}

/// A rule that names a field which no other names comes, and goes when the next one does.
void exchange_with_new_fields(pattern::RuleSet& set, std::uint32_t first, std::uint32_t changes) {
    Measurement measurement{.bench = "rules",
                            .work = "exchange one of " + std::to_string(set.size()),
                            .count = changes,
                            .durability = "none",
                            .note = "each names a new field"};
    for (std::uint32_t i = 0; i < changes; ++i) {
        pattern::Pattern next = parsed(R"({"detail":{"field)" + std::to_string(i) + R"(":["x"]}})");
        const auto begin = Clock::now();
        if (!set.add(RuleId(first + i), std::move(next))) {
            std::exit(1);
        }
        const Snapshot matcher = set.snapshot();
        set.remove(RuleId(first + i));
        measurement.latencies.push_back(Clock::now() - begin);
        measurement.time += measurement.latencies.back();
    }
    print(measurement);
}

/// Matches for a while with whatever matcher is published last.
void match(const std::atomic<Snapshot>& published, const std::vector<std::string>& events,
           std::chrono::seconds time, const std::string& work) {
    Measurement measurement{.bench = "rules", .work = work, .durability = "none"};
    pattern::Scratch scratch;
    std::vector<RuleId> matched;
    std::uint64_t matches = 0;
    measurement.latencies.reserve(static_cast<std::size_t>(time.count()) * 2'000'000);
    const auto begin = Clock::now();
    for (auto now = begin; now < begin + time;) {
        const Snapshot matcher = published.load();
        matcher->match_event(events[measurement.count++ % events.size()], scratch, matched);
        matches += matched.size();
        const auto end = Clock::now();
        measurement.latencies.push_back(end - now);
        now = end;
    }
    measurement.time = Clock::now() - begin;
    measurement.note = std::to_string(matches) + " matches";
    print(measurement);
}

}  // namespace

int rules(const Arguments& arguments) {
    const auto count = static_cast<std::uint32_t>(arguments.number("rules", 100'000));
    const auto changes = static_cast<std::uint32_t>(arguments.number("changes", 10'000));
    const std::chrono::seconds time(arguments.number("seconds", 5));

    pattern::RuleSet set({.memory_bytes_max = std::size_t{8} << 30});
    for (std::uint32_t i = 0; i < count; ++i) {
        add(set, i);
    }
    std::atomic<Snapshot> published = set.snapshot();
    exchange_with_new_fields(set, count, changes);
    add_one_by_one(set, count, changes);

    std::vector<std::string> events;
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        events.push_back(event(i, count));
    }
    match(published, events, time, "match without changes");

    std::atomic<bool> is_over = false;
    std::uint64_t changed = 0;
    std::thread changing([&] {
        for (std::uint32_t next = count + changes; !is_over; ++next, changed += 2) {
            add(set, next);
            published = set.snapshot();
            set.remove(RuleId(next - changes));
            published = set.snapshot();
        }
    });
    match(published, events, time, "match while rules change");
    is_over = true;
    changing.join();
    print({.bench = "rules",
           .work = "changes meanwhile",
           .count = changed,
           .time = time,
           .durability = "none"});
    return 0;
}

}  // namespace bascule::bench
