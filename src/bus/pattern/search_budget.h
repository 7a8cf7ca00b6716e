#pragma once

#include <algorithm>
#include <cstddef>

namespace bascule::pattern {

/// What the plain matcher may spend: about the number of values compared with terms. The oracle has
/// no bound, explanations have.
class SearchBudget {
  public:
    static constexpr std::size_t unlimited = SIZE_MAX;

    explicit SearchBudget(std::size_t steps = unlimited) : left_(steps) {}

    /// False if there are no steps left.
    bool spend(std::size_t steps) {
        if (left_ == unlimited) {
            return true;
        }
        left_ -= std::min(left_, steps);
        return left_ > 0;
    }
    bool is_spent() const { return left_ == 0; }

  private:
    std::size_t left_;
};

}  // namespace bascule::pattern
