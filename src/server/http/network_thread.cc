#include "server/http/network_thread.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <vector>

#include "server/http/connection.h"
#include "server/http/wire.h"

namespace bascule::http {

NetworkThread::NetworkThread(std::chrono::milliseconds sweep_interval)
    : work_(boost::asio::make_work_guard(context_)),
      sweep_timer_(context_),
      sweep_interval_(sweep_interval) {
    sweep();
    thread_ = std::thread([this]() noexcept {
        pthread_setname_np(pthread_self(), "http");
        context_.run();
    });
}

NetworkThread::~NetworkThread() { finish(); }

void NetworkThread::finish() {
    if (thread_.joinable()) {
        boost::asio::post(context_, [this] {
            finishing_ = true;  // a sweep that is due already cannot be cancelled any more
            sweep_timer_.cancel();
            work_.reset();
        });
        thread_.join();
    }
}

std::string_view NetworkThread::date() {
    const WallTime now = clock_.wall();
    const std::int64_t second = to_unix_ms(now) / 1000;
    if (second != date_second_) {
        date_second_ = second;
        date_ = http_date(now);
    }
    return date_;
}

void NetworkThread::add(Connection& connection) {
    connections_.insert(&connection);
    ++connection_count_;
}

void NetworkThread::remove(Connection& connection) {
    if (connections_.erase(&connection) > 0) {
        --connection_count_;
    }
}

void NetworkThread::drain() {
    boost::asio::post(context_, [this] {
        draining_ = true;
        for_each([](Connection& connection) { connection.drain(); });
    });
}

void NetworkThread::abort() {
    boost::asio::post(context_,
                      [this] { for_each([](Connection& connection) { connection.abort(); }); });
}

void NetworkThread::for_each(void (*action)(Connection&)) {
    const std::vector<Connection*> all(connections_.begin(), connections_.end());
    for (Connection* connection : all) {
        if (connections_.contains(connection)) {  // the one before may have ended it
            action(*connection);
        }
    }
}

/// One timer for all connections: a deadline costs a store, not a place in a heap.
void NetworkThread::sweep() {
    sweep_timer_.expires_after(sweep_interval_);
    sweep_timer_.async_wait([this](boost::system::error_code error) {
        if (error || finishing_) {
            return;
        }
        const SteadyTime now = clock_.steady();
        const std::vector<Connection*> all(connections_.begin(), connections_.end());
        for (Connection* connection : all) {
            connection->check_deadline(now);
        }
        sweep();
    });
}

}  // namespace bascule::http
