#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bus/log/dedup_index.h"
#include "bus/log/frame.h"
#include "bus/log/frame_scanner.h"
#include "bus/log/status.h"
#include "foundation/base/clock.h"
#include "foundation/base/offset.h"
#include "foundation/base/result.h"
#include "foundation/io/disk.h"

namespace bascule::log {

/// "00000000000000004711.seg": the name says the first offset, so a listing is the order.
std::string segment_name(Offset first);
std::optional<Offset> segment_first(std::string_view name);
/// The .idx beside a segment.
std::string index_path(const std::string& segment_path);

/// Where frames lie in a segment: one entry per 64 KiB, and one behind every gap.
class SegmentMap {
  public:
    struct Entry {
        std::uint64_t offset = 0;
        std::uint64_t position = 0;
        std::int64_t time_ms = 0;
    };

    /// Frames come in order, but for one behind a gap, which always gets an entry.
    void add(const FrameHeader& header, std::uint64_t position, bool after_gap = false);

    /// Where to begin walking to reach `offset`, or the first record at `time` or later; nothing
    /// means the start of the file.
    std::optional<Entry> before(Offset offset) const;
    std::optional<Entry> before(WallTime time) const;

    std::span<const Entry> entries() const { return entries_; }
    static SegmentMap from(std::vector<Entry> entries);

  private:
    static constexpr std::uint64_t spacing_bytes = 64 << 10;
    std::vector<Entry> entries_;
    bool gap_pending_ = false;  ///< behind a gap came only frames that hold nothing
};

/// What is known of a segment without its bodies.
struct SegmentIndex {
    std::uint64_t file_id = 0;
    Offset first;
    Offset end;                      ///< behind the last record
    std::uint64_t position_end = 0;  ///< behind the last frame
    WallTime recorded_last{};        ///< at or before the end
    std::optional<Offset> snapshot;  ///< where its last complete snapshot begins
    SegmentMap map;
    std::vector<LostRange> lost;  ///< gaps; an index with some is not saved

    /// Takes the next frame in; `recorded` is the time of its last record, if it has records.
    void add(const FrameHeader& header, std::uint64_t position, bool after_gap, WallTime recorded);

  private:
    void add_snapshot(const FrameHeader& header);
    std::optional<Offset> snapshot_begun_;
};

/// The ids of records up to the end of a segment, without gaps: from `first` on.
struct SegmentIds {
    Offset first;
    std::vector<IdEntry> entries;
};

struct IndexedSegment {
    SegmentIndex index;
    SegmentIds ids;

    explicit IndexedSegment(Offset first) : ids{.first = first} { index.first = index.end = first; }

    void add(const FrameScanner::Found& found);

    /// Names what lies between the end and `offset`, if anything, as lost.
    void lose_until(Offset offset);
};

/// A segment in service. `index` changes only under the lock of the ReadSide it belongs to.
struct Segment {
    std::string path;
    std::unique_ptr<io::File> file;
    SegmentIndex index;
};

/// Reads a whole segment's headers and columns. Gaps before `end`, where the next segment begins,
/// are lost ranges. Errors: `io`, `invalid` (newer version).
Result<IndexedSegment> index_segment(const io::File& file, Offset first, Offset end);

/// Writes the .idx beside a sealed segment: what index_segment would find. Rebuildable, so it is
/// neither synced nor trusted when its checksum, segment or end differ.
Result<> save_index(io::Disk& disk, const std::string& path, const IndexedSegment& segment);
enum class IndexParts { without_ids, with_ids };
std::optional<IndexedSegment> load_index(io::Disk& disk, const std::string& path, Offset first,
                                         Offset end, IndexParts parts);

}  // namespace bascule::log
