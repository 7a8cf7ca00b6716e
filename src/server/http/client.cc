#include "server/http/client.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <map>
#include <set>
#include <thread>
#include <tuple>

#include "foundation/base/check.h"
#include "server/http/client_link.h"
#include "server/http/private_network.h"
#include "server/http/url.h"
#include "server/http/wire.h"

// GCC 12 destroys temporaries of conditional and nested co_await expressions wrongly: here each
// co_await is a statement of its own, and what coroutines are given are references to locals.

namespace bascule::http {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

bool is_private(const asio::ip::address& address) {
    return address.is_v4() ? is_private_network(address.to_v4().to_bytes())
                           : is_private_network(address.to_v6().to_bytes());
}

/// A request between `send` and its completion.
struct Exchange : std::enable_shared_from_this<Exchange> {
    Exchange(asio::io_context& context, ClientRequest asked, Url to, io::Completion<Response> then)
        : request(std::move(asked)), url(std::move(to)), done(std::move(then)), timer(context) {}

    bool finished() const { return !done; }
    bool repeatable() const {
        return request.method != Method::post ||
               request.headers.find("Idempotency-Key").has_value();
    }

    ClientRequest request;
    Url url;
    io::Completion<Response> done;
    asio::steady_timer timer;
    SteadyTime deadline{};
    std::string timed_out;  ///< what is said then
    std::shared_ptr<ClientLink> link;
};

using ExchangePtr = std::shared_ptr<Exchange>;

struct Host {
    std::size_t open = 0;  ///< links that are used, idle or being opened
    std::vector<std::shared_ptr<ClientLink>> idle;
    std::deque<ExchangePtr> waiting;
};

}  // namespace

/// Everything below `send` happens on one thread.
class Client::Impl {
  public:
    explicit Impl(Options options)
        : options_(std::move(options)),
          tls_(asio::ssl::context::tls_client),
          work_(asio::make_work_guard(context_)),
          resolver_(context_),
          sweep_timer_(context_) {}

    ~Impl() {
        if (thread_.joinable()) {
            CHECK(thread_.get_id() != std::this_thread::get_id());
            asio::post(context_, [this] { shut_down(); });
            thread_.join();
        }
    }

    Result<> start() {
        ErrorCode failure;
        std::ignore = tls_.set_default_verify_paths(failure);  // a machine may have none
        if (tls_.set_verify_mode(asio::ssl::verify_peer, failure)) {
            return fail(ErrorKind::invalid, "TLS: " + failure.message());
        }
        if (!options_.certificate_file.empty() &&
            tls_.load_verify_file(options_.certificate_file, failure)) {
            return fail(ErrorKind::invalid,
                        "certificate file " + options_.certificate_file + ": " + failure.message());
        }
        sweep();
        thread_ = std::thread([this]() noexcept {
            pthread_setname_np(pthread_self(), "http-client");
            context_.run();
        });
        return {};
    }

    void send(ClientRequest request, io::Completion<Response> done) {
        auto url = Url::parse(request.url);
        if (!url) {
            asio::post(context_,
                       [error = std::move(url.error()), done = std::move(done)]() mutable {
                           done(std::unexpected(std::move(error)));
                       });
            return;
        }
        auto exchange = std::make_shared<Exchange>(context_, std::move(request), std::move(*url),
                                                   std::move(done));
        asio::post(context_, [this, exchange = std::move(exchange)] { begin(exchange); });
    }

  private:
    static std::string key_of(const Url& url) {
        return (url.tls ? "https:" : "http:") + url.host + ":" + std::to_string(url.port);
    }

    void begin(const ExchangePtr& exchange) {
        if (stopping_) {
            finish(*exchange, closed());
            return;
        }
        const auto total =
            exchange->request.timeout > 0ms ? exchange->request.timeout : options_.total_timeout;
        exchange->deadline = clock_.steady() + total;
        exchange->timed_out = "no answer within " + std::to_string(total.count()) + " ms";
        live_.insert(exchange);
        time_out_at(exchange, exchange->deadline, exchange->timed_out);
        Host& host = hosts_[key_of(exchange->url)];
        if (!take_slot(*exchange, host)) {
            wait_for_slot(exchange, host);
            return;
        }
        asio::co_spawn(context_, run(exchange), asio::detached);
    }

    /// A slot is the right to use one connection to the host; an idle one comes with it.
    bool take_slot(Exchange& exchange, Host& host) {
        while (!host.idle.empty()) {
            exchange.link = std::move(host.idle.back());
            host.idle.pop_back();
            if (exchange.link->still_quiet()) {
                return true;
            }
            exchange.link.reset();
            --host.open;
        }
        if (host.open >= options_.connections_per_host_max) {
            return false;
        }
        ++host.open;
        return true;
    }

