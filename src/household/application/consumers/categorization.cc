#include "household/application/consumers/categorization.h"

#include <algorithm>
#include <map>
#include <set>

#include "household/application/consumers/parts.h"
#include "household/application/consumers/payload.h"
#include "household/application/stores/rule_store.h"
#include "household/application/stores/transaction_store.h"

namespace bascule::application {

namespace {

finance::RuleSubject subject_of(const RuleRow& row) {
    return {.payee = row.payee,
            .description = row.description,
            .memo = row.memo,
            .minor = row.amount.minor(),
            .currency = row.amount.currency(),
            .account_id = row.account_id};
}

/// What the rules make of a row; nothing if they, or the person before them, leave it as it is.
/// `only_rule`: the one rule that may decide, or empty for all.
std::optional<finance::Assignment> decision(finance::RuleMatcher& matcher, const RuleRow& row,
                                            const std::string& only_rule) {
    if (!finance::may_assign(row.assignment)) {
        return std::nullopt;
    }
    const finance::RuleMatch* match = matcher.first(subject_of(row));
    if (match == nullptr || (!only_rule.empty() && match->rule->id != only_rule)) {
        return std::nullopt;
    }
    return finance::assignment_of(*match);
}

/// A row on which the rules have something to say, as it was when they said it.
struct Found {
    RuleRow row;
    finance::Assignment next;
};

std::optional<Found> find_match(finance::RuleMatcher& matcher, RuleRow row,
                                const std::string& only_rule) {
    auto next = decision(matcher, row, only_rule);
    if (!next) {
        return std::nullopt;
    }
    return Found{std::move(row), *std::move(next)};
}

/// Some rows of the run, decided on from a snapshot.
struct Part {
    std::uint32_t number = 0;  ///< in the inbox; above that of every part before it
    std::vector<std::string> ids;
    std::vector<Found> found;
};

/// One run: what its parts share. Parts run one after the other on the writer's thread.
class RuleRun {
  public:
    RuleRun(RuleCache& cache, std::uint64_t generation, std::string only_rule,
            event::ApplicationType type)
        : cache_(cache), generation_(generation), only_rule_(std::move(only_rule)), type_(type) {}

    std::vector<Part>& parts() { return parts_; }

    Result<> work(UnitOfWork& unit, std::size_t index) {
        const Part& part = parts_[index];
        const auto rules = TRY(cache_.look(unit.session(), unit.user_id()));
        if (rules->generation != generation_) {
            // Rules that changed since the snapshot may match other rows.
            TRY(decide_anew(unit, part.ids, rules->rules));
        } else {
            const auto changed_since = TRY(write(unit, part.found));
            TRY(decide_anew(unit, changed_since, rules->rules));
        }
        if (index + 1 == parts_.size()) {
            publish_applied(unit);
        }
        return {};
    }

    /// A row of a part that an earlier attempt committed still belongs in the run's summary.
    void note_if_done(const Found& found) {
        const finance::Assignment& before = found.row.assignment;
        if (before.category_id == found.next.category_id && before.type == found.next.type &&
            before.rule_id == found.next.rule_id) {
            note(found.next, found.row.id);
        }
    }

    void note(const finance::Assignment& assignment, const std::string& transaction_id) {
        Applied& applied = applied_[assignment.category_id];
        applied.rule_ids.insert(assignment.rule_id);
        applied.transaction_ids.push_back(transaction_id);
    }

  private:
    struct Applied {
        std::set<std::string> rule_ids;
        std::vector<std::string> transaction_ids;
    };

    Result<> decide_anew(UnitOfWork& unit, const std::vector<std::string>& ids,
                         const finance::RuleSet& rules) {
        if (ids.empty()) {
            return {};
        }
        finance::RuleMatcher matcher(rules);
        std::vector<Found> matches;
        for (RuleRow& row : TRY(TransactionStore(unit.session(), unit.user_id()).rule_rows(ids))) {
            if (auto found = find_match(matcher, std::move(row), only_rule_)) {
                matches.push_back(*std::move(found));
            }
        }
        // Read in this very transaction: only a row that the event names twice is left over.
        TRY(write(unit, matches));
        return {};
    }

