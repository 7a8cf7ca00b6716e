#include "bus/pattern/engine/event_values.h"

#include <algorithm>

namespace bascule::pattern {

namespace {

std::size_t bytes_of(const std::string& text) { return sizeof(text) + text.capacity(); }

}  // namespace

void Places::clear() {
    elements_.resize(1);
    arrays_.clear();
}

std::uint32_t Places::open_array(Place outer) {
    arrays_.push_back({outer, 0});
    return static_cast<std::uint32_t>(arrays_.size() - 1);
}

/// Climbs from both until they meet: what lies in a place has a greater number than the place.
Places::Conflict Places::distant_conflict(Place left, Place right) const {
    Place below_left = 0;
    Place below_right = 0;
    std::uint32_t climbed = 0;
    for (; left != right; ++climbed) {
        if (left > right) {
            below_left = left;
            left = elements_[left].outer;
        } else {
            below_right = right;
            right = elements_[right].outer;
        }
    }
    if (below_left == 0 || below_right == 0 ||
        elements_[below_left].array != elements_[below_right].array) {
        return {.climbed = climbed};
    }
    return {below_left, below_right, arrays_[elements_[below_left].array].end, climbed};
}

void EventValues::begin(std::size_t fields) {
    for (const Field field : this->fields()) {
        Slot& slot = slots_[field];
        slot.values.clear();
        slot.marked = 0;
        slot.row_array = no_array;
        slot.in_order = true;
        slot.in_arrays = false;
    }
    touched_count_ = 0;
    greatest_place_ = 0;
    fields_in_arrays_ = 0;
    places_.clear();
    for (; texts_used_ > 0; --texts_used_) {
        kept_bytes_ += bytes_of(texts_[texts_used_ - 1]);
    }
    if (kept_bytes_ + places_.memory_bytes() > kept_bytes_max) {
        give_back();
    }
    if (slots_.size() < fields) {
        slots_.resize(fields);
        touched_.resize(fields);
    }
}

void EventValues::grow(Slot& slot) {
    const std::size_t before = slot.values.capacity();
    slot.values.reserve(slot.values.size() * 2 + 1);
    kept_bytes_ += (slot.values.capacity() - before) * sizeof(Value);
}

/// Each field may have met its largest event, and so may each of the decoded strings: together they
/// would take far more than any one event.
void EventValues::give_back() {
    slots_ = {};
    texts_ = {};
    places_ = {};
    kept_bytes_ = 0;
}

void EventValues::mark() {
    for (const Field field : fields()) {
        slots_[field].marked = slots_[field].values.size();
    }
}

void EventValues::take_back() {
    for (const Field field : fields()) {
        take_back(field);
    }
    const auto begin = touched_.begin();
    const auto end = begin + static_cast<std::ptrdiff_t>(touched_count_);
    const auto kept =
        std::remove_if(begin, end, [&](Field field) { return slots_[field].values.empty(); });
    touched_count_ = static_cast<std::size_t>(kept - begin);
}

void EventValues::take_back(Field field) {
    auto& values = slots_[field].values;
    values.erase(values.begin() + static_cast<std::ptrdiff_t>(slots_[field].marked), values.end());
}

void EventValues::finish() {
    if (greatest_place_ == 0) {
        return;  // mostly nothing lies in an array
    }
    for (const Field field : fields()) {
        Slot& slot = slots_[field];
        if (!slot.in_order) {
            std::sort(
                slot.values.begin(), slot.values.end(),
                [](const Value& left, const Value& right) { return left.place < right.place; });
        }
        if (slot.values.back().place != 0) {
            slot.in_arrays = true;
            slot.row_array = common_array(slot);
            ++fields_in_arrays_;
        }
    }
}

std::uint32_t EventValues::common_array(const Slot& slot) const {
    if (slot.values.front().place == 0) {
        return no_array;
    }
    const std::uint32_t array = places_.array_of(slot.values.front().place);
    const bool is_common =
        std::all_of(slot.values.begin(), slot.values.end(),
                    [&](const Value& value) { return places_.array_of(value.place) == array; });
    return is_common ? array : no_array;
}

std::string& EventValues::text() {
    if (texts_used_ == texts_.size()) {
        kept_bytes_ += bytes_of(texts_.emplace_back());
    }
    std::string& text = texts_[texts_used_++];
    kept_bytes_ -= bytes_of(text);
    return text;
}

}  // namespace bascule::pattern
