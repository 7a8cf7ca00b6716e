#include "server/http/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <tuple>

#include "foundation/base/uuid.h"
#include "server/http/network_thread.h"

// GCC 12 destroys temporaries of conditional and nested co_await expressions wrongly: here each
// co_await is a statement of its own, and what coroutines are given are references to locals.

namespace bascule::http {

namespace {

namespace asio = boost::asio;
using boost::beast::http::error;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t header_read_bytes = 8 << 10;
constexpr std::size_t body_read_bytes = 64 << 10;
constexpr auto linger_time = std::chrono::seconds(2);

/// The connection whose handler this thread is calling: its answer needs no detour.
thread_local const Connection* handling = nullptr;

}  // namespace

Connection::Connection(NetworkThread& thread, std::unique_ptr<Seat> seat,
                       const Server::Options& options, const Router& router, BodyBudget& budget)
    : thread_(thread),
      seat_(std::move(seat)),
      options_(options),
      router_(router),
      budget_(budget) {}

asio::awaitable<void> Connection::serve(asio::ip::tcp::socket socket) {
    const auto self = shared_from_this();
    boost::system::error_code ignored;
    std::ignore = socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    peer_ = socket.remote_endpoint(ignored).address().to_string();
    socket_ = &socket;
    thread_.add(*this);
    draining_ = thread_.draining();
    for (bool more = true, first = true; more; first = false) {
        request_ = Request();
        RequestParser parser(request_, budget_);
        parser_ = &parser;
        more = co_await read_request(first);
        if (!more) {
            break;
        }
        handling = this;
        router_.dispatch(std::move(request_), Reply(self));
        handling = nullptr;
        more = co_await answer();
    }
    {
        const std::lock_guard lock(mutex_);
        reachable_ = false;
    }
    mark_gone();
    // Replies may outlive the server: from here on nothing of it is touched.
    socket_ = nullptr;
    seat_.reset();
    thread_.remove(*this);
}

// --- reading -------------------------------------------------------------------------------------

/// False when the connection is to end; what was wrong with the request is then answered.
asio::awaitable<bool> Connection::read_request(bool first) {
    parser_->header_limit(options_.header_bytes_max);
    parser_->body_limit(options_.body_bytes_max);
    parser_->eager(false);  // first the header alone, so that a body can be refused unread
    head_only_ = false;
    request_id_ = new_uuid();

    const SteadyTime began = thread_.clock().steady();
    seat_->waits(began);
    const bool announced = first || buffer_.size() > 0;  // not between two requests
    deadline_ = began + (announced ? options_.header_timeout : options_.idle_timeout);
    bool header_checked = false;
    bool admitted = true;
    while (!parser_->is_done()) {
        boost::beast::error_code parse_error;
        std::size_t used = 0;
        if (buffer_.size() > 0) {
            used = parser_->put(buffer_.data(), parse_error);
            buffer_.consume(used);
        }
        if (parse_error && parse_error != error::need_more) {
            const Response failure = parse_failure(parse_error);
            co_await refuse(failure);
            co_return false;
        }
        if (parser_->is_header_done() && !header_checked) {
            header_checked = true;
            const Failure failure = check_header();
            if (failure) {
                co_await refuse(*failure);
                co_return false;
            }
            seat_->works();
            parser_->eager(true);
            request_.id = request_id_;
            admitted = false;
            if (parser_->expects_continue() && !parser_->is_done() && buffer_.size() == 0) {
                // What is refused below need not be told to go on.
                const Failure unwanted = router_.refusal(request_);
                if (unwanted) {
                    co_await refuse(*unwanted);
                    co_return false;
                }
                admitted = true;
                const bool written = co_await write_all("HTTP/1.1 100 Continue\r\n\r\n", {}, {});
                if (!written) {
                    co_return false;
                }
            }
            continue;  // the buffer may hold the body
        }
        if (parser_->is_done() || (used > 0 && !parse_error && buffer_.size() > 0)) {
            continue;
        }
        waits_for_request_ = buffer_.size() == 0 && !parser_->got_some();
        if (waits_for_request_ && draining_) {
            co_return false;
        }
        // The header as a whole gets one timeout, or one byte a minute would hold us for ever.
        const bool begins = waits_for_request_ && !announced;
        if (header_checked && !admitted) {
            // A body is waited for only if it is wanted: waiting costs a seat.
            admitted = true;
            const Failure failure = router_.refusal(request_);
            if (failure) {
                co_await refuse(*failure);
                co_return false;
            }
        }
        if (header_checked) {
            give_body_time(began);
            seat_->receives(thread_.clock().steady());
        }
        const std::size_t wanted = header_checked ? body_read_bytes : header_read_bytes;
        const bool more = co_await read_more(wanted);
        waits_for_request_ = false;
        if (!more) {
            co_return false;
        }
        if (begins) {
            give_time(options_.header_timeout);
        }
    }
    give_unlimited_time();
    seat_->works();
    request_.peer = peer_;
    request_.id = request_id_;
    head_only_ = request_.method == Method::head;
    co_return true;
}

asio::awaitable<bool> Connection::read_more(std::size_t bytes) {
    const auto into = buffer_.prepare(bytes);
    const auto [failure, count] = co_await socket_->async_read_some(into, no_throw);
    buffer_.commit(count);
    co_return !failure;
}

Connection::Failure Connection::check_header() {
    const auto refused = [&](int status, std::string code, std::string message) {
        return error_response(status, {.code = std::move(code), .message = std::move(message)},
                              request_id_);
    };
    if (!parser_->http_1_0() && !request_.headers.find("Host")) {
        return refused(400, "invalid", "the header lacks Host");
    }
    if (const auto read = read_target(request_); !read) {
        return error_response(read.error(), request_id_);
    }
    if (const auto expected = request_.headers.find("Expect");
        expected && !parser_->expects_continue()) {
        return refused(417, "invalid", "Expect: only 100-continue is understood");
    }
    if (seat_->spare() &&
        std::ranges::find(options_.paths_always, request_.path) == options_.paths_always.end()) {
        Response response = error_response(
            503,
            {.code = "unavailable",
             .message = "too many connections, and all have a request under way",
             .hint = "repeat after a moment, or close connections that are not needed"},
            request_id_);
        response.headers.set("Retry-After", "1");
        return response;
    }
    return std::nullopt;
}

Response Connection::parse_failure(boost::beast::error_code failure) const {
    ErrorBody body{.code = "invalid", .message = "malformed request: " + failure.message()};
    int status = 400;
    if (failure == error::body_limit && parser_->over_budget()) {
        status = 503;
        body = {.code = "unavailable",
                .message = "too many large requests at once",
                .hint = "repeat after a moment"};
    } else if (failure == error::body_limit) {
        status = 413;
        body = {.code = "too_large",
                .message = "the body of the request is above the limit of " +
                           std::to_string(options_.body_bytes_max) + " bytes",
                .hint = "send less at once" +
                        (options_.body_bytes_setting.empty()
                             ? std::string()
                             : ", or have " + options_.body_bytes_setting + " raised")};
    } else if (failure == error::header_limit) {
        status = 431;
        body = {.code = "too_large",
                .message = "the header is above the limit of " +
                           std::to_string(options_.header_bytes_max) + " bytes"};
    } else if (failure == error::bad_version) {
        status = 505;
    }
    Response response = error_response(status, body, request_id_);
    if (status == 503) {
        response.headers.set("Retry-After", "1");
    }
    return response;
}

/// Answers a request that was not read to its end; the connection cannot go on after it.
asio::awaitable<void> Connection::refuse(const Response& response) {
    parser_->release_budget();
    const bool written = co_await write_response(response, false);
    if (written) {
        co_await linger();
    }
}

/// Closing a socket with unread bytes resets it, and the peer may lose our answer: read them away.
asio::awaitable<void> Connection::linger() {
    boost::system::error_code ignored;
    std::ignore = socket_->shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    give_time(linger_time);
    seat_->waits(thread_.clock().steady());
    for (bool more = true; more;) {
        buffer_.clear();
        more = co_await read_more(body_read_bytes);
    }
}

// --- answering -----------------------------------------------------------------------------------

/// False when the connection is to end.
asio::awaitable<bool> Connection::answer() {
    while (!answer_ && !aborted_) {
        co_await woken();
    }
    if (aborted_) {
        co_return false;
    }
    Response response = std::move(*answer_);
    answer_.reset();
    parser_->release_budget();
    if (streams_) {
        co_await write_stream(response);
        co_return false;
    }
    if (response.status == 500 && response.body.empty()) {
        response = error_response(
            500, {.code = "internal", .message = "the request was not answered"}, request_id_);
    }
    const bool keep_alive = parser_->keep_alive() && !draining_ && !seat_->spare();
    const bool written = co_await write_response(response, keep_alive);
    if (written && !keep_alive) {
        co_await linger();
    }
    co_return written&& keep_alive;
}

Framing Connection::framing(const Response& response, bool keep_alive) const {
    const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
    return {.body = bodiless ? Framing::Body::none : Framing::Body::sized,
            .size = response.body.size(),
            .keep_alive = keep_alive,
            .http_1_0 = parser_->http_1_0(),
            .request_id = request_id_,
            .date = thread_.date()};
}

asio::awaitable<bool> Connection::write_response(const Response& response, bool keep_alive) {
    const Framing how = framing(response, keep_alive);
    head_.clear();
    append_head(head_, response, how);
    std::string_view body;
    if (how.body == Framing::Body::sized && !head_only_) {
        body = response.body;
    }
    const bool written = co_await write_all(head_, body, {});
    co_return written;
}

/// Writes all of it with as few system calls as the socket allows; each progress renews the time
/// that the peer has.
asio::awaitable<bool> Connection::write_all(std::string_view first, std::string_view second,
                                            std::string_view third) {
    std::array<asio::const_buffer, 3> left = {asio::buffer(first), asio::buffer(second),
                                              asio::buffer(third)};
    while (asio::buffer_size(left) > 0) {
        give_time(options_.idle_timeout);
        auto [failure, count] = co_await socket_->async_write_some(left, no_throw);
        if (failure) {
            co_return false;
        }
        for (auto& buffer : left) {
            const std::size_t done = std::min(count, buffer.size());
            buffer += done;
            count -= done;
        }
    }
    give_unlimited_time();
    co_return true;
}

asio::awaitable<void> Connection::write_stream(const Response& head) {
    Framing how = framing(head, false);
    how.body = Framing::Body::chunked;
    head_.clear();
    append_head(head_, head, how);
    bool more = co_await write_all(head_, {}, {});
    if (!more || head_only_) {
        co_return;
    }
    asio::co_spawn(thread_.context(), watch_peer(), asio::detached);

    if (!head.body.empty()) {
        more = co_await write_chunk(head.body);
    }
    while (more) {
        std::string bytes;
        bool ended = false;
        std::move_only_function<void()> writable;
        {
            const std::lock_guard lock(mutex_);
            outgoing_.under_way = 0;
            if (outgoing_.gone || draining_ || aborted_) {
                break;
            }
            bytes.swap(outgoing_.waiting);
            outgoing_.under_way = bytes.size();
            ended = outgoing_.ended;
            if (bytes.empty()) {
                writable = std::exchange(outgoing_.when_writable, nullptr);
            }
        }
        if (writable) {
            writable();
        } else if (!bytes.empty()) {
            more = co_await write_chunk(bytes);
        } else if (ended) {
            if (!parser_->http_1_0()) {
                co_await write_all("0\r\n\r\n", {}, {});
            }
            boost::system::error_code ignored;
            std::ignore = socket_->shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
            break;
        } else {
            co_await woken();
        }
    }
}

asio::awaitable<bool> Connection::write_chunk(std::string_view bytes) {
    std::array<char, 20> line;
    std::string_view before;
    std::string_view after;
    if (!parser_->http_1_0()) {
        char* end = std::to_chars(line.data(), line.data() + 16, bytes.size(), 16).ptr;
        *end++ = '\r';
        *end++ = '\n';
        before = std::string_view(line.data(), static_cast<std::size_t>(end - line.data()));
        after = "\r\n";
    }
    const bool written = co_await write_all(before, bytes, after);
    co_return written;
}

/// While we stream, the peer has nothing to say: the end of what it sends is its farewell.
asio::awaitable<void> Connection::watch_peer() {
    const auto self = shared_from_this();
    std::array<char, 1024> scratch;
    while (socket_ != nullptr) {
        const auto buffer = asio::buffer(scratch);
        const auto [failure, count] = co_await socket_->async_read_some(buffer, no_throw);
        if (failure) {
            break;
        }
    }
    mark_gone();
    wake();
}

// --- waiting and waking --------------------------------------------------------------------------

/// Returns after the next wake(), or at once if one came since the last time.
asio::awaitable<void> Connection::woken() {
    if (!std::exchange(woken_, false)) {
        auto keep = [this](auto handler) {
            resume_ = [handler = std::move(handler)]() mutable { std::move(handler)(); };
        };
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(keep),
                                                                             asio::use_awaitable);
        woken_ = false;
    }
}

