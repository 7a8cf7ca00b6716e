#include "cli/tail_verb.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "bus/event/seed_form.h"
#include "bus/pattern/pattern.h"
#include "cli/cli.h"
#include "cli/local_file.h"
#include "cli/seen_event.h"
#include "cli/terminal.h"
#include "foundation/base/clock.h"
#include "foundation/io/wait.h"
#include "foundation/json/writer.h"

namespace bascule::cli {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view default_format = "{time} {type} {user} {id}";
constexpr auto wait_first = 250ms;
constexpr auto wait_last = 10s;

std::string text_at(const json::Value& event, std::string_view name) {
    const json::Value* found = event.find(name);
    return std::string(found == nullptr ? "" : found->as_string().value_or(""));
}

/// Prints the events that are wanted, and knows where it stopped.
class Printer {
  public:
    Printer(const Tail& command, Output output, std::optional<pattern::Pattern> pattern)
        : format_(command.format.empty() && output == Output::table
                      ? default_format
                      : std::string_view(command.format)),
          pattern_(std::move(pattern)) {}

    /// If it is wanted; it goes on behind it in any case.
    void see(std::string_view position, std::string_view event_text) {
        go_on_behind(position);
        if (matches(event_text)) {
            show(position, event_text);
        }
    }

    void go_on_behind(std::string_view position) { position_ = position; }

    void show(std::string_view position, std::string_view event_text) const {
        if (format_.empty()) {
            print(std::string(event_text) + "\n");
            return;
        }
        const auto event = json::Value::parse(event_text);
        const auto line = event ? formatted(format_, position, *event)
                                : Result<std::string>(std::unexpected(event.error()));
        print((line ? *line : std::string(event_text)) + "\n");
    }

    const std::string& position() const { return position_; }

    bool has_pattern() const { return pattern_.has_value(); }
    bool matches(std::string_view event_text) const {
        if (!pattern_) {
            return true;
        }
        const auto event = SeenEvent::of(std::string(event_text));
        return event && pattern_->matches(event->subject());
    }

  private:
    std::string format_;
    std::optional<pattern::Pattern> pattern_;
    std::string position_;
};

Result<std::optional<pattern::Pattern>> pattern_of(const std::string& argument) {
    if (argument.empty()) {
        return std::nullopt;
    }
    const std::string text =
        argument.starts_with('@') ? TRY(read_local_file(argument.substr(1), 1 << 20)) : argument;
    return TRY(pattern::Pattern::parse(text));
}

Query filters_of(const Tail& command) {
    Query query;
    if (!command.type.empty()) {
        query.emplace_back("type", command.type);
    }
    if (!command.source.empty()) {
        query.emplace_back("source", command.source);
    }
    return query;
}

/// Shows stored events, oldest first: the last `n`, those since a time, those from a position on.
/// The search answers newest first.
Answer<std::monostate> show_stored(Session& session, const Tail& command, std::int64_t since_ms,
                                   Position from, Printer& printer) {
    constexpr std::uint64_t page_max = 1000;
    struct Stored {
        Position at;
        std::string position;
        std::string event;
    };
    std::vector<Stored> found;
    const auto is_enough = [&] { return command.last > 0 && found.size() >= command.last; };
    std::string cursor;
    do {
        Query query = filters_of(command);
        if (since_ms > 0) {
            query.emplace_back("from", std::to_string(since_ms));
        }
        // Which of them a pattern matches is seen here.
        const std::uint64_t wanted = command.last == 0 || printer.has_pattern()
                                         ? page_max
                                         : std::min(page_max, command.last - found.size());
        query.emplace_back("limit", std::to_string(wanted));
        if (!cursor.empty()) {
            query.emplace_back("cursor", cursor);
        }
        const auto page = session.json({.path = "/v1/events", .query = std::move(query)});
        if (!page) {
            return std::unexpected(page.error());
        }
        const json::Value* items = page->find("items");
        const json::Value* next = page->find("nextCursor");
        for (const json::Value& item :
             items == nullptr ? std::span<const json::Value>() : items->items()) {
            const json::Value* event = item.find("event");
            Stored stored{.position = text_at(item, "position"),
                          .event = event == nullptr ? item.text() : event->text()};
            stored.at = parse_from(stored.position).value_or(Position());
            if (printer.position().empty()) {
                printer.go_on_behind(stored.position);  // the newest comes first
            }
            if (!is_enough() && stored.at >= from && printer.matches(stored.event)) {
                found.push_back(std::move(stored));
            }
        }
        cursor = next == nullptr ? "" : std::string(next->as_string().value_or(""));
    } while (!cursor.empty() && !is_enough());
    std::ranges::sort(found, {}, &Stored::at);  // what was stored first is shown first
    for (const Stored& stored : found) {
        printer.show(stored.position, stored.event);
    }
    return std::monostate();
}

/// Follows the stream, over as many connections as it takes.
int follow(Session& session, const Tail& command, Printer& printer) {
    std::chrono::milliseconds wait = wait_first;
    while (true) {
        Ask ask{.path = "/v1/stream", .query = filters_of(command)};
        if (printer.position().empty() && !command.from.empty()) {
            ask.query.emplace_back("from", command.from);
        }
        ServerSentEvents events;
        const auto ended = session.stream(ask, printer.position(), [&](std::string_view bytes) {
            wait = wait_first;
            for (const ServerSentEvent& event : events.take(bytes)) {
                printer.see(event.id, event.data);
            }
        });
        if (!ended && ended.error().exit_code != exit_unreachable) {
            print_error(ended.error().message);
            return ended.error().exit_code;
        }
        print_note(ended ? "the server closed the stream; going on"
                         : ended.error().message + "; trying again");
        session.pause(wait);
        wait = std::min<std::chrono::milliseconds>(wait * 2, wait_last);
    }
}

}  // namespace

