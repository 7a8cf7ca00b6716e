#include "bus/pattern/engine/tier.h"

#include <algorithm>
#include <bit>

namespace bascule::pattern {

/// One event against one tier.
class Tier::Matching {
  public:
    Matching(const Tier& tier, Workspace& workspace, TierScratch& scratch, const RuleBits& removed)
        : tier_(tier),
          workspace_(workspace),
          values_(workspace.values),
          scratch_(scratch),
          removed_(removed) {}

    void run() {
        for (const Field field : values_.fields()) {
            if (const FieldIndex* const index = tier_.index_of(field)) {
                for (const Value& value : values_.values(field)) {
                    look_up(*index, value);
                }
            }
        }
        // What could be satisfied by absence alone hangs under nothing.
        for (const Alternative& alternative :
             tier_.hanging(static_cast<PredicateId>(tier_.predicates_.size()))) {
            attempt(alternative, nullptr);
        }
    }

  private:
    std::span<std::uint64_t> marks(std::size_t begin, const ValueIndex& index) {
        return {scratch_.marks.data() + begin, index.marks()};
    }

    void look_up(const FieldIndex& index, const Value& value) {
        const std::uint64_t walk = ++workspace_.value;
        if (!index.wanted.empty()) {
            index.wanted.find(value, marks(index.marks_begin, index.wanted), walk,
                              [&](PredicateId access) { hit(access, value); });
        }
        if (index.buts.empty()) {
            return;
        }
        std::uint64_t* const excluded = scratch_.excluded.data() + index.buts_begin;
        index.excluded.find(value, marks(index.marks_begin + index.wanted.marks(), index.excluded),
                            walk, [&](std::uint32_t but) { excluded[but] = walk; });
        for (std::size_t but = 0; but < index.buts.size(); ++but) {
            if (excluded[but] != walk) {
                hit(index.buts[but], value);
            }
        }
    }

    /// An access predicate is satisfied by a value.
    void hit(PredicateId access, const Value& value) {
        auto& known = scratch_.known[access];
        if (known.settled == workspace_.event || known.value == workspace_.value) {
            return;
        }
        known.value = workspace_.value;
        bool is_settled = true;
        for (const Alternative& alternative : tier_.hanging(access)) {
            is_settled = attempt(alternative, &value) && is_settled;
        }
        if (is_settled) {
            known.settled = workspace_.event;
        }
    }

    /// Whether the alternative is settled for this event: matched, or not to be matched by another
    /// value either.
    bool attempt(const Alternative& alternative, const Value* value) {
        if (is_matched(alternative.rule)) {
            return true;
        }
        const auto demands = tier_.demands(alternative);
        const auto others = demands.subspan(value != nullptr ? 1 : 0);
        if (others.empty()) {
            set_matched(alternative.rule);
            return true;
        }
        if (values_.fields_in_arrays() > 1 && fields_in_arrays(demands) > 1) {
            return attempt_jointly(alternative, value, others);
        }
        if (std::all_of(others.begin(), others.end(),
                        [&](PredicateId other) { return is_satisfied(other); })) {
            set_matched(alternative.rule);
        }
        return true;
    }

    std::size_t fields_in_arrays(std::span<const PredicateId> demands) const {
        return static_cast<std::size_t>(
            std::count_if(demands.begin(), demands.end(),
                          [&](PredicateId demand) { return is_in_arrays(demand); }));
    }
    bool is_in_arrays(PredicateId demand) const {
        return values_.in_arrays(tier_.predicate_fields_[demand]);
    }

    /// Several fields have values in arrays: those must be found in the same elements.
    bool attempt_jointly(const Alternative& alternative, const Value* value,
                         std::span<const PredicateId> others) {
        JointSearch& search = workspace_.search;
        search.begin(values_);
        const bool is_hit = value != nullptr && !alternative.allows_absence;
        if (is_hit) {
            const auto values =
                values_.values(tier_.predicates_[tier_.demands(alternative)[0]].field);
            search.add_chosen(static_cast<std::size_t>(value - values.data()), value->place);
        }
        for (const PredicateId demand : others) {
            if (!is_in_arrays(demand) && !is_satisfied(demand)) {
                return true;
            }
        }
        for (const PredicateId demand : is_hit ? others : tier_.ordered_demands(alternative)) {
            if (is_in_arrays(demand)) {
                search.add(tier_.predicates_[demand]);
            }
        }
        auto verdict = search.run(steps_before_doubt);
        if (verdict == JointSearch::Verdict::given_up && each_could(alternative)) {
            verdict = search.run(Matcher::search_steps_max);
            workspace_.searches_given_up += verdict == JointSearch::Verdict::given_up ? 1 : 0;
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
        auto& known = scratch_.known[id];
        if (known.event != workspace_.event) {
            const Predicate& predicate = tier_.predicates_[id];
            const auto values = values_.values(predicate.field);
            known.event = workspace_.event;
            known.is_satisfied = (values.empty() && predicate.allows_absence) ||
                                 std::any_of(values.begin(), values.end(), [&](const Value& value) {
                                     return predicate.is_satisfied(value);
                                 });
        }
        return known.is_satisfied;
    }

    bool is_matched(std::uint32_t rule) const {
        return (scratch_.matched[rule / 64] >> (rule % 64) & 1) != 0;
    }
    void set_matched(std::uint32_t rule) {
        if (!removed_.empty() && (removed_[rule / 64] >> (rule % 64) & 1) != 0) {
            return;
        }
        scratch_.matched[rule / 64] |= std::uint64_t{1} << (rule % 64);
        scratch_.matches.push_back(rule);
    }

    const Tier& tier_;
    Workspace& workspace_;
    const EventValues& values_;
    TierScratch& scratch_;
    const RuleBits& removed_;
};

void Tier::prepare(TierScratch& scratch) const {
    scratch.tier = serial_;
    scratch.known.assign(predicates_.size(), {});
    scratch.excluded.assign(buts_, 0);
    scratch.marks.assign(marks_, 0);
    scratch.matched.assign((ids_.size() + 63) / 64, 0);
    scratch.matches.clear();
}

void Tier::match(Workspace& workspace, TierScratch& scratch, const RuleBits& removed,
                 std::vector<RuleId>& matched) const {
    Matching(*this, workspace, scratch, removed).run();
    auto& matches = scratch.matches;
    if (matches.size() * 4 < scratch.matched.size()) {
        std::sort(matches.begin(), matches.end());
        for (const std::uint32_t rule : matches) {
            scratch.matched[rule / 64] = 0;
            matched.push_back(ids_[rule]);
        }
    } else if (!matches.empty()) {
        // Reading the bits in order is cheaper than sorting that many.
        for (std::size_t word = 0; word < scratch.matched.size(); ++word) {
            for (std::uint64_t bits = scratch.matched[word]; bits != 0; bits &= bits - 1) {
                const auto bit = static_cast<std::size_t>(std::countr_zero(bits));
                matched.push_back(ids_[word * 64 + bit]);
            }
            scratch.matched[word] = 0;
        }
    }
    matches.clear();
}

}  // namespace bascule::pattern
