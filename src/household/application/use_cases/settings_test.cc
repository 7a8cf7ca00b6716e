#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "household/application/household_test_kit.h"
#include "household/application/use_cases/reports.h"

namespace bascule::application {
namespace {

using testing::HasSubstr;
using testing::Not;

class PreferenceSettingsTest : public testing::Test {
  protected:
    Result<Preferences> put(Preferences preferences) {
        return world.wait<Preferences>([&](auto done) {
            world.household.preferences.put(world.actor(), preferences, std::move(done));
        });
    }
    TestHousehold world;
};

TEST_F(PreferenceSettingsTest, KeepsWhatWasPutPerUser) {
    const Preferences wanted{.webhook_url = "https://example.org/hook",
                             .webhook_secret = "whsec",
                             .webhook_enabled = true,
                             .locale = "de-DE",
                             .currency = "EUR"};
    ASSERT_THAT(put(wanted), Succeeds());
    const auto read = world.household.preferences.get("ada").value();
    EXPECT_EQ(read.webhook_url, wanted.webhook_url);
    EXPECT_EQ(read.webhook_secret, "whsec");
    EXPECT_TRUE(read.webhook_enabled);
    EXPECT_EQ(world.household.preferences.get("bob")->webhook_url, "");
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].event_type, "preferences.updated");
    EXPECT_THAT(events[0].data, HasSubstr("webhook.secret"));
    EXPECT_THAT(events[0].data, Not(HasSubstr("whsec")));
    ASSERT_THAT(put(wanted), Succeeds());
    EXPECT_TRUE(world.new_events().empty());
}

TEST_F(PreferenceSettingsTest, NamesTheFieldThatIsWrong) {
    EXPECT_THAT(put({.webhook_url = "ftp://x"}),
                FailsWith(ErrorKind::invalid, HasSubstr("webhook.url")));
    EXPECT_THAT(put({.webhook_enabled = true}),
                FailsWith(ErrorKind::invalid, HasSubstr("webhook.enabled")));
    EXPECT_THAT(put({.currency = "1"}), FailsWith(ErrorKind::invalid, HasSubstr("currency")));
}

class NotificationsTest : public testing::Test {
  protected:
    void add(const std::string& id, const std::string& user_id) {
        ASSERT_THAT(world.database().writer().execute(
                        "insert into notifications (id, user_id, kind, title, message, data,"
                        " event_id, created_ms) values (?1, ?2, 'k', 't', 'm', '{}', '', ?3)",
                        {id, user_id, ++made}),
                    Succeeds());
    }
    Result<Notification> read(const std::string& id) {
        return world.wait<Notification>([&](auto done) {
            world.household.notifications.mark_read(world.actor(), id, std::move(done));
        });
    }
    TestHousehold world;
    std::int64_t made = 0;
};

TEST_F(NotificationsTest, AreListedNewestFirstAndMarkedOnce) {
    for (const char* id : {"n1", "n2", "n3"}) {
        add(id, "ada");
    }
    add("other", "bob");
    const auto page = world.household.notifications.list("ada", false, {.limit = 2}).value();
    EXPECT_EQ(page.total, 3);
    EXPECT_EQ(page.items.at(0).id, "n3");
    const auto rest =
        world.household.notifications.list("ada", false, {.cursor = page.next_cursor, .limit = 2})
            .value();
    ASSERT_EQ(rest.items.size(), 1);
    EXPECT_EQ(rest.items[0].id, "n1");
    EXPECT_TRUE(read("n2")->read);
    EXPECT_TRUE(read("n2")->read);
    EXPECT_EQ(world.household.notifications.list("ada", true, {})->total, 2);
    EXPECT_THAT(read("other"), FailsWith(ErrorKind::not_found));
}

}  // namespace
}  // namespace bascule::application
