#include "bus/event/validate.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "bus/event/data_validator.h"
#include "bus/event/envelope.h"
#include "bus/event/types.h"
#include "foundation/json/raw.h"
#include "foundation/json/writer.h"

namespace bascule::event {

namespace {

constexpr std::int64_t timestamp_ms_max = 253402300799999;  // the end of the year 9999

std::string quoted(std::string_view text) {
    std::string out;
    json::append_string(out, text.substr(0, std::min<std::size_t>(text.size(), 100)));
    return shown(out);
}

bool is_type_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/// At least two words of letters, digits, `_` and `-`, joined by points.
bool is_noun_verb(std::string_view type) {
    bool has_point = false;
    char before = '.';
    for (const char c : type) {
        if (c == '.' ? before == '.' : !is_type_character(c)) {
            return false;
        }
        has_point |= c == '.';
        before = c;
    }
    return has_point && before != '.';
}

/// `major.minor`, digits.
bool is_version(std::string_view version) {
    const std::size_t point = version.find('.');
    const auto is_digits = [](std::string_view text) {
        return !text.empty() &&
               std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    return point != std::string_view::npos && is_digits(version.substr(0, point)) &&
           is_digits(version.substr(point + 1));
}

std::string_view major_of(std::string_view version) { return version.substr(0, version.find('.')); }

/// What is not printed but steers the printing, at the beginning of `text`:
///
///     C0, DEL              00–1F, 7F            break lines of logs and event streams
///     C1                   C2 80–9F             the same
///     U+2028, U+2029       E2 80 A8–A9          line and paragraph separator
///     U+202A to U+202E     E2 80 AA–AE          bidirectional embeddings and overrides:
///     U+2066 to U+2069     E2 81 A6–A9          one id would be shown as another
bool begins_with_control(std::string_view text) {
    const auto byte = [&](std::size_t at) {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0xff;
    };
    switch (byte(0)) {
        case 0xc2:
            return byte(1) <= 0x9f;
        case 0xe2:
            return (byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae) ||
                   (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9);
        default:
            return byte(0) < 0x20 || byte(0) == 0x7f;
    }
}

/// The top bit of every byte that is beyond ASCII or does not print, and perhaps of others behind
/// one: (x - n…) & ~x & 0x80… finds bytes below n where there are any.
std::uint64_t odd_bytes(std::uint64_t word) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    const std::uint64_t no_delete = word ^ (ones * 0x7f);
    return (word | ((word - ones * 0x20) & ~word) | ((no_delete - ones) & ~no_delete)) &
           (ones * 0x80);
}

/// Whether all of `text` is ASCII that prints.
bool is_plain(std::string_view text) {
    std::uint64_t odd = 0;
    std::uint64_t word = 0;
    for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
        std::memcpy(&word, text.data(), sizeof word);
        odd |= odd_bytes(word);
    }
    for (const char c : text) {
        odd |= c < 0x20 || c == 0x7f ? 1 : 0;  // beyond ASCII it is negative
    }
    return odd == 0;
}

bool has_control_characters(std::string_view text) {
    if (is_plain(text)) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (begins_with_control(text.substr(i))) {
            return true;
        }
    }
    return false;
}

class EnvelopeCheck {
  public:
    EnvelopeCheck(const EventView& event, const Policy& policy, std::vector<Fault>& faults)
        : event_(event), policy_(policy), faults_(faults) {}

    void run() {
        ids();
        type();
        time_and_source();
        payload();
    }

  private:
    void ids() {
        filled("/eventId", event_.event_id, event_id_bytes_max);
        if (event_.form == Form::seed && !event_.event_type.starts_with("bus.")) {
            filled("/userId", event_.user_id, user_id_bytes_max);
        } else {
            clean("/userId", event_.user_id, user_id_bytes_max);
        }
        clean("/correlationId", event_.correlation_id, correlation_id_bytes_max);
        clean("/causationId", event_.causation_id, correlation_id_bytes_max);
        clean("/replayId", event_.replay_id, correlation_id_bytes_max);
    }

