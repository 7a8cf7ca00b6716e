#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bus/pattern/matcher.h"
#include "bus/pattern/pattern.h"
#include "bus/pattern/rule_set.h"
#include "foundation/base/check.h"
#include "foundation/json/raw.h"

namespace {

/// Takes the text up to the next zero byte.
std::string_view take(std::string_view& input) {
    const std::size_t end = std::min(input.find('\0'), input.size());
    const std::string_view text = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    return text;
}

}  // namespace

// Two events and up to eight patterns, zero bytes between them: the matcher finds what the plain
// one finds, also after rules went, and with the patterns once more behind so many others that they
// lie in another tier. What is not JSON only must do no harm.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bascule::pattern;
    std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::string_view event = take(input);
    const std::string_view part = take(input);
    RuleSet rules;
    std::vector<std::pair<RuleId, Pattern>> plain;
    for (std::uint32_t i = 0; i < 8 && !input.empty(); ++i) {
        if (auto pattern = Pattern::parse(take(input))) {
            CHECK(rules.add(RuleId(i), *pattern));
            plain.emplace_back(RuleId(i), *pattern);
        }
    }
    Subject subject;
    subject.text("source", "s").number("detail.timestamp", 5).json("", event).json("detail", part);
    Scratch scratch;
    std::vector<RuleId> matched;
    const bool is_json = bascule::json::is_valid(event) && bascule::json::is_valid(part);
    const auto compare = [&] {
        rules.snapshot()->match(subject, scratch, matched);
        CHECK(std::is_sorted(matched.begin(), matched.end()));
        for (const auto& [id, pattern] : plain) {
            const bool found = std::binary_search(matched.begin(), matched.end(), id);
            CHECK(!is_json || found == pattern.matches(subject));
        }
    };
    compare();
    if (plain.empty()) {
        return 0;
    }
    CHECK(rules.remove(plain.front().first));
    plain.erase(plain.begin());
    compare();
    // More than the first tier has room for; none of them matches by what the input can say.
    static const Pattern other = Pattern::parse(R"({"\u0001 no name":[1]})").value();
    constexpr std::uint32_t others = 80;
    for (std::uint32_t i = 0; i < others; ++i) {
        CHECK(rules.add(RuleId(100 + i), other));
    }
    compare();
    const auto below = plain;
    for (const auto& [id, pattern] : below) {
        CHECK(rules.add(RuleId(200 + id.value()), pattern));
        plain.emplace_back(RuleId(200 + id.value()), pattern);
    }
    CHECK(plain.empty() || rules.snapshot()->tiers() == 2);
    compare();
    for (const auto& [id, pattern] : below) {
        CHECK(rules.remove(id));
    }
    plain.erase(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(below.size()));
    compare();
    return 0;
}
