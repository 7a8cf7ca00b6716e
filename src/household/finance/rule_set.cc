#include "household/finance/rule_set.h"

#include <algorithm>
#include <climits>

#include "household/finance/rule_program.h"

namespace bascule::finance {

namespace {

/// Marks that are cleared all at once, by beginning a new round.
class Marks {
  public:
    explicit Marks(std::size_t count) : rounds_(count, 0) {}

    void clear() {
        if (++round_ == 0) {
            std::ranges::fill(rounds_, 0);
            round_ = 1;
        }
    }
    bool has(std::size_t index) const { return rounds_[index] == round_; }
    /// False if it was marked before.
    bool mark(std::size_t index) { return std::exchange(rounds_[index], round_) != round_; }

  private:
    std::vector<std::uint32_t> rounds_;
    std::uint32_t round_ = 0;
};

money::Int128 scaled(money::Int128 value, int digits) {
    for (; digits > 0; --digits) {
        value *= 10;
    }
    return value;
}

/// Negative, zero or positive as the row's amount is below, at or above the limit. In 128 bits:
/// both sides have at most 19 digits and are raised by at most 8.
int compare(const Test& test, const RuleSubject& subject, const money::Decimal& limit) {
    money::Int128 amount = subject.minor;
    if (test.absolute && amount < 0) {
        amount = -amount;
    }
    const money::Int128 left = scaled(amount, limit.scale());
    const money::Int128 right = scaled(limit.units(), subject.currency.exponent());
    return left < right ? -1 : (left > right ? 1 : 0);
}

bool amount_holds(const Test& test, const RuleSubject& subject) {
    switch (test.op) {
        case RuleOperator::greater:
            return compare(test, subject, test.low) > 0;
        case RuleOperator::less:
            return compare(test, subject, test.low) < 0;
        case RuleOperator::between:
            return compare(test, subject, test.low) >= 0 && compare(test, subject, test.high) <= 0;
        default:
            return compare(test, subject, test.low) == 0;
    }
}

bool literal_holds(RuleOperator op, std::size_t first, std::size_t end, std::size_t size) {
    switch (op) {
        case RuleOperator::starts_with:
            return first == 0;
        case RuleOperator::ends_with:
            return end == size;
        case RuleOperator::equals:
            return first == 0 && end == size;
        default:
            return true;
    }
}

}  // namespace

struct RuleMatcher::Scratch {
    explicit Scratch(const RuleSet::Compiled& program)
        : compiled(program),
          atoms(program.rules_of_atom.size()),
          considered(program.rules.size()) {}

    enum class HowMany { first, all };

    void run(const RuleSubject& subject, HowMany how_many) {
        matches.clear();
        find_atoms(subject);
        std::ranges::sort(candidates);
        for (const std::uint32_t rank : candidates) {
            if (auto match = evaluate(rank, subject)) {
                matches.push_back(std::move(*match));
                if (how_many == HowMany::first || compiled.rules[rank].stop) {
                    return;
                }
            }
        }
    }

    void find_atoms(const RuleSubject& subject) {
        atoms.clear();
        considered.clear();
        candidates = compiled.always;
        for (const TextChannel& channel : compiled.channels) {
            find_literals(channel, match_text(text_of(channel.field, subject), channel.letters));
        }
        for (const RegexChannel& channel : compiled.regexes) {
            channel.finder.find(normalised(text_of(channel.field, subject)), expressions);
            for (const int index : expressions) {
                hold(channel.atoms[static_cast<std::size_t>(index)]);
            }
        }
    }

    void find_literals(const TextChannel& channel, std::string_view text) {
        if (text.empty() && channel.empty_text) {
            hold(*channel.empty_text);
        }
        channel.finder.find(text, [&](std::uint32_t pattern, std::size_t end) {
            const TextChannel::Literal& literal = channel.literals[pattern];
            for (const TextChannel::Wanted& wanted : literal.wanted) {
                if (literal_holds(wanted.op, end - literal.bytes, end, text.size())) {
                    hold(wanted.atom);
                }
            }
        });
    }

