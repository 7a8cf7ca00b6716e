#include "simulator/publishers.h"

#include <algorithm>
#include <utility>

namespace bascule::simulator {

namespace {

constexpr std::uint32_t publishers = 3;
constexpr std::uint32_t keys = 5;

}  // namespace

Publishers::Publishers(Stage& stage, Judge& judge) : stage_(stage), judge_(judge) {
    for (std::uint32_t i = 0; i < publishers; ++i) {
        publishers_.push_back({.number = i});
    }
}

void Publishers::send_again() {
    for (Publisher& publisher : publishers_) {
        if (!publisher.waiting && !publisher.sent.empty()) {
            send(publisher, false);
        }
    }
}

bool Publishers::all_confirmed() const {
    return std::ranges::all_of(publishers_, [](const auto& one) { return one.sent.empty(); });
}

void Publishers::process_ended() {
    taken_.clear();
    for (Publisher& publisher : publishers_) {
        publisher.again = publisher.again || publisher.waiting;
        publisher.waiting = false;
    }
}

void Publishers::publish(Random& random) {
    Publisher& publisher = publishers_[random.below(publishers)];
    if (publisher.waiting) {
        return;
    }
    if (publisher.sent.empty()) {
        const std::uint64_t count = 1 + random.below(random.below(4) == 0 ? 12 : 3);
        for (std::uint64_t i = 0; i < count; ++i) {
            event::Event event = make(random);
            stage_.model.sent(event.event_id, content_of(event::view_of(event)));
            publisher.sent.push_back(std::move(event));
        }
    }
    const bool atomic = random.below(4) == 0;
    send(publisher, atomic);
    if (random.below(6) == 0) {
        send_twin(publisher);
    }
    if (random.below(8) == 0) {
        forge(random);
    }
}

event::Event Publishers::make(Random& random) {
    const auto from = sources();
    event::Event event;
    event.event_id = "e" + std::to_string(++events_made_);
    const std::uint64_t type = random.below(3);
    event.event_type = type == 0 ? "thing.first" : type == 1 ? "thing.second" : "thing.third";
    event.form = event::Form::eventbridge;
    event.source = from[random.below(from.size())];
    const std::uint64_t key = random.below(keys + 1);
    event.user_id = key == 0 ? "" : "k" + std::to_string(key);
    event.timestamp = from_unix_ms(1'767'225'600'000);
    event.data = R"({"text":")" + std::string(random.below(300), 'x') + "\"}";
    return event;
}

/// The same once more before the first is answered, as after a time-out that was too short: the
/// answer must wait for the first.
void Publishers::send_twin(const Publisher& publisher) {
    std::vector<std::string> ids;
    for (const event::Event& event : publisher.sent) {
        ids.push_back(event.event_id);
    }
    stage_.story.tell("publisher " + std::to_string(publisher.number) + " sends the same at once");
    stage_.bus->publish(
        publisher.sent, {},
        [this, ids, boot = stage_.boot](const Result<std::vector<broker::PublishResult>>& results) {
            if (boot != stage_.boot || !results) {
                return;
            }
            judge_.read_log();
            for (std::size_t i = 0; i < ids.size(); ++i) {
                if (const auto* accepted = std::get_if<broker::Accepted>(&(*results)[i])) {
                    stage_.model.confirmed(ids[i], accepted->offset);
                } else if (const auto* repeat = std::get_if<broker::Duplicate>(&(*results)[i])) {
                    stage_.model.confirmed(ids[i], repeat->first);
                    ++stage_.counts.repeats_told;
                } else {
                    stage_.story.broken("G1: " + ids[i] + " was sent twice at once and is refused");
                }
            }
        });
}

