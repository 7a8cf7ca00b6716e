#include <gmock/gmock.h>

#include <algorithm>

#include "foundation/base/testing.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"
#include "foundation/sql/test_folder.h"
#include "server/auth/authenticator.h"
#include "server/auth/login_limiter.h"
#include "server/auth/secrets.h"

namespace bascule::auth {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A clock that the test moves; `sim` is not for this floor.
class HandClock final : public Clock {
  public:
    SteadyTime steady() const override { return SteadyTime(passed); }
    WallTime wall() const override {
        return from_unix_ms(1'767'225'600'000) +
               std::chrono::floor<std::chrono::milliseconds>(passed);
    }
    std::chrono::nanoseconds passed = 1h;
};

class AuthenticatorTest : public testing::Test {
  protected:
    AuthenticatorTest() { open(); }
    ~AuthenticatorTest() override { close(); }

    void open() {
        const auto migrations = Authenticator::migrations();
        database_ =
            std::move(sql::Database::open({.path = folder_.path("auth.db")}, migrations).value());
        writer_ = std::make_unique<sql::Writer>(*database_, threads_);
        authenticator_ = std::move(Authenticator::create(*database_, *writer_, clock_).value());
    }
    void close() {
        authenticator_.reset();
        EXPECT_THAT(io::wait_for<>([&](auto done) { writer_->stop(std::move(done)); }), Succeeds());
        writer_.reset();
        database_.reset();
    }
    void restart() {
        close();
        open();
    }

    Result<User> create_user(std::string name, std::string password = "",
                             Role role = Role::member) {
        return io::wait_for<User>(
            [&](auto done) { authenticator_->create_user(name, password, role, std::move(done)); });
    }
    Result<NewToken> create_token(Role role, std::string user = "", std::string description = "",
                                  std::optional<WallTime> expires = {}) {
        return io::wait_for<NewToken>([&](auto done) {
            authenticator_->create_token(role, user, description, expires, std::move(done));
        });
    }
    Result<> delete_user(const std::string& id) {
        return io::wait_for<>([&](auto done) { authenticator_->delete_user(id, std::move(done)); });
    }
    Result<> revoke(const std::string& id) {
        return io::wait_for<>(
            [&](auto done) { authenticator_->revoke_token(id, std::move(done)); });
    }