    void wait_for_slot(const ExchangePtr& exchange, Host& host) {
        if (host.waiting.size() >= options_.waiting_per_host_max) {
            std::erase_if(host.waiting, [](const auto& waiting) { return waiting->finished(); });
        }
        if (host.waiting.size() >= options_.waiting_per_host_max) {
            finish(*exchange,
                   fail(ErrorKind::exhausted,
                        exchange->url.authority + ": " + std::to_string(host.waiting.size()) +
                            " requests are already waiting for a connection"));
            return;
        }
        host.waiting.push_back(exchange);
    }

    /// Runs with a slot, and passes it on at its end.
    asio::awaitable<void> run(ExchangePtr exchange) {
        for (bool reused = exchange->link != nullptr;; reused = false) {
            if (!reused) {
                const Result<> opened = co_await open(exchange);
                if (!opened) {
                    finish(*exchange, std::unexpected(opened.error()));
                    break;
                }
            }
            bool begun = false;
            Response response;
            const ErrorCode failure = co_await converse(*exchange, response, begun);
            if (!failure) {
                finish(*exchange, std::move(response));
                break;
            }
            exchange->link->close();
            // A kept connection may have been closed by the server just when we began.
            if (!reused || begun || !exchange->repeatable() || exchange->finished()) {
                finish(*exchange, failed_exchange(*exchange, failure));
                break;
            }
        }
        give_back(*exchange);
    }

    asio::awaitable<ErrorCode> converse(Exchange& exchange, Response& response, bool& begun) {
        const ClientRequest& request = exchange.request;
        std::optional<std::uint64_t> size;
        if (!request.body.empty() || request.method == Method::post ||
            request.method == Method::put || request.method == Method::patch) {
            size = request.body.size();
        }
        std::string head;
        append_head(head, name(request.method), exchange.url.target, exchange.url.authority,
                    request.headers, size);
        const std::shared_ptr<ClientLink> link = exchange.link;
        // A server may refuse a body that it does not want to read: its answer counts, and if there
        // is none the reading fails like the writing did.
        co_await link->write(head, request.body);
        const bool head_only = request.method == Method::head;
        const ErrorCode failure = co_await link->read_response(
            response, head_only, options_.response_bytes_max, request.on_body, begun);
        co_return failure;
    }

    asio::awaitable<Result<>> open(const ExchangePtr& exchange) {
        const Url& url = exchange->url;
        const SteadyTime until =
            std::min(exchange->deadline, clock_.steady() + options_.connect_timeout);
        if (until < exchange->deadline) {
            time_out_at(
                exchange, until,
                "not connected within " + std::to_string(options_.connect_timeout.count()) + " ms");
        }
        exchange->link = std::make_shared<ClientLink>(context_, url.tls ? &tls_ : nullptr);
        const std::shared_ptr<ClientLink> link = exchange->link;
        const std::string port = std::to_string(url.port);
        const auto [unresolved, found] = co_await resolver_.async_resolve(url.host, port, no_throw);
        if (unresolved) {
            co_return unavailable(url, "resolve the name", unresolved);
        }
        ErrorCode failure = asio::error::host_not_found;
        for (const auto& entry : found) {
            const tcp::endpoint endpoint = entry.endpoint();
            if (exchange->finished()) {
                break;
            }
            if (refuses(url, endpoint)) {
                co_return fail(ErrorKind::invalid,
                               url.authority + " is at " + endpoint.address().to_string() +
                                   ", a private network; if that is meant, a consumer allows it by "
                                   "allow_private: true, "
                                   "notifications by server.private_hosts_allowed");
            }
            ErrorCode ignored;
            std::ignore = link->socket().close(ignored);
            auto [result] = co_await link->socket().async_connect(endpoint, no_throw);
            failure = result;
            if (!failure) {
                break;
            }
        }
        if (failure) {
            co_return unavailable(url, "connect", failure);
        }
        ErrorCode ignored;
        std::ignore = link->socket().set_option(tcp::no_delay(true), ignored);
        failure = co_await link->handshake(url.host);
        if (failure) {
            co_return unavailable(url, "TLS handshake", failure);
        }
        if (!exchange->finished()) {
            time_out_at(exchange, exchange->deadline, exchange->timed_out);
        }
        co_return Result<>();
    }