/// Other words under an id that is taken, with new events beside it: nothing of such a batch may
/// be taken.
void Publishers::forge(Random& random) {
    if (taken_.empty()) {
        return;
    }
    std::vector<event::Event> events;
    for (std::uint64_t count = random.below(3); count > 0; --count) {
        events.push_back(make(random));
        events.back().event_id = "never" + events.back().event_id;
    }
    events.push_back(taken_[random.below(taken_.size())]);
    events.back().data = R"({"text":"forged"})";
    stage_.story.tell("somebody forges " + events.back().event_id);
    stage_.bus->publish(
        std::move(events), {.atomicity = broker::Atomicity::all},
        [this, boot = stage_.boot](const Result<std::vector<broker::PublishResult>>& results) {
            if (boot != stage_.boot || !results) {
                return;
            }
            ++stage_.counts.forged;
            const auto* last = std::get_if<broker::Rejected>(&results->back());
            if (last == nullptr || last->code != broker::Rejected::Code::id_reused) {
                stage_.story.broken("G1: other words under an id that is taken are not refused");
            }
            for (const broker::PublishResult& result : *results) {
                if (!std::holds_alternative<broker::Rejected>(result)) {
                    stage_.story.broken("G1: a batch that is all or nothing was taken in part");
                }
            }
        });
}

void Publishers::send(Publisher& publisher, bool atomic) {
    std::vector<std::string> ids;
    std::string line = "publisher " + std::to_string(publisher.number) +
                       (publisher.again ? " sends again" : " sends") + (atomic ? " as one:" : ":");
    for (const event::Event& event : publisher.sent) {
        ids.push_back(event.event_id);
        line += " " + event.event_id;
    }
    stage_.story.tell(std::move(line));
    publisher.waiting = true;
    stage_.bus->publish(
        publisher.sent, {.atomicity = atomic ? broker::Atomicity::all : broker::Atomicity::each},
        [this, number = publisher.number, ids, atomic, again = publisher.again,
         boot = stage_.boot](const Result<std::vector<broker::PublishResult>>& results) {
            if (boot == stage_.boot) {
                published(number, ids, atomic, again, results);
            }
        });
}

void Publishers::published(std::uint32_t number, const std::vector<std::string>& ids, bool atomic,
                           bool again, const Result<std::vector<broker::PublishResult>>& results) {
    Publisher& publisher = publishers_[number];
    publisher.waiting = false;
    publisher.again = true;
    if (!results) {
        stage_.story.tell("publisher " + std::to_string(number) +
                          " is refused: " + results.error().message());
        return;
    }
    judge_.read_log();
    std::string line = "publisher " + std::to_string(number) + " is told:";
    bool all_taken = true;
    std::size_t taken = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const broker::PublishResult& result = (*results)[i];
        if (const auto* accepted = std::get_if<broker::Accepted>(&result)) {
            line += " " + ids[i] + "@0:" + std::to_string(accepted->offset.value());
            stage_.model.confirmed(ids[i], accepted->offset);
            ++stage_.counts.confirmed;
            ++taken;
        } else if (const auto* duplicate = std::get_if<broker::Duplicate>(&result)) {
            line += " " + ids[i] + "=0:" + std::to_string(duplicate->first.value());
            stage_.model.confirmed(ids[i], duplicate->first);
            ++stage_.counts.repeats_told;
            ++taken;
            if (!again) {
                stage_.story.broken("G1: " + ids[i] + " was sent once and is called a duplicate");
            }
        } else {
            all_taken = false;
            line += " " + ids[i] + " refused: " + std::get<broker::Rejected>(result).message;
        }
    }
    stage_.story.tell(line);
    if (atomic && taken != 0 && !all_taken) {
        stage_.story.broken("G1: a batch that is all or nothing was taken in part");
    }
    if (!all_taken) {
        stage_.story.broken("G1: a sound event was rejected: " + line);
    }
    for (event::Event& event : publisher.sent) {
        taken_.push_back(std::move(event));
    }
    publisher.sent.clear();
    publisher.again = false;
}

}  // namespace bascule::simulator
