#include "household/finance/text.h"

#include <gtest/gtest.h>

namespace bascule::finance {
namespace {

struct FoldCase {
    const char* claim;
    const char* text;
    const char* folded;
};

class MatchTextTest : public testing::TestWithParam<FoldCase> {};

TEST_P(MatchTextTest, IsAsTheContractSays) {
    EXPECT_EQ(match_text(GetParam().text), GetParam().folded);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MatchTextTest,
    testing::Values(FoldCase{"Empty", "", ""}, FoldCase{"OnlyBlanks", " \t\n ", ""},
                    FoldCase{"CaseGoes", "LIDL 42", "lidl 42"},
                    FoldCase{"RunsOfBlanksBecomeOne", "  a \t\r\n b  ", "a b"},
                    FoldCase{"SharpS", "STRASSE Straße", "strasse strasse"},
                    FoldCase{"Composes", "Cafe\xCC\x81", "caf\xC3\xA9"},
                    FoldCase{"PrecomposedIsTheSame", "CAF\xC3\x89", "caf\xC3\xA9"},
                    FoldCase{"WideLettersAreLetters", "\xEF\xBC\xA1\xEF\xBC\xA2\xEF\xBC\xA3",
                             "abc"},
                    FoldCase{"NoBreakSpaceIsABlank",
                             "a\xC2\xA0\xE2\x80\xAF"
                             "b",
                             "a b"},
                    FoldCase{"SoftHyphenIsInvisible", "Amt\xC2\xADsgericht", "amtsgericht"},
                    FoldCase{"ControlCharactersAreBlanks",
                             "a\x01\x7f"
                             "b",
                             "a b"},
                    FoldCase{"LigatureComesApart", "\xEF\xAC\x81n", "fin"},
                    FoldCase{"WrongBytesAreReplacedAndTheRestStays", "M\xFCller GMBH",
                             "m\xEF\xBF\xBDller gmbh"},
                    FoldCase{"CutSequenceAtTheEnd", "A\xC3", "a\xEF\xBF\xBD"}),
    [](const auto& info) { return info.param.claim; });

TEST(MatchPatternTest, KeepsOneBlankAtEachEnd) {
    EXPECT_EQ(match_pattern("  Kino  "), " kino ");
    EXPECT_EQ(match_pattern("Caf\xC3\x89 "), "caf\xC3\xA9 ");
    EXPECT_EQ(match_pattern("Miete\xC2\xA0"), "miete ");
    EXPECT_EQ(match_pattern("  "), " ");
}

TEST(NormalisedTest, ComposesAndLeavesCaseAndBlanks) {
    EXPECT_EQ(normalised(" Cafe\xCC\x81  X "), " Caf\xC3\xA9  X ");
    EXPECT_EQ(normalised("\xEF\xAC\x81"), "\xEF\xAC\x81");
}

}  // namespace
}  // namespace bascule::finance
