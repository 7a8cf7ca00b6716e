#pragma once

namespace bascule {

/// Tells the story of one event in under a minute, in a temporary directory: import, categories,
/// cash flow, one event's chain, a consumer made to fail → letter → repair → redrive in order,
/// `audit verify`. Returns 0, or 1 with the step that did not come out.
int demo();

}  // namespace bascule
