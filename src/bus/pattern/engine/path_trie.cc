#include "bus/pattern/engine/path_trie.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace bascule::pattern {

namespace {

constexpr std::size_t few_max = 16;
constexpr std::size_t bucket_members = 8;  ///< on average, at most

/// Takes the first step from a path; false if that was the last.
bool take_step(std::string_view& path, std::string_view& step) {
    const std::size_t point = path.find('.');
    step = path.substr(0, point);
    if (point == std::string_view::npos) {
        path = {};
        return false;
    }
    path.remove_prefix(point + 1);
    return true;
}

}  // namespace

std::shared_ptr<PathNode>* PathEdges::target(std::string_view name) {
    const auto found = std::find_if(targets_.begin(), targets_.end(),
                                    [&](const Target& target) { return target.name == name; });
    return found == targets_.end() ? nullptr : &found->node;
}

void PathEdges::append(std::string name, std::shared_ptr<PathNode> node) {
    targets_.push_back({std::move(name), std::move(node)});
    enter_all();
}

void PathEdges::enter_all() {
    first_ = empty;
    slots_.clear();
    for (const Target& target : targets_) {
        const Name name(target.name);
        Index& first = first_[kind_of(name)];
        slots_.push_back({name.words.head, name.words.tail,
                          static_cast<std::uint32_t>(target.name.size()), first,
                          target.node.get()});
        first = static_cast<Index>(slots_.size() - 1);
    }
}

PathTrie::PathTrie() : root_(std::make_shared<PathNode>()) {
    root_->generation_ = generation_;
    root_->first_bytes_ |= PathNode::first_bytes_of({});  // the empty path leads to the root itself
}

std::shared_ptr<PathNode> PathTrie::owned(const std::shared_ptr<PathNode>& node) const {
    if (node->generation_ == generation_) {
        return node;
    }
    auto copy = std::make_shared<PathNode>(*node);
    copy->generation_ = generation_;
    return copy;
}

/// Distributes a node's members over that many buckets.
void PathTrie::spread(PathNode& node, std::size_t buckets, std::uint64_t generation) {
    const auto old = std::exchange(node.buckets_, {});
    const PathEdges few = std::exchange(node.few_, {});
    for (std::size_t i = 0; i < buckets; ++i) {
        node.buckets_.push_back(std::make_shared<PathEdges>());
        node.buckets_.back()->generation = generation;
    }
    const auto move_all = [&](const PathEdges& edges) {
        for (const PathEdges::Target& target : edges.targets()) {
            node.buckets_[node.bucket_of(Name(target.name))]->append(target.name, target.node);
        }
    };
    move_all(few);
    for (const auto& bucket : old) {
        move_all(*bucket);
    }
}

/// The member called `name`, as one that may be written; made if it is missing.
std::shared_ptr<PathNode> PathTrie::step(PathNode& node, std::string_view text) const {
    const Name name(text);
    PathEdges* edges = &node.few_;
    if (!node.buckets_.empty()) {
        auto& bucket = node.buckets_[node.bucket_of(name)];
        if (bucket->generation != generation_) {
            bucket = std::make_shared<PathEdges>(*bucket);
            bucket->generation = generation_;
        }
        edges = bucket.get();
    }
    if (std::shared_ptr<PathNode>* const known = edges->target(text)) {
        if ((*known)->generation_ != generation_) {
            *known = owned(*known);
            edges->enter_all();
        }
        return *known;
    }
    auto child = std::make_shared<PathNode>();
    child->generation_ = generation_;
    edges->append(std::string(text), child);
    node.has_odd_names_ = node.has_odd_names_ || text.find('\\') != std::string_view::npos;
    node.member_kinds_ |= std::uint64_t{1} << PathEdges::kind_of(name);
    node.first_bytes_ |= PathNode::first_bytes_of(text);
    ++node.members_;
    if (node.members_ > few_max && node.members_ > node.buckets_.size() * bucket_members) {
        spread(node, std::bit_ceil(node.members_ / bucket_members * 2), generation_);
    }
    return child;
}

Field PathTrie::insert(std::string_view path) {
    const PathNode* const known = descend(*root_, *root_, path);
    if (known != nullptr && known->field() != no_field) {
        return known->field();
    }
    root_ = owned(root_);
    std::shared_ptr<PathNode> node = root_;
    if (!path.empty()) {
        std::string_view name;
        bool more = true;
        while (more) {
            more = take_step(path, name);
            node = step(*node, name);
        }
    }
    if (node->field_ == no_field) {
        node->field_ = fields_++;
    }
    return node->field_;
}

std::shared_ptr<const PathNode> PathTrie::publish() {
    ++generation_;
    return root_;
}

const PathNode* descend(const PathNode& root, const PathNode& node, std::string_view path) {
    const PathNode* at = &node;
    if (path.empty() && at == &root) {
        return at;
    }
    std::string_view name;
    bool more = true;
    while (more && at != nullptr) {
        more = take_step(path, name);
        at = at->member(Name(name));
    }
    return at;
}

}  // namespace bascule::pattern
