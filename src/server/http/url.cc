#include "server/http/url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

namespace bascule::http {

Result<Url> Url::parse(std::string_view text) {
    const auto refused = [&](std::string_view reason) {
        return fail(ErrorKind::invalid,
                    "URL \"" + std::string(text) + "\": " + std::string(reason));
    };
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!parsed) {
        return refused("not a well-formed absolute URL");
    }
    const boost::urls::url_view& view = *parsed;
    Url url;
    if (view.scheme_id() == boost::urls::scheme::https) {
        url.tls = true;
        url.port = 443;
    } else if (view.scheme_id() != boost::urls::scheme::http) {
        return refused("only http and https are possible");
    }
    if (view.has_userinfo()) {
        return refused("a name or password in front of the host is not possible; use a header");
    }
    url.host = view.host_address();
    if (url.host.empty()) {
        return refused("the host is missing");
    }
    for (char& letter : url.host) {
        letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    }
    const std::uint16_t usual = url.port;
    if (const auto port = view.port(); !port.empty()) {
        const char* end = port.data() + port.size();
        const auto [stop, error] = std::from_chars(port.data(), end, url.port);
        if (error != std::errc() || stop != end || url.port == 0) {
            return refused("the port must be 1 to 65535");
        }
    }
    const bool v6 = view.host_type() == boost::urls::host_type::ipv6;
    url.authority = v6 ? "[" + url.host + "]" : url.host;
    if (url.port != usual) {
        url.authority += ":" + std::to_string(url.port);
    }
    const auto target = view.encoded_target();
    url.target.assign(target.data(), target.size());
    if (!url.target.starts_with('/')) {
        url.target.insert(0, "/");
    }
    return url;
}

}  // namespace bascule::http
