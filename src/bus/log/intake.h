#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bus/log/options.h"
#include "bus/log/record.h"
#include "bus/log/status.h"
#include "foundation/base/guarded.h"
#include "foundation/base/result.h"
#include "foundation/io/completion.h"

namespace bascule::log {

/// One call of `Log::append`.
struct PendingBatch {
    RecordBatch batch;
    Atomicity atomicity = Atomicity::each;
    io::Completion<std::vector<AppendOutcome>> done;

    std::size_t records() const { return batch.records.size(); }
    std::uint64_t bytes() const { return batch.bodies.size(); }
};

/// The bounded queue between publishers and the writer: the log's back-pressure.
/// Threads: any.
class Intake {
  public:
    explicit Intake(const Options& options)
        : bytes_max_(options.queue_bytes_max), records_max_(options.queue_records_max) {}

    enum class Wake { needed, not_needed };

    /// Takes the batch out of `batch` unless it fails. `needed` tells the caller to wake the
    /// writer. Errors: `exhausted` when a bound is reached (a batch into an empty queue always
    /// fits), or what the intake was closed with.
    Result<Wake> put(PendingBatch& batch) {
        return state_.with([&](State& state) -> Result<Wake> {
            if (state.closed) {
                return std::unexpected(*state.closed);
            }
            if (!state.waiting.empty() && (state.bytes + batch.bytes() > bytes_max_ ||
                                           state.records + batch.records() > records_max_)) {
                return fail(ErrorKind::exhausted,
                            "the log's queue is full (" + std::to_string(state.records) +
                                " records, " + std::to_string(state.bytes) +
                                " bytes wait for the disk): publish again shortly");
            }
            state.bytes += batch.bytes();
            state.records += batch.records();
            state.waiting.push_back(std::move(batch));
            return std::exchange(state.awake, true) ? Wake::not_needed : Wake::needed;
        });
    }

    /// The writer runs: from here on `put` asks for a wake again.
    void woken() {
        state_.with([](State& state) { state.awake = false; });
    }

    /// The oldest batch, if there is one and `wanted` says yes.
    template <class Wanted>
    std::optional<PendingBatch> take_if(Wanted&& wanted) {
        return state_.with([&](State& state) -> std::optional<PendingBatch> {
            if (state.waiting.empty() || !wanted(state.waiting.front())) {
                return std::nullopt;
            }
            PendingBatch batch = std::move(state.waiting.front());
            state.waiting.pop_front();
            state.bytes -= batch.bytes();
            state.records -= batch.records();
            return batch;
        });
    }

    bool empty() const {
        return state_.with([](const State& state) { return state.waiting.empty(); });
    }

    /// Lets `put` fail from here on; what waits stays. The first reason stands.
    void close(Error reason) {
        state_.with([&](State& state) {
            if (!state.closed) {
                state.closed = std::move(reason);
            }
        });
    }

    /// Takes all that waits.
    std::deque<PendingBatch> drain() {
        return state_.with([](State& state) {
            state.bytes = state.records = 0;
            return std::exchange(state.waiting, {});
        });
    }

    void count(Stats& stats) const {
        state_.with([&](const State& state) {
            stats.queue_bytes = state.bytes;
            stats.queue_records = state.records;
        });
    }

  private:
    struct State {
        std::deque<PendingBatch> waiting;
        std::uint64_t bytes = 0;
        std::uint64_t records = 0;
        bool awake = false;
        std::optional<Error> closed;
    };

    const std::uint64_t bytes_max_;
    const std::uint64_t records_max_;
    Guarded<State> state_;
};

}  // namespace bascule::log
