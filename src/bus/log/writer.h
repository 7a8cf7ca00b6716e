#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bus/log/admission.h"
#include "bus/log/intake.h"
#include "bus/log/log.h"
#include "bus/log/read_side.h"
#include "bus/log/recovery.h"
#include "bus/log/segment_draft.h"
#include "foundation/base/guarded.h"
#include "foundation/base/random.h"
#include "foundation/io/disk.h"
#include "foundation/io/executor.h"

namespace bascule::log {

/// The one writer of a log.
///
///     append ─► Intake ─► Admission ─► commit: write ─► sync ─► ReadSide, answers, `durable`
///                             ▲                           │
///                             └── the next frame fills ◄──┘ while the disk works
///
/// At most one commit is under way, so that everything before it is durable when it is written.
/// A segment that is full is followed by a new one between two commits, when no record is admitted:
/// the snapshot at its head takes the offsets that come first.
///
/// Threads:  `append`, `close` and the const members: any. The rest: the strand.
/// Lifetime: kept alive by its own tasks.
class Writer : public std::enable_shared_from_this<Writer> {
  public:
    Writer(io::Disk& disk, io::Executor& executor, std::string directory, Options options,
           Hooks hooks, Random random, Recovered recovered);

    Result<> append(PendingBatch batch);

    /// Before the writer is used: finds out whether the disk has room.
    void look_for_room();
    void close(io::Completion<> done);

    ReadSide& read_side() { return read_side_; }
    const Options& options() const { return options_; }
    bool keeps_snapshots() const { return bool(hooks_.control_snapshot); }
    std::optional<Offset> find(const Hash128& id) const;
    std::optional<std::uint64_t> highest_sequence(std::uint64_t producer) const;
    Health health() const;
    Status status() const;

  private:
    enum class Phase { idle, committing, rolling, closing, stopped };

    struct Condition {
        Health health;
        SteadyTime full_until{};
    };
    struct Written {
        EncodedFrame frame;
        std::uint64_t position = 0;
    };
    /// What the sync under way will make durable.
    struct Commit {
        std::vector<Written> frames;
        std::vector<Answer> answers;
        std::vector<ProducerSequence> sequences;
        std::uint64_t duplicates = 0;
        std::uint64_t rejected = 0;
        bool ends_snapshot = false;
    };

    // writer.cc: the way of a commit
    void wake();
    void pump();
    void admit_waiting();
    bool head_due() const { return roll_due_ || snapshot_due_; }
    void commit();
    Result<> write(std::vector<Written>& frames);
    void fill_ahead(std::uint64_t committed_bytes);
    void begin_sync();
    void committed(const Result<>& synced);
    void publish(Commit commit);
    void tell_durable();
    void complete_finished();

    // writer_segments.cc: heads of segments
    void begin_head();
    void write_snapshot(std::vector<PendingFrame> frames);
    void begin_roll(std::vector<PendingFrame>& frames);
    Result<SegmentDraft> draft_segment(std::vector<PendingFrame>& frames);
    void rolled(SegmentDraft draft, Offset begin, const Result<>& synced);
    void seal(std::shared_ptr<Segment> segment);
    EncodedFrame encode(PendingFrame& frame, std::uint64_t file_id) const;

    // writer_stop.cc: full disks, failures, closing
    void write_failed(const Error& error, const PendingFrame& first, std::vector<Answer> answers);
    void become_full(const Error& error, SteadyTime until);
    Result<> try_room();
    void try_room_later();
    void no_longer_full();
    void fail_for_good(const Error& error);
    void stop(State state, std::string reason, std::string detail);
    void change_health(Condition condition);
    void refuse(std::vector<Answer> answers, const Error& error);
    void refuse_waiting(const Error& error);
    void write_mark();
    void closed(const Result<>& outcome);

    io::Disk& disk_;
    io::Executor& executor_;
    const std::string directory_;
    const Options options_;
    const Hooks hooks_;
    io::Strand strand_;
    Random random_;

    Intake intake_;
    ReadSide read_side_;
    Guarded<Condition> condition_;
    Guarded<Stats> stats_;
    Guarded<Producers> durable_producers_;
    std::atomic<bool> durable_told_ = false;
    std::atomic<bool> health_told_ = false;

    // The strand's.
    Phase phase_ = Phase::idle;
    Admission admission_;
    std::shared_ptr<Segment> active_;
    std::uint64_t position_ = 0;    ///< behind the last frame written
    std::uint64_t filled_end_ = 0;  ///< zeros up to here
    bool mark_last_ = true;         ///< nothing was written behind the last mark
    bool roll_due_ = false;
    bool snapshot_due_ = false;
    Commit in_flight_;
    bool room_timer_ = false;  ///< a full disk will be looked at again
    SteadyTime sync_began_{};
    std::vector<Answer> finished_;  ///< durable, but not told yet
    bool close_wanted_ = false;
    std::vector<io::Completion<>> closers_;
};

}  // namespace bascule::log
