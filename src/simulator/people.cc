#include "simulator/people.h"

namespace bascule::simulator {

void People::help() {
    for (const auto& [name, policy] : stage_.policies) {
        stage_.bus->resume(name, {}, [](const Result<>&) {});
        redrive(name);
    }
}

void People::redrive(const std::string& consumer) {
    stage_.story.tell("a person redrives the letters of " + consumer);
    stage_.model.hurried(consumer);
    stage_.bus->redrive({.consumer = consumer, .open = true}, {.actor = "ada"},
                        [this, boot = stage_.boot, consumer](const auto& letters) {
                            if (boot == stage_.boot && letters) {
                                stage_.counts.letters_redriven += letters->size();
                                stage_.story.tell(std::to_string(letters->size()) + " letters of " +
                                                  consumer + " are redriven");
                                stage_.model.hurried(consumer);
                            }
                        });
}

void People::discard(const std::string& consumer, Random& random) {
    stage_.bus->letters(
        {.consumer = consumer, .open = true},
        [this, boot = stage_.boot, consumer, chance = random.next()](const auto& letters) {
            if (boot != stage_.boot || !letters || letters->empty()) {
                return;
            }
            const broker::LetterSummary letter = (*letters)[chance % letters->size()];
            stage_.story.tell("a person discards " + letter.id);
            stage_.model.discarding(letter.consumer, letter.offset);
            stage_.bus->discard({.ids = {letter.id}}, {.actor = "ada", .reason = "known"},
                                [this, boot, letter](const auto& closed) {
                                    if (boot == stage_.boot && closed && !closed->empty()) {
                                        ++stage_.counts.letters_discarded;
                                        stage_.story.tell("letter " + letter.id + " is discarded");
                                        stage_.model.discarded(letter.consumer, letter.offset);
                                    }
                                });
        });
}

void People::act(Random& random) {
    const std::string consumer =
        consumer_name(static_cast<std::uint32_t>(random.below(stage_.plan.consumers)));
    switch (random.below(5)) {
        case 0:
            stage_.story.tell("a person pauses " + consumer);
            stage_.bus->pause(consumer, std::nullopt, {.actor = "ada"}, [](const Result<>&) {});
            break;
        case 1:
            stage_.story.tell("a person resumes " + consumer);
            stage_.bus->resume(consumer, {.actor = "ada"}, [](const Result<>&) {});
            break;
        case 2:
            stage_.story.tell("a person flushes " + consumer);
            stage_.bus->flush(consumer, [](const Result<>&) {});
            break;
        case 3:
            redrive(consumer);
            break;
        case 4:
            discard(consumer, random);
            break;
    }
}

}  // namespace bascule::simulator
