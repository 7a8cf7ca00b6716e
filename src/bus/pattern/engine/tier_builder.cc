#include <algorithm>
#include <atomic>
#include <bit>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "bus/pattern/engine/tier.h"
#include "bus/pattern/term.h"

namespace bascule::pattern {

namespace {

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> last = 0;
    return ++last;
}

std::size_t memory_of(const ValueSet& set) {
    std::size_t bytes = set.numbers.capacity() * sizeof(OwnNumber) +
                        set.checks.capacity() * sizeof(Check) +
                        set.texts.capacity() * sizeof(std::string) +
                        set.text_hashes.capacity() * sizeof(std::uint64_t);
    for (const std::string& text : set.texts) {
        bytes += text.capacity();
    }
    for (const Check& check : set.checks) {
        if (const auto* const range = std::get_if<Range>(&check)) {
            bytes += range->memory_bytes();
        }
    }
    return bytes;
}

std::size_t memory_of(const Predicate& predicate) {
    std::size_t bytes = sizeof predicate + memory_of(predicate.wanted);
    for (const ValueSet& set : predicate.excluded) {
        bytes += sizeof set + memory_of(set);
    }
    return bytes;
}

/// Guesses how often values satisfy predicates, by how many different values the rules name for a
/// field: of a thousand user ids one is rare, of three states none is.
class Frequencies {
  public:
    explicit Frequencies(const std::vector<Predicate>& predicates) {
        for (const Predicate& predicate : predicates) {
            auto& named = named_[predicate.field];
            for (const std::string& text : predicate.wanted.texts) {
                named.insert(text);
            }
            for (const OwnNumber& number : predicate.wanted.numbers) {
                named.insert(number.text);
            }
            for (const Check& check : predicate.wanted.checks) {
                if (const std::string* const text = text_of(check)) {
                    named.insert(*text);
                }
            }
        }
    }

    double of(const Predicate& predicate) const {
        if (!predicate.excluded.empty()) {
            return often + 0.05;
        }
        if (predicate.wanted.everything) {
            return often;
        }
        const double one = 1.0 / static_cast<double>(named_.at(predicate.field).size() + 1);
        double sum = one * static_cast<double>(predicate.wanted.texts.size() +
                                               predicate.wanted.numbers.size());
        sum += 0.1 * std::popcount(predicate.wanted.words);
        for (const Check& check : predicate.wanted.checks) {
            sum += of(check, one);
        }
        return std::min(sum, often);
    }

  private:
    static constexpr double often = 0.9;

    static const std::string* text_of(const Check& check) {
        if (const auto* const equals = std::get_if<FoldedEquals>(&check)) {
            return &equals->text;
        }
        if (const auto* const front = std::get_if<PlainPrefix>(&check)) {
            return &front->text;
        }
        const auto* const back = std::get_if<PlainSuffix>(&check);
        return back != nullptr ? &back->text : nullptr;
    }

    static double of(const Check& check, double one) {
        if (std::holds_alternative<FoldedEquals>(check)) {
            return one;
        }
        if (const auto* const range = std::get_if<Range>(&check)) {
            const bool is_open = range->bottom() == order_first || range->top() == order_last;
            return is_open ? 0.5 : 0.2;
        }
        if (const auto* const cidr = std::get_if<Cidr>(&check)) {
            // Reading an address is dear, so rather let another field ask first.
            return cidr->bits == cidr->network.bits() ? one : 0.4;
        }
        return std::max(one, 0.02) * 1.5;  // a part of a text fits more values than all of it
    }

    std::unordered_map<Field, std::unordered_set<std::string_view>> named_;
};

}  // namespace

/// Builds a tier in four steps: predicates, access predicates, alternatives under them, indexes.
class TierBuilder {
  public:
    explicit TierBuilder(PathTrie& paths) : paths_(paths) {}

    std::shared_ptr<const Tier> build(const std::vector<Tier::Rule>& rules) {
        for (const Tier::Rule& rule : rules) {
            const auto number = static_cast<std::uint32_t>(tier_.ids_.size());
            tier_.ids_.push_back(rule.id);
            for (const Alternative& alternative : rule.pattern.compiled().alternatives) {
                Draft& draft = drafts_.emplace_back();
                draft.rule = number;
                for (const auto& [path, terms] : alternative) {
                    draft.in_order.push_back(intern(path, *terms));
                }
            }
        }
        choose_access();
        choose_guards();
        hang();
        build_indexes();
        measure();
        tier_.serial_ = next_serial();
        return std::shared_ptr<const Tier>(new Tier(std::move(tier_)));
    }

  private:
    using PredicateId = Tier::PredicateId;

    struct Draft {
        std::uint32_t rule = 0;
        PredicateId access = 0;
        PredicateId guard = 0;
        std::vector<PredicateId> in_order;  ///< of paths
        std::vector<PredicateId> asked;     ///< access, guard, and the rest from rare to frequent
    };

