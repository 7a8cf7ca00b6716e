#include "address.h"

#include <gmock/gmock.h>

#include "foundation/base/testing.h"

namespace bascule {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Result<Address> address(std::string listen, bool behind_proxy = false) {
    Settings settings;
    settings.listen = std::move(listen);
    settings.behind_proxy = behind_proxy;
    return address_of(settings);
}

TEST(AddressTest, IsAnIpAddressAndAPort) {
    const auto url = [](const char* listen) { return url_of(address(listen).value()); };
    EXPECT_EQ(url("127.0.0.1:4010"), "http://127.0.0.1:4010");
    EXPECT_EQ(url("127.0.0.2:0"), "http://127.0.0.2:0");
    EXPECT_EQ(url("localhost:65535"), "http://127.0.0.1:65535");
    EXPECT_EQ(url("[::1]:4010"), "http://[::1]:4010");
    EXPECT_EQ(url("::1:4010"), "http://[::1]:4010");
}

TEST(AddressTest, AnythingElseIsToldWithWhatIsAllowed) {
    for (const char* wrong :
         {"", "foo", "4010", ":4010", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http",
          "127.0.0.1:65536", "127.0.0.1:-1", "$HOST:4010", "example.org:4010", "127.example:1",
          "http://127.0.0.1:4010", "[::1]", "[::1:4010"}) {
        EXPECT_THAT(address(wrong),
                    FailsWith(ErrorKind::invalid,
                              AllOf(HasSubstr("--listen) is '" + std::string(wrong) + "'"),
                                    HasSubstr("127.0.0.1:4010 or [::1]:4010"))))
            << wrong;
    }
}

TEST(AddressTest, OthersReachItOnlyThroughAProxy) {
    for (const char* open : {"0.0.0.0:1", "[::]:1", "192.0.2.1:1"}) {
        EXPECT_THAT(address(open), FailsWith(ErrorKind::invalid, HasSubstr("behind_proxy")))
            << open;
        EXPECT_THAT(address(open, true), Succeeds()) << open;
    }
}

}  // namespace
}  // namespace bascule
