#include "cli/publish_verb.h"

#include <algorithm>

#include "cli/cli.h"
#include "cli/local_file.h"
#include "cli/terminal.h"
#include "foundation/json/writer.h"

namespace bascule::cli {

namespace {

constexpr std::uint64_t input_bytes_max = std::uint64_t{1} << 30;
constexpr std::size_t batch_events_max = 1000;
constexpr std::size_t batch_bytes_max = 4 << 20;
constexpr std::chrono::milliseconds tick{100};

constexpr Column columns[] = {{"STATUS", "/status"},
                              {"EVENT", "/eventId"},
                              {"POSITION", "/position", true},
                              {"FIELD", "/field"},
                              {"MESSAGE", "/message"}};
constexpr Column columns_of_dry_run[] = {{"STATUS", "/status"},
                                         {"EVENT", "/eventId"},
                                         {"WOULD GO TO", "/consumers", false, "nobody"},
                                         {"FIELD", "/field"},
                                         {"MESSAGE", "/message"}};

/// Puts `value` at `a.b.c` of an object, making objects on the way.
void set_path(json::Value& object, std::string_view path, json::Value value) {
    const auto dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    if (dot == std::string_view::npos) {
        object.set(key, std::move(value));
        return;
    }
    const json::Value* found = object.find(key);
    json::Value inner =
        found != nullptr && found->is(json::Kind::object) ? *found : json::Value::object();
    set_path(inner, path.substr(dot + 1), std::move(value));
    object.set(key, std::move(inner));
}

Result<std::string> event_from_options(const Publish& command) {
    json::Value data = json::Value::object();
    if (!command.data.empty()) {
        auto parsed = json::Value::parse(command.data);
        if (!parsed || !parsed->is(json::Kind::object)) {
            return fail(ErrorKind::invalid,
                        "--data: a JSON object is allowed" +
                            (parsed ? std::string() : "; " + parsed.error().message()));
        }
        data = std::move(*parsed);
    }
    for (const std::string& set : command.sets) {
        const auto equals = set.find('=');
        if (equals == std::string::npos || equals == 0) {
            return fail(ErrorKind::invalid, "--set is \"" + set + "\"; NAME=VALUE is allowed");
        }
        auto value = json::Value::parse(std::string_view(set).substr(equals + 1));
        set_path(data, std::string_view(set).substr(0, equals),
                 value ? std::move(*value) : json::Value::string(set.substr(equals + 1)));
    }
    if (command.type.empty() || command.source.empty()) {
        return fail(ErrorKind::invalid,
                    "an event needs --type and --source, or a file that holds it");
    }
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("eventType", command.type).member("source", command.source);
    if (!command.user.empty()) {
        writer.member("userId", command.user);
    }
    if (!command.correlation.empty()) {
        writer.member("correlationId", command.correlation);
    }
    writer.member_raw("data", data.text()).end_object();
    return out;
}

Result<std::vector<std::string>> events_of_lines(std::string_view text) {
    std::vector<std::string> events;
    std::size_t line_number = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line_number;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
            continue;
        }
        const auto value = json::Value::parse(line);
        if (!value) {
            return fail(ErrorKind::invalid,
                        "line " + std::to_string(line_number) + ": " + value.error().message());
        }
        events.emplace_back(value->text());
    }
    return events;
}

/// Sends one batch; returns the answer's results.
Answer<std::vector<json::Value>> send(Session& session, std::span<const std::string> events,
                                      bool dry_run) {
    std::string body;
    json::Writer writer(body);
    writer.begin_object().key("events").begin_array();
    for (const std::string& event : events) {
        writer.raw(event);
    }
    writer.end_array();
    if (dry_run) {
        writer.member("dryRun", true);
    }
    writer.end_object();
    const auto answer =
        session.json({.method = http::Method::post, .path = "/v1/events", .body = std::move(body)});
    if (!answer) {
        return std::unexpected(answer.error());
    }
    const json::Value* results = answer->find("results");
    return results == nullptr
               ? std::vector<json::Value>()
               : std::vector<json::Value>(results->items().begin(), results->items().end());
}

}  // namespace

Result<std::vector<std::string>> events_of(const Publish& command, std::string_view file_text) {
    if (command.file.empty()) {
        return std::vector<std::string> { TRY(event_from_options(command)) };
    }
    const auto value = json::Value::parse(file_text, {.bytes_max = input_bytes_max});
    if (!value) {
        return events_of_lines(file_text);
    }
    std::vector<std::string> events;
    if (value->is(json::Kind::array)) {
        for (const json::Value& item : value->items()) {
            events.push_back(item.text());
        }
    } else {
        events.push_back(value->text());
    }
    return events;
}

int publish_events(const Publish& command, const Target& target, Output output) {
    const auto text = command.file.empty() ? Result<std::string>(std::string())
                                           : read_local_file(command.file, input_bytes_max);
    const auto once = text ? events_of(command, *text)
                           : Result<std::vector<std::string>>(std::unexpected(text.error()));
    if (!once) {
        print_error(once.error().message());
        return exit_usage;
    }
    auto session = Session::open(target);
    if (!session) {
        print_error(session.error().message);
        return session.error().exit_code;
    }
    const std::uint64_t total = once->size() * command.count;
    const std::size_t per_batch =
        command.per_second == 0
            ? batch_events_max
            : std::clamp<std::size_t>(command.per_second / 10, 1, batch_events_max);
    std::uint64_t taken = 0;
    for (std::uint64_t next = 0; next < total;) {
        std::vector<std::string> batch;
        std::size_t bytes = 0;
        while (next < total && batch.size() < per_batch && bytes < batch_bytes_max) {
            batch.push_back((*once)[next++ % once->size()]);
            bytes += batch.back().size();
        }
        const auto results = send(*session, batch, command.dry_run);
        if (!results) {
            print_error(results.error().message);
            return taken > 0 ? exit_partly : results.error().exit_code;
        }
        taken += static_cast<std::uint64_t>(
            std::ranges::count_if(*results, [](const json::Value& result) {
                const json::Value* status = result.find("status");
                return status != nullptr && status->as_string() != "rejected";
            }));
        if (output == Output::jsonl || total <= batch_events_max) {
            const std::span<const Column> shown =
                command.dry_run ? std::span<const Column>(columns_of_dry_run) : columns;
            print(rendered_list(*results, shown, output));  // of more, the count at the end will do
        }
        if (command.per_second != 0 && next < total) {
            session->pause(command.per_second >= 10
                               ? tick
                               : std::chrono::milliseconds(1000 / command.per_second));
        }
    }
    if (total > batch_events_max) {
        print_note(std::to_string(taken) + " of " + std::to_string(total) + " events taken");
    }
    return taken == total ? exit_yes : taken > 0 ? exit_partly : exit_no;
}

}  // namespace bascule::cli
