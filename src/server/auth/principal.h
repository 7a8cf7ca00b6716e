#pragma once

#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace bascule::auth {

enum class Role {
    owner,      ///< everything: the household, the bus, users and tokens
    member,     ///< own household
    operator_,  ///< the bus: consumers, letters, rules; no amounts
    publisher,  ///< publishes events
    consumer,   ///< reads what a consumer needs: its own identity
};
std::string_view name(Role role);  ///< "owner", …, "operator"
Result<Role> parse_role(std::string_view text);

/// What an operation asks for; the `x-role` of docs/reference/openapi.yaml.
enum class Permission {
    anyone,      ///< any valid token
    publish,     ///< owner, member, operator, publisher
    household,   ///< owner, member: always the token's own user
    observe,     ///< owner, member, operator: reads of events; whose is decided per event
    operate,     ///< owner, operator
    administer,  ///< owner
};

/// Who a request comes from.
struct Principal {
    std::string user_id;  ///< empty for a token without a user
    std::string name;     ///< for metadata.actor: the user's or token's name
    Role role = Role::consumer;
    std::string token_id;
};

/// Household permissions need a user as well as the role.
bool may(const Principal& principal, Permission permission);

}  // namespace bascule::auth
