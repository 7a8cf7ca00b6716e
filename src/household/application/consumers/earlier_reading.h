#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "household/application/consumers/import_plan.h"
#include "household/application/stores/known_rows.h"
#include "household/application/unit_of_work.h"
#include "household/finance/duplicates.h"

namespace bascule::application {

/// What a file's earlier reading made, while a new one takes its place; empty for a file's first.
///
/// A row that both readings have is the same row: it keeps id, category and edits. What the new one
/// lacks goes, unless another file states it too, or a person touched it: such a row is corrected
/// in place where the new reading has its line, else kept and told of.
///
/// Lifetime: that of the unit of work.
class EarlierReading {
  public:
    static Result<EarlierReading> of(UnitOfWork& unit, const std::string& file_id);

    /// Among rows of the account, those that a file changed stand as they were before, so that the
    /// new reading finds them again.
    Result<> show_as_before(const std::string& account_id,
                            std::vector<finance::ExistingRow>& existing) const;

    /// Whether the file brought the row.
    bool has_brought(const std::string& id) const { return brought_.contains(id); }

    /// The new reading has the row; `bank` is what it says, and `verdict` how it was found. Notes
    /// it as known, unless the file brought it.
    Result<> keep(const std::string& id, const StoredTransaction& bank,
                  const finance::Verdict& verdict);

    /// Finds among `added`, new rows for the account, those that stand in the line of a row which a
    /// person touched and which the new reading lacks; corrects these and returns the others.
    Result<std::vector<StoredTransaction>> correct_touched(const std::string& account_id,
                                                           std::vector<StoredTransaction> added);

    /// Once, when all rows of the new reading were shown: lets go of the rest. Returns what is to
    /// be told about it.
    Result<std::vector<FileNote>> finish();

  private:
    EarlierReading(UnitOfWork& unit, std::string file_id)
        : unit_(&unit), file_id_(std::move(file_id)) {}

    /// Returns the bank's word before.
    Result<std::string> take_over(const std::string& id, const StoredTransaction& bank,
                                  const finance::Verdict& verdict);

    UnitOfWork* unit_;
    std::string file_id_;
    std::set<std::string> brought_;
    std::set<std::string> found_;  ///< of the brought ones, in the new reading
    std::map<std::string, KnownRows::Change> changes_;
    std::map<std::string, KnownRows::Heir> heirs_;
    std::vector<KnownRow> known_;  ///< of the new reading
};

}  // namespace bascule::application
