#include "bus/pattern/scratch.h"

#include "bus/pattern/engine/workspace.h"

namespace bascule::pattern {

Scratch::Scratch() : workspace_(std::make_unique<Workspace>()) {}
Scratch::Scratch(Scratch&&) noexcept = default;
Scratch& Scratch::operator=(Scratch&&) noexcept = default;
Scratch::~Scratch() = default;

std::size_t Scratch::events_undecided() const { return workspace_->events_undecided; }

}  // namespace bascule::pattern
