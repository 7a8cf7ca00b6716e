#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/sql/migration.h"
#include "foundation/sql/session.h"

/// What consumers have already done, in the transaction that did it: a redelivery changes nothing.
///
/// A run may commit in *parts*, each with a row of its own; the last one completes the message.
/// Rows of complete messages are pruned once the consumer's position has passed the place it had
/// reached when they were done, so that a message that comes late (its letter was redriven) is
/// remembered for as long as any other; rows of a
/// message that was given up between its parts stay, so that a later redrive does not repeat those.
namespace bascule::sql::inbox {

/// Tables: inbox, inbox_position.
std::vector<Migration> migrations();

struct Key {
    std::string_view consumer;
    std::string_view message_id;
    std::uint64_t offset = 0;    ///< where the message stands in its log
    std::uint64_t position = 0;  ///< below it the consumer has settled everything, letters apart
    std::uint32_t part = 0;
    bool last_part = true;         ///< no part follows
    std::string_view replay = {};  ///< id of the replay that delivers it; empty when live
};

enum class Claim {
    fresh,  ///< the row is written now: do the work in this transaction
    seen,   ///< done before: change nothing, answer success
};

Result<Claim> claim(Session& session, const Key& key);

/// The same for many messages that have no parts; fast. An answer for each, in their order.
Result<std::vector<Claim>> claim_all(Session& session, std::span<const Key> keys);

/// Every live message below `low` is settled for the consumer. A position never goes back.
Result<> set_position(Session& session, std::string_view consumer, std::uint64_t low);
Result<std::optional<std::uint64_t>> position(Session& session, std::string_view consumer);

/// Offsets at or above `low` of live messages that are complete, ascending: what the database says
/// is done, to be compared with the delivery journal at start.
Result<std::vector<std::uint64_t>> offsets_done(Session& session, std::string_view consumer,
                                                std::uint64_t low);

/// Deletes rows of complete live messages below the consumer's position, at most `rows_max`.
Result<std::size_t> prune(Session& session, std::string_view consumer, std::size_t rows_max);

/// Forgets a finished replay.
Result<std::size_t> forget_replay(Session& session, std::string_view replay);

}  // namespace bascule::sql::inbox