void Connection::wake() {
    woken_ = true;
    if (resume_) {
        std::exchange(resume_, nullptr)();
    }
}

void Connection::deliver(std::move_only_function<void(Connection&)> task) {
    const std::lock_guard lock(mutex_);
    if (reachable_) {
        asio::post(thread_.context(),
                   [self = shared_from_this(), task = std::move(task)]() mutable { task(*self); });
    }
}

void Connection::send(Response response) {
    if (handling == this) {
        answer_ = std::move(response);
        return;
    }
    deliver([response = std::move(response)](Connection& self) mutable {
        self.answer_ = std::move(response);
        self.wake();
    });
}

void Connection::begin_stream(Response head) {
    if (handling == this) {
        streams_ = true;
        answer_ = std::move(head);
        return;
    }
    deliver([head = std::move(head)](Connection& self) mutable {
        self.streams_ = true;
        self.answer_ = std::move(head);
        self.wake();
    });
}

ReplySink::Taken Connection::write(std::string& bytes) {
    {
        const std::lock_guard lock(mutex_);
        if (outgoing_.gone) {
            return Taken::gone;
        }
        const std::size_t buffered = outgoing_.waiting.size() + outgoing_.under_way;
        if (buffered > 0 && buffered + bytes.size() > options_.stream_bytes_max) {
            return Taken::full;
        }
        outgoing_.waiting.append(bytes);
    }
    bytes.clear();
    deliver([](Connection& self) { self.wake(); });
    return Taken::yes;
}

