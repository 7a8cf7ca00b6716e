// simulate [--brief] [--harsh] [--minutes N | SEED…]: the seeds that are named, or one after the
// other until the time is up. Prints one line for every hundred; of a seed that breaks a promise
// the shortest story that still does, unless it is to be brief. Exit code 1 then, 2 for words that
// mean nothing.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "simulator/world.h"

namespace bascule::simulator {
namespace {

constexpr std::uint64_t seeds_by_default = 2000;

bool keeps_its_promises(const Plan& wanted, bool brief, Counts& sum) {
    const std::uint64_t seed = wanted.seed;
    World world(wanted);
    world.run();
    sum.confirmed += world.counts().confirmed;
    sum.runs += world.counts().runs;
    sum.kills += world.counts().kills;
    sum.power_cuts += world.counts().power_cuts;
    if (world.violation().empty()) {
        return true;
    }
    std::printf("seed %llu breaks a promise: %s\n", static_cast<unsigned long long>(seed),
                world.violation().c_str());
    if (brief) {
        return false;
    }
    const Plan plan = shrunk(wanted);
    World again(plan);
    again.run();
    std::printf("as short as it gets: %s\n%s\n", plan.text().c_str(), again.violation().c_str());
    for (const std::string& line : again.story().lines()) {
        std::printf("  %s\n", line.c_str());
    }
    return false;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number)
                                                                    : std::nullopt;
}

int simulate(const std::vector<std::string_view>& words) {
    using Clock = std::chrono::steady_clock;
    std::vector<std::uint64_t> seeds;
    std::optional<std::uint64_t> minutes;
    bool brief = false;
    bool harsh = false;  // with retention, bit flips and restored databases
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--brief" || words[i] == "--harsh") {
            (words[i] == "--brief" ? brief : harsh) = true;
            continue;
        }
        const bool asks_minutes = words[i] == "--minutes" && i + 1 < words.size();
        const auto number = number_of(words[asks_minutes ? ++i : i]);
        if (!number) {
            std::fprintf(
                stderr,
                "simulate: '%s' is no number; simulate [--brief] [--harsh] [--minutes N | SEED…]\n",
                std::string(words[i]).c_str());
            return 2;
        }
        asks_minutes ? void(minutes = *number) : seeds.push_back(*number);
    }
    Counts sum;
    const auto begin = Clock::now();
    std::uint64_t done = 0;
    const auto goes_on = [&] {
        return !seeds.empty() ? done < seeds.size()
               : minutes      ? Clock::now() - begin < std::chrono::minutes(*minutes)
                              : done < seeds_by_default;
    };
    while (goes_on()) {
        const std::uint64_t seed = seeds.empty() ? done : seeds[done];
        if (!keeps_its_promises(harsh ? Plan::harsh_of_seed(seed) : Plan::of_seed(seed), brief,
                                sum)) {
            return 1;
        }
        if (++done % 100 == 0 || !goes_on()) {
            std::printf(
                "%llu seeds: %llu events confirmed, %llu runs, %llu kills, %llu power "
                "cuts, every promise kept\n",
                static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(sum.confirmed),
                static_cast<unsigned long long>(sum.runs),
                static_cast<unsigned long long>(sum.kills),
                static_cast<unsigned long long>(sum.power_cuts));
            std::fflush(stdout);
        }
    }
    return 0;
}

}  // namespace
}  // namespace bascule::simulator

int main(int argc, char** argv) { return bascule::simulator::simulate({argv + 1, argv + argc}); }