std::string hint_about_type(std::string_view type) {
    if (type.find('*') == std::string_view::npos) {
        return {};
    }
    std::string pattern;
    json::Writer(pattern)
        .begin_object()
        .key("detail-type")
        .begin_array()
        .begin_object()
        .member("wildcard", type)
        .end_object()
        .end_array()
        .end_object();
    return "--type is compared as it stands, and no type is called '" + std::string(type) +
           "'; several types take a pattern: bascule tail --from earliest --no-follow --pattern '" +
           pattern + "'";
}

Result<std::string> formatted(std::string_view format, std::string_view position,
                              const json::Value& event) {
    constexpr std::pair<std::string_view, std::string_view> members[] = {
        {"type", "eventType"},
        {"source", "source"},
        {"user", "userId"},
        {"id", "eventId"},
        {"correlation", "correlationId"},
        {"causation", "causationId"}};
    std::string out;
    while (true) {
        const auto open = format.find('{');
        out += format.substr(0, open);
        if (open == std::string_view::npos) {
            return out;
        }
        const auto close = format.find('}', open);
        if (close == std::string_view::npos) {
            return fail(ErrorKind::invalid, "--format has a { without its }");
        }
        const std::string_view word = format.substr(open + 1, close - open - 1);
        format.remove_prefix(close + 1);
        const auto* member =
            std::ranges::find(members, word, &std::pair<std::string_view, std::string_view>::first);
        const json::Value* time = event.find("timestamp");
        const json::Value* data = event.find("data");
        if (member != std::end(members)) {
            out += text_at(event, member->second);
        } else if (word == "time") {
            const auto ms = time == nullptr ? std::nullopt : time->as_int64();
            out += ms ? utc_text(*ms) : "";
        } else if (word == "position") {
            out += position;
        } else if (word == "data") {
            out += data == nullptr ? "" : data->text();
        } else if (word == "event") {
            out += event.text();
        } else {
            return fail(ErrorKind::invalid, "--format has {" + std::string(word) +
                                                "}; {time}, {type}, {source}, {user}, {id}, "
                                                "{correlation}, {causation}, {position}, "
                                                "{data} and {event} are allowed");
        }
    }
}

Result<Position> parse_from(std::string_view text) {
    if (text == "earliest") {
        return Position();
    }
    const auto whole = [](std::string_view digits, std::uint64_t& number) {
        const auto end = digits.data() + digits.size();
        return std::from_chars(digits.data(), end, number) == std::from_chars_result{end, {}};
    };
    Position position;
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || !whole(text.substr(0, colon), position.first) ||
        !whole(text.substr(colon + 1), position.second)) {
        return fail(ErrorKind::invalid,
                    "--from is \"" + std::string(text) +
                        "\"; earliest, or a position as {position} shows it (0:3500) is allowed");
    }
    return position;
}

Result<std::int64_t> parse_age(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    constexpr std::pair<std::string_view, std::int64_t> units[] = {
        {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    for (const auto& [name, ms] : units) {
        if (error == std::errc() && unit == name && number >= 0 && number <= 100'000) {
            return number * ms;
        }
    }
    return fail(ErrorKind::invalid, "--since is \"" + std::string(text) +
                                        "\"; a number with s, m, h or d is allowed (10m)");
}

std::vector<ServerSentEvent> ServerSentEvents::take(std::string_view bytes) {
    std::vector<ServerSentEvent> complete;
    rest_ += bytes;
    std::size_t begin = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
        std::string_view line = std::string_view(rest_).substr(begin, end - begin);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        take_line(line, complete);
        begin = end + 1;
    }
    rest_.erase(0, begin);
    return complete;
}

void ServerSentEvents::take_line(std::string_view line, std::vector<ServerSentEvent>& complete) {
    if (line.empty()) {
        if (!current_.data.empty()) {
            current_.data.pop_back();  // the line end after the last line
            complete.push_back(current_);
        }
        current_ = {.id = current_.id};
        return;
    }
    const auto colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value =
        colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    value.remove_prefix(value.starts_with(' ') ? 1 : 0);
    if (name == "data") {
        current_.data += std::string(value) + "\n";
    } else if (name == "id") {
        current_.id = value;
    } else if (name == "event") {
        current_.event = value;
    }
}

int tail_events(const Tail& command, const Target& target, Output output) {
    const auto pattern = pattern_of(command.pattern);
    const auto age = command.since.empty() ? Result<std::int64_t>(0) : parse_age(command.since);
    const auto from = parse_from(command.from.empty() ? "earliest" : command.from);
    const auto trial = formatted(command.format, "", json::Value::object());
    for (const auto* error : {pattern ? nullptr : &pattern.error(), age ? nullptr : &age.error(),
                              from ? nullptr : &from.error(), trial ? nullptr : &trial.error()}) {
        if (error != nullptr) {
            print_error(error->message());
            return exit_usage;
        }
    }
    auto session = Session::open(target);
    if (!session) {
        print_error(session.error().message);
        return session.error().exit_code;
    }
    if (const std::string hint = hint_about_type(command.type); !hint.empty()) {
        print_note(hint);
    }
    Printer printer(command, output, *pattern);
    const std::int64_t since = *age == 0 ? 0 : to_unix_ms(SystemClock().wall()) - *age;
    if (command.last > 0 || since > 0 || !command.follow) {
        const auto shown = show_stored(*session, command, since, *from, printer);
        if (!shown) {
            print_error(shown.error().message);
            return shown.error().exit_code;
        }
    }
    return command.follow ? follow(*session, command, printer) : exit_yes;
}

}  // namespace bascule::cli
