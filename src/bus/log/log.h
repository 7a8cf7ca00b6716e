#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/log/options.h"
#include "bus/log/record.h"
#include "bus/log/status.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/io/disk.h"
#include "foundation/io/executor.h"

namespace bascule::log {

/// What the log asks of and tells its owner. All but `durable` and `health` run on the log's
/// strand, one at a time and in log order, as do the completions of `append`: they must be short
/// and must not block. They may call any member of the log but its destructor. Each may be empty.
struct Hooks {
    /// Called for every record that will be written, in log order, just before it is encoded. May
    /// change `rule_version` and `target_set` and nothing else. If the commit then fails, the
    /// append's completion says so: it comes before `before_commit` of any later record unless the
    /// log has failed for good.
    std::function<void(Record&)> before_commit;

    /// The whole control state as control records' bodies. Asked when a segment opens, between two
    /// frames: every record that `before_commit` saw is durable or refused by then and its
    /// completion has run. Written at the head of the segment and marked `snapshot`; each takes an
    /// offset. `before_commit` is not called for them.
    std::function<std::vector<std::string>()> control_snapshot;

    /// "Everything below `end` is durable and readable": posted to the executor after each sync,
    /// coalesced. Never called for records found at open.
    std::function<void(Offset end)> durable;

    /// The state has changed: posted to the executor with the present one, coalesced. What was
    /// found at open the owner asks `health` for.
    std::function<void(const Health& health)> health;
};

struct ReadLimits {
    /// Which records; the others are left out, and `Batch::next` is behind them.
    enum class Kinds { all, control };
    /// `columns` leaves bodies empty and does not verify them.
    enum class Parts { whole, columns };

    std::uint64_t records_max = 1000;
    std::uint64_t bytes_max = 1 << 20;  ///< of bodies; one record is always delivered
    /// With `control` a batch may be empty though more follows: go on at its `next()`.
    Kinds kinds = Kinds::all;
    Parts parts = Parts::whole;
};

/// The append-only log of one bus: who is told "accepted" finds the record after any crash.
///
/// Records waiting in a bounded queue are written as one frame, synced once and confirmed together
/// (group commit); while the disk syncs the next frame fills. Only synced records exist for
/// readers, for `find`, and for the answer "duplicate": a duplicate of a record whose commit is
/// pending is answered after that commit.
///
/// Threads:   any, except as said. Work runs on `executor`; nothing here waits.
/// Lifetime:  `disk`, `executor` and what the hooks capture outlive the log, and also the last
///            task: destroy the log, let the executor run dry or stop it, then destroy the rest.
/// Limits:    Options. Memory: queue, two frames, tail, read cache, 32 bytes per dedup entry.
/// Errors:    `exhausted` the queue or the disk is full (repeat later), `io` a write or sync failed
///            (this log takes no more appends until it is reopened), `corrupt` stored records are
///            damaged, `unavailable` closed. An append that ends in `io` may or may not survive.
/// Format:    docs/format/segment.md (version 1).
class Log {
  public:
    /// Opens or creates the log in `directory`; blocks, in proportion to the index (24 bytes a
    /// record in the dedup window) and the last segment's columns, not to the log.
    ///
    /// A torn tail is cut; records that were written but perhaps never synced are written again
    /// into a new segment and synced before this returns. Damage below what was durable opens the
    /// log read-only: `status()` says why and which offsets are lost. A disk without room for more
    /// is found out here too: the log is then `full` before the first publish fails.
    /// Errors: `invalid` (settings, or a file of a newer version), `io`, `exhausted`.
    static Result<std::unique_ptr<Log>> open(io::Disk& disk, io::Executor& executor,
                                             std::string directory, Options options, Hooks hooks);

    Log(const Log&) = delete;

    /// Closes, but does not wait for it: who means to open the directory again calls `close`.
    ~Log();

    /// Puts the batch in the queue. `done` is called after its frame is synced, with one outcome
    /// per record in their order, or with the error that ended it; never from within this call, so
    /// that the caller may hold a lock that `done` takes. On an error the batch was refused at
    /// once: `done` is destroyed uncalled. `exhausted`, `io`, `corrupt`, `unavailable`, as above.
    Result<> append(RecordBatch batch, Atomicity atomicity,
                    io::Completion<std::vector<AppendOutcome>> done);

    /// Whether so many records, with so many bytes of bodies in all, can be one batch.
    bool fits(std::size_t records, std::uint64_t bytes) const;

    /// The durable records are [begin, end), but for what `status().lost` names.
    Offset begin() const;
    Offset end() const;

    /// Where reading must begin to see the whole control state: the last snapshot, or the
    /// beginning. Read with `Kinds::control` from here to `end()`.
    Offset control_begin() const;

    /// Reads records from `from` on. Nothing at `end()`. At the tail this reads no disk.
    /// Errors: `not_found` (below `begin()`: retention took it), `invalid` (above `end()`),
    /// `corrupt` (damaged: go on behind the range that `lost_at(from)` names; if only its bodies
    /// are damaged, `Parts::columns` still reads it), `io`.
    Result<Batch> read(Offset from, const ReadLimits& limits = {}) const;

    /// The first record recorded at `time` or later, else `end()`. Recorded time never decreases.
    Result<Offset> offset_at(WallTime time) const;

    /// Where the event with this id lies, if it is in the dedup window.
    std::optional<Offset> find(const Hash128& id_hash) const;

    /// Exact for ever, whatever retention removed.
    std::optional<std::uint64_t> highest_sequence(std::uint64_t producer) const;

    State state() const;
    Health health() const;
    Status status() const;

    /// The lost range that holds `offset`, once damage there was found.
    std::optional<LostRange> lost_at(Offset offset) const;

    /// Removes whole segments from the front as Options::retention says, none that holds
    /// `keep_from` (the lowest unsettled offset) or later and none that control state needs.
    /// Blocks for a directory sync per segment. One call at a time.
    Result<> apply_retention(Offset keep_from);
    /// Where the log would begin after `apply_retention`.
    Offset retention_end(Offset keep_from) const;

    /// Gives back, or takes again, the disk space held for whoever must write when the disk is
    /// full (positions, letters). Block, unless there is nothing to do; one call at a time.
    /// `restore_reserve` fails with `exhausted` as long as there is no room.
    Result<> release_reserve();
    Result<> restore_reserve();

    /// Commits what waits, marks the end as durable and completes; later appends fail with
    /// `unavailable`, reads go on. May be called again.
    void close(io::Completion<> done);

  private:
    class Core;
    explicit Log(std::shared_ptr<Core> core);
    std::shared_ptr<Core> core_;
};

}  // namespace bascule::log
