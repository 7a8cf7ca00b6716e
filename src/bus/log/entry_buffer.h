#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "bus/log/bytes.h"
#include "bus/log/frame.h"

namespace bascule::log {

/// Entries on their way into frames of a framed file, oldest first.
class EntryBuffer {
  public:
    struct Frame {
        std::vector<std::uint32_t> sizes;
        std::string bodies;
    };

    void add(std::string_view entry) {
        if (frames_.empty() || frames_.back().sizes.size() >= frame_entries_max ||
            frames_.back().bodies.size() + entry.size() > frame_body_bytes_max) {
            frames_.emplace_back();
        }
        frames_.back().sizes.push_back(static_cast<std::uint32_t>(entry.size()));
        frames_.back().bodies += entry;
    }

    /// Puts `older` in front.
    void prepend(EntryBuffer older) {
        frames_.insert(frames_.begin(), std::make_move_iterator(older.frames_.begin()),
                       std::make_move_iterator(older.frames_.end()));
    }

    bool empty() const { return frames_.empty(); }
    const std::deque<Frame>& frames() const { return frames_; }

    std::uint64_t entries() const {
        std::uint64_t sum = 0;
        for (const Frame& frame : frames_) {
            sum += frame.sizes.size();
        }
        return sum;
    }

    std::uint64_t bytes() const {
        std::uint64_t sum = 0;
        for (const Frame& frame : frames_) {
            sum +=
                FrameHeader::bytes + aligned(4 * frame.sizes.size()) + aligned(frame.bodies.size());
        }
        return sum;
    }

  private:
    static constexpr std::size_t frame_entries_max = 1 << 20;
    static constexpr std::size_t frame_body_bytes_max = 32 << 20;

    std::deque<Frame> frames_;
};

}  // namespace bascule::log