    /// Returns the rows that were no longer as `found` has them; they stay untouched.
    Result<std::vector<std::string>> write(UnitOfWork& unit, const std::vector<Found>& matches) {
        std::vector<const Found*> news;
        std::vector<TransactionStore::RuleAssignment> assignments;
        for (const Found& found : matches) {
            if (finance::is_worth_writing(found.row.assignment, found.next)) {
                news.push_back(&found);
                assignments.push_back({&found.row, &found.next});
            }
        }
        const auto written = TRY(TransactionStore(unit.session(), unit.user_id())
                                     .assign_unchanged(assignments, unit.now()));
        std::vector<std::string> changed_since;
        for (std::size_t i = 0; i < news.size(); ++i) {
            if (written[i]) {
                publish_categorized(unit, *news[i]);
            } else {
                changed_since.push_back(news[i]->row.id);
            }
        }
        return changed_since;
    }

    void publish_categorized(UnitOfWork& unit, const Found& found) {
        note(found.next, found.row.id);
        const bool assigns = found.next.type == finance::AssignmentType::rule_based;
        unit.publish(event::transaction_categorized(
            unit.occasion(), {.transaction_id = found.row.id,
                              .account_id = found.row.account_id,
                              .category_id = found.next.category_id,
                              .previous_category_id = found.row.assignment.category_id,
                              .confidence = found.next.confidence,
                              .assignment_type = assigns ? event::AssignmentType::rule_based
                                                         : event::AssignmentType::suggested,
                              .rule_id = found.next.rule_id}));
    }

    void publish_applied(UnitOfWork& unit) const {
        for (const auto& [category_id, applied] : applied_) {
            auto rest = std::span(applied.transaction_ids);
            while (!rest.empty()) {
                const auto some = rest.first(std::min(rest.size(), event::transaction_ids_max));
                rest = rest.subspan(some.size());
                unit.publish(event::category_rules_applied(
                    unit.occasion(),
                    {.category_id = category_id,
                     .rule_ids = {applied.rule_ids.begin(), applied.rule_ids.end()},
                     .transaction_ids = {some.begin(), some.end()},
                     .application_type = type_}));
            }
        }
    }

    RuleCache& cache_;
    std::uint64_t generation_;
    std::string only_rule_;
    event::ApplicationType type_;
    std::vector<Part> parts_;
    std::map<std::string, Applied> applied_;
};

/// What earlier attempts of the event have committed.
struct PartsDone {
    std::uint32_t last = 0;  ///< the highest number; 0 for none
    bool complete = false;
};

Result<PartsDone> parts_done(sql::Session& session, const Run& run) {
    PartsDone done;
    TRY(session.query(
        "select coalesce(max(part), 0), coalesce(max(complete), 0) from inbox"
        " where consumer = ?1 and message_id = ?2 and replay = ?3",
        {run.consumer(), message_id(run.event()), run.event().replay_id}, [&](const sql::Row& row) {
            done.last = static_cast<std::uint32_t>(row.integer(0));
            done.complete = row.boolean(1);
        }));
    return done;
}

/// What earlier attempts of a run over existing rows have assigned, for its summary.
Result<> note_earlier_parts(sql::Session& session, const Run& run, const finance::Rule& rule,
                            RuleRun& rule_run) {
    return session.query(
        "select id, category_id from transactions where user_id = ?1 and rule_id = ?2"
        " and rule_version = ?3 and assignment_type = 'rule_based' order by booking_date, id",
        {run.event().user_id, rule.id, rule.version}, [&](const sql::Row& row) {
            rule_run.note({.category_id = row.text(1), .rule_id = rule.id}, row.text(0));
        });
}

/// What both kinds of event begin with.
struct Attempt {
    const Run& run;
    Payload payload;
    sql::Database::Snapshot snapshot;
    PartsDone done;
    std::shared_ptr<const CompiledRules> rules;

