#include "foundation/sql/migration.h"

#include <algorithm>
#include <map>

namespace bascule::sql {

namespace {

using Applied = std::map<std::pair<std::string, std::int64_t>, std::string>;

Result<Applied> applied_steps(Session& session) {
    TRY(
        session.execute("create table if not exists schema_migrations (room text not null, "
                        "version bigint not null, name text not null, "
                        "primary key (room, version))"));
    Applied applied;
    TRY(session.query("select room, version, name from schema_migrations", {}, [&](const Row& row) {
        applied.emplace(std::pair(row.text(0), row.integer(1)), row.text(2));
    }));
    return applied;
}

Result<> check_without_gaps(std::span<const Migration> migrations) {
    std::map<std::string_view, int> last;
    for (const Migration& step : migrations) {
        if (step.version != last[step.room] + 1) {
            return fail(ErrorKind::invalid, "migration " + step.room + " " +
                                                std::to_string(step.version) + " follows version " +
                                                std::to_string(last[step.room]));
        }
        last[step.room] = step.version;
    }
    return {};
}

Result<> check_known(const Applied& applied, std::span<const Migration> migrations) {
    for (const auto& [key, name] : applied) {
        const auto& [room, version] = key;
        const auto known = std::ranges::find_if(migrations, [&](const Migration& step) {
            return step.room == room && step.version == version;
        });
        const std::string step = room + " " + std::to_string(version) + " (" + name + ")";
        if (known == migrations.end()) {
            return fail(ErrorKind::conflict,
                        "the database is newer than this program: it has the schema step " + step +
                            ", which this program does not know; use the program that wrote it or "
                            "a later one");
        }
        if (known->name != name) {
            return fail(ErrorKind::conflict, "the database has the schema step " + step +
                                                 ", this program calls it \"" + known->name + "\"");
        }
    }
    return {};
}

Result<> apply(Session& session, const Migration& step) {
    auto transaction = TRY(Transaction::begin_write(session));
    for (const std::string& statement : step.statements) {
        TRY(session.execute(statement));
    }
    TRY(session.execute("insert into schema_migrations (room, version, name) values (?1, ?2, ?3)",
                        {step.room, step.version, step.name}));
    return transaction.commit();
}

}  // namespace

Result<> migrate(Session& session, std::span<const Migration> migrations) {
    TRY(check_without_gaps(migrations));
    const auto applied = TRY(applied_steps(session));
    TRY(check_known(applied, migrations));
    for (const Migration& step : migrations) {
        if (applied.contains({step.room, step.version})) {
            continue;
        }
        if (auto done = apply(session, step); !done) {
            return std::unexpected(std::move(done).error().in("schema step " + step.room + " " +
                                                              std::to_string(step.version)));
        }
    }
    return {};
}

std::vector<std::string> tables_of(std::span<const Migration> migrations, TableKind kind) {
    std::vector<std::string> names;
    for (const Migration& step : migrations) {
        for (const Table& table : step.tables) {
            if (table.kind == kind) {
                names.push_back(table.name);
            }
        }
    }
    return names;
}

}  // namespace bascule::sql
