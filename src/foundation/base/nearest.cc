#include "foundation/base/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace bascule {

namespace {

/// Letters put in, left out, replaced or swapped with their neighbour (optimal string alignment).
std::size_t distance(std::string_view word, std::string_view other) {
    std::vector<std::size_t> before;
    std::vector<std::size_t> above;
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 1; i <= word.size(); ++i) {
        before = std::exchange(above, row);
        row[0] = i;
        for (std::size_t j = 1; j <= other.size(); ++j) {
            const std::size_t replaced = above[j - 1] + (word[i - 1] == other[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && word[i - 1] == other[j - 2] && word[i - 2] == other[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
    }
    return row.back();
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
    std::string best;
    std::size_t best_distance = word.size() / 3 + 1;
    for (const std::string& candidate : candidates) {
        if (const std::size_t found = distance(word, candidate); found < best_distance) {
            best_distance = found;
            best = candidate;
        }
    }
    return best;
}

}  // namespace bascule
