#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/base/result.h"

namespace bascule::sql {

/// Bytes that are not text. A view, as Param.
struct BlobView {
    std::string_view bytes;
};

/// One value on its way into a statement: null, integer, text or bytes. A view: what it was made
/// from must live until the statement ran. There is no floating point on purpose.
class Param {
  public:
    using Content = std::variant<std::monostate, std::int64_t, std::string_view, BlobView>;

    Param(std::nullopt_t) {}
    template <std::integral T>
    Param(T value) : content_(static_cast<std::int64_t>(value)) {
        CHECK(std::in_range<std::int64_t>(value));
    }
    Param(bool value) : content_(std::int64_t{value}) {}
    Param(std::string_view text) : content_(text) {}
    Param(const std::string& text) : content_(std::string_view(text)) {}
    Param(const char* text) : content_(std::string_view(text)) {}
    Param(BlobView blob) : content_(blob) {}
    template <class T>
    Param(const std::optional<T>& value) {
        if (value) {
            content_ = Param(*value).content_;
        }
    }

    const Content& content() const { return content_; }

  private:
    Content content_;
};

/// The parameters of one statement: `{id, name}` in a call, or any contiguous range of Param.
class Params {
  public:
    Params() = default;
    Params(std::initializer_list<Param> params) : params_(params.begin(), params.size()) {}
    Params(std::span<const Param> params) : params_(params) {}
    Params(const std::vector<Param>& params) : params_(params) {}

    std::size_t size() const { return params_.size(); }
    const Param& operator[](std::size_t index) const { return params_[index]; }
    auto begin() const { return params_.begin(); }
    auto end() const { return params_.end(); }

  private:
    std::span<const Param> params_;
};

/// The present row of a query; valid only inside the callback that gets it. Columns count from 0.
///
/// A value that is not what the caller asked for (text where an integer is wanted, null where none
/// is allowed) yields 0 or "" here and makes the whole query fail with `corrupt`,
/// naming the column.
class Row {
  public:
    bool is_null(std::size_t column) const;
    std::int64_t integer(std::size_t column) const;
    bool boolean(std::size_t column) const { return integer(column) != 0; }
    std::string text(std::size_t column) const { return std::string(text_view(column)); }
    std::string blob(std::size_t column) const { return std::string(text_view(column)); }
    /// Text or bytes without a copy, or an integer as text; valid as long as the row.
    std::string_view text_view(std::size_t column) const;
    std::optional<std::int64_t> integer_or_null(std::size_t column) const;
    std::optional<std::string> text_or_null(std::size_t column) const;

    std::size_t size() const { return cells_.size(); }

  private:
    friend class Statement;
    using Cell = std::variant<std::monostate, std::int64_t, std::string_view>;
    const Cell& cell(std::size_t column) const;
    void complain(std::size_t column, std::string_view what) const;

    std::vector<Cell> cells_;
    mutable std::forward_list<std::string> spelled_;  ///< integers that were asked for as text
    mutable std::optional<std::string> complaint_;
};

}  // namespace bascule::sql
