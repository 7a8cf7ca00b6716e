#pragma once

#include <cstdint>
#include <span>

namespace bascule {

/// A stream of random numbers; equal seeds give equal streams on every machine.
///
/// Not for secrets: those come from libsodium, in `auth`. Threads: one owner.
/// Source: xoshiro256** by Blackman and Vigna, seeded through splitmix64.
class Random {
  public:
    explicit Random(std::uint64_t seed);

    /// Seeded from the operating system.
    static Random from_entropy();

    std::uint64_t next();

    /// Uniform in [0, bound); `bound` is above 0.
    std::uint64_t below(std::uint64_t bound);

    /// Uniform in [0, 1).
    double chance() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  private:
    std::uint64_t state_[4];
};

}  // namespace bascule
