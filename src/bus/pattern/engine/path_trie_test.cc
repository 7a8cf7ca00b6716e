#include "bus/pattern/engine/path_trie.h"

#include <gtest/gtest.h>

#include <string>

namespace bascule::pattern {
namespace {

Field field_at(const PathNode& root, std::string_view path) {
    const PathNode* const node = descend(root, root, path);
    return node != nullptr ? node->field() : no_field;
}

TEST(PathTrieTest, GivesEachPathOneField) {
    PathTrie trie;
    const Field ab = trie.insert("a.b");
    const Field a = trie.insert("a");
    EXPECT_NE(a, ab);
    EXPECT_EQ(trie.insert("a.b"), ab);
    EXPECT_EQ(trie.fields(), 2U);
    const auto root = trie.publish();
    EXPECT_EQ(field_at(*root, "a.b"), ab);
    EXPECT_EQ(field_at(*root, "a"), a);
    EXPECT_EQ(field_at(*root, "b"), no_field);
    EXPECT_EQ(field_at(*root, "a.b.c"), no_field);
}

/// Paths are texts: what joins to the same text is the same path.
TEST(PathTrieTest, KnowsEmptySteps) {
    PathTrie trie;
    for (const char* path : {"", ".", "a.", ".a", "a..b"}) {
        trie.insert(path);
    }
    EXPECT_EQ(trie.fields(), 5U);
    const auto root = trie.publish();
    EXPECT_EQ(field_at(*root, ""), 0U);
    EXPECT_EQ(field_at(*root, "."), 1U);
    EXPECT_EQ(field_at(*root, "a."), 2U);
    EXPECT_EQ(field_at(*root, ".a"), 3U);
    EXPECT_EQ(field_at(*root, "a..b"), 4U);
    const PathNode* const a = descend(*root, *root, "a");
    ASSERT_NE(a, nullptr);
    EXPECT_EQ(descend(*root, *a, ""), descend(*root, *root, "a."));
}

/// Goal: a walk that passes over names by their first byte passes over none that leads on.
TEST(PathTrieTest, KnowsTheFirstBytesOfNamesThatLeadOn) {
    PathTrie trie;
    trie.insert("kit.");
    trie.insert("kit.x");
    const auto root = trie.publish();
    const PathNode* const kit = descend(*root, *root, "kit");
    ASSERT_NE(kit, nullptr);
    const PathNode* const leaf = descend(*root, *root, "kit.x");
    ASSERT_NE(leaf, nullptr);
    const auto first_bytes = [](const PathNode& node) {
        std::string found;
        for (char byte = '!'; byte < '~'; ++byte) {
            // Bytes 64 apart count as one.
            if (node.may_follow(byte) &&
                (byte >= 'a' || byte == '"' || byte == '.' || byte == '\\')) {
                found += byte;
            }
        }
        return found;
    };
    EXPECT_EQ(first_bytes(*leaf), "\\");
    EXPECT_EQ(first_bytes(*kit), "\".\\bnx") << "b and n lie 64 behind the quote and the point";
    EXPECT_EQ(first_bytes(*root), "\".\\bkn") << "the empty name is the root itself";
}

TEST(PathTrieTest, TellsNamesWithTheSameBeginningApart) {
    PathTrie trie;
    const Field long_name = trie.insert("12345678-1");
    const Field other = trie.insert("12345678-2");
    const Field start = trie.insert("12345678");
    const auto root = trie.publish();
    EXPECT_EQ(field_at(*root, "12345678-1"), long_name);
    EXPECT_EQ(field_at(*root, "12345678-2"), other);
    EXPECT_EQ(field_at(*root, "12345678"), start);
    EXPECT_EQ(field_at(*root, "12345678-3"), no_field);
}

TEST(PathTrieTest, ServesThousandsOfMembers) {
    PathTrie trie;
    for (int i = 0; i < 5000; ++i) {
        EXPECT_EQ(trie.insert("detail.name" + std::to_string(i)), static_cast<Field>(i));
    }
    const auto root = trie.publish();
    for (int i = 0; i < 5000; ++i) {
        EXPECT_EQ(field_at(*root, "detail.name" + std::to_string(i)), static_cast<Field>(i));
    }
    EXPECT_EQ(field_at(*root, "detail.name5000"), no_field);
}

TEST(PathTrieTest, NeverChangesWhatIsPublished) {
    PathTrie trie;
    for (int i = 0; i < 100; ++i) {
        trie.insert("a.b" + std::to_string(i));
    }
    const auto before = trie.publish();
    trie.insert("a");
    trie.insert("a.new");
    trie.insert("a.b7.deeper");
    const auto after = trie.publish();
    EXPECT_EQ(field_at(*before, "a"), no_field);
    EXPECT_EQ(field_at(*before, "a.new"), no_field);
    EXPECT_EQ(field_at(*before, "a.b7.deeper"), no_field);
    EXPECT_EQ(field_at(*before, "a.b7"), 7U);
    EXPECT_EQ(field_at(*after, "a"), 100U);
    EXPECT_EQ(field_at(*after, "a.new"), 101U);
    EXPECT_EQ(field_at(*after, "a.b7.deeper"), 102U);
    EXPECT_EQ(field_at(*after, "a.b7"), 7U);
}

}  // namespace
}  // namespace bascule::pattern
