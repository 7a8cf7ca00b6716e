#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/result.h"

namespace bascule::log {

/// One commit on disk: header, columns, bodies, zeros up to the next multiple of 8. The same for
/// segments and framed files; what the columns mean depends on the kind.
///
/// Format: docs/format/segment.md (version 1). Checksums: XXH3-64 (xxHash).
enum class FrameKind : std::uint8_t {
    records = 1,  ///< log records: columns as in record_columns.h
    entries = 2,  ///< entries of a framed file: columns are their sizes
    head = 3,     ///< the first of a file; in a segment its columns are producers' sequences
    mark = 4,     ///< nothing but its header: everything below `durable` was synced before it
};

enum FrameFlag : std::uint16_t {
    bodies_zstd = 1,  ///< reserved: this version neither writes nor reads it
    snapshot = 2,     ///< records repeat the control state
    snapshot_end = 4  ///< the last frame of a snapshot: only with it is one complete
};

struct FrameHeader {
    static constexpr std::uint8_t version = 1;
    static constexpr std::size_t bytes = 80;
    /// Bound of columns and of bodies: what a header claims beyond it is damage, not a size.
    static constexpr std::uint32_t part_bytes_max = 64 << 20;
    /// Bound of offsets and entry numbers, so that arithmetic on them cannot overflow.
    static constexpr std::uint64_t number_max = std::uint64_t{1} << 62;

    FrameKind kind = FrameKind::mark;
    std::uint16_t flags = 0;
    std::uint64_t file_id = 0;   ///< of the segment, so that recycled space cannot look valid
    std::uint64_t first = 0;     ///< offset of the first record, number of the first entry
    std::uint64_t durable = 0;   ///< everything below was synced when this frame was written
    std::int64_t time_base = 0;  ///< unix ms; records' times count from here
    std::uint32_t count = 0;
    std::uint32_t control_count = 0;
    std::uint32_t column_bytes = 0;
    std::uint32_t body_bytes = 0;
    std::uint64_t body_hash = 0;

    bool has(FrameFlag flag) const { return (flags & flag) != 0; }
    /// Behind the last record or entry. Heads and marks hold none.
    std::uint64_t end() const {
        return kind == FrameKind::records || kind == FrameKind::entries ? first + count : first;
    }
    std::size_t meta_bytes() const { return bytes + column_bytes; }
    std::size_t total_bytes() const;  ///< with padding
};

/// What is wrong with the bytes where a frame should be.
enum class FrameFault {
    absent,   ///< no frame begins here
    damaged,  ///< one may, but it contradicts itself
    newer,    ///< whole, but of a version, kind or flag that this program does not know
};

/// Reads the fixed part, unverified but for sizes that can be: `bytes` holds FrameHeader::bytes.
std::expected<FrameHeader, FrameFault> read_header(std::span<const std::byte> bytes);

/// Verifies header and columns: `meta` holds the frame's first `header.meta_bytes()` bytes. The
/// columns then fit the count, kinds and sizes they claim.
std::expected<void, FrameFault> verify_meta(const FrameHeader& header,
                                            std::span<const std::byte> meta);

bool verify_bodies(const FrameHeader& header, std::span<const std::byte> bodies);

/// A frame ready to be written: `meta` at its position, `bodies` (padded) right behind.
struct EncodedFrame {
    FrameHeader header;
    std::string meta;
    std::string bodies;
};

/// Fills in sizes and checksums.
EncodedFrame encode_frame(FrameHeader header, std::string_view columns, std::string bodies);

/// The same, with the columns in their place already: `meta` begins with room for the header.
EncodedFrame seal_frame(FrameHeader header, std::string meta, std::string bodies);

/// Entries of a framed file.
EncodedFrame encode_entries(FrameHeader header, std::span<const std::uint32_t> sizes,
                            std::string bodies);

/// What a segment's head keeps: the highest sequence of every producer.
using ProducerSequence = std::pair<std::uint64_t, std::uint64_t>;
EncodedFrame encode_head(FrameHeader header, std::span<const ProducerSequence> producers);
std::vector<ProducerSequence> decode_head(std::span<const std::byte> columns);

/// "…is of a newer version…", for the error `invalid` that a FrameFault::newer becomes.
std::string newer_text(const FrameHeader& header);

}  // namespace bascule::log
