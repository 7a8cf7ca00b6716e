// The half of Writer that begins segments: snapshots at their heads, and rolling from one to the
// next.
#include "bus/log/writer.h"
#include "foundation/base/check.h"

namespace bascule::log {

/// Between two commits, with nothing admitted: the snapshot's records take the next offsets.
void Writer::begin_head() {
    CHECK(phase_ == Phase::idle && admission_.filling().empty() && finished_.empty());
    std::vector<PendingFrame> frames;
    if (keeps_snapshots()) {
        frames = admission_.snapshot_frames(hooks_.control_snapshot(), executor_.clock().wall());
    }
    if (roll_due_) {
        begin_roll(frames);
    } else {
        write_snapshot(std::move(frames));
    }
}

/// Into a segment that has none yet: a new log's first one, or one that recovery began.
void Writer::write_snapshot(std::vector<PendingFrame> frames) {
    Commit commit{.ends_snapshot = true};
    for (PendingFrame& frame : frames) {
        commit.frames.push_back({encode(frame, active_->index.file_id)});
    }
    if (const auto written = write(commit.frames); !written) {
        write_failed(written.error(), frames.front(), {});
        return;
    }
    in_flight_ = std::move(commit);
    begin_sync();
}

void Writer::begin_roll(std::vector<PendingFrame>& frames) {
    const Offset begin = frames.empty() ? admission_.next() : frames.front().first;
    auto draft = draft_segment(frames);
    if (!draft) {
        write_failed(draft.error(), {.first = begin}, {});
        return;
    }
    phase_ = Phase::rolling;
    sync_began_ = executor_.clock().steady();
    io::File& file = draft->file();
    auto end = [self = shared_from_this(), draft = std::move(*draft), begin](Result<> ok) mutable {
        self->strand_.post([self, draft = std::move(draft), begin, ok = std::move(ok)]() mutable {
            self->rolled(std::move(draft), begin, ok);
        });
    };
    file.sync(std::move(end));
}

Result<SegmentDraft> Writer::draft_segment(std::vector<PendingFrame>& frames) {
    const Offset begin = frames.empty() ? admission_.next() : frames.front().first;
    auto draft = TRY(SegmentDraft::create(disk_, directory_, random_.next() | 1, begin,
                                          admission_.producers().all()));
    for (PendingFrame& frame : frames) {
        const WallTime recorded =
            frame.records.empty() ? WallTime() : from_unix_ms(frame.records.back().recorded);
        TRY(draft.add(encode(frame, draft.file_id()), recorded));
    }
    TRY(draft.add_mark());
    return draft;
}

void Writer::rolled(SegmentDraft draft, Offset begin, const Result<>& synced) {
    if (!synced) {
        fail_for_good(synced.error());
        return;
    }
    phase_ = Phase::idle;
    auto segment = std::move(draft).finish(disk_, directory_);
    if (!segment) {
        write_failed(segment.error(), {.first = begin}, {});
        pump();  // somebody may have closed meanwhile, and nothing else comes
        return;
    }
    (void)active_->file->truncate(position_);  // gives back what was filled in vain
    seal(std::exchange(active_, *segment));
    position_ = filled_end_ = active_->index.position_end;
    mark_last_ = true;
    roll_due_ = snapshot_due_ = false;
    read_side_.add_segment(std::move(*segment));
    no_longer_full();
    tell_durable();
    pump();
}

/// Writes the segment's index, on whatever thread is free: it is only for a faster open.
void Writer::seal(std::shared_ptr<Segment> segment) {
    executor_.post([&disk = disk_, segment = std::move(segment), end = read_side_.end()] {
        const auto indexed = index_segment(*segment->file, segment->index.first, end);
        if (indexed && indexed->index.lost.empty()) {
            (void)save_index(disk, index_path(segment->path), *indexed);
        }
    });
}

/// Everything before the frame is durable, since one commit is under way at a time; but frames of
/// one snapshot share a sync.
EncodedFrame Writer::encode(PendingFrame& frame, std::uint64_t file_id) const {
    return encode_records({.flags = frame.flags,
                           .file_id = file_id,
                           .first = frame.first.value(),
                           .durable = std::min(frame.first, read_side_.end()).value()},
                          frame.records, std::move(frame.bodies));
}

}  // namespace bascule::log
