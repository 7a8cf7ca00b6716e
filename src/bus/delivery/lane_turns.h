#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "bus/delivery/policy.h"

namespace bascule::delivery {

/// Whose turn it is among lanes that have work: smooth weighted round robin. Of any
/// `sum of the weights` turns while the same lanes have work, each gets as many as its weight says,
/// spread evenly; a lane without work gathers no claim. Without weights the best lane always wins.
///
/// Cost:    O(lanes), no allocation.
/// Source:  nginx, src/http/ngx_http_upstream_round_robin.c.
class LaneTurns {
  public:
    explicit LaneTurns(const std::vector<std::uint32_t>& weights) {
        for (std::size_t i = 0; i < weights.size(); ++i) {
            weights_[i] = weights[i];
        }
    }

    /// The lane whose turn it is, 1 to `lanes`, or 0 if none of them has work.
    template <class HasWork>
    std::uint8_t take(std::uint8_t lanes, HasWork&& has_work) {
        std::uint8_t chosen = 0;
        std::int64_t shared = 0;
        for (std::uint8_t lane = 1; lane <= lanes; ++lane) {
            if (!has_work(lane)) {
                continue;
            }
            if (weights_[0] == 0) {
                return lane;
            }
            claims_[lane - 1] += weights_[lane - 1];
            shared += weights_[lane - 1];
            if (chosen == 0 || claims_[lane - 1] > claims_[chosen - 1]) {
                chosen = lane;
            }
        }
        if (chosen != 0) {
            claims_[chosen - 1] -= shared;
        }
        return chosen;
    }

  private:
    std::array<std::int64_t, lane_max> weights_{};  ///< all 0: strict
    std::array<std::int64_t, lane_max> claims_{};   ///< their sum is 0
};

}  // namespace bascule::delivery
