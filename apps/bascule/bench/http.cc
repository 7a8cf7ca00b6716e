#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "bench/bench_bus.h"
#include "bench/bench_server.h"
#include "bench/benches.h"
#include "bench/report.h"
#include "bus/event/seed_form.h"

namespace bascule::bench {

namespace {

using Clock = std::chrono::steady_clock;

/// One keep-alive connection that publishes one request at a time: the least a client can do.
class Connection {
  public:
    Connection(std::uint16_t port, std::string token) : token_(std::move(token)) {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port)};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            fail("cannot connect");
        }
    }
    ~Connection() { ::close(socket_); }
    Connection(const Connection&) = delete;

    /// The events of these numbers in one request.
    void publish(std::uint64_t first, int count, std::string_view type) {
        std::string body = count > 1 ? R"({"events":[)" : "";
        for (int i = 0; i < count; ++i) {
            body += i > 0 ? "," : "";
            body += event::to_seed_json(
                event::view_of(sample_event(first + static_cast<std::uint64_t>(i), type)));
        }
        body += count > 1 ? "]}" : "";
        const std::string request =
            "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            "Authorization: Bearer " +
            token_ + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        for (std::string_view rest = request; !rest.empty();) {
            const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                fail("cannot send");
            }
            rest.remove_prefix(static_cast<std::size_t>(sent));
        }
        read_answer(count);
    }

  private:
    [[noreturn]] static void fail(const char* what) {
        std::fprintf(stderr, "bench: %s\n", what);
        std::exit(1);
    }

    void read_answer(int count) {
        std::size_t head = 0, length = 0;
        for (;;) {
            if (head == 0) {
                if (const std::size_t end = buffer_.find("\r\n\r\n"); end != std::string::npos) {
                    head = end + 4;
                    const std::size_t at = buffer_.find("Content-Length: ");
                    length = at < head ? std::strtoul(buffer_.c_str() + at + 16, nullptr, 10) : 0;
                }
            }
            if (head != 0 && buffer_.size() >= head + length) {
                break;
            }
            char part[1 << 16];
            const ssize_t got = ::recv(socket_, part, sizeof part, 0);
            if (got <= 0) {
                fail("the server closed the connection");
            }
            buffer_.append(part, static_cast<std::size_t>(got));
        }
        if (!buffer_.starts_with("HTTP/1.1 200") ||
            buffer_.find(R"("accepted":)" + std::to_string(count) + ",") == std::string::npos) {
            std::fprintf(stderr, "%.2000s\n", buffer_.c_str());
            fail("an event was not accepted");
        }
        buffer_.erase(0, head + length);
    }

    int socket_ = -1;
    std::string token_;
    std::string buffer_;
};

struct Work {
    std::string_view name;
    std::string_view type;
    std::string_view consumers;  ///< what the household does with each event
};

/// An event of somebody else's: only the audit trail takes it, as a broker's own bookkeeping would.
constexpr Work foreign{"", "shop.order_placed", "only the audit trail consumes the events"};
/// An event of the household's own: each also runs categorisation and analytics, one by one.
constexpr Work domestic{"-household", "transactions.created",
                        "categorisation, analytics and the audit trail consume the events"};

/// On a server of its own: the consumers of an earlier measurement may still be catching up.
void measure(const std::string& directory, const Work& work, int connections, int batch,
             std::chrono::seconds time) {
    const BenchServer server(directory);
    const auto begin = Clock::now();
    std::vector<std::vector<std::chrono::nanoseconds>> latencies(
        static_cast<std::size_t>(connections));
    std::vector<std::thread> clients;
    for (int c = 0; c < connections; ++c) {
        clients.emplace_back([&, c] {
            Connection connection(server.port(), server.token());
            auto number = static_cast<std::uint64_t>(c) << 40;
            for (; Clock::now() < begin + time; number += static_cast<std::uint64_t>(batch)) {
                const auto sent = Clock::now();
                connection.publish(number, batch, work.type);
                latencies[static_cast<std::size_t>(c)].push_back(Clock::now() - sent);
            }
        });
    }
    for (std::thread& client : clients) {
        client.join();
    }
    Measurement measurement{
        .bench = "http",
        .work = (batch > 1 ? "batch" + std::to_string(batch) + " " : "") +
                (connections == 1 ? "sync1" : "conn" + std::to_string(connections)) +
                std::string(work.name),
        .time = Clock::now() - begin,
        .note = "POST /v1/events, keep-alive, one request outstanding a connection; " +
                std::string(work.consumers)};
    for (const auto& part : latencies) {
        measurement.count += part.size() * static_cast<std::uint64_t>(batch);
        measurement.latencies.insert(measurement.latencies.end(), part.begin(), part.end());
    }
    print(measurement);
}

}  // namespace

int http(const Arguments& arguments) {
    const std::chrono::seconds time(arguments.number("seconds", 5));
    for (const Work& work : {foreign, domestic}) {
        measure(arguments.directory(), work, 1, 1, time);
        measure(arguments.directory(), work, 64, 1, time);
    }
    measure(arguments.directory(), foreign, 4, 100, time);
    return 0;
}

}  // namespace bascule::bench
