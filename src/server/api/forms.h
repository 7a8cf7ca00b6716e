#pragma once

#include <string>

#include "bus/broker/bus.h"
#include "bus/event/event.h"
#include "household/application/records.h"
#include "household/application/stores/audit_trail.h"
#include "household/application/stores/refused_events.h"
#include "household/application/use_cases/reports.h"
#include "household/finance/category_tree.h"

/// Records as the JSON of docs/reference/openapi.yaml. Absent values are null where the contract
/// says so, else left out.
namespace bascule::api {

std::string account_form(const application::Account& account);
std::string file_form(const application::File& file);
std::string transaction_form(const application::Transaction& transaction);
std::string category_form(const application::Category& category);
std::string rule_form(const application::CategoryRule& rule);
std::string notification_form(const application::Notification& notification);
std::string preferences_form(const application::Preferences& preferences);
std::string analytics_status_form(const application::AnalyticsStatus& status);
std::string report_form(const application::Report& report, const finance::CategoryTree& tree);
std::string audit_entry_form(const application::AuditEntry& entry);
std::string audit_verdict_form(const application::AuditVerdict& verdict);
std::string consumer_form(const broker::ConsumerStatus& status,
                          const broker::ConsumerConfig* config);
std::string letter_summary_form(const broker::LetterSummary& letter);
std::string letter_detail_form(const broker::LetterDetail& letter);
std::string explanation_form(const broker::Explanation& explanation, std::string_view event_id,
                             std::string_view consumer, Offset offset);
std::string refused_event_form(const application::RefusedEvent& refused);
/// With the event, if it can be read.
std::string refused_event_detail_form(const application::RefusedEvent& refused);
std::string deleted_form(std::int64_t count);
std::string removal_form(const application::FileRemoval& removal);

/// Positions are opaque texts: partition:offset.
std::string position_text(Offset offset);
Result<Offset> parse_position(std::string_view text);

}  // namespace bascule::api
