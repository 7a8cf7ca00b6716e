#include "simulator/world.h"

#include <algorithm>
#include <utility>

#include "bus/event/body.h"
#include "foundation/base/check.h"
#include "foundation/base/hash.h"

namespace bascule::simulator {

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t publishers = 3;
constexpr std::uint32_t keys = 5;
constexpr std::chrono::milliseconds sync_latency_max{8};
/// The journal is synced this often; what was settled longer ago survives a power cut.
constexpr std::chrono::milliseconds journal_sync_interval{100};
constexpr std::chrono::milliseconds journal_slack = journal_sync_interval + 4 * sync_latency_max;

broker::Bus::Options bus_options(std::uint64_t seed) {
    return {.directory = "bus",
            .log = {.segment_bytes = 16 << 10,
                    .frame_bytes_max = 64 << 10,
                    .record_bytes_max = 8 << 10,
                    .queue_bytes_max = 256 << 10,
                    .queue_records_max = 200,
                    .large_commit_bytes = 4 << 10,
                    .fill_bytes = 2 << 10,
                    .tail_bytes_max = 8 << 10,
                    .read_cache_bytes_max = 8 << 10,
                    .reserve_bytes = 0,
                    .seed = seed + 1},
            .journal_sync_interval = journal_sync_interval,
            .random_seed = seed + 1};
}

/// An operation of the disk that fails by plan, once.
bool is_passing(const Error& error) {
    return error.kind() == ErrorKind::io || error.kind() == ErrorKind::exhausted;
}

std::string text(const delivery::Outcome& outcome) {
    using Kind = delivery::Outcome::Kind;
    std::string text;
    switch (outcome.kind) {
        case Kind::done:
            text = outcome.failures.empty() ? "done" : "done except";
            break;
        case Kind::transient:
            text = outcome.counted ? "again later" : "again later, not counted";
            break;
        case Kind::permanent:
            text = "never";
            break;
        case Kind::suspended:
            text = "out of resources";
            break;
    }
    for (const delivery::ItemFailure& failure : outcome.failures) {
        text += " 0:" + std::to_string(failure.offset.value()) +
                (failure.kind == delivery::ItemFailure::Kind::permanent ? " never" : " later");
    }
    return text;
}

}  // namespace

/// A consumer's handler: plays its script and tells the model.
class World::Player final : public broker::Handler {
  public:
    Player(World& world, std::shared_ptr<Script> script)
        : world_(world), script_(std::move(script)) {}

    void handle(broker::Delivery run, broker::Done done) override {
        const SteadyTime now = world_.clock_.steady();
        Model::Run seen{.consumer = run.consumer,
                        .number = run.run.value(),
                        .attempt = run.attempt,
                        .deadline = run.deadline};
        std::string line = run.consumer + " run " + std::to_string(run.run.value()) + " attempt " +
                           std::to_string(run.attempt) + ":";
        for (const broker::DeliveredEvent& delivered : run.events) {
            seen.events.push_back(delivered.offset);
            seen.ids.emplace_back(delivered.event.event_id);
            line += " " + seen.ids.back() + "@0:" + std::to_string(delivered.offset.value()) + "/" +
                    std::string(delivered.event.user_id);
        }
        world_.tell(std::move(line));
        world_.read_log();
        world_.model_.run_started(seen, now);
        ++world_.counts_.runs;

        Script::Answer answer = script_->answer(run, world_.policies_.at(run.consumer).timeout);
        if (answer.never) {
            kept_.push_back(std::move(done));
            return;
        }
        auto say = [this, consumer = run.consumer, number = run.run.value(),
                    outcome = std::move(answer.outcome), done = std::move(done)]() mutable {
            world_.tell(consumer + " run " + std::to_string(number) + " answers: " + text(outcome));
            world_.model_.run_answered(consumer, number, outcome, world_.clock_.steady());
            world_.counts_.failures +=
                outcome.kind != delivery::Outcome::Kind::done || !outcome.failures.empty() ? 1 : 0;
            done(std::move(outcome));
        };
        if (answer.after == 0ms) {
            say();
        } else {
            world_.executor_->post_at(now + answer.after, std::move(say));
        }
    }

