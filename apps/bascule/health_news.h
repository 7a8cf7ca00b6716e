#pragma once

#include <string>
#include <vector>

#include "bus/broker/status.h"

namespace bascule {

/// A line for the program's log.
struct News {
    bool good = false;
    std::string text;
};

/// What has changed between two states of the bus, each thing once: what, where, what to do. For
/// who runs the machine, so it names files. Pure.
std::vector<News> health_news(const broker::BusHealth& before, const broker::BusHealth& now);

}  // namespace bascule
