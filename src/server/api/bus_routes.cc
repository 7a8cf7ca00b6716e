#include "foundation/json/writer.h"
#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/forms.h"

namespace bascule::api {

namespace {

std::string_view origin_text(broker::RuleOrigin origin) {
    switch (origin) {
        case broker::RuleOrigin::defaults:
            return "default";
        case broker::RuleOrigin::file:
            return "file";
        case broker::RuleOrigin::api:
            return "api";
    }
    return "file";
}

std::string rules_form(const broker::Routing& routing) {
    std::string out;
    json::Writer writer(out);
    const auto& rules = routing.plan().rules;
    writer.begin_object().key("items").begin_array();
    for (const broker::Rule& rule : rules) {
        writer.begin_object().member("name", rule.name);
        writer.member("origin", origin_text(rule.origin)).key("patterns").begin_array();
        for (const broker::PatternText& pattern : rule.patterns) {
            writer.raw(pattern.text);
        }
        writer.end_array().key("targets").begin_array();
        for (const std::string& target : rule.targets) {
            writer.string(target);
        }
        writer.end_array().end_object();
    }
    writer.end_array().key("nextCursor").null().member("total", rules.size()).end_object();
    return out;
}

/// Quotes in Mermaid labels are written as entities.
std::string mermaid_label(std::string_view text) {
    std::string out = "\"";
    for (const char letter : text) {
        out += letter == '"' ? std::string("&quot;") : std::string(1, letter);
    }
    return out + "\"";
}

std::string mermaid(const broker::Routing& routing) {
    std::string out = "graph LR\n    bus((bus))\n";
    std::size_t number = 0;
    for (const broker::Rule& rule : routing.plan().rules) {
        const std::string id = "rule" + std::to_string(number++);
        std::string patterns;
        for (const broker::PatternText& pattern : rule.patterns) {
            patterns.append(patterns.empty() ? "" : " or ").append(pattern.text);
        }
        out += "    " + id + "[" + mermaid_label(rule.name) + "]\n";
        out += "    bus -->|" + mermaid_label(patterns) + "| " + id + "\n";
        for (const std::string& target : rule.targets) {
            out += "    " + id + " --> " + target + "\n";
        }
    }
    return out;
}

std::string routes_form(const broker::Routing& routing) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("version", routing.version()).key("routes").begin_array();
    for (const broker::Rule& rule : routing.plan().rules) {
        for (const broker::PatternText& pattern : rule.patterns) {
            for (const std::string& target : rule.targets) {
                writer.begin_object().member("rule", rule.name);
                writer.member("origin", origin_text(rule.origin));
                writer.member("pattern", pattern.text).member("consumer", target).end_object();
            }
        }
    }
    writer.end_array().member("mermaid", mermaid(routing)).end_object();
    return out;
}

std::string with_config(const Services& services, const broker::ConsumerStatus& status) {
    const broker::BusConfig config = services.bus_config();
    return consumer_form(status, config.find(status.name));
}

/// After a verb succeeded: the consumer as it is now.
io::Completion<> then_show(const Services& services, std::string name, Call call) {
    return [&services, name = std::move(name), call = std::move(call)](Result<> done) mutable {
        if (!done) {
            call.refuse(done.error());
            return;
        }
        services.bus.consumer(
            name, answering<broker::ConsumerStatus>(
                      std::move(call), 200, [&services](const broker::ConsumerStatus& status) {
                          return with_config(services, status);
                      }));
    };
}

struct PauseRequest {
    std::optional<WallTime> until;
    std::string reason;
    bool drain = false;
};

Result<PauseRequest> pause_of(const std::string& text) {
    Body body = TRY(Body::parse(text));
    const auto until = body.moment("until");
    PauseRequest request{.reason = body.text("reason").value_or(""),
                         .drain = body.flag("drain").value_or(false)};
    TRY(body.finish());
    if (until) {
        request.until = until->begin;
    }
    return request;
}

Result<broker::ResumeFrom> resume_of(const std::string& text) {
    using Kind = broker::ResumeFrom::Kind;
    Body body = TRY(Body::parse(text));
    const auto from = body.text("from");
    const auto place = body.text("position");
    const auto time = body.moment("time");
    if (from && *from != "position" && *from != "now") {
        body.fault("from", "is '" + *from + "'; position or now is allowed");
    }
    const auto offset = parse_position(place.value_or(""));
    if (place && !offset) {
        body.fault("position", "is '" + *place + "', which is no position");
    }
    if (from.has_value() + place.has_value() + time.has_value() > 1) {
        body.fault(from ? "from" : "time", "is one too many; one of from, position and time");
    }
    TRY(body.finish());
    broker::ResumeFrom request;
    if (place) {
        request = {.kind = Kind::offset, .offset = *offset};
    } else if (time) {
        request = {.kind = Kind::time, .time = time->begin};
    } else if (from == "now") {
        request.kind = Kind::now;
    }
    return request;
}

void pause(const Services& services, Call call, const PauseRequest& request) {
    const WallTime now = services.clock.wall();
    // A pause that is over before it begins is a slip: of seconds for milliseconds, most likely.
    if (request.until && *request.until <= now) {
        call.refuse(422, {.code = "invalid",
                          .message = "/until: is " + std::to_string(to_unix_ms(*request.until)) +
                                     ", which is not in the future; a time in Unix milliseconds "
                                     "above " +
                                     std::to_string(to_unix_ms(now)) +
                                     " is allowed, or no until for a pause without end",
                          .field = "/until"});
        return;
    }
    const std::string name = call.request().parameter("name");
    broker::Deed deed{.actor = call.principal().name, .reason = request.reason};
    auto show = then_show(services, name, std::move(call));
    if (request.drain) {
        services.bus.drain(name, request.until, std::move(deed), std::move(show));
    } else {
        services.bus.pause(name, request.until, std::move(deed), std::move(show));
    }
}

}  // namespace

