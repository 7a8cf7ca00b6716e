#include "bus/broker/routing.h"

#include <algorithm>
#include <limits>
#include <map>

#include "bus/broker/subject_of.h"
#include "bus/pattern/rule_set.h"
#include "bus/pattern/scratch.h"
#include "foundation/json/value.h"
#include "foundation/json/writer.h"

namespace bascule::broker {

namespace {

constexpr int format_version = 1;

/// For rules that were in force once.
constexpr RuleLimits no_limits{.pattern = {.complexity_max = pattern::Limits::any_complexity},
                               .memory_bytes_max = std::numeric_limits<std::size_t>::max()};

std::string_view name_of(RuleOrigin origin) {
    switch (origin) {
        case RuleOrigin::defaults:
            return "default";
        case RuleOrigin::file:
            return "file";
        case RuleOrigin::api:
            return "api";
    }
    return "file";
}

std::optional<RuleOrigin> origin_of(std::string_view name) {
    for (const RuleOrigin origin : {RuleOrigin::defaults, RuleOrigin::file, RuleOrigin::api}) {
        if (name == name_of(origin)) {
            return origin;
        }
    }
    return std::nullopt;
}

std::vector<PatternText> patterns_towards(const RoutingPlan& plan, const std::string& consumer) {
    std::vector<PatternText> patterns;
    for (const Rule& rule : plan.rules) {
        if (std::ranges::find(rule.targets, consumer) != rule.targets.end()) {
            patterns.insert(patterns.end(), rule.patterns.begin(), rule.patterns.end());
        }
    }
    return patterns;
}

Result<pattern::Pattern> parsed(const PatternText& text, const pattern::Limits& limits) {
    return pattern::Pattern::parse(text.text, text.dialect, limits);
}

/// Makes rule sets of patterns, within one bound of memory for all of them.
class Compiler {
  public:
    explicit Compiler(const RuleLimits& limits) : limits_(limits) {}

    pattern::RuleSet begin() const {
        return pattern::RuleSet({.memory_bytes_max = limits_.memory_bytes_max});
    }

    /// Numbers the pattern by the set's size. Errors: `invalid`.
    Result<> add(pattern::RuleSet& set, pattern::Pattern pattern) {
        const std::size_t before = set.memory_bytes_estimated();
        const pattern::RuleId number(static_cast<std::uint32_t>(set.size()));
        const auto added = set.add(number, std::move(pattern));
        taken_ += set.memory_bytes_estimated() - before;
        if (!added || taken_ > limits_.memory_bytes_max) {
            return fail(ErrorKind::invalid, "with it the rules would take more than " +
                                                std::to_string(limits_.memory_bytes_max) +
                                                " bytes of memory (bus.rules_bytes_max); fewer "
                                                "or simpler ones are needed");
        }
        return {};
    }

  private:
    RuleLimits limits_;
    std::size_t taken_ = 0;
};

std::shared_ptr<const pattern::Matcher> matcher_of(pattern::RuleSet& set) {
    return set.size() == 0 ? nullptr : set.snapshot();
}

bool names_header_only(const pattern::Pattern& pattern) {
    return std::ranges::all_of(pattern.paths(), [](const std::string& path) {
        return path == "source" || path == "detail-type";
    });
}

/// What a thread matches with, whatever the routing: its buffers grow with what they see.
struct Matching {
    pattern::Scratch scratch;
    std::vector<pattern::RuleId> matched;
    std::string header;

