#include "cli/pattern_verb.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

#include "bus/pattern/explain.h"
#include "bus/pattern/explain_json.h"
#include "cli/cli.h"
#include "cli/local_file.h"
#include "cli/seen_event.h"
#include "cli/terminal.h"
#include "foundation/json/value.h"
#include "foundation/json/writer.h"

namespace bascule::cli {

namespace {

using pattern::Explanation;
using FieldVerdict = Explanation::Field::Verdict;

constexpr std::uint64_t argument_bytes_max = 16 << 20;

Result<std::string> text_of(const std::string& argument) {
    if (argument == "-") {
        return read_local_file(argument, argument_bytes_max);
    }
    return argument.starts_with('@') ? read_local_file(argument.substr(1), argument_bytes_max)
                                     : Result<std::string>(argument);
}

/// Tells what is wrong, every fault of it; the exit code then.
int refuse(const char* what, const std::vector<Error>& faults) {
    for (const Error& fault : faults) {
        print_error(std::string(what) + ": " + fault.message());
    }
    return exit_usage;
}

/// Who knows the events' own form writes its names, where no pattern finds anything.
void hint_about_names(const pattern::Pattern& pattern, pattern::Dialect dialect) {
    if (dialect != pattern::Dialect::eventbridge) {
        return;
    }
    struct Name {
        std::string_view written;
        std::string_view meant;
    };
    constexpr Name names[] = {{"eventType", "detail-type"},
                              {"detail_type", "detail-type"},
                              {"detailType", "detail-type"},
                              {"eventId", "detail.eventId"},
                              {"timestamp", "detail.timestamp"},
                              {"userId", "detail.userId"},
                              {"correlationId", "detail.correlationId"},
                              {"data", "detail.data"},
                              {"metadata", "detail.metadata"}};
    std::set<std::string_view> told;
    for (const std::string_view path : pattern.paths()) {
        const std::string_view first = path.substr(0, path.find('.'));
        const auto name = std::ranges::find(names, first, &Name::written);
        if (name != std::end(names) && told.insert(first).second) {
            print_note("`" + std::string(first) + "`: a pattern finds it as `" +
                       std::string(name->meant) + "` in this bus's events");
        }
    }
}

/// The explanation, or the exit code for what is no pattern or no event: both are told.
std::optional<Explanation> explained(const PatternQuestion& question, int& code) {
    const auto pattern_text = text_of(question.pattern);
    const auto event_text = text_of(question.event);
    if (!pattern_text || !event_text) {
        const Error& error = pattern_text ? event_text.error() : pattern_text.error();
        code = refuse(pattern_text ? "event" : "pattern", {error});
        return std::nullopt;
    }
    const std::vector<Error> faults = pattern::Pattern::faults(*pattern_text, question.dialect);
    const auto event = SeenEvent::of(*event_text);
    if (!faults.empty()) {
        code = refuse("pattern", faults);
    }
    if (!event) {
        code = refuse("event", {event.error()});
    }
    const auto pattern = pattern::Pattern::parse(*pattern_text, question.dialect);
    if (!pattern || !event) {
        return std::nullopt;
    }
    hint_about_names(*pattern, question.dialect);
    Explanation explanation = explain(*pattern, event->subject());
    code = explanation.matches() ? exit_yes : exit_no;
    if (explanation.verdict == Explanation::Verdict::undecided) {
        print_note("given up: the event's arrays leave the pattern too many choices");
    }
    return explanation;
}

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
    std::string all;
    for (const std::string& text : texts) {
        all.append(all.empty() ? "" : between).append(text);
    }
    return all;
}

/// A value, with its place where the field's path does not say it.
std::string shown(const Explanation::Field& field, const Explanation::Value& value) {
    std::string expected = "/" + field.path;
    std::ranges::replace(expected, '.', '/');
    return value.json + (value.is_cut ? "…" : "") +
           (value.at == expected ? "" : " (" + value.at + ")");
}

/// What was there: the chosen value, else all of them.
std::string there(const Explanation::Field& field) {
    std::vector<std::string> values;
    for (const Explanation::Value& value : field.values) {
        if (value.is_chosen) {
            return shown(field, value);
        }
        values.push_back(shown(field, value));
    }
    if (field.value_count > field.values.size()) {
        values.push_back(std::to_string(field.value_count - field.values.size()) + " more");
    }
    return joined(values, ", ");
}

std::string result(const Explanation::Field& field) {
    const std::string others = joined(field.apart_from, ", ");
    switch (field.verdict) {
        case FieldVerdict::met:
            return "met";
        case FieldVerdict::missing:
            return field.is_container ? "an object or array, no value" : "missing";
        case FieldVerdict::differs:
            return "differs";
        case FieldVerdict::present:
            return others.empty() ? "must be absent" : "must be absent where " + others + " is met";
        case FieldVerdict::elsewhere:
            return "not in one element with " + others;
        case FieldVerdict::undecided:
            break;
    }
    return "undecided";
}

json::Value row_of(const Explanation::Way& way, const Explanation::Field& field) {
    json::Value row = json::Value::object();
    row.set("branches", json::Value::string(joined(way.branches, " ")));
    row.set("path", json::Value::string(field.path));
    row.set("wanted", json::Value::string(joined(field.wanted, " or ")));
    row.set("there", json::Value::string(there(field)));
    row.set("result", json::Value::string(result(field)));
    return row;
}

constexpr std::array<Column, 5> columns{{{"BRANCHES", "/branches"},
                                         {"FIELD", "/path"},
                                         {"WANTED", "/wanted"},
                                         {"THERE", "/there"},
                                         {"RESULT", "/result"}}};

std::string csv_of(const Explanation& explanation) {
    std::vector<json::Value> rows;
    for (const Explanation::Way& way : explanation.ways) {
        for (const Explanation::Field& field : way.fields) {
            rows.push_back(row_of(way, field));
        }
    }
    return rendered_list(rows, columns, Output::csv);
}

/// The verdict, then a table a way: the only one, or each under the objects of `$or` that make it.
std::string table_of(const Explanation& explanation) {
    std::string out = std::string(name(explanation.verdict)) + "\n";
    for (const Explanation::Way& way : explanation.ways) {
        if (!way.branches.empty()) {
            out += "\nwith " + joined(way.branches, " and ") + ": " +
                   std::string(name(way.verdict)) + "\n";
        }
        std::vector<json::Value> rows;
        for (const Explanation::Field& field : way.fields) {
            rows.push_back(row_of(way, field));
        }
        out += rendered_list(rows, std::span(columns).subspan(1), Output::table);
    }
    if (explanation.way_count > explanation.ways.size()) {
        out += "\n" + std::to_string(explanation.way_count - explanation.ways.size()) +
               " more combinations of $or\n";
    }
    return out;
}

}  // namespace

