#include <algorithm>
#include <tuple>

#include "household/finance/rule_program.h"

namespace bascule::finance {

namespace {

/// Bytes of all texts together: the automaton takes a table row for each.
constexpr std::size_t texts_bytes_max = 256 << 10;
constexpr int amount_scale_max = 8;
constexpr money::Int128 amount_units_max = 1'000'000'000'000'000'000;

std::string number(std::size_t value) { return std::to_string(value); }

std::unexpected<Error> wrong(const std::string& place, const std::string& message) {
    return fail(ErrorKind::invalid, place + ": " + message);
}

bool is_text(RuleField field) {
    return field == RuleField::payee || field == RuleField::description || field == RuleField::memo;
}

bool is_amount(RuleField field) {
    return field == RuleField::amount || field == RuleField::absolute_amount;
}

std::string_view operators_of(RuleField field) {
    if (is_text(field)) {
        return "contains, starts_with, ends_with, equals and regex are";
    }
    return is_amount(field) ? "greater, less, between and equals are" : "only equals is";
}

bool fits(RuleField field, RuleOperator op) {
    switch (op) {
        case RuleOperator::contains:
        case RuleOperator::starts_with:
        case RuleOperator::ends_with:
        case RuleOperator::regex:
            return is_text(field);
        case RuleOperator::greater:
        case RuleOperator::less:
        case RuleOperator::between:
            return is_amount(field);
        case RuleOperator::equals:
            return true;
    }
    return false;
}

std::int32_t bonus_of(const Condition& condition) {
    std::int32_t bonus = 0;
    switch (condition.op) {
        case RuleOperator::equals:
            bonus = 10;
            break;
        case RuleOperator::regex:
        case RuleOperator::between:
            bonus = 5;
            break;
        case RuleOperator::starts_with:
        case RuleOperator::ends_with:
            bonus = 2;
            break;
        default:
            break;
    }
    switch (condition.field) {
        case RuleField::payee:
            return bonus + 5;
        case RuleField::amount:
        case RuleField::absolute_amount:
            return bonus + 3;
        case RuleField::memo:
            return bonus - 2;
        default:
            return bonus;
    }
}

Result<money::Decimal> read_amount(const Condition& condition, const std::string& value,
                                   const std::string& place) {
    const auto amount = money::Decimal::parse(value);
    if (!amount) {
        return wrong(place, amount.error().message());
    }
    const money::Int128 units = amount->units();
    if (amount->scale() > amount_scale_max || units > amount_units_max ||
        units < -amount_units_max) {
        return wrong(place, value + " is too long; at most 18 digits are allowed, " +
                                number(amount_scale_max) + " of them after the mark");
    }
    if (condition.field == RuleField::absolute_amount && amount->is_negative()) {
        return wrong(place, value + " is negative; absolute_amount never is");
    }
    return *amount;
}

bool is_less(const money::Decimal& left, const money::Decimal& right) {
    const auto raised = [](money::Decimal value) {
        money::Int128 units = value.units();
        for (int scale = value.scale(); scale < amount_scale_max; ++scale) {
            units *= 10;
        }
        return units;
    };
    return raised(left) < raised(right);
}

class Compiler {
  public:
    Result<> run(std::vector<Rule> rules, RuleSet::Compiled& out);

  private:
    struct AtomKey {
        RuleField field;
        RuleOperator op;
        LetterCase letters;
        std::string value;
        auto operator<=>(const AtomKey&) const = default;
    };

    Result<> check(const Rule& rule) const;
    Result<std::uint32_t> add_node(const ConditionNode& node, const std::string& place,
                                   std::size_t depth, RuleProgram& program);
    Result<Test> test_of(const Condition& condition, const std::string& place);
    Result<> read_text(const Condition& condition, const std::string& place, Test& test);
    Result<> read_amounts(const Condition& condition, const std::string& place, Test& test);
    Result<> read_word(const Condition& condition, const std::string& place, Test& test);
    Result<AtomId> add_atom(const AtomKey& key, const std::string& place);
    Result<> add_regex(const AtomKey& key, AtomId atom, const std::string& place);
    void add_literal(const AtomKey& key, AtomId atom);
    TextChannel& channel_of(RuleField field, LetterCase letters);
    std::optional<std::vector<AtomId>> needs(const RuleProgram& program, std::uint32_t step) const;
    Result<> finish();

