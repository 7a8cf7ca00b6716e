#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bus/pattern/explain.h"
#include "bus/pattern/pattern.h"
#include "foundation/base/check.h"

// A pattern, a zero byte, an event: whatever they are, there is an answer, and it stays the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bascule::pattern;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t end = input.find('\0');
    for (const Dialect dialect : {Dialect::eventbridge, Dialect::routing}) {
        const auto pattern = Pattern::parse(input.substr(0, end), dialect);
        CHECK(Pattern::faults(input.substr(0, end), dialect).empty() == pattern.has_value());
        if (!pattern) {
            CHECK(pattern.error().message().starts_with("Event pattern is not valid. Reason: "));
            continue;
        }
        Subject subject;
        subject.text("source", "s").number("detail.timestamp", 5);
        subject.json(
            "", end == std::string_view::npos ? std::string_view("{}") : input.substr(end + 1));
        CHECK(pattern->matches(subject) ==
              Pattern::parse(pattern->text(), dialect).value().matches(subject));
        const Explanation told = explain(*pattern, subject);
        CHECK(told.verdict == Explanation::Verdict::undecided ||
              told.matches() == pattern->matches(subject));
    }
    return 0;
}
