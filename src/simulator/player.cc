#include "simulator/player.h"

#include <algorithm>
#include <utility>

namespace bascule::simulator {

namespace {

std::string text(const delivery::Outcome& outcome) {
    using Kind = delivery::Outcome::Kind;
    std::string text;
    switch (outcome.kind) {
        case Kind::done:
            text = outcome.failures.empty() ? "done" : "done except";
            break;
        case Kind::transient:
            text = outcome.counted ? "again later" : "again later, not counted";
            break;
        case Kind::permanent:
            text = "never";
            break;
        case Kind::suspended:
            text = "out of resources";
            break;
    }
    for (const delivery::ItemFailure& failure : outcome.failures) {
        text += " 0:" + std::to_string(failure.offset.value()) +
                (failure.kind == delivery::ItemFailure::Kind::permanent ? " never" : " later");
    }
    return text;
}

}  // namespace

Player::Player(Stage& stage, Judge& judge, std::string consumer, Ledger* ledger)
    : stage_(stage),
      judge_(judge),
      script_(stage.plan.seed, std::move(consumer)),
      ledger_(ledger) {}

void Player::handle(broker::Delivery run, broker::Done done) {
    const SteadyTime now = stage_.clock.steady();
    judge_.look_at_the_disk();
    Model::Run seen{.consumer = run.consumer,
                    .number = run.run.value(),
                    .attempt = run.attempt,
                    .deadline = run.deadline,
                    .may_be_late = judge_.in_trouble()};
    std::string line = run.consumer + " run " + std::to_string(run.run.value()) + " attempt " +
                       std::to_string(run.attempt) + ":";
    for (const broker::DeliveredEvent& delivered : run.events) {
        seen.events.push_back(delivered.offset);
        seen.ids.emplace_back(delivered.event.event_id);
        seen.contents.push_back(content_of(delivered.event));
        line += " " + seen.ids.back() + "@0:" + std::to_string(delivered.offset.value()) + "/" +
                std::string(delivered.event.user_id);
    }
    stage_.story.tell(std::move(line));
    judge_.read_log();
    if (stage_.deeds.paused(run.consumer, now) == true && !judge_.in_trouble()) {
        stage_.story.broken("pause: a run of " + run.consumer + " begins though it is paused");
    }
    stage_.model.run_started(seen, now);
    ++stage_.counts.runs;

    Script::Answer answer = script_.answer(run, stage_.policies.at(run.consumer).timeout);
    if (answer.never) {
        kept_.push_back(std::move(done));
        return;
    }
    Said said{.run = std::move(seen), .outcome = std::move(answer.outcome)};
    if (answer.after == 0ms) {
        say(std::move(said), std::move(done));
        return;
    }
    stage_.executor.post_at(now + answer.after,
                            [this, said = std::move(said), done = std::move(done)]() mutable {
                                say(std::move(said), std::move(done));
                            });
}

void Player::say(Said said, broker::Done done) {
    const Model::Run& run = said.run;
    const delivery::Outcome& outcome = said.outcome;
    stage_.story.tell(run.consumer + " run " + std::to_string(run.number) +
                      " answers: " + text(outcome));
    const bool is_done = outcome.kind == delivery::Outcome::Kind::done;
    if (ledger_ != nullptr && is_done) {
        std::vector<Offset> events = run.events;
        std::erase_if(events, [&](Offset offset) {
            return std::ranges::find(outcome.failures, offset, &delivery::ItemFailure::offset) !=
                   outcome.failures.end();
        });
        ledger_->commit(events);
    }
    stage_.model.run_answered(run.consumer, run.number, outcome, stage_.clock.steady());
    stage_.counts.failures += !is_done || !outcome.failures.empty() ? 1 : 0;
    done(std::move(said.outcome));
}

}  // namespace bascule::simulator
