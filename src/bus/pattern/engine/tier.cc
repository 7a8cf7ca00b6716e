#include "bus/pattern/engine/tier.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

namespace bascule::pattern {

/// One event against one tier.
class Tier::Matching {
  public:
    Matching(const Tier& tier, Workspace& workspace, TierScratch& scratch, const RuleBits& removed)
        : tier_(tier),
          workspace_(workspace),
          budget_(workspace.budget),
          values_(workspace.values),
          scratch_(scratch),
          removed_(removed) {}

    void run() {
        for (const Field field : values_.fields()) {
            if (const FieldIndex* const index = tier_.index_of(field)) {
                look_up(*index, field);
            }
        }
        // What could be satisfied by absence alone hangs under nothing.
        attempt_all(static_cast<PredicateId>(tier_.predicates_.size()), nullptr);
    }

  private:
    std::span<std::uint64_t> marks(std::size_t begin, const ValueIndex& index) {
        return {scratch_.marks.data() + begin, index.marks()};
    }

    /// The values of one field.
    void look_up(const FieldIndex& index, Field field) {
        const auto values = values_.values(field);
        hit_row_ = values_.row_array(field);
        buts_ = index.but_rules;
        for (hit_index_ = 0; hit_index_ < values.size() && !budget_.is_exhausted(); ++hit_index_) {
            const Value& value = values[hit_index_];
            ++workspace_.value;
            if (hit_index_ == 0 || value.place != values[hit_index_ - 1].place) {
                hit_place_ = workspace_.value;
            }
            look_up(index, value, hit_index_ + 1 < values.size());
        }
    }

    void look_up(const FieldIndex& index, const Value& value, bool others_follow) {
        const std::uint64_t walk = workspace_.value;
        if (!index.wanted.empty()) {
            unsure_ = nullptr;
            index.wanted.find(
                value, marks(index.marks_begin, index.wanted), walk, budget_,
                [&](PredicateId access) { hit(access, value); },
                [&](PredicateId access) {
                    unsure_ = &value;
                    hit(access, value);
                });
            unsure_ = nullptr;
        }
        if (!buts_.empty() || !index.but_accesses.empty()) {
            look_up_buts(index, value, others_follow);
        }
    }

    /// A value satisfies an anything-but that does not exclude it.
    void look_up_buts(const FieldIndex& index, const Value& value, bool others_follow) {
        const std::uint64_t walk = workspace_.value;
        std::uint64_t* const excluded = scratch_.excluded.data() + index.buts_begin;
        const auto exclude = [&](std::uint32_t but) {
            if (budget_.spend(1)) {
                excluded[but] = walk;
            }
        };
        index.excluded.find(value, marks(index.marks_begin + index.wanted.marks(), index.excluded),
                            walk, budget_, exclude, [&](std::uint32_t but) {
                                if (value.is_comparable()) {
                                    exclude(but);
                                }
                            });
        // What could not be excluded for lack of steps would seem to be satisfied.
        if (budget_.is_exhausted() ||
            !budget_.spend((buts_.size() + index.but_accesses.size()) / rules_a_step)) {
            return;
        }
        for (const ButRule& it : buts_) {
            if (excluded[it.but] != walk) {
                set_matched(it.rule);
            }
        }
        if (others_follow && !buts_.empty()) {
            keep_live_buts();
        }
        for (const ButAccess& it : index.but_accesses) {
            if (excluded[it.but] != walk) {
                hit(it.access, value);
            }
        }
    }

    /// Most values satisfy most anything-buts: the next ones of the field need not ask again.
    void keep_live_buts() {
        std::vector<ButRule>& live = workspace_.live_buts;
        const auto is_settled = [&](const ButRule& it) { return is_matched(it.rule); };
        if (buts_.data() == live.data()) {
            std::erase_if(live, is_settled);
        } else {
            live.clear();
            std::remove_copy_if(buts_.begin(), buts_.end(), std::back_inserter(live), is_settled);
        }
        buts_ = live;
    }

    /// An access predicate is satisfied by a value, or would be if that were comparable.
    void hit(PredicateId access, const Value& value) {
        auto& known = scratch_.known[access];
        // Another value in the same place tells nothing new.
        if (known.settled == workspace_.event || known.place == hit_place_) {
            budget_.spend_glances(1);
            return;
        }
        if (!budget_.spend(1)) {
            return;
        }
        if (unsure_ == nullptr) {
            known.place = hit_place_;  // what a range leaves open, an anything-but may decide
        }
        // If it is not comparable, others may still be.
        if (attempt_all(access, &value) && unsure_ == nullptr) {
            known.settled = workspace_.event;
        }
    }

