#pragma once

#include <memory>
#include <string>

#include "bus/broker/consumer_config.h"
#include "foundation/base/result.h"
#include "settings.h"

namespace bascule {

/// The household's consumers and the server's own, as they are without a configuration.
broker::BusConfig built_in_consumers();

/// The whole program, wired: disks, databases, bus, consumers, API. Nothing but wiring lives here.
///
/// Lifetime: `start` returns when it serves; the destructor stops it in order (docs/internals/
/// threads.md): no new requests, relay, handlers, databases, log.
class Server {
  public:
    /// Errors: `conflict` when another server has the data directory, or the port is taken;
    /// `invalid` for configuration; what log and databases say.
    static Result<std::unique_ptr<Server>> start(SettingSources sources, Settings settings);
    ~Server();

    std::string url() const;
    /// The owner's token, when this start made it or found it; for this machine's own user.
    const std::string& token() const;
    bool is_new() const;  ///< the data directory was empty

  private:
    struct Parts;
    explicit Server(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace bascule
