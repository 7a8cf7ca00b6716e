#pragma once

#include <memory>
#include <string>

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

    /// One consumer that gets every event; blocks until it is in force.
    void consume(std::shared_ptr<broker::Handler> handler);

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