    /// What was never answered goes with its process.
    void forget() { kept_.clear(); }

  private:
    World& world_;
    std::shared_ptr<Script> script_;
    std::vector<broker::Done> kept_;
};

namespace {

std::map<std::string, delivery::Policy> policies_of(const Plan& plan) {
    std::map<std::string, delivery::Policy> policies;
    for (std::uint32_t i = 0; i < plan.consumers; ++i) {
        policies[consumer_name(i)] = policy_of(plan.seed, i);
    }
    return policies;
}

Interests some_interests(const Plan& plan, std::uint64_t number) {
    Interests interests;
    for (std::uint32_t i = 0; i < plan.consumers; ++i) {
        Random random = chance_of(plan.seed, "interests/" + consumer_name(i), number);
        std::set<std::string>& wanted = interests[consumer_name(i)];
        for (const std::string& source : sources()) {
            if (random.below(3) != 0) {
                wanted.insert(source);
            }
        }
        if (wanted.empty()) {
            wanted.insert(sources().front());
        }
    }
    return interests;
}

}  // namespace

World::World(const Plan& plan)
    : plan_(plan),
      executor_(std::make_unique<sim::SimExecutor>(clock_, plan.seed)),
      disk_(*executor_,
            {.seed = plan.seed, .sync_latency_min = 100us, .sync_latency_max = sync_latency_max}),
      policies_(policies_of(plan)),
      model_(policies_),
      wanted_(some_interests(plan, 0)) {
    for (const auto& [name, policy] : policies_) {
        scripts_[name] = std::make_shared<Script>(plan.seed, name);
        players_[name] = std::make_shared<Player>(*this, scripts_[name]);
    }
    for (std::uint32_t i = 0; i < publishers; ++i) {
        publishers_.push_back({.number = i});
    }
}

World::~World() { drop_process(); }

/// Leaves nothing behind that could still act: what is dropped may answer, and so wake its bus.
void World::drop_process() {
    for (const auto& [name, player] : players_) {
        player->forget();
    }
    executor_->drop_all();
    bus_.reset();
    while (executor_->ready_count() + executor_->timer_count() > 0) {
        executor_->drop_all();
    }
}

std::string World::time() const {
    const auto us =
        std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady().time_since_epoch())
            .count();
    std::string text = std::to_string(us / 1000) + ".";
    return text + std::to_string(1000 + us % 1000).substr(1) + " ms";
}

void World::tell(std::string line) {
    line = time() + "  " + line;
    digest_ = hash64(line + std::to_string(digest_));
    story_.push_back(std::move(line));
}

void World::broken(std::string what) {
    if (violation_.empty()) {
        violation_ = std::move(what);
    }
}

// ── The process ──────────────────────────────────────────────────────────────────────────────────

bool World::try_start() {
    auto bus = broker::Bus::open({.disk = disk_, .executor = *executor_, .workers = *executor_},
                                 bus_options(plan_.seed + boot_ * 1000));
    if (!bus) {
        tell("the process cannot start: " + bus.error().message());
        return false;
    }
    bus_ = std::move(*bus);
    return true;
}

void World::start() {
    ++boot_;
    // Whoever cannot start is started again, and in the end somebody looks after the disk.
    for (int tries = 0; !try_start(); ++tries) {
        executor_->drop_all();
        if (tries == 2) {
            disk_.clear_failures();
            disk_.set_capacity(UINT64_MAX);
        }
        if (tries > 2) {
            broken("G1: the bus cannot be opened on a disk that works");
            return;
        }
    }
    tell("process " + std::to_string(boot_) + " serves");
    for (const auto& [name, player] : players_) {
        bus_->attach(name, player);
    }
    disk_.clear_failures();  // an illness ends with its process; beginning a new one may meet it
    disk_is_ill_ = false;
    configuring_ = false;
    model_.log_reopened(records());
    read_log();
    configure(wanted_);
}

