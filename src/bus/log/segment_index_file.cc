// The .idx file: docs/format/segment.md, section "Index".
#include <algorithm>
#include <array>

#include "bus/log/bytes.h"
#include "bus/log/segment.h"
#include "foundation/base/check.h"
#include "foundation/base/hash.h"

namespace bascule::log {

namespace {

constexpr std::uint64_t magic = 0x3130'5844'4942'4C42;  // "BLBIDX01"

struct IndexHeader {
    std::uint64_t hash;  ///< of the rest of the header and the map
    std::uint64_t magic;
    std::uint64_t file_id;
    std::uint64_t first;
    std::uint64_t end;
    std::uint64_t position_end;
    std::int64_t recorded_last;
    std::uint64_t snapshot;  ///< offset + 1; 0 = none
    std::uint64_t map_entries;
    std::uint64_t ids_hash;  ///< of the ids, which follow the map: one per offset
};
static_assert(sizeof(IndexHeader) == 80 && sizeof(SegmentMap::Entry) == 24 &&
              sizeof(IdEntry) == 24);

template <class T>
std::span<const std::byte> raw(std::span<const T> values) {
    return std::as_bytes(values);
}

std::uint64_t hash_of(const IndexHeader& header, std::span<const SegmentMap::Entry> map) {
    std::string bytes(reinterpret_cast<const char*>(&header) + sizeof header.hash,
                      sizeof header - sizeof header.hash);
    bytes += as_text(raw(map));
    return hash64(bytes);
}

template <class T>
bool read_values(const io::File& file, std::uint64_t at, std::vector<T>& into) {
    const auto bytes = std::as_writable_bytes(std::span(into));
    const auto got = file.read(at, bytes);
    return got && *got == bytes.size();
}

std::optional<IndexHeader> read_index_header(const io::File& file) {
    std::array<std::byte, sizeof(IndexHeader)> bytes;
    const auto got = file.read(0, bytes);
    if (!got || *got != bytes.size()) {
        return std::nullopt;
    }
    return load<IndexHeader>(bytes.data());
}

}  // namespace

Result<> save_index(io::Disk& disk, const std::string& path, const IndexedSegment& segment) {
    const SegmentIndex& index = segment.index;
    const std::span<const IdEntry> ids = segment.ids.entries;
    CHECK(index.lost.empty() && ids.size() == index.end.value() - index.first.value());
    const auto map = index.map.entries();
    IndexHeader header{.magic = magic,
                       .file_id = index.file_id,
                       .first = index.first.value(),
                       .end = index.end.value(),
                       .position_end = index.position_end,
                       .recorded_last = to_unix_ms(index.recorded_last),
                       .snapshot = index.snapshot ? index.snapshot->value() + 1 : 0,
                       .map_entries = map.size(),
                       .ids_hash = hash64(as_text(raw(ids)))};
    header.hash = hash_of(header, map);

    const std::string temporary = path + ".tmp";
    const auto file = TRY(disk.open(temporary, io::OpenMode::create));
    TRY(file->truncate(0));
    TRY(file->write(0, std::as_bytes(std::span(&header, 1))));
    TRY(file->write(sizeof header, raw(map)));
    TRY(file->write(sizeof header + map.size_bytes(), raw(ids)));
    return disk.rename(temporary, path);
}

std::optional<IndexedSegment> load_index(io::Disk& disk, const std::string& path, Offset first,
                                         Offset end, IndexParts parts) {
    const auto file = disk.open(path, io::OpenMode::read);
    const auto size = file ? (*file)->size() : Result<std::uint64_t>(std::uint64_t{0});
    const auto header = file ? read_index_header(**file) : std::nullopt;
    if (!header || !size || header->magic != magic || header->first != first.value() ||
        header->end != end.value() || header->map_entries > *size / sizeof(SegmentMap::Entry)) {
        return std::nullopt;
    }
    std::vector<SegmentMap::Entry> map(header->map_entries);
    if (!read_values(**file, sizeof *header, map) || header->hash != hash_of(*header, map)) {
        return std::nullopt;
    }
    IndexedSegment segment(first);
    SegmentIndex& index = segment.index;
    index.file_id = header->file_id;
    index.end = end;
    index.position_end = header->position_end;
    index.recorded_last = from_unix_ms(header->recorded_last);
    if (header->snapshot != 0) {
        index.snapshot = Offset(header->snapshot - 1);
    }
    const std::uint64_t ids_at = sizeof *header + map.size() * sizeof(SegmentMap::Entry);
    index.map = SegmentMap::from(std::move(map));
    if (parts == IndexParts::with_ids) {
        const std::uint64_t count = end.value() - first.value();
        if (count > *size / sizeof(IdEntry)) {
            return std::nullopt;
        }
        segment.ids.entries.resize(count);
        if (!read_values(**file, ids_at, segment.ids.entries) ||
            header->ids_hash !=
                hash64(as_text(raw(std::span<const IdEntry>(segment.ids.entries))))) {
            return std::nullopt;
        }
    }
    return segment;
}

}  // namespace bascule::log
