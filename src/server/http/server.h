#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "server/http/router.h"

namespace bascule::http {

/// An HTTP/1.1 server on one address: keep-alive, pipelining in order, chunked bodies,
/// 100-continue.
///
/// Who does nothing keeps nobody out: at a limit of connections the longest idle one that has no
/// request under way is closed for the newcomer (seats.h). Nor does who sends half a request: a
/// body is waited for only if its route admits the header, and one that does not come on makes room
/// too.
///
/// Threads:  its own; each connection belongs to one of them. Handlers run there.
/// Limits:   those of Options; what is above gets 413, 431 or 503 and the connection ends.
/// Lifetime: Replies and Streams may outlive the server; they then lead nowhere.
class Server {
  public:
    struct Options {
        std::string address = "127.0.0.1";
        std::uint16_t port = 0;  ///< 0: any free one
        int threads = 2;
        std::uint64_t body_bytes_max = std::uint64_t{64} << 20;
        std::string body_bytes_setting;  ///< what a refused peer may ask to be raised
        /// Of all that has come of bodies and is not handled; above it 503 is answered.
        std::uint64_t bodies_bytes_max = std::uint64_t{512} << 20;
        std::uint32_t header_bytes_max = 16 << 10;
        std::size_t stream_bytes_max = 1 << 20;
        std::size_t connections_max = 1024;
        /// Of one address (of one /64 network with IPv6).
        std::size_t connections_per_peer_max = 768;
        /// Paths that are answered even while all connections have a request under way.
        std::vector<std::string> paths_always;
        /// From the first byte of a request, or from connecting, to the end of its header.
        std::chrono::milliseconds header_timeout = std::chrono::seconds(10);
        /// How long a connection may keep us waiting: for another request, for progress of a body
        /// or of our answer. A body must come at body_bytes_per_second_min once this has passed.
        std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);
        /// How long `stop` waits for answers under way.
        std::chrono::milliseconds drain_timeout = std::chrono::seconds(5);
        /// Called when the port is taken and before anybody is answered; on an error nobody is.
        std::function<Result<>(std::uint16_t port)> on_listening;
    };

    static constexpr std::uint64_t body_bytes_per_second_min = 1024;

    /// Serves when it returns. Errors: `invalid` (address), `conflict` (port in use), `io`, and
    /// those of on_listening.
    static Result<std::unique_ptr<Server>> create(Options options, Router router);
    ~Server();

    std::uint16_t port() const;

    /// Accepts no more, lets answers under way end within drain_timeout, closes the rest and
    /// returns. Idempotent; not from a handler.
    void stop();

  private:
    class Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace bascule::http
