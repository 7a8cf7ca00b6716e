#include <algorithm>
#include <charconv>

#include "foundation/json/writer.h"
#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/forms.h"
#include "server/api/visibility.h"

namespace bascule::api {

namespace {

enum class Verb { redrive, stop, discard, skip };

struct Selection {
    broker::LetterFilter filter;
    delivery::RedrivePace pace;
    bool preview = false;
    std::string reason;
};

void set_times(broker::LetterFilter& filter, const std::optional<Moment>& from,
               const std::optional<Moment>& to) {
    if (from) {
        filter.opened_from = from->begin;
    }
    if (to) {
        filter.opened_to = to->end - std::chrono::milliseconds(1);
    }
}

/// What a verb is to be applied to. Nothing named is refused: all letters must be said.
Result<Selection> selection_of(const Call& call, Verb verb) {
    Body body = TRY(Body::parse(call.request().body));
    Selection selection;
    broker::LetterFilter& filter = selection.filter;
    filter.ids = body.texts("ids").value_or(std::vector<std::string>());
    filter.consumer = body.text("consumer").value_or("");
    filter.user_id = body.text("userId").value_or("");
    filter.key = body.text("key").value_or("");
    filter.fingerprint = body.text("fingerprint").value_or("");
    set_times(filter, body.moment("from"), body.moment("to"));
    selection.preview = body.flag("preview").value_or(false);
    const bool all = body.flag("all").value_or(false);
    if (verb == Verb::redrive) {
        selection.pace.per_second = static_cast<std::uint32_t>(
            body.integer("rate", 1, delivery::RedrivePace::per_second_max).value_or(0));
        selection.pace.canary = body.flag("canary").value_or(false);
    }
    if (verb == Verb::discard || verb == Verb::skip) {
        body.need("reason");
        selection.reason = body.text("reason").value_or("");
    }
    TRY(body.finish());
    if (!all && filter.ids.empty() && filter.consumer.empty() && filter.user_id.empty() &&
        filter.key.empty() && filter.fingerprint.empty() && !filter.opened_from &&
        !filter.opened_to) {
        return fail(ErrorKind::invalid,
                    "name letters by ids, consumer, userId, key, fingerprint, from or to, or say "
                    "\"all\": true");
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

/// A key is a part of what an event says, unless it is the user: it can be tried only on events
/// that may be read.
bool may_be_known_by(const std::string& key, const broker::LetterSummary& letter,
                     const Visibility& visibility) {
    return key.empty() || key == letter.user_id || visibility.shows(letter);
}

/// Calls `then(filter, call)` with what the selection means. Letters are selected by the
/// fingerprint that the caller is shown: nobody can try what a hidden one says, and what is listed
/// can be named.
template <class Then>
void resolve(const Services& services, Selection selection, Call call, Then then) {
    if (selection.filter.fingerprint.empty() && selection.filter.key.empty()) {
        then(std::move(selection.filter), std::move(call));
        return;
    }
    Visibility visibility(call, services.authenticator);
    const std::string fingerprint = std::exchange(selection.filter.fingerprint, "");
    const std::string key = selection.filter.key;
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
                if (!letter.orphaned && may_be_known_by(key, letter, visibility) &&
                    (fingerprint.empty() ||
                     visibility.shown(std::move(letter)).fingerprint == fingerprint)) {
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
std::string page_of(const Listing& listing, const Letters& letters,
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

/// What the query of a list asks for. The fingerprint is that which the caller is shown, so it is
/// looked at later.
Result<broker::LetterFilter> filter_of(const Call& call) {
    broker::LetterFilter filter{.consumer = call.query("consumer"),
                                .user_id = call.query("userId"),
                                .key = call.query("key")};
    set_times(filter, TRY(call.moment("from")), TRY(call.moment("to")));
    const std::string state = call.query("state");
    constexpr std::string_view states[] = {"", "open", "waiting", "redriving", "closed", "all"};
    if (std::ranges::find(states, state) == std::end(states)) {
        return fail(
            ErrorKind::invalid,
            "state: is '" + state + "'; open, waiting, redriving, closed or all is allowed");
    }
    if (state != "all") {
        filter.open = state != "closed";
    }
    return filter;
}

/// `open` are also those that wait for their redrive or are on their way.
bool is_in(const std::string& state, const broker::LetterSummary& letter) {
    return (state != "redriving" && state != "waiting") || letter.state == state;
}

/// Of open letters those in the state that was asked for, with the fingerprint that was, as they
/// are shown.
Letters shown_of(const Letters& letters, const Visibility& visibility, const std::string& state,
                 const std::string& key, const std::string& fingerprint) {
    Letters shown;
    for (const broker::LetterSummary& letter : letters) {
        if (!is_in(state, letter) || !may_be_known_by(key, letter, visibility)) {
            continue;
        }
        broker::LetterSummary visible = visibility.shown(letter);
        if (fingerprint.empty() || visible.fingerprint == fingerprint) {
            shown.push_back(std::move(visible));
        }
    }
    return shown;
}

/// Answers a query about letters with `form(letters)`, as the caller is shown them.
template <class Form>
void answer_letters(const Services& services, Call call, Form form) {
    auto filter = filter_of(call);
    if (!filter) {
        call.refuse(filter.error());
        return;
    }
    services.bus.letters(
        *std::move(filter),
        [visibility = Visibility(call, services.authenticator), state = call.query("state"),
         key = call.query("key"), fingerprint = call.query("fingerprint"), call = std::move(call),
         form = std::move(form)](const Result<Letters>& letters) mutable {
            if (letters) {
                call.answer(200, form(shown_of(*letters, visibility, state, key, fingerprint)));
            } else {
                call.refuse(letters.error());
            }
        });
}

void list(const Services& services, Call call) {
    const auto page = call.page();
    if (!page) {
        call.refuse(page.error());
        return;
    }
    Listing listing = call.listing();
    answer_letters(services, std::move(call),
                   [listing = std::move(listing), request = *page](const Letters& letters) {
                       return page_of(listing, letters, request);
                   });
}

std::string group_form(const broker::LetterGroup& group) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object()
        .member("consumer", group.consumer)
        .member("fingerprint", group.fingerprint)
        .member("letters", group.letters)
        .member("users", group.users)
        .member("oldest", to_unix_ms(group.oldest))
        .member("newest", to_unix_ms(group.newest))
        .member("exampleId", group.example_id)
        .member("exampleError", group.example_error)
        .end_object();
    return out;
}

/// Letters with their events, one line of JSON each, as fast as the peer reads them.
///
/// Threads: one at a time: the bus's strand or a network thread, whoever was asked last.
class Export : public std::enable_shared_from_this<Export> {
  public:
    Export(broker::Bus& bus, broker::LetterFilter filter, const Call& call, Visibility visibility,
           http::Stream stream)
        : bus_(bus),
          filter_(std::move(filter)),
          state_(call.query("state")),
          fingerprint_(call.query("fingerprint")),
          visibility_(std::move(visibility)),
          stream_(std::move(stream)) {}

    void next_page() {
        bus_.letter_details(filter_, page_letters, last_,
                            [self = shared_from_this()](const auto& letters) {
                                if (!letters) {
                                    self->fail(letters.error());
                                } else if (!letters->empty()) {
                                    self->add(*letters);
                                } else {
                                    self->stream_.end();
                                }
                            });
    }

  private:
    static constexpr std::size_t page_letters = 50;

    void add(const std::vector<broker::LetterDetail>& letters) {
        for (const broker::LetterDetail& letter : letters) {
            const broker::LetterDetail shown = visibility_.shown(letter);
            if (is_in(state_, shown.summary) &&
                may_be_known_by(filter_.key, letter.summary, visibility_) &&
                (fingerprint_.empty() || shown.summary.fingerprint == fingerprint_)) {
                lines_.append(letter_detail_form(shown)).append(1, '\n');
            }
        }
        last_ = letters.back().summary.id;
        write();
    }

    /// What is cut short must not look whole.
    void fail(const Error& error) {
        json::Writer(lines_)
            .begin_object()
            .member("error", without_folders(error.message()))
            .end_object();
        lines_ += '\n';
        (void)stream_.write(lines_);
        stream_.end();
    }

    void write() {
        switch (lines_.empty() ? http::Stream::Taken::yes : stream_.write(lines_)) {
            case http::Stream::Taken::yes:
                next_page();
                break;
            case http::Stream::Taken::full:
                stream_.when_writable([self = shared_from_this()] { self->write(); });
                break;
            case http::Stream::Taken::gone:
                break;
        }
    }

    broker::Bus& bus_;
    const broker::LetterFilter filter_;
    const std::string state_;
    const std::string fingerprint_;
    const Visibility visibility_;
    http::Stream stream_;
    std::string last_;
    std::string lines_;
};

void begin_export(const Services& services, Call call) {
    auto filter = filter_of(call);
    if (!filter) {
        call.refuse(filter.error());
        return;
    }
    // The first page is asked for before the stream begins: its error is an answer of its own.
    auto first = *filter;
    services.bus.letter_details(
        std::move(first), 0, "",
        [bus = &services.bus, filter = *std::move(filter),
         visibility = Visibility(call, services.authenticator),
         call = std::move(call)](const auto& letters) mutable {
            if (!letters) {
                call.refuse(letters.error());
                return;
            }
            http::Stream stream = call.stream({.headers = {{"Content-Type", "application/jsonl"}}});
            std::make_shared<Export>(*bus, std::move(filter), call, std::move(visibility),
                                     std::move(stream))
                ->next_page();
        });
}

io::Completion<Letters> answering_verdict(Call call, bool preview) {
    return answering<Letters>(std::move(call), 200, [preview](const Letters& letters) {
        return verdict_form(letters, preview);
    });
}

void carry_out(broker::Bus& bus, Verb verb, broker::LetterFilter filter, const Selection& selection,
               Call call) {
    broker::Deed deed{
        .actor = call.principal().name, .reason = selection.reason, .preview = selection.preview};
    auto done = answering_verdict(std::move(call), selection.preview);
    switch (verb) {
        case Verb::redrive:
            bus.redrive(std::move(filter), selection.pace, std::move(deed), std::move(done));
            break;
        case Verb::stop:
            bus.stop_redrive(std::move(filter), std::move(deed), std::move(done));
            break;
        case Verb::discard:
            bus.discard(std::move(filter), std::move(deed), std::move(done));
            break;
        case Verb::skip:
            bus.skip(std::move(filter), std::move(deed), std::move(done));
            break;
    }
}

}  // namespace

void add_letter_routes(Routes& routes) {
    using auth::Permission;
    using http::Method;
    const Services* services = &routes.services();

    routes.add(Method::get, "/v1/letters", Permission::operate,
               [=](Call call) { list(*services, std::move(call)); });
    routes.add(Method::get, "/v1/letters:groups", Permission::operate, [=](Call call) {
        answer_letters(*services, std::move(call), [](const Letters& letters) {
            return whole_list_form(broker::groups_of(letters), group_form);
        });
    });
    routes.add(Method::get, "/v1/letters:export", Permission::operate,
               [=](Call call) { begin_export(*services, std::move(call)); });
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
    constexpr std::pair<Verb, const char*> verbs[] = {{Verb::redrive, "/v1/letters:redrive"},
                                                      {Verb::stop, "/v1/letters:stop"},
                                                      {Verb::discard, "/v1/letters:discard"},
                                                      {Verb::skip, "/v1/letters:skip"}};
    for (const auto& [verb, path] : verbs) {
        routes.add(Method::post, path, Permission::operate, [=](Call call) {
            const auto selection = selection_of(call, verb);
            if (!selection) {
                call.refuse(selection.error());
                return;
            }
            resolve(*services, *selection, std::move(call),
                    [=, selection = *selection](broker::LetterFilter filter, Call asked) {
                        carry_out(services->bus, verb, std::move(filter), selection,
                                  std::move(asked));
                    });
        });
    }
}

}  // namespace bascule::api
