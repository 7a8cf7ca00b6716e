#include "server/api/metrics.h"

#include <prometheus/text_serializer.h>

#include <chrono>

namespace bascule::api {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// Families in the making. Numbers come from counters that the rooms keep themselves.
class Collector {
  public:
    void counter(const std::string& name, const std::string& help, double value,
                 Labels labels = {}) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.counter.value = value;
        family(name, help, MetricType::Counter).metric.push_back(std::move(metric));
    }

    void gauge(const std::string& name, const std::string& help, double value, Labels labels = {}) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.gauge.value = value;
        family(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
    }

    std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

  private:
    MetricFamily& family(const std::string& name, const std::string& help, MetricType type) {
        for (MetricFamily& known : families_) {
            if (known.name == name) {
                return known;
            }
        }
        return families_.emplace_back(MetricFamily{name, help, type, {}});
    }

    std::vector<MetricFamily> families_;
};

double number(std::uint64_t value) { return static_cast<double>(value); }

void add_publish(Collector& out, const broker::PublishCounts& counts) {
    const std::string name = "bascule_publish_events_total";
    const std::string help = "Events that publishers handed in, by outcome";
    out.counter(name, help, number(counts.accepted), {{"outcome", "accepted"}});
    out.counter(name, help, number(counts.duplicates), {{"outcome", "duplicate"}});
    out.counter(name, help, number(counts.rejected), {{"outcome", "rejected"}});
    out.counter("bascule_publish_unrouted_total", "Accepted events that no rule matched",
                number(counts.unrouted));
    out.counter("bascule_publish_undecided_total",
                "Events for which the search for a match of some pattern was given up",
                number(counts.undecided));
    out.counter("bascule_publish_bytes_total", "Bytes of event bodies accepted or repeated",
                number(counts.bytes));
}

void add_log(Collector& out, const log::Log& log) {
    const log::Status status = log.status();
    const log::Stats& stats = status.stats;
    out.gauge("bascule_log_running", "1 while the log takes events",
              status.state == log::State::running ? 1 : 0);
    std::uint64_t lost = 0;
    for (const log::LostRange& range : status.lost) {
        lost += range.end.value() - range.first.value();
    }
    out.gauge("bascule_log_lost_records", "Stored events found damaged or missing", number(lost));
    out.gauge("bascule_log_end_offset", "Offset of the next event", number(log.end().value()));
    out.gauge("bascule_log_begin_offset", "First offset that retention kept",
              number(log.begin().value()));
    out.counter("bascule_log_syncs_total", "fdatasync calls", number(stats.syncs));
    out.counter("bascule_log_sync_seconds_total", "Time spent in fdatasync",
                std::chrono::duration<double>(stats.sync_time).count());
    out.gauge("bascule_log_sync_seconds_max", "Longest fdatasync since the start",
              std::chrono::duration<double>(stats.sync_time_max).count());
    out.counter("bascule_log_frames_total", "Commits written", number(stats.frames));
    out.counter("bascule_log_bytes_total", "Bytes of commits written", number(stats.bytes));
    out.gauge("bascule_log_segments", "Segment files", number(stats.segments));
    out.gauge("bascule_log_stored_bytes", "Bytes of segments", number(stats.stored_bytes));
    out.gauge("bascule_log_queue_records", "Records that wait for the writer",
              number(stats.queue_records));
    out.gauge("bascule_log_dedup_entries", "Ids in the dedup window", number(stats.dedup_entries));
    out.gauge("bascule_log_dedup_window_seconds", "How far back a repeated id is recognised now",
              std::chrono::duration<double>(stats.dedup_window).count());
}

void add_consumer(Collector& out, const broker::ConsumerStatus& status) {
    const Labels consumer{{"consumer", status.name}};
    out.gauge("bascule_consumer_lag_events", "Events not yet read or not yet settled",
              number(status.lag_events), consumer);
    out.gauge("bascule_consumer_lag_seconds", "Age of the oldest of them",
              static_cast<double>(status.lag_ms) / 1000, consumer);
    out.gauge("bascule_consumer_running", "1 while the consumer is neither paused nor suspended",
              status.state == "running" ? 1 : 0, consumer);
    const delivery::Counts& counts = status.counts;
    out.counter("bascule_consumer_attempts_total", "Runs started", number(counts.attempts),
                consumer);
    out.counter("bascule_consumer_failures_total", "Runs that failed", number(counts.failures),
                consumer);
    out.counter("bascule_consumer_late_answers_total", "Answers that came too late",
                number(counts.late_answers), consumer);
    out.counter("bascule_consumer_undecided_total",
                "Events older than the consumer, not delivered since no pattern was decided",
                number(status.undecided), consumer);
    const auto state = [&](const char* name, std::uint64_t count) {
        out.gauge("bascule_consumer_events",
                  "Events that matched, by what became of them; the states sum up to matched",
                  number(count), {{"consumer", status.name}, {"state", name}});
    };
    const delivery::Settlements& settled = counts.settled;
    state("done", settled.done);
    state("coalesced", settled.coalesced);
    state("superseded", settled.superseded);
    state("discarded", settled.discarded);
    state("skipped", settled.skipped);
    state("gap", settled.gap);
    state("expired", settled.expired);
    state("letter", counts.letters);
    state("deferred", counts.deferred);
    state("queued", counts.queued);
    state("waiting", counts.waiting);
    state("running", counts.running);
    out.gauge("bascule_consumer_matched", "Events that matched up to the read cursor",
              number(counts.matched), consumer);
    out.gauge("bascule_consumer_letters", "Open letters", number(counts.letters), consumer);
    out.gauge("bascule_consumer_windows", "Open debounce windows", number(counts.windows),
              consumer);
}

}  // namespace

void write_metrics(const Services& services, std::move_only_function<void(std::string)> done) {
    services.bus.consumers([&services, done = std::move(done)](
                               Result<std::vector<broker::ConsumerStatus>> all) mutable {
        Collector out;
        add_publish(out, services.bus.publish_counts());
        add_log(out, services.bus.log());
        if (const auto backlog = services.relay.backlog()) {
            out.gauge("bascule_outbox_backlog", "Committed events not yet in the log",
                      number(*backlog));
        }
        out.gauge("bascule_outbox_refused", "Committed events that the log will never take",
                  number(services.relay.refused_count()));
        if (all) {
            for (const broker::ConsumerStatus& status : *all) {
                add_consumer(out, status);
            }
        }
        done(out.text());
    });
}

}  // namespace bascule::api
