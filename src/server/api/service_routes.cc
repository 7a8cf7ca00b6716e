#include <algorithm>
#include <iterator>

#include "foundation/json/writer.h"
#include "server/api/call.h"
#include "server/api/metrics.h"
#include "server/api/openapi.h"

namespace bascule::api {

namespace {

/// Why publishes would not be taken now; empty if they would.
std::vector<std::string> unready_reasons(const Services& services) {
    std::vector<std::string> reasons;
    const log::Status log = services.bus.log().status();
    if (log.state != log::State::running) {
        reasons.push_back("the log is " + std::string(log::name(log.state)) + ": " + log.reason);
    }
    if (const std::string trouble = services.bus.trouble(); !trouble.empty()) {
        reasons.push_back(trouble);
    }
    if (const std::string trouble = services.relay.trouble(); !trouble.empty()) {
        reasons.push_back("the outbox relay: " + trouble);
    }
    std::ranges::move(services.database_trouble().stopped, std::back_inserter(reasons));
    return reasons;
}

void answer_ready(const Services& services, http::Reply reply) {
    const std::vector<std::string> reasons = unready_reasons(services);
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("ready", reasons.empty()).key("reasons").begin_array();
    for (const std::string& reason : reasons) {
        writer.string(without_folders(reason));
    }
    // Events that damage took make nobody wait: told, and ready all the same.
    if (const std::string lost = services.bus.health().lost_reason; !lost.empty()) {
        writer.string(without_folders(lost));
    }
    for (const std::string& trouble : services.database_trouble().told) {
        writer.string(without_folders(trouble));
    }
    if (const std::uint64_t refused = services.relay.refused_count(); refused > 0) {
        writer.string(std::to_string(refused) + (refused == 1 ? " event" : " events") +
                      " of the household will never be published; `bascule outbox refused` says "
                      "which and why");
    }
    writer.end_array().member("version", services.version).end_object();
    reply.send(http::json_response(reasons.empty() ? 200 : 503, std::move(out)));
}

constexpr std::string_view front_page = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Bascule</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}code{background:#eee;padding:.1em .3em}</style>
<h1>Bascule</h1>
<p>A durable event bus and a household-finance backend. It is running.</p>
<ul>
<li>REST API: <a href="/v1/openapi.json">/v1/openapi.json</a>, for example <code>curl -H "Authorization: Bearer TOKEN" /v1/accounts</code></li>
<li>Command line: <code>bascule --help</code>; on this machine it finds address and token by itself</li>
<li>Events as they happen: <code>bascule tail</code>, or <code>/v1/stream</code></li>
<li>Health: <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a></li>
</ul>
<p>The guide and the reference are in the folder <code>docs/</code> of the source.</p>
</html>
)";

}  // namespace

void add_service_routes(Routes& routes) {
    const Services* services = &routes.services();
    routes.add_open("/", [](const http::Request&, http::Reply reply) {
        reply.send({.headers = {{"Content-Type", "text/html; charset=utf-8"}},
                    .body = std::string(front_page)});
    });
    routes.add_open("/healthz", [=](const http::Request&, http::Reply reply) {
        reply.send(
            http::json_response(200, R"({"alive":true,"version":")" + services->version + "\"}"));
    });
    routes.add_open("/readyz", [=](const http::Request&, http::Reply reply) {
        answer_ready(*services, std::move(reply));
    });
    routes.add_open("/v1/openapi.json", [](const http::Request&, http::Reply reply) {
        reply.send(http::json_response(200, std::string(openapi_json())));
    });
    routes.add_open("/metrics", [=](const http::Request&, http::Reply reply) {
        write_metrics(*services, [reply = std::move(reply)](std::string text) mutable {
            http::Response response = http::text_response(200, std::move(text));
            response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
            reply.send(std::move(response));
        });
    });
}

}  // namespace bascule::api
