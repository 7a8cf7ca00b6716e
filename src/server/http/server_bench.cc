#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "server/http/server.h"
#include "server/http/test_peer.h"

namespace bascule::http {
namespace {

constexpr std::string_view request =
    "POST /v1/events HTTP/1.1\r\nHost: localhost:4010\r\nContent-Type: application/json\r\n"
    "Authorization: Bearer bsc_0123456789abcdef0123456789abcdef\r\nUser-Agent: bench\r\n"
    "Content-Length: "
    "59\r\n\r\n{\"type\":\"file.uploaded\",\"source\":\"bench\",\"data\":{\"n\":1234}}";

std::unique_ptr<Server> echo_server() {
    Router router;
    router.add(Method::post, "/v1/events", [](Request asked, Reply reply) {
        reply.send(json_response(200, std::move(asked.body)));
    });
    return std::move(Server::create({.threads = 2}, std::move(router)).value());
}

/// Every peer has one request under way: send on all, then read on all.
void echo(benchmark::State& state) {
    const auto server = echo_server();
    std::vector<std::unique_ptr<TestPeer>> peers;
    for (int i = 0; i < state.range(0); ++i) {
        peers.push_back(std::make_unique<TestPeer>(server->port()));
    }
    std::size_t answered = 0;
    for (auto _ : state) {
        for (const auto& peer : peers) {
            peer->send(request);
        }
        for (const auto& peer : peers) {
            answered += peer->read_response().body.size() == 59 ? 1 : 0;
        }
    }
    if (answered != static_cast<std::size_t>(state.iterations() * state.range(0))) {
        state.SkipWithError("an answer is missing");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(answered));
}
BENCHMARK(echo)->Arg(1)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace bascule::http