void Connection::when_writable(std::move_only_function<void()> task) {
    {
        const std::lock_guard lock(mutex_);
        if (!outgoing_.gone) {
            outgoing_.when_writable = std::exchange(task, nullptr);
        }
    }
    if (task) {
        task();
    } else {
        deliver([](Connection& self) { self.wake(); });
    }
}

void Connection::when_gone(std::move_only_function<void()> task) {
    {
        const std::lock_guard lock(mutex_);
        if (!outgoing_.gone) {
            outgoing_.when_gone = std::exchange(task, nullptr);
        }
    }
    if (task) {
        task();
    }
}

void Connection::end_stream() {
    {
        const std::lock_guard lock(mutex_);
        outgoing_.ended = true;
        outgoing_.when_writable = nullptr;
    }
    deliver([](Connection& self) { self.wake(); });
}

// --- ending --------------------------------------------------------------------------------------

void Connection::drain() {
    draining_ = true;
    if (waits_for_request_) {
        close();
    } else if (streams_) {
        wake();
    }
}

void Connection::abort() {
    aborted_ = true;
    close();
    wake();
}

/// Asked for when it had none, or only half of one; a request that is whole since then is answered
/// all the same.
void Connection::make_room() {
    if (seat_ && seat_->idle()) {
        close();
    }
}

