#include "household/application/consumers.h"

#include <algorithm>

#include "foundation/json/writer.h"
#include "foundation/sql/inbox.h"
#include "household/application/consumers/analytics.h"
#include "household/application/consumers/analytics_status.h"
#include "household/application/consumers/audit.h"
#include "household/application/consumers/categorization.h"
#include "household/application/consumers/file_processor.h"
#include "household/application/consumers/notification.h"
#include "household/application/stores/analytics_types.h"

namespace bascule::application {

namespace {

using delivery::OnExhausted;
using delivery::OnTimeout;
using delivery::Ordering;

/// An in-process consumer: it cannot be cut off, so a run beyond its time is asked to stop and
/// reported, never started a second time beside the first.
broker::ConsumerConfig consumer(const std::string& name, OnExhausted on_exhausted) {
    broker::ConsumerConfig config{.name = name};
    config.handler = {.kind = broker::HandlerConfig::Kind::in_process, .in_process = name};
    config.policy.on_exhausted = on_exhausted;
    config.policy.on_timeout = OnTimeout::wait;
    config.start = broker::Start::earliest;
    config.takes_many = false;
    return config;
}

/// For handlers that settle every event of a run.
broker::ConsumerConfig taking_many(broker::ConsumerConfig config) {
    config.takes_many = true;
    return config;
}

broker::ConsumerConfig categorization() {
    auto config = consumer("categorization", OnExhausted::park_key);
    config.part_size = Categorization::part_size_default;
    return config;
}

delivery::Lanes analytics_lanes() {
    delivery::Lanes lanes;
    for (const AnalyticsTrigger& trigger : analytics_triggers()) {
        lanes.map.emplace(trigger.event_type, static_cast<std::uint8_t>(trigger.priority));
    }
    lanes.otherwise = 3;
    return lanes;
}

broker::ConsumerConfig analytics() {
    auto config = taking_many(consumer("analytics", OnExhausted::skip_key));
    config.policy.lanes = analytics_lanes();
    config.policy.debounce = delivery::Debounce{
        .period = 300s, .leading = 2s, .max_wait = 15min, .mode = delivery::DebounceMode::collect};
    return config;
}

/// A bulk change of a user publishes an event a row; marking them one commit each would take longer
/// than the change. Nothing waits for company: a run takes what is there.
broker::ConsumerConfig analytics_status() {
    auto config = taking_many(consumer("analytics_status", OnExhausted::skip_key));
    config.policy.batch = delivery::Batch{.max_size = 1000, .max_wait = 0ms};
    return config;
}

broker::ConsumerConfig audit() {
    auto config = taking_many(consumer("audit", OnExhausted::retry_forever));
    config.policy.ordering = Ordering::log;
    config.policy.batch = delivery::Batch{.max_size = 1000, .max_wait = 100ms};
    return config;
}

/// {"detail-type": ["a", "b"]}
broker::PatternText types(const std::vector<std::string_view>& names) {
    broker::PatternText pattern;
    json::Writer writer(pattern.text);
    writer.begin_object().key("detail-type").begin_array();
    for (const std::string_view name : names) {
        writer.string(name);
    }
    writer.end_array().end_object();
    return pattern;
}

broker::PatternText analytics_types() {
    std::vector<std::string_view> names;
    for (const AnalyticsTrigger& trigger : analytics_triggers()) {
        names.push_back(trigger.event_type);
    }
    return types(names);
}

broker::Rule rule(const std::string& target, broker::PatternText pattern) {
    return {.name = "default." + target,
            .origin = broker::RuleOrigin::defaults,
            .patterns = {std::move(pattern)},
            .targets = {target}};
}

/// Where the inbox of a consumer is.
struct Tables {
    sql::Database& database;
    sql::Writer& writer;
};

/// The lower of journal and database wins, so the bus must know what this one says.
Result<broker::InboxState> inbox_of(sql::Database& database, const std::string& name) {
    auto snapshot = TRY(database.read());
    const auto low = TRY(sql::inbox::position(snapshot.session(), name))
    .value_or(0);
    broker::InboxState state{.low = Offset(low), .done = {}};
    for (const std::uint64_t offset :
         TRY(sql::inbox::offsets_done(snapshot.session(), name, low))) {
        state.done.emplace_back(offset);
    }
    return state;
}

}  // namespace

broker::BusConfig built_in_consumers() {
    return {
        .consumers = {consumer("file_processor", OnExhausted::park_key), categorization(),
                      analytics_status(), analytics(),
                      consumer("notification", OnExhausted::skip_key), audit()},
        .rules = {rule("file_processor", types({"file.uploaded"})),
                  rule("categorization", types({"transactions.created", "category.rule_created",
                                                "category.rule_updated"})),
                  rule("analytics_status", analytics_types()), rule("analytics", analytics_types()),
                  rule("notification",
                       types({"file.processed", "transactions.deleted", "account.deleted"})),
                  rule("audit",
                       {.text = R"({"source": ["*"]})", .dialect = pattern::Dialect::routing})},
    };
}

broker::TargetAliases target_aliases() {
    return {{"analytics_consumer", {"analytics_status", "analytics"}}};
}

Result<> attach_consumers(broker::Bus& bus, Environment environment, AuditTrail& audit,
                          std::uint32_t part_size) {
    const auto attach = [&](Tables tables, const std::string& name,
                            std::shared_ptr<broker::Handler> handler) -> Result<> {
        broker::InboxState inbox = TRY(inbox_of(tables.database, name));
        inbox.advance = [&writer = tables.writer, name](Offset low, io::Completion<> done) {
            writer.submit_patiently(
                [name, low](sql::Session& session) {
                    return sql::inbox::set_position(session, name, low.value());
                },
                std::move(done));
        };
        bus.attach(name, std::move(handler), std::move(inbox));
        return {};
    };
    const Tables own{environment.database, environment.writer};
    TRY(attach(own, "file_processor", std::make_shared<FileProcessor>(environment)));
    TRY(attach(own, "categorization", std::make_shared<Categorization>(environment, part_size)));
    TRY(attach(own, "analytics_status", std::make_shared<AnalyticsStatusMarker>(environment)));
    TRY(attach(own, "analytics", std::make_shared<AnalyticsConsumer>(environment)));
    TRY(attach(own, "notification", std::make_shared<NotificationConsumer>(environment)));
    return attach({audit.database(), audit.writer()}, "audit",
                  std::make_shared<AuditConsumer>(audit));
}

}  // namespace bascule::application
