#pragma once

#include <cstddef>

namespace bascule::pattern {

/// What one event may cost beside its bytes, in steps of some ten nanoseconds. Whatever an event
/// and rules can multiply is charged here, by whole loops where their length is known before.
class StepBudget {
  public:
    void begin(std::size_t steps) {
        left_ = steps;
        is_exhausted_ = false;
    }

    /// False if there are not as many steps left; then there are none any more.
    bool spend(std::size_t steps) {
        if (steps > left_) {
            left_ = 0;
            is_exhausted_ = true;
            return false;
        }
        left_ -= steps;
        return true;
    }

    std::size_t left() const { return left_; }
    /// Whether something was left undone.
    bool is_exhausted() const { return is_exhausted_; }

    /// Of comparing with a term by looking through a text.
    static constexpr std::size_t steps_for(std::size_t text_bytes) { return 1 + text_bytes / 32; }

  private:
    std::size_t left_ = 0;
    bool is_exhausted_ = false;
};

}  // namespace bascule::pattern
