// The half of Writer that ends things: a disk that is full for now, one that failed for good, and
// closing.
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
    const Error told = become_full(error);
    refuse(std::move(answers), told);
    refuse_waiting(told);
}

/// Returns what publishers are told from now on.
Error Writer::become_full(const Error& error) {
    Error told(ErrorKind::exhausted,
               "no space for new records, none of these was stored; free space and repeat (" +
                   error.message() + ")");
    health_.with([&](Health& health) {
        health = {.state = State::full,
                  .reason = told.message(),
                  .full_until = executor_.clock().steady() + options_.retry_full_after};
    });
    return told;
}

void Writer::no_longer_full() {
    health_.with([](Health& health) {
        if (health.state == State::full) {
            health = Health();
        }
    });
}

/// Nothing is known any more of what was written and not synced, so nothing more is written.
void Writer::fail_for_good(const Error& error) {
    const Error told(ErrorKind::io, "the log failed and must be reopened: " + error.message());
    stop(State::failed, told.message());
    intake_.close(told);
    complete_finished();
    refuse(std::exchange(in_flight_, Commit{}).answers, told);
    refuse(admission_.take().answers, told);
    refuse_waiting(told);
    closed(std::unexpected(told));
}

void Writer::stop(State state, std::string reason) {
    phase_ = Phase::stopped;
    health_.with([&](Health& health) { health = {.state = state, .reason = std::move(reason)}; });
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
            const bool failed = self->state() == State::failed;
            self->closed(failed ? Result<>(fail(ErrorKind::io, self->status().reason))
                                : Result<>());
        } else {
            self->pump();
        }
    });
}

/// The mark proves the last commit durable, so that the next open need not write it again and
/// knows damage there from a torn tail. A disk too full for it does no harm.
void Writer::write_mark() {
    Written mark{encode_frame({.kind = FrameKind::mark,
                               .file_id = active_->index.file_id,
                               .first = admission_.next().value(),
                               .durable = admission_.next().value()},
                              {}, {})};
    if (mark_last_ || !active_->file->write(position_, as_bytes(mark.frame.meta))) {
        stop(State::closed, "closed");
        closed({});
        return;
    }
    phase_ = Phase::closing;
    active_->file->sync([self = shared_from_this()](Result<> synced) {
        self->strand_.post([self, synced = std::move(synced)] {
            self->stop(State::closed, "closed");
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
