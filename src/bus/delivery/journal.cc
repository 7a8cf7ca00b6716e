#include "bus/delivery/journal.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace bascule::delivery::journal {

namespace {

using std::chrono::milliseconds;

/// The first byte of an entry. Numbers are never used again for something else.
enum class Type : std::uint8_t {
    begin = 1,
    interval = 2,
    offset_list = 3,
    started = 4,
    settled = 5,
    failed = 6,
    returned = 7,
    low = 8,
    letter_opened = 9,
    letter_moved = 10,
    letter_closed = 11,
    window_changed = 12,
    window_ran = 13,
    paused = 14,
    resumed = 15,
    unit_kept = 16,
    tallied = 17,
    // 18 and 19 are facts, broker/facts.h
    breaker_changed = 20,
    draining = 21,
    moved = 22,
    passed_over = 23,
    gap_kept = 24,
    redrive_paced = 25,
};

// ── Writing ──────────────────────────────────────────────────────────────────────────────────────

/// Collects the fields of an entry and hands them to `out` in pieces: an append for each byte would
/// cost more than the encoding.
class Writer {
  public:
    Writer(std::string& out, Type type) : out_(out) { byte(static_cast<std::uint8_t>(type)); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() { out_.append(bytes_, size_); }

    Writer& number(std::uint64_t value) {
        reserve();
        for (; value >= 0x80; value >>= 7) {
            bytes_[size_++] = static_cast<char>(value | 0x80);
        }
        bytes_[size_++] = static_cast<char>(value);
        return *this;
    }
    Writer& byte(std::uint8_t value) {
        reserve();
        bytes_[size_++] = static_cast<char>(value);
        return *this;
    }
    Writer& fixed(std::uint64_t value) {
        reserve();
        for (int i = 0; i < 8; ++i) {
            bytes_[size_++] = static_cast<char>(value >> (8 * i));
        }
        return *this;
    }
    Writer& signed_number(std::int64_t value) {
        return number((static_cast<std::uint64_t>(value) << 1) ^
                      static_cast<std::uint64_t>(value >> 63));
    }
    Writer& offset(Offset value) { return number(value.value()); }
    Writer& time(WallTime value) { return signed_number(to_unix_ms(value)); }
    Writer& duration(milliseconds value) { return signed_number(value.count()); }
    Writer& text(std::string_view value) {
        value = value.substr(0, error_bytes_max);
        number(value.size());
        out_.append(bytes_, std::exchange(size_, 0));
        out_.append(value);
        return *this;
    }
    /// Ascending offsets as differences: a window of neighbours is a byte a member.
    Writer& offsets(std::span<const Offset> values) {
        number(values.size());
        std::uint64_t before = 0;
        for (const Offset value : values) {
            number(value.value() - before);
            before = value.value();
        }
        return *this;
    }
    Writer& history(const std::vector<Attempt>& attempts) {
        number(attempts.size());
        for (const Attempt& attempt : attempts) {
            time(attempt.at).text(attempt.error);
        }
        return *this;
    }

  private:
    /// Room for one more field.
    void reserve() {
        constexpr std::size_t number_bytes_max = 10;
        if (size_ > sizeof bytes_ - number_bytes_max) {
            out_.append(bytes_, std::exchange(size_, 0));
        }
    }

    std::string& out_;
    std::size_t size_ = 0;
    char bytes_[128];
};

// ── Reading ──────────────────────────────────────────────────────────────────────────────────────

/// Reads fields; after the first that is not whole or not allowed everything is zero and `failed`
/// says why.
class Fields {
  public:
    Fields(std::string_view bytes, std::size_t at) : bytes_(bytes), at_(at) {}

    const char* failed = nullptr;
    std::size_t at() const { return at_; }

