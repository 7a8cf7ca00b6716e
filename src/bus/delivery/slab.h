#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace bascule::delivery {

constexpr std::uint32_t none = 0xffff'ffff;

/// Objects addressed by small numbers that are used again; references stay valid while others come
/// and go.
///
/// An object is never destroyed before the slab: whoever releases it leaves it as a new one would
/// be. Cost: O(1); an allocation per 128 objects at the highest tide, none below it.
template <class T>
class Slab {
  public:
    std::uint32_t acquire() {
        ++used_;
        if (!free_.empty()) {
            const std::uint32_t index = free_.back();
            free_.pop_back();
            return index;
        }
        if (end_ % chunk_size == 0) {
            chunks_.push_back(std::make_unique<T[]>(chunk_size));
        }
        return end_++;
    }

    void release(std::uint32_t index) {
        --used_;
        free_.push_back(index);
    }

    T& operator[](std::uint32_t index) { return chunks_[index / chunk_size][index % chunk_size]; }
    const T& operator[](std::uint32_t index) const {
        return chunks_[index / chunk_size][index % chunk_size];
    }

    /// Indexes that were ever used lie below; released ones among them.
    std::uint32_t end() const { return end_; }
    std::uint32_t used() const { return used_; }

  private:
    static constexpr std::uint32_t chunk_size = 128;
    std::vector<std::unique_ptr<T[]>> chunks_;
    std::vector<std::uint32_t> free_;
    std::uint32_t end_ = 0;
    std::uint32_t used_ = 0;
};

}  // namespace bascule::delivery
