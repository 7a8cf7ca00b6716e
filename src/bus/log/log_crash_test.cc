// The machine stops at any step, or any one operation of its disk fails.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "bus/log/log_testing.h"

namespace bascule::log {
namespace {

// --- crashes under load --------------------------------------------------------------------------

/// Publishers that each append one batch after the other and remember what they were told.
struct Publishers {
    struct Publisher {
        int name = 0;
        int batches = 0;
    };

    explicit Publishers(Log& log) : log_(log) {
        for (int i = 0; i < 4; ++i) {
            publishers_.push_back({.name = i});
        }
    }

    void start() {
        for (Publisher& publisher : publishers_) {
            publish(publisher);
        }
    }

    /// Batches of 1 to 5, every second one all or nothing; a rejected record in some.
    void publish(Publisher& publisher) {
        const int number = publisher.batches++;
        Givens records;
        for (int i = 0; i <= number % 5; ++i) {
            const std::string id = std::to_string(publisher.name) + "/" + std::to_string(number) +
                                   "/" + std::to_string(i);
            records.push_back(
                event(id, id + std::string(static_cast<std::size_t>(number) % 400, '.')));
        }
        const Atomicity atomicity = number % 2 == 0 ? Atomicity::all : Atomicity::each;
        std::vector<std::string> bodies;
        for (const Given& record : records) {
            bodies.push_back(record.body);
        }
        if (atomicity == Atomicity::all) {
            atomic_batches_.push_back(bodies);
        }
        // Who is refused at once publishes no more.
        static_cast<void>(log_.append(
            records, atomicity, [this, &publisher, bodies](LogWorld::Outcomes outcomes) {
                if (!outcomes) {
                    return;
                }
                for (std::size_t i = 0; i < outcomes->size(); ++i) {
                    const auto& accepted = std::get<Accepted>((*outcomes)[i]);
                    acknowledged_[accepted.offset.value()] = bodies[i];
                }
                publish(publisher);
            }));
    }