    /// What hangs under a predicate that `value` satisfies. Whether all of it is settled for this
    /// event: matched, or not to be matched by another value either.
    bool attempt_all(PredicateId access, const Value* value) {
        const auto rules = tier_.hanging_rules(access);
        if (!budget_.spend(rules.size() / rules_a_step)) {
            return false;
        }
        for (const std::uint32_t rule : rules) {
            set_matched(rule);
        }
        bool is_settled = true;
        const auto alternatives = tier_.hanging(access);
        for (auto at = alternatives.begin(); at != alternatives.end();) {
            const auto end = at + at->siblings;
            if (at->siblings > 1 && is_ruled_out(others(*at, value).front())) {
                at = end;
                budget_.spend(1);
            }
            for (; at != end; ++at) {
                if (!budget_.spend(at->count)) {
                    return false;
                }
                is_settled = attempt(*at, value) && is_settled;
            }
        }
        return is_settled;
    }

    /// Whether no value, wherever it lies, satisfies the demand.
    bool is_ruled_out(PredicateId demand) { return !is_in_arrays(demand) && !is_satisfied(demand); }

    std::span<const PredicateId> others(const Alternative& alternative, const Value* value) const {
        return tier_.demands(alternative).subspan(value != nullptr ? 1 : 0);
    }

    /// Whether the alternative is settled for this event.
    bool attempt(const Alternative& alternative, const Value* value) {
        if (is_matched(alternative.rule)) {
            return true;
        }
        const auto demands = others(alternative, value);
        if (values_.fields_in_arrays() > 1) {
            // Most attempts end here: what is rarest is not beside the value.
            if (value != nullptr && !alternative.allows_absence && !demands.empty() &&
                is_in_row(demands.front()) && !is_satisfied_beside(demands.front(), *value)) {
                return false;
            }
            if (fields_in_arrays(tier_.demands(alternative)) > 1) {
                return attempt_jointly(alternative, value);
            }
        }
        for (const PredicateId demand : demands) {
            if (!is_satisfied(demand)) {
                return true;
            }
        }
        set_matched(alternative.rule);
        return true;
    }

    std::size_t fields_in_arrays(std::span<const PredicateId> demands) const {
        return static_cast<std::size_t>(
            std::count_if(demands.begin(), demands.end(),
                          [&](PredicateId demand) { return is_in_arrays(demand); }));
    }
    bool is_in_arrays(PredicateId demand) const {
        return values_.in_arrays(tier_.glances_[demand].field);
    }

    /// Several fields have values in arrays: those must be found in the same elements.
    bool attempt_jointly(const Alternative& alternative, const Value* value) {
        const bool is_hit = value != nullptr && !alternative.allows_absence;
        const auto demands = others(alternative, value);
        // Mostly all arrays are one, and then what lies beside the value is all that matters.
        bool is_row = is_hit;
        for (const PredicateId demand : demands) {
            if (!is_in_arrays(demand)) {
                if (!is_satisfied(demand)) {
                    return true;
                }
            } else if (is_hit && is_in_row(demand)) {
                if (!is_satisfied_beside(demand, *value)) {
                    return false;
                }
            } else {
                is_row = false;
            }
        }
        if (is_row) {
            set_matched(alternative.rule);
            return true;
        }
        return search(alternative, is_hit ? value : nullptr);
    }

    bool is_in_row(PredicateId demand) const {
        return hit_row_ != EventValues::no_array &&
               values_.row_array(tier_.glances_[demand].field) == hit_row_;
    }

    /// Whether a value in the place of the one that hit satisfies the demand.
    bool is_satisfied_beside(PredicateId demand, const Value& value) {
        const Glance& glance = tier_.glances_[demand];
        const auto values = values_.values(glance.field);
        // Where every element has every field once, they have the same number.
        auto at =
            values.begin() + static_cast<std::ptrdiff_t>(std::min(hit_index_, values.size() - 1));
        if (at->place != value.place || (at != values.begin() && at[-1].place == value.place)) {
            at =
                std::lower_bound(values.begin(), values.end(), value.place,
                                 [](const Value& left, Place place) { return left.place < place; });
        }
        for (; at != values.end() && at->place == value.place; ++at) {
            if (is_satisfied_by(*at, glance, demand)) {
                return true;
            }
        }
        return false;
    }

    /// False also for lack of steps.
    bool is_satisfied_by(const Value& value, const Glance& glance, PredicateId id) {
        switch (tier_.glance(value, glance)) {
            case GlanceAnswer::no:
                budget_.spend(1);  // as asking would: steps must not depend on hashes
                return false;
            case GlanceAnswer::yes:
                return budget_.spend(1);
            default:
                return is_satisfied_by(value, tier_.predicates_[id]);
        }
    }
    bool is_satisfied_by(const Value& value, const Predicate& predicate) {
        return budget_.spend(predicate.steps(value)) && predicate.is_satisfied(value);
    }

