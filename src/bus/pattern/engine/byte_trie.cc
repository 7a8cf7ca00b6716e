#include "bus/pattern/engine/byte_trie.h"

#include <algorithm>

namespace bascule::pattern {

namespace {

struct Text {
    std::string_view text;
    EntryLists::List list;
};

/// Sorted texts [begin, end) share their first `size` bytes, which lead to `node`.
struct Work {
    std::size_t node;
    std::size_t begin;
    std::size_t end;
    std::size_t size;
};

std::size_t common_prefix(std::string_view left, std::string_view right) {
    const auto [at, other] = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
    return static_cast<std::size_t>(at - left.begin());
}

}  // namespace

ByteTrie::ByteTrie(Keyed keyed) {
    std::vector<Text> texts;
    for_each_text(keyed, [&](const std::string& text, std::span<const Entry> entries) {
        texts.push_back({text, lists_.add(entries)});
    });
    if (texts.empty()) {
        return;
    }
    nodes_.emplace_back();
    bytes_ += '\0';
    std::vector<Work> todo = {{0, 0, texts.size(), 0}};
    while (!todo.empty()) {
        Work work = todo.back();
        todo.pop_back();
        if (texts[work.begin].text.size() == work.size) {
            nodes_[work.node].list = texts[work.begin].list;
            ++work.begin;
        }
        // One child for each byte that comes next, all of them before any grandchild.
        nodes_[work.node].child = static_cast<std::uint32_t>(nodes_.size());
        for (std::size_t i = work.begin; i < work.end;) {
            const char byte = texts[i].text[work.size];
            std::size_t end = i;
            while (end < work.end && texts[end].text[work.size] == byte) {
                ++end;
            }
            const std::size_t shared = common_prefix(texts[i].text, texts[end - 1].text);
            const std::string_view label = texts[i].text.substr(work.size, shared - work.size);
            todo.push_back({nodes_.size(), i, end, shared});
            nodes_.push_back({.begin = static_cast<std::uint32_t>(labels_.size()),
                              .size = static_cast<std::uint32_t>(label.size()),
                              .child = 0,
                              .children = 0,
                              .list = {}});
            bytes_ += byte;
            labels_ += label;
            ++nodes_[work.node].children;
            i = end;
        }
    }
    bytes_.append(bytes_at_once, '\0');
}

std::size_t ByteTrie::memory_bytes() const {
    return nodes_.capacity() * sizeof(Node) + bytes_.capacity() + labels_.capacity() +
           lists_.memory_bytes();
}

}  // namespace bascule::pattern
