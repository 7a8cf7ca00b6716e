#pragma once

#include <chrono>
#include <cstdint>

#include "foundation/base/clock.h"
#include "foundation/base/result.h"

namespace bascule::log {

/// How far back a repeated id is recognised; whichever bound is met first.
struct DedupWindow {
    std::chrono::milliseconds age{24h};
    std::uint64_t entries_max = 4'000'000;  ///< 32 bytes of memory each; at most 16 000 000
};

/// What `Log::apply_retention` may remove; 0 = without limit.
struct Retention {
    std::chrono::milliseconds age{0};
    std::uint64_t bytes = 0;
};

/// Settings of one log. Sizes are bytes on disk unless said otherwise.
struct Options {
    std::uint64_t segment_bytes = 128 << 20;    ///< a new segment begins behind this
    std::uint64_t frame_bytes_max = 16 << 20;   ///< one commit; at most 64 MiB
    std::uint64_t record_bytes_max = 1 << 20;   ///< one event's body; control records: the frame
    std::uint64_t queue_bytes_max = 64 << 20;   ///< bodies waiting for the writer
    std::uint64_t queue_records_max = 200'000;  ///< records waiting for the writer

    /// Commits below this go into space that was filled with zeros before, larger ones grow the
    /// file: overwriting syncs faster, but filling doubles the bytes written.
    std::uint64_t large_commit_bytes = 256 << 10;
    std::uint64_t fill_bytes = 256 << 10;  ///< zeros written along with one commit; 0 = never

    std::uint64_t tail_bytes_max = 32 << 20;       ///< memory: last frames, for readers at the tail
    std::uint64_t read_cache_bytes_max = 8 << 20;  ///< memory: frames read last, for the others

    DedupWindow dedup;
    Retention retention;
    std::uint64_t producers_max = 100'000;            ///< whose highest sequence is kept for ever
    std::uint64_t reserve_bytes = 8 << 20;            ///< see Log::release_reserve; 0 = none
    std::chrono::milliseconds retry_full_after = 1s;  ///< how long a full disk refuses unasked
    std::uint64_t seed = 0;  ///< of segment ids; 0 = the operating system's entropy

    /// Errors: `invalid`, naming the setting, its value and what is allowed.
    Result<> validate() const;
};

}  // namespace bascule::log