    Log& log_;
    std::vector<Publisher> publishers_;
    std::map<std::uint64_t, std::string> acknowledged_;
    std::vector<std::vector<std::string>> atomic_batches_;
};

std::map<std::uint64_t, std::string> stored(const Log& log) {
    std::map<std::uint64_t, std::string> all;
    for (const std::string& line : everything(log)) {
        const std::size_t colon = line.find(':');
        EXPECT_NE(colon, std::string::npos) << line;
        all[std::stoull(line)] = line.substr(colon + 1);
    }
    return all;
}

/// More than one frame holds, so that frames share a sync.
std::vector<std::string> control_state() {
    std::vector<std::string> state;
    for (int i = 0; i < 12; ++i) {
        state.push_back("rule " + std::to_string(i) + std::string(1000, '-'));
    }
    return state;
}

class LogCrashTest : public testing::TestWithParam<int> {};

/// Stops the machine after every number of steps, with its own chance each time: acknowledged
/// records are there with their offsets, atomic batches whole or not at all, what a reader saw
/// stays, and the next crash, during or right after recovery, changes none of it.
TEST_P(LogCrashTest, KeepsItsPromisesAfterAnyNumberOfSteps) {
    for (int steps = GetParam(); steps < 400; steps += 16) {
        SCOPED_TRACE("steps " + std::to_string(steps));
        LogWorld world(static_cast<std::uint64_t>(steps) + 1);
        auto log = world.open(small_options(), {.control_snapshot = control_state});
        ASSERT_THAT(log, Succeeds());
        Publishers publishers(**log);
        publishers.start();
        for (int i = 0; i < steps; ++i) {
            world.executor.run_one();
        }
        const auto seen = stored(**log);
        world.crash(*log);

        for (int reopening = 0; reopening < 2; ++reopening) {
            auto reopened = world.open();
            ASSERT_THAT(reopened, Succeeds());
            ASSERT_EQ((*reopened)->state(), State::running) << (*reopened)->status().reason;
            const auto kept = stored(**reopened);
            ASSERT_TRUE(std::ranges::includes(kept, publishers.acknowledged_));
            ASSERT_TRUE(std::ranges::includes(kept, seen));
            std::set<std::string> bodies;
            for (const auto& [offset, body] : kept) {
                bodies.insert(body);
            }
            for (const auto& atomic : publishers.atomic_batches_) {
                const auto there = std::ranges::count_if(
                    atomic, [&](const std::string& body) { return bodies.contains(body); });
                ASSERT_TRUE(there == 0 || there == static_cast<std::ptrdiff_t>(atomic.size()))
                    << atomic.front();
            }
            for (const auto& [offset, body] : publishers.acknowledged_) {
                const std::string id = body.substr(0, body.find('.'));
                ASSERT_EQ((*reopened)->find(id_of(id)), Offset(offset));
            }
            world.crash(*reopened);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Steps, LogCrashTest, testing::Range(0, 16));

/// Whatever fails while a log is opened, also the sync of its folder: what a later opening confirms
/// does not lie behind a name that the power takes away.
TEST(LogOpenTest, ConfirmsNothingBehindANameThatAFailedOpeningLeft) {
    std::uint64_t failed = 0;
    for (std::uint64_t nth = 1; nth <= 40; ++nth) {
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            SCOPED_TRACE("operation " + std::to_string(nth) + ", seed " + std::to_string(seed));
            LogWorld world(100 * nth + seed);
            auto log = world.open();
            ASSERT_THAT(log, Succeeds());
            ASSERT_THAT(world.append(**log, batch(event("early"))), Succeeds());
            // A process that dies between write and sync leaves a tail that the next one renews.
            static_cast<void>(
                (*log)->append(batch(event("unsynced")), Atomicity::each, [](auto) {}));
            for (std::uint64_t i = 0; i < seed; ++i) {
                world.executor.run_one();
            }
            world.executor.drop_all();
            (*log).reset();
            world.executor.drop_all();

            world.disk.fail_operation(nth);
            if (auto second = world.open(); !second) {
                ++failed;
            } else {
                world.crash(*second);
            }
            world.disk.clear_failures();
            auto third = world.open();
            ASSERT_THAT(third, Succeeds());
            ASSERT_THAT(world.append(**third, batch(event("late"))), Succeeds());
            world.crash(*third);

            auto last = world.open();
            ASSERT_THAT(last, Succeeds());
            EXPECT_TRUE((*last)->find(id_of("early")));
            EXPECT_TRUE((*last)->find(id_of("late")));
            world.crash(*last);
        }
    }
    EXPECT_GT(failed, 20U);
}

// --- one operation fails -------------------------------------------------------------------------

class LogFailureTest : public testing::TestWithParam<ErrorKind> {};

/// Fails the n-th disk operation for each n, through opening, appending, rolling and closing.
/// Whatever fails, nothing acknowledged is lost, and the next open serves it.
TEST_P(LogFailureTest, NoFailedOperationLosesAnAcknowledgedRecord) {
    std::uint64_t operations = 300;  // at least; more once a run is seen that goes to its end
    for (std::uint64_t nth = 1; nth <= operations; ++nth) {
        SCOPED_TRACE("operation " + std::to_string(nth));
        LogWorld world(nth);
        world.disk.fail_operation(nth, GetParam());
        auto log = world.open();
        std::map<std::uint64_t, std::string> acknowledged;
        for (int i = 0; i < 120 && log; ++i) {
            const std::string body = body_of(static_cast<std::uint64_t>(i)) + std::string(300, 'x');
            const auto outcomes = world.append(**log, batch(event("e" + std::to_string(i), body)));
            if (outcomes) {
                ASSERT_TRUE(std::holds_alternative<Accepted>((*outcomes)[0]));
                acknowledged[std::get<Accepted>((*outcomes)[0]).offset.value()] = body;
            } else {
                ASSERT_TRUE(outcomes.error().kind() == GetParam() ||
                            outcomes.error().kind() == ErrorKind::io)
                    << outcomes.error().message();
                world.clock.advance(2s);
            }
        }
        operations = std::max(operations, world.disk.operation_count());
        world.disk.clear_failures();
        if (log) {
            ASSERT_TRUE(std::ranges::includes(stored(**log), acknowledged)) << "reads go on";
            (void)world.close(**log);
            log->reset();
            world.executor.run_until_idle();
        }
        if (nth % 2 == 0) {
            world.executor.drop_all();
            world.disk.crash();
        }
        auto reopened = world.open();
        ASSERT_THAT(reopened, Succeeds());
        ASSERT_EQ((*reopened)->state(), State::running) << (*reopened)->status().reason;
        ASSERT_TRUE(std::ranges::includes(stored(**reopened), acknowledged));
        (*reopened).reset();
        world.executor.run_until_idle();
    }
    EXPECT_GT(operations, 400U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LogFailureTest,
                         testing::Values(ErrorKind::io, ErrorKind::exhausted),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace bascule::log
