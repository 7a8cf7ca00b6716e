#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "foundation/base/clock.h"
#include "server/http/reply.h"
#include "server/http/request_parser.h"
#include "server/http/seats.h"
#include "server/http/server.h"
#include "server/http/wire.h"

namespace bascule::http {

class NetworkThread;

/// One accepted socket: reads a request, has it handled, writes the answer, and again.
///
/// Threads: everything runs on its NetworkThread but the ReplySink members, which any thread calls
/// and which reach over by a posted task (unless a handler answers while it is being called).
class Connection final : public ReplySink, public std::enable_shared_from_this<Connection> {
  public:
    Connection(NetworkThread& thread, std::unique_ptr<Seat> seat, const Server::Options& options,
               const Router& router, BodyBudget& budget);

    /// Serves until the peer or a limit ends it. Once, on the thread.
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

    /// Closes it if it waits for a request, ends its stream, and lets an answer under way be the
    /// last.
    void drain();
    /// Closes it whatever it does.
    void abort();
    /// Closes it if it has no request under way.
    void make_room();
    /// Closes it if it has kept us waiting for too long.
    void check_deadline(SteadyTime now);

    void send(Response response) override;
    void begin_stream(Response head) override;
    Taken write(std::string& bytes) override;
    void when_writable(std::move_only_function<void()> task) override;
    void when_gone(std::move_only_function<void()> task) override;
    void end_stream() override;

  private:
    using Failure = std::optional<Response>;

    /// What a Stream and the connection share.
    struct Outgoing {
        std::string waiting;
        std::size_t under_way = 0;  ///< bytes being written
        bool ended = false;
        bool gone = false;
        std::move_only_function<void()> when_writable;
        std::move_only_function<void()> when_gone;
    };

    boost::asio::awaitable<bool> read_request(bool first);
    boost::asio::awaitable<bool> read_more(std::size_t bytes);
    Failure check_header();
    Response parse_failure(boost::beast::error_code error) const;
    boost::asio::awaitable<void> refuse(const Response& response);

    boost::asio::awaitable<bool> answer();
    boost::asio::awaitable<bool> write_response(const Response& response, bool keep_alive);
    boost::asio::awaitable<void> write_stream(const Response& head);
    boost::asio::awaitable<bool> write_chunk(std::string_view bytes);
    boost::asio::awaitable<bool> write_all(std::string_view first, std::string_view second,
                                           std::string_view third);
    boost::asio::awaitable<void> watch_peer();
    boost::asio::awaitable<void> woken();
    boost::asio::awaitable<void> linger();

    void deliver(std::move_only_function<void(Connection&)> task);
    void wake();
    void close();
    void mark_gone();
    void give_time(SteadyTime::duration from_now);
    void give_body_time(SteadyTime began);
    void give_unlimited_time() { deadline_ = SteadyTime::max(); }
    Framing framing(const Response& response, bool keep_alive) const;

    NetworkThread& thread_;
    std::unique_ptr<Seat> seat_;                      ///< until serve ends
    boost::asio::ip::tcp::socket* socket_ = nullptr;  ///< while serve runs
    const Server::Options& options_;
    const Router& router_;
    BodyBudget& budget_;
    std::string peer_;

    boost::beast::flat_buffer buffer_;
    RequestParser* parser_ = nullptr;  ///< of the request that is read or answered
    Request request_;
    std::string request_id_;
    bool head_only_ = false;
    std::string head_;  ///< scratch of the response's head

    SteadyTime deadline_ = SteadyTime::max();
    bool waits_for_request_ = false;
    bool draining_ = false;
    bool aborted_ = false;

    std::optional<Response> answer_;
    bool streams_ = false;
    std::move_only_function<void()> resume_;  ///< the coroutine that waits in woken()
    bool woken_ = false;

    std::mutex mutex_;       ///< guards what follows
    bool reachable_ = true;  ///< serve has not ended: the thread may be posted to
    Outgoing outgoing_;
};

}  // namespace bascule::http
