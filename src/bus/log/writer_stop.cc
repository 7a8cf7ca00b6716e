// The half of Writer that ends things: a disk that is full for now, one that failed for good, and
// closing.
#include <algorithm>
#include <utility>

#include "bus/log/writer.h"
#include "foundation/base/check.h"

namespace bascule::log {

/// A write before its sync failed; `first` is the first frame of it.
void Writer::write_failed(const Error& error, const PendingFrame& first,
                          std::vector<Answer> answers) {
    if (error.kind() != ErrorKind::exhausted) {
        refuse(std::move(answers), error);
        fail_for_good(error);
        return;
    }
    admission_.undo(first);
    (void)active_->file->truncate(
        filled_end_);  // what part of it got there takes space for nothing
    complete_finished();
    become_full(error, executor_.clock().steady() + options_.retry_full_after);
    const Error told(ErrorKind::exhausted, health().reason);
    refuse(std::move(answers), told);
    refuse_waiting(told);
}

/// From now on `append` refuses, until it is tried again.
void Writer::become_full(const Error& error, SteadyTime until) {
    change_health({.health = {.state = State::full,
                              .reason = "no space for new records on the disk, and none is stored "
                                        "until there is: free some and repeat",
                              .detail = error.message()},
                   .full_until = until});
    try_room_later();
}

void Writer::look_for_room() {
    if (phase_ != Phase::stopped) {
        if (const auto room = try_room(); !room && room.error().kind() == ErrorKind::exhausted) {
            become_full(room.error(), executor_.clock().steady());
        }
    }
}

/// Whether a commit would find room: zeros behind the last one, and away with them.
Result<> Writer::try_room() {
    constexpr std::uint64_t least = 4096;
    auto room = write_zeros(*active_->file, filled_end_, std::max(options_.fill_bytes, least));
    (void)active_->file->truncate(filled_end_);
    return room;
}

/// A log that nobody publishes to must notice by itself that it can be published to again.
void Writer::try_room_later() {
    if (std::exchange(room_timer_, true)) {
        return;
    }
    auto look = [](Writer& writer) {
        writer.room_timer_ = false;
        if (writer.health().state != State::full) {
            return;
        }
        if (writer.phase_ == Phase::idle && writer.try_room()) {
            writer.no_longer_full();
        } else {
            writer.try_room_later();
        }
    };
    executor_.post_at(executor_.clock().steady() + options_.retry_full_after,
                      [weak = weak_from_this(), look] {
                          if (const auto self = weak.lock()) {
                              self->strand_.post([self, look] { look(*self); });
                          }
                      });
}

void Writer::no_longer_full() {
    if (health().state == State::full) {
        change_health({});
    }
}

void Writer::change_health(Condition condition) {
    const bool changed = condition_.with([&](Condition& current) {
        const bool other = current.health.state != condition.health.state;
        condition.health.since = other ? executor_.clock().wall() : current.health.since;
        current = std::move(condition);
        return other;
    });
    if (!changed || !hooks_.health || health_told_.exchange(true)) {
        return;
    }
    executor_.post([self = shared_from_this()] {
        self->health_told_ = false;  // before the look, so that a later state is told again
        self->hooks_.health(self->health());
    });
}

/// Nothing is known any more of what was written and not synced, so nothing more is written.
void Writer::fail_for_good(const Error& error) {
    const Error told(ErrorKind::io,
                     "the log failed and must be reopened: its disk refused a write");
    stop(State::failed, told.message(), error.message());
    intake_.close(told);
    complete_finished();
    refuse(std::exchange(in_flight_, Commit{}).answers, told);
    refuse(admission_.take().answers, told);
    refuse_waiting(told);
    closed(std::unexpected(told));
}

void Writer::stop(State state, std::string reason, std::string detail) {
    phase_ = Phase::stopped;
    change_health(
        {.health = {.state = state, .reason = std::move(reason), .detail = std::move(detail)}});
}

void Writer::refuse(std::vector<Answer> answers, const Error& error) {
    for (Answer& answer : answers) {
        answer.done(std::unexpected(error));
    }
}

void Writer::refuse_waiting(const Error& error) {
    for (PendingBatch& batch : intake_.drain()) {
        batch.done(std::unexpected(error));
    }
}

// --- closing -------------------------------------------------------------------------------------

void Writer::close(io::Completion<> done) {
    intake_.close(Error(ErrorKind::unavailable, "the log is closed"));
    strand_.post([self = shared_from_this(), done = std::move(done)]() mutable {
        self->closers_.push_back(std::move(done));
        self->close_wanted_ = true;
        if (self->phase_ == Phase::stopped) {
            const Health health = self->health();
            self->closed(health.state == State::failed
                             ? Result<>(fail(ErrorKind::io, health.reason))
                             : Result<>());
        } else {
            self->pump();
        }
    });
}

/// The mark proves the last commit durable, so that the next open need not write it again and
/// knows damage there from a torn tail. A disk too full for it does no harm: all that was confirmed
/// is durable, and the next open writes the tail again. One that refuses it is told.
void Writer::write_mark() {
    Written mark{encode_frame({.kind = FrameKind::mark,
                               .file_id = active_->index.file_id,
                               .first = admission_.next().value(),
                               .durable = admission_.next().value()},
                              {}, {})};
    const Result<> written =
        mark_last_ ? Result<>() : active_->file->write(position_, as_bytes(mark.frame.meta));
    if (mark_last_ || !written) {
        const bool well = written || written.error().kind() == ErrorKind::exhausted;
        stop(State::closed, "the log is closed", {});
        closed(well ? Result<>() : written);
        return;
    }
    phase_ = Phase::closing;
    active_->file->sync([self = shared_from_this()](Result<> synced) {
        self->strand_.post([self, synced = std::move(synced)] {
            self->stop(State::closed, "the log is closed", {});
            self->closed(synced);
        });
    });
}

void Writer::closed(const Result<>& outcome) {
    for (auto& done : std::exchange(closers_, {})) {
        done(outcome);
    }
}

}  // namespace bascule::log
