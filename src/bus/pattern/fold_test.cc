#include "bus/pattern/fold.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <string>

namespace bascule::pattern {
namespace {

std::string encoded(utf8proc_int32_t point) {
    std::string bytes(4, '\0');
    bytes.resize(static_cast<std::size_t>(
        utf8proc_encode_char(point, reinterpret_cast<utf8proc_uint8_t*>(bytes.data()))));
    return bytes;
}

TEST(FoldTest, KnowsCharactersOfTwoCasesAndOfThree) {
    EXPECT_TRUE(equals_ignoring_case("Straße", "STRASSE"));
    EXPECT_TRUE(equals_ignoring_case("Straße", "straße"));
    EXPECT_FALSE(equals_ignoring_case("Strasse", "straße"));
    EXPECT_TRUE(equals_ignoring_case("ǅ", "ǆ"));
    EXPECT_FALSE(equals_ignoring_case("ǅ", "ǅ"));
    EXPECT_FALSE(equals_ignoring_case("é", "è"));
    EXPECT_TRUE(begins_ignoring_case("ß", "SSa"));
    EXPECT_FALSE(begins_ignoring_case("ß", "S"));
    EXPECT_TRUE(ends_ignoring_case("ß", "aSS"));
    EXPECT_FALSE(ends_ignoring_case("ß", "ßa"));
    EXPECT_TRUE(ends_ignoring_case("\u0390", "q\u0399\u0308\u0301")) << "2 bytes for 6";
    EXPECT_TRUE(ends_ignoring_case("aßb", "xASSB"));
    EXPECT_FALSE(ends_ignoring_case("aßb", "xASB"));
    EXPECT_FALSE(ends_ignoring_case("xaß", "ASS"));
    EXPECT_TRUE(ends_ignoring_case("", "a"));
}

/// Because of this, a match needs no search.
TEST(FoldTest, NoSpellingBeginsOrEndsTheOther) {
    std::size_t different = 0;
    for (utf8proc_int32_t point = 1; point <= 0x10FFFF; ++point) {
        if (!utf8proc_codepoint_valid(point)) {
            continue;
        }
        const auto [upper, lower] = spellings_ignoring_case(encoded(point));
        if (upper != lower) {
            ++different;
            EXPECT_FALSE(upper.starts_with(lower)) << std::hex << point;
            EXPECT_FALSE(lower.starts_with(upper)) << std::hex << point;
            EXPECT_FALSE(upper.ends_with(lower)) << std::hex << point;
            EXPECT_FALSE(lower.ends_with(upper)) << std::hex << point;
        }
    }
    EXPECT_GT(different, 2000U);
}

}  // namespace
}  // namespace bascule::pattern
