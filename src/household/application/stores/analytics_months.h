#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "foundation/sql/session.h"
#include "household/application/stores/analytics_store.h"

namespace bascule::application {

/// Which months of a user's figures wait to be computed, and since which event.
///
/// An event marks the months that it touches; a computation clears those that it covered. So an
/// event that became a letter leaves its months marked while later events are computed, and marks
/// and computations may come in any order.
class AnalyticsMonths {
  public:
    AnalyticsMonths(sql::Session& session, std::string user_id)
        : session_(session), user_id_(std::move(user_id)) {}

    /// Offsets of the first and the last event that touched the scope.
    struct Span {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };
    /// Months that were computed from `events.last` or behind it stay as they are.
    Result<> mark(const AnalyticsScope& scope, Span events);
    /// The scope was computed from all events up to `generation`.
    Result<> note_computed(const AnalyticsScope& scope, std::uint64_t generation);
    /// No event at or behind it is known to be missing in a figure; none if nothing waits.
    Result<std::optional<std::int64_t>> waiting_since();

  private:
    Result<> mark_month(const std::string& month, Span events);
    Result<> note_month(const std::string& month, std::uint64_t generation);

    sql::Session& session_;
    std::string user_id_;
};

}  // namespace bascule::application
