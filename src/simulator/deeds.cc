#include "simulator/deeds.h"

#include <chrono>

namespace bascule::simulator {

namespace {

/// How long after a pause's end either may be seen.
constexpr std::chrono::milliseconds end_slack{1000};

std::string_view type_of(Deeds::Kind kind) {
    switch (kind) {
        case Deeds::Kind::pause:
            return "bus.consumer_paused";
        case Deeds::Kind::resume:
            return "bus.consumer_resumed";
        case Deeds::Kind::redrive:
            return "bus.letter_redriven";
        case Deeds::Kind::discard:
            return "bus.letter_discarded";
        case Deeds::Kind::skip:
            return "bus.letter_skipped";
        case Deeds::Kind::stop:
            return "bus.letter_stopped";
    }
    return "";
}

}  // namespace

void Deeds::expect(bool holds, const std::string& what) {
    if (!holds && violation_.empty()) {
        violation_ = what;
    }
}

std::string Deeds::asked(Kind kind, const std::string& consumer, SteadyTime now,
                         std::optional<SteadyTime> until) {
    const std::string actor = "ada" + std::to_string(deeds_.size() + 1);
    Deed& deed = deeds_[actor];
    deed = {.kind = kind, .consumer = consumer, .until = until};
    if (kind == Kind::pause || kind == Kind::resume) {
        // To resume what runs is no deed.
        deed.owed = kind == Kind::pause || paused(consumer, now) == true;
        Pause& pause = pauses_[consumer];
        pause.is_so.reset();
        pause.pending.insert(actor);
    }
    return actor;
}

void Deeds::confirmed(const std::string& actor, const std::vector<std::string>& letters) {
    Deed& deed = deeds_.at(actor);
    deed.was_confirmed = true;
    deed.letters.insert(letters.begin(), letters.end());
    if (deed.kind != Kind::pause && deed.kind != Kind::resume) {
        return;
    }
    Pause& pause = pauses_[deed.consumer];
    pause.pending.erase(actor);
    if (pause.pending.empty()) {
        pause.is_so = deed.kind == Kind::pause;
        pause.until = deed.until;
        pause.wall_steps = wall_steps_;
        pause.over_restart = false;
    }
}

void Deeds::refused(const std::string& actor) {
    const Deed& deed = deeds_.at(actor);
    pauses_[deed.consumer].pending.erase(actor);
}

void Deeds::told(const Fact& fact) {
    const std::string what = "facts: " + fact.type + " of " + fact.consumer +
                             (fact.letter.empty() ? "" : ", letter " + fact.letter) + ", by " +
                             fact.actor + ", ";
    const auto found = deeds_.find(fact.actor);
    if (found == deeds_.end() || found->second.consumer != fact.consumer ||
        type_of(found->second.kind) != fact.type) {
        expect(false, what + "tells of what nobody did");
        return;
    }
    expect(found->second.told.insert(fact.letter).second, what + "is told twice");
}

std::optional<bool> Deeds::paused(const std::string& consumer, SteadyTime now) const {
    const auto found = pauses_.find(consumer);
    if (found == pauses_.end()) {
        return false;
    }
    const Pause& pause = found->second;
    if (pause.is_so != true || !pause.until) {
        return pause.is_so;
    }
    if (pause.over_restart && pause.wall_steps != wall_steps_) {
        return std::nullopt;  // its end was found by a clock that was set
    }
    if (now < *pause.until) {
        return true;
    }
    return now < *pause.until + end_slack ? std::nullopt : std::optional(false);
}

void Deeds::seen(const std::string& consumer, bool is_paused, SteadyTime now) {
    const auto known = paused(consumer, now);
    expect(!known || *known == is_paused,
           "pause: " + consumer +
               (is_paused ? " is paused, and nobody wants that" : " goes on though it was paused"));
}

void Deeds::process_ended() {
    for (auto& [consumer, pause] : pauses_) {
        pause.pending.clear();
        pause.over_restart = true;
    }
}

void Deeds::finish() {
    for (const auto& [actor, deed] : deeds_) {
        if (!deed.was_confirmed) {
            continue;
        }
        const std::string what = "facts: " + std::string(type_of(deed.kind)) + " of " +
                                 deed.consumer + ", by " + actor + ", was confirmed and not told";
        expect(!deed.owed || deed.told.contains(""), what);
        for (const std::string& letter : deed.letters) {
            expect(deed.told.contains(letter), what + " of letter " + letter);
        }
    }
}

}  // namespace bascule::simulator
