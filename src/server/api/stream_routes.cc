#include <functional>
#include <memory>
#include <set>

#include "bus/event/body.h"
#include "bus/event/seed_form.h"
#include "foundation/json/writer.h"
#include "server/api/call.h"
#include "server/api/forms.h"
#include "server/api/stream_seats.h"
#include "server/api/visibility.h"

namespace bascule::api {

namespace {

/// Says that events behind `last` and before `at` may be missing.
std::string gap_event(std::string_view last, Offset at) {
    std::string data;
    json::Writer(data)
        .begin_object()
        .member("lastEventId", last)
        .member("continuesAt", position_text(at))
        .member("message", "events between these two may be missing; read what you need anew")
        .end_object();
    // Who is cut off before any event comes back to where this one went on.
    const std::string id = at > Offset(0) ? position_text(Offset(at.value() - 1)) : "";
    return http::server_sent_event(id, "gap", data);
}

/// One client of /v1/stream: reads the log from a position on and writes what its user may see.
///
/// Pull, not push: it reads when the log has grown and when the peer has room, so a slow client
/// costs one position and at most one buffer. One batch a task: whoever looks for something rare in
/// a long log holds up no other reader for longer than that. Events are numbered by position, which
/// is what Last-Event-ID brings back.
class EventStream : public std::enable_shared_from_this<EventStream> {
  public:
    struct Filter {
        std::string user_id;  ///< empty: all
        std::string type;
        std::string source;
    };

    EventStream(const Services& services, auth::Principal principal,
                std::shared_ptr<const void> seat, http::Stream stream, Visibility visibility,
                Filter filter, Offset from)
        : services_(services),
          principal_(std::move(principal)),
          seat_(std::move(seat)),
          stream_(std::move(stream)),
          visibility_(std::move(visibility)),
          filter_(std::move(filter)),
          next_(from) {}

    /// Something may be there to send. Threads: any; rounds run on the readers, one at a time.
    void wake() {
        const bool starts = turn_.with([](Turn& turn) {
            if (turn.gone || std::exchange(turn.running, true)) {
                turn.again = true;
                return false;
            }
            return true;
        });
        if (starts) {
            services_.readers.post([self = shared_from_this()] { self->run(); });
        }
    }

    /// Says something to the peer if there is nothing else to say.
    void beat() {
        turn_.with([](Turn& turn) { turn.beat = true; });
        wake();
    }

    /// Calls `forget` when nobody listens any more, or nobody may. Once, before anything is
    /// written.
    void when_over(const std::function<void()>& forget) {
        forget_ = forget;
        stream_.when_gone(forget);
    }

  private:
    /// Who may run a round, and whether one is wanted.
    struct Turn {
        bool running = false;
        bool again = false;    ///< woken while it ran
        bool waiting = false;  ///< for room at the peer
        bool gone = false;
        bool beat = false;  ///< something is to be said
    };

    void run() {
        const bool more = round();
        const bool goes_on = turn_.with([&](Turn& turn) {
            const bool work = more || std::exchange(turn.again, false);
            turn.running = work && !turn.gone && !turn.waiting;
            return turn.running;
        });
        if (goes_on) {
            services_.readers.post([self = shared_from_this()] { self->run(); });
        }
    }

    /// Reads one batch and sends what is wanted of it. False when the log's end is reached, or the
    /// peer has no room.
    bool round() {
        if (!services_.authenticator.is_welcome(principal_)) {
            turn_.with([](Turn& turn) { turn.gone = true; });
            forget_();
            return false;
        }
        const bool more = pending_.empty() && fill();
        const bool beat = turn_.with([](Turn& turn) { return std::exchange(turn.beat, false); });
        if (pending_.empty() && beat) {
            pending_ = ":\n\n";  // a comment: clients hear and ignore it
        }
        if (pending_.empty()) {
            return more;
        }
        switch (stream_.write(pending_)) {
            case http::Stream::Taken::yes:
                return true;
            case http::Stream::Taken::gone:
                turn_.with([](Turn& turn) { turn.gone = true; });
                return false;
            case http::Stream::Taken::full:
                break;
        }
        turn_.with([](Turn& turn) { turn.waiting = true; });
        stream_.when_writable([weak = weak_from_this()] {
            if (const auto self = weak.lock()) {
                self->turn_.with([](Turn& turn) { turn.waiting = false; });
                self->wake();
            }
        });
        return false;
    }

    /// Reads one batch; false when there is none.
    bool fill() {
        const log::Log& log = services_.bus.log();
        next_ = std::max(next_, log.begin());
        if (next_ >= log.end()) {
            return false;
        }
        const auto batch = log.read(next_, {.records_max = 256});
        if (!batch) {
            // Damage, or a disk that refuses: what is not shown is said.
            const auto lost = log.lost_at(next_);
            const std::string last =
                next_ > Offset(0) ? position_text(Offset(next_.value() - 1)) : "";
            next_ = std::min(lost ? lost->end : log.end(), log.end());
            pending_ += gap_event(last, next_);
            return true;
        }
        for (const log::RecordView& record : batch->records()) {
            append(record);
        }
        next_ = batch->next();
        return true;
    }

