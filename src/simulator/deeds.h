#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "foundation/base/clock.h"

namespace bascule::simulator {

/// What people did to a bus, and what it owes them for it: a deed that was confirmed stands,
/// whatever ends the process, and an event tells of it, once; of what nobody did, none tells.
///
/// Threads: one owner.
class Deeds {
  public:
    enum class Kind { pause, resume, redrive, discard, skip, stop };

    /// Somebody is about to do it. Returns a name for who does, of its own for every deed.
    std::string asked(Kind kind, const std::string& consumer, SteadyTime now,
                      std::optional<SteadyTime> until = std::nullopt);

    /// It was done, to these letters if it is a deed about letters.
    void confirmed(const std::string& actor, const std::vector<std::string>& letters = {});

    /// Whether it was done is not known.
    void refused(const std::string& actor);

    /// An event in the log that tells of it.
    struct Fact {
        std::string type;
        std::string consumer;
        std::string actor;
        std::string letter;  ///< empty if it is about none
    };
    void told(const Fact& fact);

    /// Whether a person paused the consumer; nothing while that is not known.
    std::optional<bool> paused(const std::string& consumer, SteadyTime now) const;

    /// What the bus says of it.
    void seen(const std::string& consumer, bool paused, SteadyTime now);

    void wall_clock_was_set() { ++wall_steps_; }
    void process_ended();

    /// Everything had time to be told.
    void finish();

    const std::string& violation() const { return violation_; }

  private:
    struct Deed {
        Kind kind = Kind::pause;
        std::string consumer;
        std::optional<SteadyTime> until;
        bool owed = false;              ///< once confirmed it must be told
        std::set<std::string> letters;  ///< that it was confirmed for
        std::set<std::string> told;     ///< letters, or one empty text
        bool was_confirmed = false;
    };
    struct Pause {
        std::optional<bool> is_so = false;
        std::optional<SteadyTime> until;
        std::uint64_t wall_steps = 0;  ///< as of then
        bool over_restart = false;
        std::set<std::string> pending;  ///< asked for and not answered
    };
    void expect(bool holds, const std::string& what);

    std::map<std::string, Deed> deeds_;  ///< by actor
    std::map<std::string, Pause> pauses_;
    std::uint64_t wall_steps_ = 0;
    std::string violation_;
};

}  // namespace bascule::simulator
