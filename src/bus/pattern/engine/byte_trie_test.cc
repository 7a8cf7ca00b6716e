#include "bus/pattern/engine/byte_trie.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bascule::pattern {
namespace {

std::vector<std::uint32_t> owners_found(const ByteTrie& trie, const std::string& text) {
    std::vector<std::uint32_t> owners;
    trie.walk(
        text.size(), [&](std::size_t i) { return text[i]; },
        [&](const Entry& entry) { owners.push_back(entry.owner); });
    return owners;
}

/// Children of a node are looked for in several ways, by how many they are: with any number each
/// is found, and no byte beside them.
TEST(ByteTrieTest, FindsEachOfAnyNumberOfChildren) {
    for (std::uint32_t children = 1; children <= 40; ++children) {
        Keyed keyed;
        for (std::uint32_t i = 0; i < children; ++i) {
            keyed.push_back({std::string("a") + static_cast<char>('A' + i) + "z", {.owner = i}});
        }
        const ByteTrie trie(std::move(keyed));
        for (std::uint32_t i = 0; i < children; ++i) {
            const std::string text = std::string("a") + static_cast<char>('A' + i) + "zoo";
            EXPECT_EQ(owners_found(trie, text), std::vector<std::uint32_t>{i}) << children;
        }
        for (const int byte : {0, 1, 'A' - 1, 'A' + static_cast<int>(children), 255}) {
            const std::string text = std::string("a") + static_cast<char>(byte) + "zoo";
            EXPECT_EQ(owners_found(trie, text), std::vector<std::uint32_t>()) << children;
        }
    }
}

TEST(ByteTrieTest, FindsEveryTextThatBeginsAnother) {
    const ByteTrie trie(Keyed{
        {"", {.owner = 0}}, {"ab", {.owner = 1}}, {"abc", {.owner = 2}}, {"abd", {.owner = 3}}});
    EXPECT_EQ(owners_found(trie, "abcd"), (std::vector<std::uint32_t>{0, 1, 2}));
    EXPECT_EQ(owners_found(trie, "ab"), (std::vector<std::uint32_t>{0, 1}));
    EXPECT_EQ(owners_found(trie, "a"), (std::vector<std::uint32_t>{0}));
    EXPECT_EQ(owners_found(trie, ""), (std::vector<std::uint32_t>{0}));
}

}  // namespace
}  // namespace bascule::pattern
