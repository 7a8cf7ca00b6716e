#include "address.h"

#include <algorithm>

namespace bascule {

Result<Address> address_of(const Settings& settings) {
    const std::size_t colon = settings.listen.rfind(':');
    const std::string port = colon == std::string::npos ? "" : settings.listen.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 &&
                        port.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || std::stoul(port) > 65'535) {
        return fail(ErrorKind::invalid, "server.listen is '" + settings.listen +
                                            "'; ADDRESS:PORT is allowed, such as 127.0.0.1:4010");
    }
    Address address{.host = settings.listen.substr(0, colon),
                    .port = static_cast<std::uint16_t>(std::stoul(port))};
    if (address.host.starts_with('[') && address.host.ends_with(']')) {
        address.host = address.host.substr(1, address.host.size() - 2);
    }
    const bool loopback = address.host == "127.0.0.1" || address.host == "::1" ||
                          address.host == "localhost" || address.host.starts_with("127.");
    if (!loopback && !settings.behind_proxy) {
        return fail(ErrorKind::invalid,
                    "server.listen is '" + settings.listen +
                        "', which others can reach, and there is no TLS; listen on 127.0.0.1, or "
                        "put a proxy with TLS in front and say server.behind_proxy: true");
    }
    return address;
}

}  // namespace bascule