    std::uint8_t byte() {
        if (at_ == bytes_.size()) {
            return refuse("is cut short");
        }
        return static_cast<std::uint8_t>(bytes_[at_++]);
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const std::uint64_t part = byte();
            if (shift == 63 && part > 1) {
                break;
            }
            value |= (part & 0x7f) << shift;
            if (part < 0x80) {
                return failed ? 0 : value;
            }
        }
        return refuse("has a number above 64 bits");
    }
    std::uint64_t fixed() {
        std::uint64_t value = 0;
        for (int i = 0; i < 8; ++i) {
            value |= std::uint64_t{byte()} << (8 * i);
        }
        return failed ? 0 : value;
    }
    std::uint64_t number_to(std::uint64_t most) {
        const std::uint64_t value = number();
        return value <= most ? value : refuse("has a value out of range");
    }
    std::uint32_t small() {
        return static_cast<std::uint32_t>(number_to(std::numeric_limits<std::uint32_t>::max()));
    }
    /// The highest offset is left free, so that one more than an offset is one, too.
    Offset offset() { return Offset(number_to(std::numeric_limits<std::uint64_t>::max() - 1)); }
    std::int64_t signed_number() {
        const std::uint64_t value = number();
        return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
    }
    WallTime time() { return from_unix_ms(within(signed_number(), time_max)); }
    milliseconds duration() { return milliseconds(within(signed_number(), duration_max)); }
    std::string_view text() {
        const std::uint64_t size = number();
        if (size > bytes_.size() - at_) {
            refuse("is cut short");
            return {};
        }
        at_ += size;
        return bytes_.substr(at_ - size, size);
    }
    std::span<const Offset> offsets(std::vector<Offset>& into) {
        into.clear();
        const std::uint64_t count = number();
        if (count > bytes_.size() - at_) {
            refuse("has more members than bytes");
            return {};
        }
        std::uint64_t value = 0;
        for (std::uint64_t i = 0; i < count && !failed; ++i) {
            const std::uint64_t step = number();
            if (step > std::numeric_limits<std::uint64_t>::max() - 1 - value ||
                (step == 0 && i > 0)) {
                refuse("has members that do not ascend");
                return {};
            }
            into.push_back(Offset(value += step));
        }
        return into;
    }
    template <class Enum>
    Enum choice(Enum most, std::uint8_t least = 1) {
        const std::uint8_t value = byte();
        if (value < least || value > static_cast<std::uint8_t>(most)) {
            refuse("has a value out of range");
            return most;
        }
        return static_cast<Enum>(value);
    }
    bool flag() { return choice<std::uint8_t>(1, 0) != 0; }
    std::vector<Attempt> history() {
        std::vector<Attempt> attempts;
        for (std::uint64_t left = number_to(letter_attempts_max); left > 0 && !failed; --left) {
            const WallTime at = time();
            attempts.push_back({at, std::string(text())});
        }
        return attempts;
    }

  private:
    // Some 20 000 years either way: differences of any two cannot overflow, not even in nanoseconds
    // of a duration.
    static constexpr std::int64_t time_max = std::int64_t{1} << 49;
    static constexpr std::int64_t duration_max = std::int64_t{1} << 42;

    std::uint8_t refuse(const char* why) {
        failed = failed ? failed : why;
        at_ = bytes_.size();
        return 0;
    }
    std::int64_t within(std::int64_t value, std::int64_t most) {
        return value >= -most && value <= most ? value : refuse("has a time out of range");
    }