    /// The same for arrays in arrays and whatever else can be, from the value that hit or from
    /// scratch.
    bool search(const Alternative& alternative, const Value* value) {
        JointSearch& search = workspace_.search;
        search.begin(values_);
        if (value != nullptr) {
            search.add_chosen(hit_index_, value->place);
        }
        for (const PredicateId demand :
             value != nullptr ? others(alternative, value) : tier_.ordered_demands(alternative)) {
            if (is_in_arrays(demand)) {
                search.add(tier_.predicates_[demand]);
            }
        }
        auto verdict = search.run(std::min(steps_before_doubt, budget_.left()));
        const bool has_steps = budget_.spend(search.steps());
        if (verdict == JointSearch::Verdict::given_up && has_steps && each_could(alternative)) {
            verdict = search.run(budget_.left());
            budget_.spend(search.steps());
        }
        if (verdict == JointSearch::Verdict::found) {
            set_matched(alternative.rule);
        }
        return verdict != JointSearch::Verdict::none;
    }

    /// Most searches are short. Before a long one it is asked whether each field could be satisfied
    /// at all.
    static constexpr std::size_t steps_before_doubt = 1000;
    bool each_could(const Alternative& alternative) {
        const auto demands = tier_.demands(alternative);
        return std::all_of(demands.begin(), demands.end(), [&](PredicateId demand) {
            return tier_.predicates_[demand].allows_absence || is_satisfied(demand);
        });
    }

    /// Of a predicate that does not depend on others.
    bool is_satisfied(PredicateId id) {
        const Glance& glance = tier_.glances_[id];
        if (glance.is_range) {
            // Compared sooner than remembered.
            if (const auto values = values_.values(glance.field); values.size() == 1) {
                return is_satisfied_by(values.front(), glance, id);
            }
        }
        auto& known = scratch_.known[id];
        if (known.event != workspace_.event) {
            known.event = workspace_.event;
            known.is_satisfied = is_satisfied_anywhere(id);
        }
        return known.is_satisfied;
    }
    bool is_satisfied_anywhere(PredicateId id) {
        const Glance& glance = tier_.glances_[id];
        const auto values = values_.values(glance.field);
        if (values.empty()) {
            return tier_.predicates_[id].allows_absence;
        }
        return std::any_of(values.begin(), values.end(),
                           [&](const Value& value) { return is_satisfied_by(value, glance, id); });
    }

    bool is_matched(std::uint32_t rule) const {
        return (scratch_.matched[rule / 64] >> (rule % 64) & 1) != 0;
    }
    void set_matched(std::uint32_t rule) {
        std::uint64_t& word = scratch_.matched[rule / 64];
        const std::uint64_t bit = std::uint64_t{1} << (rule % 64);
        if (((word | removed_[rule / 64]) & bit) == 0 &&
            (unsure_ == nullptr || unsure_->is_comparable())) {
            word |= bit;
            scratch_.matches[scratch_.matches_count++] = rule;
        }
    }

    const Tier& tier_;
    Workspace& workspace_;
    StepBudget& budget_;
    const EventValues& values_;
    TierScratch& scratch_;
    const RuleBits& removed_;

    // Of the value that is looked up.
    std::size_t hit_index_ = 0;      ///< among its field's values
    const Value* unsure_ = nullptr;  ///< while it counts only if it is comparable
    std::uint32_t hit_row_ = EventValues::no_array;
    std::uint64_t hit_place_ = 0;    ///< the number of the field's first value there
    std::span<const ButRule> buts_;  ///< of its field: those that are still to be asked

    static constexpr std::size_t rules_a_step = 4;  ///< where they lie side by side
};

void Tier::prepare(TierScratch& scratch) const {
    scratch.serial = serial_;
    scratch.known.reset(predicates_.size());
    scratch.excluded.reset(buts_);
    scratch.marks.reset(marks_);
    scratch.matched.reset((ids_.size() + 63) / 64);
    scratch.matches.reset(ids_.size());
    scratch.matches_count = 0;
}

void Tier::match(Workspace& workspace, TierScratch& scratch, const RuleBits& removed,
                 std::vector<RuleId>& matched) const {
    Matching(*this, workspace, scratch, removed).run();
    const std::span matches(scratch.matches.data(), std::exchange(scratch.matches_count, 0));
    std::size_t at = matched.size();
    matched.resize(at + matches.size());
    if (matches.size() * 4 < scratch.matched.size()) {
        std::sort(matches.begin(), matches.end());
        for (const std::uint32_t rule : matches) {
            scratch.matched[rule / 64] = 0;
            matched[at++] = ids_[rule];
        }
    } else if (!matches.empty()) {
        // Reading the bits in order is cheaper than sorting that many.
        for (std::size_t word = 0; word < scratch.matched.size(); ++word) {
            for (std::uint64_t bits = scratch.matched[word]; bits != 0; bits &= bits - 1) {
                const auto bit = static_cast<std::size_t>(std::countr_zero(bits));
                matched[at++] = ids_[word * 64 + bit];
            }
            scratch.matched[word] = 0;
        }
    }
}

}  // namespace bascule::pattern
