#include "server/auth/secrets.h"

#include <sodium.h>

#include <array>

#include "foundation/base/check.h"

namespace bascule::auth {

namespace {

void need_sodium() {
    static const bool ready = sodium_init() >= 0;
    CHECK(ready);
}

}  // namespace

std::string new_token_secret() {
    need_sodium();
    std::array<unsigned char, 32> chance;
    randombytes_buf(chance.data(), chance.size());
    constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    std::array<char, sodium_base64_ENCODED_LEN(chance.size(), variant)> text;
    sodium_bin2base64(text.data(), text.size(), chance.data(), chance.size(), variant);
    sodium_memzero(chance.data(), chance.size());
    return std::string("bsc_") + text.data();
}

std::string hash_password(std::string_view password) {
    need_sodium();
    std::array<char, crypto_pwhash_STRBYTES> text;
    if (crypto_pwhash_str_alg(
            text.data(), password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
            crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return "";
    }
    return text.data();
}

bool password_matches(const std::string& hash, std::string_view password) {
    need_sodium();
    return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

bool password_of_nobody(std::string_view password) {
    static const std::string nobody = hash_password(new_token_secret());
    password_matches(nobody, password);
    return false;
}

}  // namespace bascule::auth
