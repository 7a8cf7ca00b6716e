#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/engine/entry.h"
#include "bus/pattern/engine/word_bytes.h"

namespace bascule::pattern {

/// Finds all of many texts with which another text begins, in one walk along it.
///
/// A radix tree: a node's children lie side by side, each with the bytes that lead to it. How the
/// walked text is read (backwards, in lower case) is the caller's choice, and the texts must have
/// been put in that way. Immutable once built; at most two nodes a text.
class ByteTrie {
  public:
    ByteTrie() = default;
    explicit ByteTrie(Keyed keyed);

    bool empty() const { return nodes_.empty(); }

    /// Calls `each(entry)` for every text that begins the one of `size` bytes that `byte(i)` gives.
    template <class Byte, class Each>
    void walk(std::size_t size, const Byte& byte, const Each& each) const {
        if (nodes_.empty()) {
            return;
        }
        std::size_t i = 0;
        for (const Node* node = nodes_.data();;) {
            for (const Entry& entry : lists_.get(node->list)) {
                each(entry);
            }
            node = i < size ? child(*node, byte(i)) : nullptr;
            if (node == nullptr || size - i < node->size) {
                return;
            }
            const char* const label = labels_.data() + node->begin;
            for (std::size_t k = 1; k < node->size; ++k) {
                if (label[k] != byte(i + k)) {
                    return;
                }
            }
            i += node->size;
        }
    }

    std::size_t memory_bytes() const;

  private:
    struct Node {
        std::uint32_t begin = 0;  ///< of the bytes that lead here, in labels_
        std::uint32_t size = 0;
        std::uint32_t child = 0;  ///< the first
        std::uint32_t children = 0;
        EntryLists::List list;
    };

    const Node* child(const Node& node, char byte) const {
        const char* const first = bytes_.data() + node.child;
        std::size_t at = 0;
        if (node.children <= bytes_at_once) {
            at = byte_found(find_byte(word_at(first), byte));
        } else {
            const void* const found = std::memchr(first, byte, node.children);
            at = found != nullptr
                     ? static_cast<std::size_t>(static_cast<const char*>(found) - first)
                     : node.children;
        }
        return at < node.children ? nodes_.data() + node.child + at : nullptr;
    }

    static constexpr std::size_t bytes_at_once = 8;

    std::vector<Node> nodes_;
    /// The first byte of each node's label, so that children are found at once; behind the last
    /// lie some more, so that a word can be read there.
    std::string bytes_;
    std::string labels_;
    EntryLists lists_;
};

}  // namespace bascule::pattern
