#include "server/http/reply.h"

namespace bascule::http {

Stream& Stream::operator=(Stream&& other) noexcept {
    if (this != &other) {
        end();
        sink_ = std::move(other.sink_);
    }
    return *this;
}

void Stream::end() {
    if (sink_) {
        std::exchange(sink_, nullptr)->end_stream();
    }
}

Reply::~Reply() {
    if (sink_) {
        send({.status = 500});  // the connection adds the body: it knows the request's id
    }
}

std::string server_sent_event(std::string_view id, std::string_view event, std::string_view data) {
    std::string text;
    text.reserve(id.size() + event.size() + data.size() + 32);
    const auto line = [&](std::string_view field, std::string_view value) {
        text.append(field).append(": ").append(value).push_back('\n');
    };
    if (!id.empty()) {
        line("id", id);
    }
    if (!event.empty()) {
        line("event", event);
    }
    // The receiver joins several data lines by line feeds; every kind of line end begins a new one.
    for (;;) {
        const std::size_t end = data.find_first_of("\r\n");
        line("data", data.substr(0, end));
        if (end == data.npos) {
            break;
        }
        data.remove_prefix(data.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
    }
    text.push_back('\n');
    return text;
}

}  // namespace bascule::http
