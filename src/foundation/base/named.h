#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace bascule {

/// A value with a meaning of its own, so that an offset cannot be passed where a sequence is
/// wanted.
///
///     using Offset = Named<std::uint64_t, struct OffsetTag>;
///
/// `value()` leaves the type; nothing else does. Ordered and hashable as its value.
template <class T, class Tag>
class Named {
  public:
    using ValueType = T;

    constexpr Named() = default;
    constexpr explicit Named(T value) : value_(std::move(value)) {}

    constexpr const T& value() const { return value_; }

    friend constexpr auto operator<=>(const Named&, const Named&) = default;

  private:
    T value_{};
};

}  // namespace bascule

template <class T, class Tag>
struct std::hash<bascule::Named<T, Tag>> {
    std::size_t operator()(const bascule::Named<T, Tag>& named) const {
        return std::hash<T>{}(named.value());
    }
};