    static Matching& of_this_thread() {
        thread_local Matching own;
        return own;
    }
};

void write_patterns(json::Writer& writer, const std::vector<PatternText>& patterns) {
    writer.begin_array();
    for (const PatternText& pattern : patterns) {
        writer.begin_object().member("text", pattern.text);
        writer.member("dialect",
                      pattern.dialect == pattern::Dialect::routing ? "routing" : "eventbridge");
        writer.end_object();
    }
    writer.end_array();
}

std::string_view text_of(const json::Value& object, std::string_view key) {
    const json::Value* value = object.find(key);
    return value == nullptr ? std::string_view() : value->as_string().value_or("");
}

std::int64_t number_of(const json::Value& object, std::string_view key) {
    const json::Value* value = object.find(key);
    return value == nullptr ? 0 : value->as_int64().value_or(0);
}

std::span<const json::Value> items_of(const json::Value& object, std::string_view key) {
    const json::Value* value = object.find(key);
    return value == nullptr ? std::span<const json::Value>() : value->items();
}

std::vector<PatternText> read_patterns(std::span<const json::Value> items) {
    std::vector<PatternText> patterns;
    for (const json::Value& item : items) {
        patterns.push_back({.text = std::string(text_of(item, "text")),
                            .dialect = text_of(item, "dialect") == "routing"
                                           ? pattern::Dialect::routing
                                           : pattern::Dialect::eventbridge});
    }
    return patterns;
}

}  // namespace

std::shared_ptr<const Routing> Routing::empty() {
    static const std::shared_ptr<const Routing> nothing = std::make_shared<Routing>();
    return nothing;
}

Result<std::shared_ptr<const Routing>> Routing::build(const RoutingPlan& plan,
                                                      const Routing* before, WallTime now,
                                                      const RuleLimits& limits) {
    auto routing = std::make_shared<Routing>();
    routing->plan_ = plan;
    routing->version_ = before == nullptr ? 1 : before->version_ + 1;
    routing->next_number_ = before == nullptr ? 1 : before->next_number_;
    const std::vector<Consumer> known_before =
        before == nullptr ? std::vector<Consumer>() : before->consumers_;
    for (const Consumer& consumer : known_before) {
        const bool wanted = std::ranges::find(plan.subscribers, consumer.name, &Subscriber::name) !=
                            plan.subscribers.end();
        if (!wanted && (!consumer.removed || now - *consumer.removed <= removed_kept)) {
            routing->consumers_.push_back(consumer);
            routing->consumers_.back().removed = consumer.removed.value_or(now);
        }
    }
    for (Subscriber& subscriber : routing->plan_.subscribers) {
        const auto known = std::ranges::find(known_before, subscriber.name, &Consumer::name);
        if (known != known_before.end()) {
            routing->consumers_.push_back(*known);
            routing->consumers_.back().removed.reset();
            subscriber.start = known->start;  // it began long ago
        } else {
            Consumer created{.name = subscriber.name,
                             .number = ConsumerNumber(routing->next_number_++),
                             .start = subscriber.start,
                             .created_version = routing->version_};
            if (subscriber.start == Start::earliest) {
                created.backfill = patterns_towards(plan, subscriber.name);
            }
            routing->consumers_.push_back(std::move(created));
        }
    }
    TRY(routing->compile(limits));
    return routing;
}

Result<> Routing::compile(const RuleLimits& limits) {
    std::map<std::string_view, const Consumer*> by_name;
    for (const Consumer& consumer : consumers_) {
        if (!by_name.emplace(consumer.name, &consumer).second) {
            return fail(ErrorKind::invalid, "consumer '" + consumer.name + "' stands twice");
        }
    }
    Compiler compiler(limits);
    pattern::RuleSet by_header = compiler.begin();
    pattern::RuleSet by_content = compiler.begin();
    for (const Rule& rule : plan_.rules) {
        // Nobody wrote the program's own rules: they are no reason to refuse a setting.
        const pattern::Limits& pattern_limits =
            rule.origin == RuleOrigin::defaults ? no_limits.pattern : limits.pattern;
        const auto add = [&](const PatternText& text) -> Result<> {
            pattern::Pattern pattern = TRY(parsed(text, pattern_limits));
            const bool header_only = names_header_only(pattern);
            TRY(compiler.add(header_only ? by_header : by_content, std::move(pattern)));
            (header_only ? by_header_ : by_content_)
                .rule_of.push_back(static_cast<std::uint32_t>(targets_.size()));
            return {};
        };
        for (const PatternText& text : rule.patterns) {
            if (auto added = add(text); !added) {
                return std::unexpected(std::move(added).error().in("rule '" + rule.name + "'"));
            }
        }
        Targets& targets = targets_.emplace_back();
        for (const std::string& target : rule.targets) {
            const auto consumer = by_name.find(target);
            if (consumer == by_name.end() || consumer->second->removed) {
                return fail(ErrorKind::invalid,
                            "rule '" + rule.name + "': there is no consumer '" + target + "'");
            }
            targets.push_back(consumer->second->number);
        }
    }
    by_header_.matcher = matcher_of(by_header);
    by_content_.matcher = matcher_of(by_content);
    return compile_backfills();
}

/// Nobody can change what a consumer was created with, so no limit may refuse it later.
Result<> Routing::compile_backfills() {
    Compiler compiler(no_limits);
    for (const Consumer& consumer : consumers_) {
        pattern::RuleSet patterns = compiler.begin();
        for (const PatternText& text : consumer.backfill) {
            TRY(compiler.add(patterns, TRY(parsed(text, no_limits.pattern))));
        }
        if (auto matcher = matcher_of(patterns)) {
            backfills_.emplace(consumer.number, std::move(matcher));
        }
    }
    return {};
}

const Routing::Consumer* Routing::find(std::string_view name) const {
    const auto found = std::ranges::find_if(consumers_, [&](const Consumer& consumer) {
        return consumer.name == name && !consumer.removed;
    });
    return found == consumers_.end() ? nullptr : &*found;
}

const Routing::Consumer* Routing::find(ConsumerNumber number) const {
    const auto found = std::ranges::find(consumers_, number, &Consumer::number);
    return found == consumers_.end() ? nullptr : &*found;
}

Routing::Decided Routing::match(const event::EventView& event,
                                std::vector<ConsumerNumber>& consumers) const {
    consumers.clear();
    Decided decided = Decided::yes;
    if (by_header_.matcher != nullptr) {
        decided = add_header_matching(event, consumers);
    }
    if (by_content_.matcher != nullptr &&
        add_matching(by_content_, subject_of(event), consumers) == Decided::no) {
        decided = Decided::no;
    }
    return decided;
}

/// Only the header has a say in what is remembered of it.
Routing::Decided Routing::add_header_matching(const event::EventView& event,
                                              Targets& targets) const {
    std::string& key = Matching::of_this_thread().header;
    key.assign(std::to_string(event.source.size())).append(1, ' ');
    key.append(event.source).append(event.event_type);
    auto known = header_answers_.read([&](const HeaderAnswers& answers) {
        const auto found = answers.find(std::string_view(key));
        return found == answers.end() ? nullptr : found->second;
    });
    if (known) {
        targets = *known;
        return Decided::yes;
    }
    if (add_matching(by_header_, header_of(event), targets) == Decided::no) {
        return Decided::no;
    }
    const auto answer = std::make_shared<const Targets>(targets);
    header_answers_.with([&](HeaderAnswers& answers) {
        if (answers.size() >= header_answers_max) {
            answers.clear();
        }
        answers.emplace(key, answer);
    });
    return Decided::yes;
}

/// `targets` stay ascending, each once.
Routing::Decided Routing::add_matching(const Index& index, const pattern::Subject& subject,
                                       Targets& targets) const {
    Matching& own = Matching::of_this_thread();
    const std::size_t given_up = own.scratch.events_undecided();
    index.matcher->match(subject, own.scratch, own.matched);
    const Decided decided = own.scratch.events_undecided() == given_up ? Decided::yes : Decided::no;
    if (own.matched.empty()) {
        return decided;
    }
    for (const pattern::RuleId number : own.matched) {
        const Targets& more = targets_[index.rule_of[number.value()]];
        targets.insert(targets.end(), more.begin(), more.end());
    }
    std::ranges::sort(targets);
    const auto repeated = std::ranges::unique(targets);
    targets.erase(repeated.begin(), repeated.end());
    return decided;
}

Routing::Wanted Routing::backfills(const event::EventView& event, const Consumer& consumer) const {
    const auto found = backfills_.find(consumer.number);
    if (found == backfills_.end()) {
        return Wanted::no;
    }
    Matching& own = Matching::of_this_thread();
    const std::size_t given_up = own.scratch.events_undecided();
    found->second->match(subject_of(event), own.scratch, own.matched);
    if (!own.matched.empty()) {
        return Wanted::yes;
    }
    return own.scratch.events_undecided() == given_up ? Wanted::no : Wanted::undecided;
}

std::string Routing::encode() const {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("control", "routing").member("format", format_version);
    writer.member("version", version_).member("nextNumber", next_number_);
    writer.key("consumers").begin_array();
    for (const Consumer& consumer : consumers_) {
        writer.begin_object()
            .member("name", consumer.name)
            .member("number", consumer.number.value());
        writer.member("start", consumer.start == Start::earliest ? "earliest" : "now");
        writer.member("createdVersion", consumer.created_version).key("backfill");
        write_patterns(writer, consumer.backfill);
        if (consumer.removed) {
            writer.member("removed", to_unix_ms(*consumer.removed));
        }
        writer.end_object();
    }
    writer.end_array().key("rules").begin_array();
    for (const Rule& rule : plan_.rules) {
        writer.begin_object().member("name", rule.name).member("origin", name_of(rule.origin));
        writer.key("patterns");
        write_patterns(writer, rule.patterns);
        writer.key("targets").begin_array();
        for (const std::string& target : rule.targets) {
            writer.string(target);
        }
        writer.end_array().end_object();
    }
    writer.end_array().end_object();
    return out;
}

Result<std::shared_ptr<const Routing>> Routing::decode(std::string_view body) {
    const json::Value root = TRY(json::Value::parse(body));
    if (number_of(root, "format") != format_version) {
        return fail(ErrorKind::corrupt, "control record: routing of an unknown format");
    }
    auto routing = std::make_shared<Routing>();
    routing->version_ = static_cast<std::uint32_t>(number_of(root, "version"));
    routing->next_number_ = static_cast<std::uint32_t>(number_of(root, "nextNumber"));
    for (const json::Value& item : items_of(root, "consumers")) {
        Consumer consumer{
            .name = std::string(text_of(item, "name")),
            .number = ConsumerNumber(static_cast<std::uint32_t>(number_of(item, "number"))),
            .start = text_of(item, "start") == "earliest" ? Start::earliest : Start::now,
            .created_version = static_cast<std::uint32_t>(number_of(item, "createdVersion")),
            .backfill = read_patterns(items_of(item, "backfill"))};
        if (item.find("removed") != nullptr) {
            consumer.removed = from_unix_ms(number_of(item, "removed"));
        } else {
            routing->plan_.subscribers.push_back({.name = consumer.name, .start = consumer.start});
        }
        routing->consumers_.push_back(std::move(consumer));
    }
    for (const json::Value& item : items_of(root, "rules")) {
        const auto origin = origin_of(text_of(item, "origin"));
        if (!origin) {
            return fail(ErrorKind::corrupt, "control record: a rule has no known origin");
        }
        Rule rule{.name = std::string(text_of(item, "name")),
                  .origin = *origin,
                  .patterns = read_patterns(items_of(item, "patterns"))};
        for (const json::Value& target : items_of(item, "targets")) {
            rule.targets.emplace_back(target.as_string().value_or(""));
        }
        routing->plan_.rules.push_back(std::move(rule));
    }
    if (auto compiled = routing->compile(no_limits); !compiled) {
        return std::unexpected(std::move(compiled).error().in("control record"));
    }
    return routing;
}

}  // namespace bascule::broker