    RuleSet::Compiled* out_ = nullptr;
    std::map<AtomKey, AtomId> atoms_;
    std::vector<std::size_t> atom_bytes_;
    std::size_t texts_bytes_ = 0;
    std::map<std::tuple<RuleField, LetterCase, std::string>, std::size_t> literals_;
};

Result<> Compiler::check(const Rule& rule) const {
    if (rule.id.empty()) {
        return fail(ErrorKind::invalid, "id: is empty");
    }
    if (rule.category_id.empty()) {
        return fail(ErrorKind::invalid, "categoryId: is empty");
    }
    const auto within = [](const char* what, std::int64_t value) -> Result<> {
        if (value < 0 || value > 100) {
            return fail(ErrorKind::invalid, std::string(what) + ": is " + std::to_string(value) +
                                                "; 0 to 100 is allowed");
        }
        return {};
    };
    TRY(within("priority", rule.priority));
    return within("confidence", rule.confidence);
}

/// Lets every reader of an error find the place in the JSON that was sent.
Result<std::uint32_t> Compiler::add_node(const ConditionNode& node, const std::string& place,
                                         std::size_t depth, RuleProgram& program) {
    Step step{.kind = node.kind};
    if (node.kind == ConditionNode::Kind::condition) {
        if (program.tests.size() == RuleSet::conditions_max) {
            return wrong(place, "at most " + number(RuleSet::conditions_max) +
                                    " conditions are allowed in a rule");
        }
        step.test = static_cast<std::uint32_t>(program.tests.size());
        program.tests.push_back(TRY(test_of(node.condition, place)));
    } else {
        const std::string group = place + (node.kind == ConditionNode::Kind::all ? ".all" : ".any");
        if (depth == RuleSet::group_depth_max) {
            return wrong(group, "groups may stand " + number(RuleSet::group_depth_max) +
                                    " deep and no deeper");
        }
        if (node.children.empty()) {
            return wrong(group, "the group is empty");
        }
        for (std::size_t i = 0; i < node.children.size(); ++i) {
            step.children.push_back(
                TRY(add_node(node.children[i], group + "[" + number(i) + "]", depth + 1, program)));
        }
    }
    program.steps.push_back(std::move(step));
    return static_cast<std::uint32_t>(program.steps.size() - 1);
}

Result<Test> Compiler::test_of(const Condition& condition, const std::string& place) {
    if (!fits(condition.field, condition.op)) {
        return wrong(place + ".operator", std::string(name(condition.op)) + " does not go with " +
                                              std::string(name(condition.field)) + "; " +
                                              std::string(operators_of(condition.field)) +
                                              " allowed");
    }
    if (std::max(condition.value.size(), condition.value2.size()) > RuleSet::value_bytes_max) {
        return wrong(place + ".value",
                     "is longer than " + number(RuleSet::value_bytes_max) + " bytes");
    }
    Test test{.op = condition.op,
              .negate = condition.negate,
              .bonus = bonus_of(condition),
              .text = to_text(ConditionNode::of(condition))};
    if (is_text(condition.field)) {
        TRY(read_text(condition, place, test));
    } else if (is_amount(condition.field)) {
        TRY(read_amounts(condition, place, test));
    } else {
        TRY(read_word(condition, place, test));
    }
    return test;
}

Result<> Compiler::read_text(const Condition& condition, const std::string& place, Test& test) {
    const auto letters = condition.case_sensitive ? LetterCase::kept : LetterCase::folded;
    std::string value;
    switch (condition.op) {
        case RuleOperator::regex:
            value = condition.value;
            break;
        case RuleOperator::equals:
            value = match_text(condition.value, letters);
            break;
        default:
            value = match_pattern(condition.value, letters);
            break;
    }
    if (value.empty() && condition.op != RuleOperator::equals) {
        return wrong(place + ".value", "is empty; only equals may look for an empty text");
    }
    test.atom = TRY(add_atom({condition.field, condition.op, letters, std::move(value)}, place));
    return {};
}

Result<> Compiler::read_amounts(const Condition& condition, const std::string& place, Test& test) {
    test.kind = Test::Kind::amount;
    test.absolute = condition.field == RuleField::absolute_amount;
    test.low = TRY(read_amount(condition, condition.value, place + ".value"));
    if (condition.op == RuleOperator::between) {
        test.high = TRY(read_amount(condition, condition.value2, place + ".value2"));
        if (is_less(test.high, test.low)) {
            return wrong(place + ".value2", condition.value2 + " is below value (" +
                                                condition.value + "); the lower end comes first");
        }
    }
    return {};
}

Result<> Compiler::read_word(const Condition& condition, const std::string& place, Test& test) {
    const std::string& value = condition.value;
    if (condition.field == RuleField::direction) {
        test.kind = Test::Kind::direction;
        test.wants_in = value == "in";
        if (value != "in" && value != "out") {
            return wrong(place + ".value", "is \"" + value + "\"; in or out is allowed");
        }
    } else if (condition.field == RuleField::account) {
        test.kind = Test::Kind::account;
        test.account_id = value;
        if (value.empty()) {
            return wrong(place + ".value", "is empty; an account's id is wanted");
        }
    } else {
        test.kind = Test::Kind::currency;
        const auto currency = money::Currency::parse(value);
        if (!currency) {
            return wrong(place + ".value", currency.error().message());
        }
        test.currency = *currency;
    }
    return {};
}

Result<AtomId> Compiler::add_atom(const AtomKey& key, const std::string& place) {
    const auto [entry, is_new] = atoms_.try_emplace(key, static_cast<AtomId>(atoms_.size()));
    const AtomId atom = entry->second;
    if (!is_new) {
        return atom;
    }
    atom_bytes_.push_back(key.value.size());
    out_->rules_of_atom.emplace_back();
    if (key.op == RuleOperator::regex) {
        TRY(add_regex(key, atom, place));
    } else if (key.value.empty()) {
        channel_of(key.field, key.letters).empty_text = atom;
    } else {
        add_literal(key, atom);
    }
    if (texts_bytes_ > texts_bytes_max) {
        return fail(ErrorKind::exhausted, place +
                                              ".value: the texts of all rules are longer than " +
                                              number(texts_bytes_max) + " bytes together");
    }
    return atom;
}

Result<> Compiler::add_regex(const AtomKey& key, AtomId atom, const std::string& place) {
    auto channel = std::ranges::find(out_->regexes, key.field, &RegexChannel::field);
    if (channel == out_->regexes.end()) {
        out_->regexes.push_back(
            {.field = key.field, .finder = RegexFinder(RuleSet::regex_bytes_max), .atoms = {}});
        channel = out_->regexes.end() - 1;
    }
    if (auto added = channel->finder.add(key.value, key.letters); !added) {
        return wrong(place + ".value", added.error().message());
    }
    channel->atoms.push_back(atom);
    return {};
}

void Compiler::add_literal(const AtomKey& key, AtomId atom) {
    TextChannel& channel = channel_of(key.field, key.letters);
    const auto [entry, is_new] =
        literals_.try_emplace({key.field, key.letters, key.value}, channel.literals.size());
    if (is_new) {
        channel.literals.push_back(
            {.bytes = static_cast<std::uint32_t>(key.value.size()), .wanted = {}});
        texts_bytes_ += key.value.size();
    }
    channel.literals[entry->second].wanted.push_back({key.op, atom});
}

TextChannel& Compiler::channel_of(RuleField field, LetterCase letters) {
    for (TextChannel& channel : out_->channels) {
        if (channel.field == field && channel.letters == letters) {
            return channel;
        }
    }
    return out_->channels.emplace_back(TextChannel{.field = field, .letters = letters});
}

/// Atoms of which at least one must hold for the step to hold; nothing if it may hold without any.
std::optional<std::vector<AtomId>> Compiler::needs(const RuleProgram& program,
                                                   std::uint32_t step_index) const {
    const Step& step = program.steps[step_index];
    if (step.kind == ConditionNode::Kind::condition) {
        const Test& test = program.tests[step.test];
        if (test.kind != Test::Kind::text || test.negate) {
            return std::nullopt;
        }
        return std::vector{test.atom};
    }
    if (step.kind == ConditionNode::Kind::any) {
        std::vector<AtomId> together;
        for (const std::uint32_t child : step.children) {
            const auto own = needs(program, child);
            if (!own) {
                return std::nullopt;
            }
            together.insert(together.end(), own->begin(), own->end());
        }
        return together;
    }
    // Of all children one is enough: the rarest, which is guessed to be the one of fewest and
    // longest texts.
    std::optional<std::vector<AtomId>> best;
    const auto cost = [&](const std::vector<AtomId>& atoms) {
        std::size_t shortest = SIZE_MAX;
        for (const AtomId atom : atoms) {
            shortest = std::min(shortest, atom_bytes_[atom]);
        }
        return std::pair(atoms.size(), SIZE_MAX - shortest);
    };
    for (const std::uint32_t child : step.children) {
        auto own = needs(program, child);
        if (own && (!best || cost(*own) < cost(*best))) {
            best = std::move(own);
        }
    }
    return best;
}

Result<> Compiler::finish() {
    std::map<std::pair<RuleField, LetterCase>, std::vector<std::string>> texts;
    for (const auto& [key, index] : literals_) {
        const auto& [field, letters, value] = key;
        auto& list = texts[{field, letters}];
        list.resize(std::max(list.size(), index + 1));
        list[index] = value;
    }
    for (TextChannel& channel : out_->channels) {
        channel.finder = TextFinder(texts[{channel.field, channel.letters}]);
    }
    for (RegexChannel& channel : out_->regexes) {
        TRY(channel.finder.finish());
    }
    return {};
}

std::string place_of(const Rule& rule) { return "rule \"" + rule.name + "\" (" + rule.id + ")"; }

Result<> Compiler::run(std::vector<Rule> rules, RuleSet::Compiled& out) {
    out_ = &out;
    std::ranges::sort(rules, [](const Rule& left, const Rule& right) {
        return std::tuple(right.priority, left.position, std::string_view(left.id)) <
               std::tuple(left.priority, right.position, std::string_view(right.id));
    });
    out.rules = std::move(rules);
    for (std::size_t rank = 0; rank < out.rules.size(); ++rank) {
        const Rule& rule = out.rules[rank];
        RuleProgram program;
        auto compiled = check(rule);
        if (compiled) {
            const auto root = add_node(rule.conditions, "conditions", 0, program);
            if (!root) {
                compiled = std::unexpected(root.error());
            }
        }
        if (!compiled) {
            return std::unexpected(std::move(compiled).error().in(place_of(rule)));
        }
        if (rule.enabled) {
            const auto root = static_cast<std::uint32_t>(program.steps.size() - 1);
            const auto place = static_cast<std::uint32_t>(rank);
            if (const auto atoms = needs(program, root)) {
                for (const AtomId atom : *atoms) {
                    out.rules_of_atom[atom].push_back(place);
                }
            } else {
                out.always.push_back(place);
            }
        }
        out.programs.push_back(std::move(program));
    }
    return finish();
}

}  // namespace

Result<RuleSet> RuleSet::compile(std::vector<Rule> rules) {
    if (rules.size() > rules_max) {
        return fail(ErrorKind::exhausted,
                    number(rules.size()) + " rules; at most " + number(rules_max) + " are allowed");
    }
    auto compiled = std::make_unique<Compiled>();
    TRY(Compiler().run(std::move(rules), *compiled));
    return RuleSet(std::move(compiled));
}

Result<> RuleSet::validate(const Rule& rule) {
    TRY(compile({rule}));
    return {};
}

}  // namespace bascule::finance
