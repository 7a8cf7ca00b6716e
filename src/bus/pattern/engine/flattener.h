#pragma once

#include <string_view>
#include <vector>

#include "bus/pattern/engine/event_values.h"
#include "bus/pattern/engine/json_walk.h"
#include "bus/pattern/engine/path_trie.h"
#include "bus/pattern/engine/structural_index.h"
#include "bus/pattern/subject.h"

namespace bascule::pattern {

/// Takes from an event the values that lie at paths of a trie. Everything else is passed over by
/// its structure alone.
///
/// Threads:   one owner; kept for its buffers.
/// Lifetime:  values are views into the subject's texts.
/// Limits:    as json::Limits; a text beyond them, or not JSON where it is looked at, has no
/// values.
class Flattener {
  public:
    /// Begins an event whose values at the paths of `root` go to `values`, which were begun for the
    /// fields of those paths. Both outlive the event.
    void begin(const PathNode& root, EventValues& values);

    /// Adds the values of one part of the event.
    void add(const Subject::Mount& mount);

    /// To be called when all parts were added.
    void finish() { values_->finish(); }

  private:
    bool add_json(const PathNode& node, std::string_view text);

    StructuralIndex index_;
    JsonWalk walk_;

    // Of the event.
    const PathNode* root_ = nullptr;
    EventValues* values_ = nullptr;
    std::vector<Field> complete_;  ///< what JSON says of them is not heard
};

}  // namespace bascule::pattern
