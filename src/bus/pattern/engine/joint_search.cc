#include "bus/pattern/engine/joint_search.h"

#include <algorithm>

namespace bascule::pattern {

void JointSearch::begin(const EventValues& values) {
    values_ = &values;
    count_ = 0;
}

JointSearch::Verdict JointSearch::run(std::size_t steps_max) {
    steps_ = 0;
    steps_max_ = steps_max;
    const bool has_chosen = count_ > 0 && levels_.front().predicate == nullptr;
    const Outcome outcome = from(has_chosen ? 1 : 0);
    if (outcome.found) {
        return Verdict::found;
    }
    if (steps_ > steps_max_) {
        return Verdict::given_up;
    }
    return outcome.culprits == 0 ? Verdict::never : Verdict::none;
}

JointSearch::Outcome JointSearch::from(std::size_t level) {
    return level == count_ ? Outcome{.found = true} : choose(level);
}

/// The first earlier choice that a place cannot be joined with.
JointSearch::Obstacle JointSearch::obstacle(std::size_t level, Place place) {
    for (std::size_t i = 0; i < level; ++i) {
        const auto conflict = values_->places().conflict(levels_[i].chosen, place);
        steps_ += conflict.climbed;
        if (conflict.left != 0) {
            return {conflict, i};
        }
    }
    return {};
}

/// The first value behind the i-th that does not conflict in the same way: the first of the chosen
/// element if that is still to come, else the first behind the array.
std::size_t JointSearch::behind(const Obstacle& obstacle, std::span<const Value> values,
                                std::size_t i) const {
    const auto& conflict = obstacle.conflict;
    const Place target = conflict.right < conflict.left ? conflict.left : conflict.array_end;
    if (values.back().place < target) {
        return values.size();
    }
    // Where every element has every field, the wanted value has the number of the chosen one.
    const std::size_t same = levels_[obstacle.level].index;
    if (same > i && same < values.size() && values[same].place >= target &&
        values[same - 1].place < target) {
        return same;
    }
    const auto at =
        std::partition_point(values.begin() + static_cast<std::ptrdiff_t>(i) + 1, values.end(),
                             [&](const Value& value) { return value.place < target; });
    return static_cast<std::size_t>(at - values.begin());
}

JointSearch::Outcome JointSearch::choose(std::size_t level) {
    const Predicate& predicate = *levels_[level].predicate;
    const auto values = values_->values(predicate.field);
    Levels culprits = 0;
    bool is_absent = true;
    for (std::size_t i = 0; i < values.size();) {
        steps_ += level + predicate.steps(values[i]);  // looks at so many choices
        if (steps_ > steps_max_) {
            return {};
        }
        const Obstacle in_the_way = obstacle(level, values[i].place);
        if (in_the_way.conflict.left != 0) {
            culprits |= bit(in_the_way.level);
            i = behind(in_the_way, values, i);
            continue;
        }
        is_absent = false;
        if (predicate.is_satisfied(values[i])) {
            levels_[level].chosen = values[i].place;
            levels_[level].index = i;
            const Outcome rest = from(level + 1);
            if (rest.found || (rest.culprits & bit(level)) == 0) {
                return rest;
            }
            culprits |= rest.culprits;
        }
        ++i;
    }
    if (predicate.allows_absence) {
        if (is_absent) {
            levels_[level].chosen = 0;
            const Outcome rest = from(level + 1);
            if (rest.found) {
                return rest;
            }
            culprits |= rest.culprits;
        } else {
            culprits |= before(level);  // another choice might make it absent
        }
    }
    return {.found = false, .culprits = culprits & before(level)};
}

}  // namespace bascule::pattern
