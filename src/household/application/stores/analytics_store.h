#pragma once

#include <optional>
#include <set>
#include <string>

#include "foundation/base/clock.h"
#include "foundation/sql/session.h"
#include "household/finance/cells.h"

namespace bascule::application {

/// Which months figures are to be made anew for.
struct AnalyticsScope {
    bool everything = false;
    std::set<money::Month> months;

    void add(money::Month month) { months.insert(month); }
    void add(money::Month first, money::Month last);
};

/// A user's figures: cells computed from the transactions, and stored.
///
/// Rows that are pending do not count yet, and a category that is only suggested is none.
class AnalyticsStore {
  public:
    AnalyticsStore(sql::Session& session, std::string user_id)
        : session_(session), user_id_(std::move(user_id)) {}

    /// From the transactions. One query for everything, one for each run of neighbouring months.
    Result<finance::Cells> compute(const AnalyticsScope& scope);
    /// … of some days alone: the edges of a range (finance::parts_of).
    Result<finance::Cells> compute(money::DateSpan span);

    /// What is stored, of some months or of all.
    Result<finance::Cells> load(std::optional<money::Month> first,
                                std::optional<money::Month> last);
    /// Puts `cells` in the place of the stored ones of the scope.
    Result<> replace(const AnalyticsScope& scope, const finance::Cells& cells);

    Result<bool> was_ever_computed();
    /// The scope has now been computed from all events up to `generation`. What later events marked
    /// stays marked, and what an earlier one marked outside the scope.
    Result<> note_computed(const AnalyticsScope& scope, std::uint64_t generation, WallTime now);
    /// The last booking day there is.
    Result<std::optional<money::Date>> data_through();

  private:
    Result<> add_computed(finance::Cells& cells, const std::string& first, const std::string& last);
    Result<std::int64_t> computed_through(std::uint64_t generation);

    sql::Session& session_;
    std::string user_id_;
};

}  // namespace bascule::application
