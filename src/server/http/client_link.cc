#include "server/http/client_link.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <limits>
#include <tuple>

// GCC 12 destroys temporaries of conditional and nested co_await expressions wrongly: here each
// co_await is a statement of its own, and what coroutines are given are references to locals.

namespace bascule::http {

namespace {

namespace asio = boost::asio;
using boost::beast::http::error;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = 16 << 10;
constexpr std::uint32_t header_bytes_max = 64 << 10;

}  // namespace

ClientLink::ClientLink(asio::io_context& context, asio::ssl::context* tls) {
    if (tls != nullptr) {
        tls_ = std::make_unique<asio::ssl::stream<Socket>>(context, *tls);
    } else {
        plain_ = std::make_unique<Socket>(context);
    }
}

asio::awaitable<ClientLink::ErrorCode> ClientLink::handshake(const std::string& host) {
    if (!tls_) {
        co_return ErrorCode();
    }
    ErrorCode failure;
    if (!tls_->set_verify_callback(asio::ssl::host_name_verification(host), failure) &&
        SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) != 1) {
        failure = asio::error::invalid_argument;
    }
    if (!failure) {
        auto [result] = co_await tls_->async_handshake(asio::ssl::stream_base::client, no_throw);
        failure = result;
    }
    co_return failure;
}

asio::awaitable<ClientLink::ErrorCode> ClientLink::write(std::string_view head,
                                                         std::string_view body) {
    const std::array<asio::const_buffer, 2> both = {asio::buffer(head), asio::buffer(body)};
    ErrorCode failure;
    if (tls_) {
        auto [result, count] = co_await asio::async_write(*tls_, both, no_throw);
        failure = result;
    } else {
        auto [result, count] = co_await asio::async_write(*plain_, both, no_throw);
        failure = result;
    }
    co_return failure;
}

asio::awaitable<ClientLink::ErrorCode> ClientLink::read_more() {
    const auto into = buffer_.prepare(read_bytes);
    ErrorCode failure;
    if (tls_) {
        auto [result, count] = co_await tls_->async_read_some(into, no_throw);
        failure = result;
        buffer_.commit(count);
    } else {
        auto [result, count] = co_await plain_->async_read_some(into, no_throw);
        failure = result;
        buffer_.commit(count);
    }
    co_return failure;
}

asio::awaitable<ClientLink::ErrorCode> ClientLink::read_response(Response& response, bool head_only,
                                                                 std::uint64_t bytes_max,
                                                                 const BodySink& sink,
                                                                 bool& begun) {
    reusable_ = false;
    std::optional<ResponseParser> parser;
    for (;;) {
        if (!parser) {
            parser.emplace(response, sink, bytes_max);
            parser->header_limit(header_bytes_max);
            parser->body_limit(sink ? std::numeric_limits<std::uint64_t>::max() : bytes_max);
            parser->skip(head_only);
            parser->eager(true);
        }
        ErrorCode failure;
        if (buffer_.size() > 0) {
            begun = true;
            buffer_.consume(parser->put(buffer_.data(), failure));
            if (failure && failure != error::need_more) {
                co_return failure;
            }
        }
        if (parser->is_done() && response.status >= 100 && response.status < 200) {
            parser.reset();  // "100 Continue" and the like only announce the answer
            continue;
        }
        if (parser->is_done()) {
            reusable_ = parser->keep_alive() && buffer_.size() == 0;
            co_return ErrorCode();
        }
        if (!failure && buffer_.size() > 0) {
            continue;
        }
        const ErrorCode ended = co_await read_more();
        const bool at_end =
            ended == asio::error::eof || ended == asio::ssl::error::stream_truncated;
        if (ended && !(at_end && parser->is_header_done())) {
            co_return ended;
        }
        if (ended) {  // the end of the connection may be the end of the body
            parser->put_eof(failure);
            co_return failure == error::need_more ? ended : failure;
        }
    }
}

bool ClientLink::still_quiet() {
    char byte;
    const ssize_t got =
        ::recv(socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL);
    return got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void ClientLink::close() {
    ErrorCode ignored;
    std::ignore = socket().close(ignored);
}

}  // namespace bascule::http
