#pragma once

#include <set>
#include <string>
#include <vector>

#include "foundation/base/hash.h"
#include "foundation/sql/migration.h"
#include "foundation/sql/session.h"
#include "server/auth/authenticator.h"

/// The tables of users and tokens; no rule but their keys stands here.
namespace bascule::auth::access_store {

struct UserRow {
    User user;
    std::string password_hash;  ///< empty: no password
};
struct TokenRow {
    Token token;
    Sha256Digest digest{};  ///< of the secret
};

/// Tables: users, tokens, former_users.
std::vector<sql::Migration> migrations();

Result<std::vector<UserRow>> load_users(sql::Session& session);
Result<std::vector<TokenRow>> load_tokens(sql::Session& session);
/// The ids of deleted users.
Result<std::set<std::string>> load_former_users(sql::Session& session);

/// Names differ by more than ASCII case. Errors: `conflict` (the name is taken).
Result<> insert_user(sql::Session& session, const UserRow& row);
Result<> insert_token(sql::Session& session, const TokenRow& row);

/// Deletes the user, remembers its id and revokes its tokens. Errors: `not_found`; `conflict` for
/// the last owner.
Result<> delete_user(sql::Session& session, const std::string& id);
/// Fine if it is revoked already. Errors: `not_found`.
Result<> revoke_token(sql::Session& session, const std::string& id);
Result<bool> user_exists(sql::Session& session, const std::string& id);

/// What names are compared by.
std::string folded(std::string_view name);

}  // namespace bascule::auth::access_store
