#include "foundation/base/text_hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace bascule {
namespace {

TEST(EndWordsTest, AreTheSameWhereverTheTextLies) {
    const std::string around = "0123456789abcdefghijklmnopqrstuvwxyz";
    for (std::size_t size = 0; size <= EndWords::text_bytes_max; ++size) {
        const std::string_view inside(around.data() + 3, size);
        const std::string alone(inside);
        const EndWords words(alone);
        for (const EndWords& other : {EndWords(inside, around.data() + around.size()),
                                      EndWords(inside, inside.data() + inside.size())}) {
            EXPECT_EQ(words.head, other.head) << size;
            EXPECT_EQ(words.tail, other.tail) << size;
        }
    }
}

/// Every byte and the length of a text count, whatever its size.
TEST(TextHashTest, DependsOnEveryByte) {
    std::set<std::uint64_t> hashes;
    std::size_t texts = 0;
    for (std::size_t size = 0; size <= 70; ++size) {
        std::string text(size, 'a');
        hashes.insert(hash_of_text(text));
        ++texts;
        for (char& byte : text) {
            byte = 'b';
            hashes.insert(hash_of_text(text));
            ++texts;
            byte = 'a';
        }
    }
    EXPECT_EQ(hashes.size(), texts);
}

TEST(TextHashTest, EveryProcessHasASecretOfItsOwn) {
    const HashSecret one = HashSecret::from_entropy();
    const HashSecret other = HashSecret::from_entropy();
    EXPECT_NE(one.head, other.head);
    EXPECT_NE(one.tail, other.tail);
    EXPECT_NE(one.head, one.tail);
    EXPECT_NE(hash_secret.head, 0U);
    EXPECT_NE(hash_secret.tail, 0U);
}

}  // namespace
}  // namespace bascule
