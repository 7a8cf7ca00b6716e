#pragma once

#include <memory>
#include <string>

#include "foundation/json/value.h"
#include "server.h"
#include "server/http/client.h"

namespace bascule::bench {

/// The whole program in this process, on a free port, with data in a folder of its own.
class BenchServer {
  public:
    explicit BenchServer(const std::string& directory);
    ~BenchServer();

    std::uint16_t port() const;
    const std::string& token() const { return server_->token(); }

    /// One call of the REST API; dies with a message unless it succeeds.
    json::Value call(http::Method method, const std::string& path, std::string body = "");
    std::string text(http::Method method, const std::string& path, std::string_view pointer,
                     std::string body = "");

  private:
    std::string directory_;
    std::unique_ptr<http::Client> client_;
    std::unique_ptr<Server> server_;
};

}  // namespace bascule::bench
