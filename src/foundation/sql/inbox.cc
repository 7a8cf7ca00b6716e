#include "foundation/sql/inbox.h"

#include <algorithm>

namespace bascule::sql::inbox {

std::vector<Migration> migrations() {
    Migration first{
        .room = "inbox",
        .version = 1,
        .name = "what consumers have done",
        .statements =
            {
                "create table inbox ("
                " consumer text not null,"
                " message_id text not null,"
                " part bigint not null,"
                " replay text not null,"
                " message_offset bigint not null,"
                " complete bigint not null,"
                " primary key (consumer, message_id, replay, part))",
                "create index inbox_by_offset on inbox (consumer, message_offset)",
                "create table inbox_position ("
                " consumer text not null primary key,"
                " low bigint not null)",
            },
        .tables = {{"inbox", TableKind::technical}, {"inbox_position", TableKind::technical}},
    };
    Migration second{
        .room = "inbox",
        .version = 2,
        .name = "messages that come late are remembered as long as others",
        .statements = {"alter table inbox add column noted_at bigint not null default 0",
                       "update inbox set noted_at = message_offset", "drop index inbox_by_offset",
                       "create index inbox_by_place on inbox (consumer, noted_at)"},
        .tables = {}};
    return {std::move(first), std::move(second)};
}

namespace {

constexpr std::string_view insert_row =
    "insert into inbox (consumer, message_id, part, replay, message_offset, complete, noted_at)"
    " values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict do nothing";

/// How far the consumer had come when it was done.
std::uint64_t noted_at(const Key& key) { return std::max(key.offset, key.position); }

}  // namespace

Result<Claim> claim(Session& session, const Key& key) {
    const auto written =
        TRY(session.execute(insert_row, {key.consumer, key.message_id, key.part, key.replay,
                                         key.offset, key.last_part, noted_at(key)}));
    if (written == 0) {
        return Claim::seen;
    }
    if (key.last_part && key.part > 0) {
        TRY(
            session.execute("update inbox set complete = 1 where consumer = ?1 and message_id = ?2"
                            " and replay = ?3",
                            {key.consumer, key.message_id, key.replay}));
    }
    return Claim::fresh;
}

Result<std::vector<Claim>> claim_all(Session& session, std::span<const Key> keys) {
    std::vector<std::vector<Param>> rows;
    rows.reserve(keys.size());
    for (const Key& key : keys) {
        CHECK(key.part == 0 && key.last_part);
        rows.push_back({key.consumer, key.message_id, key.part, key.replay, key.offset,
                        key.last_part, noted_at(key)});
    }
    std::vector<Claim> claims;
    for (const std::int64_t written : TRY(session.execute_each(insert_row, rows))) {
        claims.push_back(written > 0 ? Claim::fresh : Claim::seen);
    }
    return claims;
}

Result<> set_position(Session& session, std::string_view consumer, std::uint64_t low) {
    TRY(
        session.execute("insert into inbox_position (consumer, low) values (?1, ?2)"
                        " on conflict (consumer) do update set low = excluded.low"
                        " where inbox_position.low < excluded.low",
                        {consumer, low}));
    return {};
}

Result<std::optional<std::uint64_t>> position(Session& session, std::string_view consumer) {
    return session.query_one(
        "select low from inbox_position where consumer = ?1", {consumer},
        [](const Row& row) { return static_cast<std::uint64_t>(row.integer(0)); });
}

Result<std::vector<std::uint64_t>> offsets_done(Session& session, std::string_view consumer,
                                                std::uint64_t low) {
    std::vector<std::uint64_t> offsets;
    TRY(session.query(
        "select distinct message_offset from inbox where consumer = ?1 and noted_at >= ?2"
        " and message_offset >= ?2 and complete = 1 and replay = '' order by message_offset",
        {consumer, low},
        [&](const Row& row) { offsets.push_back(static_cast<std::uint64_t>(row.integer(0))); }));
    return offsets;
}

Result<std::size_t> prune(Session& session, std::string_view consumer, std::size_t rows_max) {
    const auto low = TRY(position(session, consumer));
    if (!low) {
        return 0;
    }
    return static_cast<std::size_t>(TRY(session.execute(
        "delete from inbox where consumer = ?1 and noted_at < ?2 and replay = ''"
        " and complete = 1 and noted_at <= coalesce((select max(noted_at) from ("
        "  select noted_at from inbox where consumer = ?1 and noted_at < ?2"
        "  and replay = '' and complete = 1 order by noted_at limit ?3) as oldest), -1)",
        {consumer, *low, rows_max})));
}

Result<std::size_t> forget_replay(Session& session, std::string_view replay) {
    if (replay.empty()) {
        return fail(ErrorKind::invalid, "a replay has a name; the live inbox is pruned instead");
    }
    return static_cast<std::size_t>(
        TRY(session.execute("delete from inbox where replay = ?1", {replay})));
}

}  // namespace bascule::sql::inbox
