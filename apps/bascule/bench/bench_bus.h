#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bus/broker/bus.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"

namespace bascule::bench {

/// A bus on the real disk in a folder of its own, removed at the end.
class BenchBus {
  public:
    /// Below `directory`; dies with a message if it cannot be made.
    explicit BenchBus(const std::string& directory);
    ~BenchBus();

    broker::Bus& bus() { return *bus_; }

    /// Gets every sample event.
    struct Subscriber {
        std::string name;
        std::shared_ptr<broker::Handler> handler;
        delivery::Policy policy = {.concurrency = 1024};
    };
    /// Blocks until they are in force.
    void consume(const std::vector<Subscriber>& subscribers);

    /// Publishes events 0 … `total` - 1 in batches, several of them outstanding; blocks until all
    /// are durable. Dies with a message if one is not.
    void publish(std::uint64_t total, const std::function<event::Event(std::uint64_t)>& make,
                 std::uint64_t batch_size = 100);

    /// Blocks until nothing is unsettled.
    void settle();

  private:
    std::string directory_;
    io::ThreadPool syncs_{{.name = "sync", .threads = 2}};
    io::ThreadPool executor_{{.name = "bus", .threads = 2}};
    io::ThreadPool workers_{{.name = "work", .threads = 2}};
    io::PosixDisk disk_{syncs_};
    std::unique_ptr<broker::Bus> bus_;
};

/// An event of some 500 bytes, keyed by one of 1 000 users.
event::Event sample_event(std::uint64_t number, std::string_view type = "transactions.created");

}  // namespace bascule::bench