bool World::needs_restart() const {
    const log::State state = bus_->health().log.state;
    return state == log::State::failed || state == log::State::read_only;
}

void World::configure(const Interests& interests) {
    wanted_ = interests;
    broker::BusConfig config;
    for (const auto& [name, policy] : policies_) {
        config.consumers.push_back({.name = name,
                                    .handler = {.in_process = name},
                                    .policy = policy,
                                    .start = broker::Start::earliest});
        std::string list;
        for (const std::string& source : interests.at(name)) {
            list += (list.empty() ? "\"" : ",\"") + source + "\"";
        }
        config.rules.push_back({.name = name + ".rule",
                                .patterns = {{"{\"source\":[" + list + "]}"}},
                                .targets = {name}});
    }
    configuring_ = true;
    bus_->configure(std::move(config), [this, interests, boot = boot_](Result<> done) {
        if (boot != boot_) {
            return;
        }
        configuring_ = false;
        if (!done) {
            tell("the configuration is refused: " + done.error().message());
            disk_is_ill_ = true;
            return;
        }
        tell("rules " + std::to_string(bus_->routing()->version()) + " are in force");
        model_.rules(bus_->routing()->version(), interests);
    });
}

void World::end_process(End::Kind kind) {
    const bool cut = kind == End::Kind::power_cut;
    ++(cut ? counts_.power_cuts : counts_.kills);
    read_log();  // what could be read must stay
    // A killed process leaves what it had handed to the system; a task that waited is lost.
    const SteadyTime now = clock_.steady();
    SteadyTime settled_before = cut ? now - journal_slack : now;
    if (disk_is_ill_ || (!cut && executor_->ready_count() > 0)) {
        settled_before = cut || disk_is_ill_ ? SteadyTime::min() : now - journal_slack;
    }
    tell(cut ? "the power fails" : "the process is killed");
    if (cut) {
        disk_.crash();
    }
    drop_process();
    for (Publisher& publisher : publishers_) {
        publisher.again = publisher.again || publisher.waiting;
        publisher.waiting = false;
    }
    model_.ended({.kind = kind, .settled_before = settled_before});
    start();
}

// ── Publishers ───────────────────────────────────────────────────────────────────────────────────

void World::publish(Publisher& publisher, Random& random) {
    if (publisher.waiting) {
        return;
    }
    if (publisher.sent.empty()) {
        const std::uint64_t count = 1 + random.below(random.below(4) == 0 ? 12 : 3);
        const auto from = sources();
        for (std::uint64_t i = 0; i < count; ++i) {
            event::Event event;
            event.event_id = "e" + std::to_string(++events_made_);
            const std::uint64_t type = random.below(3);
            event.event_type = type == 0   ? "thing.first"
                               : type == 1 ? "thing.second"
                                           : "thing.third";
            event.form = event::Form::eventbridge;
            event.source = from[random.below(from.size())];
            const std::uint64_t key = random.below(keys + 1);
            event.user_id = key == 0 ? "" : "k" + std::to_string(key);
            event.timestamp = from_unix_ms(1'767'225'600'000);
            event.data = R"({"text":")" + std::string(random.below(300), 'x') + "\"}";
            publisher.sent.push_back(std::move(event));
        }
    }
    send(publisher, random.below(4) == 0);
}

