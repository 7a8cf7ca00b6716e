#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bus/log/dedup_index.h"
#include "bus/log/intake.h"
#include "bus/log/log.h"
#include "bus/log/producers.h"
#include "bus/log/record_columns.h"
#include "foundation/base/guarded.h"

namespace bascule::log {

/// What one append will be told once its frame is durable.
struct Answer {
    std::vector<AppendOutcome> outcomes;
    io::Completion<std::vector<AppendOutcome>> done;
};

/// Records on their way into one frame, and who waits for it.
struct PendingFrame {
    Offset first;
    std::uint16_t flags = 0;  ///< FrameFlag
    std::vector<Record> records;
    std::string bodies;
    std::vector<Answer> answers;
    std::uint64_t duplicates = 0;
    std::uint64_t rejected = 0;
    /// Producers whose highest sequence rose, with what it was before; in order.
    std::vector<std::pair<std::uint64_t, std::optional<std::uint64_t>>> raised;

    bool empty() const { return records.empty() && answers.empty(); }
};

/// What a batch takes in a frame, head included.
std::uint64_t frame_bytes(std::uint64_t records, std::uint64_t body_bytes);

/// Judges records in log order and gathers the accepted ones in a frame: duplicates, sequences,
/// limits, all or nothing, offsets and times.
///
/// Threads: the log's strand, but for `find`.
class Admission {
  public:
    Admission(const Options& options, const Hooks& hooks, DedupIndex dedup, Producers producers,
              WallTime recorded_last);

    /// Whether the batch can still go into the frame that is filling.
    bool fits(const PendingBatch& batch) const;

    void admit(PendingBatch pending, WallTime now);

    const PendingFrame& filling() const { return filling_; }

    /// Takes the frame; the next one begins behind it.
    PendingFrame take();

    /// Takes back what admitting `frame` did, so that its records can come again. It was the last
    /// one taken and nothing was admitted since.
    void undo(const PendingFrame& frame);

    /// Frames of control records that take the next offsets; the last one ends the snapshot.
    std::vector<PendingFrame> snapshot_frames(const std::vector<std::string>& bodies, WallTime now);

    Offset next() const { return next_; }
    const Producers& producers() const { return producers_; }

    /// Threads: any. May find what is not durable yet.
    std::optional<Offset> find(const Hash128& id) const;
    void count(Stats& stats) const;

  private:
    std::optional<AppendOutcome> refusal(const Record& record, const DedupIndex& dedup) const;
    AppendOutcome judge(const Record& record, DedupIndex& dedup, WallTime recorded);
    void reject_all(std::vector<AppendOutcome>& outcomes, DedupIndex& dedup, Offset first,
                    std::size_t raised_before);
    void put_accepted(const RecordBatch& batch, const std::vector<AppendOutcome>& outcomes,
                      WallTime recorded);
    void put(Record record, WallTime recorded);
    WallTime advance(WallTime now);

    const Options& options_;
    const Hooks& hooks_;
    Guarded<DedupIndex> dedup_;  // changed on the strand, asked by anyone
    Producers producers_;        // those of pending frames included
    WallTime recorded_last_;
    Offset next_;
    PendingFrame filling_;
};

}  // namespace bascule::log
