#include <charconv>

#include "foundation/json/writer.h"
#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/forms.h"
#include "server/api/operator_events.h"
#include "server/api/visibility.h"

namespace bascule::api {

namespace {

struct Selection {
    broker::LetterFilter filter;
    bool preview = false;
    std::string reason;
};

/// What a verb is to be applied to. Nothing named is refused: all letters must be said.
Result<Selection> selection_of(const Call& call, bool with_reason) {
    Body body = TRY(Body::parse(call.request().body));
    Selection selection;
    selection.filter.ids = body.texts("ids").value_or(std::vector<std::string>());
    selection.filter.consumer = body.text("consumer").value_or("");
    selection.filter.user_id = body.text("userId").value_or("");
    selection.filter.fingerprint = body.text("fingerprint").value_or("");
    selection.preview = body.flag("preview").value_or(false);
    const bool all = body.flag("all").value_or(false);
    if (with_reason) {
        body.need("reason");
        selection.reason = body.text("reason").value_or("");
    }
    TRY(body.finish());
    const broker::LetterFilter& filter = selection.filter;
    if (!all && filter.ids.empty() && filter.consumer.empty() && filter.user_id.empty() &&
        filter.fingerprint.empty()) {
        return fail(ErrorKind::invalid,
                    "name letters by ids, consumer, userId or fingerprint, or say \"all\": true");
    }
    return selection;
}

using Letters = std::vector<broker::LetterSummary>;

std::string verdict_form(const Letters& letters, bool preview) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("count", letters.size()).key("ids").begin_array();
    for (const broker::LetterSummary& letter : letters) {
        writer.string(letter.id);
    }
    writer.end_array().member("preview", preview).end_object();
    return out;
}

void preview(const Services& services, Selection selection, Call call) {
    selection.filter.open = true;
    services.bus.letters(std::move(selection.filter),
                         answering<Letters>(std::move(call), 200, [](const Letters& letters) {
                             return verdict_form(letters, true);
                         }));
}

/// Letters are few and change under the reader's eyes, so a cursor is the number of those seen.
std::string page_of(const Listing& listing, const std::vector<broker::LetterSummary>& letters,
                    const application::PageRequest& request) {
    std::size_t first = 0;  // of a cursor that this list has given: digits
    std::from_chars(request.cursor.data(), request.cursor.data() + request.cursor.size(), first);
    application::Page<broker::LetterSummary> page{.total = letters.size()};
    for (std::size_t i = first; i < letters.size() && page.items.size() < request.limit; ++i) {
        page.items.push_back(letters[i]);
    }
    if (first + page.items.size() < letters.size()) {
        page.next_cursor = std::to_string(first + page.items.size());
    }
    return list_form(listing, page, letter_summary_form);
}

}  // namespace

void add_letter_routes(Routes& routes) {
    using auth::Permission;
    using http::Method;
    const Services* services = &routes.services();

    routes.add(Method::get, "/v1/letters", Permission::operate, [=](Call call) {
        const auto page = call.page();
        if (!page) {
            call.refuse(page.error());
            return;
        }
        Listing listing = call.listing();
        broker::LetterFilter filter{.consumer = call.query("consumer")};
        const std::string state = call.query("state");
        if (state != "all") {
            filter.open = state != "closed";
        }
        services->bus.letters(std::move(filter),
                              answering<Letters>(std::move(call), 200,
                                                 [listing = std::move(listing),
                                                  request = *page](const auto& letters) {
                                                     return page_of(listing, letters, request);
                                                 }));
    });
    routes.add(Method::get, "/v1/letters/{id}", Permission::operate, [=](Call call) {
        const std::string id = call.id();
        Visibility visibility(call, services->authenticator);
        services->bus.letter(
            id, answering<broker::LetterDetail>(
                    std::move(call), 200,
                    [visibility = std::move(visibility)](const broker::LetterDetail& letter) {
                        broker::LetterDetail shown = letter;
                        shown.event = visibility.shown(letter.event);
                        return letter_detail_form(shown);
                    }));
    });
    routes.add(Method::post, "/v1/letters:redrive", Permission::operate, [=](Call call) {
        auto selection = selection_of(call, false);
        if (!selection) {
            call.refuse(selection.error());
        } else if (selection->preview) {
            preview(*services, std::move(*selection), std::move(call));
        } else {
            const OperatorEvents events(*services, call.principal().name);
            services->bus.redrive(
                std::move(selection->filter),
                answering<Letters>(std::move(call), 200, [events](const Letters& letters) {
                    events.redriven(letters);
                    return verdict_form(letters, false);
                }));
        }
    });
    routes.add(Method::post, "/v1/letters:discard", Permission::operate, [=](Call call) {
        auto selection = selection_of(call, true);
        if (!selection) {
            call.refuse(selection.error());
        } else if (selection->preview) {
            preview(*services, std::move(*selection), std::move(call));
        } else {
            const OperatorEvents events(*services, call.principal().name);
            const std::string reason = selection->reason;
            services->bus.discard(
                std::move(selection->filter), reason,
                answering<Letters>(std::move(call), 200, [events, reason](const Letters& letters) {
                    events.discarded(letters, reason);
                    return verdict_form(letters, false);
                }));
        }
    });
}

}  // namespace bascule::api
