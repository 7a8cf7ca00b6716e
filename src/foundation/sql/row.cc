#include <charconv>

#include "foundation/sql/value.h"

namespace bascule::sql {

const Row::Cell& Row::cell(std::size_t column) const {
    CHECK(column < cells_.size());
    return cells_[column];
}

bool Row::is_null(std::size_t column) const { return !cell(column).has_value(); }

std::optional<std::int64_t> Row::integer_or_null(std::size_t column) const {
    const Cell& found = cell(column);
    if (!found) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    const char* end = found->data() + found->size();
    const auto [stopped, error] = std::from_chars(found->data(), end, value);
    if (error != std::errc() || stopped != end) {
        complaint_ = "column " + std::to_string(column) + " is not a 64-bit integer";
        return 0;
    }
    return value;
}

std::int64_t Row::integer(std::size_t column) const {
    const auto value = integer_or_null(column);
    if (!value) {
        complaint_ = "column " + std::to_string(column) + " is null";
    }
    return value.value_or(0);
}

std::string_view Row::text_view(std::size_t column) const {
    const Cell& found = cell(column);
    if (!found) {
        complaint_ = "column " + std::to_string(column) + " is null";
    }
    return found.value_or("");
}

std::optional<std::string> Row::text_or_null(std::size_t column) const {
    const Cell& found = cell(column);
    return found ? std::optional<std::string>(*found) : std::nullopt;
}

}  // namespace bascule::sql
