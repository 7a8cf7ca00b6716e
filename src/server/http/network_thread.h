#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>
#include <thread>
#include <unordered_set>

#include "foundation/base/clock.h"

namespace bascule::http {

class Connection;

/// One thread with its own event loop and the connections that belong to it: what a connection
/// does needs no lock, and no two threads fight over one queue.
class NetworkThread {
  public:
    explicit NetworkThread(std::chrono::milliseconds sweep_interval);
    ~NetworkThread();

    boost::asio::io_context& context() { return context_; }
    const Clock& clock() const { return clock_; }

    /// The present time as a Date header shows it; made once a second.
    std::string_view date();

    void add(Connection& connection);
    void remove(Connection& connection);
    std::size_t connection_count() const { return connection_count_; }

    /// Drains every connection, also those that come after; or aborts every one. Both return
    /// before it is done.
    void drain();
    void abort();
    bool draining() const { return draining_; }

    /// Ends the loop once nothing is under way, and joins.
    void finish();

  private:
    void sweep();
    void for_each(void (*action)(Connection&));

    SystemClock clock_;
    boost::asio::io_context context_{1};  // one thread runs it
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::steady_timer sweep_timer_;
    const std::chrono::milliseconds sweep_interval_;
    bool finishing_ = false;  ///< the thread's
    std::unordered_set<Connection*> connections_;
    std::atomic<std::size_t> connection_count_ = 0;
    bool draining_ = false;
    std::int64_t date_second_ = -1;
    std::string date_;
    std::thread thread_;
};

}  // namespace bascule::http
