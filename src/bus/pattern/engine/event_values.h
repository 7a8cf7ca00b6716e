#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/engine/number_key.h"
#include "bus/pattern/engine/path_trie.h"
#include "bus/pattern/term.h"
#include "foundation/base/text_hash.h"

namespace bascule::pattern {

/// Where a value lies among the arrays of its event: which element of which array, and of which
/// array around that, and so on. 0 = in no array.
using Place = std::uint32_t;

/// A value that some rule asks for.
struct Value {
    /// The hash of the text, if it is known.
    Value(Leaf::Kind kind, Place place, std::string_view text, std::uint64_t hash = 0)
        : kind(kind), place(place), text(text), hash_(hash) {}

    Leaf::Kind kind;
    Place place;
    std::string_view text;  ///< a string decoded; a number or word as written
    NumberKey key;          ///< of a number

    Number number() const { return {key, text}; }
    /// Whether patterns compare with this number at all.
    bool is_comparable() const {
        if (comparable_ == Answer::unknown) {
            comparable_ = pattern::is_comparable(number()) ? Answer::yes : Answer::no;
        }
        return comparable_ == Answer::yes;
    }

    /// Of the text.
    std::uint64_t hash() const {
        if (hash_ == 0) {
            hash_ = hash_of_text(text);
        }
        return hash_;
    }

  private:
    // What costs something is found out when it is first asked for. A value belongs to the one
    // thread that matches its event.
    enum class Answer : std::uint8_t { unknown, yes, no };
    mutable Answer comparable_ = Answer::unknown;
    mutable std::uint64_t hash_;
};

/// The elements of all arrays of an event, in the order in which they begin: what lies in an
/// element follows it, up to the end of its array.
class Places {
  public:
    void clear();

    std::uint32_t open_array(Place outer);
    Place next_element(std::uint32_t array) {
        elements_.push_back({arrays_[array].outer, array});
        return size() - 1;
    }
    void close_array(std::uint32_t array) { arrays_[array].end = size(); }

    Place outer(std::uint32_t array) const { return arrays_[array].outer; }

    /// That its buffers take.
    std::size_t memory_bytes() const {
        return elements_.capacity() * sizeof(Element) + arrays_.capacity() * sizeof(Array);
    }

    /// The array whose element a place is; the place is in some array.
    std::uint32_t array_of(Place place) const { return elements_[place].array; }

    /// Two places that cannot be in use together lie in different elements of one array: these.
    struct Conflict {
        Place left = 0;  ///< 0 = no conflict
        Place right = 0;
        Place array_end = 0;        ///< the first place behind that array
        std::uint32_t climbed = 0;  ///< arrays that were looked at to say so
    };
    Conflict conflict(Place left, Place right) const {
        if (left == right || left == 0 || right == 0) {
            return {};
        }
        if (elements_[left].array == elements_[right].array) {
            return {left, right, arrays_[elements_[left].array].end};
        }
        return distant_conflict(left, right);
    }

  private:
    struct Element {
        Place outer = 0;
        std::uint32_t array = 0;
    };
    struct Array {
        Place outer = 0;
        Place end = 0;
    };
    Conflict distant_conflict(Place left, Place right) const;
    Place size() const { return static_cast<Place>(elements_.size()); }

    std::vector<Element> elements_{Element{}};  ///< the first stands for no array
    std::vector<Array> arrays_;
};

/// The values of one event by field; emptied and filled for each event.
///
/// Memory:  sizeof(Value) for each value, what decoded strings take, 8 bytes for each array and
/// each
///          element that holds something. Kept for the next event up
///          to `kept_bytes_max` for all fields together; beyond that all is given back.
class EventValues {
  public:
    static constexpr std::size_t kept_bytes_max = std::size_t{4} << 20;

    /// Forgets the last event; fields are below `fields`.
    void begin(std::size_t fields);

    /// The value that was added, for what is still to be said of it.
    Value& add(Field field, Leaf::Kind kind, Place place, std::string_view text,
               std::uint64_t hash = 0) {
        Slot& slot = slots_[field];
        if (slot.values.empty()) {
            touched_[touched_count_++] = field;
        } else if (place < slot.values.back().place) {
            slot.in_order = false;
        }
        greatest_place_ = std::max(greatest_place_, place);
        if (slot.values.size() == slot.values.capacity()) {
            grow(slot);
        }
        return slot.values.emplace_back(kind, place, text, hash);
    }

    /// Values added since the last mark can be taken back: a part of an event was not JSON after
    /// all.
    void mark();
    void take_back();
    /// The same of one field, which had a value then.
    void take_back(Field field);

    /// Brings the values of each field into the order of their places.
    void finish();

    /// Fields with values, in the order of their first.
    std::span<const Field> fields() const { return {touched_.data(), touched_count_}; }

    std::span<const Value> values(Field field) const { return slots_[field].values; }
    /// Whether some of the field's values lie in arrays.
    bool in_arrays(Field field) const { return slots_[field].in_arrays; }
    /// Of such a field: the array in whose elements all its values lie, each directly, if there is
    /// one; then two values lie together only if their places are equal.
    static constexpr std::uint32_t no_array = UINT32_MAX;
    std::uint32_t row_array(Field field) const { return slots_[field].row_array; }
    /// How many such fields there are.
    std::size_t fields_in_arrays() const { return fields_in_arrays_; }

    Places& places() { return places_; }
    const Places& places() const { return places_; }

    /// A string that lives until the next event.
    std::string& text();

  private:
    struct Slot {
        std::vector<Value> values;
        std::size_t marked = 0;  ///< values when the last mark was set
        std::uint32_t row_array = no_array;
        bool in_order = true;
        bool in_arrays = false;
    };
    std::uint32_t common_array(const Slot& slot) const;
    // Apart from `add`, which is worth being in line.
    void grow(Slot& slot);
    void give_back();

    std::vector<Slot> slots_;
    std::vector<Field> touched_;  ///< as many as there are slots; the first `touched_count_` count
    std::size_t touched_count_ = 0;
    Place greatest_place_ = 0;
    std::size_t fields_in_arrays_ = 0;
    Places places_;
    std::deque<std::string> texts_;
    std::size_t texts_used_ = 0;
    std::size_t kept_bytes_ = 0;  ///< of the buffers in `slots_`, and of `texts_` not in use
};

}  // namespace bascule::pattern
