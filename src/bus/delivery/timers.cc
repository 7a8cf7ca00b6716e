#include "bus/delivery/timers.h"

namespace bascule::delivery {

void Timers::set(std::uint32_t index, SteadyTime time) {
    if (index >= places_.size()) {
        places_.resize(index + 1, none);
    }
    const Entry entry{time, turns_++, index};
    if (!has(index)) {
        heap_.push_back({});
        rise(static_cast<std::uint32_t>(heap_.size() - 1), entry);
        return;
    }
    const std::uint32_t place = places_[index];
    if (entry.comes_before(heap_[place])) {
        rise(place, entry);
    } else {
        sink(place, entry);
    }
}

void Timers::drop(std::uint32_t index) {
    if (has(index)) {
        take(places_[index]);
    }
}

std::optional<SteadyTime> Timers::time_of(std::uint32_t index) const {
    return has(index) ? std::optional(heap_[places_[index]].time) : std::nullopt;
}

std::uint32_t Timers::take_due(SteadyTime now) {
    return heap_.empty() || heap_.front().time > now ? none : take_earliest();
}

std::uint32_t Timers::take_earliest() {
    if (heap_.empty()) {
        return none;
    }
    const std::uint32_t index = heap_.front().index;
    take(0);
    return index;
}

void Timers::put(std::uint32_t place, Entry entry) {
    heap_[place] = entry;
    places_[entry.index] = place;
}

void Timers::rise(std::uint32_t place, Entry entry) {
    while (place > 0 && entry.comes_before(heap_[(place - 1) / 2])) {
        put(place, heap_[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(place, entry);
}

void Timers::sink(std::uint32_t place, Entry entry) {
    for (std::uint32_t child; (child = 2 * place + 1) < heap_.size(); place = child) {
        if (child + 1 < heap_.size() && heap_[child + 1].comes_before(heap_[child])) {
            ++child;
        }
        if (entry.comes_before(heap_[child])) {
            break;
        }
        put(place, heap_[child]);
    }
    put(place, entry);
}

void Timers::take(std::uint32_t place) {
    places_[heap_[place].index] = none;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size()) {
        return;
    }
    if (place > 0 && last.comes_before(heap_[(place - 1) / 2])) {
        rise(place, last);
    } else {
        sink(place, last);
    }
}

}  // namespace bascule::delivery
