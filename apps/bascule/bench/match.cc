#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/benches.h"
#include "bus/pattern/pattern.h"
#include "bus/pattern/rule_set.h"
#include "foundation/json/value.h"
#include "foundation/json/writer.h"

namespace bascule::bench {

namespace {

using Clock = std::chrono::steady_clock;
using pattern::Matcher;
using pattern::RuleId;

constexpr std::size_t rules_bytes_max = std::size_t{1} << 30;
constexpr std::size_t complexity_max = 1'000'000;

std::optional<std::string> contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        std::fprintf(stderr, "bench: cannot read %s\n", path.c_str());
        return std::nullopt;
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string_view> lines(std::string_view text) {
    std::vector<std::string_view> all;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (end > 0) {
            all.push_back(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return all;
}

/// The rules of a file: by their numbers the names, and a matcher of those that could be taken.
struct Rules {
    std::vector<std::string> names;
    std::shared_ptr<const Matcher> matcher;
    std::size_t refused = 0;
    double add_ms = 0;
};

std::optional<Rules> rules_of(const std::string& text) {
    const auto file = json::Value::parse(text, {.bytes_max = rules_bytes_max});
    if (!file) {
        std::fprintf(stderr, "bench: rules: %s\n", file.error().message().c_str());
        return std::nullopt;
    }
    Rules rules;
    pattern::RuleSet set;
    std::chrono::nanoseconds time{};
    for (const json::Member& member : file->members()) {
        const std::string source = member.value.text();
        const auto begin = Clock::now();
        const RuleId id(static_cast<std::uint32_t>(rules.names.size()));
        rules.names.push_back(member.key);
        // The engines beside this one take wildcards that EventBridge would not.
        auto parsed = pattern::Pattern::parse(source, pattern::Dialect::eventbridge,
                                              {.complexity_max = complexity_max});
        const auto added =
            parsed ? set.add(id, *std::move(parsed)) : Result<>(std::unexpected(parsed.error()));
        if (!added) {
            ++rules.refused;
            std::fprintf(stderr, "bench: %s: %s\n", member.key.c_str(),
                         added.error().message().c_str());
        }
        time += Clock::now() - begin;
    }
    const auto begin = Clock::now();
    rules.matcher = set.snapshot();
    time += Clock::now() - begin;
    rules.add_ms = std::chrono::duration<double, std::milli>(time).count();
    return rules;
}

/// The sum over all matches of the 64-bit FNV-1a of `INDEX<tab>NAME<newline>`, as all engines have
/// it.
class Tally {
  public:
    void add(std::size_t event, std::string_view rule) {
        ++total_;
        std::uint64_t hash = 0xCBF29CE484222325U;
        for (const char c : std::to_string(event) + '\t' + std::string(rule) + '\n') {
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
        }
        sum_ += hash;
    }
    std::uint64_t total() const { return total_; }
    std::string hash() const {
        char digits[17];
        std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum_));
        return digits;
    }

  private:
    std::uint64_t total_ = 0;
    std::uint64_t sum_ = 0;
};

/// Matches all events again and again for so long; how many events a second that made.
double events_per_second(const Matcher& matcher, const std::vector<std::string_view>& events,
                         double seconds) {
    pattern::Scratch scratch;
    std::vector<RuleId> matched;
    std::uint64_t count = 0;
    const auto pass = [&](Clock::time_point end) {
        constexpr std::uint64_t events_between_looks = 64;
        for (const std::string_view event : events) {
            matcher.match_event(event, scratch, matched);
            if (++count % events_between_looks == 0 && Clock::now() >= end) {
                return false;
            }
        }
        return Clock::now() < end;
    };
    const auto for_seconds = [&](double length) {
        const auto begin = Clock::now();
        count = 0;
        while (pass(begin + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(length)))) {
        }
        return std::chrono::duration<double>(Clock::now() - begin).count();
    };
    for_seconds(std::min(1.0, seconds / 4));  // warm up
    const double time = for_seconds(seconds);
    return static_cast<double>(count) / time;
}

double memory_mb() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace

int match(const Arguments& arguments) {
    const auto& words = arguments.words();
    double seconds = 0;
    if (words.size() != 3 ||
        std::from_chars(words[2].data(), words[2].data() + words[2].size(), seconds).ec !=
            std::errc()) {
        std::fprintf(stderr, "usage: bascule bench match EVENTS.jsonl RULES.json SECONDS\n");
        return 2;
    }
    const auto events_text = contents(words[0]);
    const auto rules_text = contents(words[1]);
    const auto rules = rules_text ? rules_of(*rules_text) : std::nullopt;
    if (!events_text || !rules) {
        return 1;
    }
    const auto events = lines(*events_text);

    Tally tally;
    std::size_t bytes = 0;
    pattern::Scratch scratch;
    std::vector<RuleId> matched;
    for (std::size_t i = 0; i < events.size(); ++i) {
        bytes += events[i].size();
        rules->matcher->match_event(events[i], scratch, matched);
        for (const RuleId id : matched) {
            tally.add(i, rules->names[id.value()]);
        }
    }

    std::string workload = std::filesystem::path(words[0]).filename().string();
    workload = workload.substr(0, workload.find(".events"));
    std::string out;
    json::Writer writer(out);
    writer.begin_object()
        .member("engine", "bascule")
        .member("version", BASCULE_VERSION)
        .member("workload", workload)
        .member("rules", rules->names.size() - rules->refused)
        .member("rules_refused", rules->refused)
        .member("events", events.size())
        .member("bytes", bytes);
    if (seconds > 0 && !events.empty()) {
        const double speed = events_per_second(*rules->matcher, events, seconds);
        writer.key("events_per_s").real(speed);
        writer.key("mb_per_s")
            .real(speed * static_cast<double>(bytes) / static_cast<double>(events.size()) / 1e6);
        writer.key("ns_per_event").real(1e9 / speed);
    }
    writer.member("matches_total", tally.total()).member("matches_hash", tally.hash());
    writer.key("add_rules_ms").real(rules->add_ms);
    writer.key("heap_or_rss_mb").real(memory_mb());
    writer.end_object();
    std::printf("%s\n", out.c_str());
    return 0;
}

}  // namespace bascule::bench
