#pragma once

#include <cstddef>
#include <memory>

namespace bascule::pattern {

struct Workspace;

/// What one thread needs while it matches: buffers that are filled anew for every event and kept
/// for the next, so that matching allocates nothing once they have grown, unless values take more
/// than 4 MiB.
///
/// Serves any number of matchers, one at a time; it costs least with one matcher or with the
/// successive snapshots of one rule set.
///
/// Threads:  one owner at a time.
/// Memory:   of the largest event it met 10 bytes a byte, kept until the destructor. While an event
///           is matched 64 to 200 bytes for each value that rules ask for (so 70 bytes a byte of
///           nothing but digits and commas), and its strings with escapes once more; 4 MiB of that
///           are kept for the next event. And with the rules of the matchers it serves (about 50
///           bytes a rule), given back when it serves a new one after they are gone.
class Scratch {
  public:
    Scratch();
    Scratch(Scratch&&) noexcept;
    Scratch& operator=(Scratch&&) noexcept;
    ~Scratch();

    /// How many events were left undecided since the scratch was made; see Matcher, limits.
    std::size_t events_undecided() const;

    Workspace& workspace() { return *workspace_; }  ///< for the parts of this room

  private:
    std::unique_ptr<Workspace> workspace_;
};

}  // namespace bascule::pattern
