#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/delivery/run.h"
#include "foundation/base/result.h"

namespace bascule::delivery {

/// Why an event became a letter.
enum class LetterReason : std::uint8_t {
    attempts = 1,   ///< max_attempts reached
    age = 2,        ///< max_age reached
    permanent = 3,  ///< the handler refused it for good
};

/// How a letter ended. A closed letter remains in the store with this and its reason.
enum class LetterClosing : std::uint8_t {
    redriven = 1,    ///< its event was done at last
    discarded = 2,   ///< by a person
    skipped = 3,     ///< by a person: the key goes on without it
    superseded = 4,  ///< an edited event took its place
};

/// One failed attempt.
struct Attempt {
    WallTime at;
    std::string error;
};

/// What is kept of an event whose retries are exhausted, beside the event itself, which the letter
/// store copies.
///
/// Identity: (consumer, offset). Writing it again replaces what was there.
/// Limits:   the first and the last letter_attempts_max - 1 attempts are kept, each error cut to 1
/// KiB.
struct Letter {
    std::string consumer;
    Offset offset;
    std::uint64_t key_hash = no_key;
    LetterReason reason = LetterReason::attempts;
    WallTime opened{};
    std::uint32_t attempts = 0;    ///< charged in this cycle
    std::uint32_t redrives = 0;    ///< cycles before this one
    std::vector<Attempt> history;  ///< oldest first
    std::string first_error;
    std::string last_error;
    std::string fingerprint;  ///< of the last error
};
constexpr std::size_t letter_attempts_max = 10;
constexpr std::size_t error_bytes_max = 1024;

/// Adds an attempt to a history within the limits above.
void remember(std::vector<Attempt>& history, Attempt attempt);

/// The error without numbers, ids and quoted text, so that letters with one cause have one
/// fingerprint.
///
///     fingerprint("row 17 of 'a.csv': no account 018f3b2e-…") == "row # of ?: no account #"
std::string fingerprint(std::string_view error);

/// What the machine keeps in memory of an open letter; everything else is in the store.
struct LetterRef {
    Offset offset;
    std::uint64_t key_hash = no_key;
    std::uint64_t fingerprint = 0;  ///< hash64 of the text
    WallTime opened{};
    std::uint32_t bytes = 0;
    std::uint32_t redrives = 0;
    std::uint8_t lane = 1;
    LetterReason reason = LetterReason::attempts;
    bool redriving = false;  ///< a person asked for it; it runs or waits for its turn
    bool paced = false;      ///< redriving, and waits for its turn in a redrive that has a pace
};

/// How letters are redriven.
struct RedrivePace {
    static constexpr std::uint32_t per_second_max = 1'000'000;

    std::uint32_t per_second = 0;  ///< so many begin at most; 0 = as many as can
    bool canary = false;           ///< the first one alone; the others once that is done

    bool any() const { return per_second != 0 || canary; }
    /// Errors: `invalid`, with what is allowed.
    Result<> validate() const;
};

/// The pace of the letters that wait for their turn: what a consumer's state keeps of it.
struct KeptPace {
    std::uint32_t per_second = 0;
    std::optional<Offset> canary;  ///< whose letter must be done before the others begin

    friend bool operator==(const KeptPace&, const KeptPace&) = default;
};

/// Which open letters are meant. Conditions that are set must all hold; none set = all of them.
struct LetterFilter {
    std::optional<Offset> offset;
    std::vector<Offset> offsets;  ///< any of these, ascending; empty: not a condition

    bool matches(const LetterRef& letter) const;
};

/// What a verb would do, or did.
struct LetterSelection {
    std::uint64_t letters = 0;   ///< meant by the filter and not already being redriven
    std::uint64_t keys = 0;      ///< of so many keys
    std::uint64_t deferred = 0;  ///< events that wait behind them
};

std::string_view name(LetterReason reason);
std::string_view name(LetterClosing closing);

}  // namespace bascule::delivery
