#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/engine/entry.h"

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
        constexpr std::uint32_t few = 6;
        const char* const first = bytes_.data() + node.child;
        if (node.children <= few) {
            for (std::uint32_t i = 0; i < node.children; ++i) {
                if (first[i] == byte) {
                    return nodes_.data() + node.child + i;
                }
            }
            return nullptr;
        }
        const void* const found = std::memchr(first, byte, node.children);
        return found == nullptr
                   ? nullptr
                   : nodes_.data() + node.child + (static_cast<const char*>(found) - first);
    }

    std::vector<Node> nodes_;
    std::string
        bytes_;  ///< the first byte of each node's label, so that children are found at once
    std::string labels_;
    EntryLists lists_;
};

}  // namespace bascule::pattern
