#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "foundation/base/clock.h"

namespace bascule::simulator {

/// What happened in one run, one line each, oldest first, and the first promise that was broken.
/// Threads: one owner.
class Story {
  public:
    /// `clock` outlives the story.
    explicit Story(const Clock& clock) : clock_(clock) {}

    /// Adds a line, with the time before it.
    void tell(std::string line);

    /// A promise was broken: "G3: …". Only the first is kept; an empty one is none.
    void broken(std::string what);

    const std::string& violation() const { return violation_; }
    const std::vector<std::string>& lines() const { return lines_; }

    /// Of everything that was told: equal runs have equal ones.
    std::uint64_t digest() const { return digest_; }

  private:
    const Clock& clock_;
    std::vector<std::string> lines_;
    std::uint64_t digest_ = 0;
    std::string violation_;
};

}  // namespace bascule::simulator
