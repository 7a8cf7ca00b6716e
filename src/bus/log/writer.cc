#include "bus/log/writer.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace bascule::log {

namespace {

WallTime recorded_last(const Recovered& recovered) {
    WallTime last{};
    for (const auto& segment : recovered.segments) {
        last = std::max(last, segment->index.recorded_last);
    }
    return last;
}

}  // namespace

Writer::Writer(io::Disk& disk, io::Executor& executor, std::string directory, Options options,
               Hooks hooks, Random random, Recovered recovered)
    : disk_(disk),
      executor_(executor),
      directory_(std::move(directory)),
      options_(options),
      hooks_(std::move(hooks)),
      strand_(executor),
      random_(random),
      intake_(options_),
      read_side_(options_),
      durable_producers_(recovered.producers),
      admission_(options_, hooks_, std::move(recovered.dedup), std::move(recovered.producers),
                 recorded_last(recovered)),
      active_(recovered.segments.back()),
      position_(active_->index.position_end),
      filled_end_(std::max(recovered.filled_end, position_)) {
    snapshot_due_ = keeps_snapshots() && !active_->index.snapshot;
    for (auto& segment : recovered.segments) {
        read_side_.add_segment(std::move(segment));
    }
    stats_.with([&](Stats& stats) { stats.torn_bytes = recovered.torn_bytes; });
    if (!recovered.damage.empty()) {
        // Not `stop`: nobody is to be told of what was found.
        phase_ = Phase::stopped;
        condition_.with([&](Condition& condition) {
            condition.health = {.state = State::read_only,
                                .reason = recovered.damage,
                                .detail = std::move(recovered.damage_detail)};
        });
        intake_.close(Error(ErrorKind::corrupt, "the log is read-only: " + recovered.damage));
    }
}

Result<> Writer::append(PendingBatch batch) {
    TRY(condition_.with([&](const Condition& condition) -> Result<> {
        if (condition.health.state == State::full &&
            executor_.clock().steady() < condition.full_until) {
            return fail(ErrorKind::exhausted, condition.health.reason);
        }
        return {};
    }));
    if (TRY(intake_.put(batch)) == Intake::Wake::needed) {
        strand_.post([self = shared_from_this()] { self->wake(); });
    }
    return {};
}

// --- the way of a commit -------------------------------------------------------------------------

void Writer::wake() {
    intake_.woken();
    pump();
}

/// Brings forward whatever can be: called when something came, or something ended.
void Writer::pump() {
    if (phase_ == Phase::idle && head_due() && !intake_.empty()) {
        complete_finished();  // what the snapshot must show, its owner has been told
        begin_head();
    }
    if (!head_due()) {
        admit_waiting();
    }
    while (phase_ == Phase::idle && !admission_.filling().empty()) {
        commit();
    }
    complete_finished();
    if (phase_ == Phase::idle && close_wanted_ && intake_.empty()) {
        write_mark();
    }
}

void Writer::admit_waiting() {
    if (phase_ == Phase::stopped) {
        return;
    }
    const WallTime now = executor_.clock().wall();
    while (auto batch =
               intake_.take_if([&](const PendingBatch& next) { return admission_.fits(next); })) {
        admission_.admit(std::move(*batch), now);
    }
}

void Writer::commit() {
    PendingFrame frame = admission_.take();
    std::vector<Answer> answers = std::move(frame.answers);
    if (frame.records.empty()) {  // only duplicates and rejected ones: all they refer to is durable
        stats_.with([&](Stats& stats) {
            stats.duplicates += frame.duplicates;
            stats.rejected += frame.rejected;
        });
        std::ranges::move(answers, std::back_inserter(finished_));
        admit_waiting();
        return;
    }
    Commit commit{.duplicates = frame.duplicates, .rejected = frame.rejected};
    for (const auto& [producer, before] : frame.raised) {
        commit.sequences.emplace_back(producer,
                                      admission_.producers().highest(producer).value_or(0));
    }
    commit.frames.push_back({encode(frame, active_->index.file_id)});
    const std::uint64_t bytes = commit.frames.front().frame.header.total_bytes();
    if (const auto written = write(commit.frames); !written) {
        write_failed(written.error(), frame, std::move(answers));
        return;
    }
    fill_ahead(bytes);
    no_longer_full();
    commit.answers = std::move(answers);
    in_flight_ = std::move(commit);
    begin_sync();
    roll_due_ = position_ >= options_.segment_bytes;
    if (!roll_due_) {
        admit_waiting();
    }
}

