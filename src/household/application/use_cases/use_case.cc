#include "household/application/use_cases/use_case.h"

#include <array>
#include <charconv>

#include "household/application/stores/departed_users.h"
#include "household/application/stores/row_values.h"

namespace bascule::application {

namespace {
constexpr std::int64_t kept_ms = 24 * 3600 * std::int64_t{1000};
constexpr std::size_t key_bytes_max = 255;
}  // namespace

Request& Request::add(std::string_view value) {
    text_ += std::to_string(value.size());
    text_ += ':';
    text_ += value;
    return *this;
}

Request& Request::add(const std::vector<std::string>& values) {
    add(static_cast<std::int64_t>(values.size()));
    for (const std::string& value : values) {
        add(std::string_view(value));
    }
    return *this;
}

std::string Request::digest() const {
    const Sha256Digest digest = sha256(text_);
    return to_hex(std::span(digest).first<16>());
}

Result<std::optional<std::string>> earlier_answer(sql::Session& session, const Actor& actor,
                                                  const std::string& request, WallTime now) {
    if (actor.idempotency_key.size() > key_bytes_max) {
        return fail(ErrorKind::invalid,
                    "Idempotency-Key: has " + std::to_string(actor.idempotency_key.size()) +
                        " bytes; at most " + std::to_string(key_bytes_max) + " are allowed");
    }
    struct Kept {
        std::string request;
        std::string answer;
    };
    auto kept = TRY(session.query_one(
        "select request, answer from idempotency_keys where user_id = ?1 and idempotency_key = ?2"
        " and created_ms > ?3",
        {actor.user_id, actor.idempotency_key, to_unix_ms(now) - kept_ms},
        [](const sql::Row& row) { return Kept{row.text(0), row.text(1)}; }));
    if (!kept) {
        return std::nullopt;
    }
    if (kept->request != request) {
        return fail(ErrorKind::conflict,
                    "Idempotency-Key: this key was used for another request; use a new key");
    }
    return std::move(kept->answer);
}

Result<> keep_answer(sql::Session& session, const Actor& actor, const std::string& request,
                     const std::string& answer, WallTime now) {
    TRY(session.execute("delete from idempotency_keys where created_ms <= ?1",
                        {to_unix_ms(now) - kept_ms}));
    return ignoring_count(session.execute(
        "insert into idempotency_keys (user_id, idempotency_key, request, answer, created_ms)"
        " values (?1, ?2, ?3, ?4, ?5)",
        {actor.user_id, actor.idempotency_key, request, answer, to_unix_ms(now)}));
}

Result<> check_present(sql::Session& session, const Actor& actor) {
    if (TRY(departed_users::contains(session, actor.user_id))) {
        return fail(ErrorKind::not_found,
                    "the user was deleted before the request was carried out;"
                    " nothing was changed");
    }
    return {};
}

Result<std::int64_t> recall_count(sql::Session&, const std::string& answer) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(answer.data(), answer.data() + answer.size(), count);
    if (error != std::errc() || end != answer.data() + answer.size()) {
        return fail(ErrorKind::corrupt, "a kept answer is not a number");
    }
    return count;
}

}  // namespace bascule::application
