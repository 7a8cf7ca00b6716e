#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/sql/migration.h"
#include "foundation/sql/session.h"

/// Messages that are committed together with the state they tell of, and leave the database later.
///
///     unit of work:  outbox::add ── COMMIT                 (state and message, or neither)
///     the one relay: outbox::assign ── COMMIT ── publish ── outbox::mark_published ── COMMIT
///
/// Messages of one stream key keep their order: `add` takes the key's next `seq` while it holds the
/// key's `stream_head` row, so that a later transaction of the same key waits for this one.
/// `assign` numbers committed messages 1, 2, 3 … without gaps (`publish_seq`), in an order that
/// respects every key's. The receiver refuses numbers that it already has, so publishing again
/// after a crash repeats nothing.
///
/// The numbers belong to an *incarnation* of the database. A database restored from a backup would
/// number new messages with numbers already used: it must begin a new incarnation.
namespace bascule::sql::outbox {

/// Tables: outbox, outbox_relay, stream_head, outbox_refused.
std::vector<Migration> migrations();

/// A message on its way in. The id is unique for ever; a second `add` of it is `conflict`.
struct Message {
    std::string_view id;
    std::string_view bytes;
};

/// Adds messages to a stream in this order, inside the caller's transaction. Errors: `invalid`
/// for a message above the session's `message_bytes_max`, so that nothing is committed that the
/// receiver would refuse.
Result<> add(Session& session, std::string_view key, std::span<const Message> messages,
             WallTime now);

/// A numbered message on its way out.
struct Numbered {
    std::uint64_t publish_seq = 0;
    std::string id;
    std::string key;
    std::string bytes;
};

struct RelayState {
    std::string incarnation;      ///< text unlike any other database's or incarnation's
    std::uint64_t assigned = 0;   ///< the highest publish_seq given; 0 for none
    std::uint64_t published = 0;  ///< everything up to it is marked
};

Result<RelayState> relay_state(Session& session);

/// Numbers up to `messages_max` messages that have no number yet; returns how many.
/// Errors: `conflict` before the first incarnation.
Result<std::size_t> assign(Session& session, std::size_t messages_max);

/// Numbered messages above `after`, in order, up to a count and (beyond the first) up to a size.
Result<std::vector<Numbered>> numbered(Session& session, std::uint64_t after,
                                       std::size_t messages_max, std::size_t bytes_max);

/// Marks every message up to `publish_seq` as published. A mark never goes back.
Result<> mark_published(Session& session, std::uint64_t publish_seq);

/// A numbered message that the receiver will never take, and why.
struct Refusal {
    std::uint64_t publish_seq = 0;
    std::string code;    ///< the kind of reason: says nothing that the message says
    std::string reason;  ///< for whoever may read the message
};

/// Takes the message out of the outbox and keeps it among the refused. Its number stays unused:
/// receivers want numbers that rise, not numbers without gaps.
Result<> refuse(Session& session, const Refusal& refusal, WallTime now);

struct Refused {
    std::string id;
    std::string key;
    std::uint64_t seq = 0;  ///< within the key
    std::string bytes;
    std::string code;
    std::string reason;
    WallTime at;
};

/// Refused messages behind `after`, oldest first (time, key, seq), up to a count and (beyond the
/// first) up to a size.
Result<std::vector<Refused>> refused(Session& session, const std::optional<Refused>& after,
                                     std::size_t messages_max, std::size_t bytes_max);
Result<std::optional<Refused>> find_refused(Session& session, std::string_view id);
Result<std::uint64_t> refused_count(Session& session);

/// Deletes published messages, at most `messages_max`; returns how many.
Result<std::size_t> prune(Session& session, std::size_t messages_max);

/// Begins a new incarnation: deletes what is marked and numbers the rest anew from 1, in the order
/// it had. The caller then looks every remaining message up by its id before publishing it. Also
/// the first call on a new database.
Result<RelayState> begin_incarnation(Session& session, std::string incarnation);

/// Messages that are not marked as published, numbered or not.
Result<std::uint64_t> backlog(Session& session);

}  // namespace bascule::sql::outbox
