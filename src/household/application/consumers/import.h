#pragma once

#include "household/application/consumers/import_plan.h"
#include "household/application/unit_of_work.h"

namespace bascule::application {

/// Carries a plan out inside a unit of work: new rows, the bank's later word about known rows, the
/// file's status and counts; and publishes transactions.created (at most 1 000 ids each),
/// transaction.updated, file.associated and, last, file.processed.
///
/// A row is new or known by the state of the account at this moment (finance::assign). What the
/// user edited by hand stays. A plan with rows replaces what the file's earlier reading made; one
/// without leaves it. Uses up the plan's rows.
Result<> carry_out(UnitOfWork& unit, File file, ImportPlan& plan);

}  // namespace bascule::application
