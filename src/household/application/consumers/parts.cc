#include "household/application/consumers/parts.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace bascule::application {

void PartedRun::start(const Environment& environment, SharedRun run, Numbers numbers, Part part) {
    CHECK(!numbers.empty());
    CHECK(run->events().size() == 1);  // configuration refuses batches for these consumers
    std::shared_ptr<PartedRun> parted(
        new PartedRun(environment, std::move(run), std::move(numbers), std::move(part)));
    parted->submit_from(0);
}

/// A round begins when every part of the one before was answered, so that parts reach the writer in
/// order whichever thread submits them.
void PartedRun::submit_from(std::size_t first) {
    const std::size_t end = std::min(first + parts_at_once, numbers_.size());
    submitted_ = end;
    for (std::size_t index = first; index < end; ++index) {
        environment_.writer.submit_patiently(
            [self = shared_from_this(), index](sql::Session& session) -> Result<> {
                auto result = self->work(session, index);
                if (!result) {
                    self->failed_ = true;
                }
                return result;
            },
            [self = shared_from_this()](Result<> result) { self->answered(std::move(result)); });
    }
}

Result<> PartedRun::work(sql::Session& session, std::size_t index) {
    if (failed_) {
        return fail(ErrorKind::unavailable, "an earlier part of the event failed");
    }
    const std::uint32_t number = numbers_[index];
    const bool is_last = index + 1 == numbers_.size();
    const auto claimed = TRY(claim(session, *run_, number, is_last));
    if (is_last) {
        TRY(keep_position(session, *run_));
    }
    if (claimed == sql::inbox::Claim::seen ||
        TRY(is_of_departed_user(session, run_->events().back()))) {
        return {};
    }
    auto unit = TRY(UnitOfWork::following(session, run_->consumer(), run_->event(),
                                          environment_.clock.wall(), number));
    TRY(part_(unit, index));
    return unit.finish();
}

void PartedRun::answered(Result<> result) {
    if (!result) {
        failed_ = true;
        outcome_.with([&](Result<>& first) {
            if (first) {
                first = std::move(result);
            }
        });
    }
    const std::size_t end = submitted_;
    if (++answered_ < end) {
        return;
    }
    if (failed_ || end == numbers_.size()) {
        run_->finish(outcome_.with([](Result<>& outcome) { return outcome; }));
    } else {
        submit_from(end);
    }
}

}  // namespace bascule::application
