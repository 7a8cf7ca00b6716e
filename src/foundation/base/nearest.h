#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bascule {

/// What somebody may have meant: the candidate nearest to `word` by edit distance (at most a third
/// of its length), or empty. O(word × sum of the candidates).
std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace bascule
