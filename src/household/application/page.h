#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bascule::application {

/// Which part of a list is wanted.
struct PageRequest {
    std::string cursor;  ///< Page::next_cursor of the page before; empty = the first
    std::size_t limit = 100;
    static constexpr std::size_t limit_max = 1000;
};

/// Part of a list. A cursor names the last item's place in the order, so rows that are added or
/// deleted meanwhile neither repeat nor hide others.
template <class T>
struct Page {
    std::vector<T> items;
    std::string next_cursor;  ///< empty: this was the last
    std::uint64_t total = 0;  ///< of the whole list, with the same filters
};

}  // namespace bascule::application
