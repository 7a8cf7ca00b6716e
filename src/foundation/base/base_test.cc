#include <gtest/gtest.h>

#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "foundation/base/guarded.h"
#include "foundation/base/hash.h"
#include "foundation/base/named.h"
#include "foundation/base/nearest.h"
#include "foundation/base/random.h"
#include "foundation/base/result.h"
#include "foundation/base/testing.h"
#include "foundation/base/uuid.h"

namespace bascule {
namespace {

using testing::HasSubstr;

Result<int> half(int number) {
    if (number % 2 != 0) {
        return fail(ErrorKind::invalid, std::to_string(number) + " is odd");
    }
    return number / 2;
}

Result<int> quarter(int number) {
    const int first = TRY(half(number));
    return TRY(half(first));
}

TEST(ResultTest, TryYieldsTheValueOrReturnsTheError) {
    EXPECT_EQ(quarter(8).value(), 2);
    EXPECT_THAT(quarter(6), FailsWith(ErrorKind::invalid, HasSubstr("3 is odd")));
}

TEST(ErrorTest, ContextStandsInFrontOutermostFirst) {
    const Error error = Error(ErrorKind::corrupt, "checksum differs").in("segment 7").in("bus a");
    EXPECT_EQ(error.message(), "bus a: segment 7: checksum differs");
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
}

TEST(HashTest, IsStableBecauseFilesHoldIt) {
    EXPECT_EQ(hash64("bascule"), hash64(std::string("bas") + "cule"));
    EXPECT_EQ(hash64(""), 0x2d06800538d394c2);  // XXH3-64 of nothing, as published
    EXPECT_EQ(to_hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HashTest, PairsKeepTheirBorder) { EXPECT_NE(hash128("ab", "c"), hash128("a", "bc")); }

TEST(ParseSha256Test, ReadsWhatToHexWrote) {
    for (const char* text : {"", "abc", "bascule"}) {
        EXPECT_EQ(parse_sha256(to_hex(sha256(text))), sha256(text));
    }
}

TEST(ParseSha256Test, ReadsNothingElse) {
    const std::string good = to_hex(sha256("abc"));
    struct Case {
        const char* claim;
        std::string text;
    };
    std::vector<Case> cases = {
        {"nothing", ""},
        {"too short", good.substr(1)},
        {"a byte too short", good.substr(2)},
        {"too long", good + "0"},
        {"a byte too long", good + "00"},
        {"no digit at all", std::string(64, 'z')},
        {"upper case", "BA" + good.substr(2)},
        {"a sign", "+a" + good.substr(2)},
        {"a prefix", "0x" + good.substr(2)},
        {"a space before", " a" + good.substr(2)},
    };
    for (const char wrong : {'g', '/', ':', '`', '@', ' ', '\0', '\xe4'}) {
        for (const std::size_t at : {0, 1, 62, 63}) {
            std::string text = good;
            text[at] = wrong;
            cases.push_back({"a character that is no digit", text});
        }
    }
    for (const Case& c : cases) {
        EXPECT_EQ(parse_sha256(c.text), std::nullopt) << c.claim << ": " << c.text;
    }
}

TEST(HmacTest, AgreesWithRfc4231) {
    EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(RandomTest, EqualSeedsGiveEqualStreams) {
    Random one(7), two(7), other(8);
    const std::uint64_t first = one.next();
    EXPECT_EQ(first, two.next());
    EXPECT_NE(first, other.next());
}

TEST(RandomTest, BelowReachesEveryValueAndNoMore) {
    Random random(1);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 200; ++i) {
        seen.insert(random.below(5));
    }
    EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4}));
}

TEST(UuidTest, SortsByTimeAndCarriesItsVersion) {
    Random random(3);
    const std::string early = new_uuid(from_unix_ms(1'700'000'000'000), random);
    const std::string late = new_uuid(from_unix_ms(1'700'000'000'001), random);
    EXPECT_LT(early, late);
    EXPECT_EQ(early.size(), 36u);
    EXPECT_EQ(early[14], '7');
}

TEST(UuidTest, DerivedIdsDependOnTheSeedAlone) {
    EXPECT_EQ(derived_uuid("a:1"), derived_uuid("a:1"));
    EXPECT_NE(derived_uuid("a:1"), derived_uuid("a:2"));
    EXPECT_EQ(derived_uuid("a:1")[14], '8');
}

TEST(SharedGuardedTest, ReadersMeetInside) {
    const SharedGuarded<int> shared(7);
    std::latch both(2);
    const auto meet = [&] {
        shared.read([&](int value) {
            both.arrive_and_wait();  // with an exclusive lock nobody would ever leave
            EXPECT_EQ(value, 7);
        });
    };
    std::jthread other(meet);
    meet();
}

TEST(SharedGuardedTest, WritersAreAlone) {
    SharedGuarded<int> shared(0);
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < 4; ++i) {
            writers.emplace_back([&] {
                for (int j = 0; j < 10'000; ++j) {
                    shared.with([](int& value) { ++value; });
                }
            });
        }
    }
    EXPECT_EQ(shared.read([](int value) { return value; }), 40'000);
}

TEST(NearestTest, FindsWhatATypoMeantAndNothingFarOff) {
    const std::vector<std::string> verbs = {"import", "publish", "tail"};
    EXPECT_EQ(nearest("imprt", verbs), "import");
    EXPECT_EQ(nearest("improt", verbs), "import");
    EXPECT_EQ(nearest("publishh", verbs), "publish");
    EXPECT_EQ(nearest("tial", verbs), "tail") << "letters swapped are one mistake";
    EXPECT_EQ(nearest("nonsense", verbs), "");
    EXPECT_EQ(nearest("", verbs), "");
}

}  // namespace
}  // namespace bascule
