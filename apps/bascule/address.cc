#include "address.h"

#include <arpa/inet.h>

#include <array>

namespace bascule {

namespace {

bool is_ip_address(const std::string& host) {
    std::array<unsigned char, 16> bytes;
    return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

bool is_loopback(const std::string& host) { return host == "::1" || host.starts_with("127."); }

}  // namespace

Result<Address> address_of(const Settings& settings) {
    const std::string& listen = settings.listen;
    const std::string said = "server.listen (--listen) is '" + listen + "'";
    const std::size_t colon = listen.rfind(':');
    std::string host = listen.substr(0, std::min(colon, listen.size()));
    const std::string port = colon == std::string::npos ? "" : listen.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 &&
                        port.find_first_not_of("0123456789") == std::string::npos;
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host == "localhost") {
        host = "127.0.0.1";
    }
    if (!digits || std::stoul(port) > 65'535 || !is_ip_address(host)) {
        return fail(ErrorKind::invalid,
                    said +
                        "; ADDRESS:PORT is allowed, an IP address or localhost and a port from "
                        "0 (a free one) to 65535, such as 127.0.0.1:4010 or [::1]:4010");
    }
    if (!is_loopback(host) && !settings.behind_proxy) {
        return fail(ErrorKind::invalid,
                    said +
                        ", which others can reach, and there is no TLS; listen on 127.0.0.1, or "
                        "put a proxy with TLS in front and say server.behind_proxy: true");
    }
    return Address{.host = std::move(host), .port = static_cast<std::uint16_t>(std::stoul(port))};
}

std::string url_of(const Address& address) {
    const bool is_v6 = address.host.contains(':');
    return "http://" + (is_v6 ? "[" + address.host + "]" : address.host) + ":" +
           std::to_string(address.port);
}

}  // namespace bascule
