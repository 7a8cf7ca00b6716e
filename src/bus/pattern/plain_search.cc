#include "bus/pattern/plain_search.h"

namespace bascule::pattern {

namespace {

/// The elements in use once `value` is chosen too; nothing if it lies in another element of an
/// array in use.
std::optional<Elements> joined(const Elements& chosen, const Elements& value) {
    Elements both = chosen;
    for (const auto& [array, index] : value) {
        if (both.emplace(array, index).first->second != index) {
            return std::nullopt;
        }
    }
    return both;
}

}  // namespace

std::vector<WantedField> wanted_fields(const Alternative& fields, const Leaves& leaves) {
    std::vector<WantedField> wanted;
    for (const auto& [path, terms] : fields) {
        wanted.push_back({.path = path, .terms = terms.get(), .there = &leaves.at(path)});
    }
    return wanted;
}

bool allows_absence(const Terms& terms) {
    return std::any_of(terms.begin(), terms.end(),
                       [](const Term& term) { return std::holds_alternative<Absent>(term); });
}

bool satisfies_any(const Leaf& leaf, const Terms& terms, SearchBudget& budget) {
    constexpr std::size_t bytes_a_step = 64;
    const std::size_t steps = 1 + leaf.text.size() / bytes_a_step;
    return std::any_of(terms.begin(), terms.end(), [&](const Term& term) {
        return budget.spend(steps) && satisfies(leaf, term);
    });
}

PlainSearch::PlainSearch(std::vector<WantedField> fields, SearchBudget& budget)
    : fields_(std::move(fields)), budget_(budget), choice_(fields_.size()) {}

std::optional<PlainSearch::Choice> PlainSearch::run() {
    if (each_could() && list_arrays() && rest_succeeds(0, {})) {
        return choice_;
    }
    return std::nullopt;
}

bool PlainSearch::list_arrays() {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (!budget_.spend(fields_[i].there->arrays.size())) {
            return false;
        }
        for (const int array : fields_[i].there->arrays) {
            last_field_[array] = i;
        }
    }
    return true;
}

bool PlainSearch::each_could() {
    return std::all_of(fields_.begin(), fields_.end(), [&](const WantedField& field) {
        return allows_absence(*field.terms) ||
               std::any_of(field.values().begin(), field.values().end(), [&](const Found& value) {
                   return satisfies_any(value.leaf, *field.terms, budget_);
               });
    });
}

bool PlainSearch::rest_succeeds(std::size_t index, const Elements& chosen) {
    if (index == fields_.size()) {
        return true;
    }
    // Choices that leave the same arrays to the remaining fields fare the same; without this the
    // search could be exponential.
    constexpr std::size_t steps_a_choice = 10;
    if (!budget_.spend(steps_a_choice + chosen.size()) ||
        !tried_.insert({index, relevant(index, chosen)}).second) {
        return false;
    }
    const WantedField& field = fields_[index];
    bool is_absent = true;
    for (std::size_t i = 0; i < field.values().size(); ++i) {
        const Found& value = field.values()[i];
        if (!budget_.spend(1 + chosen.size() + value.elements.size())) {
            return false;
        }
        const auto both = joined(chosen, value.elements);
        if (both) {
            is_absent = false;
            if (satisfies_any(value.leaf, *field.terms, budget_) &&
                rest_succeeds(index + 1, *both)) {
                choice_[index] = i;
                return true;
            }
        }
    }
    choice_[index] = std::nullopt;
    return is_absent && allows_absence(*field.terms) && rest_succeeds(index + 1, chosen);
}

/// The part of `chosen` about arrays in which a value of the fields from `index` on lies.
Elements PlainSearch::relevant(std::size_t index, const Elements& chosen) const {
    Elements part;
    for (const auto& [array, element] : chosen) {
        const auto last = last_field_.find(array);
        if (last != last_field_.end() && last->second >= index) {
            part.emplace(array, element);
        }
    }
    return part;
}

}  // namespace bascule::pattern
