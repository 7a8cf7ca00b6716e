#include "bus/log/segment.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "bus/log/record_columns.h"

namespace bascule::log {

namespace {

constexpr std::string_view suffix = ".seg";
constexpr std::size_t digits = 20;  // of the largest 64-bit number

}  // namespace

std::string segment_name(Offset first) {
    const std::string number = std::to_string(first.value());
    return std::string(digits - number.size(), '0') + number + std::string(suffix);
}

std::optional<Offset> segment_first(std::string_view name) {
    if (name.size() != digits + suffix.size() || !name.ends_with(suffix)) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + digits, value);
    if (error != std::errc() || end != name.data() + digits || value > FrameHeader::number_max) {
        return std::nullopt;
    }
    return Offset(value);
}

std::string index_path(const std::string& segment_path) {
    return segment_path.substr(0, segment_path.size() - suffix.size()) + ".idx";
}

void SegmentMap::add(const FrameHeader& header, std::uint64_t position, bool after_gap) {
    gap_pending_ = gap_pending_ || after_gap;
    if (header.end() == header.first) {
        return;  // heads and marks hold nothing to be found
    }
    after_gap = std::exchange(gap_pending_, false);
    const Entry entry{header.first, position, header.time_base};
    if (after_gap) {
        const auto behind = std::ranges::lower_bound(entries_, entry.offset, {}, &Entry::offset);
        if (behind == entries_.end() || behind->offset != entry.offset) {
            entries_.insert(behind, entry);
        }
    } else if (entries_.empty() || position - entries_.back().position >= spacing_bytes) {
        entries_.push_back(entry);
    }
}

std::optional<SegmentMap::Entry> SegmentMap::before(Offset offset) const {
    const auto behind = std::ranges::upper_bound(entries_, offset.value(), {}, &Entry::offset);
    return behind == entries_.begin() ? std::nullopt : std::optional(*(behind - 1));
}

std::optional<SegmentMap::Entry> SegmentMap::before(WallTime time) const {
    const auto behind = std::ranges::lower_bound(entries_, to_unix_ms(time), {}, &Entry::time_ms);
    return behind == entries_.begin() ? std::nullopt : std::optional(*(behind - 1));
}

SegmentMap SegmentMap::from(std::vector<Entry> entries) {
    SegmentMap map;
    map.entries_ = std::move(entries);
    return map;
}

void SegmentIndex::add(const FrameHeader& header, std::uint64_t position, bool after_gap,
                       WallTime recorded) {
    const Offset begins(header.first);
    if (file_id == 0) {  // set once: readers look at it without the lock
        file_id = header.file_id;
    }
    position_end = position + header.total_bytes();
    if (begins > end) {
        lost.push_back({end, begins, "the frames that held them are damaged"});
        snapshot_begun_.reset();
    }
    map.add(header, position, after_gap);
    end = Offset(header.end());
    if (header.kind == FrameKind::records) {
        recorded_last = std::max(recorded_last, recorded);
        add_snapshot(header);
    }
}

void SegmentIndex::add_snapshot(const FrameHeader& header) {
    if (!header.has(FrameFlag::snapshot)) {
        snapshot_begun_.reset();
        return;
    }
    snapshot_begun_ = snapshot_begun_.value_or(Offset(header.first));
    if (header.has(FrameFlag::snapshot_end)) {
        snapshot = snapshot_begun_;
        snapshot_begun_.reset();
    }
}

void IndexedSegment::add(const FrameScanner::Found& found) {
    const FrameHeader& header = found.header;
    if (Offset(header.first) > index.end) {
        ids = {.first = Offset(header.first)};
    }
    WallTime recorded = index.recorded_last;
    if (header.kind == FrameKind::records && header.count > 0) {
        const RecordColumns columns(header, found.columns.data());
        for (std::size_t i = 0; i < header.count; ++i) {
            ids.entries.push_back({columns.id_hash(i), columns.content_hash(i)});
        }
        recorded = from_unix_ms(columns.recorded(header.count - 1));
    }
    index.add(header, found.position, found.after_gap, recorded);
}

void IndexedSegment::lose_until(Offset offset) {
    if (index.end < offset) {
        index.lost.push_back({index.end, offset, "the frames that held them are damaged"});
        index.end = offset;
        ids = {.first = offset};
    }
}

Result<IndexedSegment> index_segment(const io::File& file, Offset first, Offset end) {
    FrameScanner scanner(file, 0, TRY(file.size()));
    IndexedSegment segment(first);
    while (segment.index.end < end) {
        const auto found = TRY(scanner.next());
        // What lies behind `end` was written again in the next segment.
        if (!found || found->header.end() > end.value()) {
            break;
        }
        if (found->header.first >= segment.index.end.value()) {
            segment.add(*found);
        }
    }
    segment.lose_until(end);
    return segment;
}

}  // namespace bascule::log
