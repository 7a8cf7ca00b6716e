#include "household/finance/duplicates.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "household/finance/text.h"

namespace bascule::finance {

namespace {

/// Ids that say nothing: none at all, zeros, and the formats' words for "none".
bool says_nothing(std::string_view id) {
    return id.find_first_not_of("0 -") == std::string_view::npos || id == "NONREF" ||
           id == "NOTPROVIDED";
}

std::string day_and_amount(const BankRow& row) {
    return std::to_string(row.date.days_since_1970()) + '|' + std::to_string(row.minor) + '|' +
           std::string(row.currency.code());
}

/// What passes compare, hashed once a row.
struct RowKeys {
    Hash128 text;         ///< day, amount, text: the row but for its occurrence
    Hash128 id;           ///< day, amount, bank id
    Hash128 id_and_text;  ///< all of it

    explicit RowKeys(const BankRow& row) {
        const std::string place = day_and_amount(row);
        text = hash128(place, row.text);
        id = hash128(place, row.bank_id);
        id_and_text = hash128(place + '|' + row.bank_id, row.text);
    }
};

std::vector<RowKeys> keys_of(std::span<const BankRow> rows) { return {rows.begin(), rows.end()}; }

std::vector<RowKeys> keys_of(std::span<const ExistingRow> rows) {
    std::vector<RowKeys> keys;
    keys.reserve(rows.size());
    for (const ExistingRow& row : rows) {
        keys.emplace_back(row.row);
    }
    return keys;
}

/// One run of the assignment. Every pass claims existing rows for incoming ones that have none yet.
class Assignment {
  public:
    Assignment(std::span<const ExistingRow> existing, std::span<const BankRow> incoming,
               const DuplicateOptions& options)
        : existing_(existing),
          incoming_(incoming),
          options_(options),
          existing_keys_(keys_of(existing)),
          incoming_keys_(keys_of(incoming)),
          claimed_(existing.size(), false),
          verdicts_(incoming.size()) {}

    std::vector<Verdict> run() {
        find_reused_ids();
        note_ids_of_other_rows();
        claim_same_id_and_text();
        claim_same_id();
        claim_same_text(is_an_id_seen_again() ? DifferingIds::keep_apart
                                              : DifferingIds::say_nothing);
        claim_near();
        number_rows();
        return std::move(verdicts_);
    }

  private:
    enum class DifferingIds { keep_apart, say_nothing };

    bool is_open(std::size_t incoming) const {
        return verdicts_[incoming].kind == RowVerdict::added;
    }

    bool is_trusted(std::string_view id) const {
        return !says_nothing(id) && !reused_.contains(id);
    }

    /// An id that stands on rows which differ in day, amount or text is no evidence for any of
    /// them. Old and new rows are looked at apart, because a bank that corrects a text keeps the
    /// id.
    void find_reused_ids() {
        std::unordered_map<std::string_view, Hash128> first;
        const auto look = [&](const BankRow& row, const RowKeys& keys) {
            if (!says_nothing(row.bank_id) &&
                first.try_emplace(row.bank_id, keys.text).first->second != keys.text) {
                reused_.insert(row.bank_id);
            }
        };
        for (std::size_t i = 0; i < existing_.size(); ++i) {
            look(existing_[i].row, existing_keys_[i]);
        }
        first.clear();
        for (std::size_t i = 0; i < incoming_.size(); ++i) {
            look(incoming_[i], incoming_keys_[i]);
        }
    }

    /// The same id on another day or amount is another row, unless the old one was not final.
    void note_ids_of_other_rows() {
        std::unordered_map<std::string_view, Hash128> known;
        for (std::size_t i = 0; i < existing_.size(); ++i) {
            const BankRow& row = existing_[i].row;
            if (row.state == RowState::booked && !says_nothing(row.bank_id)) {
                known.try_emplace(row.bank_id, existing_keys_[i].id);
            }
        }
        for (std::size_t i = 0; i < incoming_.size(); ++i) {
            const auto place = known.find(incoming_[i].bank_id);
            verdicts_[i].id_reused =
                (place != known.end() && place->second != incoming_keys_[i].id) ||
                reused_.contains(incoming_[i].bank_id);
        }
    }