    void hold(AtomId atom) {
        if (atoms.mark(atom)) {
            for (const std::uint32_t rank : compiled.rules_of_atom[atom]) {
                if (considered.mark(rank)) {
                    candidates.push_back(rank);
                }
            }
        }
    }

    std::string_view text_of(RuleField field, const RuleSubject& subject) {
        if (field == RuleField::payee) {
            return subject.payee;
        }
        if (field == RuleField::memo) {
            return subject.memo;
        }
        if (!subject.description.empty()) {
            return subject.description;
        }
        joined.assign(subject.payee);
        if (!subject.payee.empty() && !subject.memo.empty()) {
            joined += ' ';
        }
        joined += subject.memo;
        return joined;
    }

    bool holds(const Test& test, const RuleSubject& subject) const {
        switch (test.kind) {
            case Test::Kind::text:
                return atoms.has(test.atom);
            case Test::Kind::amount:
                return amount_holds(test, subject);
            case Test::Kind::direction:
                return test.wants_in ? subject.minor > 0 : subject.minor < 0;
            case Test::Kind::account:
                return subject.account_id == test.account_id;
            case Test::Kind::currency:
                return subject.currency == test.currency;
        }
        return false;
    }

    bool step_holds(const RuleProgram& program, const Step& step, const RuleSubject& subject) {
        const auto child_holds = [&](std::uint32_t child) {
            return step_holds(program, program.steps[child], subject);
        };
        if (step.kind == ConditionNode::Kind::all) {
            return std::ranges::all_of(step.children, child_holds);
        }
        if (step.kind == ConditionNode::Kind::any) {
            return std::ranges::any_of(step.children, child_holds);
        }
        const Test& test = program.tests[step.test];
        return holds(test, subject) != test.negate;
    }

    std::optional<RuleMatch> evaluate(std::uint32_t rank, const RuleSubject& subject) {
        const RuleProgram& program = compiled.programs[rank];
        if (!step_holds(program, program.steps.back(), subject)) {
            return std::nullopt;
        }
        std::int32_t bonus = INT_MIN;
        RuleMatch match{.rule = &compiled.rules[rank], .confidence = 0, .why = {}};
        for (const Test& test : program.tests) {
            if (holds(test, subject) == test.negate) {
                continue;
            }
            bonus = test.negate ? bonus : std::max(bonus, test.bonus);
            match.why += match.why.empty() ? "" : ", ";
            match.why += test.text;
        }
        match.confidence =
            std::clamp(match.rule->confidence + (bonus == INT_MIN ? 0 : bonus), 0, 100);
        return match;
    }

    const RuleSet::Compiled& compiled;
    Marks atoms;
    Marks considered;
    std::vector<std::uint32_t> candidates;
    std::vector<int> expressions;
    std::string joined;
    std::vector<RuleMatch> matches;
};

RuleSet::RuleSet(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
RuleSet::RuleSet(RuleSet&&) noexcept = default;
RuleSet& RuleSet::operator=(RuleSet&&) noexcept = default;
RuleSet::~RuleSet() = default;

std::span<const Rule> RuleSet::rules() const { return compiled_->rules; }

std::vector<RuleMatch> RuleSet::match(const RuleSubject& subject) const {
    return RuleMatcher(*this).match(subject);
}

RuleMatcher::RuleMatcher(const RuleSet& rules)
    : scratch_(std::make_unique<Scratch>(*rules.compiled_)) {}
RuleMatcher::~RuleMatcher() = default;

const std::vector<RuleMatch>& RuleMatcher::match(const RuleSubject& subject) {
    scratch_->run(subject, Scratch::HowMany::all);
    return scratch_->matches;
}

const RuleMatch* RuleMatcher::first(const RuleSubject& subject) {
    scratch_->run(subject, Scratch::HowMany::first);
    return scratch_->matches.empty() ? nullptr : scratch_->matches.data();
}

}  // namespace bascule::finance
