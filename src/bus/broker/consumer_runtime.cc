#include "bus/broker/consumer_runtime.h"

#include <algorithm>

#include "bus/event/body.h"
#include "foundation/base/check.h"
#include "foundation/base/hash.h"
#include "foundation/json/raw.h"

namespace bascule::broker {

namespace {

constexpr std::string_view default_key = "userId";

/// The text that a dotted path names in an event, for consumers with a key of their own.
std::string key_text(const event::EventView& event, std::string_view path) {
    std::string_view json = event::payload_of(event);
    constexpr std::string_view data = "data.";
    constexpr std::string_view metadata = "metadata.";
    if (path == "source") {
        return std::string(event.source);
    }
    if (path == "correlationId") {
        return std::string(event::correlation_of(event));
    }
    if (path.starts_with(data)) {
        path.remove_prefix(data.size());
    } else if (path.starts_with(metadata)) {
        path.remove_prefix(metadata.size());
        json = event.metadata;
    }
    const auto raw = json::raw_at_path(json, path);
    if (!raw) {
        return {};
    }
    // A text by its value, anything else by its JSON.
    return json::string_of(*raw).value_or(std::string(*raw));
}

}  // namespace

ConsumerRuntime::ConsumerRuntime(ConsumerConfig config, ConsumerNumber number,
                                 delivery::Consumer machine, const log::Log& log,
                                 const TargetSets& sets)
    : config_(std::move(config)),
      number_(number),
      machine_(std::move(machine)),
      log_(log),
      sets_(sets) {}

Routing::Wanted ConsumerRuntime::wants(const log::RecordView& record,
                                       const Routing& routing) const {
    using Wanted = Routing::Wanted;
    if (record.kind != log::RecordKind::event) {
        return Wanted::no;
    }
    const Routing::Consumer* consumer = routing.find(number_);
    if (consumer != nullptr && record.rule_version < consumer->created_version) {
        if (consumer->backfill.empty()) {
            return Wanted::no;
        }
        const auto event = event::decode_body(record.body);
        return event ? routing.backfills(*event, *consumer) : Wanted::no;
    }
    const std::optional<bool> holds = sets_.contains(record.target_set, number_);
    return !holds ? Wanted::unknown : *holds ? Wanted::yes : Wanted::no;
}

bool ConsumerRuntime::may_want(const log::RecordView& record, const Routing& routing) const {
    const Routing::Consumer* consumer = routing.find(number_);
    if (record.kind == log::RecordKind::event && consumer != nullptr &&
        record.rule_version < consumer->created_version) {
        return !consumer->backfill.empty();  // its patterns look into what is lost
    }
    const Routing::Wanted wanted = wants(record, routing);
    return wanted == Routing::Wanted::yes || wanted == Routing::Wanted::unknown;
}

bool ConsumerRuntime::is_for_others(Offset offset, const Routing& routing) {
    const auto found = find(offset);
    return found && wants(found->record, routing) == Routing::Wanted::no;
}

std::uint64_t ConsumerRuntime::key_hash_of(const log::RecordView& record) const {
    if (config_.key == default_key) {
        return record.key_hash;
    }
    const auto event = event::decode_body(record.body);
    const std::string key = event ? key_text(*event, config_.key) : std::string();
    return key.empty() ? delivery::no_key : hash64(key);
}

void ConsumerRuntime::change(ConsumerConfig config, std::shared_ptr<Handler> handler) {
    const bool retired = handler_ == nullptr;
    handler_ = std::move(handler);
    const delivery::Policy& now = config_.policy;
    const delivery::Policy& then = config.policy;
    if (!retired && now == then && config_.key == config.key) {
        config_ = std::move(config);
        change_.reset();
        machine_.halt(false);  // a change that is taken back may have stopped it
        return;
    }
    // A retired machine stands still: it cannot be drained, its snapshot is taken as it is.
    const bool drain = !retired && (config_.key != config.key || now.ordering != then.ordering ||
                                    now.debounce != then.debounce);
    machine_.halt(!drain);
    change_ = Change{.config = std::move(config), .drain = drain};
}

std::vector<std::string> ConsumerRuntime::settle_change(delivery::Now now, Random random) {
    if (!change_) {
        return {};
    }
    if (change_->drain) {
        machine_.flush(std::nullopt, now);
    }
    const delivery::Counts counts = machine_.counts();
    if (counts.runs > 0 ||
        (change_->drain && counts.queued + counts.waiting + counts.running > 0)) {
        return {};
    }
    delivery::ConsumerState state = machine_.snapshot(now);
    std::vector<std::string> parts = state.encode_parts();
    auto machine = delivery::Consumer::create(config_.name, change_->config.policy,
                                              std::move(state), random, now);
    CHECK(machine.has_value());  // the policy was validated before the change was taken
    machine->take_over(machine_);
    machine_ = std::move(*machine);
    config_ = std::move(change_->config);
    change_.reset();
    return parts;
}

bool ConsumerRuntime::read_ahead(const Routing& routing, delivery::Now now) {
    if (!handler_ || change_ || !machine_.wants_more()) {
        return false;
    }
    const Offset from = machine_.next_wanted();
    const Offset end = log_.end();
    if (from >= end) {
        machine_.advance_cursor(end, now);
        return false;
    }
    auto read = log_.read(from, {.records_max = records_a_turn_max});
    if (!read) {
        trouble_ = read.error().message();
        // Damage does not stop a consumer for ever: what can be read is delivered, and a letter
        // tells of what is lost.
        if (const auto lost = log_.lost_at(from)) {
            trouble_.clear();
            offer_lost(from, std::min(lost->end, end), routing, now);
            return true;
        }
        if (read.error().kind() == ErrorKind::not_found) {
            trouble_.clear();
            offer_lost(from, log_.begin(), routing, now);
            return true;
        }
        return false;
    }
    trouble_.clear();
    const auto batch = std::make_shared<const log::Batch>(std::move(*read));
    bool offered = false;
    for (const log::RecordView& record : batch->records()) {
        const Routing::Wanted wanted = wants(record, routing);
        if (wanted == Routing::Wanted::unknown) {
            machine_.advance_cursor(record.offset, now);
            keep(batch);
            trouble_ = "nobody can tell whose the event at position " +
                       std::to_string(record.offset.value()) +
                       " is: the record that says so is damaged; restore the log from a copy, or "
                       "resume behind it";
            return false;
        }
        if (wanted != Routing::Wanted::yes) {
            undecided_ += wanted == Routing::Wanted::undecided ? 1 : 0;
            continue;
        }
        if (!machine_.wants_more()) {
            machine_.advance_cursor(record.offset, now);
            break;
        }
        std::uint8_t lane = 1;
        if (config_.policy.lanes) {
            if (const auto event = event::decode_body(record.body)) {
                lane = config_.policy.lanes->lane_of(event->event_type);
            }
        }
        machine_.offer({.offset = record.offset,
                        .key_hash = key_hash_of(record),
                        .lane = lane,
                        .bytes = static_cast<std::uint32_t>(record.body.size()),
                        .recorded = record.recorded},
                       now);
        offered = true;
    }
    if (offered) {
        keep(batch);
    }
    if (machine_.wants_more()) {
        machine_.advance_cursor(batch->next(), now);
    }
    return machine_.wants_more() && batch->next() < log_.end();
}

/// Offers what is lost in [from, end): its run fails and leaves a letter that says so.
void ConsumerRuntime::offer_lost(Offset from, Offset end, const Routing& routing,
                                 delivery::Now now) {
    // Damaged bodies leave the columns, which say whose the events were.
    const auto columns = log_.read(
        from, {.records_max = records_a_turn_max, .parts = log::ReadLimits::Parts::columns});
    if (!columns) {
        // Nobody can tell any more. One letter, for the last of them: that one is found again after
        // a restart, whatever was settled before it.
        machine_.offer({.offset = Offset(end.value() - 1), .lost = true}, now);
        return;
    }
    for (const log::RecordView& record : columns->records()) {
        if (record.offset >= end) {
            break;
        }
        if (!may_want(record, routing)) {
            continue;
        }
        if (!machine_.wants_more()) {
            machine_.advance_cursor(record.offset, now);
            return;
        }
        const bool own_key = config_.key != default_key;
        machine_.offer({.offset = record.offset,
                        .key_hash = own_key ? delivery::no_key : record.key_hash,
                        .recorded = record.recorded,
                        .lost = true},
                       now);
    }
    machine_.advance_cursor(std::min(columns->next(), end), now);
}

Explanation ConsumerRuntime::explain_lost(Offset offset, const log::LostRange& lost,
                                          const Routing& routing, delivery::Now now) const {
    Offset told = Offset(std::min(lost.end, log_.end()).value() - 1);  // whose letter is for all
    std::uint64_t key = delivery::no_key;
    std::uint32_t rules = 0;
    const auto columns =
        log_.read(offset, {.records_max = 1, .parts = log::ReadLimits::Parts::columns});
    if (columns && !columns->records().empty()) {
        const log::RecordView& record = columns->records().front();
        rules = record.rule_version;
        if (!may_want(record, routing)) {
            return {.state = "unmatched",
                    .reason = "no rule in force when it was stored names this consumer",
                    .rule_version = rules};
        }
        told = offset;
        key = config_.key == default_key ? record.key_hash : delivery::no_key;
    }
    const delivery::Explanation why = machine_.explain(told, key, now);
    return {.state = std::string(delivery::name(why.state)),
            .reason = "the event cannot be read: " + lost.why + "; " + why.text,
            .last_error = why.error,
            .next_attempt = why.next,
            .rule_version = rules};
}

void ConsumerRuntime::keep(std::shared_ptr<const log::Batch> batch) {
    batches_.push_back(std::move(batch));
    if (batches_.size() > batches_kept_max) {
        batches_.pop_front();
    }
}

Result<ConsumerRuntime::Found> ConsumerRuntime::find(Offset offset) {
    for (auto batch = batches_.rbegin(); batch != batches_.rend(); ++batch) {
        const auto records = (*batch)->records();
        const auto found = std::ranges::lower_bound(records, offset, {}, &log::RecordView::offset);
        if (found != records.end() && found->offset == offset) {
            return Found{.record = *found, .memory = *batch};
        }
    }
    auto batch = std::make_shared<const log::Batch>(TRY(log_.read(offset, {.records_max = 256})));
    if (batch->records().empty() || batch->records().front().offset != offset) {
        return fail(ErrorKind::not_found,
                    "there is no record at offset " + std::to_string(offset.value()));
    }
    keep(batch);
    return Found{.record = batch->records().front(), .memory = batch};
}

Result<std::string> ConsumerRuntime::body_of(Offset offset) {
    return std::string(TRY(find(offset)).record.body);
}

Result<Delivery> ConsumerRuntime::delivery_for(const delivery::StartRun& start,
                                               std::span<const Offset> handed,
                                               const LetterStore& letters, delivery::Now now) {
    Delivery delivery{.consumer = config_.name,
                      .run = start.run,
                      .delivery_id = config_.name + ":" + std::to_string(handed.front().value()),
                      .attempt = start.attempt};
    if (config_.policy.on_timeout == delivery::OnTimeout::give_up) {
        delivery.deadline = now.steady + config_.policy.timeout;
    }
    if (handed.size() > 1) {
        // The members between them differ when some were done, or came from other keys.
        const std::uint64_t members = hash64(as_text(std::as_bytes(handed)));
        delivery.delivery_id += "-" + std::to_string(handed.back().value()) + ":" +
                                to_hex(std::as_bytes(std::span(&members, 1)));
    }
    delivery.position_low = machine_.position();
    delivery.events.reserve(handed.size());
    for (const Offset offset : handed) {
        auto found = find(offset);
        if (found) {
            const auto event = event::decode_body(found->record.body);
            if (!event) {
                return std::unexpected(event.error());
            }
            delivery.events.push_back(
                {.offset = offset, .recorded = found->record.recorded, .event = *event});
            if (delivery.storage.empty() || delivery.storage.back() != found->memory) {
                delivery.storage.push_back(std::move(found->memory));
            }
            continue;
        }
        // Retention may have taken the record of a letter; the letter kept the event.
        const LetterStore::Stored* stored =
            start.letter ? letters.find(config_.name, offset) : nullptr;
        if (stored == nullptr) {
            return std::unexpected(std::move(found).error());
        }
        auto body = std::make_shared<const std::string>(stored->body);
        const event::EventView event = TRY(event::decode_body(*body));
        delivery.events.push_back(
            {.offset = offset, .recorded = stored->letter.opened, .event = event});
        delivery.storage.push_back(std::move(body));
    }
    return delivery;
}

bool ConsumerRuntime::idle() const {
    if (!handler_) {
        return true;
    }
    const delivery::Counts counts = machine_.counts();
    return machine_.cursor() >= log_.end() && counts.queued + counts.waiting + counts.running == 0;
}

ConsumerStatus ConsumerRuntime::status(delivery::Now now) const {
    const delivery::ConsumerStatus machine = machine_.status(now);
    ConsumerStatus status{.name = config_.name,
                          .handler = config_.handler.text(),
                          .ordering = std::string(delivery::name(config_.policy.ordering)),
                          .state = std::string(delivery::name(machine.mode)),
                          .state_reason = machine.text,
                          .cursor = machine_.cursor(),
                          .position = machine_.position(),
                          .counts = machine_.counts(),
                          .undecided = undecided_};
    const auto& gaps = machine_.gaps();
    const std::size_t shown = std::min(gaps.size(), ConsumerStatus::gaps_shown_max);
    status.gaps.assign(gaps.end() - static_cast<std::ptrdiff_t>(shown), gaps.end());
    if (!trouble_.empty()) {
        status.state_reason += (status.state_reason.empty() ? "" : "; ") + trouble_;
    }
    if (!stuck_.empty()) {
        status.state_reason += (status.state_reason.empty() ? "" : "; ") +
                               std::to_string(stuck_.size()) +
                               " runs are stuck: beyond their timeout and not answered";
    }
    const Offset end = log_.end();
    const std::uint64_t unread = end > status.cursor ? end.value() - status.cursor.value() : 0;
    status.lag_events = unread + status.counts.queued + status.counts.waiting +
                        status.counts.running + status.counts.deferred;
    if (status.lag_events > 0) {
        // The oldest unsettled record stands at the position, or the first unread at the cursor.
        const auto oldest = log_.read(std::min(status.position, status.cursor),
                                      {.records_max = 1, .parts = log::ReadLimits::Parts::columns});
        if (oldest && !oldest->records().empty()) {
            status.lag_ms =
                std::max<std::int64_t>(0, (now.wall - oldest->records().front().recorded).count());
        }
    }
    return status;
}

}  // namespace bascule::broker
