#include "household/application/stores/holdings.h"

#include <array>

namespace bascule::application {

namespace {

struct Kind {
    const char* count;
    const char* one;
    const char* many;
};

constexpr std::array<Kind, 5> kinds{{
    {"select count(*) from accounts where user_id = ?1", "account", "accounts"},
    {"select count(*) from files where user_id = ?1", "file", "files"},
    {"select count(*) from transactions where user_id = ?1", "transaction", "transactions"},
    {"select count(*) from categories where user_id = ?1", "category", "categories"},
    {"select count(*) from category_rules where user_id = ?1", "category rule", "category rules"},
}};

}  // namespace

Result<std::string> holdings_of(sql::Session& session, const std::string& user_id) {
    std::string all;
    for (const Kind& kind : kinds) {
        const std::int64_t count = TRY(session.query_integer(kind.count, {user_id}));
        if (count > 0) {
            all += all.empty() ? "" : ", ";
            all += std::to_string(count) + " " + (count == 1 ? kind.one : kind.many);
        }
    }
    return all;
}

}  // namespace bascule::application
