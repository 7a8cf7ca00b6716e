#include "server/auth/authenticator.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "foundation/base/guarded.h"
#include "foundation/base/hash.h"
#include "foundation/base/uuid.h"
#include "foundation/io/thread_pool.h"
#include "server/auth/access_store.h"
#include "server/auth/login_limiter.h"
#include "server/auth/secrets.h"

namespace bascule::auth {

namespace {

using access_store::TokenRow;
using access_store::UserRow;

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t password_bytes_min = 8;
constexpr std::size_t password_bytes_max = 1024;
constexpr std::size_t description_bytes_max = 200;
constexpr std::size_t prefix_bytes = 8;
constexpr int logins_at_once_max = 2;  // each needs 64 MiB and a processor

/// The first bytes of a digest are as good a hash as any. That a lookup's time depends on the
/// digest tells nothing about the secret: nobody can steer SHA-256.
struct DigestHash {
    std::size_t operator()(const Sha256Digest& digest) const {
        std::size_t head = 0;
        std::memcpy(&head, digest.data(), sizeof head);
        return head;
    }
};

/// What the tables hold, as checks need it.
struct Memory {
    std::map<std::string, UserRow> users;
    std::unordered_map<std::string, std::string> user_ids;  ///< by folded name
    std::set<std::string> former_users;                     ///< ids
    std::map<std::string, TokenRow> tokens;
    std::unordered_map<Sha256Digest, std::string, DigestHash> token_ids;

    void add(UserRow row) {
        user_ids.emplace(access_store::folded(row.user.name), row.user.id);
        users.emplace(row.user.id, std::move(row));
    }
    void add(TokenRow row) {
        token_ids.emplace(row.digest, row.token.id);
        tokens.emplace(row.token.id, std::move(row));
    }
    void delete_user(const std::string& id) {
        const auto found = users.find(id);
        if (found == users.end()) {
            return;
        }
        user_ids.erase(access_store::folded(found->second.user.name));
        users.erase(found);
        former_users.insert(id);
        for (auto& [token_id, row] : tokens) {
            row.token.revoked = row.token.revoked || row.token.user_id == id;
        }
    }
};

bool has_control_characters(std::string_view text) {
    return std::ranges::any_of(text, [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    });
}

Result<> check_name(const std::string& name) {
    const bool trimmed = !name.starts_with(' ') && !name.ends_with(' ');
    if (name.empty() || name.size() > name_bytes_max || has_control_characters(name) || !trimmed) {
        return fail(ErrorKind::invalid,
                    "a user name has 1 to 64 bytes, no control characters, and no space at its "
                    "ends");
    }
    return {};
}

Result<> check_password(const std::string& password) {
    if (!password.empty() &&
        (password.size() < password_bytes_min || password.size() > password_bytes_max)) {
        return fail(ErrorKind::invalid, "the password has " + std::to_string(password.size()) +
                                            " bytes; 8 to 1024 are allowed, or none at all");
    }
    return {};
}

}  // namespace

struct Authenticator::State {
    State(sql::Writer& writes, const Clock& time) : writer(writes), clock(time) {}

    sql::Writer& writer;
    const Clock& clock;
    Guarded<Memory> memory;
    Guarded<LoginLimiter> limiter;
    std::atomic<int> logins_at_once = 0;
    io::ThreadPool hashing{{.name = "passwords", .threads = 1}};

    /// The id that a change made or changed, now or, if it is a repeat, the first time.
    struct Written {
        std::string id;
        bool repeated = false;
    };