    void claim(std::size_t incoming, std::size_t existing) {
        claimed_[existing] = true;
        Verdict& verdict = verdicts_[incoming];
        const BankRow& before = existing_[existing].row;
        const BankRow& now = incoming_[incoming];
        verdict.existing = existing;
        // A row that is booked stays as it is: pending, it is of an older export.
        const bool is_older = before.state == RowState::booked && now.state == RowState::pending;
        verdict.changes =
            is_older
                ? RowChanges{}
                : RowChanges{
                      .date = before.date != now.date,
                      .text = before.text != now.text,
                      .bank_id = !says_nothing(now.bank_id) && before.bank_id.empty(),
                      .state = before.state != RowState::booked && now.state == RowState::booked,
                  };
        verdict.kind = verdict.changes.any() ? RowVerdict::update_of : RowVerdict::already_imported;
        verdict.occurrence = existing_[existing].occurrence;
    }

    /// Which existing rows of equal key an incoming row may claim.
    enum class Claims { none, those_without_a_trusted_id, all };

    /// Gives each open row the first unclaimed existing row of equal key, in order of occurrence,
    /// out of those that `claims_of(row)` names. What it names must not depend on the existing row
    /// in other ways: then a row passed over once is never looked at again, however many rows share
    /// a key.
    template <class F>
    void claim_by(Hash128 RowKeys::* key, F claims_of) {
        struct Candidate {
            Hash128 key;
            std::uint32_t occurrence;
            std::size_t existing;
            auto operator<=>(const Candidate&) const = default;
        };
        std::vector<Candidate> candidates;
        for (std::size_t i = 0; i < existing_.size(); ++i) {
            if (!claimed_[i]) {
                candidates.push_back({existing_keys_[i].*key, existing_[i].occurrence, i});
            }
        }
        std::ranges::sort(candidates);
        struct Next {  // the first candidates that may still be claimed
            std::size_t without_a_trusted_id;
            std::size_t any;
        };
        std::unordered_map<Hash128, Next> next_of;
        next_of.reserve(candidates.size());
        for (std::size_t at = 0; at < candidates.size(); ++at) {
            next_of.try_emplace(candidates[at].key, at, at);
        }
        for (std::size_t i = 0; i < incoming_.size(); ++i) {
            const Claims claims = is_open(i) ? claims_of(incoming_[i]) : Claims::none;
            const auto place =
                claims == Claims::none ? next_of.end() : next_of.find(incoming_keys_[i].*key);
            if (place == next_of.end()) {
                continue;
            }
            auto& [hash, next] = *place;
            std::size_t& at = claims == Claims::all ? next.any : next.without_a_trusted_id;
            const auto is_candidate = [&] {
                return at < candidates.size() && candidates[at].key == hash;
            };
            const auto is_claimable = [&](std::size_t existing) {
                return !claimed_[existing] &&
                       (claims == Claims::all || !is_trusted(existing_[existing].row.bank_id));
            };
            while (is_candidate() && !is_claimable(candidates[at].existing)) {
                ++at;
            }
            if (is_candidate()) {
                claim(i, candidates[at].existing);
            }
        }
    }

    void claim_same_id_and_text() {
        claim_by(&RowKeys::id_and_text, [](const BankRow& now) {
            return says_nothing(now.bank_id) ? Claims::none : Claims::all;
        });
    }

    void claim_same_id() {
        claim_by(&RowKeys::id, [&](const BankRow& now) {
            return is_trusted(now.bank_id) ? Claims::all : Claims::none;
        });
    }

    bool is_an_id_seen_again() const {
        for (std::size_t i = 0; i < incoming_.size(); ++i) {
            if (!is_open(i) && is_trusted(incoming_[i].bank_id)) {
                return true;
            }
        }
        return false;
    }

    void claim_same_text(DifferingIds differing) {
        claim_by(&RowKeys::text, [&](const BankRow& now) {
            return differing == DifferingIds::keep_apart && is_trusted(now.bank_id)
                       ? Claims::those_without_a_trusted_id
                       : Claims::all;
        });
    }

    /// Existing rows, in their order, of which the first may be claimed.
    struct Queue {
        std::vector<std::size_t> rows;
        std::size_t next = 0;
    };

    /// Unclaimed rows that may be the other word about an incoming one of equal amount.
    struct Partners {
        std::set<std::pair<std::int64_t, money::Currency>> amounts;
        std::unordered_map<Hash128, Queue> by_day;
        std::unordered_map<Hash128, Queue> by_day_and_text;

        void add(const BankRow& row, const RowKeys& keys, std::size_t existing) {
            amounts.emplace(row.minor, row.currency);
            by_day[hash128(day_and_amount(row))].rows.push_back(existing);
            by_day_and_text[keys.text].rows.push_back(existing);
        }
    };

    enum class Text { same, any };

