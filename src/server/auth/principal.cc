#include "server/auth/principal.h"

#include <algorithm>
#include <array>

namespace bascule::auth {

namespace {

constexpr std::array<std::string_view, 5> role_names = {"owner", "member", "operator", "publisher",
                                                        "consumer"};

}  // namespace

std::string_view name(Role role) { return role_names[static_cast<std::size_t>(role)]; }

Result<Role> parse_role(std::string_view text) {
    const auto found = std::ranges::find(role_names, text);
    if (found == role_names.end()) {
        return fail(ErrorKind::invalid,
                    "role is \"" + std::string(text) +
                        "\"; owner, member, operator, publisher or consumer is allowed");
    }
    return static_cast<Role>(found - role_names.begin());
}

bool may(const Principal& principal, Permission permission) {
    const Role role = principal.role;
    const bool of_household = role == Role::owner || role == Role::member;
    switch (permission) {
        case Permission::anyone:
            return true;
        case Permission::publish:
            return role != Role::consumer;
        case Permission::household:
            return of_household && !principal.user_id.empty();
        case Permission::observe:
            return of_household || role == Role::operator_;
        case Permission::operate:
            return role == Role::owner || role == Role::operator_;
        case Permission::administer:
            return role == Role::owner;
    }
    return false;
}

}  // namespace bascule::auth
