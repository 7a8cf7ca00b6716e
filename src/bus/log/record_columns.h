#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bus/log/bytes.h"
#include "bus/log/frame.h"
#include "bus/log/record.h"

namespace bascule::log {

/// The columns of a frame of records, read in place.
///
///     8 bytes each: key hash, id hash (high), id hash (low), content hash, producer, sequence
///     4 bytes each: recorded - time_base, body size, rule version, target set
///     1 byte  each: kind; then zeros up to a multiple of 8
class RecordColumns {
  public:
    static constexpr std::size_t record_bytes = 6 * 8 + 4 * 4 + 1;
    static constexpr std::uint64_t bytes(std::uint64_t count) {
        return aligned(count * record_bytes);
    }

    /// `columns` were verified with the header, or are about to be (see `consistent`).
    RecordColumns(const FrameHeader& header, const std::byte* columns)
        : base_(columns), count_(header.count), time_base_(header.time_base) {}

    std::uint64_t key_hash(std::size_t i) const { return wide(0, i); }
    Hash128 id_hash(std::size_t i) const { return {.high = wide(1, i), .low = wide(2, i)}; }
    std::uint64_t content_hash(std::size_t i) const { return wide(3, i); }
    std::uint64_t producer(std::size_t i) const { return wide(4, i); }
    std::uint64_t sequence(std::size_t i) const { return wide(5, i); }
    std::int64_t recorded(std::size_t i) const { return time_base_ + narrow(0, i); }
    std::uint32_t body_bytes(std::size_t i) const { return narrow(1, i); }
    std::uint32_t rule_version(std::size_t i) const { return narrow(2, i); }
    std::uint32_t target_set(std::size_t i) const { return narrow(3, i); }
    RecordKind kind(std::size_t i) const { return static_cast<RecordKind>(base_[64 * count_ + i]); }

    /// Whether sizes add up, kinds exist and time does not run backwards: what a checksum of our
    /// own making implies, but that of a forger does not.
    bool consistent(const FrameHeader& header) const;

  private:
    std::uint64_t wide(std::size_t column, std::size_t i) const {
        return load<std::uint64_t>(base_ + 8 * (column * count_ + i));
    }
    std::uint32_t narrow(std::size_t column, std::size_t i) const {
        return load<std::uint32_t>(base_ + 48 * count_ + 4 * (column * count_ + i));
    }

    const std::byte* base_;
    std::size_t count_;
    std::int64_t time_base_;
};

/// `records` are not empty, and their times do not decrease. `bodies` holds theirs, one after the
/// other.
EncodedFrame encode_records(FrameHeader header, std::span<const Record> records,
                            std::string bodies);

}  // namespace bascule::log
