#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/text_hash.h"

namespace bascule::pattern {

/// A field's number: the index of its path among all paths that rules name.
using Field = std::uint32_t;
inline constexpr Field no_field = UINT32_MAX;

/// A member's name as it is looked up.
struct Name {
    EndWords words;
    std::string_view text;

    /// `readable_end`: up to where memory may be read, at or behind the name's end.
    Name(std::string_view name, const char* readable_end) : words(name, readable_end), text(name) {}
    explicit Name(std::string_view name) : words(name), text(name) {}

    bool is_in_words() const { return text.size() <= EndWords::text_bytes_max; }

    std::uint64_t hash() const { return words.hash(text.size()); }
};

class PathNode;

/// A few members of a node: chains of those whose names agree in length and first byte, roughly.
class PathEdges {
  public:
    const PathNode* find(const Name& name) const {
        for (std::size_t at = first_[kind_of(name)]; at != none; at = slots_[at].next) {
            const Slot& slot = slots_[at];
            if (slot.head == name.words.head && slot.tail == name.words.tail &&
                slot.size == name.text.size() &&
                (name.is_in_words() || targets_[at].name == name.text)) {
                return slot.node;
            }
        }
        return nullptr;
    }

    static constexpr std::size_t kinds = 64;
    static std::size_t kind_of(const Name& name) {
        return (name.words.head ^ name.text.size() << 3) % kinds;
    }

    struct Target {
        std::string name;
        std::shared_ptr<PathNode> node;
    };
    const std::vector<Target>& targets() const { return targets_; }

    /// The member called `name`, or nullptr; after it was replaced, `enter_all` must be called.
    std::shared_ptr<PathNode>* target(std::string_view name);
    void append(std::string name, std::shared_ptr<PathNode> node);
    void enter_all();

    std::uint64_t generation = 0;

  private:
    using Index = std::uint16_t;
    static constexpr Index none = UINT16_MAX;

    struct Slot {
        std::uint64_t head = 0;
        std::uint64_t tail = 0;
        std::uint32_t size = 0;
        Index next = none;
        const PathNode* node = nullptr;
    };

    static constexpr std::array<Index, kinds> empty = [] {
        std::array<Index, kinds> all{};
        all.fill(none);
        return all;
    }();

    std::array<Index, kinds> first_ = empty;
    std::vector<Slot> slots_;  ///< of the target with the same index
    std::vector<Target> targets_;
};

/// A step on the way of some rule's path. Immutable once its trie is published.
class PathNode {
  public:
    Field field() const { return field_; }
    bool has_members() const { return members_ != 0; }
    /// Some member's name has a backslash, so that raw names must not be compared.
    bool has_odd_names() const { return has_odd_names_; }

    /// Whether a name that begins with this byte in a JSON text can lead on from here: what is
    /// behind its quote is a byte of a member's name, an escape, a point or, if it is empty, the
    /// next quote.
    bool may_follow(char first_byte) const { return (first_bytes_ & bit_of(first_byte)) != 0; }

    const PathNode* member(const Name& name) const {
        if (buckets_.empty()) {
            return few_.find(name);
        }
        // Most names that come are nobody's, which is mostly seen before they are hashed.
        return (member_kinds_ >> PathEdges::kind_of(name) & 1) != 0
                   ? buckets_[bucket_of(name)]->find(name)
                   : nullptr;
    }

  private:
    friend class PathTrie;

    static constexpr std::uint64_t bit_of(char byte) {
        return std::uint64_t{1} << (static_cast<unsigned char>(byte) & 63);
    }
    /// The empty name is a quote at once, and a point where other steps follow.
    static constexpr std::uint64_t first_bytes_of(std::string_view name) {
        return name.empty() ? bit_of('"') | bit_of('.') : bit_of(name.front());
    }
    std::size_t bucket_of(const Name& name) const {
        const std::uint64_t hash = name.is_in_words() ? name.hash() : hash_of_long_text(name.text);
        return hash & (buckets_.size() - 1);
    }

    Field field_ = no_field;
    bool has_odd_names_ = false;
    std::uint64_t first_bytes_ = bit_of('\\');  ///< an escape may stand for any
    std::uint64_t member_kinds_ = 0;            ///< bits of the members' names
    std::uint64_t generation_ = 0;
    std::size_t members_ = 0;
    PathEdges few_;                                    ///< while they are few,
    std::vector<std::shared_ptr<PathEdges>> buckets_;  ///< then by hash
};

/// All paths that rules name, by their steps; a path is cut at its points.
///
/// Persistent: `publish` hands out the present root, and what was handed out never changes. Later
/// insertions copy the nodes on their way, so that one path more costs no new trie.
///
/// Threads:  one owner; published roots are read from any thread.
class PathTrie {
  public:
    PathTrie();

    /// The field of `path`, which is inserted if it is new.
    Field insert(std::string_view path);

    std::size_t fields() const { return fields_; }

    std::shared_ptr<const PathNode> publish();

  private:
    std::shared_ptr<PathNode> owned(const std::shared_ptr<PathNode>& node) const;
    std::shared_ptr<PathNode> step(PathNode& node, std::string_view name) const;
    static void spread(PathNode& node, std::size_t buckets, std::uint64_t generation);

    std::shared_ptr<PathNode> root_;
    std::uint64_t generation_ = 1;  ///< nodes of an earlier one are published: copy before writing
    Field fields_ = 0;
};

/// The node that lies `path` below `node`, or nullptr if no rule goes there. The empty path leads
/// nowhere from the root, and to a member with the empty name from any other node: as the texts of
/// dotted paths are joined.
const PathNode* descend(const PathNode& root, const PathNode& node, std::string_view path);

}  // namespace bascule::pattern
