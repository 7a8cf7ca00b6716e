#pragma once

#include <cstdint>
#include <string>

#include "bus/log/framed_file.h"

namespace bascule::log {

/// What an existing framed file turned out to hold.
struct FramedReplay {
    std::uint64_t file_id = 0;
    std::uint64_t entries = 0;       ///< number of the next entry
    std::uint64_t position_end = 0;  ///< behind the last whole frame
    std::uint64_t filled_end = 0;    ///< zeros up to here
    std::string damage;
};

/// Gives every entry to `replay`, cuts a torn tail, and writes and syncs again what no later frame
/// proves to be durable; blocks.
Result<FramedReplay> replay_framed_file(io::File& file, const FramedFile::Replay& replay);

}  // namespace bascule::log
