#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "bus/log/segment.h"

namespace bascule::log {

/// A segment that is being made: it has a temporary name until all of its beginning is durable,
/// so that a file with a segment's name always holds a whole head.
///
/// Threads: one owner. Cost: `finish` blocks for a directory sync.
class SegmentDraft {
  public:
    /// Writes the head: the producers' sequences as of `first`.
    static Result<SegmentDraft> create(io::Disk& disk, const std::string& directory,
                                       std::uint64_t file_id, Offset first,
                                       std::span<const ProducerSequence> producers);

    std::uint64_t file_id() const { return segment_->index.file_id; }
    Offset end() const { return segment_->index.end; }
    std::uint64_t position() const { return segment_->index.position_end; }
    io::File& file() { return *segment_->file; }

    /// Appends a frame; `recorded` is the time of its last record.
    Result<> add(const EncodedFrame& frame, WallTime recorded);

    /// Appends the mark that all before it is durable: true once the file has its name.
    Result<> add_mark();

    /// Writes zeros behind the frames.
    Result<> fill(std::uint64_t bytes);

    /// Gives the file its name. It must have been synced.
    Result<std::shared_ptr<Segment>> finish(io::Disk& disk, const std::string& directory) &&;

  private:
    std::string temporary_;
    std::shared_ptr<Segment> segment_;
};

/// Writes `bytes` zeros at `position`, a piece at a time.
Result<> write_zeros(io::File& file, std::uint64_t position, std::uint64_t bytes);

}  // namespace bascule::log
