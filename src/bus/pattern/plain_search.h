#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bus/pattern/leaves.h"
#include "bus/pattern/search_budget.h"
#include "bus/pattern/term.h"

namespace bascule::pattern {

/// A field that is searched for.
struct WantedField {
    std::string_view path;
    const Terms* terms = nullptr;
    const LeavesAt* there = nullptr;  ///< of the event, at the path

    const std::vector<Found>& values() const { return there->values; }
};

/// The fields of a way to satisfy a pattern, in the order of their paths.
std::vector<WantedField> wanted_fields(const Alternative& fields, const Leaves& leaves);

/// Whether the field's terms hold `exists: false`.
bool allows_absence(const Terms& terms);

/// Whether the value satisfies one of the terms; false without any if the budget is spent.
bool satisfies_any(const Leaf& leaf, const Terms& terms, SearchBudget& budget);

/// Looks for one choice of a value per field in which no array is used with two of its elements.
///
/// Fields are taken in the order of their paths, absence too, as AWS's matcher does: what counts
/// for `exists: false` are the elements chosen by fields before it.
class PlainSearch {
  public:
    /// What each field is satisfied by: one of its values, by index, or its absence.
    using Choice = std::vector<std::optional<std::size_t>>;

    /// Lifetime: what the fields point to, and the budget, outlive the search.
    PlainSearch(std::vector<WantedField> fields, SearchBudget& budget);

    /// The first choice there is; nothing if there is none, or none was found within the budget.
    std::optional<Choice> run();

  private:
    bool each_could();
    bool rest_succeeds(std::size_t index, const Elements& chosen);
    bool list_arrays();
    Elements relevant(std::size_t index, const Elements& chosen) const;

    std::vector<WantedField> fields_;
    SearchBudget& budget_;
    std::unordered_map<int, std::size_t> last_field_;  ///< in which an array lies around a value
    std::set<std::pair<std::size_t, Elements>> tried_;
    Choice choice_;
};

}  // namespace bascule::pattern
