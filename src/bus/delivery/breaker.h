#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bus/delivery/key_index.h"
#include "bus/delivery/policy.h"
#include "bus/delivery/run.h"
#include "bus/delivery/slab.h"

namespace bascule::delivery {

enum class BreakerState : std::uint8_t {
    closed = 0,     ///< calls go through and are counted
    open = 1,       ///< no calls
    half_open = 2,  ///< a few calls go through, to see whether the target is well again
};

/// What of a breaker outlives the process.
struct KeptBreaker {
    BreakerState state = BreakerState::closed;
    std::uint32_t trips = 0;  ///< since it was closed
    WallTime since{};
    WallTime until{};  ///< while open
    std::string text;  ///< why it opened
};

/// Stops calling a target that fails or is slow, and tries it again after a while.
///
/// A voter, normally a key, has one vote: what its last call within the window came to. So neither
/// a poison key nor a busy one can open the breaker for the others. Open times double with each
/// trip until it closes again, up to open_max. Half open is judged by its own calls alone: calls
/// that began before do not count, and a voter that fails again and again counts once.
///
/// Limits:  voters_max voters are remembered; beyond, the oldest vote is forgotten.
/// Cost:    O(1) a call, no allocation below the highest tide.
class Breaker {
  public:
    static constexpr std::uint32_t voters_max = 10'000;

    explicit Breaker(const BreakerPolicy& policy) : policy_(policy) {}

    /// Goes on where it was. The clock may have been set meanwhile: an open breaker opens for no
    /// longer than it was going to.
    void restore(const KeptBreaker& kept, Now now);
    /// By the wall clock as it is now, which may have been set since the breaker opened.
    KeptBreaker keep(Now now) const;

    BreakerState state() const { return state_; }
    const std::string& text() const { return text_; }
    WallTime since() const { return since_; }
    std::uint32_t trials_answered() const { return trials_good_ + votes_.used(); }

    /// While open: when it will be half open.
    std::optional<SteadyTime> until() const {
        return state_ == BreakerState::open ? std::optional(until_) : std::nullopt;
    }

    /// How many more calls may begin while it is half open.
    std::uint32_t trials_left() const;

    /// A call begins. True if it is a trial; say so when it ends.
    bool begin();

    struct Call {
        std::uint64_t voter = 0;
        bool trial = false;
        bool failed = false;
        std::chrono::nanoseconds took{};
    };

    /// What a call came to. True if the state changed.
    bool end(const Call& call, Now now);

    /// A call ended in a way that tells nothing of the target.
    void drop(bool trial) { trials_running_ -= trial; }

    /// Half opens when it is time to. True if it did.
    bool pass_time(Now now);

  private:
    struct Vote {
        std::uint64_t voter = 0;
        SteadyTime at;
        std::uint32_t before = none;
        std::uint32_t after = none;
        bool failed = false;
        bool slow = false;
    };

    void vote(std::uint64_t voter, bool failed, bool slow, SteadyTime now);
    void take_out(std::uint32_t vote);
    void clear_votes();
    /// Why to open, or nothing.
    std::optional<std::string> verdict(std::uint32_t calls, const char* of_what) const;
    void open(std::string text, Now now);

    BreakerPolicy policy_;
    BreakerState state_ = BreakerState::closed;
    std::uint32_t trips_ = 0;
    WallTime since_{};
    SteadyTime until_;  ///< while open
    std::chrono::milliseconds open_for_{};
    std::string text_;

    Slab<Vote> votes_;  ///< while closed: of all voters; half open: of those whose trial went wrong
    KeyIndex index_;
    std::uint32_t first_ = none;  ///< the oldest
    std::uint32_t last_ = none;
    std::uint32_t failed_ = 0;
    std::uint32_t slow_ = 0;
    std::uint32_t trials_running_ = 0;
    std::uint32_t trials_good_ = 0;
};

std::string_view name(BreakerState state);

}  // namespace bascule::delivery
