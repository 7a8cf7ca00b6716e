#include "household/application/stores/refused_events.h"

#include <charconv>

#include "bus/event/body.h"
#include "foundation/sql/outbox.h"
#include "household/application/stores/paging.h"

namespace bascule::application {

namespace outbox = sql::outbox;

namespace {

constexpr std::size_t page_bytes_max = 8 << 20;

RefusedEvent event_of(outbox::Refused&& refused) {
    RefusedEvent found{.id = std::move(refused.id),
                       .user_id = std::move(refused.key),
                       .code = std::move(refused.code),
                       .reason = std::move(refused.reason),
                       .at = refused.at};
    if (const auto event = event::decode_body(refused.bytes)) {
        found.event = event::owned(*event);
    }
    return found;
}

std::string cursor_of(const outbox::Refused& last) {
    return encode_cursor({std::to_string(to_unix_ms(last.at)), last.key, std::to_string(last.seq)});
}

/// The place of a message that a page ended with.
Result<outbox::Refused> place_of(const std::string& cursor) {
    const auto parts = TRY(decode_cursor(cursor, 3));
    std::int64_t at_ms = 0;
    outbox::Refused place{.key = parts[1]};
    std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), at_ms);
    std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), place.seq);
    place.at = from_unix_ms(at_ms);
    return place;
}

}  // namespace

Result<Page<RefusedEvent>> list_refused(sql::Session& session, const PageRequest& request) {
    TRY(check_limit(request));
    std::optional<outbox::Refused> after;
    if (!request.cursor.empty()) {
        after = TRY(place_of(request.cursor));
    }
    auto found = TRY(outbox::refused(session, after, request.limit, page_bytes_max));
    Page<RefusedEvent> page;
    page.total = TRY(outbox::refused_count(session));
    if (!found.empty() && !TRY(outbox::refused(session, found.back(), 1, 0)).empty()) {
        page.next_cursor = cursor_of(found.back());
    }
    for (outbox::Refused& refused : found) {
        page.items.push_back(event_of(std::move(refused)));
    }
    return page;
}

Result<RefusedEvent> find_refused(sql::Session& session, const std::string& id) {
    auto found = TRY(outbox::find_refused(session, id));
    if (!found) {
        return fail(ErrorKind::not_found, "no event '" + id + "' was refused");
    }
    return event_of(*std::move(found));
}

}  // namespace bascule::application
