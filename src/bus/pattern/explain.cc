#include "bus/pattern/explain.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "bus/pattern/leaves.h"
#include "bus/pattern/pattern_parser.h"
#include "bus/pattern/plain_search.h"
#include "bus/pattern/rule_set.h"
#include "bus/pattern/scratch.h"
#include "bus/pattern/term.h"
#include "bus/pattern/term_text.h"
#include "foundation/base/check.h"

namespace bascule::pattern {

namespace {

using Verdict = Explanation::Verdict;
using FieldVerdict = Explanation::Field::Verdict;

/// The longest beginning of at most `bytes_max` that ends between characters.
std::string_view beginning(std::string_view text, std::size_t bytes_max) {
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return text.substr(0, end);
}

Explanation::Value value_of(const Found& found) {
    Explanation::Value value{.at = found.at};
    value.is_cut = found.leaf.text.size() > Explanation::value_bytes_max;
    value.json = value.is_cut ? text_of(Leaf{.text = std::string(beginning(
                                                 found.leaf.text, Explanation::value_bytes_max))})
                              : text_of(found.leaf);
    return value;
}

/// Explains the ways of one pattern for one event.
class Explainer {
  public:
    Explainer(const Pattern& pattern, const Subject& subject)
        : leaves_(leaves_of(pattern.paths(), subject, budget_)) {}

    Explanation::Way explain(const Way& way) {
        const std::vector<WantedField> fields = wanted_fields(way.fields, leaves_);
        Explanation::Way told{.branches = way.branches};
        Indexes possible;  // those of the fields that can be met by themselves
        for (const WantedField& field : fields) {
            told.fields.push_back(alone(field).told);
            if (told.fields.back().verdict == FieldVerdict::met) {
                possible.push_back(told.fields.size() - 1);
            }
        }
        // What is in the way is told and left out, until the rest can be met together.
        auto choice = search(fields, possible);
        while (!choice && !budget_.is_spent()) {
            const Indexes conflict = smallest_conflict(fields, possible);
            if (budget_.is_spent()) {
                break;
            }
            tell(conflict, fields, told);
            possible.erase(std::ranges::find(possible, conflict.back()));
            choice = search(fields, possible);
        }
        for (std::size_t i = 0; i < possible.size(); ++i) {
            Explanation::Field& field = told.fields[possible[i]];
            if (!choice) {
                field.verdict = FieldVerdict::undecided;
            } else if (const auto index = (*choice)[i]) {
                choose(field, fields[possible[i]], *index);
            }
        }
        told.verdict = verdict_of(told);
        leave_out_what_is_too_much(told);
        return told;
    }

    /// Only whether it matches.
    Verdict verdict(const Way& way) {
        const std::vector<WantedField> fields = wanted_fields(way.fields, leaves_);
        Indexes all;
        for (const WantedField& field : fields) {
            const FieldVerdict verdict = alone(field).told.verdict;
            if (verdict != FieldVerdict::met && verdict != FieldVerdict::undecided) {
                return Verdict::no;
            }
            all.push_back(all.size());
        }
        if (search(fields, all)) {
            return Verdict::yes;
        }
        return budget_.is_spent() ? Verdict::undecided : Verdict::no;
    }

  private:
    using Indexes = std::vector<std::size_t>;
    struct Alone {
        Explanation::Field told;
        Indexes shown;      ///< of the values told of
        bool fits = false;  ///< some value does
    };

    static Verdict verdict_of(const Explanation::Way& way) {
        Verdict verdict = Verdict::yes;
        for (const Explanation::Field& field : way.fields) {
            if (field.verdict == FieldVerdict::undecided) {
                verdict = Verdict::undecided;
            } else if (field.verdict != FieldVerdict::met) {
                return Verdict::no;
            }
        }
        return verdict;
    }

    /// A field by itself; ways that share its terms share the answer.
    const Alone& alone(const WantedField& field) {
        const auto [known, is_new] = alone_.try_emplace(field.terms);
        if (is_new) {
            known->second = describe(field);
        }
        return known->second;
    }

    Alone describe(const WantedField& field) {
        Alone alone{
            .told = {.path = std::string(field.path), .value_count = field.values().size()}};
        for (const Term& term : *field.terms) {
            alone.told.wanted.push_back(text_of(term));
        }
        for (std::size_t i = 0; i < field.values().size(); ++i) {
            const bool is_shown = i < Explanation::values_max;
            if (!is_shown && alone.fits) {
                break;
            }
            const Found& found = field.values()[i];
            const bool fits = satisfies_any(found.leaf, *field.terms, budget_);
            if (is_shown || fits) {
                alone.told.values.push_back(value_of(found));
                alone.told.values.back().fits = fits;
                alone.shown.push_back(i);
            }
            alone.fits = alone.fits || fits;
        }
        alone.told.verdict = alone_verdict(field, alone.fits);
        alone.told.is_container =
            alone.told.verdict == FieldVerdict::missing && leaves_.containers.contains(field.path);
        return alone;
    }

    FieldVerdict alone_verdict(const WantedField& field, bool fits) const {
        if (fits || allows_absence(*field.terms)) {
            return FieldVerdict::met;
        }
        if (budget_.is_spent()) {
            return FieldVerdict::undecided;
        }
        return field.values().empty() ? FieldVerdict::missing : FieldVerdict::differs;
    }

