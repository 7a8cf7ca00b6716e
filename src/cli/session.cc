#include "cli/session.h"

#include <cstdlib>

#include "cli/cli.h"
#include "cli/local_file.h"
#include "foundation/base/uuid.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"

namespace bascule::cli {

namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

int exit_code_of(int status) {
    switch (status) {
        case 400:
        case 405:
        case 413:
        case 422:
            return exit_usage;
        case 401:
        case 403:
            return exit_not_allowed;
        case 404:
            return exit_not_found;
        case 409:
        case 412:
            return exit_conflict;
        case 429:
        case 503:
        case 504:
            return exit_unreachable;
        default:
            return exit_server_error;
    }
}

std::string member(const json::Value& value, std::string_view pointer) {
    const json::Value* found = value.at(pointer);
    return std::string(found == nullptr ? "" : found->as_string().value_or(""));
}

/// What a refusal says to a person: the message, the field, the hint, and the id under which the
/// server logged it.
std::string words_of(const http::Response& response) {
    const auto value = json::Value::parse(response.body);
    std::string words = value ? member(*value, "/error/message") : "";
    if (words.empty()) {
        return "the server answered " + std::to_string(response.status) + " " +
               std::string(http::reason_of(response.status));
    }
    if (const std::string field = member(*value, "/error/field");
        words.find(field) == std::string::npos) {  // often the message begins with it
        words += " (" + field + ")";
    }
    if (const std::string hint = member(*value, "/error/hint");
        !hint.empty() && response.status != 401) {  // how to sign in is said in other words here
        words += "\n" + hint;
    }
    if (response.status >= 500) {
        words += "\nrequest " + member(*value, "/error/requestId");
    }
    return words;
}

bool writes(http::Method method) {
    return method != http::Method::get && method != http::Method::head;
}

std::string url_of(const Target& target, const Ask& ask) {
    std::string url = target.url;
    while (url.ends_with('/')) {
        url.pop_back();
    }
    url += ask.path;
    char mark = '?';
    for (const auto& [name, value] : ask.query) {
        url += mark + percent_encoded(name) + "=" + percent_encoded(value);
        mark = '&';
    }
    return url;
}

}  // namespace

std::string default_data_directory() {
    const std::string xdg = environment("XDG_DATA_HOME");
    return (xdg.empty() ? environment("HOME") + "/.local/share" : xdg) + "/bascule";
}

Result<Target> find_target(Target given) {
    const auto fill = [](std::string& value, std::string& from, std::string found,
                         const std::string& source) {
        if (value.empty()) {
            value = std::move(found);
            from = source;
        }
    };
    fill(given.url, given.url_from, environment("BASCULE_URL"), "BASCULE_URL");
    fill(given.token, given.token_from, environment("BASCULE_TOKEN"), "BASCULE_TOKEN");
    if (!given.url.empty() && !given.token.empty()) {
        return given;
    }
    const std::string data =
        given.data_directory.empty() ? default_data_directory() : given.data_directory;
    const std::string path = data + "/secrets/cli.json";
    const auto text = read_local_file(path, 64 * 1024);
    const auto value = text ? json::Value::parse(*text)
                            : Result<json::Value>(fail(ErrorKind::not_found, "no file"));
    if (!value) {
        return fail(ErrorKind::not_found,
                    "no server is known: --url and --token are not given, BASCULE_URL and "
                    "BASCULE_TOKEN are not set, and " +
                        path +
                        " cannot be read\nstart one with `bascule serve`, or point --data at the "
                        "folder of a running one");
    }
    fill(given.url, given.url_from, member(*value, "/url"), path);
    fill(given.token, given.token_from, member(*value, "/token"), path);
    return given;
}