    std::string_view bytes_;
    std::size_t at_;
};

Begin read_begin(Fields& in) {
    if (const auto found = in.number(); !in.failed && (found < 1 || found > version)) {
        in.failed = "has a version that this program does not know";
    }
    Begin entry;
    entry.start = in.offset();
    entry.low = in.offset();
    entry.coalesced_low = in.offset();
    entry.reopened_until = in.offset();
    entry.seen_end = in.offset();
    entry.run_next = in.number_to(std::uint64_t{1} << 47);
    Settlements& s = entry.settlements;
    for (std::uint64_t* count : {&s.done, &s.coalesced, &s.superseded, &s.discarded, &s.skipped,
                                 &s.gap, &s.expired, &s.reopened}) {
        *count = in.number();
    }
    return entry;
}

LetterOpened read_letter(Fields& in) {
    LetterOpened entry;
    LetterRef& letter = entry.letter;
    letter.offset = in.offset();
    letter.key_hash = in.fixed();
    letter.fingerprint = in.fixed();
    letter.opened = in.time();
    letter.bytes = in.small();
    letter.redrives = in.small();
    letter.lane = in.byte();
    letter.reason = in.choice(LetterReason::permanent);
    const auto way = in.choice<std::uint8_t>(2, 0);
    letter.redriving = way != 0;
    letter.paced = way == 2;
    return entry;
}

LetterMoved read_moved(Fields& in) {
    LetterMoved entry{.offset = in.offset()};
    const auto way = in.choice<std::uint8_t>(2, 0);
    entry.redriving = way != 0;
    entry.paced = way == 2;
    return entry;
}

RedrivePaced read_pace(Fields& in) {
    RedrivePaced entry;
    entry.pace.per_second = in.small();
    if (in.flag()) {
        entry.pace.canary = in.offset();
    }
    return entry;
}

WindowChanged read_window(Fields& in) {
    WindowChanged entry;
    entry.key_hash = in.fixed();
    entry.window.first = in.offset();
    entry.window.last = in.offset();
    entry.window.first_at = in.time();
    entry.window.last_at = in.time();
    entry.window.quiet = in.duration();
    entry.window.fired = in.flag();
    return entry;
}

UnitKept read_unit(Fields& in, std::vector<Offset>& scratch) {
    UnitKept entry;
    ConsumerState::Unit& unit = entry.unit;
    unit.key_hash = in.fixed();
    unit.shape = in.choice<std::uint8_t>(2, 0);
    unit.letter = in.flag();
    unit.running = in.flag();
    unit.attempts = in.small();
    unit.age = in.duration();
    unit.wait = in.duration();
    unit.at = in.time();
    if (const auto reason = in.choice<std::uint8_t>(3, 0); reason != 0) {
        unit.exhausted = static_cast<LetterReason>(reason);
    }
    unit.history = in.history();
    const auto members = in.offsets(scratch);
    unit.members.assign(members.begin(), members.end());
    return entry;
}

Entry read(Type type, Fields& in, std::vector<Offset>& scratch) {
    // Braced initialisers are evaluated from left to right: the order of the fields is the order in
    // the file.
    switch (type) {
        case Type::begin:
            return read_begin(in);
        case Type::interval:
            return Interval{in.choice(SetKind::coalesced), in.offset(), in.offset()};
        case Type::offset_list:
            return OffsetList{in.choice(ListKind::reopened), in.offsets(scratch)};
        case Type::started:
            return Started{RunId(in.number()), in.fixed(), in.choice(RunShape::window, 0),
                           in.flag(),          in.small(), in.offsets(scratch)};
        case Type::settled:
            return Settled{RunId(in.number()), in.flag(), in.offsets(scratch)};
        case Type::failed:
            return Failed{in.small(),
                          in.duration(),
                          in.duration(),
                          in.time(),
                          in.choice<std::uint8_t>(3, 0),
                          in.text(),
                          in.offsets(scratch)};
        case Type::returned:
            return Returned{in.offsets(scratch)};
        case Type::low:
            return Low{in.offset()};
        case Type::letter_opened:
            return read_letter(in);
        case Type::letter_moved:
            return read_moved(in);
        case Type::letter_closed:
            return LetterClosed{in.offset(), in.choice(LetterClosing::superseded)};
        case Type::window_changed:
            return read_window(in);
        case Type::window_ran:
            return WindowRan{in.fixed(), in.time()};
        case Type::paused:
        case Type::draining: {
            ConsumerState::Pause pause{.drain = type == Type::draining};
            pause.since = in.time();
            if (in.flag()) {
                pause.until = in.time();
            }
            pause.reason = in.text();
            return Paused{std::move(pause)};
        }
        case Type::resumed:
            return Resumed{};
        case Type::unit_kept:
            return read_unit(in, scratch);
        case Type::tallied:
            return Tallied{
                {.attempts = in.number(), .failures = in.number(), .late_answers = in.number()}};
        case Type::breaker_changed:
            return BreakerChanged{{.state = in.choice(BreakerState::half_open, 0),
                                   .trips = in.small(),
                                   .since = in.time(),
                                   .until = in.time(),
                                   .text = std::string(in.text())}};
        case Type::moved:
            return Moved{in.offset()};
        case Type::passed_over:
            return PassedOver{in.offsets(scratch)};
        case Type::gap_kept:
            return GapKept{{in.offset(), in.offset()}};
        case Type::redrive_paced:
            return read_pace(in);
    }
    in.failed = "has an unknown type";
    return Resumed{};
}

}  // namespace

