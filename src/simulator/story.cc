#include "simulator/story.h"

#include <chrono>
#include <utility>

#include "foundation/base/hash.h"

namespace bascule::simulator {

namespace {

/// "12.345 ms".
std::string text(SteadyTime time) {
    const auto us =
        std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
    return std::to_string(us / 1000) + "." + std::to_string(1000 + us % 1000).substr(1) + " ms";
}

}  // namespace

void Story::tell(std::string line) {
    line = text(clock_.steady()) + "  " + line;
    digest_ = hash64(line + std::to_string(digest_));
    lines_.push_back(std::move(line));
}

void Story::broken(std::string what) {
    if (violation_.empty()) {
        violation_ = std::move(what);
    }
}

}  // namespace bascule::simulator
