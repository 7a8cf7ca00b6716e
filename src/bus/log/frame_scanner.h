#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bus/log/frame.h"
#include "foundation/base/result.h"
#include "foundation/io/disk.h"

namespace bascule::log {

/// Walks the frames of a file, reading headers and columns but no bodies, and finds its way again
/// behind damage.
///
/// Threads: one owner. Lifetime: `file` outlives the scanner.
class FrameScanner {
  public:
    /// Only frames of `file_id` count; 0 = that of the first frame found. Of records and entries
    /// only those of the kind `holds` count. `end` bounds the scan.
    FrameScanner(const io::File& file, std::uint64_t position, std::uint64_t end,
                 std::uint64_t file_id = 0, FrameKind holds = FrameKind::records)
        : file_(file), position_(position), end_(end), file_id_(file_id), holds_(holds) {}

    struct Found {
        FrameHeader header;
        std::uint64_t position = 0;
        bool after_gap = false;              ///< what lay before it was no frame
        std::span<const std::byte> columns;  ///< until the next call
    };

    /// The next whole frame, or nothing when there is none up to the end.
    /// Errors: `io`; `invalid` for a frame of a newer version.
    Result<std::optional<Found>> next();

    /// Behind the last frame found.
    std::uint64_t position() const { return position_; }
    std::uint64_t file_id() const { return file_id_; }

    /// Whether only zeros follow `position()`; meant for when `next` found nothing more.
    Result<bool> only_zeros_left();

  private:
    Result<std::optional<FrameHeader>> try_at(std::uint64_t position);
    Result<std::optional<std::uint64_t>> find_candidate(std::uint64_t from);
    Result<std::span<const std::byte>> window(std::uint64_t position, std::size_t bytes);

    const io::File& file_;
    std::uint64_t position_;
    std::uint64_t end_;
    std::uint64_t file_id_;
    FrameKind holds_;
    std::vector<std::byte> buffer_;
    std::uint64_t buffer_position_ = 0;
    std::size_t buffer_bytes_ = 0;
};

}  // namespace bascule::log
