#include "foundation/base/random.h"

#include <bit>
#include <random>

#include "foundation/base/check.h"

namespace bascule {

Random::Random(std::uint64_t seed) {
    for (auto& word : state_) {  // splitmix64: never yields the all-zero state
        seed += 0x9e3779b97f4a7c15;
        std::uint64_t mixed = seed;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        word = mixed ^ (mixed >> 31);
    }
}

Random Random::from_entropy() {
    std::random_device device;
    return Random((std::uint64_t{device()} << 32) | device());
}

std::uint64_t Random::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
    CHECK(bound > 0);
    // Values below `threshold` would make the low results more likely; draw again (rarely).
    const std::uint64_t threshold = -bound % bound;
    for (;;) {
        const std::uint64_t drawn = next();
        if (drawn >= threshold) {
            return drawn % bound;
        }
    }
}

}  // namespace bascule
