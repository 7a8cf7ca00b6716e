#pragma once

#include <csignal>
#include <cstdint>

namespace bascule::simulator {

/// While it lives, a process that ends by a CHECK says on standard error which seed it was at.
/// Threads: one at a time in a process.
class SeedNote {
  public:
    explicit SeedNote(std::uint64_t seed);
    ~SeedNote();
    SeedNote(const SeedNote&) = delete;
    SeedNote& operator=(const SeedNote&) = delete;

  private:
    using Handler = void (*)(int);
    Handler before_;
};

}  // namespace bascule::simulator
