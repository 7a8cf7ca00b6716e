#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/clock.h"
#include "foundation/base/offset.h"

namespace bascule::log {

enum class State {
    running,
    full,       ///< no disk space: appends fail with `exhausted`, reads go on; ends by itself
    read_only,  ///< damage was found at open: appends fail with `corrupt`, reads go on
    failed,     ///< a write or sync failed: appends fail with `io`, reads go on; reopen
    closed,
};
constexpr std::string_view name(State state) {
    switch (state) {
        case State::running:
            return "running";
        case State::full:
            return "full";
        case State::read_only:
            return "read_only";
        case State::failed:
            return "failed";
        case State::closed:
            return "closed";
    }
    return "unknown";
}

/// Offsets [first, end) that were durable and cannot be read any more.
struct LostRange {
    Offset first;
    Offset end;
    std::string why;
    bool columns_left = false;  ///< `ReadLimits::Parts::columns` still reads them
};

/// Numbers since open, but for those of what is stored.
struct Stats {
    std::uint64_t records = 0;  ///< accepted and durable
    std::uint64_t bytes = 0;    ///< of frames committed
    std::uint64_t frames = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t rejected = 0;
    std::uint64_t syncs = 0;
    std::chrono::nanoseconds sync_time{};  ///< in sum
    std::chrono::nanoseconds sync_time_max{};
    std::uint64_t bytes_filled = 0;   ///< zeros written ahead
    std::uint64_t queue_records = 0;  ///< waiting now
    std::uint64_t queue_bytes = 0;
    std::uint64_t segments = 0;      ///< stored now
    std::uint64_t stored_bytes = 0;  ///< of segments, without space filled ahead
    std::uint64_t dedup_entries = 0;
    std::chrono::milliseconds dedup_window{};  ///< how far back ids are recognised now
    std::uint64_t producers = 0;
    std::uint64_t tail_hits = 0;  ///< reads served from memory
    std::uint64_t disk_reads = 0;
    std::uint64_t torn_bytes = 0;  ///< cut off at open
};

/// How a log is, and since when.
struct Health {
    State state = State::running;
    std::string reason;  ///< why it is not running, for anyone to read: names no file
    std::string detail;  ///< the same for who runs the machine: with files and the system's words
    WallTime since{};    ///< the epoch: since it was opened
};

struct Status : Health {
    std::vector<LostRange> lost;
    bool reserve_held = false;
    Stats stats;
};

}  // namespace bascule::log