    PredicateId intern(const std::string& path, const Terms& terms) {
        const auto known = by_terms_.find(&terms);
        if (known != by_terms_.end()) {
            return known->second;
        }
        const Field field = paths_.insert(path);
        const auto next = static_cast<PredicateId>(tier_.predicates_.size());
        const auto [at, is_new] =
            by_text_.emplace(std::to_string(field) + ':' + canonical(terms), next);
        if (is_new) {
            tier_.predicates_.emplace_back(field, terms);
            add_glance(tier_.predicates_.back());
        }
        by_terms_.emplace(&terms, at->second);
        return at->second;
    }

    void add_glance(const Predicate& predicate) {
        Tier::Glance glance{.field = predicate.field, .hash_bits = predicate.hash_bits()};
        if (const Range* const range = predicate.range()) {
            glance.is_range = true;
            glance.hash_bits = tier_.bounds_.size();
            tier_.bounds_.push_back({range->bottom(), range->top()});
        }
        tier_.glances_.push_back(glance);
    }

    PredicateId none() const { return static_cast<PredicateId>(tier_.predicates_.size()); }

    void choose_access() {
        const Frequencies frequencies(tier_.predicates_);
        for (const Predicate& predicate : tier_.predicates_) {
            frequency_.push_back(frequencies.of(predicate));
        }
        for (Draft& draft : drafts_) {
            auto& asked = draft.asked;
            asked = draft.in_order;
            std::sort(asked.begin(), asked.end(), [&](PredicateId left, PredicateId right) {
                return std::pair(frequency_[left], left) < std::pair(frequency_[right], right);
            });
            const auto access = std::find_if(asked.begin(), asked.end(), [&](PredicateId id) {
                return !tier_.predicates_[id].allows_absence;
            });
            draft.access = access != asked.end() ? *access : none();
            if (access != asked.end()) {
                std::rotate(asked.begin(), access, access + 1);
            }
        }
    }

    /// The demands of an alternative beside its access predicate.
    std::span<PredicateId> others(Draft& draft) const {
        return std::span(draft.asked).subspan(draft.access != none() ? 1 : 0);
    }

    /// Makes that demand an alternative's guard which spares most work: one that many alternatives
    /// beside it have too, and that is seldom satisfied.
    void choose_guards() {
        std::sort(drafts_.begin(), drafts_.end(),
                  [](const Draft& left, const Draft& right) { return left.access < right.access; });
        std::vector<std::uint32_t> demanded(tier_.predicates_.size());
        for (std::size_t begin = 0; begin < drafts_.size();) {
            std::size_t end = begin;
            for (; end < drafts_.size() && drafts_[end].access == drafts_[begin].access; ++end) {
                for (const PredicateId other : others(drafts_[end])) {
                    ++demanded[other];
                }
            }
            const auto spared = [&](PredicateId other) {
                return demanded[other] * (1 - frequency_[other]);
            };
            for (std::size_t i = begin; i < end; ++i) {
                const auto demands = others(drafts_[i]);
                const auto guard = std::max_element(demands.begin(), demands.end(),
                                                    [&](PredicateId left, PredicateId right) {
                                                        return spared(left) < spared(right);
                                                    });
                drafts_[i].guard = guard != demands.end() ? *guard : none();
                if (guard != demands.end()) {
                    std::rotate(demands.begin(), guard, guard + 1);
                }
            }
            for (; begin < end; ++begin) {
                for (const PredicateId other : others(drafts_[begin])) {
                    demanded[other] = 0;
                }
            }
        }
    }

    void hang() {
        const auto order = [](const Draft& draft) {
            return std::tie(draft.access, draft.guard, draft.rule, draft.in_order);
        };
        std::sort(drafts_.begin(), drafts_.end(), [&](const Draft& left, const Draft& right) {
            return order(left) < order(right);
        });
        const auto end = std::unique(
            drafts_.begin(), drafts_.end(),
            [&](const Draft& left, const Draft& right) { return order(left) == order(right); });
        drafts_.erase(end, drafts_.end());
        const Draft* before = nullptr;
        std::size_t eldest = 0;  // of the siblings that are being hung
        for (const Draft& draft : drafts_) {
            reach(draft.access);
            if (draft.access != none() && draft.asked.size() == 1) {
                tier_.rules_.push_back(draft.rule);
                continue;
            }
            const bool is_sibling =
                before != nullptr && before->access == draft.access && before->guard == draft.guard;
            hang_alternative(draft);
            if (is_sibling) {
                ++tier_.alternatives_[eldest].siblings;
            } else {
                eldest = tier_.alternatives_.size() - 1;
            }
            before = &draft;
        }
        reach(none() + 1);
    }

