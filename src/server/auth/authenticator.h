#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/io/completion.h"
#include "foundation/sql/database.h"
#include "foundation/sql/migration.h"
#include "foundation/sql/writer.h"
#include "server/auth/principal.h"

namespace bascule::auth {

struct User {
    std::string id;
    std::string name;
    Role role = Role::member;
    WallTime created_at;
};

struct Token {
    std::string id;
    std::string prefix;  ///< its first characters, to recognise it by
    Role role = Role::consumer;
    std::string user_id;
    std::string description;
    WallTime created_at;
    std::optional<WallTime> expires_at;
    bool revoked = false;
};

/// A token with its secret, which is shown this once.
struct NewToken {
    Token token;
    std::string secret;  ///< "bsc_…"
};

/// What belongs into the unit of work of a change beside the change itself, so that both happen or
/// neither; whoever offers the change to the world gives it. Each may be empty. Called on the
/// writer's thread.
struct Alongside {
    /// First of all: the id that this very request made or changed before, if it did. It is then
    /// answered again and nothing is done.
    std::function<Result<std::optional<std::string>>(sql::Session&)> earlier;
    /// Then: an error forbids the change.
    std::function<Result<>(sql::Session&)> allow;
    /// Last: whatever else belongs to the change, such as remembering the id for `earlier`.
    std::function<Result<>(sql::Session&, const std::string& id)> keep;
};

/// Users and tokens. Every check happens in memory: what the tables hold is loaded at `create`,
/// changes are written first and take effect then.
///
/// Passwords are kept as Argon2id (libsodium), tokens (256 bits of chance) as SHA-256.
///
/// Threads:   any. `verify_password` takes some 50 ms of a processor: not on a network thread.
///            Completions run on the writer's thread, or on the caller's where nothing is written.
/// Lifetime:  database, writer and clock outlive it.
/// Limits:    users_max, tokens_max; names of 1 to 64 bytes, passwords of 8 to 1024.
class Authenticator {
  public:
    static constexpr std::size_t users_max = 10'000;
    static constexpr std::size_t tokens_max = 100'000;  ///< revoked ones count

    static std::vector<sql::Migration> migrations();

    static Result<std::unique_ptr<Authenticator>> create(sql::Database& database,
                                                         sql::Writer& writer, const Clock& clock);
    ~Authenticator();

    /// Constant time in the secret, no SQL. Errors: `not_found` for anything but a valid token;
    /// only who has its secret learns that it expired or was revoked.
    Result<Principal> authenticate(std::string_view secret) const;

    /// Whether a principal that was let in is still welcome: its token neither revoked nor expired,
    /// its user not deleted. No SQL; for what lasts longer than a request.
    bool is_welcome(const Principal& principal) const;

    /// Errors: `not_found` (user or password), `exhausted` (too many failures of that name, or too
    /// many logins at once: wait). The principal has the user's role and no token.
    Result<Principal> verify_password(std::string_view name, std::string_view password);

    /// Whether the id is, or was before it was deleted, a user's: what happened to their data stays
    /// theirs. O(log n), no SQL.
    bool is_or_was_user(const std::string& id) const;

    std::vector<User> users() const;
    std::vector<Token> tokens() const;

    /// An empty password makes a user that can only be reached by tokens. Errors: `conflict` (the
    /// name is taken), `invalid` (name or password, with what is allowed). A repeat is answered
    /// with the user as it is now; `not_found` if it was deleted since.
    void create_user(std::string name, std::string password, Role role, io::Completion<User> done,
                     Alongside alongside = {});
    /// Revokes its tokens too; the id is remembered. Errors: `not_found`; `conflict` for the last
    /// owner.
    void delete_user(const std::string& id, io::Completion<> done, Alongside alongside = {});
    /// Errors: `not_found` (user), `invalid` (a role that needs a user without one), `conflict` for
    /// a repeat: nobody has the secret any more; the message names the token.
    void create_token(Role role, std::string user_id, std::string description,
                      std::optional<WallTime> expires_at, io::Completion<NewToken> done,
                      Alongside alongside = {});
    /// Fine if it is revoked already. Errors: `not_found`.
    void revoke_token(const std::string& id, io::Completion<> done, Alongside alongside = {});

  private:
    struct State;
    explicit Authenticator(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace bascule::auth
