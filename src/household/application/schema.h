#pragma once

#include <vector>

#include "foundation/sql/migration.h"

namespace bascule::application {

/// Every migration of the household's database, with those of the outbox and inbox; each table is
/// declared domain or technical. Tables: docs/reference/schema.md.
std::vector<sql::Migration> migrations();

}  // namespace bascule::application
