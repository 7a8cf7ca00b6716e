#pragma once

#include <string>

#include "bus/pattern/subject.h"
#include "foundation/base/result.h"

namespace bascule::cli {

/// An event as the bus's rules see it: one in the seed's form in EventBridge's, any other JSON as
/// it stands.
class SeenEvent {
  public:
    /// Errors: `invalid`, no JSON, or no event though it has an `eventType`.
    static Result<SeenEvent> of(std::string text);

    /// Lifetime: the event outlives it.
    pattern::Subject subject() const;

  private:
    SeenEvent(std::string text, bool is_seed) : text_(std::move(text)), is_seed_(is_seed) {}

    std::string text_;
    bool is_seed_;
};

}  // namespace bascule::cli
