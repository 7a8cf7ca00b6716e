#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "foundation/base/clock.h"

namespace bascule::auth {

/// Slows down who guesses passwords: after free_failures failures in a row each further one doubles
/// the wait, up to wait_max. Known and unknown names are treated alike, so that nothing tells them
/// apart; tokens are not affected, so nobody can be locked out of everything.
///
/// Limits:   names_max names; the one that waits least makes room.
/// Threads:  one owner.
class LoginLimiter {
  public:
    static constexpr int free_failures = 5;
    static constexpr std::chrono::seconds wait_first{1};
    static constexpr std::chrono::seconds wait_max{60};
    static constexpr std::chrono::minutes forget_after{15};
    static constexpr std::size_t names_max = 4096;

    /// How long `name` must still wait; nothing when it may try now.
    std::optional<std::chrono::milliseconds> wait(const std::string& name, SteadyTime now) const;

    void failed(const std::string& name, SteadyTime now);
    void succeeded(const std::string& name) { failures_.erase(name); }

    std::size_t size() const { return failures_.size(); }

  private:
    struct Failures {
        int count = 0;
        SteadyTime last{};
        SteadyTime next_try{};
    };

    void make_room(SteadyTime now);

    std::unordered_map<std::string, Failures> failures_;
};

}  // namespace bascule::auth