namespace {

std::string how_to_reach(const Target& target) {
    return "\nno server answers at " + target.url + " (" + target.url_from +
           "); start it with `bascule serve`, or name another with --url or --data";
}

std::string how_to_sign_in(const Target& target) {
    return "\nthe server does not know the token of " + target.token_from +
           "; on its own machine secrets/cli.json in its data directory holds one (--data names "
           "the directory), elsewhere pass --token or set BASCULE_TOKEN";
}

}  // namespace

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', hex[byte >> 4], hex[byte & 0xF]};
        }
    }
    return out;
}

std::string new_key() { return new_uuid(); }

Session::Session(Target target, std::unique_ptr<http::Client> client)
    : target_(std::move(target)),
      client_(std::move(client)),
      timers_(std::make_unique<io::ThreadPool>(io::ThreadPool::Options{.name = "cli"})) {}
Session::Session(Session&&) noexcept = default;
Session::~Session() = default;

Answer<Session> Session::open(Target given) {
    auto target = find_target(std::move(given));
    if (!target) {
        return std::unexpected(Failure{exit_unreachable, target.error().message()});
    }
    auto client = http::Client::create({.total_timeout = target->timeout});
    if (!client) {
        return std::unexpected(Failure{exit_configuration, client.error().message()});
    }
    return Session(std::move(*target), std::move(*client));
}

Answer<std::string> Session::raw(const Ask& ask) {
    http::ClientRequest request{
        .method = ask.method, .url = url_of(target_, ask), .body = ask.body};
    request.headers.add("Accept", "application/json");
    if (!target_.token.empty()) {
        request.headers.add("Authorization", "Bearer " + target_.token);
    }
    if (!ask.body.empty()) {
        request.headers.add("Content-Type", ask.content_type);
    }
    if (writes(ask.method)) {
        request.headers.add("Idempotency-Key",
                            ask.idempotency_key.empty() ? new_key() : ask.idempotency_key);
    }
    return send(std::move(request));
}

Answer<std::string> Session::stream(const Ask& ask, const std::string& last_event_id,
                                    std::function<void(std::string_view)> on_bytes) {
    http::ClientRequest request{.url = url_of(target_, ask),
                                .timeout = std::chrono::hours(24 * 365),
                                .on_body = std::move(on_bytes)};
    request.headers.add("Accept", "text/event-stream");
    if (!target_.token.empty()) {
        request.headers.add("Authorization", "Bearer " + target_.token);
    }
    if (!last_event_id.empty()) {
        request.headers.add("Last-Event-ID", last_event_id);
    }
    return send(std::move(request));
}

Answer<std::string> Session::send(http::ClientRequest request) {
    auto response = io::wait_for<http::Response>(
        [&](auto done) { client_->send(std::move(request), std::move(done)); });
    if (!response) {
        const int code =
            response.error().kind() == ErrorKind::invalid ? exit_usage : exit_unreachable;
        std::string words = response.error().message();
        if (response.error().kind() == ErrorKind::unavailable) {
            words += how_to_reach(target_);
        }
        return std::unexpected(Failure{code, std::move(words)});
    }
    if (response->status < 200 || response->status >= 300) {
        std::string words = words_of(*response);
        if (response->status == 401) {
            words += how_to_sign_in(target_);
        }
        return std::unexpected(Failure{exit_code_of(response->status), std::move(words)});
    }
    return std::move(response->body);
}

Answer<json::Value> Session::json(const Ask& ask) {
    auto body = raw(ask);
    if (!body) {
        return std::unexpected(std::move(body).error());
    }
    auto value = json::Value::parse(body->empty() ? "null" : *body);
    if (!value) {
        return std::unexpected(
            Failure{exit_server_error, "the answer is not JSON: " + value.error().message()});
    }
    return std::move(*value);
}

void Session::pause(std::chrono::milliseconds time) {
    const auto woken = io::wait_for<>([&](auto done) {
        timers_->post_at(timers_->clock().steady() + time,
                         [done = std::move(done)]() mutable { done({}); });
    });
    static_cast<void>(woken);  // a stopped pool only means that the pause ends early
}

}  // namespace bascule::cli
