#include "household/application/stores/departed_users.h"

#include "household/application/stores/row_values.h"

namespace bascule::application::departed_users {

Result<> add(sql::Session& session, std::string_view user_id) {
    return ignoring_count(session.execute(
        "insert into departed_users (id) values (?1) on conflict do nothing", {user_id}));
}

Result<bool> contains(sql::Session& session, std::string_view user_id) {
    return TRY(session.query_integer("select exists (select 1 from departed_users where id = ?1)",
                                     {user_id}))
    != 0;
}

}  // namespace bascule::application::departed_users
