#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/output.h"
#include "cli/session.h"

namespace bascule::cli {

struct Tail {
    std::string type;
    std::string source;
    std::string pattern;     ///< an event pattern, tried here; or `@FILE`
    std::string from;        ///< a position, or `earliest`
    std::string since;       ///< `10m`, `2h`, `1d`
    std::uint64_t last = 0;  ///< begin with so many that are there
    bool follow = true;
    std::string format;  ///< `{time} {type}`; empty: by the output
};

/// `tail`: events as they come, until interrupted. A lost connection is taken up again where it
/// broke off.
int tail_events(const Tail& command, const Target& target, Output output);

/// What to say of a type that is looked for as if it were a pattern, such as `transactions.*`:
/// types are compared as they stand. Empty for any other.
std::string hint_about_type(std::string_view type);

/// Fills `{time} {type} {source} {user} {id} {correlation} {causation} {position} {data} {event}`.
/// Errors: `invalid`, naming an unknown word.
Result<std::string> formatted(std::string_view format, std::string_view position,
                              const json::Value& event);

/// Where an event lies: epoch and offset, in the order of the log.
using Position = std::pair<std::uint64_t, std::uint64_t>;
/// Reads `epoch:offset`, and `earliest` as the least of them. Errors: `invalid`.
Result<Position> parse_from(std::string_view text);

/// Milliseconds of `10s`, `10m`, `2h`, `1d`. Errors: `invalid`.
Result<std::int64_t> parse_age(std::string_view text);

struct ServerSentEvent {
    std::string id;
    std::string event;
    std::string data;
};

/// Cuts a stream of bytes into server-sent events. Source: the HTML standard, section 9.2.
class ServerSentEvents {
  public:
    /// Takes the next bytes and returns the events that they complete.
    std::vector<ServerSentEvent> take(std::string_view bytes);

  private:
    void take_line(std::string_view line, std::vector<ServerSentEvent>& complete);

    std::string rest_;
    ServerSentEvent current_;
};

}  // namespace bascule::cli
