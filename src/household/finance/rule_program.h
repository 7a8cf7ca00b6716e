#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "household/finance/regex_finder.h"
#include "household/finance/rule_set.h"
#include "household/finance/text_finder.h"
#include "household/money/decimal.h"

/// What rules become when they are compiled; shared by the sources of RuleSet.
namespace bascule::finance {

/// A condition on a text that all rules share: however many rules say `payee contains "lidl"`, it
/// is looked for once.
using AtomId = std::uint32_t;

/// One field in one letter case, and everything that is looked for in it.
struct TextChannel {
    struct Wanted {
        RuleOperator op;
        AtomId atom;
    };
    struct Literal {
        std::uint32_t bytes = 0;
        std::vector<Wanted> wanted;  ///< one for each operator that is used with it
    };

    RuleField field = RuleField::payee;
    LetterCase letters = LetterCase::folded;
    std::vector<Literal> literals;
    TextFinder finder{{}};
    std::optional<AtomId> empty_text;  ///< `equals ""`
};

struct RegexChannel {
    RuleField field = RuleField::payee;
    RegexFinder finder;
    std::vector<AtomId> atoms;  ///< by index in the finder
};

/// One condition of one rule.
struct Test {
    enum class Kind : std::uint8_t { text, amount, direction, account, currency };

    Kind kind = Kind::text;
    RuleOperator op = RuleOperator::contains;
    bool negate = false;
    bool absolute = false;
    AtomId atom = 0;
    money::Decimal low;
    money::Decimal high;
    bool wants_in = false;
    std::string account_id;
    money::Currency currency;
    std::int32_t bonus = 0;
    std::string text;  ///< for `why`
};

/// A rule's tree, children before their group; the root is last.
struct Step {
    ConditionNode::Kind kind = ConditionNode::Kind::condition;
    std::uint32_t test = 0;               ///< of a condition
    std::vector<std::uint32_t> children;  ///< of a group: steps
};

struct RuleProgram {
    std::vector<Test> tests;
    std::vector<Step> steps;
};

struct RuleSet::Compiled {
    std::vector<Rule> rules;  ///< in the order in which they are tried; programs likewise
    std::vector<RuleProgram> programs;
    std::vector<TextChannel> channels;
    std::vector<RegexChannel> regexes;
    /// Rules that can match only if the atom holds. Every enabled rule stands either here, for at
    /// least one atom that it needs, or in `always`.
    std::vector<std::vector<std::uint32_t>> rules_of_atom;
    std::vector<std::uint32_t> always;
};

}  // namespace bascule::finance
