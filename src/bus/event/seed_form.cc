#include "bus/event/seed_form.h"

#include <cstdint>

#include "bus/event/envelope.h"
#include "foundation/json/raw.h"
#include "foundation/json/reader.h"
#include "foundation/json/writer.h"

namespace bascule::event {

namespace {

/// Reads the members of one event, each at most once.
class SeedReader {
  public:
    explicit SeedReader(std::string_view text) : reader_(text) {}

    Result<Event> read() {
        if (reader_.enter_object()) {
            while (const auto key = reader_.next_member()) {
                read_member(*key);
            }
        }
        TRY(reader_.finish());
        if (!extras_.empty()) {
            extras_ += '}';
        }
        event_.extras = std::move(extras_);
        return std::move(event_);
    }

  private:
    void read_member(const json::Text& key) {
        if (key == "eventId") {
            once(0, "/eventId");
            event_.event_id = read_text(reader_, "/eventId");
        } else if (key == "eventType") {
            once(1, "/eventType");
            event_.event_type = read_text(reader_, "/eventType");
        } else if (key == "eventVersion") {
            once(2, "/eventVersion");
            if (std::string version = read_text(reader_, "/eventVersion"); !version.empty()) {
                event_.event_version = std::move(version);
            }
        } else if (key == "timestamp") {
            once(3, "/timestamp");
            event_.timestamp = read_timestamp(reader_, "/timestamp");
        } else if (key == "source") {
            once(4, "/source");
            event_.source = read_text(reader_, "/source");
        } else if (key == "userId") {
            once(5, "/userId");
            event_.user_id = read_text(reader_, "/userId");
        } else if (key == "correlationId") {
            once(6, "/correlationId");
            event_.correlation_id = read_text(reader_, "/correlationId");
        } else if (key == "causationId") {
            once(7, "/causationId");
            event_.causation_id = read_text(reader_, "/causationId");
        } else if (key == "data") {
            once(8, "/data");
            event_.data = read_object(reader_, "/data");
        } else if (key == "metadata") {
            once(9, "/metadata");
            event_.metadata = read_object(reader_, "/metadata");
        } else {
            keep(key);
        }
    }

    /// A second `userId` would make the event mean one thing to us and another to the next reader.
    void once(unsigned index, std::string_view pointer) {
        const std::uint32_t bit = 1U << index;
        if ((seen_ & bit) != 0) {
            reader_.refuse(std::string(pointer) + ": appears twice");
        }
        seen_ |= bit;
    }

    void keep(const json::Text& key) {
        extras_ += extras_.empty() ? "{\"" : ",\"";
        extras_.append(key.raw()).append("\":").append(reader_.skip());
    }

    json::Reader reader_;
    Event event_;
    std::string extras_;
    std::uint32_t seen_ = 0;
};

}  // namespace

Result<Event> parse_seed(std::string_view text) { return SeedReader(text).read(); }

std::string to_seed_json(const EventView& event) {
    std::string out;
    out.reserve(320 + event.data.size() + event.metadata.size() + event.extras.size());
    json::Writer writer(out);
    writer.begin_object();
    writer.member("eventId", event.event_id)
        .member("eventType", event.event_type)
        .member("eventVersion", event.event_version);
    writer.member("timestamp", to_unix_ms(event.timestamp))
        .member("source", event.source)
        .member("userId", event.user_id);
    if (!event.correlation_id.empty()) {
        writer.member("correlationId", event.correlation_id);
    }
    if (!event.causation_id.empty()) {
        writer.member("causationId", event.causation_id);
    }
    const std::string_view payload = payload_of(event);
    writer.member_raw("data", payload.empty() ? "{}" : payload);
    if (!event.metadata.empty()) {
        writer.member_raw("metadata", event.metadata);
    }
    if (event.form == Form::seed) {
        writer.members_of(event.extras);
    } else {
        append_unknown_of_detail(writer, event.data);
    }
    writer.end_object();
    return out;
}

}  // namespace bascule::event
