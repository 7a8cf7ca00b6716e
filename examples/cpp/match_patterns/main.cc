// Which patterns each event matches, and why one that was expected does not: the pattern language
// of EventBridge in a program of your own, without a bus.
//
//     match_patterns PATTERNS EVENTS [NUMBER]       one pattern, one event a line; NUMBER: explain
//     that pattern

#include <bascule/event_matcher.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using namespace bascule;

namespace {

Result<std::vector<std::string>> lines_of(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
        return fail(ErrorKind::not_found, path + ": cannot be read");
    }
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(std::move(line));
    }
    return lines;
}

Result<> match_all(const std::vector<std::string>& patterns,
                   const std::vector<std::string>& events) {
    EventMatcher matcher;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        TRY(matcher.add(pattern::RuleId(i + 1), patterns[i]));
    }
    matcher.commit();

    std::vector<pattern::RuleId> matched;  // kept from event to event: nothing is allocated then
    for (const std::string& event : events) {
        matcher.match(event, matched);
        std::printf("matched:");
        for (const pattern::RuleId id : matched) {
            std::printf(" %u", id.value());
        }
        std::printf("\n");
    }
    return {};
}

Result<> explain_all(const std::string& text, const std::vector<std::string>& events) {
    const auto pattern = TRY(pattern::Pattern::parse(text));
    for (const std::string& event : events) {
        pattern::Subject subject;
        subject.json("", event);
        const pattern::Explanation why = explain(pattern, subject);
        std::printf("%s\n", std::string(name(why.verdict)).c_str());
        for (const auto& field : why.ways.front().fields) {
            std::printf("  %s: %s\n", field.path.c_str(), std::string(name(field.verdict)).c_str());
        }
    }
    return {};
}

Result<> run(int count, char** arguments) {
    if (count < 3) {
        return fail(ErrorKind::invalid, "match_patterns PATTERNS EVENTS [NUMBER]");
    }
    const auto patterns = TRY(lines_of(arguments[1]));
    const auto events = TRY(lines_of(arguments[2]));
    if (count == 3) {
        return match_all(patterns, events);
    }
    const std::size_t number = std::strtoull(arguments[3], nullptr, 10);
    if (number == 0 || number > patterns.size()) {
        return fail(ErrorKind::invalid, "there is no such pattern");
    }
    return explain_all(patterns[number - 1], events);
}

}  // namespace

int main(int count, char** arguments) {
    const auto result = run(count, arguments);
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message().c_str());
        return 1;
    }
    return 0;
}
