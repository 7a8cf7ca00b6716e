#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/result.h"
#include "household/application/page.h"

/// Cursors: the last item's place in the order, opaque to clients.
namespace bascule::application {

/// Errors: `invalid` when the limit is not 1 … limit_max.
Result<> check_limit(const PageRequest& page);

std::string encode_cursor(std::string_view place);
std::string encode_cursor(const std::vector<std::string>& place);
/// Errors: `invalid`.
Result<std::string> decode_cursor(std::string_view cursor);
/// … when it does not hold `parts` parts.
Result<std::vector<std::string>> decode_cursor(std::string_view cursor, std::size_t parts);

/// A page of a list that is in memory. `items` are in ascending order of `place_of(item)`, texts
/// that differ.
template <class T, class F>
Result<Page<T>> page_of(std::vector<T> items, const PageRequest& request, F place_of) {
    TRY(check_limit(request));
    Page<T> page;
    page.total = items.size();
    auto first = items.begin();
    if (!request.cursor.empty()) {
        const std::string after = TRY(decode_cursor(request.cursor));
        first = std::find_if(items.begin(), items.end(),
                             [&](const T& item) { return place_of(item) > after; });
    }
    const auto left = static_cast<std::size_t>(items.end() - first);
    const auto last = first + static_cast<std::ptrdiff_t>(std::min(left, request.limit));
    page.items.assign(std::make_move_iterator(first), std::make_move_iterator(last));
    if (last != items.end()) {
        page.next_cursor = encode_cursor(place_of(page.items.back()));
    }
    return page;
}

}  // namespace bascule::application
