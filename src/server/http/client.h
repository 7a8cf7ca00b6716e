#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/io/completion.h"
#include "server/http/message.h"

namespace bascule::http {

struct ClientRequest {
    Method method = Method::get;
    std::string url;  ///< absolute: "https://host:port/path?query"
    /// Host, Content-Length and Connection are added.
    Headers headers;
    std::string body;
    /// Instead of Options::total_timeout when above zero.
    std::chrono::milliseconds timeout{};
    /// Gets the body of a 2xx answer piece by piece as it comes, without limit, on the client's
    /// thread; Response::body then stays empty. For event streams and large downloads.
    std::function<void(std::string_view)> on_body;
};

enum class PrivateNetworks { allowed, refused };

/// An HTTP/1.1 client with kept connections. Redirects are answers like any other.
///
/// Threads:  any; completions run on its own thread and must not block.
/// Limits:   those of Options.
/// Lifetime: the destructor completes what is under way with `unavailable`; it must not run on the
///           client's own thread.
class Client {
  public:
    struct Options {
        std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);  ///< with name and TLS
        std::chrono::milliseconds total_timeout = std::chrono::seconds(30);
        std::chrono::milliseconds idle_timeout = std::chrono::seconds(30);
        std::uint64_t response_bytes_max = std::uint64_t{16} << 20;
        std::size_t connections_per_host_max = 8;
        /// Requests to one host that wait for a connection; one more is `exhausted`.
        std::size_t waiting_per_host_max = 1024;
        /// Whether addresses of private networks (loopback, link-local, RFC 1918, unique local and
        /// the like, also in IPv4-mapped form) may be reached. Checked on the address that is
        /// connected to, so that no name can point there.
        PrivateNetworks private_networks = PrivateNetworks::allowed;
        std::vector<std::string>
            hosts_allowed;             ///< names for which they may be reached all the same
        std::string certificate_file;  ///< PEM of further authorities to trust
    };

    /// Errors: `invalid` (certificate_file).
    static Result<std::unique_ptr<Client>> create(Options options);
    ~Client();

    /// Completes with whatever the server answers, 500 included.
    ///
    /// Errors: `invalid` (the URL, or an address that is refused), `exhausted` (the response is too
    /// large, or too many wait), `unavailable` (name, connection, TLS, timeout). A kept connection
    /// that turns out to be closed is replaced once if the method may be repeated.
    void send(ClientRequest request, io::Completion<Response> done);

  private:
    class Impl;
    explicit Client(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace bascule::http