void World::send(Publisher& publisher, bool atomic) {
    std::vector<std::string> ids;
    std::string line = "publisher " + std::to_string(publisher.number) +
                       (publisher.again ? " sends again" : " sends") + (atomic ? " as one:" : ":");
    for (const event::Event& event : publisher.sent) {
        ids.push_back(event.event_id);
        line += " " + event.event_id;
    }
    tell(std::move(line));
    publisher.waiting = true;
    bus_->publish(publisher.sent,
                  {.atomicity = atomic ? broker::Atomicity::all : broker::Atomicity::each},
                  [this, number = publisher.number, ids, atomic, again = publisher.again,
                   boot = boot_](const Result<std::vector<broker::PublishResult>>& results) {
                      if (boot == boot_) {
                          published(number, ids, atomic, again, results);
                      }
                  });
}

void World::published(std::uint32_t number, const std::vector<std::string>& ids, bool atomic,
                      bool again, const Result<std::vector<broker::PublishResult>>& results) {
    Publisher& publisher = publishers_[number];
    publisher.waiting = false;
    publisher.again = true;
    if (!results) {
        tell("publisher " + std::to_string(number) + " is refused: " + results.error().message());
        disk_is_ill_ = disk_is_ill_ || results.error().kind() != ErrorKind::exhausted;
        return;
    }
    read_log();
    std::string line = "publisher " + std::to_string(number) + " is told:";
    bool all_taken = true;
    std::size_t taken = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const broker::PublishResult& result = (*results)[i];
        if (const auto* accepted = std::get_if<broker::Accepted>(&result)) {
            line += " " + ids[i] + "@0:" + std::to_string(accepted->offset.value());
            model_.confirmed(ids[i], accepted->offset);
            ++counts_.confirmed;
            ++taken;
        } else if (const auto* duplicate = std::get_if<broker::Duplicate>(&result)) {
            line += " " + ids[i] + "=0:" + std::to_string(duplicate->first.value());
            model_.confirmed(ids[i], duplicate->first);
            ++counts_.repeats_told;
            ++taken;
            if (!again) {
                broken("G1: " + ids[i] + " was sent once and is called a duplicate");
            }
        } else {
            all_taken = false;
            line += " " + ids[i] + " refused: " + std::get<broker::Rejected>(result).message;
        }
    }
    tell(std::move(line));
    if (atomic && taken != 0 && !all_taken) {
        broken("G1: a batch that is all or nothing was taken in part");
    }
    if (!all_taken) {
        broken("G1: a sound event was rejected: " + story_.back());
    }
    publisher.sent.clear();
    publisher.again = false;
}

// ── People, rules, the machine ───────────────────────────────────────────────────────────────────

void World::redrive(const std::string& consumer) {
    tell("a person redrives the letters of " + consumer);
    model_.hurried(consumer);
    bus_->redrive(
        {.consumer = consumer, .open = true}, {.actor = "ada"},
        [this, boot = boot_, consumer](const auto& letters) {
            if (boot == boot_ && letters) {
                counts_.letters_redriven += letters->size();
                tell(std::to_string(letters->size()) + " letters of " + consumer + " are redriven");
                model_.hurried(consumer);
            }
        });
}

void World::discard(const std::string& consumer, Random& random) {
    bus_->letters({.consumer = consumer, .open = true},
                  [this, boot = boot_, consumer, chance = random.next()](const auto& letters) {
                      if (boot != boot_ || !letters || letters->empty()) {
                          return;
                      }
                      const broker::LetterSummary letter = (*letters)[chance % letters->size()];
                      tell("a person discards " + letter.id);
                      model_.discarding(letter.consumer, letter.offset);
                      bus_->discard({.ids = {letter.id}}, {.actor = "ada", .reason = "known"},
                                    [this, boot, letter](const auto& closed) {
                                        if (boot == boot_ && closed && !closed->empty()) {
                                            ++counts_.letters_discarded;
                                            tell("letter " + letter.id + " is discarded");
                                            model_.discarded(letter.consumer, letter.offset);
                                        }
                                    });
                  });
}

