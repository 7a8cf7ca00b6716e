#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bus/log/frame.h"
#include "bus/log/log.h"
#include "bus/log/record.h"
#include "bus/log/segment.h"

namespace bascule::log {

/// A verified frame of records in memory that someone else keeps.
struct FrameView {
    FrameHeader header;
    const std::byte* columns = nullptr;
    const std::byte* bodies = nullptr;  ///< null: columns only
};

/// Consecutive frames of one segment with their memory; never changed once readers see it.
struct Block {
    std::shared_ptr<const Segment> segment;
    std::uint64_t position_end = 0;  ///< behind its last frame
    std::vector<FrameView> frames;   ///< not empty; each holds records
    std::vector<std::string> memory;

    std::uint64_t first() const { return frames.front().header.first; }
    std::uint64_t end() const { return frames.back().header.end(); }
    std::size_t bytes() const;
};

/// A block of the one frame that was just committed.
std::shared_ptr<const Block> block_of(EncodedFrame frame, std::shared_ptr<const Segment> segment,
                                      std::uint64_t position);

/// Collects what one `Log::read` answers.
class BatchBuilder {
  public:
    BatchBuilder(Offset from, const ReadLimits& limits) : next_(from.value()), limits_(limits) {}

    /// Adds the records of `frame` from `next()` on, as far as the limits allow.
    void add(const FrameView& frame);
    void add(const std::shared_ptr<const Block>& block);
    /// Keeps what the bodies of added frames point into.
    void keep(std::shared_ptr<const void> memory) { memory_.push_back(std::move(memory)); }
    void skip_to(std::uint64_t offset) { next_ = offset; }

    bool full() const { return full_; }
    std::uint64_t next() const { return next_; }
    Batch take() && { return {std::move(records_), Offset(next_), std::move(memory_)}; }

  private:
    std::uint64_t next_;
    const ReadLimits& limits_;
    std::uint64_t bytes_ = 0;
    bool full_ = false;
    std::vector<RecordView> records_;
    std::vector<std::shared_ptr<const void>> memory_;
};

}  // namespace bascule::log
