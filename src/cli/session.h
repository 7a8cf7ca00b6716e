#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/json/value.h"
#include "server/http/client.h"

namespace bascule::io {
class ThreadPool;
}

namespace bascule::cli {

/// Where the server is and who asks. Empty: look for it.
struct Target {
    std::string url;
    std::string token;
    std::string data_directory;
    std::chrono::milliseconds timeout = std::chrono::seconds(30);
    std::string url_from = "--url";  ///< who said so; for messages
    std::string token_from = "--token";
};

/// Fills what flags left open from BASCULE_URL and BASCULE_TOKEN, then from DATA/secrets/cli.json,
/// which a server on this machine writes. Errors: `not_found`, saying where it looked.
Result<Target> find_target(Target given);

/// ~/.local/share/bascule, or what XDG_DATA_HOME says.
std::string default_data_directory();

/// What went wrong with a request, ready to be told: the exit code and one or two lines.
struct Failure {
    int exit_code = 0;
    std::string message;
};

template <class T>
using Answer = std::expected<T, Failure>;

/// Names and values of a query, encoded by the session.
using Query = std::vector<std::pair<std::string, std::string>>;

struct Ask {
    http::Method method = http::Method::get;
    std::string path;  ///< begins with a slash; segments are encoded already
    Query query;
    std::string body;
    std::string content_type = "application/json";
    std::string idempotency_key;
};

/// Talks to one server. Threads: one; calls block until the answer is there.
class Session {
  public:
    static Answer<Session> open(Target given);
    Session(Session&&) noexcept;
    ~Session();

    /// The body of a 2xx answer; everything else is a Failure with the server's own words.
    Answer<std::string> raw(const Ask& ask);
    Answer<json::Value> json(const Ask& ask);

    /// Hands over the body of a stream as it comes, on another thread while this call waits;
    /// returns when the stream ends.
    Answer<std::string> stream(const Ask& ask, const std::string& last_event_id,
                               std::function<void(std::string_view)> on_bytes);

    /// Comes back after a while: what a command waits for between two looks at a job.
    void pause(std::chrono::milliseconds time);

    const Target& target() const { return target_; }

  private:
    Answer<std::string> send(http::ClientRequest request);

    Session(Target target, std::unique_ptr<http::Client> client);

    Target target_;
    std::unique_ptr<http::Client> client_;
    std::unique_ptr<io::ThreadPool> timers_;
};

/// `a b/c` as `a%20b%2Fc`.
std::string percent_encoded(std::string_view text);

/// A fresh key for Idempotency-Key.
std::string new_key();

}  // namespace bascule::cli
