#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bus/log/producers.h"
#include "bus/log/segment.h"

namespace bascule::log {

/// The segment that was being written when the log was last open.
///
/// Every frame says what was durable when it was written; so all but the last few frames are
/// *proven* by a later one. Of the others, bodies are verified too; the first that fails, and what
/// follows it, is torn.
struct LastSegment {
    IndexedSegment proven;
    std::vector<EncodedFrame> unproven;
    std::vector<ProducerSequence> producers;  ///< as of the end of the proven frames
    bool head_found = false;
    bool clean = false;  ///< ends with a mark, and nothing but zeros follows
    std::uint64_t torn_bytes = 0;

    explicit LastSegment(Offset first) : proven(first) {}
};

Result<LastSegment> read_last_segment(const io::File& file, Offset first);

/// Raises `producers` by what one frame's columns, or a head, say.
void raise_producers(Producers& producers, const FrameScanner::Found& found);

}  // namespace bascule::log
