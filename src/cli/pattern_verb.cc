#include "cli/pattern_verb.h"

#include "bus/event/eventbridge_form.h"
#include "bus/event/seed_form.h"
#include "bus/pattern/pattern.h"
#include "cli/cli.h"
#include "cli/local_file.h"
#include "cli/terminal.h"
#include "foundation/json/value.h"

namespace bascule::cli {

namespace {

constexpr std::uint64_t argument_bytes_max = 16 << 20;

Result<std::string> text_of(const std::string& argument) {
    if (argument == "-") {
        return read_local_file(argument, argument_bytes_max);
    }
    return argument.starts_with('@') ? read_local_file(argument.substr(1), argument_bytes_max)
                                     : Result<std::string>(argument);
}

Result<pattern::Pattern> pattern_of(const std::string& argument) {
    return pattern::Pattern::parse(TRY(text_of(argument)));
}

/// The event as patterns see it: in EventBridge's form.
Result<std::string> event_of(const std::string& argument) {
    const std::string text = TRY(text_of(argument));
    const json::Value value = TRY(json::Value::parse(text));
    if (value.find("detail-type") != nullptr || value.find("eventType") == nullptr) {
        return text;
    }
    const event::Event event = TRY(event::parse_seed(text));
    return event::to_eventbridge_json(event::view_of(event));
}

int refuse(const char* what, const Error& error) {
    print_error(std::string(what) + ": " + error.message());
    return exit_usage;
}

}  // namespace

int test_pattern(const std::string& pattern_argument, const std::string& event_argument) {
    const auto pattern = pattern_of(pattern_argument);
    if (!pattern) {
        return refuse("pattern", pattern.error());
    }
    const auto event = event_of(event_argument);
    if (!event) {
        return refuse("event", event.error());
    }
    pattern::Subject subject;
    subject.json("", *event);
    const bool matches = pattern->matches(subject);
    print(matches ? "yes\n" : "no\n");
    return matches ? exit_yes : exit_no;
}

int check_pattern(const std::string& argument) {
    const auto pattern = pattern_of(argument);
    if (!pattern) {
        print_error(pattern.error().message());
        return exit_no;
    }
    print("yes\n");
    return exit_yes;
}

}  // namespace bascule::cli