int test_pattern(const PatternQuestion& question, Output output) {
    int code = exit_usage;
    if (const auto explanation = explained(question, code)) {
        json::Value answer = json::Value::object();
        answer.set("matches", json::Value::boolean(explanation->matches()));
        print(output == Output::table ? (explanation->matches() ? "yes\n" : "no\n")
                                      : rendered_object(answer, output));
    }
    return code;
}

int explain_pattern(const PatternQuestion& question, Output output) {
    int code = exit_usage;
    if (const auto explanation = explained(question, code)) {
        const auto value = json::Value::parse(explanation_json(*explanation));
        print(output == Output::table || !value ? table_of(*explanation)
              : output == Output::csv           ? csv_of(*explanation)
                                                : rendered_object(*value, output));
    }
    return code;
}

int check_pattern(const PatternQuestion& question, Output output) {
    const auto text = text_of(question.pattern);
    if (!text) {
        return refuse("pattern", {text.error()});
    }
    const std::vector<Error> faults = pattern::Pattern::faults(*text, question.dialect);
    if (const auto pattern = pattern::Pattern::parse(*text, question.dialect)) {
        hint_about_names(*pattern, question.dialect);
    }
    if (output == Output::table) {
        for (const Error& fault : faults) {
            print_error(fault.message());
        }
        print(faults.empty() ? "yes\n" : "");
    } else {
        std::vector<json::Value> messages;
        for (const Error& fault : faults) {
            messages.push_back(json::Value::string(fault.message()));
        }
        json::Value answer = json::Value::object();
        answer.set("valid", json::Value::boolean(faults.empty()));
        answer.set("faults", json::Value::array(std::move(messages)));
        print(rendered_object(answer, output));
    }
    return faults.empty() ? exit_yes : exit_no;
}

}  // namespace bascule::cli
