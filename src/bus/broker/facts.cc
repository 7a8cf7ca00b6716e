#include "bus/broker/facts.h"

#include <algorithm>

#include "bus/event/body.h"
#include "foundation/base/hash.h"

namespace bascule::broker {

namespace {

// Types of entries; those below are delivery's.
constexpr char type_fact = 18;  // number, record body
constexpr char type_told = 19;  // number
constexpr std::size_t number_bytes = 8;

std::string entry(char type, std::uint64_t number) {
    std::string out(1, type);
    for (std::size_t i = 0; i < number_bytes; ++i) {  // little-endian
        out.push_back(static_cast<char>(number >> (8 * i)));
    }
    return out;
}

std::uint64_t number_of(std::string_view bytes) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < number_bytes; ++i) {
        number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return number;
}

std::size_t size_of(const event::Event& event) {
    return event.data.size() + event.metadata.size() + event.event_type.size();
}

}  // namespace

const std::uint64_t Facts::producer = hash64("bascule/facts");

std::string Facts::entry_of(const Fact& fact) {
    return entry(type_fact, fact.number) + event::encode_body(fact.event);
}

Result<> Facts::apply(std::string_view bytes) {
    const bool is_fact = bytes.starts_with(type_fact);
    if (bytes.size() < 1 + number_bytes || !(is_fact || bytes.starts_with(type_told))) {
        return fail(ErrorKind::corrupt, "delivery journal: an entry about no consumer is no fact");
    }
    const std::uint64_t number = number_of(bytes.substr(1));
    if (!is_fact) {
        told(number);
        return {};
    }
    const event::EventView event = TRY(event::decode_body(bytes.substr(1 + number_bytes)));
    waiting_.push_back({number, event::owned(event)});
    last_ = std::max(last_, number);
    return {};
}

void Facts::begin(std::uint64_t highest_in_log) {
    told(highest_in_log);
    last_ = std::max(last_, highest_in_log);
    written_ = durable_ = last_;
}

void Facts::add(std::vector<event::Event> facts) {
    for (event::Event& fact : facts) {
        waiting_.push_back({++last_, std::move(fact)});
    }
}

std::vector<std::string> Facts::take_entries() {
    std::vector<std::string> entries;
    if (std::exchange(told_unwritten_, false)) {
        entries.push_back(entry(type_told, told_));
    }
    const auto first = std::ranges::upper_bound(waiting_, written_, {}, &Fact::number);
    for (auto fact = first; fact != waiting_.end(); ++fact) {
        entries.push_back(entry_of(*fact));
    }
    written_ = last_;
    return entries;
}

std::vector<std::string> Facts::snapshot() const {
    std::vector<std::string> entries;
    for (const Fact& fact : waiting_) {
        entries.push_back(entry_of(fact));
    }
    return entries;
}

void Facts::durable(std::uint64_t number) { durable_ = std::max(durable_, number); }

Facts::Batch Facts::batch() const {
    Batch batch;
    std::size_t bytes = 0;
    for (const Fact& fact : waiting_) {
        const bool follows =
            batch.events.empty() || fact.number == batch.first + batch.events.size();
        if (fact.number > durable_ || !follows || batch.events.size() == batch_events_max ||
            bytes > batch_bytes_max) {
            break;
        }
        if (batch.events.empty()) {
            batch.first = fact.number;
        }
        bytes += size_of(fact.event);
        batch.events.push_back(fact.event);
    }
    return batch;
}

void Facts::told(std::uint64_t number) {
    while (!waiting_.empty() && waiting_.front().number <= number) {
        waiting_.pop_front();
        told_ = number;
        told_unwritten_ = true;
    }
}

}  // namespace bascule::broker
