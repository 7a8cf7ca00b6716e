#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "foundation/base/clock.h"
#include "server/http/message.h"

namespace bascule::http {

using BodySink = std::function<void(std::string_view)>;

/// Beast's parser, writing straight into our Response.
class ResponseParser final : public boost::beast::http::basic_parser<false> {
  public:
    using ErrorCode = boost::beast::error_code;

    /// The body of a 2xx answer goes to `sink` if there is one.
    /// Any other is kept, up to `bytes_max`.
    ResponseParser(Response& into, const BodySink& sink, std::uint64_t bytes_max)
        : response_(into), sink_(sink), bytes_max_(bytes_max) {
        response_ = {.status = 0};
    }

  private:
    using View = boost::beast::string_view;

    void on_request_impl(boost::beast::http::verb, View, View, int, ErrorCode&) override {}
    void on_response_impl(int status, View, int, ErrorCode&) override { response_.status = status; }
    void on_field_impl(boost::beast::http::field, View name, View value, ErrorCode&) override {
        response_.headers.add(std::string(name.data(), name.size()),
                              std::string(value.data(), value.size()));
    }
    void on_header_impl(ErrorCode&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
    std::size_t on_body_impl(View bytes, ErrorCode& error) override { return take(bytes, error); }
    void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View bytes, ErrorCode& error) override {
        return take(bytes, error);
    }
    void on_finish_impl(ErrorCode&) override {}

    std::size_t take(View bytes, ErrorCode& error) {
        if (sink_ && response_.status >= 200 && response_.status < 300) {
            sink_({bytes.data(), bytes.size()});
        } else if (response_.body.size() + bytes.size() <= bytes_max_) {
            response_.body.append(bytes.data(), bytes.size());
        } else {
            error = boost::beast::http::error::body_limit;
            return 0;
        }
        return bytes.size();
    }

    Response& response_;
    const BodySink& sink_;
    const std::uint64_t bytes_max_;
};

/// One connection to a server, plain or TLS.
class ClientLink {
  public:
    using ErrorCode = boost::system::error_code;
    using Socket = boost::asio::ip::tcp::socket;

    ClientLink(boost::asio::io_context& context, boost::asio::ssl::context* tls);

    Socket& socket() { return tls_ ? tls_->next_layer() : *plain_; }

    boost::asio::awaitable<ErrorCode> handshake(const std::string& host);
    boost::asio::awaitable<ErrorCode> write(std::string_view head, std::string_view body);
    boost::asio::awaitable<ErrorCode> read_more();

    /// Reads one response, informational ones skipped. `begun` tells whether any byte of it came.
    /// A `sink` takes its body in its place, without limit.
    boost::asio::awaitable<ErrorCode> read_response(Response& response, bool head_only,
                                                    std::uint64_t bytes_max, const BodySink& sink,
                                                    bool& begun);
    /// After a response: whether another request may follow on this connection.
    bool reusable() const { return reusable_; }

    /// While idle: the server has neither closed it nor said anything.
    bool still_quiet();
    void close();

    SteadyTime idle_since{};

  private:
    std::unique_ptr<Socket> plain_;  ///< or
    std::unique_ptr<boost::asio::ssl::stream<Socket>> tls_;
    boost::beast::flat_buffer buffer_;
    bool reusable_ = false;
};

}  // namespace bascule::http
