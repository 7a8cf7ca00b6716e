#pragma once

#include <cstddef>

namespace bascule::pattern {

/// What one event may cost beside its bytes, in steps of some ten nanoseconds. Whatever an event
/// and rules can multiply is charged here, by whole loops where their length is known before.
class StepBudget {
  public:
    void begin(std::size_t steps) {
        left_ = steps * glances_a_step;
        is_exhausted_ = false;
    }

    /// False if there are not as many steps left; then there are none any more.
    bool spend(std::size_t steps) { return spend_glances(steps * glances_a_step); }

    /// The same of what takes only a few instructions, but may be multiplied as well: to see that
    /// what was found is known already, or that two numbers differ.
    bool spend_glances(std::size_t glances) {
        if (glances > left_) {
            left_ = 0;
            is_exhausted_ = true;
            return false;
        }
        left_ -= glances;
        return true;
    }

    std::size_t left() const { return left_ / glances_a_step; }
    /// Whether something was left undone.
    bool is_exhausted() const { return is_exhausted_; }

    /// Of comparing with a term by looking through a text.
    static constexpr std::size_t steps_for(std::size_t text_bytes) { return 1 + text_bytes / 32; }

  private:
    static constexpr std::size_t glances_a_step = 8;

    std::size_t left_ = 0;  ///< in glances
    bool is_exhausted_ = false;
};

}  // namespace bascule::pattern
