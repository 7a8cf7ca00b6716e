#include <charconv>

#include "foundation/json/writer.h"
#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/forms.h"
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

void preview(const Services& services, broker::LetterFilter filter, Call call) {
    filter.open = true;
    services.bus.letters(std::move(filter),
                         answering<Letters>(std::move(call), 200, [](const Letters& letters) {
                             return verdict_form(letters, true);
                         }));
}

/// Calls `then(filter, call)` with what the selection means. Letters are selected by the
/// fingerprint that the caller is shown: nobody can try what a hidden one says, and what is listed
/// can be named.
template <class Then>
void resolve(const Services& services, Selection selection, Call call, Then then) {
    if (selection.filter.fingerprint.empty()) {
        then(std::move(selection.filter), std::move(call));
        return;
    }
    Visibility visibility(call, services.authenticator);
    const std::string fingerprint = std::exchange(selection.filter.fingerprint, "");
    selection.filter.open = true;
    services.bus.letters(
        std::move(selection.filter), [=, visibility = std::move(visibility), call = std::move(call),
                                      then = std::move(then)](Result<Letters> letters) mutable {
            if (!letters) {
                call.refuse(letters.error());
                return;
            }
            broker::LetterFilter filter;
            for (broker::LetterSummary& letter : *letters) {
                const std::string id = letter.id;
                if (visibility.shown(std::move(letter)).fingerprint == fingerprint) {
                    filter.ids.push_back(id);
                }
            }
            if (filter.ids.empty()) {  // which would mean all
                call.answer(200, verdict_form({}, selection.preview));
            } else {
                then(std::move(filter), std::move(call));
            }
        });
}

/// Letters are few and change under the reader's eyes, so a cursor is the number of those seen.
std::string page_of(const Listing& listing, const Visibility& visibility, const Letters& letters,
                    const application::PageRequest& request) {
    std::size_t first = 0;  // of a cursor that this list has given: digits
    std::from_chars(request.cursor.data(), request.cursor.data() + request.cursor.size(), first);
    application::Page<broker::LetterSummary> page{.total = letters.size()};
    for (std::size_t i = first; i < letters.size() && page.items.size() < request.limit; ++i) {
        page.items.push_back(visibility.shown(letters[i]));
    }
    if (first + page.items.size() < letters.size()) {
        page.next_cursor = std::to_string(first + page.items.size());
    }
    return list_form(listing, page, letter_summary_form);
}

void list(const Services& services, Call call) {
    const auto page = call.page();
    if (!page) {
        call.refuse(page.error());
        return;
    }
    Listing listing = call.listing();
    Visibility visibility(call, services.authenticator);
    broker::LetterFilter filter{.consumer = call.query("consumer")};
    const std::string state = call.query("state");
    if (state != "all") {
        filter.open = state != "closed";
    }
    services.bus.letters(
        std::move(filter),
        answering<Letters>(std::move(call), 200,
                           [listing = std::move(listing), visibility = std::move(visibility),
                            request = *page](const Letters& letters) {
                               return page_of(listing, visibility, letters, request);
                           }));
}

io::Completion<Letters> answering_verdict(Call call) {
    return answering<Letters>(std::move(call), 200,
                              [](const Letters& letters) { return verdict_form(letters, false); });
}

}  // namespace

void add_letter_routes(Routes& routes) {
    using auth::Permission;
    using http::Method;
    const Services* services = &routes.services();

    routes.add(Method::get, "/v1/letters", Permission::operate,
               [=](Call call) { list(*services, std::move(call)); });
    routes.add(Method::get, "/v1/letters/{id}", Permission::operate, [=](Call call) {
        const std::string id = call.id();
        Visibility visibility(call, services->authenticator);
        services->bus.letter(
            id, answering<broker::LetterDetail>(
                    std::move(call), 200,
                    [visibility = std::move(visibility)](const broker::LetterDetail& letter) {
                        return letter_detail_form(visibility.shown(letter));
                    }));
    });
    for (const bool discards : {false, true}) {
        const char* const path = discards ? "/v1/letters:discard" : "/v1/letters:redrive";
        routes.add(Method::post, path, Permission::operate, [=](Call call) {
            const auto selection = selection_of(call, discards);
            if (!selection) {
                call.refuse(selection.error());
                return;
            }
            resolve(*services, *selection, std::move(call),
                    [=, previews = selection->preview, reason = selection->reason](
                        broker::LetterFilter filter, Call asked) {
                        broker::Bus& bus = services->bus;
                        broker::Deed deed{.actor = asked.principal().name, .reason = reason};
                        if (previews) {
                            preview(*services, std::move(filter), std::move(asked));
                        } else if (discards) {
                            bus.discard(std::move(filter), std::move(deed),
                                        answering_verdict(std::move(asked)));
                        } else {
                            bus.redrive(std::move(filter), std::move(deed),
                                        answering_verdict(std::move(asked)));
                        }
                    });
        });
    }
}

}  // namespace bascule::api