void add_bus_routes(Routes& routes) {
    using auth::Permission;
    using http::Method;
    const Services* services = &routes.services();

    routes.add(Method::get, "/v1/rules", Permission::operate,
               [=](Call call) { call.answer(200, rules_form(*services->bus.routing())); });
    routes.add(Method::get, "/v1/routes", Permission::operate, [=](Call call) {
        const auto routing = services->bus.routing();
        if (call.query("format") == "mermaid") {
            call.answer(http::text_response(200, mermaid(*routing)));
            return;
        }
        call.answer(200, routes_form(*routing));
    });
    routes.add(Method::get, "/v1/consumers", Permission::operate, [=](Call call) {
        services->bus.consumers(answering<std::vector<broker::ConsumerStatus>>(
            std::move(call), 200, [=](const std::vector<broker::ConsumerStatus>& all) {
                const broker::BusConfig config = services->bus_config();
                return whole_list_form(all, [&](const broker::ConsumerStatus& status) {
                    return consumer_form(status, config.find(status.name));
                });
            }));
    });
    routes.add(Method::get, "/v1/consumers/{name}", Permission::operate, [=](Call call) {
        const std::string name = call.request().parameter("name");
        services->bus.consumer(
            name, answering<broker::ConsumerStatus>(std::move(call), 200,
                                                    [=](const broker::ConsumerStatus& status) {
                                                        return with_config(*services, status);
                                                    }));
    });
    routes.add_write(Method::post, "/v1/consumers/{name}:pause", Permission::operate, pause_of,
                     [=](Call call, const PauseRequest& request) {
                         pause(*services, std::move(call), request);
                     });
    routes.add_write(Method::post, "/v1/consumers/{name}:resume", Permission::operate, resume_of,
                     [=](Call call, const broker::ResumeFrom& from) {
                         const std::string name = call.request().parameter("name");
                         broker::Deed deed{.actor = call.principal().name};
                         services->bus.resume_from(name, from, std::move(deed),
                                                   then_show(*services, name, std::move(call)));
                     });
    routes.add(Method::post, "/v1/consumers/{name}:flush", Permission::operate, [=](Call call) {
        const std::string name = call.request().parameter("name");
        services->bus.flush(name, then_show(*services, name, std::move(call)));
    });
}

}  // namespace bascule::api
