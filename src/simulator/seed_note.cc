#include "simulator/seed_note.h"

#include <unistd.h>

#include <array>
#include <cstdio>

namespace bascule::simulator {

namespace {

// Made ready before, since a signal handler may do little more than write.
std::array<char, 64> note;
int note_bytes = 0;

void tell_seed(int) {
    (void)!write(STDERR_FILENO, note.data(), static_cast<std::size_t>(note_bytes));
}

}  // namespace

SeedNote::SeedNote(std::uint64_t seed) {
    note_bytes = std::snprintf(note.data(), note.size(), "seed %llu ended the process\n",
                               static_cast<unsigned long long>(seed));
    before_ = std::signal(SIGABRT, tell_seed);
}

SeedNote::~SeedNote() { std::signal(SIGABRT, before_); }

}  // namespace bascule::simulator
