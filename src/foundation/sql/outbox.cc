#include "foundation/sql/outbox.h"

#include <algorithm>
#include <limits>

namespace bascule::sql::outbox {

namespace {

Migration first_tables() {
    return {
        .room = "outbox",
        .version = 1,
        .name = "messages in commit order",
        .statements =
            {
                // created_ms never decreases within a key, so (created_ms, stream_key, seq) is an
                // order of all messages that respects each key's own.
                "create table stream_head ("
                " stream_key text not null primary key,"
                " seq bigint not null,"
                " created_ms bigint not null)",
                "create table outbox ("
                " message_id text not null primary key,"
                " stream_key text not null,"
                " seq bigint not null,"
                " created_ms bigint not null,"
                " publish_seq bigint,"
                " bytes blob not null)",
                "create index outbox_unnumbered on outbox (created_ms, stream_key, seq)"
                " where publish_seq is null",
                "create unique index outbox_numbered on outbox (publish_seq)"
                " where publish_seq is not null",
                "create table outbox_relay ("
                " id bigint not null primary key,"
                " incarnation text not null,"
                " assigned bigint not null,"
                " published bigint not null)",
            },
        .tables = {{"stream_head", TableKind::technical},
                   {"outbox", TableKind::technical},
                   {"outbox_relay", TableKind::technical}},
    };
}

Migration refused_table() {
    return {.room = "outbox",
            .version = 2,
            .name = "messages that the receiver refused",
            .statements = {"create table outbox_refused ("
                           " message_id text not null primary key,"
                           " stream_key text not null,"
                           " seq bigint not null,"
                           " bytes blob not null,"
                           " reason text not null,"
                           " refused_ms bigint not null)"},
            .tables = {{"outbox_refused", TableKind::technical}}};
}

Migration refusal_codes() {
    return {.room = "outbox",
            .version = 3,
            .name = "kinds of refusal",
            .statements = {"alter table outbox_refused add column code text not null default ''"},
            .tables = {}};
}

}  // namespace

std::vector<Migration> migrations() { return {first_tables(), refused_table(), refusal_codes()}; }

namespace {

struct Head {
    std::int64_t seq;
    std::int64_t created_ms;
};

/// Gives the messages the numbers after `last`; returns the last one given.
Result<std::uint64_t> give_numbers(Session& session, const std::vector<std::string>& ids,
                                   std::uint64_t last) {
    std::vector<std::vector<Param>> rows;
    rows.reserve(ids.size());
    for (const std::string& id : ids) {
        rows.push_back({++last, id});
    }
    TRY(session.execute_many("update outbox set publish_seq = ?1 where message_id = ?2", rows));
    return last;
}

/// Takes `count` numbers of the key and keeps its row locked until the transaction ends.
Result<Head> advance_head(Session& session, std::string_view key, std::size_t count, WallTime now) {
    auto head = TRY(session.query_one(
        "insert into stream_head (stream_key, seq, created_ms) values (?1, ?2, ?3)"
        " on conflict (stream_key) do update set seq = stream_head.seq + excluded.seq,"
        " created_ms = case when excluded.created_ms > stream_head.created_ms"
        " then excluded.created_ms else stream_head.created_ms end"
        " returning seq, created_ms",
        {key, count, to_unix_ms(now)},
        [](const Row& row) { return Head{row.integer(0), row.integer(1)}; }));
    if (!head) {
        return fail(ErrorKind::corrupt, "the stream head was not written");
    }
    return *head;
}

}  // namespace

Result<> add(Session& session, std::string_view key, std::span<const Message> messages,
             WallTime now) {
    if (messages.empty()) {
        return {};
    }
    for (const Message& message : messages) {
        if (message.bytes.size() > session.message_bytes_max()) {
            return fail(ErrorKind::invalid,
                        "message " + std::string(message.id) + " has " +
                            std::to_string(message.bytes.size()) + " bytes; at most " +
                            std::to_string(session.message_bytes_max()) + " are allowed");
        }
    }
    const Head head = TRY(advance_head(session, key, messages.size(), now));
    std::int64_t seq = head.seq - static_cast<std::int64_t>(messages.size());
    std::vector<std::vector<Param>> rows;
    rows.reserve(messages.size());
    for (const Message& message : messages) {
        rows.push_back({message.id, key, ++seq, head.created_ms, BlobView{message.bytes}});
    }
    TRY(
        session.execute_many("insert into outbox (message_id, stream_key, seq, created_ms, bytes)"
                             " values (?1, ?2, ?3, ?4, ?5)",
                             rows));
    return {};
}

Result<RelayState> relay_state(Session& session) {
    auto state = TRY(session.query_one(
        "select incarnation, assigned, published from outbox_relay where id = 1", {},
        [](const Row& row) {
            return RelayState{row.text(0), static_cast<std::uint64_t>(row.integer(1)),
                              static_cast<std::uint64_t>(row.integer(2))};
        }));
    // A database that never had a relay is in its first incarnation, which has no name yet.
    return std::move(state).value_or(RelayState{});
}

Result<std::size_t> assign(Session& session, std::size_t messages_max) {
    const auto state = TRY(relay_state(session));
    if (state.incarnation.empty()) {
        return fail(ErrorKind::conflict, "the outbox has no incarnation yet; begin one first");
    }
    std::vector<std::string> ids;
    TRY(
        session.query("select message_id from outbox where publish_seq is null"
                      " order by created_ms, stream_key, seq limit ?1",
                      {messages_max}, [&](const Row& row) { ids.push_back(row.text(0)); }));
    if (ids.empty()) {
        return 0;
    }
    const auto number = TRY(give_numbers(session, ids, state.assigned));
    TRY(session.execute("update outbox_relay set assigned = ?1 where id = 1", {number}));
    return ids.size();
}

Result<std::vector<Numbered>> numbered(Session& session, std::uint64_t after,
                                       std::size_t messages_max, std::size_t bytes_max) {
    std::vector<Numbered> messages;
    std::size_t bytes = 0;
    TRY(
        session.query("select publish_seq, message_id, stream_key, bytes from outbox"
                      " where publish_seq > ?1 order by publish_seq limit ?2",
                      {after, messages_max}, [&](const Row& row) {
                          const auto size = row.text_view(3).size();
                          if (!messages.empty() && bytes + size > bytes_max) {
                              return false;
                          }
                          bytes += size;
                          messages.push_back({static_cast<std::uint64_t>(row.integer(0)),
                                              row.text(1), row.text(2), row.blob(3)});
                          return true;
                      }));
    return messages;
}

Result<> mark_published(Session& session, std::uint64_t publish_seq) {
    TRY(
        session.execute("update outbox_relay set published = ?1"
                        " where id = 1 and published < ?1 and assigned >= ?1",
                        {publish_seq}));
    return {};
}

Result<> refuse(Session& session, const Refusal& refusal, WallTime now) {
    TRY(
        session.execute("insert into outbox_refused"
                        " (message_id, stream_key, seq, bytes, code, reason, refused_ms)"
                        " select message_id, stream_key, seq, bytes, ?2, ?3, ?4 from outbox"
                        " where publish_seq = ?1",
                        {refusal.publish_seq, refusal.code, refusal.reason, to_unix_ms(now)}));
    TRY(session.execute("delete from outbox where publish_seq = ?1", {refusal.publish_seq}));
    return {};
}

namespace {

constexpr std::string_view select_refused =
    "select message_id, stream_key, seq, bytes, code, reason, refused_ms from outbox_refused";

Refused refused_of(const Row& row) {
    return {.id = row.text(0),
            .key = row.text(1),
            .seq = static_cast<std::uint64_t>(row.integer(2)),
            .bytes = row.blob(3),
            .code = row.text(4),
            .reason = row.text(5),
            .at = from_unix_ms(row.integer(6))};
}

}  // namespace

Result<std::vector<Refused>> refused(Session& session, const std::optional<Refused>& after,
                                     std::size_t messages_max, std::size_t bytes_max) {
    static const std::string statement = std::string(select_refused) +
                                         " where (refused_ms, stream_key, seq) > (?1, ?2, ?3)"
                                         " order by refused_ms, stream_key, seq limit ?4";
    std::vector<Refused> messages;
    std::size_t bytes = 0;
    const std::int64_t after_ms =
        after ? to_unix_ms(after->at) : std::numeric_limits<std::int64_t>::min();
    TRY(session.query(statement,
                      {after_ms, after ? after->key : "", after ? after->seq : 0, messages_max},
                      [&](const Row& row) {
                          bytes += row.text_view(3).size();
                          if (!messages.empty() && bytes > bytes_max) {
                              return false;
                          }
                          messages.push_back(refused_of(row));
                          return true;
                      }));
    return messages;
}

Result<std::optional<Refused>> find_refused(Session& session, std::string_view id) {
    static const std::string statement = std::string(select_refused) + " where message_id = ?1";
    return session.query_one(statement, {id}, refused_of);
}

Result<std::uint64_t> refused_count(Session& session) {
    return static_cast<std::uint64_t>(
        TRY(session.query_integer("select count(*) from outbox_refused")));
}

Result<std::size_t> prune(Session& session, std::size_t messages_max) {
    const auto state = TRY(relay_state(session));
    const auto lowest = TRY(session.query_one(
        "select publish_seq from outbox where publish_seq is not null"
        " order by publish_seq limit 1",
        {}, [](const Row& row) { return static_cast<std::uint64_t>(row.integer(0)); }));
    if (!lowest || *lowest > state.published) {
        return 0;
    }
    const auto last = std::min<std::uint64_t>(state.published, *lowest + messages_max - 1);
    return static_cast<std::size_t>(
        TRY(session.execute("delete from outbox where publish_seq <= ?1", {last})));
}

Result<RelayState> begin_incarnation(Session& session, std::string incarnation) {
    const auto state = TRY(relay_state(session));
    TRY(session.execute("delete from outbox where publish_seq <= ?1", {state.published}));
    // The order of what was numbered must survive: those numbers go before everything else.
    std::vector<std::string> ids;
    TRY(session.query(
        "select message_id from outbox where publish_seq is not null order by publish_seq", {},
        [&](const Row& row) { ids.push_back(row.text(0)); }));
    TRY(session.execute("update outbox set publish_seq = null where publish_seq is not null"));
    const auto number = TRY(give_numbers(session, ids, 0));
    TRY(session.execute(
        "insert into outbox_relay (id, incarnation, assigned, published) values (1, ?1, ?2, 0)"
        " on conflict (id) do update set incarnation = excluded.incarnation,"
        " assigned = excluded.assigned, published = 0",
        {incarnation, number}));
    return RelayState{std::move(incarnation), number, 0};
}

Result<std::uint64_t> backlog(Session& session) {
    const auto state = TRY(relay_state(session));
    return static_cast<std::uint64_t>(
        TRY(session.query_integer("select count(*) from outbox where publish_seq is null or "
                                  "publish_seq > ?1",
                                  {state.published})));
}

}  // namespace bascule::sql::outbox
