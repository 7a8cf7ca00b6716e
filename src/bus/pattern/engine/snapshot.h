#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "bus/pattern/engine/path_trie.h"
#include "bus/pattern/engine/tier.h"
#include "bus/pattern/matcher.h"

namespace bascule::pattern {

/// What a matcher is made of: the tiers of a rule set at one moment, and the paths of all of them.
struct Matcher::Snapshot {
    struct Layer {
        std::shared_ptr<const Tier> tier;
        std::shared_ptr<const RuleBits> removed;  ///< never null
    };

    std::shared_ptr<const PathNode> paths;
    std::size_t fields = 0;
    std::vector<Layer> layers;
    std::size_t size = 0;
};

}  // namespace bascule::pattern
