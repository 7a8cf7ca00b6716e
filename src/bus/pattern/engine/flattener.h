#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/engine/event_values.h"
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
    enum class Container : std::uint8_t { object, array };
    struct Frame {
        const PathNode* node = nullptr;
        Container container = Container::object;
        Place place = 0;  ///< around an array
        std::uint32_t array = 0;
        bool used = false;  ///< something was in it: a comma comes before the next
    };

    bool add_json(const PathNode& node, std::string_view text);
    bool walk(const PathNode& node);
    bool next(const Frame& frame);
    bool value(const PathNode& node);
    bool take_string(const PathNode& node);
    bool take_scalar(const PathNode& node);
    bool open(const PathNode& node, Container container);
    void close();
    bool member(const PathNode& node);
    const PathNode* find_member(const PathNode& node, std::string_view name, bool& is_name);
    bool pass();
    bool pass_container();

    char at() const { return text_[positions_[i_]]; }
    bool is_at_end() const { return i_ >= count_; }
    const char* token_end() const;

    StructuralIndex index_;
    std::vector<Frame> open_;
    std::string name_;  ///< the last one that had to be decoded

    // Of the event.
    const PathNode* root_ = nullptr;
    EventValues* values_ = nullptr;

    // Of the text being walked.
    const char* text_ = nullptr;
    const char* end_ = nullptr;
    const std::uint32_t* positions_ = nullptr;
    std::size_t count_ = 0;
    std::size_t i_ = 0;
    Place place_ = 0;
};

}  // namespace bascule::pattern
