#pragma once

#include <source_location>
#include <string_view>

namespace bascule {

/// Prints `claim` and its place on standard error and ends the process with abort().
[[noreturn]] void check_failed(std::string_view claim, std::source_location where);

}  // namespace bascule

/// States what must hold if our own code is right; always on. What a peer, a file or a clock can
/// cause is never a CHECK but an Error.
#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) [[unlikely]] {                                          \
            ::bascule::check_failed(#condition, std::source_location::current()); \
        }                                                                         \
    } while (false)
