#include <cstdlib>
#include <limits>

#include "household/application/stores/paging.h"
#include "household/application/stores/row_values.h"
#include "household/application/use_cases/edits.h"
#include "household/application/use_cases/reports.h"
#include "household/application/use_cases/use_case.h"

namespace bascule::application {

namespace {

constexpr std::string_view select_notifications =
    "select n.id, n.kind, n.title, n.message, n.data, n.event_id, n.created_ms, r.read_ms"
    " from notifications n left join notification_reads r on r.notification_id = n.id";

Notification read_notification(const sql::Row& row) {
    return {.id = row.text(0),
            .kind = row.text(1),
            .title = row.text(2),
            .message = row.text(3),
            .data = row.text(4),
            .event_id = row.text(5),
            .read = !row.is_null(7),
            .created_at = time_of(row, 6)};
}

Result<Notification> existing(sql::Session& session, const std::string& user_id,
                              const std::string& id) {
    auto found = TRY(
        session.query_one(std::string(select_notifications) + " where n.id = ?1 and n.user_id = ?2",
                          {id, user_id}, read_notification));
    if (!found) {
        return not_found("notification", id);
    }
    return std::move(*found);
}

}  // namespace

Result<Page<Notification>> Notifications::list(const std::string& user_id, bool unread_only,
                                               const PageRequest& page) const {
    TRY(check_limit(page));
    const auto snapshot = TRY(environment_.database.read());
    Page<Notification> found;
    found.total = static_cast<std::uint64_t>(
        TRY(snapshot->query_integer("select count(*) from notifications n"
                                    " left join notification_reads r on r.notification_id = n.id"
                                    " where n.user_id = ?1 and (?2 = 0 or r.read_ms is null)",
                                    {user_id, unread_only})));
    std::int64_t before_ms = std::numeric_limits<std::int64_t>::max();
    std::string before_id;
    if (!page.cursor.empty()) {
        const auto place = TRY(decode_cursor(page.cursor, 2));
        before_ms = std::atoll(place[0].c_str());
        before_id = place[1];
    }
    TRY(snapshot->query(
        std::string(select_notifications) +
            " where n.user_id = ?1 and (?2 = 0 or r.read_ms is null)"
            " and (n.created_ms, n.id) < (?3, ?4)"
            " order by n.created_ms desc, n.id desc limit ?5",
        {user_id, unread_only, before_ms, before_id, page.limit + 1},
        [&](const sql::Row& row) { found.items.push_back(read_notification(row)); }));
    if (found.items.size() > page.limit) {
        found.items.pop_back();
        const Notification& last = found.items.back();
        found.next_cursor = encode_cursor(
            std::vector<std::string>{std::to_string(to_unix_ms(last.created_at)), last.id});
    }
    return found;
}

void Notifications::mark_read(Actor actor, std::string id, io::Completion<Notification> done) {
    const Request request = Request("notifications.read").add(std::string_view(id));
    const std::string user_id = actor.user_id;
    perform<Notification>(
        environment_, std::move(actor), request, Weight::light,
        [id = std::move(id)](UnitOfWork& unit) -> Result<Notification> {
            TRY(existing(unit.session(), unit.user_id(), id));
            TRY(unit.session().execute(
                "insert into notification_reads (notification_id, user_id, read_ms)"
                " values (?1, ?2, ?3) on conflict (notification_id) do nothing",
                {id, unit.user_id(), to_unix_ms(unit.now())}));
            return existing(unit.session(), unit.user_id(), id);
        },
        [user_id](sql::Session& session, const std::string& answer) {
            return existing(session, user_id, answer);
        },
        std::move(done));
}

}  // namespace bascule::application
