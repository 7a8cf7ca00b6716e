#include "bus/pattern/engine/number_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "bus/pattern/comparable_number.h"
#include "foundation/base/random.h"
#include "foundation/json/number.h"

namespace bascule::pattern {
namespace {

bool reads_all(std::string_view text) {
    NumberKey key;
    return read_number(text.data(), text.data() + text.size(), key) == text.data() + text.size();
}

/// A number of any form: few digits often, many sometimes.
std::string random_number(Random& random) {
    const auto digits = [&](std::uint64_t count) {
        std::string text;
        for (; count > 0; --count) {
            text += static_cast<char>('0' + (random.below(3) == 0 ? random.below(10) : 0));
        }
        return text;
    };
    std::string text = random.below(2) == 0 ? "-" : "";
    text += random.below(3) == 0 ? "0" : "1" + digits(random.below(22));
    if (random.below(2) == 0) {
        text += "." + digits(1 + random.below(24));
    }
    if (random.below(3) == 0) {
        text +=
            std::string("e") + (random.below(2) == 0 ? "-" : "") + std::to_string(random.below(25));
    }
    return text;
}

TEST(NumberKeyTest, OrdersAsTheExactDecimals) {
    Random random(1);
    for (int i = 0; i < 20'000; ++i) {
        const std::string left = random_number(random);
        const std::string right = random_number(random);
        EXPECT_EQ(compare(number_of(left), number_of(right)), json::compare_numbers(left, right))
            << left << " and " << right;
    }
}

TEST(NumberKeyTest, OrdersWhatIsExtreme) {
    const std::array<std::string, 10> ascending = {
        "-1e99999999999999999", "-2e400", "-1e400", "-0.1",  "0",
        "1e-99999999999999999", "1e-400", "1e-399", "1e400", "1e99999999999999999"};
    for (std::size_t i = 0; i < ascending.size(); ++i) {
        for (std::size_t j = 0; j < ascending.size(); ++j) {
            EXPECT_EQ(compare(number_of(ascending[i]), number_of(ascending[j])), i <=> j)
                << ascending[i] << " and " << ascending[j];
        }
    }
}

TEST(NumberKeyTest, ReadsWhatJsonCallsANumber) {
    for (const char* text : {"0", "-0", "10", "1.5", "1e5", "1E+05", "0.0e-0", "-12.50e3"}) {
        EXPECT_TRUE(reads_all(text)) << text;
    }
    for (const char* text : {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "NaN", "1 "}) {
        EXPECT_FALSE(reads_all(text)) << text;
    }
}

/// The short cut for few digits must say what the long way says.
TEST(NumberKeyTest, IsComparableAsTheText) {
    Random random(2);
    for (int i = 0; i < 20'000; ++i) {
        const std::string text = random_number(random);
        EXPECT_EQ(is_comparable(number_of(text)), is_comparable(std::string_view(text))) << text;
    }
    for (const char* text : {"1e300", "1e308", "1e309", "123456789012345e-320", "4.9e-324",
                             "5e-324", "0e9999999999", "999999999999999e290"}) {
        EXPECT_EQ(is_comparable(number_of(text)), is_comparable(std::string_view(text))) << text;
    }
}

}  // namespace
}  // namespace bascule::pattern
