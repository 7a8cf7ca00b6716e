#include "foundation/base/clock.h"

namespace bascule {

SteadyTime SystemClock::steady() const {
    return SteadyTime(std::chrono::steady_clock::now().time_since_epoch());
}

WallTime SystemClock::wall() const {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace bascule