void World::person_acts(Random& random) {
    const std::string consumer =
        consumer_name(static_cast<std::uint32_t>(random.below(plan_.consumers)));
    switch (random.below(5)) {
        case 0:
            tell("a person pauses " + consumer);
            bus_->pause(consumer, std::nullopt, {.actor = "ada"}, [](const Result<>&) {});
            break;
        case 1:
            tell("a person resumes " + consumer);
            bus_->resume(consumer, {.actor = "ada"}, [](const Result<>&) {});
            break;
        case 2:
            tell("a person flushes " + consumer);
            bus_->flush(consumer, [](const Result<>&) {});
            break;
        case 3:
            redrive(consumer);
            break;
        case 4:
            discard(consumer, random);
            break;
    }
}

void World::change_rules(Random& random) {
    if (!configuring_) {
        ++counts_.rule_changes;
        tell("the configuration is changed");
        configure(some_interests(plan_, 1 + random.below(1'000'000)));
    }
}

void World::disk_acts(Random& random) {
    disk_is_ill_ = true;
    switch (random.below(4)) {
        case 0:
            tell("an operation of the disk will fail");
            disk_.fail_operation(1 + random.below(30));
            break;
        case 1:
            tell("a sync will fail");
            disk_.fail_sync(1 + random.below(6));
            break;
        case 2:
            tell("the disk will say it is full, once");
            disk_.fail_operation(1 + random.below(30), ErrorKind::exhausted);
            break;
        case 3:
            tell("the disk is well again");
            disk_.clear_failures();
            break;
    }
}

