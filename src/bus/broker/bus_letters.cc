#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <unordered_set>

#include "bus/broker/bus_state.h"
#include "bus/broker/deeds.h"
#include "bus/event/body.h"
#include "foundation/base/check.h"
#include "foundation/base/hash.h"

namespace bascule::broker {

namespace {

std::string letter_id(const std::string& consumer, Offset offset) {
    return consumer + ":" + std::to_string(offset.value());
}

std::optional<std::pair<std::string, Offset>> parse_letter_id(std::string_view id) {
    const std::size_t colon = id.rfind(':');
    std::uint64_t offset = 0;
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view digits = id.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
    if (error != std::errc() || end != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return std::pair(std::string(id.substr(0, colon)), Offset(offset));
}

/// A letter as people see it. `open` is what the machine holds of it, if it does.
LetterSummary summary_of(const std::string& consumer, const LetterStore::Stored& stored,
                         const delivery::LetterRef* open) {
    const delivery::Letter& letter = stored.letter;
    LetterSummary summary{.id = letter_id(consumer, letter.offset),
                          .consumer = consumer,
                          .offset = letter.offset,
                          .attempts = letter.attempts,
                          .redrives = letter.redrives,
                          .first_error = letter.first_error,
                          .last_error = letter.last_error,
                          .fingerprint = letter.fingerprint,
                          .created = letter.opened};
    if (const auto event = event::decode_body(stored.body)) {
        summary.event_id = event->event_id;
        summary.event_type = event->event_type;
        summary.user_id = event->user_id;
    }
    if (open != nullptr) {
        summary.state = open->paced ? "waiting" : open->redriving ? "redriving" : "open";
        summary.reason = delivery::name(letter.reason);
    } else {
        summary.state = "closed";
        summary.reason = std::string(delivery::name(stored.how));
        if (!stored.closing_reason.empty()) {
            summary.reason += ": " + stored.closing_reason;
        }
    }
    return summary;
}

bool fits(const LetterSummary& summary, const LetterFilter& filter) {
    return (filter.user_id.empty() || filter.user_id == summary.user_id) &&
           (filter.fingerprint.empty() || filter.fingerprint == summary.fingerprint);
}

/// What can be said of a letter before its event is read.
bool may_fit(const delivery::Letter& letter, const LetterFilter& filter,
             const std::unordered_set<std::string_view>& ids) {
    return (filter.key.empty() || hash64(filter.key) == letter.key_hash) &&
           (!filter.opened_from || letter.opened >= *filter.opened_from) &&
           (!filter.opened_to || letter.opened <= *filter.opened_to) &&
           (ids.empty() || ids.contains(letter_id(letter.consumer, letter.offset)));
}

/// The letters that the filter means, with the machine's word on which are open: by consumer and
/// offset, those behind `after`, at most `most`.
std::vector<LetterSummary> selected(const BusState& state, const LetterFilter& filter,
                                    const std::optional<LetterStore::Key>& after = std::nullopt,
                                    std::size_t most = SIZE_MAX) {
    std::map<std::string_view, const ConsumerRuntime*> consumers;
    for (const auto& [number, consumer] : state.consumers) {
        if (consumer->handler()) {
            consumers.insert_or_assign(consumer->name(), consumer.get());
        } else {
            consumers.emplace(consumer->name(), consumer.get());
        }
    }
    const std::unordered_set<std::string_view> ids(filter.ids.begin(), filter.ids.end());
    std::vector<LetterSummary> found;
    const auto& all = state.letters->all();
    auto at = after ? all.upper_bound(*after) : all.lower_bound({filter.consumer, Offset(0)});
    for (; at != all.end() && found.size() < most; ++at) {
        const auto& [key, stored] = *at;
        if (!filter.consumer.empty() && key.first != filter.consumer) {
            break;
        }
        const auto consumer = consumers.find(key.first);
        if (consumer == consumers.end()) {
            continue;
        }
        const delivery::LetterRef* open = consumer->second->machine().letter(key.second);
        if (open == nullptr && !stored.closed) {
            continue;  // written, but its event went on in the retry cycle after a crash
        }
        if ((filter.open && *filter.open != (open != nullptr)) ||
            !may_fit(stored.letter, filter, ids)) {
            continue;
        }
        LetterSummary summary = summary_of(key.first, stored, open);
        summary.orphaned = !consumer->second->handler();
        if (fits(summary, filter)) {
            found.push_back(std::move(summary));
        }
    }
    return found;
}

/// A name that is mistyped is not a consumer without letters.
Result<> check_consumer(const BusState& state, const LetterFilter& filter) {
    const bool is_known = std::ranges::any_of(state.consumers, [&](const auto& entry) {
        return entry.second->name() == filter.consumer;
    });
    return filter.consumer.empty() || is_known
               ? Result<>()
               : fail(ErrorKind::not_found, "there is no consumer '" + filter.consumer + "'");
}

/// What a verb is to be done to: letters of one consumer.
struct Chosen {
    ConsumerRuntime* consumer = nullptr;
    delivery::LetterFilter letters;
};

/// The letters in one of these states that the filter means, by consumer; what is named by id must
/// be there. Others are left out, since every verb may be repeated.
Result<std::vector<LetterSummary>> letters_meant(BusState& state, const LetterFilter& filter,
                                                 std::initializer_list<std::string_view> in_state) {
    TRY(check_consumer(state, filter));
    for (const std::string& id : filter.ids) {
        const auto parsed = parse_letter_id(id);
        if (!parsed || state.letters->find(parsed->first, parsed->second) == nullptr) {
            return fail(ErrorKind::not_found, "there is no letter '" + id + "'");
        }
    }
    LetterFilter open_only = filter;
    open_only.open = true;
    std::vector<LetterSummary> meant = selected(state, open_only);
    std::erase_if(meant, [&](const LetterSummary& letter) {
        return std::ranges::find(in_state, letter.state) == in_state.end() ||
               (filter.ids.empty() && letter.orphaned);
    });
    return meant;
}

/// Applies a verb to every selected letter or, if it may not be done to one of them, to none. All
/// of it enters the journal in one turn. A crash before it is confirmed leaves all of it, nothing,
/// or, of more than 16 MiB of entries (DeliveryJournal::append), the first part: a valid history in
/// which the other letters are open still, so that the verb can be repeated.
template <class May, class Verb, class Fact>
void do_to_selected(BusState& state, const LetterFilter& filter, const Deed& deed,
                    std::initializer_list<std::string_view> in_state, May may, Verb verb,
                    Fact fact_of, io::Completion<std::vector<LetterSummary>> done) {
    auto meant = letters_meant(state, filter, in_state);
    if (!meant) {
        done(std::move(meant));
        return;
    }
    std::vector<event::Event> facts;
    for (const LetterSummary& letter : *meant) {
        facts.push_back(fact_of(occasion_of(state, deed), {.consumer = letter.consumer,
                                                           .letter_id = letter.id,
                                                           .letter_event_id = letter.event_id,
                                                           .reason = deed.reason}));
        if (auto sound = check_deed(deed, facts.back()); !sound) {
            done(std::unexpected(std::move(sound).error()));
            return;
        }
    }
    std::vector<Chosen> chosen;
    for (const LetterSummary& letter : *meant) {  // in order of consumer and offset
        if (chosen.empty() || chosen.back().consumer->name() != letter.consumer) {
            ConsumerRuntime* consumer = state.find(letter.consumer);
            if (consumer == nullptr) {
                done(fail(ErrorKind::conflict, "nothing was done: letter '" + letter.id +
                                                   "' is of a consumer that was removed"));
                return;
            }
            chosen.push_back({.consumer = consumer});
        }
        chosen.back().letters.offsets.push_back(letter.offset);
    }
    for (const Chosen& part : chosen) {
        if (auto allowed = may(part.consumer->machine(), part.letters); !allowed) {
            done(std::unexpected(std::move(allowed).error().in("nothing was done: consumer '" +
                                                               part.consumer->name() + "'")));
            return;
        }
    }
    if (deed.preview) {
        done(std::move(meant));
        return;
    }
    for (const Chosen& part : chosen) {
        CHECK(verb(part.consumer->machine(), part.letters).has_value());
    }
    state.facts.add(std::move(facts));
    state.confirm_when_durable(
        [meant = std::move(*meant), done = std::move(done)](Result<> synced) mutable {
            if (synced) {
                done(std::move(meant));
            } else {
                done(std::unexpected(synced.error()));
            }
        });
}

}  // namespace

void Bus::letters(LetterFilter filter, io::Completion<std::vector<LetterSummary>> done) {
    state_->on_strand(
        [filter = std::move(filter), done = std::move(done)](BusState& state) mutable {
            if (auto known = check_consumer(state, filter); !known) {
                done(std::unexpected(std::move(known).error()));
            } else {
                done(selected(state, filter));
            }
        });
}

namespace {

LetterDetail detail_of(const BusState& state, LetterSummary summary) {
    const LetterStore::Stored& stored = *state.letters->find(summary.consumer, summary.offset);
    LetterDetail detail{.summary = std::move(summary)};
    for (const delivery::Attempt& attempt : stored.letter.history) {
        detail.attempts.push_back({.at = attempt.at, .error = attempt.error});
    }
    if (const auto event = event::decode_body(stored.body)) {
        detail.event = event::owned(*event);
    }
    return detail;
}

/// Closes letters without delivering them.
void close_letters(BusState& state, const LetterFilter& filter, const Deed& deed,
                   delivery::LetterClosing how, io::Completion<std::vector<LetterSummary>> done) {
    const bool skips = how == delivery::LetterClosing::skipped;
    if (deed.reason.empty()) {
        done(fail(ErrorKind::invalid, std::string(skips ? "a skip" : "a discard") +
                                          " needs a reason; it stays with the letter"));
        return;
    }
    do_to_selected(
        state, filter, deed, {"open"},
        [&](const delivery::Consumer& machine, const auto& letters) {
            return machine.may_close_letters(letters, how, deed.reason);
        },
        [&](delivery::Consumer& machine, const auto& letters) {
            return machine.close_letters(letters, how, deed.reason, state.now());
        },
        skips ? event::bus_letter_skipped : event::bus_letter_discarded, std::move(done));
}

}  // namespace

void Bus::letter(std::string id, io::Completion<LetterDetail> done) {
    state_->on_strand([id = std::move(id), done = std::move(done)](BusState& state) mutable {
        auto summaries = selected(state, {.ids = {id}});
        if (summaries.empty()) {
            done(fail(ErrorKind::not_found, "there is no letter '" + id + "'"));
        } else {
            done(detail_of(state, std::move(summaries.front())));
        }
    });
}

void Bus::letter_details(LetterFilter filter, std::size_t most, std::string after,
                         io::Completion<std::vector<LetterDetail>> done) {
    state_->on_strand([filter = std::move(filter), most, after = std::move(after),
                       done = std::move(done)](BusState& state) mutable {
        if (auto known = check_consumer(state, filter); !known) {
            done(std::unexpected(std::move(known).error()));
            return;
        }
        const auto behind = parse_letter_id(after);
        std::vector<LetterDetail> details;
        for (LetterSummary& summary : selected(state, filter, behind, most)) {
            details.push_back(detail_of(state, std::move(summary)));
        }
        done(std::move(details));
    });
}

void Bus::redrive(LetterFilter filter, delivery::RedrivePace pace, Deed deed,
                  io::Completion<std::vector<LetterSummary>> done) {
    if (auto sound = pace.validate(); !sound) {
        done(std::unexpected(std::move(sound).error()));
        return;
    }
    state_->on_strand([filter = std::move(filter), pace, deed = std::move(deed),
                       done = std::move(done)](BusState& state) mutable {
        const auto may = [&](const delivery::Consumer& machine, const auto& letters) {
            return machine.may_redrive(letters, pace);
        };
        const auto redrive = [&](delivery::Consumer& machine, const auto& letters) {
            return machine.redrive(letters, pace, state.now());
        };
        if (pace.any()) {
            do_to_selected(state, filter, deed, {"open"}, may, redrive, event::bus_letter_redriven,
                           std::move(done));
        } else {  // also those that wait for their turn
            do_to_selected(state, filter, deed, {"open", "waiting"}, may, redrive,
                           event::bus_letter_redriven, std::move(done));
        }
    });
}

void Bus::stop_redrive(LetterFilter filter, Deed deed,
                       io::Completion<std::vector<LetterSummary>> done) {
    state_->on_strand([filter = std::move(filter), deed = std::move(deed),
                       done = std::move(done)](BusState& state) mutable {
        do_to_selected(
            state, filter, deed, {"waiting"},
            [](const delivery::Consumer& machine, const auto& letters) {
                return machine.may_stop_redrive(letters);
            },
            [&](delivery::Consumer& machine, const auto& letters) {
                return machine.stop_redrive(letters, state.now());
            },
            event::bus_letter_stopped, std::move(done));
    });
}

void Bus::discard(LetterFilter filter, Deed deed, io::Completion<std::vector<LetterSummary>> done) {
    state_->on_strand([filter = std::move(filter), deed = std::move(deed),
                       done = std::move(done)](BusState& state) mutable {
        close_letters(state, filter, deed, delivery::LetterClosing::discarded, std::move(done));
    });
}

void Bus::skip(LetterFilter filter, Deed deed, io::Completion<std::vector<LetterSummary>> done) {
    state_->on_strand([filter = std::move(filter), deed = std::move(deed),
                       done = std::move(done)](BusState& state) mutable {
        close_letters(state, filter, deed, delivery::LetterClosing::skipped, std::move(done));
    });
}

std::vector<LetterGroup> groups_of(const std::vector<LetterSummary>& letters) {
    struct Members {
        LetterGroup group;
        std::set<std::string_view> users;
    };
    std::map<std::pair<std::string_view, std::string_view>, Members> by_cause;
    for (const LetterSummary& letter : letters) {
        auto& [group, users] = by_cause[{letter.consumer, letter.fingerprint}];
        if (group.letters++ == 0 || letter.created < group.oldest) {
            group.oldest = letter.created;
            group.example_id = letter.id;
            group.example_error = letter.last_error;
        }
        group.newest = std::max(group.newest, letter.created);
        users.insert(letter.user_id);
    }
    std::vector<LetterGroup> groups;
    for (auto& [cause, members] : by_cause) {
        LetterGroup& group = groups.emplace_back(std::move(members.group));
        group.consumer = cause.first;
        group.fingerprint = cause.second;
        group.users = members.users.size();
    }
    std::ranges::stable_sort(groups, std::ranges::greater(), &LetterGroup::letters);
    return groups;
}

}  // namespace bascule::broker
