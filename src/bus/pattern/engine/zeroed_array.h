#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <type_traits>

#include "foundation/base/check.h"

namespace bascule::pattern {

/// An array that begins as zeros. The system hands out large memory as zeros, page by page when it
/// is touched: so to begin a large array takes hardly any time.
template <class T>
class ZeroedArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

  public:
    void reset(std::size_t size) {
        memory_.reset(size > 0 ? std::calloc(size, sizeof(T)) : nullptr);
        CHECK(size == 0 || memory_ != nullptr);  // no memory: as `new`, which nobody catches here
        size_ = size;
    }

    std::size_t size() const { return size_; }
    T* data() const { return static_cast<T*>(memory_.get()); }
    T& operator[](std::size_t i) const { return data()[i]; }

  private:
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };
    std::unique_ptr<void, Free> memory_;
    std::size_t size_ = 0;
};

}  // namespace bascule::pattern