void Connection::check_deadline(SteadyTime now) {
    if (now > deadline_) {
        close();
    }
}

void Connection::close() {
    boost::system::error_code ignored;
    if (socket_ != nullptr) {
        std::ignore = socket_->close(ignored);
    }
}

void Connection::mark_gone() {
    std::move_only_function<void()> writable;
    std::move_only_function<void()> gone;
    {
        const std::lock_guard lock(mutex_);
        outgoing_.gone = true;
        outgoing_.waiting.clear();
        writable = std::exchange(outgoing_.when_writable, nullptr);
        gone = std::exchange(outgoing_.when_gone, nullptr);
    }
    if (writable) {
        writable();  // its owner writes again and learns
    }
    if (gone) {
        gone();
    }
}

void Connection::give_time(SteadyTime::duration from_now) {
    deadline_ = thread_.clock().steady() + from_now;
}

/// A body gets one timeout for each piece, but has to come at the least rate in all: pieces of a
/// byte would hold us as well as none.
void Connection::give_body_time(SteadyTime began) {
    const auto due =
        std::chrono::milliseconds(request_.body.size() * 1000 / Server::body_bytes_per_second_min);
    deadline_ = std::min(thread_.clock().steady(), began + due) + options_.idle_timeout;
}

}  // namespace bascule::http