    /// Pending and manual rows give way to later rows of equal amount, and pending rows of an older
    /// export are known by the booked ones that came of them, which have that day or a later one.
    /// Over the whole batch the closest pair comes first, so that an early row cannot take the
    /// partner of an exact one.
    void claim_near() {
        Partners unsettled;
        Partners booked;
        const bool is_pending_open = std::ranges::any_of(
            open_rows(), [&](std::size_t i) { return incoming_[i].state == RowState::pending; });
        for (std::size_t i = 0; i < existing_.size(); ++i) {
            const BankRow& row = existing_[i].row;
            if (!claimed_[i] && row.state != RowState::booked) {
                unsettled.add(row, existing_keys_[i], i);
            } else if (!claimed_[i] && is_pending_open) {
                booked.add(row, existing_keys_[i], i);
            }
        }
        struct Search {
            std::size_t incoming;
            Partners* partners;
        };
        std::vector<Search> searches;
        for (const std::size_t i : open_rows()) {
            const BankRow& now = incoming_[i];
            Partners& partners = now.state == RowState::booked ? unsettled : booked;
            if (partners.amounts.contains({now.minor, now.currency})) {
                searches.push_back({i, &partners});
            }
        }
        for (std::int32_t distance = 0; distance <= options_.near_days_max; ++distance) {
            for (const Text text : {Text::same, Text::any}) {
                for (const Search& search : searches) {
                    claim_at(distance, text, search.incoming, *search.partners);
                }
            }
        }
    }

    std::vector<std::size_t> open_rows() const {
        std::vector<std::size_t> open;
        for (std::size_t i = 0; i < incoming_.size(); ++i) {
            if (is_open(i)) {
                open.push_back(i);
            }
        }
        return open;
    }

    void claim_at(std::int32_t distance, Text text, std::size_t incoming, Partners& partners) {
        if (!is_open(incoming)) {
            return;
        }
        const BankRow& now = incoming_[incoming];
        auto found = first_of(now, now.date.plus_days(distance), text, partners);
        if (now.state == RowState::booked) {
            found = std::min(found, first_of(now, now.date.plus_days(-distance), text, partners));
        }
        if (found != existing_.size()) {
            claim(incoming, found);
        }
    }

    /// The first unclaimed partner of the row on a day; existing_.size() if there is none.
    std::size_t first_of(BankRow row, money::Date day, Text text, Partners& partners) const {
        row.date = day;
        auto& queues = text == Text::same ? partners.by_day_and_text : partners.by_day;
        const std::string place = day_and_amount(row);
        const auto found =
            queues.find(text == Text::same ? hash128(place, row.text) : hash128(place));
        if (found == queues.end()) {
            return existing_.size();
        }
        Queue& queue = found->second;
        while (queue.next < queue.rows.size() && claimed_[queue.rows[queue.next]]) {
            ++queue.next;
        }
        return queue.next < queue.rows.size() ? queue.rows[queue.next] : existing_.size();
    }

    /// New rows, and rows whose day or text changes, become the next of the rows that they equal.
    void number_rows() {
        std::unordered_map<Hash128, std::uint32_t> highest;
        for (std::size_t i = 0; i < existing_.size(); ++i) {
            std::uint32_t& occurrence = highest[existing_keys_[i].text];
            occurrence = std::max(occurrence, existing_[i].occurrence);
        }
        for (std::size_t i = 0; i < incoming_.size(); ++i) {
            Verdict& verdict = verdicts_[i];
            if (is_open(i) || verdict.changes.date || verdict.changes.text) {
                verdict.occurrence = ++highest[incoming_keys_[i].text];
            }
        }
    }

    std::span<const ExistingRow> existing_;
    std::span<const BankRow> incoming_;
    const DuplicateOptions& options_;
    std::vector<RowKeys> existing_keys_;
    std::vector<RowKeys> incoming_keys_;
    std::vector<bool> claimed_;
    std::vector<Verdict> verdicts_;
    std::unordered_set<std::string_view> reused_;
};

}  // namespace

std::string bank_text(std::string_view payee, std::string_view memo) {
    std::string text;
    text.reserve(payee.size() + memo.size() + 1);
    text.append(payee).append(1, ' ').append(memo);
    return match_text(text);
}

Hash128 fingerprint(std::string_view account_id, const BankRow& row) {
    return hash128(account_id, row.date.to_text() + '|' + std::to_string(row.minor) + '|' +
                                   std::string(row.currency.code()) + '|' + row.text);
}

std::vector<Verdict> assign(std::span<const ExistingRow> existing,
                            std::span<const BankRow> incoming, const DuplicateOptions& options) {
    return Assignment(existing, incoming, options).run();
}

}  // namespace bascule::finance
