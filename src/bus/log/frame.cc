#include "bus/log/frame.h"

#include "bus/log/bytes.h"
#include "bus/log/record_columns.h"
#include "foundation/base/check.h"
#include "foundation/base/hash.h"

namespace bascule::log {

namespace {

constexpr std::uint32_t magic = 0x4D524642;  // "BFRM"
constexpr std::uint16_t known_flags = FrameFlag::snapshot | FrameFlag::snapshot_end;

// The checksum comes first and covers everything behind it up to the bodies, which have their own.
// So a reader of columns need not touch bodies. Every version keeps the fields up to `part sizes`
// where they are: only then can a newer frame be told from a damaged one.
constexpr std::size_t hash_at = 0;
constexpr std::size_t magic_at = 8;
constexpr std::size_t version_at = 12;
constexpr std::size_t kind_at = 13;
constexpr std::size_t flags_at = 14;
constexpr std::size_t file_id_at = 16;
constexpr std::size_t first_at = 24;
constexpr std::size_t durable_at = 32;
constexpr std::size_t count_at = 40;
constexpr std::size_t column_bytes_at = 44;
constexpr std::size_t body_bytes_at = 48;
constexpr std::size_t control_count_at = 52;
constexpr std::size_t time_base_at = 56;
constexpr std::size_t body_hash_at = 64;
constexpr std::size_t reserved_at = 72;

std::uint64_t hash_of(std::span<const std::byte> bytes) { return hash64(as_text(bytes)); }

bool known(std::uint8_t version, std::uint8_t kind, std::uint16_t flags) {
    return version == FrameHeader::version && kind >= 1 && kind <= 4 && (flags & ~known_flags) == 0;
}

bool entries_consistent(const FrameHeader& header, std::span<const std::byte> columns) {
    if (columns.size() != aligned(std::uint64_t{4} * header.count)) {
        return false;
    }
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < header.count; ++i) {
        sum += load<std::uint32_t>(columns.data() + 4 * i);
    }
    return sum == header.body_bytes;
}

bool consistent(const FrameHeader& header, std::span<const std::byte> columns) {
    switch (header.kind) {
        case FrameKind::records:
            return columns.size() == RecordColumns::bytes(header.count) &&
                   RecordColumns(header, columns.data()).consistent(header);
        case FrameKind::entries:
            return entries_consistent(header, columns);
        case FrameKind::head:
            return columns.size() == std::uint64_t{16} * header.count && header.body_bytes == 0;
        case FrameKind::mark:
            return columns.empty() && header.count == 0 && header.body_bytes == 0;
    }
    return false;
}

void store_header(std::byte* at, const FrameHeader& header) {
    store(at + magic_at, magic);
    store(at + version_at, FrameHeader::version);
    store(at + kind_at, header.kind);
    store(at + flags_at, header.flags);
    store(at + file_id_at, header.file_id);
    store(at + first_at, header.first);
    store(at + durable_at, header.durable);
    store(at + count_at, header.count);
    store(at + column_bytes_at, header.column_bytes);
    store(at + body_bytes_at, header.body_bytes);
    store(at + control_count_at, header.control_count);
    store(at + time_base_at, header.time_base);
    store(at + body_hash_at, header.body_hash);
    store(at + reserved_at, std::uint64_t{0});
}

}  // namespace

std::size_t FrameHeader::total_bytes() const { return aligned(meta_bytes() + body_bytes); }

std::expected<FrameHeader, FrameFault> read_header(std::span<const std::byte> bytes) {
    if (bytes.size() < FrameHeader::bytes ||
        load<std::uint32_t>(bytes.data() + magic_at) != magic) {
        return std::unexpected(FrameFault::absent);
    }
    const std::byte* at = bytes.data();
    FrameHeader header{.kind = load<FrameKind>(at + kind_at),
                       .flags = load<std::uint16_t>(at + flags_at),
                       .file_id = load<std::uint64_t>(at + file_id_at),
                       .first = load<std::uint64_t>(at + first_at),
                       .durable = load<std::uint64_t>(at + durable_at),
                       .time_base = load<std::int64_t>(at + time_base_at),
                       .count = load<std::uint32_t>(at + count_at),
                       .control_count = load<std::uint32_t>(at + control_count_at),
                       .column_bytes = load<std::uint32_t>(at + column_bytes_at),
                       .body_bytes = load<std::uint32_t>(at + body_bytes_at),
                       .body_hash = load<std::uint64_t>(at + body_hash_at)};
    if (header.column_bytes > FrameHeader::part_bytes_max ||
        header.body_bytes > FrameHeader::part_bytes_max) {
        return std::unexpected(FrameFault::damaged);
    }
    return header;
}