void append(std::string& out, const Begin& entry) {
    Writer writer(out, Type::begin);
    writer.number(version).offset(entry.start).offset(entry.low).offset(entry.coalesced_low);
    writer.offset(entry.reopened_until).offset(entry.seen_end).number(entry.run_next);
    const Settlements& s = entry.settlements;
    for (const std::uint64_t count : {s.done, s.coalesced, s.superseded, s.discarded, s.skipped,
                                      s.gap, s.expired, s.reopened}) {
        writer.number(count);
    }
}

void append(std::string& out, const Interval& entry) {
    Writer(out, Type::interval)
        .number(static_cast<std::uint8_t>(entry.set))
        .offset(entry.first)
        .offset(entry.end);
}

void append(std::string& out, const OffsetList& entry) {
    Writer(out, Type::offset_list)
        .number(static_cast<std::uint8_t>(entry.list))
        .offsets(entry.offsets);
}

void append(std::string& out, const Started& entry) {
    Writer(out, Type::started)
        .number(entry.run.value())
        .fixed(entry.key_hash)
        .number(static_cast<std::uint8_t>(entry.shape))
        .number(entry.letter)
        .number(entry.attempt)
        .offsets(entry.members);
}

void append(std::string& out, const Settled& entry) {
    Writer(out, Type::settled)
        .number(entry.run.value())
        .number(entry.coalesced)
        .offsets(entry.members);
}

void append(std::string& out, const Failed& entry) {
    Writer(out, Type::failed)
        .number(entry.attempts)
        .duration(entry.age)
        .duration(entry.wait)
        .time(entry.at)
        .number(entry.exhausted)
        .text(entry.error)
        .offsets(entry.members);
}

void append(std::string& out, const Returned& entry) {
    Writer(out, Type::returned).offsets(entry.members);
}

void append(std::string& out, const Low& entry) { Writer(out, Type::low).offset(entry.offset); }

namespace {

std::uint8_t way_of(bool redriving, bool paced) { return !redriving ? 0 : paced ? 2 : 1; }

}  // namespace

void append(std::string& out, const LetterOpened& entry) {
    const LetterRef& letter = entry.letter;
    Writer(out, Type::letter_opened)
        .offset(letter.offset)
        .fixed(letter.key_hash)
        .fixed(letter.fingerprint)
        .time(letter.opened)
        .number(letter.bytes)
        .number(letter.redrives)
        .byte(letter.lane)
        .number(static_cast<std::uint8_t>(letter.reason))
        .number(way_of(letter.redriving, letter.paced));
}

void append(std::string& out, const LetterMoved& entry) {
    Writer(out, Type::letter_moved)
        .offset(entry.offset)
        .number(way_of(entry.redriving, entry.paced));
}

