#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "foundation/base/guarded.h"

namespace bascule::api {

/// How many streams each token has open: a stream holds a connection for as long as it likes, and
/// one client may not hold them all.
///
/// Threads: any. Lifetime: seats may outlive it.
class StreamSeats : public std::enable_shared_from_this<StreamSeats> {
  public:
    static constexpr std::size_t per_token_max = 100;

    /// Held by a stream until it ends; null if the token has per_token_max of them.
    std::shared_ptr<const void> take(const std::string& token_id) {
        const bool free = open_.with([&](auto& open) {
            std::size_t& count = open[token_id];
            return count < per_token_max && ++count > 0;
        });
        if (!free) {
            return nullptr;
        }
        // Points at no object: what counts is the end of its last copy.
        return {this, [weak = weak_from_this(), token_id](const void*) {
                    if (const auto self = weak.lock()) {
                        self->give_back(token_id);
                    }
                }};
    }

  private:
    void give_back(const std::string& token_id) {
        open_.with([&](auto& open) {
            if (const auto count = open.find(token_id); --count->second == 0) {
                open.erase(count);
            }
        });
    }

    Guarded<std::unordered_map<std::string, std::size_t>> open_;
};

}  // namespace bascule::api
