#include "bench/bench_server.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "foundation/base/uuid.h"
#include "foundation/io/wait.h"

namespace bascule::bench {

namespace {

template <class T>
T taken(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "bench: %s\n", result.error().message().c_str());
        std::exit(1);
    }
    return std::move(*result);
}

}  // namespace

BenchServer::BenchServer(const std::string& directory)
    : directory_(directory + "/bascule-bench-" + new_uuid()) {
    client_ = taken(http::Client::create({.total_timeout = std::chrono::minutes(2)}));
    SettingSources sources;
    sources.overrides = {"storage.data=" + directory_, "server.listen=127.0.0.1:0",
                         "server.upload_bytes_max=256MiB"};
    server_ = taken(Server::start(sources, taken(Settings::load(sources))));
}

BenchServer::~BenchServer() {
    server_.reset();
    std::filesystem::remove_all(directory_);
}

std::uint16_t BenchServer::port() const {
    const std::string url = server_->url();
    return static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
}

json::Value BenchServer::call(http::Method method, const std::string& path, std::string body) {
    http::ClientRequest request{.method = method, .url = server_->url() + path};
    request.headers.set("Authorization", "Bearer " + token());
    request.headers.set("Content-Type", "application/json");
    request.body = std::move(body);
    const http::Response response = taken(io::wait_for<http::Response>(
        [&](auto done) { client_->send(std::move(request), std::move(done)); }));
    if (response.status >= 300) {
        std::fprintf(stderr, "bench: %s: %s\n", path.c_str(), response.body.c_str());
        std::exit(1);
    }
    return taken(json::Value::parse(response.body));
}

std::string BenchServer::text(http::Method method, const std::string& path,
                              std::string_view pointer, std::string body) {
    const json::Value answer = call(method, path, std::move(body));
    const json::Value* found = answer.at(pointer);
    if (found == nullptr) {
        return "";
    }
    const auto text = found->as_string();
    return text ? std::string(*text) : found->text();
}

}  // namespace bascule::bench