void World::let_time_pass(Random& random) {
    if (random.below(2) == 0) {
        // As fine as tasks are, so that a crash may come between any two.
        for (std::uint64_t tasks = random.below(60); tasks > 0 && executor_->run_one(); --tasks) {
        }
    } else {
        executor_->run_for(std::chrono::microseconds(random.below(400'000)));
    }
}

void World::step(std::uint32_t number) {
    Random random = chance_of(plan_.seed, "step", number);
    const std::uint64_t what = random.below(100);
    if (what < 50) {
        publish(publishers_[random.below(publishers)], random);
    } else if (what < 60) {
        if (plan_.people) {
            person_acts(random);
        }
    } else if (what < 64) {
        if (plan_.rule_changes) {
            change_rules(random);
        }
    } else if (what < 68) {
        if (plan_.clock_steps) {
            const auto by =
                std::chrono::minutes(static_cast<std::int64_t>(random.below(240)) - 120);
            tell("the wall clock is set by " + std::to_string(by.count()) + " min");
            clock_.step_wall(by);
        }
    } else if (what < 72) {
        if (plan_.disk_faults) {
            disk_acts(random);
        }
    } else if (what < 76) {
        if (plan_.power_cuts) {
            end_process(End::Kind::power_cut);
        }
    } else if (what < 80) {
        if (plan_.kills) {
            end_process(End::Kind::kill);
        }
    }
    let_time_pass(random);
    if (alive() && needs_restart()) {
        tell("the log takes no more: " + bus_->health().log.reason);
        end_process(End::Kind::kill);
    }
}

// ── Judging ──────────────────────────────────────────────────────────────────────────────────────

std::vector<LoggedEvent> World::records() {
    std::vector<LoggedEvent> events;
    const log::Log& log = bus_->log();
    for (Offset at = log.begin(); at < log.end();) {
        const auto batch = log.read(at, {});
        if (!batch) {
            if (!is_passing(batch.error())) {
                broken("G1: the log cannot be read: " + batch.error().message());
                return events;
            }
            continue;
        }
        for (const log::RecordView& record : batch->records()) {
            const auto event = event::decode_body(record.body);
            if (record.kind == log::RecordKind::event && event && event->source != "bascule") {
                events.push_back({.offset = record.offset,
                                  .id = std::string(event->event_id),
                                  .key = std::string(event->user_id),
                                  .source = std::string(event->source),
                                  .rules = record.rule_version});
            }
        }
        at = batch->next();
    }
    return events;
}

/// Tells the model what became durable.
void World::read_log() {
    const log::Log& log = bus_->log();
    while (read_to_ < log.end()) {
        const auto batch = log.read(read_to_, {});
        if (!batch) {
            if (!is_passing(batch.error())) {
                broken("G1: the log cannot be read: " + batch.error().message());
                return;
            }
            continue;
        }
        for (const log::RecordView& record : batch->records()) {
            const auto event = event::decode_body(record.body);
            if (record.kind != log::RecordKind::event || !event || event->source == "bascule") {
                continue;
            }
            if (!model_.knows_rules(record.rule_version)) {
                // On its way: durable, and not confirmed yet.
                model_.rules(record.rule_version, wanted_);
            }
            model_.logged({.offset = record.offset,
                           .id = std::string(event->event_id),
                           .key = std::string(event->user_id),
                           .source = std::string(event->source),
                           .rules = record.rule_version});
        }
        read_to_ = batch->next();
    }
}

/// The identity of the contract's section 9.
void World::check_accounts() {
    bus_->consumers([this, boot = boot_](const Result<std::vector<broker::ConsumerStatus>>& all) {
        if (boot != boot_ || !all) {
            return;
        }
        for (const broker::ConsumerStatus& status : *all) {
            const auto& counts = status.counts;
            if (counts.matched + counts.settled.reopened != counts.accounted()) {
                broken("G2: " + status.name + " matched " + std::to_string(counts.matched) +
                       " events and accounts for " + std::to_string(counts.accounted()));
            }
        }
    });
}

bool World::all_settled() {
    const auto all = sim::wait_for<std::vector<broker::ConsumerStatus>>(
        *executor_, [&](auto done) { bus_->consumers(std::move(done)); });
    if (!all) {
        return false;
    }
    return std::ranges::all_of(*all, [](const broker::ConsumerStatus& status) {
        const auto& counts = status.counts;
        return status.lag_events == 0 &&
               counts.letters + counts.deferred + counts.queued + counts.waiting + counts.running ==
                   0;
    });
}

/// Repairs everything and waits until nothing is left to do.
void World::finish() {
    tell("everything is repaired");
    disk_.clear_failures();
    disk_.set_capacity(UINT64_MAX);
    for (const auto& [name, script] : scripts_) {
        script->repair();
    }
    executor_->run_for(10s);
    if (!bus_->health().well()) {
        // A file whose sync failed is trusted no more until a process begins anew.
        tell("somebody restarts it: " + bus_->health().log.reason + bus_->trouble());
        end_process(End::Kind::kill);
    }
    for (int round = 0; round < 20 && violation_.empty(); ++round) {
        for (Publisher& publisher : publishers_) {
            if (!publisher.waiting && !publisher.sent.empty()) {
                send(publisher, false);
            }
        }
        if (!configuring_ && round == 0) {
            configure(wanted_);  // it may have been refused by the disk
        }
        for (const auto& [name, policy] : policies_) {
            bus_->resume(name, {}, [](const Result<>&) {});
            redrive(name);
        }
        executor_->run_for(1min);
        check_accounts();
        executor_->run_ready();
        if (std::ranges::all_of(publishers_, [](const auto& p) { return p.sent.empty(); }) &&
            all_settled()) {
            read_log();
            model_.finish();
            model_.log_reopened(records());
            return;
        }
    }
    broken("G2: the bus does not come to rest");
}

void World::run() {
    start();
    for (const std::uint32_t number : plan_.steps) {
        step(number);
        if (alive()) {
            check_accounts();
        }
        if (violation_.empty()) {
            broken(model_.violation());
        }
        if (!violation_.empty()) {
            return;
        }
    }
    finish();
    if (violation_.empty()) {
        broken(model_.violation());
    }
    tell("the end");
}

}  // namespace bascule::simulator
