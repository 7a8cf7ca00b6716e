#pragma once

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

namespace bascule::pattern {

/// Where a value lies among the arrays of its event: which element of which array, and of which
/// array around that, and so on. 0 = in no array.
using Place = std::uint32_t;

/// A value that some rule asks for.
struct Value {
    Leaf::Kind kind = Leaf::Kind::string;
    Place place = 0;
    std::string_view text;  ///< a string decoded; a number or word as written
    NumberKey number;       ///< of a number

    Number as_number() const { return {number, text}; }
};

/// The elements of all arrays of an event, in the order in which they begin: what lies in an
/// element follows it, up to the end of its array.
class Places {
  public:
    void clear();

    std::uint32_t open_array(Place outer);
    Place next_element(std::uint32_t array);
    void close_array(std::uint32_t array) { arrays_[array].end = size(); }

    Place outer(std::uint32_t array) const { return arrays_[array].outer; }

    /// Two places that cannot be in use together lie in different elements of one array: these.
    struct Conflict {
        Place left = 0;  ///< 0 = no conflict
        Place right = 0;
        Place array_end = 0;  ///< the first place behind that array
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
class EventValues {
  public:
    /// Forgets the last event; fields are below `fields`.
    void begin(std::size_t fields);

    void add(Field field, const Value& value);

    /// Values added since the last mark can be taken back: a part of an event was not JSON after
    /// all.
    void mark();
    void take_back();

    /// Brings the values of each field into the order of their places.
    void finish();

    /// Fields with values, in the order of their first.
    std::span<const Field> fields() const { return touched_; }

    std::span<const Value> values(Field field) const { return slots_[field].values; }
    /// Whether some of the field's values lie in arrays.
    bool in_arrays(Field field) const { return slots_[field].in_arrays; }
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
        bool in_order = true;
        bool in_arrays = false;
    };

    std::vector<Slot> slots_;
    std::vector<Field> touched_;
    std::size_t fields_in_arrays_ = 0;
    Places places_;
    std::deque<std::string> texts_;
    std::size_t texts_used_ = 0;
};

}  // namespace bascule::pattern
