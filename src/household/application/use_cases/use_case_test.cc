#include "household/application/use_cases/use_case.h"

#include <gtest/gtest.h>

#include <functional>

#include "bus/event/catalogue.h"
#include "foundation/base/testing.h"
#include "household/application/household_test_kit.h"
#include "household/application/use_cases/users.h"

namespace bascule::application {
namespace {

using testing::HasSubstr;

class IdempotencyTest : public testing::Test {
  protected:
    Result<Account> create(const std::string& name, const std::string& key,
                           const std::string& user_id = "ada") {
        return world.wait<Account>([&](auto done) {
            world.household.accounts.create(world.actor(user_id, key),
                                            {.name = name, .type = "other", .currency = "EUR"},
                                            std::move(done));
        });
    }

    TestHousehold world;
};

TEST_F(IdempotencyTest, ARepeatAnswersTheSameAndChangesNothing) {
    const auto first = create("Giro", "k1").value();
    world.new_events();
    const auto again = create("Giro", "k1").value();
    EXPECT_EQ(again.id, first.id);
    EXPECT_TRUE(world.new_events().empty());
    EXPECT_EQ(world.count("select count(*) from accounts"), 1);
}

TEST_F(IdempotencyTest, ARepeatOfADeletionAnswersTheSameNumber) {
    const auto account = world.account("Giro");
    world.transaction(account.id, "2026-01-02", "1");
    const auto remove = [&] {
        return world.wait<std::int64_t>([&](auto done) {
            world.household.accounts.remove(world.actor("ada", "k"), account.id, std::move(done));
        });
    };
    EXPECT_EQ(remove().value(), 1);
    EXPECT_EQ(remove().value(), 1);
}

TEST_F(IdempotencyTest, AKeyIsForOneRequestOfOneUser) {
    ASSERT_THAT(create("Giro", "k1"), Succeeds());
    EXPECT_THAT(create("Spar", "k1"), FailsWith(ErrorKind::conflict, HasSubstr("Idempotency-Key")));
    EXPECT_THAT(create("Spar", "k1", "bob"), Succeeds());
    EXPECT_THAT(create("Spar", std::string(300, 'k')), FailsWith(ErrorKind::invalid));
}

TEST_F(IdempotencyTest, ARefusedRequestLeavesItsKeyFree) {
    ASSERT_THAT(create("", "k1"), FailsWith(ErrorKind::invalid));
    EXPECT_THAT(create("Giro", "k1"), Succeeds());
}

TEST_F(IdempotencyTest, AKeyIsForgottenAfterADay) {
    ASSERT_THAT(create("Giro", "k1"), Succeeds());
    world.clock.advance(24h + 1s);
    EXPECT_THAT(create("Spar", "k1"), Succeeds());
    EXPECT_EQ(world.count("select count(*) from idempotency_keys"), 1);
}

TEST(RequestTest, DistinguishesWhatIsAsked) {
    const auto digest = [](auto... values) {
        Request request("r");
        (request.add(values), ...);
        return request.digest();
    };
    using Text = std::optional<std::string>;
    EXPECT_NE(digest(Text("ab"), Text("c")), digest(Text("a"), Text("bc")));
    EXPECT_NE(digest(Text()), digest(Text("")));
    EXPECT_NE(digest(std::int64_t{1}), digest(std::int64_t{2}));
    EXPECT_EQ(digest(Text("a")), digest(Text("a")));
}

/// Walks every use case that writes. Each must publish, and what the catalogue knows; and
/// TestHousehold refuses any unit that changes a domain table without an outbox row.
TEST(NoSilentChangeTest, EveryUseCasePublishes) {
    TestHousehold world;
    Household& house = world.household;
    const auto account = world.account("Giro");
    const auto other = world.account("Spar");
    const auto category = world.category("Food");
    const auto file = world.file("a", "x", account.id);
    const auto row = world.transaction(account.id, "2026-01-02", "1");
    const auto bulk_one = world.transaction(account.id, "2026-01-02", "1");
    const auto bulk_two = world.transaction(account.id, "2026-01-02", "1");
    std::string rule_id;
    const auto expect = [&](const char* use_case, std::vector<std::string> types, auto outcome) {
        EXPECT_THAT(outcome, Succeeds()) << use_case;
        EXPECT_EQ(world.new_types(), types) << use_case;
        for (const std::string& type : types) {
            EXPECT_NE(event::find_type(type), nullptr) << type << " is not in the catalogue";
        }
    };
    expect("set-up",
           {"account.created", "account.created", "category.created", "file.uploaded",
            "transactions.created", "transactions.created", "transactions.created"},
           Result<>());
    expect("account update", {"account.updated"}, world.wait<Account>([&](auto done) {
        house.accounts.update(world.actor(), account.id, {.institution = "Bank"}, std::move(done));
    }));
    expect("transaction update", {"transaction.updated", "transaction.categorized"},
           world.wait<Transaction>([&](auto done) {
               house.transactions.update(world.actor(), row.id,
                                         {.payee = "p", .category_id = category.node.id},
                                         std::move(done));
           }));
    expect("bulk removal", {"transactions.deleted"}, world.wait<std::int64_t>([&](auto done) {
        house.transactions.remove(world.actor(), {bulk_one.id, bulk_two.id}, std::move(done));
    }));
    expect("category update", {"category.updated"}, world.wait<Category>([&](auto done) {
        house.categories.update(world.actor(), category.node.id, {.icon = "pan"}, std::move(done));
    }));
    const auto rule = world.wait<CategoryRule>([&](auto done) {
        house.rules.create(world.actor(),
                           {.category_id = category.node.id,
                            .conditions = finance::ConditionNode::of({.value = "lidl"})},
                           std::move(done));
    });
    expect("rule creation", {"category.rule_created"}, rule);
    expect("rule update", {"category.rule_updated"}, world.wait<CategoryRule>([&](auto done) {
        house.rules.update(world.actor(), rule->rule.id, {.priority = 1}, std::move(done));
    }));
    expect("rule removal", {"category.rule_deleted"}, world.wait<std::int64_t>([&](auto done) {
        house.rules.remove(world.actor(), rule->rule.id, std::move(done));
    }));
    expect("file move", {"file.associated"}, world.wait<File>([&](auto done) {
        house.files.associate(world.actor(), file.id, other.id, std::move(done));
    }));
    expect("file removal", {"file.deleted"}, world.wait<FileRemoval>([&](auto done) {
        house.files.remove(world.actor(), file.id, std::move(done));
    }));
    expect("category removal", {"transaction.categorized", "category.deleted"},
           world.wait<std::int64_t>([&](auto done) {
               house.categories.remove(world.actor(), category.node.id, std::move(done));
           }));
    expect("preferences", {"preferences.updated"}, world.wait<Preferences>([&](auto done) {
        house.preferences.put(world.actor(), {.locale = "de"}, std::move(done));
    }));
    expect("account removal", {"transactions.deleted", "account.deleted"},
           world.wait<std::int64_t>([&](auto done) {
               house.accounts.remove(world.actor(), account.id, std::move(done));
           }));
    expect("user removal", {"user.deleted"}, world.wait<void>([&](auto done) {
        world.writer().submit(
            [&](sql::Session& session) {
                return forget_user(session, world.actor(), world.clock.wall());
            },
            std::move(done));
    }));
    EXPECT_EQ(world.count("select count(*) from preferences"), 0);
}

TEST(NoSilentChangeTest, TheCheckItselfCatchesAChangeOfEveryDomainTable) {
    TestHousehold world;
    const auto domain = sql::tables_of(migrations(), sql::TableKind::domain);
    ASSERT_GE(domain.size(), 8);
    EXPECT_THAT(world.wait<void>([&](auto done) {
        world.writer().submit(
            [](sql::Session& session) -> Result<> {
                TRY(
                    session.execute("insert into preferences (user_id, webhook_url, webhook_secret,"
                                    " webhook_enabled, locale, currency, updated_ms)"
                                    " values ('ada', '', '', 0, '', '', 0)"));
                return {};
            },
            std::move(done));
    }),
                FailsWith(ErrorKind::corrupt, HasSubstr("silent change of preferences")));
    // Every table of the schema is declared, one way or the other.
    auto declared = domain;
    const auto technical = sql::tables_of(migrations(), sql::TableKind::technical);
    declared.insert(declared.end(), technical.begin(), technical.end());
    declared.push_back("schema_migrations");
    auto snapshot = world.database().read().value();
    ASSERT_THAT(snapshot->query("select name from sqlite_master where type = 'table'", {},
                                [&](const sql::Row& row) {
                                    EXPECT_THAT(declared, testing::Contains(row.text(0)));
                                }),
                Succeeds());
}

/// Goal: what was asked before a user's deletion and is carried out after it. Method: the deletion
/// is submitted first and nobody waits for it; the writer keeps the order.
TEST(DepartedUserTest, WhatWaitedBehindTheDeletionIsRefused) {
    TestHousehold world;
    Household& house = world.household;
    const auto account = world.account("Giro");
    const auto kept = world.wait<Account>([&](auto done) {
        house.accounts.create(world.actor("ada", "k"),
                              {.name = "Kept", .type = "other", .currency = "EUR"},
                              std::move(done));
    });
    ASSERT_THAT(kept, Succeeds());
    world.new_events();
    world.writer().submit(
        [&](sql::Session& session) {
            return forget_user(session, world.actor(), world.clock.wall());
        },
        [](const Result<>& forgotten) { EXPECT_THAT(forgotten, Succeeds()); });
    const auto refused = [](const auto& result) {
        EXPECT_THAT(result, FailsWith(ErrorKind::not_found, HasSubstr("the user was deleted")));
    };
    refused(world.wait<Account>([&](auto done) {
        house.accounts.create(world.actor(), {.name = "Late", .type = "other", .currency = "EUR"},
                              std::move(done));
    }));
    refused(world.wait<Account>([&](auto done) {
        house.accounts.create(world.actor("ada", "k"),
                              {.name = "Kept", .type = "other", .currency = "EUR"},
                              std::move(done));
    }));
    refused(world.wait<File>([&](auto done) {
        house.files.upload(world.actor(),
                           {.file_name = "a", .content = "x", .account_id = account.id},
                           std::move(done));
    }));
    refused(world.wait<Preferences>([&](auto done) {
        house.preferences.put(world.actor(), {.locale = "de"}, std::move(done));
    }));
    refused(world.wait<std::int64_t>(
        [&](auto done) { house.accounts.remove(world.actor(), account.id, std::move(done)); }));
    EXPECT_EQ(world.new_types(), std::vector<std::string>{"user.deleted"});
    EXPECT_EQ(world.count("select count(*) from accounts"), 2);
    EXPECT_EQ(world.count("select count(*) from preferences"), 0);
    EXPECT_EQ(world.account("Giro", "bob").name, "Giro") << "others go on";
}

/// Every read and every write with the id of something that belongs to somebody else.
TEST(IsolationTest, AnotherUsersThingsAreNotFound) {
    TestHousehold world;
    Household& house = world.household;
    const auto account = world.account("Giro");
    const auto category = world.category("Food");
    const auto file = world.file("a", "x", account.id);
    const auto row = world.transaction(account.id, "2026-01-02", "1");
    const auto rule = world.wait<CategoryRule>([&](auto done) {
        house.rules.create(world.actor(),
                           {.category_id = category.node.id,
                            .conditions = finance::ConditionNode::of({.value = "lidl"})},
                           std::move(done));
    });
    const auto own = world.account("Bob's", "bob");
    world.new_events();
    const Actor bob = world.actor("bob");
    const auto refused = FailsWith(ErrorKind::not_found);

    EXPECT_THAT(house.accounts.get("bob", account.id), refused);
    EXPECT_THAT(house.accounts.by_name("bob", "Giro"), refused);
    EXPECT_THAT(house.files.get("bob", file.id), refused);
    EXPECT_THAT(house.files.content("bob", file.id), refused);
    EXPECT_THAT(house.transactions.get("bob", row.id), refused);
    EXPECT_THAT(house.categories.get("bob", category.node.id), refused);
    EXPECT_THAT(house.rules.get("bob", rule->rule.id), refused);
    EXPECT_EQ(house.accounts.list("bob", {})->total, 1);
    EXPECT_EQ(house.files.list("bob", {}, {})->total, 0);
    EXPECT_EQ(house.files.list("bob", {.account_id = account.id}, {})->items.size(), 0);
    EXPECT_EQ(house.transactions.list("bob", {}, {})->total, 0);
    const auto foreign = house.transactions.list("bob", {.account_id = account.id}, {}).value();
    EXPECT_EQ(foreign.total, 0);
    EXPECT_TRUE(foreign.items.empty());
    EXPECT_EQ(house.categories.list("bob", {})->total, 0);
    EXPECT_EQ(house.rules.list("bob", "", {})->total, 0);

    const auto transaction = [&](auto call) { return world.wait<Transaction>(call); };
    const auto number = [&](auto call) { return world.wait<std::int64_t>(call); };
    EXPECT_THAT(world.wait<Account>([&](auto done) {
        house.accounts.update(bob, account.id, {.name = "Mine"}, std::move(done));
    }),
                refused);
    EXPECT_THAT(number([&](auto done) { house.accounts.remove(bob, account.id, std::move(done)); }),
                refused);
    EXPECT_THAT(world.wait<File>([&](auto done) {
        house.files.upload(bob, {.file_name = "f", .content = "y", .account_id = account.id},
                           std::move(done));
    }),
                refused);
    EXPECT_THAT(world.wait<File>([&](auto done) {
        house.files.associate(bob, file.id, own.id, std::move(done));
    }),
                refused);
    EXPECT_THAT(world.wait<File>([&](auto done) {
        house.files.process(bob, file.id, std::nullopt, std::nullopt, std::move(done));
    }),
                refused);
    EXPECT_THAT(world.wait<FileRemoval>(
                    [&](auto done) { house.files.remove(bob, file.id, std::move(done)); }),
                refused);
    EXPECT_THAT(transaction([&](auto done) {
                    house.transactions.create(
                        bob, {.account_id = account.id, .date = "2026-01-01", .amount = "1"},
                        std::move(done));
                }),
                refused);
    EXPECT_THAT(transaction([&](auto done) {
                    house.transactions.create(bob,
                                              {.account_id = own.id,
                                               .date = "2026-01-01",
                                               .amount = "1",
                                               .category_id = category.node.id},
                                              std::move(done));
                }),
                refused);
    EXPECT_THAT(transaction([&](auto done) {
                    house.transactions.update(bob, row.id, {.payee = "x"}, std::move(done));
                }),
                refused);
    EXPECT_THAT(
        number([&](auto done) { house.transactions.remove(bob, {row.id}, std::move(done)); }),
        refused);
    EXPECT_THAT(world.wait<Category>([&](auto done) {
        house.categories.create(
            bob, {.name = "c", .type = "EXPENSE", .parent_id = category.node.id}, std::move(done));
    }),
                refused);
    EXPECT_THAT(world.wait<Category>([&](auto done) {
        house.categories.update(bob, category.node.id, {.name = "c"}, std::move(done));
    }),
                refused);
    EXPECT_THAT(
        number([&](auto done) { house.categories.remove(bob, category.node.id, std::move(done)); }),
        refused);
    EXPECT_THAT(world.wait<CategoryRule>([&](auto done) {
        house.rules.create(bob,
                           {.category_id = category.node.id,
                            .conditions = finance::ConditionNode::of({.value = "x"})},
                           std::move(done));
    }),
                refused);
    EXPECT_THAT(world.wait<CategoryRule>([&](auto done) {
        house.rules.update(bob, rule->rule.id, {.stop = true}, std::move(done));
    }),
                refused);
    EXPECT_THAT(number([&](auto done) { house.rules.remove(bob, rule->rule.id, std::move(done)); }),
                refused);
    EXPECT_TRUE(world.new_events().empty());
}

}  // namespace
}  // namespace bascule::application