void append(std::string& out, const LetterClosed& entry) {
    Writer(out, Type::letter_closed)
        .offset(entry.offset)
        .number(static_cast<std::uint8_t>(entry.how));
}

void append(std::string& out, const WindowChanged& entry) {
    const ConsumerState::Window& window = entry.window;
    Writer(out, Type::window_changed)
        .fixed(entry.key_hash)
        .offset(window.first)
        .offset(window.last)
        .time(window.first_at)
        .time(window.last_at)
        .duration(window.quiet)
        .number(window.fired);
}

void append(std::string& out, const WindowRan& entry) {
    Writer(out, Type::window_ran).fixed(entry.key_hash).time(entry.at);
}

void append(std::string& out, const Paused& entry) {
    Writer writer(out, entry.pause.drain ? Type::draining : Type::paused);
    writer.time(entry.pause.since).number(entry.pause.until.has_value());
    if (entry.pause.until) {
        writer.time(*entry.pause.until);
    }
    writer.text(entry.pause.reason);
}

void append(std::string& out, const Resumed&) { Writer(out, Type::resumed); }

void append(std::string& out, const UnitKept& entry) {
    const ConsumerState::Unit& unit = entry.unit;
    Writer(out, Type::unit_kept)
        .fixed(unit.key_hash)
        .number(unit.shape)
        .number(unit.letter)
        .number(unit.running)
        .number(unit.attempts)
        .duration(unit.age)
        .duration(unit.wait)
        .time(unit.at)
        .number(unit.exhausted ? static_cast<std::uint8_t>(*unit.exhausted) : 0)
        .history(unit.history)
        .offsets(unit.members);
}

void append(std::string& out, const Tallied& entry) {
    Writer(out, Type::tallied)
        .number(entry.tally.attempts)
        .number(entry.tally.failures)
        .number(entry.tally.late_answers);
}

void append(std::string& out, const BreakerChanged& entry) {
    Writer(out, Type::breaker_changed)
        .byte(static_cast<std::uint8_t>(entry.breaker.state))
        .number(entry.breaker.trips)
        .time(entry.breaker.since)
        .time(entry.breaker.until)
        .text(entry.breaker.text);
}

void append(std::string& out, const Moved& entry) { Writer(out, Type::moved).offset(entry.to); }

void append(std::string& out, const PassedOver& entry) {
    Writer(out, Type::passed_over).offsets(entry.members);
}

void append(std::string& out, const GapKept& entry) {
    Writer(out, Type::gap_kept).offset(entry.gap.first).offset(entry.gap.end);
}

void append(std::string& out, const RedrivePaced& entry) {
    const auto& canary = entry.pace.canary;
    Writer writer(out, Type::redrive_paced);
    writer.number(entry.pace.per_second).number(canary.has_value());
    if (canary) {
        writer.offset(*canary);
    }
}

std::vector<std::string_view> pieces(std::string_view entries, std::size_t bytes_max) {
    std::vector<std::string_view> found;
    std::size_t begin = 0;  // of the piece
    std::size_t end = 0;    // of the entry before
    for (Reader reader(entries); !reader.at_end(); end = reader.position()) {
        if (!reader.next()) {
            break;  // not written by us: the rest is left as it is
        }
        if (begin < end && reader.position() - begin > bytes_max) {
            found.push_back(entries.substr(begin, end - begin));
            begin = end;
        }
    }
    if (begin < entries.size()) {
        found.push_back(entries.substr(begin));
    }
    return found;
}

Result<Entry> Reader::next() {
    Fields in(bytes_, at_);
    const auto type = static_cast<Type>(in.byte());
    Entry entry = read(type, in, offsets_);
    if (in.failed) {
        return fail(ErrorKind::corrupt, "journal entry of type " +
                                            std::to_string(static_cast<int>(type)) + " at byte " +
                                            std::to_string(at_) + " " + in.failed);
    }
    at_ = in.at();
    return entry;
}

}  // namespace bascule::delivery::journal
