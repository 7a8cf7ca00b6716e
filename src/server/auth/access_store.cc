#include "server/auth/access_store.h"

namespace bascule::auth::access_store {

namespace {

std::string text_of(const Sha256Digest& digest) { return to_hex(digest); }

Result<Sha256Digest> digest_of(std::string_view text) {
    const auto digest = parse_sha256(text);
    if (!digest) {
        return fail(ErrorKind::corrupt, "tokens.digest is not a SHA-256 in hexadecimal");
    }
    return *digest;
}

Result<Role> stored_role(const std::string& text) {
    const auto role = parse_role(text);
    if (!role) {
        return fail(ErrorKind::corrupt, role.error().message());
    }
    return *role;
}

}  // namespace

std::vector<sql::Migration> migrations() {
    return {
        {
            .room = "auth",
            .version = 1,
            .name = "users and tokens",
            .statements =
                {
                    "create table users ("
                    " id text not null primary key,"
                    " name text not null,"
                    " name_folded text not null unique,"
                    " role text not null,"
                    " password_hash text not null,"
                    " created_at_ms bigint not null)",
                    "create table tokens ("
                    " id text not null primary key,"
                    " digest text not null unique,"
                    " prefix text not null,"
                    " role text not null,"
                    " user_id text not null,"
                    " description text not null,"
                    " created_at_ms bigint not null,"
                    " expires_at_ms bigint,"
                    " revoked bigint not null)",
                    "create index tokens_by_user on tokens (user_id)",
                },
            .tables = {{"users", sql::TableKind::technical}, {"tokens", sql::TableKind::technical}},
        },
        {
            .room = "auth",
            .version = 2,
            .name = "whose events remain when a user was deleted",
            .statements =
                {
                    "create table former_users (id text not null primary key)",
                    // Of users deleted before, only those who had a token are still known.
                    "insert into former_users select distinct user_id from tokens"
                    " where user_id <> '' and user_id not in (select id from users)",
                },
            .tables = {{"former_users", sql::TableKind::technical}},
        }};
}

Result<std::vector<UserRow>> load_users(sql::Session& session) {
    std::vector<UserRow> rows;
    TRY(session.query(
        "select id, name, role, password_hash, created_at_ms from users order by created_at_ms, id",
        {}, [&](const sql::Row& row) -> Result<> {
            rows.push_back({.user = {.id = row.text(0),
                                     .name = row.text(1),
                                     .role = TRY(stored_role(row.text(2))),
                                     .created_at = from_unix_ms(row.integer(4))},
                            .password_hash = row.text(3)});
            return {};
        }));
    return rows;
}

Result<std::set<std::string>> load_former_users(sql::Session& session) {
    std::set<std::string> ids;
    TRY(session.query("select id from former_users", {}, [&](const sql::Row& row) -> Result<> {
        ids.insert(row.text(0));
        return {};
    }));
    return ids;
}

Result<std::vector<TokenRow>> load_tokens(sql::Session& session) {
    std::vector<TokenRow> rows;
    TRY(session.query(
        "select id, digest, prefix, role, user_id, description, created_at_ms, expires_at_ms,"
        " revoked from tokens order by created_at_ms, id",
        {}, [&](const sql::Row& row) -> Result<> {
            TokenRow read {
                .token =
                {.id = row.text(0),
                 .prefix = row.text(2),
                 .role = TRY(stored_role(row.text(3))),
                 .user_id = row.text(4),
                 .description = row.text(5),
                 .created_at = from_unix_ms(row.integer(6)),
                 .expires_at = std::nullopt,
                 .revoked = row.boolean(8) },
                .digest = TRY(digest_of(row.text_view(1)))
            };
            if (const auto expires = row.integer_or_null(7)) {
                read.token.expires_at = from_unix_ms(*expires);
            }
            rows.push_back(std::move(read));
            return {};
        }));
    return rows;
}

Result<> insert_user(sql::Session& session, const UserRow& row) {
    const User& user = row.user;
    const auto written = TRY(session.execute(
        "insert into users (id, name, name_folded, role, password_hash, created_at_ms)"
        " values (?1, ?2, ?3, ?4, ?5, ?6) on conflict do nothing",
        {user.id, user.name, folded(user.name), name(user.role), row.password_hash,
         to_unix_ms(user.created_at)}));
    if (written == 0) {
        return fail(ErrorKind::conflict, "the user name \"" + user.name + "\" is taken");
    }
    return {};
}

Result<> insert_token(sql::Session& session, const TokenRow& row) {
    const Token& token = row.token;
    std::optional<std::int64_t> expires;
    if (token.expires_at) {
        expires = to_unix_ms(*token.expires_at);
    }
    TRY(session.execute(
        "insert into tokens (id, digest, prefix, role, user_id, description, created_at_ms,"
        " expires_at_ms, revoked) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
        {token.id, text_of(row.digest), token.prefix, name(token.role), token.user_id,
         token.description, to_unix_ms(token.created_at), expires}));
    return {};
}

Result<> delete_user(sql::Session& session, const std::string& id) {
    const auto role = TRY(session.query_one("select role from users where id = ?1", {id},
                                            [](const sql::Row& row) { return row.text(0); }));
    if (!role) {
        return fail(ErrorKind::not_found, "no user has the id \"" + id + "\"");
    }
    if (*role == name(Role::owner) &&
        TRY(session.query_integer("select count(*) from users where role = 'owner'")) == 1) {
        return fail(ErrorKind::conflict,
                    "the last owner cannot be deleted: nobody could administer the household");
    }
    TRY(session.execute("delete from users where id = ?1", {id}));
    TRY(session.execute("insert into former_users (id) values (?1) on conflict do nothing", {id}));
    TRY(session.execute("update tokens set revoked = 1 where user_id = ?1", {id}));
    return {};
}

Result<> revoke_token(sql::Session& session, const std::string& id) {
    if (TRY(session.execute("update tokens set revoked = 1 where id = ?1", {id})) == 0) {
        return fail(ErrorKind::not_found, "no token has the id \"" + id + "\"");
    }
    return {};
}

Result<bool> user_exists(sql::Session& session, const std::string& id) {
    return TRY(session.query_integer("select count(*) from users where id = ?1", {id}))
    > 0;
}

std::string folded(std::string_view name) {
    std::string lower(name);
    for (char& letter : lower) {
        letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
    }
    return lower;
}

}  // namespace bascule::auth::access_store
