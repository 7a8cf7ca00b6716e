#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/io/completion.h"
#include "household/application/actor.h"
#include "household/application/environment.h"
#include "household/application/page.h"
#include "household/application/records.h"
#include "household/finance/analytics.h"

namespace bascule::application {

struct ReportRequest {
    std::string type;  ///< cash_flow or category_trends
    finance::PeriodKind period = finance::PeriodKind::month;
    std::optional<money::Date> from;
    std::optional<money::Date> to;
    std::string account_id;  ///< empty: all
    std::string currency;    ///< empty: each on its own
};

/// Figures as they were last computed, with how fresh they are.
struct Report {
    std::string type;
    finance::PeriodKind period = finance::PeriodKind::month;
    std::optional<WallTime> computed_at;
    std::optional<money::Date> data_through;
    bool stale = false;
    std::vector<finance::CashFlowLine> cash_flow;
    std::vector<finance::CategoryLine> category_trends;
};

/// Analytics of users: reads of what the analytics consumer computed. Conventions as in Accounts.
class Reports {
  public:
    explicit Reports(Environment environment) : environment_(environment) {}

    Result<Report> report(const std::string& user_id, const ReportRequest& request) const;
    Result<std::vector<AnalyticsStatus>> status(const std::string& user_id) const;

  private:
    Environment environment_;
};

/// The inbox of a user.
class Notifications {
  public:
    explicit Notifications(Environment environment) : environment_(environment) {}

    Result<Page<Notification>> list(const std::string& user_id, bool unread_only,
                                    const PageRequest& page) const;
    void mark_read(Actor actor, std::string id, io::Completion<Notification> done);

  private:
    Environment environment_;
};

class PreferenceSettings {
  public:
    explicit PreferenceSettings(Environment environment) : environment_(environment) {}

    Result<Preferences> get(const std::string& user_id) const;
    void put(Actor actor, Preferences preferences, io::Completion<Preferences> done);

  private:
    Environment environment_;
};

}  // namespace bascule::application