    void append(const log::RecordView& record) {
        if (record.kind != log::RecordKind::event) {
            return;
        }
        const auto view = event::decode_body(record.body);
        if (!view || (!filter_.user_id.empty() && view->user_id != filter_.user_id) ||
            (!filter_.type.empty() && view->event_type != filter_.type) ||
            (!filter_.source.empty() && view->source != filter_.source)) {
            return;
        }
        const bool notification = view->event_type == "notification.raised";
        const event::Event shown = visibility_.shown(event::owned(*view));
        pending_ += http::server_sent_event(position_text(record.offset),
                                            notification ? "notification" : "event",
                                            event::to_seed_json(event::view_of(shown)));
    }

    const Services& services_;
    const auth::Principal principal_;
    const std::shared_ptr<const void> seat_;
    std::function<void()> forget_;
    http::Stream stream_;
    const Visibility visibility_;
    const Filter filter_;
    Offset next_;
    std::string pending_;
    Guarded<Turn> turn_;
};

/// All open streams; woken by every sync of the log, and at each beat.
class Streams : public std::enable_shared_from_this<Streams> {
  public:
    explicit Streams(const Services& services) : services_(services) {}

    /// Keeps the stream until its peer is gone.
    void add(const std::shared_ptr<EventStream>& stream) {
        const bool first = open_.with([&](Open& open) {
            open.streams.insert(stream);
            return !std::exchange(open.beats, true);
        });
        stream->when_over([weak = weak_from_this(), stream = std::weak_ptr(stream)] {
            if (const auto self = weak.lock()) {
                self->forget(stream.lock());
            }
        });
        if (first) {
            beat_later();
        }
    }

    void wake() {
        open_.with([](Open& open) {
            for (const auto& stream : open.streams) {
                stream->wake();
            }
        });
    }

  private:
    struct Open {
        std::set<std::shared_ptr<EventStream>> streams;
        bool beats = false;  ///< a timer runs
    };

    /// The caller's reference is the last one, unless a round runs: the stream ends outside the
    /// lock.
    void forget(const std::shared_ptr<EventStream>& stream) {
        open_.with([&](Open& open) { open.streams.erase(stream); });
    }

    void beat_later() {
        services_.readers.post_at(services_.readers.clock().steady() + services_.stream_beat,
                                  [weak = weak_from_this()] {
                                      if (const auto self = weak.lock()) {
                                          self->beat();
                                      }
                                  });
    }

    void beat() {
        const bool goes_on = open_.with([](Open& open) {
            for (const auto& stream : open.streams) {
                stream->beat();
            }
            return open.beats = !open.streams.empty();
        });
        if (goes_on) {
            beat_later();
        }
    }

    const Services& services_;
    Guarded<Open> open_;
};

struct Start {
    Offset at;
    std::string first;  ///< what the client is told before any event
};

/// A client that comes back, and whose last event is not where it was: the log was restored or
/// replaced, or retention has gone on. Browsers send Last-Event-ID by themselves and give up for
/// good when they are refused, so the stream goes on and says that something may be missing.
Start after_gap(std::string_view last, Offset at) {
    return {.at = at, .first = gap_event(last, at)};
}

/// Where the stream begins: behind Last-Event-ID, at `from`, else at the end. Errors: `invalid`.
Result<Start> start_of(const Call& call, const log::Log& log) {
    const std::string_view last = call.request().headers.value_or("Last-Event-ID", "");
    if (!last.empty()) {
        const auto seen = parse_position(last);
        if (!seen) {
            return std::unexpected(Error(seen.error()).in("Last-Event-ID"));
        }
        if (*seen >= log.end()) {
            return after_gap(last, log.end());
        }
        return next(*seen) < log.begin() ? after_gap(last, log.begin()) : Start{.at = next(*seen)};
    }
    const std::string from = call.query("from");
    if (from.empty()) {
        return Start{.at = log.end()};
    }
    if (from == "earliest") {
        return Start{.at = log.begin()};
    }
    const auto wanted = parse_position(from);
    if (!wanted || *wanted > log.end()) {
        return fail(ErrorKind::invalid, "from: is '" + from + "'; earliest, or a position up to " +
                                            position_text(log.end()) +
                                            ", where the next event will be, is allowed");
    }
    return Start{.at = *wanted};
}

}  // namespace

void add_stream_routes(Routes& routes) {
    const Services* services = &routes.services();
    const auto streams = std::make_shared<Streams>(*services);
    const auto seats = std::make_shared<StreamSeats>();
    services->bus.on_durable([streams](Offset) { streams->wake(); });
    routes.add(http::Method::get, "/v1/stream", auth::Permission::observe, [=](Call call) {
        const auto start = start_of(call, services->bus.log());
        if (!start) {
            call.refuse(start.error());
            return;
        }
        auto seat = seats->take(call.principal().token_id);
        if (!seat) {
            http::Response refused = http::error_response(
                429,
                {.code = "exhausted",
                 .message = "this token has " + std::to_string(StreamSeats::per_token_max) +
                            " streams open; no more are possible",
                 .hint = "close streams that are not needed, or use one for all that you follow"},
                call.request().id);
            refused.headers.set("Retry-After", "1");
            call.answer(std::move(refused));
            return;
        }
        Visibility visibility(call, services->authenticator);
        EventStream::Filter filter{.user_id = visibility.query_user(),
                                   .type = call.query("type"),
                                   .source = call.query("source")};
        http::Stream stream = call.stream(
            {.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}},
             .body = ": bascule\n\n" + start->first});
        auto open = std::make_shared<EventStream>(*services, call.principal(), std::move(seat),
                                                  std::move(stream), std::move(visibility),
                                                  std::move(filter), start->at);
        streams->add(open);
        open->wake();
    });
}

}  // namespace bascule::api
