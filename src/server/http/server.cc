#include "server/http/server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <thread>
#include <tuple>
#include <vector>

#include "server/http/connection.h"
#include "server/http/network_thread.h"
#include "server/http/seats.h"

namespace bascule::http {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr auto out_of_descriptors_pause = std::chrono::milliseconds(50);

std::chrono::milliseconds sweep_interval(const Server::Options& options) {
    const auto shortest = std::min(options.idle_timeout, options.header_timeout);
    return std::clamp<std::chrono::milliseconds>(shortest / 4, 10ms, 1000ms);
}

/// Whose connections are counted together: an address, or the network that one subscriber of IPv6
/// gets as a rule.
std::string peer_of(const tcp::socket& socket) {
    boost::system::error_code ignored;
    asio::ip::address address = socket.remote_endpoint(ignored).address();
    if (!address.is_v6()) {
        return address.to_string();
    }
    if (address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    }
    const auto bytes = address.to_v6().to_bytes();
    return {bytes.begin(), bytes.begin() + 8};
}

constexpr std::string_view too_many_connections =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";

}  // namespace

class Server::Impl {
  public:
    Impl(Options options, Router router)
        : options_(std::move(options)),
          router_(std::move(router)),
          budget_(options_.bodies_bytes_max),
          seats_({.all_max = options_.connections_max,
                  .per_peer_max = options_.connections_per_peer_max}) {
        for (int i = 0; i < options_.threads; ++i) {
            threads_.push_back(std::make_unique<NetworkThread>(sweep_interval(options_)));
        }
        acceptor_ = std::make_unique<tcp::acceptor>(threads_.front()->context());
    }
    ~Impl() { stop(); }

    Result<> listen() {
        boost::system::error_code error;
        const auto address = asio::ip::make_address(options_.address, error);
        if (error) {
            return fail(ErrorKind::invalid,
                        "listen address \"" + options_.address + "\" is not an IP address");
        }
        const tcp::endpoint endpoint(address, options_.port);
        const auto failed = [&] {
            const bool busy = error == asio::error::address_in_use;
            return fail(busy ? ErrorKind::conflict : ErrorKind::io,
                        "listen on " + options_.address + ":" + std::to_string(options_.port) +
                            ": " + error.message());
        };
        if (acceptor_->open(endpoint.protocol(), error) ||
            acceptor_->set_option(tcp::acceptor::reuse_address(true), error) ||
            acceptor_->bind(endpoint, error) ||
            acceptor_->listen(asio::socket_base::max_listen_connections, error)) {
            return failed();
        }
        port_ = acceptor_->local_endpoint(error).port();
        if (options_.on_listening) {
            TRY(options_.on_listening(port_));
        }
        asio::co_spawn(threads_.front()->context(), accept(), asio::detached);
        return {};
    }

    std::uint16_t port() const { return port_; }

    void stop() {
        std::call_once(stopped_, [this] {
            asio::post(threads_.front()->context(), [this] {
                stopping_ = true;
                boost::system::error_code ignored;
                std::ignore = acceptor_->close(ignored);
            });
            for (const auto& thread : threads_) {
                thread->drain();
            }
            wait_until_empty(options_.drain_timeout);
            for (const auto& thread : threads_) {
                thread->abort();
            }
            for (const auto& thread : threads_) {
                thread->finish();
            }
        });
    }

  private:
    asio::awaitable<void> accept() {
        for (std::size_t next = 0; !stopping_; ++next) {
            NetworkThread& thread = *threads_[next % threads_.size()];
            auto [error, socket] = co_await acceptor_->async_accept(thread.context(), no_throw);
            if (stopping_) {
                co_return;
            }
            if (error) {  // out of descriptors, or the peer is gone already
                if (error == asio::error::no_descriptors) {
                    seats_.make_room(thread.clock().steady());
                }
                asio::steady_timer pause(threads_.front()->context(), out_of_descriptors_pause);
                co_await pause.async_wait(no_throw);
                continue;
            }
            seat(thread, std::move(socket));
        }
    }

    void seat(NetworkThread& thread, tcp::socket socket) {
        auto seat = seats_.take(peer_of(socket), thread.clock().steady());
        if (!seat) {
            boost::system::error_code ignored;
            std::ignore = socket.non_blocking(true, ignored);
            socket.write_some(asio::buffer(too_many_connections), ignored);
            return;
        }
        Seat& taken = *seat;
        const auto connection =
            std::make_shared<Connection>(thread, std::move(seat), options_, router_, budget_);
        taken.when_wanted([&thread, weak = std::weak_ptr(connection)] {
            asio::post(thread.context(), [weak] {
                if (const auto wanted = weak.lock()) {
                    wanted->make_room();
                }
            });
        });
        asio::co_spawn(
            thread.context(),
            [connection, socket = std::move(socket)]() mutable {
                return connection->serve(std::move(socket));
            },
            asio::detached);
    }

    std::size_t connection_count() const {
        std::size_t count = 0;
        for (const auto& thread : threads_) {
            count += thread->connection_count();
        }
        return count;
    }

    void wait_until_empty(std::chrono::milliseconds at_most) {
        const SystemClock clock;
        const SteadyTime end = clock.steady() + at_most;
        while (connection_count() > 0 && clock.steady() < end) {
            std::this_thread::sleep_for(5ms);
        }
    }

    const Options options_;
    const Router router_;
    BodyBudget budget_;
    Seats seats_;
    std::vector<std::unique_ptr<NetworkThread>> threads_;
    std::unique_ptr<tcp::acceptor> acceptor_;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_ = false;
    std::once_flag stopped_;
};

Result<std::unique_ptr<Server>> Server::create(Options options, Router router) {
    if (options.threads < 1) {
        return fail(ErrorKind::invalid, "server threads must be at least 1");
    }
    auto impl = std::make_unique<Impl>(std::move(options), std::move(router));
    TRY(impl->listen());
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { stop(); }
std::uint16_t Server::port() const { return impl_->port(); }
void Server::stop() { impl_->stop(); }

}  // namespace bascule::http
