#pragma once

#include <cstdint>
#include <vector>

#include "bus/delivery/slab.h"

namespace bascule::delivery {

/// Key hash → slab index: open addressing with linear probing, deletion by shifting back, so that
/// keys which come and go at a million a second leave no tombstones and allocate nothing.
class KeyIndex {
  public:
    KeyIndex() : cells_(16) {}

    std::uint32_t find(std::uint64_t hash) const {
        for (std::size_t at = home(hash);; at = (at + 1) & mask()) {
            if (cells_[at].index == none || cells_[at].hash == hash) {
                return cells_[at].index;
            }
        }
    }

    /// `hash` is not contained.
    void insert(std::uint64_t hash, std::uint32_t index) {
        if (++used_ * 2 > cells_.size()) {
            grow();
        }
        place(hash, index);
    }

    /// `hash` is contained.
    void erase(std::uint64_t hash) {
        std::size_t hole = home(hash);
        while (cells_[hole].hash != hash || cells_[hole].index == none) {
            hole = (hole + 1) & mask();
        }
        for (std::size_t at = (hole + 1) & mask(); cells_[at].index != none;
             at = (at + 1) & mask()) {
            // Whoever is further from home than the hole may fill it.
            if (((at - home(cells_[at].hash)) & mask()) >= ((at - hole) & mask())) {
                cells_[hole] = cells_[at];
                hole = at;
            }
        }
        cells_[hole].index = none;
        --used_;
    }

    std::size_t size() const { return used_; }

  private:
    struct Cell {
        std::uint64_t hash = 0;
        std::uint32_t index = none;
    };

    std::size_t mask() const { return cells_.size() - 1; }
    std::size_t home(std::uint64_t hash) const {
        return static_cast<std::size_t>((hash * 0x9e37'79b9'7f4a'7c15) >> 32) & mask();
    }

    void place(std::uint64_t hash, std::uint32_t index) {
        std::size_t at = home(hash);
        while (cells_[at].index != none) {
            at = (at + 1) & mask();
        }
        cells_[at] = {hash, index};
    }

    void grow() {
        std::vector<Cell> old(cells_.size() * 2);
        old.swap(cells_);
        for (const Cell& cell : old) {
            if (cell.index != none) {
                place(cell.hash, cell.index);
            }
        }
    }

    std::vector<Cell> cells_;
    std::size_t used_ = 0;
};

}  // namespace bascule::delivery
