#pragma once

#include <string>
#include <string_view>

/// What touches secrets, over libsodium.
namespace bascule::auth {

/// 256 bits of chance as text: "bsc_" and 43 characters of base64url.
std::string new_token_secret();

/// Argon2id with libsodium's interactive limits (2 passes, 64 MiB): some 50 ms. The text carries
/// salt and parameters. Empty when memory ran out.
std::string hash_password(std::string_view password);

/// As long as the hash took. False for an empty or foreign hash.
bool password_matches(const std::string& hash, std::string_view password);

/// Takes as long as a real check, and is always false: for names that do not exist.
bool password_of_nobody(std::string_view password);

}  // namespace bascule::auth