    /// Runs `work` for the thing `id`, and what goes alongside, on the SQL writer; once that is
    /// durable, `then` changes the memory and gives the answer.
    template <class T, class Work, class Then>
    static void write(const std::shared_ptr<State>& state, std::string id, Alongside alongside,
                      Work work, Then then, io::Completion<T> done) {
        state->writer.submit(
            [id = std::move(id), alongside = std::move(alongside),
             work = std::move(work)](sql::Session& session) mutable -> Result<Written> {
                if (alongside.earlier) {
                    if (const auto earlier = TRY(alongside.earlier(session))) {
                        return Written{.id = *earlier, .repeated = true};
                    }
                }
                if (alongside.allow) {
                    TRY(alongside.allow(session));
                }
                TRY(work(session));
                if (alongside.keep) {
                    TRY(alongside.keep(session, id));
                }
                return Written{.id = id};
            },
            [state, then = std::move(then),
             done = std::move(done)](Result<Written> written) mutable {
                if (!written) {
                    done(std::unexpected(std::move(written).error()));
                    return;
                }
                done(state->memory.with(
                    [&](Memory& memory) -> Result<T> { return then(memory, *written); }));
            });
    }
};

std::vector<sql::Migration> Authenticator::migrations() { return access_store::migrations(); }

Result<std::unique_ptr<Authenticator>> Authenticator::create(sql::Database& database,
                                                             sql::Writer& writer,
                                                             const Clock& clock) {
    auto snapshot = TRY(database.read());
    auto users = TRY(access_store::load_users(snapshot.session()));
    auto former_users = TRY(access_store::load_former_users(snapshot.session()));
    auto tokens = TRY(access_store::load_tokens(snapshot.session()));
    auto state = std::make_shared<State>(writer, clock);
    state->memory.with([&](Memory& memory) {
        for (UserRow& row : users) {
            memory.add(std::move(row));
        }
        for (TokenRow& row : tokens) {
            memory.add(std::move(row));
        }
        memory.former_users = std::move(former_users);
    });
    return std::unique_ptr<Authenticator>(new Authenticator(std::move(state)));
}

Authenticator::Authenticator(std::shared_ptr<State> state) : state_(std::move(state)) {}
Authenticator::~Authenticator() { state_->hashing.stop(); }

// --- checks --------------------------------------------------------------------------------------

Result<Principal> Authenticator::authenticate(std::string_view secret) const {
    const Sha256Digest digest = sha256(secret);
    const WallTime now = state_->clock.wall();
    return state_->memory.with([&](const Memory& memory) -> Result<Principal> {
        const auto id = memory.token_ids.find(digest);
        if (id == memory.token_ids.end()) {
            return fail(ErrorKind::not_found, "the token is not known");
        }
        const Token& token = memory.tokens.at(id->second).token;
        if (token.revoked) {
            return fail(ErrorKind::not_found, "the token was revoked");
        }
        if (token.expires_at && *token.expires_at <= now) {
            return fail(ErrorKind::not_found, "the token has expired");
        }
        const auto user = memory.users.find(token.user_id);
        return Principal{.user_id = token.user_id,
                         .name = user != memory.users.end()  ? user->second.user.name
                                 : token.description.empty() ? token.prefix
                                                             : token.description,
                         .role = token.role,
                         .token_id = token.id};
    });
}

bool Authenticator::is_welcome(const Principal& principal) const {
    const WallTime now = state_->clock.wall();
    return state_->memory.with([&](const Memory& memory) {
        if (principal.token_id.empty()) {
            return memory.users.contains(principal.user_id);
        }
        const auto found = memory.tokens.find(principal.token_id);
        return found != memory.tokens.end() && !found->second.token.revoked &&
               (!found->second.token.expires_at || *found->second.token.expires_at > now);
    });
}

Result<Principal> Authenticator::verify_password(std::string_view name, std::string_view password) {
    const std::string folded = access_store::folded(name.substr(0, name_bytes_max + 1));
    const SteadyTime now = state_->clock.steady();
    if (const auto wait = state_->limiter.with(
            [&](const LoginLimiter& limiter) { return limiter.wait(folded, now); })) {
        return fail(ErrorKind::exhausted, "too many failed logins; wait " +
                                              std::to_string(wait->count() / 1000 + 1) + " s");
    }
    if (++state_->logins_at_once > logins_at_once_max) {
        --state_->logins_at_once;
        return fail(ErrorKind::exhausted, "too many logins at once; repeat after a moment");
    }
    const auto row = state_->memory.with([&](const Memory& memory) -> std::optional<UserRow> {
        const auto id = memory.user_ids.find(folded);
        return id == memory.user_ids.end() ? std::nullopt
                                           : std::optional(memory.users.at(id->second));
    });
    // A user without a password takes as long as one that does not exist.
    const bool matches = row && !row->password_hash.empty()
                             ? password_matches(row->password_hash, password)
                             : password_of_nobody(password);
    --state_->logins_at_once;

    state_->limiter.with([&](LoginLimiter& limiter) {
        if (matches) {
            limiter.succeeded(folded);
        } else {
            limiter.failed(folded, now);
        }
    });
    if (!row || !matches) {
        return fail(ErrorKind::not_found, "the user name or the password is wrong");
    }
    return Principal{.user_id = row->user.id, .name = row->user.name, .role = row->user.role};
}

bool Authenticator::is_or_was_user(const std::string& id) const {
    return state_->memory.with([&](const Memory& memory) {
        return memory.users.contains(id) || memory.former_users.contains(id);
    });
}

std::vector<User> Authenticator::users() const {
    return state_->memory.with([](const Memory& memory) {
        std::vector<User> all;
        for (const auto& [id, row] : memory.users) {
            all.push_back(row.user);
        }
        return all;
    });
}

std::vector<Token> Authenticator::tokens() const {
    return state_->memory.with([](const Memory& memory) {
        std::vector<Token> all;
        for (const auto& [id, row] : memory.tokens) {
            all.push_back(row.token);
        }
        return all;
    });
}

// --- changes -------------------------------------------------------------------------------------

void Authenticator::create_user(std::string name, std::string password, Role role,
                                io::Completion<User> done, Alongside alongside) {
    auto check = [&]() -> Result<> {
        TRY(check_name(name));
        TRY(check_password(password));
        if (state_->memory.with([](const Memory& memory) { return memory.users.size(); }) >=
            users_max) {
            return fail(ErrorKind::exhausted, "there are 10000 users; more are not possible");
        }
        return {};
    };
    if (auto checked = check(); !checked) {
        done(std::unexpected(std::move(checked).error()));
        return;
    }
    UserRow row{.user = {.id = new_uuid(),
                         .name = std::move(name),
                         .role = role,
                         .created_at = state_->clock.wall()},
                .password_hash = {}};
    // Hashing would hold up the network or all writes: it has a thread of its own.
    auto insert = [state = std::weak_ptr(state_), row = std::move(row),
                   password = std::move(password), done = std::move(done),
                   alongside = std::move(alongside)]() mutable {
        const auto self = state.lock();
        if (!self) {
            return;
        }
        if (!password.empty()) {
            row.password_hash = hash_password(password);
            if (row.password_hash.empty()) {
                done(fail(ErrorKind::unavailable, "no memory to hash the password; repeat later"));
                return;
            }
        }
        State::write<User>(
            self, row.user.id, std::move(alongside),
            [row](sql::Session& session) { return access_store::insert_user(session, row); },
            [row](Memory& memory, const State::Written& written) -> Result<User> {
                if (!written.repeated) {
                    memory.add(row);
                }
                const auto user = memory.users.find(written.id);
                if (user == memory.users.end()) {
                    return fail(ErrorKind::not_found, "the user was deleted since");
                }
                return user->second.user;
            },
            std::move(done));
    };
    state_->hashing.post(std::move(insert));
}

void Authenticator::delete_user(const std::string& id, io::Completion<> done, Alongside alongside) {
    State::write<void>(
        state_, id, std::move(alongside),
        [id](sql::Session& session) { return access_store::delete_user(session, id); },
        [](Memory& memory, const State::Written& written) -> Result<> {
            memory.delete_user(written.id);
            return {};
        },
        std::move(done));
}

void Authenticator::create_token(Role role, std::string user_id, std::string description,
                                 std::optional<WallTime> expires_at, io::Completion<NewToken> done,
                                 Alongside alongside) {
    auto check = [&]() -> Result<> {
        if (role == Role::member && user_id.empty()) {
            return fail(ErrorKind::invalid, "a token with the role member needs a user");
        }
        if (description.size() > description_bytes_max || has_control_characters(description)) {
            return fail(ErrorKind::invalid,
                        "a token's description has at most 200 bytes and no control characters");
        }
        if (expires_at && *expires_at <= state_->clock.wall()) {
            return fail(ErrorKind::invalid, "the token would have expired before it is made");
        }
        if (state_->memory.with([](const Memory& memory) { return memory.tokens.size(); }) >=
            tokens_max) {
            return fail(ErrorKind::exhausted, "there are 100000 tokens; more are not possible");
        }
        return {};
    };
    if (auto checked = check(); !checked) {
        done(std::unexpected(std::move(checked).error()));
        return;
    }
    const std::string secret = new_token_secret();
    const TokenRow row{.token = {.id = new_uuid(),
                                 .prefix = secret.substr(0, prefix_bytes),
                                 .role = role,
                                 .user_id = std::move(user_id),
                                 .description = std::move(description),
                                 .created_at = state_->clock.wall(),
                                 .expires_at = expires_at},
                       .digest = sha256(secret)};
    auto insert = [row](sql::Session& session) -> Result<> {
        const std::string& user = row.token.user_id;
        if (!user.empty() && !TRY(access_store::user_exists(session, user))) {
            return fail(ErrorKind::not_found, "no user has the id \"" + user + "\"");
        }
        return access_store::insert_token(session, row);
    };
    State::write<NewToken>(
        state_, row.token.id, std::move(alongside), std::move(insert),
        [row, secret](Memory& memory, const State::Written& written) -> Result<NewToken> {
            if (written.repeated) {
                return fail(ErrorKind::conflict,
                            "this request made the token " + written.id +
                                " before, and its secret was shown then; revoke that token if the "
                                "secret is lost, and ask with a new Idempotency-Key");
            }
            memory.add(row);
            return NewToken{.token = row.token, .secret = secret};
        },
        std::move(done));
}

void Authenticator::revoke_token(const std::string& id, io::Completion<> done,
                                 Alongside alongside) {
    State::write<void>(
        state_, id, std::move(alongside),
        [id](sql::Session& session) { return access_store::revoke_token(session, id); },
        [](Memory& memory, const State::Written& written) -> Result<> {
            memory.tokens.at(written.id).token.revoked = true;
            return {};
        },
        std::move(done));
}

}  // namespace bascule::auth
