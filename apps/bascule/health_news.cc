#include "health_news.h"

namespace bascule {

namespace {

std::string_view what_to_do(log::State state) {
    switch (state) {
        case log::State::full:
            return "free space on that disk; it goes on by itself, and what is stored is delivered "
                   "meanwhile";
        case log::State::failed:
            return "mend or replace the disk, then restart the server; what was acknowledged is "
                   "safe if the disk is";
        case log::State::read_only:
            return "what is whole can be read and is delivered; restore the data directory from a "
                   "copy, or begin with a new one";
        case log::State::running:
        case log::State::closed:
            return {};
    }
    return {};
}

/// Who listens to a bus that is being closed need not hear of it.
bool refuses(const log::Health& log) { return !what_to_do(log.state).empty(); }

}  // namespace

std::vector<News> health_news(const broker::BusHealth& before, const broker::BusHealth& now) {
    std::vector<News> news;
    if (refuses(now.log) && before.log.state != now.log.state) {
        const std::string& detail = now.log.detail.empty() ? now.log.reason : now.log.detail;
        news.push_back({false, "publishes are refused, the log is " +
                                   std::string(log::name(now.log.state)) + ": " + detail + "; " +
                                   std::string(what_to_do(now.log.state))});
    } else if (refuses(before.log) && now.log.state == log::State::running) {
        news.push_back({true, "publishes are taken again"});
    }
    if (before.delivery_reason != now.delivery_reason) {
        if (now.delivery_reason.empty()) {
            news.push_back({true, "deliveries go on"});
        } else {
            news.push_back({false, "nothing new is delivered: " +
                                       (now.delivery_detail.empty() ? now.delivery_reason
                                                                    : now.delivery_detail) +
                                       "; free space on that disk or mend it, it is tried again "
                                       "and goes on by itself"});
        }
    }
    if (before.lost_reason != now.lost_reason && !now.lost_reason.empty()) {
        news.push_back({false, "stored data is damaged: " + now.lost_reason +
                                   (now.lost_detail.empty() ? "" : " (" + now.lost_detail + ")") +
                                   "; the rest is delivered. Letters name the consumers that miss "
                                   "an event: restore the file from a copy and redrive them, or "
                                   "discard them"});
    }
    return news;
}

}  // namespace bascule
