#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/engine/event_values.h"
#include "bus/pattern/engine/path_trie.h"

namespace bascule::pattern {

/// Walks along the structural positions of a JSON text and takes the values that lie at paths of a
/// trie. What lies elsewhere is passed over by its brackets alone.
///
/// Threads:  one owner; kept for its buffers.
/// Limits:   nesting as json::Limits.
/// Source:   simdjson's stage 2 walks the same positions, but takes everything.
class JsonWalk {
  public:
    struct Paths {
        const PathNode& root;
        const PathNode& node;  ///< where the text hangs
    };
    struct Text {
        std::string_view text;
        std::span<const std::uint32_t> positions;  ///< as StructuralIndex gives them
    };

    /// Adds the values to `values`, as views into the text. False if a part that had to be looked
    /// at is not JSON; some values may have been added then.
    bool run(const Paths& paths, const Text& text, EventValues& values);

    /// An object or array that is being walked. Public for the source file.
    struct Frame {
        const PathNode* node = nullptr;
        bool is_array = false;
        bool used = false;  ///< something was in it: a comma comes before the next
        Place place = 0;    ///< around an array
        std::uint32_t array = 0;
    };

  private:
    std::vector<Frame> open_;
    std::string name_;  ///< the last one that had to be decoded
};

}  // namespace bascule::pattern