    /// Pointers are as long as the event is deep, and each way tells of every field.
    void leave_out_what_is_too_much(Explanation::Way& told) {
        for (Explanation::Field& field : told.fields) {
            std::erase_if(field.values, [&](const Explanation::Value& value) {
                const std::size_t bytes = value.at.size() + value.json.size();
                if (bytes > bytes_left_) {
                    return true;
                }
                bytes_left_ -= bytes;
                return false;
            });
        }
    }

    /// Of fields that cannot be met together the last one stands against the others.
    void tell(const Indexes& conflict, const std::vector<WantedField>& fields,
              Explanation::Way& told) {
        const std::size_t last = conflict.back();
        const bool fits = alone(fields[last]).fits;
        told.fields[last].verdict = fits ? FieldVerdict::elsewhere : FieldVerdict::present;
        for (const std::size_t index : conflict) {
            if (told.fields[last].apart_from.size() == Explanation::apart_from_max) {
                break;
            }
            if (index != last && (fits || share_an_array(fields[index], fields[last]))) {
                told.fields[last].apart_from.push_back(told.fields[index].path);
            }
        }
    }

    /// Absence depends on which elements the fields before chose, and on nothing else about them.
    bool share_an_array(const WantedField& one, const WantedField& other) {
        const std::vector<int>& arrays = one.there->arrays;
        const std::vector<int>& others = other.there->arrays;
        if (!budget_.spend(arrays.size() + others.size())) {
            return false;
        }
        std::vector<int> both;
        std::set_intersection(arrays.begin(), arrays.end(), others.begin(), others.end(),
                              std::back_inserter(both));
        return !both.empty();
    }

    /// Of fields that cannot be met together the shortest beginning; where its last field has
    /// values that fit, without those that do not matter to it.
    Indexes smallest_conflict(const std::vector<WantedField>& fields, const Indexes& possible) {
        Indexes conflict;
        for (const std::size_t index : possible) {
            conflict.push_back(index);
            if (!search(fields, conflict)) {
                break;
            }
        }
        const bool fits = alone(fields[conflict.back()]).fits;
        for (std::size_t i = conflict.size() - 1; fits && i-- > 0 && !budget_.is_spent();) {
            Indexes without = conflict;
            without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
            if (!search(fields, without)) {
                conflict = std::move(without);
            }
        }
        return conflict;
    }

    std::optional<PlainSearch::Choice> search(const std::vector<WantedField>& fields,
                                              const Indexes& some) {
        std::vector<WantedField> taken;
        for (const std::size_t index : some) {
            taken.push_back(fields[index]);
        }
        return PlainSearch(std::move(taken), budget_).run();
    }

    void choose(Explanation::Field& told, const WantedField& field, std::size_t index) {
        const Indexes& shown = alone(field).shown;
        const auto place =
            static_cast<std::size_t>(std::find(shown.begin(), shown.end(), index) - shown.begin());
        if (place == shown.size()) {
            told.values.push_back(value_of(field.values()[index]));
            told.values.back().fits = true;
        }
        told.values[place].is_chosen = true;
    }

    SearchBudget budget_ = SearchBudget(explain_steps_max);
    std::size_t bytes_left_ = Explanation::bytes_max;
    const Leaves leaves_;
    std::map<const Terms*, Alone> alone_;
};

}  // namespace

std::string_view name(Explanation::Verdict verdict) {
    switch (verdict) {
        case Verdict::no:
            return "no";
        case Verdict::yes:
            return "yes";
        case Verdict::undecided:
            return "undecided";
    }
    return "undecided";
}

std::string_view name(Explanation::Field::Verdict verdict) {
    switch (verdict) {
        case FieldVerdict::met:
            return "met";
        case FieldVerdict::missing:
            return "missing";
        case FieldVerdict::differs:
            return "differs";
        case FieldVerdict::present:
            return "present";
        case FieldVerdict::elsewhere:
            return "elsewhere";
        case FieldVerdict::undecided:
            return "undecided";
    }
    return "undecided";
}

namespace {

/// As the bus decides, which gets much further with the same steps.
Verdict verdict_of_automaton(const Pattern& pattern, const Subject& subject) {
    RuleSet rules;
    if (!rules.add(RuleId(0), pattern)) {
        return Verdict::undecided;
    }
    Scratch scratch;
    std::vector<RuleId> matched;
    rules.snapshot()->match(subject, scratch, matched);
    if (scratch.events_undecided() > 0) {
        return Verdict::undecided;
    }
    return matched.empty() ? Verdict::no : Verdict::yes;
}

}  // namespace

Explanation explain(const Pattern& pattern, const Subject& subject) {
    const auto ways = parse_ways(pattern.text(), pattern.dialect());
    CHECK(ways.has_value());  // it was parsed before
    Explainer explainer(pattern, subject);
    Explanation explanation{.verdict = Verdict::no, .way_count = ways->size()};
    for (const Way& way : *ways) {
        Verdict verdict = Verdict::no;
        if (explanation.ways.size() < Explanation::ways_max) {
            explanation.ways.push_back(explainer.explain(way));
            verdict = explanation.ways.back().verdict;
        } else if (!explanation.matches()) {
            verdict = explainer.verdict(way);
            if (verdict == Verdict::yes) {
                explanation.ways.back() = explainer.explain(way);
            }
        }
        if (verdict == Verdict::yes ||
            (verdict == Verdict::undecided && explanation.verdict == Verdict::no)) {
            explanation.verdict = verdict;
        }
    }
    if (explanation.verdict == Verdict::undecided) {
        explanation.verdict = verdict_of_automaton(pattern, subject);
    }
    return explanation;
}

}  // namespace bascule::pattern
