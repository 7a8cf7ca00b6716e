#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "household/finance/rule.h"
#include "household/money/currency.h"

namespace bascule::finance {

/// A row as rules see it. Views; used only during the call.
struct RuleSubject {
    std::string_view payee;
    std::string_view description;
    std::string_view memo;
    std::int64_t minor = 0;
    money::Currency currency;
    std::string_view account_id;
};

/// A rule that a row satisfies.
struct RuleMatch {
    const Rule* rule = nullptr;   ///< lives as long as the rule set
    std::int32_t confidence = 0;  ///< the rule's, with the bonus for how it matched; 0 to 100
    std::string why;              ///< the conditions that held: `payee contains "lidl"`
};

/// A user's rules, compiled together, so that a row is looked at once and not once a rule.
///
/// One automaton (Aho-Corasick) finds the texts of all rules, one RE2::Set all regular expressions;
/// what they find names the few rules worth evaluating.
///
/// Confidence of a match = the rule's confidence + the largest bonus among the conditions that held
/// without being negated: equals 10, regex 5, between 5, starts_with and ends_with 2; and on payee
/// 5, amounts 3, memo −2. Clamped to 0–100.
///
/// Threads:  immutable; any number may match at once, each with its own RuleMatcher.
/// Limits:   rules_max rules, conditions_max conditions a rule, value_bytes_max a value, groups two
///           deep, regex_bytes_max of compiled program a regex; whoever saves rules keeps to
///           regexes_max.
/// Cost:     per row, linear in its text plus the rules that might match. 500 rules × 100 000 rows
///           take some 0.1 s (rules_bench.cc). To compile, at most 2 ms a regex.
class RuleSet {
  public:
    static constexpr std::size_t rules_max = 10'000;
    static constexpr std::size_t conditions_max = 100;
    static constexpr std::size_t value_bytes_max = 1'000;
    static constexpr std::size_t group_depth_max = 2;
    static constexpr std::int64_t regex_bytes_max = 64 << 10;
    /// Of all rules together, so that compiling them takes 2 s at worst.
    static constexpr std::size_t regexes_max = 1'000;

    /// Disabled rules are checked but never match. Errors: `invalid`, naming rule and field:
    /// `rule "fuel" (r1): conditions.any[1].value: missing ): (fuel`; `exhausted` above rules_max.
    static Result<RuleSet> compile(std::vector<Rule> rules);

    /// Checks one rule as compile does, for whoever saves one.
    static Result<> validate(const Rule& rule);

    struct Compiled;  ///< rule_program.h, for this room's sources

    RuleSet(RuleSet&&) noexcept;
    RuleSet& operator=(RuleSet&&) noexcept;
    ~RuleSet();

    /// In the order in which they are tried.
    std::span<const Rule> rules() const;

    /// Every rule that the row satisfies, in order, up to the first with `stop`. The first decides
    /// the category. For many rows use RuleMatcher.
    std::vector<RuleMatch> match(const RuleSubject& subject) const;

  private:
    friend class RuleMatcher;
    explicit RuleSet(std::unique_ptr<const Compiled> compiled);
    std::unique_ptr<const Compiled> compiled_;
};

/// Matches row after row and keeps its memory.
/// Threads: one owner. Lifetime: `rules` outlives it and its answers.
class RuleMatcher {
  public:
    explicit RuleMatcher(const RuleSet& rules);
    ~RuleMatcher();

    /// As RuleSet::match; the answer lives until the next call.
    const std::vector<RuleMatch>& match(const RuleSubject& subject);

    /// The first match alone, the one that decides; nullptr where none does. Cheaper.
    const RuleMatch* first(const RuleSubject& subject);

  private:
    struct Scratch;
    std::unique_ptr<Scratch> scratch_;
};

}  // namespace bascule::finance
