#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bus/pattern/engine/path_trie.h"
#include "bus/pattern/engine/predicate.h"
#include "bus/pattern/engine/value_index.h"
#include "bus/pattern/engine/workspace.h"
#include "bus/pattern/matcher.h"
#include "bus/pattern/pattern.h"

namespace bascule::pattern {

/// Bits by a rule's number in its tier.
using RuleBits = std::vector<std::uint64_t>;

/// Some rules, compiled.
///
/// A rule is a list of alternatives, an alternative a list of predicates that must hold together.
/// Equal predicates are one. Each alternative hangs under the one of its predicates that is
/// expected to hold least often, its *access predicate*, and an index by field finds the access
/// predicates that a value satisfies:
///
///     value ──index of its field──▶ access predicates ──▶ alternatives ──▶ are all the others
///                                                                          satisfied? together?
///
/// So the rules that are looked at are those which the event's rarest value speaks for.
/// Alternatives under one access predicate that demand the same besides (as those of one `$or` do)
/// lie side by side, so that this *guard* is asked once for all of them.
///
/// Threads:  immutable.
class Tier {
  public:
    struct Rule {
        RuleId id;
        Pattern pattern;
    };

    /// Compiles rules, sorted by their ids; their paths are inserted into `paths`.
    static std::shared_ptr<const Tier> compile(const std::vector<Rule>& rules, PathTrie& paths);

    /// Appends the ids of the rules that the values in `workspace` satisfy, ascending, without
    /// those in `removed`.
    void match(Workspace& workspace, TierScratch& scratch, const RuleBits& removed,
               std::vector<RuleId>& matched) const;

    /// Makes `scratch` this tier's.
    void prepare(TierScratch& scratch) const;

    std::uint64_t serial() const { return serial_; }
    std::size_t size() const { return ids_.size(); }
    RuleId id(std::size_t rule) const { return ids_[rule]; }
    std::size_t memory_bytes() const { return memory_bytes_; }

  private:
    friend class TierBuilder;
    class Matching;

    Tier() = default;

    using PredicateId = std::uint32_t;

    /// The demands of an alternative lie in `demands_`: the access predicate (if it has one), the
    /// guard, then from rare to frequent; of one that allows absence once more in the order of
    /// their paths.
    struct Alternative {
        std::uint32_t rule = 0;
        std::uint32_t begin = 0;
        std::uint32_t count = 0;
        std::uint32_t siblings = 1;  ///< of the eldest: how many lie from here on with its guard
        bool allows_absence = false;
    };

    /// What is asked of a predicate first, and mostly is all; once more, close together.
    struct Glance {
        Field field = no_field;
        bool is_range = false;
        std::uint64_t hash_bits = 0;  ///< of a range its number in `bounds_`
    };
    struct Bounds {
        NumberOrder bottom = 0;
        NumberOrder top = 0;
    };
    enum class GlanceAnswer : std::uint8_t { no, yes, ask_predicate };
    GlanceAnswer glance(const Value& value, const Glance& glance) const {
        if (glance.is_range) {
            return value.kind == Leaf::Kind::number ? glance_at_range(value, glance.hash_bits)
                                                    : GlanceAnswer::no;
        }
        return ~glance.hash_bits != 0 && value.kind == Leaf::Kind::string &&
                       (glance.hash_bits & Predicate::hash_bit(value)) == 0
                   ? GlanceAnswer::no
                   : GlanceAnswer::ask_predicate;
    }
    GlanceAnswer glance_at_range(const Value& number, std::size_t range) const {
        const auto [bottom, top] = bounds_[range];
        const NumberOrder order = order_of(number.key);
        // Nobody can guess how these come out, so the second does not wait for the first.
        const bool is_inside = (bottom < order) & (order < top);
        const bool is_on_bound = (order == bottom) | (order == top);
        if (is_on_bound) {
            return GlanceAnswer::ask_predicate;
        }
        return is_inside && number.is_comparable() ? GlanceAnswer::yes : GlanceAnswer::no;
    }

    /// What hangs under a predicate, up to where the next one's begins.
    struct Hanging {
        std::uint32_t rules = 0;  ///< those that demand nothing else, in `rules_`
        std::uint32_t alternatives = 0;
    };

    struct ButAccess {
        std::uint32_t but = 0;   ///< as in ButRule
        PredicateId access = 0;  ///< under which alternatives hang
    };

    struct FieldIndex {
        ValueIndex wanted;    ///< owners are access predicates
        ValueIndex excluded;  ///< owners are anything-buts
        std::vector<ButRule> but_rules;
        std::vector<ButAccess> but_accesses;
        std::uint32_t buts_begin = 0;   ///< their first mark in TierScratch::excluded
        std::uint32_t marks_begin = 0;  ///< the first mark of `wanted`, then those of `excluded`
    };

    const FieldIndex* index_of(Field field) const {
        if (slots_.empty()) {
            return nullptr;
        }
        std::size_t slot = slot_of(field);
        for (; slots_[slot].index != 0; slot = (slot + 1) & (slots_.size() - 1)) {
            if (slots_[slot].field == field) {
                return &fields_[slots_[slot].index - 1];
            }
        }
        return nullptr;
    }
    std::size_t slot_of(Field field) const {
        return (field * 0x9E3779B1U >> 7) & (slots_.size() - 1);
    }
    std::span<const PredicateId> demands(const Alternative& alternative) const {
        return {demands_.data() + alternative.begin, alternative.count};
    }
    /// In the order of paths; only of one that allows absence.
    std::span<const PredicateId> ordered_demands(const Alternative& alternative) const {
        return {demands_.data() + alternative.begin + alternative.count, alternative.count};
    }
    std::span<const std::uint32_t> hanging_rules(PredicateId access) const {
        return {rules_.data() + hanging_[access].rules, rules_.data() + hanging_[access + 1].rules};
    }
    std::span<const Alternative> hanging(PredicateId access) const {
        return {alternatives_.data() + hanging_[access].alternatives,
                alternatives_.data() + hanging_[access + 1].alternatives};
    }

    std::uint64_t serial_ = 0;
    std::vector<RuleId> ids_;
    std::vector<Predicate> predicates_;
    std::vector<Glance> glances_;            ///< by predicate
    std::vector<Bounds> bounds_;             ///< of those that want a range
    std::vector<Alternative> alternatives_;  ///< by access predicate; those without one come last
    std::vector<std::uint32_t> rules_;       ///< by access predicate
    std::vector<Hanging> hanging_;           ///< by predicate
    std::vector<PredicateId> demands_;
    std::vector<FieldIndex> fields_;
    struct Slot {
        Field field = no_field;
        std::uint32_t index = 0;  ///< 1 + the number in fields_
    };
    std::vector<Slot> slots_;
    std::size_t buts_ = 0;
    std::size_t marks_ = 0;
    std::size_t memory_bytes_ = 0;
};

}  // namespace bascule::pattern
