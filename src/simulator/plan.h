#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bus/broker/consumer_config.h"
#include "foundation/base/random.h"
#include "simulator/model.h"

namespace bascule::simulator {

/// What one run is to be: the seed, and what may be taken away from it to make a failing run
/// shorter without changing what is left.
struct Plan {
    std::uint64_t seed = 1;
    std::vector<std::uint32_t>
        steps;  ///< numbers of the steps that are taken; each has its own chance
    bool power_cuts = true;
    bool kills = true;
    bool disk_faults = true;
    bool clock_steps = true;
    bool people = true;  ///< pause, resume, redrive, discard, flush
    bool rule_changes = true;
    bool full_disks = true;  ///< that stay so
    // Not part of a seed unless they are asked for, since the bus does not stand them yet:
    bool retention = false;          ///< as far as the seed has any
    bool bit_flips = false;          ///< the same
    bool database_restores = false;  ///< the same
    std::uint32_t consumers = 3;
    bool disk_ignores_syncs = false;  ///< what no bus can stand

    /// `steps` steps and everything that can happen. Policies and faults follow from the seed.
    static Plan of_seed(std::uint64_t seed, std::uint32_t steps = 160);

    /// The same with what is not part of a seed.
    static Plan harsh_of_seed(std::uint64_t seed);

    std::string text() const;
};

/// A stream of its own for everything that is decided apart, so that leaving out one decision
/// changes no other.
Random chance_of(std::uint64_t seed, std::string_view what, std::uint64_t number = 0);

/// The sources that events come from.
std::vector<std::string> sources();

/// The policy of consumer `number` in the run of `seed`; always valid.
delivery::Policy policy_of(std::uint64_t seed, std::uint32_t number);

/// Whether consumer `number` keeps an inbox in a database of its own.
bool has_inbox(const Plan& plan, std::uint32_t number);

/// Whether the run of `seed` has one of the things that would be in the way of others everywhere.
bool has_retention(const Plan& plan);
bool has_bit_flips(const Plan& plan);
/// A copy of a database that is older than what retention left cannot be caught up.
bool has_database_restores(const Plan& plan);

/// The policy in few words, for whoever reads a story.
std::string text(const delivery::Policy& policy);

/// Who wants what in the `number`-th configuration of a run.
Interests some_interests(const Plan& plan, std::uint64_t number);

/// "mailer"-like names: consumer `number`.
std::string consumer_name(std::uint32_t number);

}  // namespace bascule::simulator