std::expected<void, FrameFault> verify_meta(const FrameHeader& header,
                                            std::span<const std::byte> meta) {
    CHECK(meta.size() == header.meta_bytes());
    if (load<std::uint64_t>(meta.data() + hash_at) != hash_of(meta.subspan(magic_at))) {
        return std::unexpected(FrameFault::damaged);
    }
    if (!known(load<std::uint8_t>(meta.data() + version_at),
               load<std::uint8_t>(meta.data() + kind_at), header.flags)) {
        return std::unexpected(FrameFault::newer);
    }
    if (header.durable > header.first || header.first > FrameHeader::number_max ||
        !consistent(header, meta.subspan(FrameHeader::bytes))) {
        return std::unexpected(FrameFault::damaged);
    }
    return {};
}

bool verify_bodies(const FrameHeader& header, std::span<const std::byte> bodies) {
    return bodies.size() == header.body_bytes && hash_of(bodies) == header.body_hash;
}

EncodedFrame seal_frame(FrameHeader header, std::string meta, std::string bodies) {
    const std::size_t column_bytes = meta.size() - FrameHeader::bytes;
    CHECK(column_bytes <= FrameHeader::part_bytes_max && column_bytes % frame_alignment == 0);
    CHECK(bodies.size() <= FrameHeader::part_bytes_max);
    CHECK(header.durable <= header.first);
    header.column_bytes = static_cast<std::uint32_t>(column_bytes);
    header.body_bytes = static_cast<std::uint32_t>(bodies.size());
    header.body_hash = hash64(bodies);

    EncodedFrame frame{.header = header, .meta = std::move(meta), .bodies = std::move(bodies)};
    auto* at = reinterpret_cast<std::byte*>(frame.meta.data());
    store_header(at, header);
    store(at + hash_at, hash_of(as_bytes(frame.meta).subspan(magic_at)));
    frame.bodies.resize(header.total_bytes() - header.meta_bytes());
    return frame;
}

EncodedFrame encode_frame(FrameHeader header, std::string_view columns, std::string bodies) {
    std::string meta(FrameHeader::bytes, '\0');
    meta += columns;
    return seal_frame(header, std::move(meta), std::move(bodies));
}

EncodedFrame encode_entries(FrameHeader header, std::span<const std::uint32_t> sizes,
                            std::string bodies) {
    header.kind = FrameKind::entries;
    header.count = static_cast<std::uint32_t>(sizes.size());
    std::string columns(reinterpret_cast<const char*>(sizes.data()), sizes.size_bytes());
    columns.resize(aligned(columns.size()));
    return encode_frame(header, columns, std::move(bodies));
}

EncodedFrame encode_head(FrameHeader header, std::span<const ProducerSequence> producers) {
    header.kind = FrameKind::head;
    header.count = static_cast<std::uint32_t>(producers.size());
    std::string columns;
    columns.reserve(16 * producers.size());
    for (const auto& [producer, sequence] : producers) {
        put(columns, producer);
        put(columns, sequence);
    }
    return encode_frame(header, columns, {});
}

std::vector<ProducerSequence> decode_head(std::span<const std::byte> columns) {
    std::vector<ProducerSequence> producers(columns.size() / 16);
    for (std::size_t i = 0; i < producers.size(); ++i) {
        producers[i] = {load<std::uint64_t>(columns.data() + 16 * i),
                        load<std::uint64_t>(columns.data() + 16 * i + 8)};
    }
    return producers;
}

std::string newer_text(const FrameHeader& header) {
    if (header.has(FrameFlag::bodies_zstd)) {
        return "holds compressed bodies, which this version of Bascule does not read";
    }
    return "was written by a newer version of Bascule (this one knows frames of version " +
           std::to_string(FrameHeader::version) + "): open it with that one";
}

}  // namespace bascule::log
