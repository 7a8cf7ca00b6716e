#include "simulator/people.h"

namespace bascule::simulator {

namespace {

std::vector<std::string> ids_of(const std::vector<broker::LetterSummary>& letters) {
    std::vector<std::string> ids;
    for (const broker::LetterSummary& letter : letters) {
        ids.push_back(letter.id);
    }
    return ids;
}

}  // namespace

void People::help() {
    for (const auto& [name, policy] : stage_.policies) {
        resume(name);
        redrive_or_give_up(name);
    }
}

/// What damage took, and retention with it, nobody can deliver any more.
void People::redrive_or_give_up(const std::string& consumer) {
    stage_.bus->letters({.consumer = consumer, .open = true},
                        [this, consumer, boot = stage_.boot](const auto& letters) {
                            if (boot != stage_.boot || !letters) {
                                return;
                            }
                            for (const broker::LetterSummary& letter : *letters) {
                                if (stage_.model.is_damaged(letter.offset) &&
                                    letter.offset < stage_.bus->log().begin()) {
                                    close(letter, false);
                                }
                            }
                            redrive(consumer, {});
                        });
}

void People::resume_all() {
    for (const auto& [name, policy] : stage_.policies) {
        resume(name);
    }
}

/// Notes what became of a deed that is about no letters.
io::Completion<> People::noted(const std::string& actor) {
    return [this, actor, boot = stage_.boot](const Result<>& done) {
        if (boot != stage_.boot) {
            return;
        }
        stage_.story.tell(actor +
                          (done ? "'s deed is done" : " is refused: " + done.error().message()));
        if (done) {
            stage_.deeds.confirmed(actor);
        } else {
            stage_.deeds.refused(actor);
        }
    };
}

void People::pause(const std::string& consumer, Random& random) {
    std::optional<WallTime> until;
    std::optional<SteadyTime> ends;
    if (random.below(3) == 0) {
        const std::chrono::milliseconds length(1 + random.below(3000));
        until = stage_.clock.wall() + length;
        // The wall clock counts whole milliseconds.
        ends = stage_.clock.steady() + length - 1ms;
    }
    const std::string actor =
        stage_.deeds.asked(Deeds::Kind::pause, consumer, stage_.clock.steady(), ends);
    stage_.story.tell(actor + " pauses " + consumer + (until ? " for a while" : ""));
    stage_.bus->pause(consumer, until, {.actor = actor, .reason = "of " + actor}, noted(actor));
}

void People::resume(const std::string& consumer) {
    const std::string actor =
        stage_.deeds.asked(Deeds::Kind::resume, consumer, stage_.clock.steady());
    stage_.story.tell(actor + " resumes " + consumer);
    stage_.bus->resume(consumer, {.actor = actor}, noted(actor));
}

void People::redrive(const std::string& consumer, const delivery::RedrivePace& pace) {
    const std::string actor =
        stage_.deeds.asked(Deeds::Kind::redrive, consumer, stage_.clock.steady());
    stage_.story.tell(
        actor + " redrives the letters of " + consumer + (pace.canary ? ", one ahead" : "") +
        (pace.per_second == 0 ? "" : ", " + std::to_string(pace.per_second) + " a second"));
    stage_.model.hurried(consumer, stage_.clock.steady());
    stage_.bus->redrive({.consumer = consumer, .open = true}, pace, {.actor = actor},
                        [this, boot = stage_.boot, consumer, actor](const auto& letters) {
                            if (boot == stage_.boot && letters) {
                                stage_.deeds.confirmed(actor, ids_of(*letters));
                                stage_.counts.letters_redriven += letters->size();
                                stage_.story.tell(std::to_string(letters->size()) + " letters of " +
                                                  consumer + " are redriven");
                                stage_.model.hurried(consumer, stage_.clock.steady());
                            }
                        });
}

void People::stop_redrive(const std::string& consumer) {
    const std::string actor =
        stage_.deeds.asked(Deeds::Kind::stop, consumer, stage_.clock.steady());
    stage_.story.tell(actor + " takes back the letters of " + consumer + " that wait");
    stage_.bus->stop_redrive({.consumer = consumer, .open = true}, {.actor = actor},
                             [this, boot = stage_.boot, actor](const auto& letters) {
                                 if (boot == stage_.boot && letters) {
                                     stage_.deeds.confirmed(actor, ids_of(*letters));
                                     stage_.counts.letters_stopped += letters->size();
                                 }
                             });
}

void People::discard(const std::string& consumer, Random& random) {
    stage_.bus->letters({.consumer = consumer, .open = true},
                        [this, boot = stage_.boot, chance = random.next(),
                         skips = random.below(3) == 0](const auto& letters) {
                            if (boot != stage_.boot || !letters || letters->empty()) {
                                return;
                            }
                            close((*letters)[chance % letters->size()], skips);
                        });
}

void People::close(const broker::LetterSummary& letter, bool skips) {
    const std::string actor = stage_.deeds.asked(skips ? Deeds::Kind::skip : Deeds::Kind::discard,
                                                 letter.consumer, stage_.clock.steady());
    stage_.story.tell(actor + (skips ? " skips " : " discards ") + letter.id);
    stage_.model.discarding(letter.consumer, letter.offset, stage_.clock.steady());
    const broker::LetterFilter only{.ids = {letter.id}};
    const broker::Deed deed{.actor = actor, .reason = "known"};
    auto answered = [this, boot = stage_.boot, letter, actor](const auto& closed) {
        if (boot == stage_.boot) {
            discard_answered(letter, actor, closed);
        }
    };
    if (skips) {
        stage_.bus->skip(only, deed, std::move(answered));
    } else {
        stage_.bus->discard(only, deed, std::move(answered));
    }
}

void People::discard_answered(const broker::LetterSummary& letter, const std::string& actor,
                              const Result<std::vector<broker::LetterSummary>>& closed) {
    if (closed && !closed->empty()) {
        ++stage_.counts.letters_discarded;
        stage_.story.tell("letter " + letter.id + " is discarded");
        stage_.model.discarded(letter.consumer, letter.offset, stage_.clock.steady());
        stage_.deeds.confirmed(actor, {letter.id});
    } else if (closed || closed.error().kind() == ErrorKind::conflict) {
        stage_.model.not_discarded(letter.consumer, letter.offset,
                                   stage_.clock.steady());  // it is being redriven
    }
}

void People::redrive_at_a_pace(const std::string& consumer, Random& random) {
    const delivery::RedrivePace pace{
        .per_second = random.below(2) == 0 ? 1 + static_cast<std::uint32_t>(random.below(4)) : 0,
        .canary = random.below(4) == 0};
    redrive(consumer, pace);
    if (pace.any()) {
        paced_.insert(consumer);
    }
}

void People::act(Random& random) {
    // Whoever redrives at a pace may think better of it while some still wait.
    if (!paced_.empty() && random.below(2) == 0) {
        stop_redrive(paced_.extract(paced_.begin()).value());
        return;
    }
    const std::string consumer =
        consumer_name(static_cast<std::uint32_t>(random.below(stage_.plan.consumers)));
    switch (random.below(5)) {
        case 0:
            pause(consumer, random);
            break;
        case 1:
            resume(consumer);
            break;
        case 2:
            stage_.story.tell("a person flushes " + consumer);
            stage_.bus->flush(consumer, [](const Result<>&) {});
            break;
        case 3:
            redrive_at_a_pace(consumer, random);
            break;
        case 4:
            discard(consumer, random);
            break;
    }
}

}  // namespace bascule::simulator
