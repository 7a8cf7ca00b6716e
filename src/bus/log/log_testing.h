#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "bus/log/log.h"
#include "foundation/base/testing.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"

/// What tests of the log share: a simulated machine, and short ways to say things.
namespace bascule::log {

/// A small log rolls, caches and forgets within a test.
inline Options small_options() {
    return {.segment_bytes = 16 << 10,
            .frame_bytes_max = 8 << 10,
            .record_bytes_max = 4 << 10,
            .queue_bytes_max = 64 << 10,
            .queue_records_max = 1000,
            .large_commit_bytes = 2 << 10,
            .fill_bytes = 1 << 10,
            .tail_bytes_max = 4 << 10,
            .read_cache_bytes_max = 8 << 10,
            .dedup = {.entries_max = 10'000},
            .reserve_bytes = 0,
            .seed = 7};
}

inline Hash128 id_of(std::string_view id) { return hash128("test", id); }

/// A record with its own body.
struct Given : Record {
    std::string body;
};

/// What a test appends, record by record.
struct Givens : std::vector<Given> {
    using vector::vector;

    operator RecordBatch() const {
        RecordBatch batch;
        for (const Given& given : *this) {
            batch.add(given, given.body);
        }
        return batch;
    }
};

inline Given event(std::string_view id, std::string body = "body") {
    const std::uint64_t content = hash64(body);
    return {{.key_hash = hash64(id),
             .id_hash = id_of(id),
             .content_hash = content,
             .rule_version = 3,
             .target_set = 5},
            std::move(body)};
}

inline Given numbered(std::uint64_t producer, std::uint64_t sequence) {
    Given record = event("p" + std::to_string(producer) + "-" + std::to_string(sequence));
    record.producer = producer;
    record.sequence = sequence;
    return record;
}

inline Given control(std::string body) { return {{.kind = RecordKind::control}, std::move(body)}; }

template <class... Records>
Givens batch(Records... records) {
    Givens all;
    (all.push_back(std::move(records)), ...);
    return all;
}

/// A machine with one disk that a log lives on, and dies on.
struct LogWorld {
    explicit LogWorld(std::uint64_t seed = 1)
        : executor(clock, seed),
          disk(executor, {.seed = seed, .sync_latency_min = 1ms, .sync_latency_max = 5ms}) {}

    Result<std::unique_ptr<Log>> open(const Options& options = small_options(), Hooks hooks = {}) {
        return Log::open(disk, executor, "log", options, std::move(hooks));
    }

    using Outcomes = Result<std::vector<AppendOutcome>>;

    Outcomes append(Log& log, RecordBatch records, Atomicity atomicity = Atomicity::each) {
        return sim::wait_for<std::vector<AppendOutcome>>(executor, [&](auto done) {
            // A refusal at once and one later are the same to most tests.
            const auto shared = std::make_shared<decltype(done)>(std::move(done));
            if (auto queued =
                    log.append(std::move(records), atomicity,
                               [shared](Outcomes outcomes) { (*shared)(std::move(outcomes)); });
                !queued) {
                (*shared)(std::unexpected(std::move(queued).error()));
            }
        });
    }

    Result<> close(Log& log) {
        return sim::wait_for<>(executor, [&](auto done) { log.close(std::move(done)); });
    }

    /// Closes and waits until nothing of the log runs any more.
    void shut(std::unique_ptr<Log>& log) {
        ASSERT_THAT(close(*log), Succeeds());
        log.reset();
        executor.run_until_idle();
    }

    /// The power goes: the process is gone and the disk keeps what it promised.
    void crash(std::unique_ptr<Log>& log) {
        log.reset();
        executor.drop_all();
        disk.crash();
    }

    std::vector<std::string> names() {
        auto listed = disk.list("log");
        EXPECT_THAT(listed, Succeeds());
        return listed ? *std::move(listed) : std::vector<std::string>();
    }

    sim::SimClock clock;
    sim::SimExecutor executor;
    sim::SimDisk disk;
};

/// Every readable body from the beginning, "offset:body"; damage shows as "offset-end lost".
inline std::vector<std::string> everything(const Log& log, ReadLimits limits = {}) {
    std::vector<std::string> all;
    Offset at = log.begin();
    while (at < log.end()) {
        const auto batch = log.read(at, limits);
        if (!batch) {
            const auto lost = log.lost_at(at);
            all.push_back(std::to_string(at.value()) + "-" +
                          (lost ? std::to_string(lost->end.value()) : batch.error().message()) +
                          " lost");
            if (!lost) {
                return all;
            }
            at = lost->end;
            continue;
        }
        for (const RecordView& record : batch->records()) {
            all.push_back(std::to_string(record.offset.value()) + ":" + std::string(record.body));
        }
        if (batch->next() <= at) {
            all.push_back("stuck at " + std::to_string(at.value()));
            return all;
        }
        at = batch->next();
    }
    return all;
}

// One outcome in words.
inline std::string words(const AppendOutcome& outcome) {
    if (const auto* accepted = std::get_if<Accepted>(&outcome)) {
        return "accepted " + std::to_string(accepted->offset.value());
    }
    if (const auto* duplicate = std::get_if<Duplicate>(&outcome)) {
        return "duplicate of " + std::to_string(duplicate->first.value());
    }
    switch (std::get<Rejected>(outcome).reason) {
        case RejectReason::id_reused:
            return "id_reused";
        case RejectReason::sequence_not_above:
            return "not above " + std::to_string(std::get<Rejected>(outcome).highest_sequence);
        case RejectReason::atomic_batch_failed:
            return "atomic_batch_failed";
        case RejectReason::too_large:
            return "too_large";
        case RejectReason::too_many_producers:
            return "too_many_producers";
    }
    return "?";
}

/// All outcomes in words, or the error's kind.
inline std::vector<std::string> words(const LogWorld::Outcomes& outcomes) {
    if (!outcomes) {
        return {std::string(name(outcomes.error().kind()))};
    }
    std::vector<std::string> all;
    for (const AppendOutcome& outcome : *outcomes) {
        all.push_back(words(outcome));
    }
    return all;
}

/// Events with numbers for ids and bodies that tell them.
inline std::string body_of(std::uint64_t i) {
    return "event " + std::to_string(i) + std::string(i % 97, '.');
}

class LogOnDisk : public testing::Test {
  protected:
    void open(const Options& options = small_options(), Hooks hooks = {}) {
        auto opened = world_.open(options, std::move(hooks));
        ASSERT_THAT(opened, Succeeds());
        log_ = std::move(*opened);
    }

    void fill(std::uint64_t begin, std::uint64_t end) {
        for (std::uint64_t i = begin; i < end; ++i) {
            ASSERT_THAT(
                words(world_.append(*log_, batch(event("e" + std::to_string(i), body_of(i))))),
                testing::ElementsAre("accepted " + std::to_string(i)));
        }
    }

    /// Nothing but `begin` to `end`, each as it was written.
    void expect_events(std::uint64_t begin, std::uint64_t end) {
        std::vector<std::string> expected;
        for (std::uint64_t i = begin; i < end; ++i) {
            expected.push_back(std::to_string(i) + ":" + body_of(i));
        }
        EXPECT_EQ(everything(*log_), expected);
    }

    LogWorld world_;
    std::unique_ptr<Log> log_;
};

}  // namespace bascule::log