    bool refuses(const Url& url, const tcp::endpoint& endpoint) const {
        return options_.private_networks == PrivateNetworks::refused &&
               is_private(endpoint.address()) &&
               std::ranges::none_of(options_.hosts_allowed, [&](const std::string& host) {
                   return equal_fold(host, url.host);
               });
    }

    void give_back(Exchange& exchange) {
        Host& host = hosts_[key_of(exchange.url)];
        std::shared_ptr<ClientLink> link = std::exchange(exchange.link, nullptr);
        if (!link || !link->reusable() || !link->socket().is_open() || stopping_) {
            link.reset();
        }
        while (!host.waiting.empty()) {
            const ExchangePtr next = host.waiting.front();
            host.waiting.pop_front();
            if (!next->finished()) {
                next->link = std::move(link);
                asio::co_spawn(context_, run(next), asio::detached);
                return;
            }
        }
        if (link) {
            link->idle_since = clock_.steady();
            host.idle.push_back(std::move(link));
        } else {
            --host.open;
        }
    }

    /// Completes the exchange when the time has come, whatever it waits for; closing its
    /// connection ends the waiting.
    void time_out_at(const ExchangePtr& exchange, SteadyTime when, std::string what) {
        exchange->timer.expires_after(when - clock_.steady());
        exchange->timer.async_wait([this, exchange, what = std::move(what)](ErrorCode error) {
            if (!error) {
                finish(*exchange,
                       fail(ErrorKind::unavailable, exchange->url.authority + ": " + what));
            }
        });
    }

    void finish(Exchange& exchange, Result<Response> result) {
        if (exchange.finished()) {
            return;
        }
        exchange.timer.cancel();
        if (!result && exchange.link) {
            exchange.link->close();
        }
        auto done = std::exchange(exchange.done, nullptr);
        live_.erase(exchange.shared_from_this());
        done(std::move(result));
    }

    static std::unexpected<Error> closed() {
        return fail(ErrorKind::unavailable, "the HTTP client was closed");
    }

    static std::unexpected<Error> unavailable(const Url& url, std::string_view what,
                                              ErrorCode failure) {
        return fail(ErrorKind::unavailable,
                    url.authority + ": " + std::string(what) + ": " + failure.message());
    }

    std::unexpected<Error> failed_exchange(const Exchange& exchange, ErrorCode failure) const {
        if (failure == boost::beast::http::error::body_limit ||
            failure == boost::beast::http::error::header_limit) {
            return fail(ErrorKind::exhausted,
                        exchange.url.authority + ": the response is above the limit of " +
                            std::to_string(options_.response_bytes_max) + " bytes");
        }
        return unavailable(exchange.url, "the connection broke", failure);
    }

    /// Closes what was idle for too long, and forgets hosts with nothing open.
    void sweep() {
        sweep_timer_.expires_after(
            std::max<std::chrono::milliseconds>(options_.idle_timeout / 2, 10ms));
        sweep_timer_.async_wait([this](ErrorCode error) {
            if (error || stopping_) {
                return;
            }
            const SteadyTime oldest = clock_.steady() - options_.idle_timeout;
            for (auto& [key, host] : hosts_) {
                host.open -= std::erase_if(
                    host.idle, [&](const auto& link) { return link->idle_since < oldest; });
            }
            std::erase_if(hosts_, [](const auto& entry) {
                return entry.second.open == 0 && entry.second.waiting.empty();
            });
            sweep();
        });
    }

    void shut_down() {
        stopping_ = true;
        const auto live = live_;
        for (const ExchangePtr& exchange : live) {
            finish(*exchange, closed());
        }
        for (auto& [key, host] : hosts_) {
            host.open -= host.idle.size();
            host.idle.clear();
            host.waiting.clear();
        }
        resolver_.cancel();
        sweep_timer_.cancel();
        work_.reset();
    }

    const Options options_;
    const SystemClock clock_;
    asio::ssl::context tls_;
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    tcp::resolver resolver_;
    asio::steady_timer sweep_timer_;
    std::map<std::string, Host> hosts_;
    std::set<ExchangePtr> live_;
    bool stopping_ = false;
    std::thread thread_;
};

Result<std::unique_ptr<Client>> Client::create(Options options) {
    auto impl = std::make_unique<Impl>(std::move(options));
    TRY(impl->start());
    return std::unique_ptr<Client>(new Client(std::move(impl)));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

void Client::send(ClientRequest request, io::Completion<Response> done) {
    impl_->send(std::move(request), std::move(done));
}

}  // namespace bascule::http
