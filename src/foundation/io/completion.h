#pragma once

#include <functional>

#include "foundation/base/result.h"

namespace bascule::io {

/// Called exactly once with the outcome of an asynchronous operation, on a thread of the callee's
/// choosing; it must not block. Only a stopped executor destroys one uncalled.
template <class T = void>
using Completion = std::move_only_function<void(Result<T>)>;

}  // namespace bascule::io
