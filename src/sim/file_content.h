#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>

#include "foundation/base/random.h"

namespace bascule::sim {

/// One file's bytes as readers see them, and what the platter may hold of them.
class FileContent {
  public:
    static constexpr std::uint64_t sector_bytes = 512;

    const std::string& visible() const { return visible_; }
    /// What is left if the power goes now and nothing that was not synced survives.
    const std::string& durable() const { return durable_; }

    void write(std::uint64_t offset, std::span<const std::byte> bytes);
    void truncate(std::uint64_t size);

    /// Where the history of changes stands; a sync covers everything before the mark it began at.
    std::uint64_t mark() const { return history_begin_ + history_.size(); }

    /// Makes the changes before `mark` durable.
    void settle(std::uint64_t mark);

    /// A sync failed: chance decides now what of the changes before `mark` reached the platter.
    void lose(std::uint64_t mark, Random& random);

    /// The power goes: chance decides about every change, and readers see the platter again.
    void crash(Random& random);

    /// Damages both what readers see and what the platter holds.
    void flip_bit(std::uint64_t byte_offset, int bit);

  private:
    struct Change {
        std::uint64_t offset = 0;
        std::string bytes;
        bool truncates = false;  ///< to `offset`
    };

    static void apply(std::string& image, const Change& change);
    void record(Change change);
    void forget(std::uint64_t mark);
    std::string drawn(std::uint64_t mark, Random& random) const;

    std::string visible_;
    std::string durable_;
    std::deque<Change> history_;  ///< since the last settled mark
    std::uint64_t history_begin_ = 0;
};

}  // namespace bascule::sim
