#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bus/log/dedup_index.h"
#include "bus/log/options.h"
#include "bus/log/producers.h"
#include "bus/log/segment.h"
#include "foundation/base/random.h"
#include "foundation/io/disk.h"

namespace bascule::log {

/// A log's directory, made ready for service.
struct Recovered {
    std::vector<std::shared_ptr<Segment>> segments;  ///< in order; the last one goes on
    std::uint64_t filled_end = 0;                    ///< of the last one: zeros up to here
    DedupIndex dedup;
    Producers producers;
    std::uint64_t torn_bytes = 0;
    std::string damage;         ///< not empty: why the log must not be written to
    std::string damage_detail;  ///< the same with the files' names
};

/// Opens or creates the log in `directory`; blocks. See `Log::open`.
///
/// Which of the last segment's frames are known to be durable, their successors say. Those of which
/// none says so are written again into a new segment, which has its name only once it is synced.
Result<Recovered> recover(io::Disk& disk, const std::string& directory, const Options& options,
                          Random& random);

}  // namespace bascule::log
