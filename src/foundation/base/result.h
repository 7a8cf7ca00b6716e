#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace bascule {

/// What a caller can do about a failure; the only part of an error that code may branch on.
enum class ErrorKind {
    invalid,      ///< the request is wrong: fix it, do not repeat it
    not_found,    ///< nothing by that name
    conflict,     ///< true of another state than the present one: read again, then decide
    unavailable,  ///< may succeed later: repeat with backoff
    exhausted,    ///< a stated limit is reached: free something or raise it
    corrupt,      ///< stored bytes contradict themselves: stop and repair
    io,           ///< the operating system refused: see the message
};

/// A failure on its way to whoever can act on it. Context is put in front where it is known,
/// outermost first: "bus household: segment 00042: checksum differs at offset 42117".
class Error {
  public:
    Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

    ErrorKind kind() const { return kind_; }
    const std::string& message() const { return message_; }

    /// The same failure seen from one level up.
    Error in(std::string_view context) && {
        message_.insert(0, std::string(context) + ": ");
        return std::move(*this);
    }

  private:
    ErrorKind kind_;
    std::string message_;
};

/// A value or an Error. Dropping one is a compiler warning, which we build with as an error.
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
  public:
    using std::expected<T, Error>::expected;
};

/// The kind's name as it stands in messages, API answers and metrics.
constexpr std::string_view name(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid:
            return "invalid";
        case ErrorKind::not_found:
            return "not_found";
        case ErrorKind::conflict:
            return "conflict";
        case ErrorKind::unavailable:
            return "unavailable";
        case ErrorKind::exhausted:
            return "exhausted";
        case ErrorKind::corrupt:
            return "corrupt";
        case ErrorKind::io:
            return "io";
    }
    return "unknown";
}

inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
    return std::unexpected(Error(kind, std::move(message)));
}

namespace detail {
template <class T>
T taken(Result<T>&& result) {
    if constexpr (!std::is_void_v<T>) {
        return std::move(result).value();
    }
}
}  // namespace detail

}  // namespace bascule

/// Yields the value of a Result, or returns its error from the enclosing function.
///
/// The value is moved out, so `auto x = TRY(f());` owns it. Not for coroutines.
#define TRY(expression)                                            \
    __extension__({                                                \
        auto try_result = (expression);                            \
        if (!try_result) {                                         \
            return std::unexpected(std::move(try_result).error()); \
        }                                                          \
        ::bascule::detail::taken(std::move(try_result));           \
    })