    void type() {
        if (filled("/eventType", event_.event_type, event_type_bytes_max) &&
            event_.form == Form::seed && !is_noun_verb(event_.event_type)) {
            add("/eventType",
                "must be noun.verb (words of letters, digits, '_' and '-' joined by points), is " +
                    quoted(event_.event_type));
        }
        if (clean("/eventVersion", event_.event_version, event_version_bytes_max) &&
            !is_version(event_.event_version)) {
            add("/eventVersion", "must be major.minor, is " + quoted(event_.event_version));
        }
    }

    void time_and_source() {
        const std::int64_t ms = to_unix_ms(event_.timestamp);
        if (ms == 0) {
            add("/timestamp", "is missing; must be an integer, Unix time in ms");
        } else if (ms < 0 || ms > timestamp_ms_max) {
            add("/timestamp", "must be Unix time in ms, 1 to " + std::to_string(timestamp_ms_max) +
                                  ", is " + std::to_string(ms));
        }
        if (filled("/source", event_.source, source_bytes_max) &&
            event_.source.starts_with("aws.")) {
            add("/source", "must not begin with \"aws.\", is " + quoted(event_.source));
        }
    }

    void payload() {
        if (!event_.metadata.empty() && !json::is_valid_object(event_.metadata)) {
            add("/metadata", "must be an object, is " + shown(event_.metadata));
        }
        if (event_.data.empty()) {
            add("/data", "is missing; must be an object");
            return;
        }
        const Type* const known = type_named(event_.event_type);
        if (known == nullptr) {
            unknown_type();
        } else if (major_of(event_.event_version) != major_of(catalogue_version)) {
            add("/eventVersion", std::string(known->name) + " is known here in version " +
                                     std::string(catalogue_version) + ", not " +
                                     quoted(event_.event_version));
        } else {
            check_data(*known, payload_of(event_), policy_.faults_max, faults_);
        }
    }

    void unknown_type() {
        if (policy_.unknown_types == UnknownTypes::refuse) {
            add("/eventType", "is not in the catalogue: " + quoted(event_.event_type));
        }
        if (!json::is_valid_object(event_.data)) {
            add("/data", "must be an object, is " + shown(event_.data));
        }
    }

    bool filled(const char* pointer, std::string_view text, std::size_t bytes_max) {
        if (text.empty()) {
            add(pointer,
                "is missing; must be a string of 1 to " + std::to_string(bytes_max) + " bytes");
            return false;
        }
        return clean(pointer, text, bytes_max);
    }

    /// Short enough, and of printable characters.
    bool clean(const char* pointer, std::string_view text, std::size_t bytes_max) {
        if (text.size() > bytes_max) {
            add(pointer, "has " + std::to_string(text.size()) + " bytes; at most " +
                             std::to_string(bytes_max) + " are allowed: " + quoted(text));
            return false;
        }
        if (has_control_characters(text)) {
            add(pointer, "must not contain control characters, is " + quoted(text));
            return false;
        }
        return true;
    }

    void add(const char* pointer, std::string message) {
        if (faults_.size() < policy_.faults_max) {
            faults_.push_back({pointer, std::move(message)});
        }
    }

    const EventView& event_;
    const Policy& policy_;
    std::vector<Fault>& faults_;
};

}  // namespace

std::vector<Fault> faults_of(const EventView& event, const Policy& policy) {
    std::vector<Fault> faults;
    EnvelopeCheck(event, policy, faults).run();
    return faults;
}

Result<> validate(const EventView& event, const Policy& policy) {
    const std::vector<Fault> faults = faults_of(event, policy);
    if (faults.empty()) {
        return {};
    }
    std::string message;
    for (const Fault& fault : faults) {
        message += message.empty() ? "" : "; ";
        message += fault.text();
    }
    return fail(ErrorKind::invalid, std::move(message));
}

Result<> validate(const Event& event, const Policy& policy) {
    return validate(view_of(event), policy);
}

Result<std::vector<Fault>> faults_of_data(std::string_view event_type, std::string_view data) {
    const Type* const type = type_named(event_type);
    if (type == nullptr) {
        return fail(ErrorKind::not_found, "the catalogue has no event type " + quoted(event_type));
    }
    std::vector<Fault> faults;
    check_data(*type, data, Policy().faults_max, faults);
    return faults;
}

}  // namespace bascule::event
