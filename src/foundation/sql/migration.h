#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/sql/session.h"

namespace bascule::sql {

enum class TableKind {
    domain,     ///< what users own: a change must come with an event
    technical,  ///< queues, marks, caches, settings of the machinery
};

struct Table {
    std::string name;
    TableKind kind;
};

/// One step of a database's schema. Each room contributes its own, under its own `room` name with
/// versions 1, 2, 3 …; a step that was released never changes, a new one follows it.
struct Migration {
    std::string room;
    int version;
    std::string name;
    std::vector<std::string> statements;
    std::vector<Table> tables;  ///< those that this step creates
};

/// Brings the database to `migrations`, each room's steps in order and each step in a transaction
/// of its own, and records them in `schema_migrations`.
///
/// Errors: `conflict` when the database has steps that this program does not know (it was written
/// by a newer one) or a step under a different name; nothing is changed then. `invalid` when
/// `migrations` has a gap.
Result<> migrate(Session& session, std::span<const Migration> migrations);

/// Tables of `kind` over all steps; what the "no silent change" test compares with.
std::vector<std::string> tables_of(std::span<const Migration> migrations, TableKind kind);

}  // namespace bascule::sql
