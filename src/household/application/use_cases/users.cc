#include "household/application/use_cases/users.h"

#include "household/application/stores/departed_users.h"
#include "household/application/unit_of_work.h"

namespace bascule::application {

Result<> forget_user(sql::Session& session, const Actor& actor, WallTime now) {
    UnitOfWork unit(session, actor, now);
    const auto erase_from = [&](const std::string& table) {
        return session.execute("delete from " + table + " where user_id = ?1", {actor.user_id});
    };
    const std::int64_t notifications = TRY(erase_from("notifications"));
    for (const char* table : {"notification_reads", "preferences", "analytics_cells",
                              "analytics_months", "analytics_status"}) {
        TRY(erase_from(table));
    }
    TRY(departed_users::add(session, actor.user_id));
    unit.publish(event::user_deleted(unit.occasion(), {.notification_count = notifications}));
    return unit.finish();
}

}  // namespace bascule::application
