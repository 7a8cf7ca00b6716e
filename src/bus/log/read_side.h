#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "bus/log/block.h"
#include "bus/log/log.h"
#include "bus/log/segment.h"
#include "foundation/base/guarded.h"

namespace bascule::log {

/// The durable part of a log as readers see it: its segments, its last frames in memory, what is
/// lost. The writer publishes here, and only what was synced.
///
/// Threads: any. The lock is held for look-ups, never for a disk access.
class ReadSide {
  public:
    explicit ReadSide(const Options& options) : options_(options) {}

    /// Segments come in order; the last one is where `publish` goes on.
    void add_segment(std::shared_ptr<Segment> segment);

    /// Makes a synced frame of the last segment visible.
    void publish(EncodedFrame frame, std::uint64_t position);

    Offset begin() const;
    Offset end() const;
    Offset control_begin() const;
    Result<Batch> read(Offset from, const ReadLimits& limits) const;
    Result<Offset> offset_at(WallTime time) const;

    std::vector<LostRange> lost() const;
    std::optional<LostRange> lost_at(Offset offset) const;

    std::vector<std::shared_ptr<Segment>> segments() const;
    /// Takes the first segment away unless it is the only one.
    void remove_front();

    /// Fills in the numbers that are kept here.
    void count(Stats& stats) const;

  private:
    struct View {
        std::vector<std::shared_ptr<Segment>> segments;
        Offset end;
        std::vector<LostRange> lost;  ///< in order
        std::deque<std::shared_ptr<const Block>> tail;
        std::uint64_t tail_bytes = 0;
        std::deque<std::shared_ptr<const Block>> cache;  ///< used last in front
        std::uint64_t cache_bytes = 0;

        std::shared_ptr<Segment> segment_of(Offset offset) const;
        std::optional<LostRange> lost_at(Offset offset) const;
    };
    /// A part of a segment to be walked: [position, position_end), which holds [offset,
    /// offset_end).
    struct Place {
        std::shared_ptr<Segment> segment;
        std::uint64_t position = 0;
        std::uint64_t position_end = 0;
        Offset offset;
        Offset offset_end;
    };
    enum class Served { tail, cache, disk };

    static Result<> readable(const View& view, Offset from, ReadLimits::Parts parts);
    /// Blocks that hold `from` and what follows, about as much as `limits` ask for.
    static std::vector<std::shared_ptr<const Block>> in_tail(const View& view, Offset from,
                                                             const ReadLimits& limits);
    static std::shared_ptr<const Block> in_cache(View& view, Offset from);
    static Place place_of(const View& view, Offset offset);
    static Place whole(const std::shared_ptr<Segment>& segment,
                       const std::optional<SegmentMap::Entry>& start);

    // What a try finds damaged it names in `damage` and fails with `corrupt`.
    Result<Batch> read_from_disk(const Place& place, Offset from, const ReadLimits& limits) const;
    Result<Batch> try_dense(const Place& place, Offset from, const ReadLimits& limits,
                            LostRange& damage) const;
    Result<Batch> try_sparse(const Place& place, Offset from, const ReadLimits& limits,
                             LostRange& damage) const;
    Result<FrameScanner::Found> walk_to(FrameScanner& scanner, const Place& place, Offset expected,
                                        Offset from, LostRange& damage) const;
    std::unexpected<Error> lose(const Segment& segment, const LostRange& range) const;
    void remember(std::shared_ptr<const Block> block) const;

    const Options options_;
    mutable Guarded<View> view_;
    mutable std::atomic<std::uint64_t> tail_hits_ = 0;
    mutable std::atomic<std::uint64_t> disk_reads_ = 0;
};

}  // namespace bascule::log
