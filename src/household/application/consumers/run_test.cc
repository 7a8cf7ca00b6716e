#include "household/application/consumers/run.h"

#include <gtest/gtest.h>

namespace bascule::application {
namespace {

std::string id_of(std::string_view source, std::string_view event_id) {
    return message_id({.event_id = event_id, .source = source});
}

// The inbox must tell apart what the log tells apart (event::id_hash).
TEST(MessageIdTest, NoTwoPairsOfSourceAndIdShareOne) {
    EXPECT_EQ(id_of("shop", "1"), id_of("shop", "1"));
    EXPECT_NE(id_of("https://shop", "orders/1"), id_of("https://shop/orders", "1"));
    EXPECT_NE(id_of("a", "bc"), id_of("ab", "c"));
    EXPECT_NE(id_of("", "1:a"), id_of("1", ":a"));
    EXPECT_NE(id_of("1", "1"), id_of("11", ""));
}

}  // namespace
}  // namespace bascule::application
