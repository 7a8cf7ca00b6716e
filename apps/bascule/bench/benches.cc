#include "bench/benches.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace bascule::bench {

namespace {

struct Bench {
    const char* name;
    const char* what;
    int (*run)(const Arguments&);
};
constexpr std::array benches{
    Bench{"publish", "durable publishing in process: one at a time, 8 and 64 threads, batches",
          publish},
    Bench{"e2e", "publish to handler latency at half load", e2e},
    Bench{"delivery", "three consumers, keys that fail, a consumer that was paused", delivery},
    Bench{"replay", "reading stored events from the beginning", replay},
    Bench{"http", "durable publishing over HTTP: 1 and 64 connections, batches", http},
    Bench{"import", "a bank file of 100 000 rows, 500 rules, everything durable", import},
    Bench{"match", "EVENTS.jsonl RULES.json SECONDS: which rules each event matches", match},
    Bench{"rules", "one rule more among 100 000, and matching while rules come and go", rules},
};

}  // namespace

Arguments::Arguments(const std::vector<std::string>& words) : words_(words) {
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        values_[word.substr(0, equals)] =
            equals == std::string::npos ? "" : word.substr(equals + 1);
    }
}

std::int64_t Arguments::number(std::string_view key, std::int64_t otherwise) const {
    const auto found = values_.find(key);
    if (found == values_.end()) {
        return otherwise;
    }
    std::int64_t value = otherwise;
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
    return value;
}

std::string Arguments::text(std::string_view key, std::string_view otherwise) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::string(otherwise) : found->second;
}

std::string Arguments::directory() const {
    const char* temporary = std::getenv("TMPDIR");
    return text("dir", temporary != nullptr ? temporary : ".");
}

int run(const std::vector<std::string>& words) {
    for (const Bench& bench : benches) {
        if (!words.empty() && words[0] == bench.name) {
            return bench.run(Arguments({words.begin() + 1, words.end()}));
        }
    }
    std::fprintf(stderr, "usage: bascule bench NAME [key=value]…\n");
    for (const Bench& bench : benches) {
        std::fprintf(stderr, "  %-10s %s\n", bench.name, bench.what);
    }
    return 2;
}

}  // namespace bascule::bench