    std::string user_id() const { return std::string(run.event().user_id); }
};

/// Attempts may cut parts of different sizes, so a part's number says how far the run is with it:
/// how many of the event's ids are done. A repeat begins behind what was committed.
Result<> cut_created(const Attempt& attempt, std::uint32_t part_size, RuleRun& rule_run) {
    const auto ids = attempt.payload.texts("transactionIds");
    finance::RuleMatcher matcher(attempt.rules->rules);
    TransactionStore store(attempt.snapshot.session(), attempt.user_id());
    const auto matches = [&](std::span<const std::string> some) -> Result<std::vector<Found>> {
        std::vector<Found> found;
        for (RuleRow& row : TRY(store.rule_rows(some))) {
            if (auto match = find_match(matcher, std::move(row), "")) {
                found.push_back(*std::move(match));
            }
        }
        return found;
    };
    const std::size_t begin = std::min<std::size_t>(attempt.done.last, ids.size());
    for (const Found& found : TRY(matches(std::span(ids).first(begin)))) {
        rule_run.note_if_done(found);
    }
    for (std::size_t at = begin; at < ids.size();) {
        const auto some =
            std::span(ids).subspan(at, std::min<std::size_t>(ids.size() - at, part_size));
        at += some.size();
        rule_run.parts().push_back({
            .number = static_cast<std::uint32_t>(at), .ids = {some.begin(), some.end()},
            .found = TRY(matches(some))
        });
    }
    return {};
}

/// Rows that were assigned are no longer among those without a category, so a repeat after a crash
/// begins with what is left and numbers its parts behind those that were committed. The rule counts
/// as it is now: what was changed since is told by an event of its own.
Result<> cut_rule(const Attempt& attempt, std::uint32_t part_size, const std::string& rule_id,
                  RuleRun& rule_run) {
    const auto stored = TRY(RuleStore(attempt.snapshot.session(), attempt.user_id()).find(rule_id));
    if (!stored) {
        return {};
    }
    if (attempt.done.last > 0) {
        TRY(note_earlier_parts(attempt.snapshot.session(), attempt.run, stored->rule, rule_run));
    }
    if (!stored->rule.auto_apply || !stored->rule.enabled) {
        return {};
    }
    finance::RuleMatcher matcher(attempt.rules->rules);
    TransactionStore store(attempt.snapshot.session(), attempt.user_id());
    std::string after;
    for (;;) {
        const auto ids = TRY(store.uncategorised_ids(after, 1000));
        if (ids.empty()) {
            return {};
        }
        after = ids.back();
        for (RuleRow& row : TRY(store.rule_rows(ids))) {
            auto found = find_match(matcher, std::move(row), rule_id);
            if (!found) {
                continue;
            }
            auto& parts = rule_run.parts();
            if (parts.empty() || parts.back().ids.size() == part_size) {
                const auto number =
                    attempt.done.last + 1 + static_cast<std::uint32_t>(parts.size());
                parts.push_back({.number = number, .ids = {}, .found = {}});
            }
            parts.back().ids.push_back(found->row.id);
            parts.back().found.push_back(*std::move(found));
        }
    }
}

void start_parts(const Environment& environment, const SharedRun& run, const PartsDone& done,
                 const std::shared_ptr<RuleRun>& rule_run) {
    if (rule_run->parts().empty()) {
        // The inbox remembers that there was nothing to do.
        rule_run->parts().push_back({.number = done.last + 1, .ids = {}, .found = {}});
    }
    PartedRun::Numbers numbers;
    for (const Part& part : rule_run->parts()) {
        numbers.push_back(part.number);
    }
    PartedRun::start(
        environment, run, std::move(numbers),
        [rule_run](UnitOfWork& unit, std::size_t index) { return rule_run->work(unit, index); });
}

}  // namespace

void Categorization::handle(broker::Delivery delivery, broker::Done done) {
    auto run = std::make_shared<Run>(std::move(delivery), std::move(done));
    if (auto started = start(run); !started) {
        run->finish(started);
    }
}

Result<> Categorization::start(const SharedRun& run) {
    Payload payload = TRY(Payload::of(run->event()));
    auto snapshot = TRY(environment_.database.read());
    const PartsDone done = TRY(parts_done(snapshot.session(), *run));
    if (done.complete) {
        run->finish(delivery::Outcome::done());
        return {};
    }
    auto rules = TRY(cache_.get(snapshot, std::string(run->event().user_id)));
    const Attempt attempt{*run, std::move(payload), std::move(snapshot), done, std::move(rules)};
    const bool is_rule = run->event().event_type != "transactions.created";
    const std::string rule_id = is_rule ? attempt.payload.text("ruleId") : "";
    auto rule_run = std::make_shared<RuleRun>(
        cache_, attempt.rules->generation, rule_id,
        is_rule ? event::ApplicationType::bulk : event::ApplicationType::automated);
    TRY(is_rule ? cut_rule(attempt, part_size_, rule_id, *rule_run)
                : cut_created(attempt, part_size_, *rule_run));
    start_parts(environment_, run, done, rule_run);
    return {};
}

}  // namespace bascule::application
