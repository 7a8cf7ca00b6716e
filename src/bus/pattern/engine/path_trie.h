#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bascule::pattern {

/// A field's number: the index of its path among all paths that rules name.
using Field = std::uint32_t;
inline constexpr Field no_field = UINT32_MAX;

/// A member's name as it is looked up: its first eight bytes as a word, and all of it.
struct Name {
    std::uint64_t head = 0;
    std::string_view text;

    /// `readable_end`: up to where memory may be read, at or behind the name's end.
    Name(std::string_view name, const char* readable_end) : text(name) {
        if (std::endian::native == std::endian::little && readable_end - name.data() >= 8) {
            std::memcpy(&head, name.data(), 8);
            if (name.size() < 8) {
                head &= (std::uint64_t{1} << (8 * name.size())) - 1;
            }
        } else if (!name.empty()) {
            std::memcpy(&head, name.data(), name.size() < 8 ? name.size() : 8);
        }
    }
    explicit Name(std::string_view name) : Name(name, name.data() + name.size()) {}
};

class PathNode;

/// A few members of a node, side by side.
struct PathEdges {
    struct Key {
        std::uint64_t head = 0;
        std::uint64_t size = 0;
    };
    struct Target {
        std::string name;
        std::shared_ptr<PathNode> node;
    };

    const PathNode* find(const Name& name) const {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (keys[i].head == name.head && keys[i].size == name.text.size() &&
                (name.text.size() <= 8 || targets[i].name == name.text)) {
                return targets[i].node.get();
            }
        }
        return nullptr;
    }

    std::uint64_t generation = 0;
    std::vector<Key> keys;
    std::vector<Target> targets;
};

/// A step on the way of some rule's path. Immutable once its trie is published.
class PathNode {
  public:
    Field field() const { return field_; }
    bool has_members() const { return filter_ != 0; }
    /// Some member's name has a backslash, so that raw names must not be compared.
    bool has_odd_names() const { return has_odd_names_; }

    const PathNode* member(const Name& name) const {
        if ((filter_ & filter_bit(name)) == 0) {
            return nullptr;
        }
        return buckets_.empty() ? few_.find(name) : buckets_[bucket_of(name)]->find(name);
    }

  private:
    friend class PathTrie;

    static std::uint64_t mixed(const Name& name) {
        return (name.head ^ name.text.size()) * 0x9E3779B97F4A7C15U;
    }
    static std::uint64_t filter_bit(const Name& name) {
        return std::uint64_t{1} << (mixed(name) >> 58);
    }
    std::size_t bucket_of(const Name& name) const {
        return std::hash<std::string_view>{}(name.text) & (buckets_.size() - 1);
    }

    std::uint64_t filter_ =
        0;  ///< a bit for every member's name: most names are seen not to be any
    Field field_ = no_field;
    bool has_odd_names_ = false;
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