    sql::TestFolder folder_;
    HandClock clock_;
    io::ThreadPool threads_{{.name = "sql", .threads = 1}};
    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<sql::Writer> writer_;
    std::unique_ptr<Authenticator> authenticator_;
};

TEST_F(AuthenticatorTest, ATokenNamesItsHolderAlsoAfterARestart) {
    const User user = create_user("Ada").value();
    const NewToken created = create_token(Role::member, user.id, "laptop").value();
    EXPECT_THAT(created.secret, StartsWith("bsc_"));
    EXPECT_EQ(created.secret.size(), 47u);
    EXPECT_EQ(created.token.prefix, created.secret.substr(0, 8));
    for (int round = 0; round < 2; ++round) {
        const auto principal = authenticator_->authenticate(created.secret);
        ASSERT_THAT(principal, Succeeds());
        EXPECT_EQ(principal->user_id, user.id);
        EXPECT_EQ(principal->name, "Ada");
        EXPECT_EQ(principal->role, Role::member);
        EXPECT_EQ(principal->token_id, created.token.id);
        restart();
    }
}

TEST_F(AuthenticatorTest, ATokenWithoutAUserGoesByItsDescription) {
    const auto named = create_token(Role::publisher, "", "importer").value();
    EXPECT_EQ(authenticator_->authenticate(named.secret).value().name, "importer");
    const auto bare = create_token(Role::publisher).value();
    EXPECT_EQ(authenticator_->authenticate(bare.secret).value().name, bare.token.prefix);
}

TEST_F(AuthenticatorTest, NothingButTheWholeSecretIsAccepted) {
    const std::string secret = create_token(Role::operator_).value().secret;
    std::string changed = secret;
    changed.back() = changed.back() == 'A' ? 'B' : 'A';
    for (const std::string& wrong : {std::string(), secret.substr(0, 46), secret + "x", changed}) {
        EXPECT_THAT(authenticator_->authenticate(wrong),
                    FailsWith(ErrorKind::not_found, HasSubstr("not known")));
    }
    EXPECT_THAT(authenticator_->authenticate(secret), Succeeds());
}

TEST_F(AuthenticatorTest, SecretsAreNotInTheDatabase) {
    const std::string secret = create_token(Role::owner).value().secret;
    EXPECT_THAT(create_user("Ada", "correct horse"), Succeeds());
    auto snapshot = database_->read().value();
    std::string everything;
    for (const char* query :
         {"select digest, prefix, id from tokens", "select password_hash, name, id from users"}) {
        ASSERT_THAT(snapshot->query(query, {},
                                    [&](const sql::Row& row) {
                                        everything += row.text(0) + row.text(1) + row.text(2);
                                    }),
                    Succeeds());
    }
    EXPECT_THAT(everything, HasSubstr("$argon2id$"));
    EXPECT_THAT(everything, testing::Not(HasSubstr(secret.substr(8))));
    EXPECT_THAT(everything, testing::Not(HasSubstr("correct horse")));
}

TEST_F(AuthenticatorTest, TokensExpire) {
    const auto token = create_token(Role::publisher, "", "", clock_.wall() + 1min).value();
    clock_.passed += 59s;
    EXPECT_THAT(authenticator_->authenticate(token.secret), Succeeds());
    clock_.passed += 1s;
    EXPECT_THAT(authenticator_->authenticate(token.secret),
                FailsWith(ErrorKind::not_found, HasSubstr("expired")));
    EXPECT_THAT(create_token(Role::publisher, "", "", clock_.wall()),
                FailsWith(ErrorKind::invalid));
}

TEST_F(AuthenticatorTest, RevokedTokensStayRevokedAndListed) {
    const auto token = create_token(Role::publisher).value();
    ASSERT_THAT(revoke(token.token.id), Succeeds());
    ASSERT_THAT(revoke(token.token.id), Succeeds()) << "twice is fine";
    for (int round = 0; round < 2; ++round) {
        EXPECT_THAT(authenticator_->authenticate(token.secret),
                    FailsWith(ErrorKind::not_found, HasSubstr("revoked")));
        ASSERT_EQ(authenticator_->tokens().size(), 1u);
        EXPECT_TRUE(authenticator_->tokens().front().revoked);
        restart();
    }
    EXPECT_THAT(revoke("none"), FailsWith(ErrorKind::not_found));
}

TEST_F(AuthenticatorTest, ADeletedUsersIdStaysKnownAsOne) {
    const User ada = create_user("Ada").value();
    const User bob = create_user("Bob").value();
    ASSERT_THAT(delete_user(bob.id), Succeeds());
    for (int round = 0; round < 2; ++round) {
        EXPECT_TRUE(authenticator_->is_or_was_user(ada.id));
        EXPECT_TRUE(authenticator_->is_or_was_user(bob.id));
        EXPECT_FALSE(authenticator_->is_or_was_user("nobody"));
        EXPECT_EQ(authenticator_->users().size(), 1u);
        restart();
    }
}

TEST_F(AuthenticatorTest, UsersDeletedByAnEarlierVersionAreKnownByTheirTokens) {
    const User bob = create_user("Bob").value();
    ASSERT_THAT(create_token(Role::member, bob.id), Succeeds());
    ASSERT_THAT(delete_user(bob.id), Succeeds());
    // As version 1 of the tables left it.
    ASSERT_THAT(
        io::wait_for<>([&](auto done) {
            writer_->submit(
                [](sql::Session& session) -> Result<> {
                    TRY(session.execute("drop table former_users"));
                    TRY(session.execute(
                        "delete from schema_migrations where room = 'auth' and version = 2"));
                    return {};
                },
                std::move(done));
        }),
        Succeeds());
    restart();
    EXPECT_TRUE(authenticator_->is_or_was_user(bob.id));
}

TEST_F(AuthenticatorTest, DeletingAUserRevokesItsTokensAndNoOthers) {
    const User ada = create_user("Ada", "", Role::owner).value();
    const User bob = create_user("Bob").value();
    const auto of_ada = create_token(Role::owner, ada.id).value();
    const auto of_bob = create_token(Role::member, bob.id).value();
    ASSERT_THAT(delete_user(bob.id), Succeeds());
    EXPECT_THAT(authenticator_->authenticate(of_bob.secret), FailsWith(ErrorKind::not_found));
    EXPECT_THAT(authenticator_->authenticate(of_ada.secret), Succeeds());
    EXPECT_EQ(authenticator_->users().size(), 1u);
    EXPECT_THAT(create_user("bob"), Succeeds()) << "the name is free again";
    EXPECT_THAT(delete_user(bob.id), FailsWith(ErrorKind::not_found));
}

TEST_F(AuthenticatorTest, TheLastOwnerStays) {
    const User first = create_user("Ada", "", Role::owner).value();
    EXPECT_THAT(delete_user(first.id), FailsWith(ErrorKind::conflict, HasSubstr("last owner")));
    EXPECT_THAT(create_user("Eve", "", Role::owner), Succeeds());
    EXPECT_THAT(delete_user(first.id), Succeeds());
}

TEST_F(AuthenticatorTest, NamesAreUniqueWhateverTheirCase) {
    ASSERT_THAT(create_user("Ada"), Succeeds());
    EXPECT_THAT(create_user("aDA"), FailsWith(ErrorKind::conflict, HasSubstr("\"aDA\" is taken")));
    EXPECT_EQ(authenticator_->users().size(), 1u);
}

TEST_F(AuthenticatorTest, BadInputSaysWhatIsAllowed) {
    for (const std::string& name : {std::string(), std::string(65, 'x'), std::string("a\nb"),
                                    std::string(" a"), std::string("a ")}) {
        EXPECT_THAT(create_user(name), FailsWith(ErrorKind::invalid, HasSubstr("1 to 64")));
    }
    EXPECT_THAT(create_user("Ada", "7 bytes"),
                FailsWith(ErrorKind::invalid, HasSubstr("8 to 1024")));
    EXPECT_THAT(create_token(Role::member),
                FailsWith(ErrorKind::invalid, HasSubstr("needs a user")));
    EXPECT_THAT(create_token(Role::member, "nobody"), FailsWith(ErrorKind::not_found));
    EXPECT_THAT(create_token(Role::consumer, "", std::string(201, 'x')),
                FailsWith(ErrorKind::invalid, HasSubstr("200")));
}

TEST_F(AuthenticatorTest, PasswordsAreCheckedAlsoAfterARestart) {
    const User user = create_user("Ada", "correct horse", Role::owner).value();
    ASSERT_THAT(create_user("Passwordless"), Succeeds());
    restart();
    const auto principal = authenticator_->verify_password("ADA", "correct horse");
    ASSERT_THAT(principal, Succeeds());
    EXPECT_EQ(principal->user_id, user.id);
    EXPECT_EQ(principal->role, Role::owner);
    for (const auto& [name, password] :
         {std::pair("Ada", "wrong horse"), std::pair("Eve", "correct horse"),
          std::pair("Passwordless", ""), std::pair("Ada", "")}) {
        EXPECT_THAT(authenticator_->verify_password(name, password),
                    FailsWith(ErrorKind::not_found, HasSubstr("or the password is wrong")))
            << "the same words whatever is wrong";
    }
}

TEST_F(AuthenticatorTest, GuessingIsSlowedDown) {
    ASSERT_THAT(create_user("Ada", "correct horse"), Succeeds());
    for (int i = 0; i < LoginLimiter::free_failures + 1; ++i) {
        EXPECT_THAT(authenticator_->verify_password("Ada", "guess"),
                    FailsWith(ErrorKind::not_found));
    }
    EXPECT_THAT(authenticator_->verify_password("Ada", "correct horse"),
                FailsWith(ErrorKind::exhausted, HasSubstr("wait")));
    clock_.passed += 1s;
    EXPECT_THAT(authenticator_->verify_password("Ada", "correct horse"), Succeeds());
}

TEST(LoginLimiterTest, WaitsDoubleUpToTheLimitAndEndWithSuccess) {
    LoginLimiter limiter;
    SteadyTime now = SteadyTime(1h);
    for (int i = 0; i < LoginLimiter::free_failures; ++i) {
        limiter.failed("ada", now);
        EXPECT_EQ(limiter.wait("ada", now), std::nullopt);
    }
    for (const auto expected : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        limiter.failed("ada", now);
        EXPECT_EQ(limiter.wait("ada", now), expected);
        EXPECT_EQ(limiter.wait("ada", now + expected), std::nullopt);
        EXPECT_EQ(limiter.wait("bob", now), std::nullopt);
        now += expected;
    }
    limiter.succeeded("ada");
    limiter.failed("ada", now);
    EXPECT_EQ(limiter.wait("ada", now), std::nullopt) << "counting began anew";
}

TEST(LoginLimiterTest, OldFailuresAreForgotten) {
    LoginLimiter limiter;
    const SteadyTime now = SteadyTime(1h);
    for (int i = 0; i < 10; ++i) {
        limiter.failed("ada", now);
    }
    limiter.failed("ada", now + LoginLimiter::forget_after + 1s);
    EXPECT_EQ(limiter.wait("ada", now + LoginLimiter::forget_after + 1s), std::nullopt);
}

TEST(LoginLimiterTest, IsBoundedAndKeepsWhoWaitsLongest) {
    LoginLimiter limiter;
    const SteadyTime now = SteadyTime(1h);
    for (int i = 0; i < 10; ++i) {
        limiter.failed("ada", now);
    }
    for (std::size_t i = 0; i < LoginLimiter::names_max + 100; ++i) {
        limiter.failed("guess" + std::to_string(i), now);
    }
    EXPECT_EQ(limiter.size(), LoginLimiter::names_max);
    EXPECT_NE(limiter.wait("ada", now), std::nullopt);
}

TEST(RoleTest, NamesReadBack) {
    for (const Role role :
         {Role::owner, Role::member, Role::operator_, Role::publisher, Role::consumer}) {
        EXPECT_EQ(parse_role(name(role)).value(), role);
    }
    EXPECT_THAT(parse_role("Owner"), FailsWith(ErrorKind::invalid, HasSubstr("operator")));
}

TEST(MayTest, IsTheTableOfTheDesign) {
    using enum Permission;
    const std::vector<std::pair<Role, std::vector<Permission>>> table = {
        {Role::owner, {anyone, publish, household, observe, operate, administer}},
        {Role::member, {anyone, publish, household, observe}},
        {Role::operator_, {anyone, publish, observe, operate}},
        {Role::publisher, {anyone, publish}},
        {Role::consumer, {anyone}}};
    for (const auto& [role, allowed] : table) {
        for (const Permission permission : table.front().second) {
            EXPECT_EQ(may({.user_id = "u", .role = role}, permission),
                      std::ranges::count(allowed, permission) == 1)
                << name(role) << " " << static_cast<int>(permission);
        }
    }
    EXPECT_FALSE(may({.user_id = "", .role = Role::owner}, household)) << "it is always somebody's";
}

TEST(SecretTest, NoTwoAreAlike) {
    EXPECT_NE(new_token_secret(), new_token_secret());
    EXPECT_EQ(new_token_secret().find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
              std::string::npos);
}

}  // namespace
}  // namespace bascule::auth
