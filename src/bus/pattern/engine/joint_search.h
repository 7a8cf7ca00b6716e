#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bus/pattern/engine/event_values.h"
#include "bus/pattern/engine/predicate.h"

namespace bascule::pattern {

/// Looks for one choice of a value for each of some fields in which no array is used with two of
/// its elements.
///
/// Fields are taken in the order they are given. A field that allows absence is absent if none of
/// its values can be joined with those chosen before it.
///
/// Depth first. Values lie in the order of their places, so elements that cannot be joined with the
/// chosen ones are jumped over together. Where no value of a field fits, the choice that is changed
/// next is the last one that stood in its way, not just the last one (conflict-directed
/// backjumping, Prosser 1993).
class JointSearch {
  public:
    /// Forgets the fields.
    void begin(const EventValues& values);
    void add(const Predicate& predicate) { push({.predicate = &predicate}); }
    /// A field whose choice is made: its i-th value, which lies there.
    void add_chosen(std::size_t i, Place place) { push({.chosen = place, .index = i}); }

    enum class Verdict : std::uint8_t {
        found,
        none,      ///< with the choice made by add_chosen
        never,     ///< nor with any other
        given_up,  ///< after steps_max steps
    };
    Verdict run(std::size_t steps_max);

    /// Of the last run.
    std::size_t steps() const { return steps_; }

  private:
    struct Level {
        const Predicate* predicate = nullptr;
        Place chosen = 0;
        std::size_t index = 0;  ///< of the chosen value among its field's
    };
    void push(const Level& level) {
        if (count_ == levels_.size()) {
            levels_.emplace_back();
        }
        levels_[count_++] = level;
    }

    /// Levels as bits; the last bit stands for its level and all behind.
    using Levels = std::uint64_t;
    static constexpr std::size_t last_bit = 63;
    static Levels bit(std::size_t level) {
        return Levels{1} << (level < last_bit ? level : last_bit);
    }
    static Levels before(std::size_t level) {
        return level > last_bit ? ~Levels{0} : bit(level) - 1;
    }

    struct Outcome {
        bool found = false;
        Levels culprits = 0;  ///< levels of which one must change before anything can be found
    };
    Outcome from(std::size_t level);
    Outcome choose(std::size_t level);
    struct Obstacle {
        Places::Conflict conflict;
        std::size_t level = 0;  ///< whose choice is in conflict
    };
    Obstacle obstacle(std::size_t level, Place place);
    std::size_t behind(const Obstacle& obstacle, std::span<const Value> values,
                       std::size_t i) const;

    const EventValues* values_ = nullptr;
    std::vector<Level> levels_;
    std::size_t count_ = 0;  ///< of them in use
    std::size_t steps_ = 0;
    std::size_t steps_max_ = 0;
};

}  // namespace bascule::pattern