    /// What is hung from now on hangs under `access`, or a later predicate.
    void reach(PredicateId access) {
        tier_.hanging_.resize(std::max(tier_.hanging_.size(), std::size_t{access} + 1),
                              {static_cast<std::uint32_t>(tier_.rules_.size()),
                               static_cast<std::uint32_t>(tier_.alternatives_.size())});
    }

    void hang_alternative(const Draft& draft) {
        Tier::Alternative& alternative = tier_.alternatives_.emplace_back();
        alternative.rule = draft.rule;
        alternative.begin = static_cast<std::uint32_t>(tier_.demands_.size());
        alternative.count = static_cast<std::uint32_t>(draft.asked.size());
        alternative.allows_absence =
            std::any_of(draft.in_order.begin(), draft.in_order.end(),
                        [&](PredicateId id) { return tier_.predicates_[id].allows_absence; });
        append(draft.asked);
        if (alternative.allows_absence) {
            append(draft.in_order);
        }
    }

    void append(const std::vector<PredicateId>& demands) {
        tier_.demands_.insert(tier_.demands_.end(), demands.begin(), demands.end());
    }

    void build_indexes() {
        std::map<Field, std::vector<PredicateId>> by_field;
        for (PredicateId id = 0; id < tier_.predicates_.size(); ++id) {
            if (!tier_.hanging(id).empty() || !tier_.hanging_rules(id).empty()) {
                by_field[tier_.predicates_[id].field].push_back(id);
            }
        }
        tier_.slots_.resize(by_field.empty() ? 0 : std::bit_ceil(by_field.size() * 2));
        for (const auto& [field, ids] : by_field) {
            tier_.fields_.push_back(index(ids));
            std::size_t slot = tier_.slot_of(field);
            while (tier_.slots_[slot].index != 0) {
                slot = (slot + 1) & (tier_.slots_.size() - 1);
            }
            tier_.slots_[slot] = {field, static_cast<std::uint32_t>(tier_.fields_.size())};
        }
    }

    Tier::FieldIndex index(const std::vector<PredicateId>& ids) {
        ValueIndex::Builder wanted;
        ValueIndex::Builder excluded;
        Tier::FieldIndex index;
        std::uint32_t buts = 0;
        for (const PredicateId id : ids) {
            const Predicate& predicate = tier_.predicates_[id];
            wanted.add(predicate.wanted, id);
            for (const ValueSet& set : predicate.excluded) {
                excluded.add(set, buts);
                for (const std::uint32_t rule : tier_.hanging_rules(id)) {
                    index.but_rules.push_back({buts, rule});
                }
                if (!tier_.hanging(id).empty()) {
                    index.but_accesses.push_back({buts, id});
                }
                ++buts;
            }
        }
        index.wanted = std::move(wanted).build();
        index.excluded = std::move(excluded).build();
        index.buts_begin = static_cast<std::uint32_t>(tier_.buts_);
        index.marks_begin = static_cast<std::uint32_t>(tier_.marks_);
        tier_.buts_ += buts;
        tier_.marks_ += index.wanted.marks() + index.excluded.marks();
        return index;
    }

    void measure() {
        std::size_t bytes = sizeof tier_;
        bytes += tier_.ids_.capacity() * sizeof(RuleId);
        bytes += tier_.alternatives_.capacity() * sizeof(Tier::Alternative);
        bytes += tier_.hanging_.capacity() * sizeof(Tier::Hanging);
        bytes += tier_.rules_.capacity() * sizeof(std::uint32_t);
        bytes += tier_.demands_.capacity() * sizeof(PredicateId);
        bytes += tier_.slots_.capacity() * sizeof(Tier::Slot);
        bytes += tier_.glances_.capacity() * sizeof(Tier::Glance);
        bytes += tier_.bounds_.capacity() * sizeof(Tier::Bounds);
        for (const Predicate& predicate : tier_.predicates_) {
            bytes += memory_of(predicate);
        }
        for (const Tier::FieldIndex& field : tier_.fields_) {
            bytes += field.wanted.memory_bytes() + field.excluded.memory_bytes() +
                     field.but_rules.capacity() * sizeof(ButRule) +
                     field.but_accesses.capacity() * sizeof(Tier::ButAccess);
        }
        tier_.memory_bytes_ = bytes;
    }

    PathTrie& paths_;
    Tier tier_;
    std::vector<Draft> drafts_;
    std::vector<double> frequency_;  ///< by predicate
    std::unordered_map<const Terms*, PredicateId> by_terms_;
    std::unordered_map<std::string, PredicateId> by_text_;
};

std::shared_ptr<const Tier> Tier::compile(const std::vector<Rule>& rules, PathTrie& paths) {
    return TierBuilder(paths).build(rules);
}

}  // namespace bascule::pattern
