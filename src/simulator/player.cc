#include "simulator/player.h"

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

Player::Player(Stage& stage, Judge& judge, std::string consumer)
    : stage_(stage), judge_(judge), script_(stage.plan.seed, std::move(consumer)) {}

void Player::handle(broker::Delivery run, broker::Done done) {
    const SteadyTime now = stage_.clock.steady();
    Model::Run seen{.consumer = run.consumer,
                    .number = run.run.value(),
                    .attempt = run.attempt,
                    .deadline = run.deadline};
    std::string line = run.consumer + " run " + std::to_string(run.run.value()) + " attempt " +
                       std::to_string(run.attempt) + ":";
    for (const broker::DeliveredEvent& delivered : run.events) {
        seen.events.push_back(delivered.offset);
        seen.ids.emplace_back(delivered.event.event_id);
        line += " " + seen.ids.back() + "@0:" + std::to_string(delivered.offset.value()) + "/" +
                std::string(delivered.event.user_id);
    }
    stage_.story.tell(std::move(line));
    judge_.read_log();
    stage_.model.run_started(seen, now);
    ++stage_.counts.runs;

    Script::Answer answer = script_.answer(run, stage_.policies.at(run.consumer).timeout);
    if (answer.never) {
        kept_.push_back(std::move(done));
        return;
    }
    if (answer.after == 0ms) {
        say(run.consumer, run.run.value(), std::move(answer.outcome), std::move(done));
        return;
    }
    stage_.executor.post_at(
        now + answer.after,
        [this, consumer = run.consumer, number = run.run.value(),
         outcome = std::move(answer.outcome), done = std::move(done)]() mutable {
            say(consumer, number, std::move(outcome), std::move(done));
        });
}

void Player::say(const std::string& consumer, std::uint64_t run, delivery::Outcome outcome,
                 broker::Done done) {
    stage_.story.tell(consumer + " run " + std::to_string(run) + " answers: " + text(outcome));
    stage_.model.run_answered(consumer, run, outcome, stage_.clock.steady());
    stage_.counts.failures +=
        outcome.kind != delivery::Outcome::Kind::done || !outcome.failures.empty() ? 1 : 0;
    done(std::move(outcome));
}

}  // namespace bascule::simulator