/// Writes frames behind the last one. On an error nothing of them counts.
Result<> Writer::write(std::vector<Written>& frames) {
    std::uint64_t position = position_;
    for (Written& written : frames) {
        const EncodedFrame& frame = written.frame;
        written.position = position;
        TRY(active_->file->write(position, as_bytes(frame.meta)));
        if (!frame.bodies.empty()) {
            TRY(active_->file->write(position + frame.meta.size(), as_bytes(frame.bodies)));
        }
        position += frame.header.total_bytes();
    }
    position_ = position;
    filled_end_ = std::max(filled_end_, position_);
    mark_last_ = false;
    return {};
}

/// Small commits overwrite zeros that an earlier sync made durable, so that their own sync has no
/// blocks to allocate and no size to change.
void Writer::fill_ahead(std::uint64_t committed_bytes) {
    if (committed_bytes >= options_.large_commit_bytes ||
        filled_end_ - position_ >= options_.fill_bytes / 2) {
        return;
    }
    if (!write_zeros(*active_->file, filled_end_, options_.fill_bytes)) {
        (void)active_->file->truncate(filled_end_);  // a full disk: the next commit will say so
        return;
    }
    filled_end_ += options_.fill_bytes;
    stats_.with([&](Stats& stats) { stats.bytes_filled += options_.fill_bytes; });
}

void Writer::begin_sync() {
    phase_ = Phase::committing;
    sync_began_ = executor_.clock().steady();
    active_->file->sync([self = shared_from_this()](Result<> synced) {
        self->strand_.post([self, synced = std::move(synced)] { self->committed(synced); });
    });
}

void Writer::committed(const Result<>& synced) {
    if (!synced) {
        fail_for_good(synced.error());
        return;
    }
    const auto took = executor_.clock().steady() - sync_began_;
    stats_.with([&](Stats& stats) {
        ++stats.syncs;
        stats.sync_time += took;
        stats.sync_time_max = std::max(stats.sync_time_max, took);
    });
    phase_ = Phase::idle;
    publish(std::exchange(in_flight_, Commit{}));
    pump();
}

/// Everything in `commit` is durable: readers may see it, publishers be told.
void Writer::publish(Commit commit) {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    for (Written& written : commit.frames) {
        records += written.frame.header.count;
        bytes += written.frame.header.total_bytes();
        read_side_.publish(std::move(written.frame), written.position);
    }
    durable_producers_.with([&](Producers& producers) {
        for (const auto& [producer, sequence] : commit.sequences) {
            producers.raise(producer, sequence);
        }
    });
    stats_.with([&](Stats& stats) {
        stats.records += records;
        stats.bytes += bytes;
        stats.frames += commit.frames.size();
        stats.duplicates += commit.duplicates;
        stats.rejected += commit.rejected;
    });
    snapshot_due_ = snapshot_due_ && !commit.ends_snapshot;
    std::ranges::move(commit.answers, std::back_inserter(finished_));
    tell_durable();
}

void Writer::tell_durable() {
    if (!hooks_.durable || durable_told_.exchange(true)) {
        return;
    }
    executor_.post([self = shared_from_this()] {
        self->durable_told_ = false;  // before the look, so that a later end is told again
        self->hooks_.durable(self->read_side_.end());
    });
}

void Writer::complete_finished() {
    std::vector<Answer> answers = std::exchange(finished_, {});
    for (Answer& answer : answers) {
        answer.done(std::move(answer.outcomes));
    }
}

// --- what others ask -----------------------------------------------------------------------------

std::optional<Offset> Writer::find(const Hash128& id) const {
    const auto offset = admission_.find(id);
    return offset && *offset < read_side_.end() ? offset : std::nullopt;
}

std::optional<std::uint64_t> Writer::highest_sequence(std::uint64_t producer) const {
    return durable_producers_.with(
        [&](const Producers& producers) { return producers.highest(producer); });
}

Health Writer::health() const {
    return condition_.with([](const Condition& condition) { return condition.health; });
}

Status Writer::status() const {
    Status status;
    static_cast<Health&>(status) = health();
    status.lost = read_side_.lost();
    status.stats = stats_.with([](const Stats& stats) { return stats; });
    read_side_.count(status.stats);
    intake_.count(status.stats);
    admission_.count(status.stats);
    status.stats.producers =
        durable_producers_.with([](const Producers& producers) { return producers.size(); });
    return status;
}

}  // namespace bascule::log
