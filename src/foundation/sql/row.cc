#include "foundation/sql/value.h"

namespace bascule::sql {

const Row::Cell& Row::cell(std::size_t column) const {
    CHECK(column < cells_.size());
    return cells_[column];
}

void Row::complain(std::size_t column, std::string_view what) const {
    complaint_ = "column " + std::to_string(column) + " is " + std::string(what);
}

bool Row::is_null(std::size_t column) const {
    return std::holds_alternative<std::monostate>(cell(column));
}

std::int64_t Row::integer(std::size_t column) const {
    if (const auto* value = std::get_if<std::int64_t>(&cell(column))) {
        return *value;
    }
    complain(column, is_null(column) ? "null" : "not a 64-bit integer");
    return 0;
}

std::string_view Row::text_view(std::size_t column) const {
    if (const auto* value = std::get_if<std::string_view>(&cell(column))) {
        return *value;
    }
    if (const auto* value = std::get_if<std::int64_t>(&cell(column))) {
        return spelled_.emplace_front(std::to_string(*value));
    }
    complain(column, "null");
    return "";
}

std::optional<std::int64_t> Row::integer_or_null(std::size_t column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::optional<std::string> Row::text_or_null(std::size_t column) const {
    return is_null(column) ? std::nullopt : std::optional(text(column));
}

}  // namespace bascule::sql
