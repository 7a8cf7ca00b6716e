#include "simulator/world.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "simulator/seed_note.h"

namespace bascule::simulator {

namespace {

broker::Bus::Options bus_options(const Plan& plan, std::uint64_t boot) {
    const std::uint64_t seed = plan.seed + boot * 1000;
    broker::Bus::Options options{.directory = "bus",
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
    if (has_retention(plan)) {
        options.log.retention.bytes = 40 << 10;
    }
    return options;
}

}  // namespace

World::World(const Plan& plan)
    : stage_(plan),
      judge_(stage_),
      publishers_(stage_, judge_),
      people_(stage_),
      policies_(stage_.policies) {
    for (std::uint32_t i = 0; i < plan.consumers; ++i) {
        const std::string name = consumer_name(i);
        Ledger* ledger = has_inbox(plan, i) ? &ledgers_[name] : nullptr;
        players_[name] = std::make_shared<Player>(stage_, judge_, name, ledger);
    }
}

World::~World() {
    for (const auto& [name, player] : players_) {
        player->forget();
    }
    stage_.drop_process();
}

// ── The process ──────────────────────────────────────────────────────────────────────────────────

/// Why not, if it cannot.
std::string World::try_start() {
    auto bus = broker::Bus::open(
        {.disk = stage_.disk, .executor = stage_.executor, .workers = stage_.executor},
        bus_options(stage_.plan, stage_.boot));
    if (!bus) {
        stage_.story.tell("the process cannot start: " + bus.error().message());
        return bus.error().message();
    }
    stage_.bus = std::move(*bus);
    return "";
}

void World::start() {
    ++stage_.boot;
    // Whoever cannot start is started again, and in the end somebody looks after the disk.
    std::string refused = try_start();
    bool has_copy = true;
    for (int tries = 0; !refused.empty(); refused = try_start(), ++tries) {
        stage_.executor.drop_all();
        // Nothing else may be asked for.
        if (refused.contains("the rules cannot be read") && std::exchange(has_copy, false)) {
            stage_.story.tell("somebody restores the log from a copy");
            repair_flips();
            tries = std::min(tries, 1);
        }
        if (tries == 2) {
            stage_.disk.clear_failures();
            stage_.disk.set_capacity(UINT64_MAX);
        }
        if (tries > 2) {
            stage_.story.broken("G1: the bus cannot be opened on a disk that works");
            return;
        }
    }
    stage_.story.tell("process " + std::to_string(stage_.boot) + " serves");
    for (const auto& [name, player] : players_) {
        std::optional<broker::InboxState> inbox;
        if (const auto ledger = ledgers_.find(name); ledger != ledgers_.end()) {
            inbox = ledger->second.inbox();
            inbox->advance = [&own = ledger->second](Offset low, io::Completion<> done) {
                own.advance(low);
                done({});
            };
        }
        stage_.bus->attach(name, player, std::move(inbox));
    }
    stage_.disk.clear_failures();  // an illness ends with its process
    configuring_ = false;
    judge_.process_began();
    configure(stage_.wanted);
}

bool World::needs_restart() const {
    const log::State state = stage_.bus->health().log.state;
    return state == log::State::failed || state == log::State::read_only;
}

void World::configure(const Interests& interests) {
    stage_.wanted = interests;
    broker::BusConfig config;
    for (const auto& [name, wanted] : interests) {
        config.consumers.push_back({.name = name,
                                    .handler = {.in_process = name},
                                    .policy = policies_.at(name),
                                    .start = broker::Start::earliest});
        std::string list;
        for (const std::string& source : wanted) {
            list += (list.empty() ? "\"" : ",\"") + source + "\"";
        }
        config.rules.push_back({.name = name + ".rule",
                                .patterns = {{"{\"source\":[" + list + "]}"}},
                                .targets = {name}});
    }
    configuring_ = true;
    stage_.bus->configure(std::move(config), [this, interests, boot = stage_.boot](Result<> done) {
        if (boot != stage_.boot) {
            return;
        }
        configuring_ = false;
        if (!done) {
            stage_.story.tell("the configuration is refused: " + done.error().message());
            return;
        }
        stage_.story.tell("rules " + std::to_string(stage_.bus->routing()->version()) +
                          " are in force");
        judge_.read_log();  // what is older
        stage_.model.rules(stage_.bus->routing()->version(), interests);
        stage_.model.reconfigured(stage_.clock.steady());
    });
}

/// Now and then somebody puts an older copy of a database in place, and makes a new one.
void World::restore_databases() {
    Random random = chance_of(stage_.plan.seed, "databases", stage_.boot);
    for (auto& [name, ledger] : ledgers_) {
        if (random.below(6) == 0) {
            stage_.story.tell("somebody restores the database of " + name);
            ++stage_.counts.restores;
            ledger.restore();
            stage_.model.database_restored(name, [&](Offset offset) { return ledger.has(offset); });
        } else if (random.below(3) == 0) {
            ledger.copy();
        }
    }
}

/// Each effect once, whatever happened to process, disk and database.
void World::check_effects() {
    for (const auto& [name, ledger] : ledgers_) {
        for (const Offset offset : stage_.model.done(name)) {
            const auto effect = ledger.effects().find(offset);
            const std::uint32_t times = effect == ledger.effects().end() ? 0 : effect->second;
            if (times != 1) {
                stage_.story.broken("G5: the effect of 0:" + std::to_string(offset.value()) +
                                    " on " + name + " was done " + std::to_string(times) +
                                    " times");
            }
        }
    }
}

void World::end_process(End::Kind kind) {
    const bool cut = kind == End::Kind::power_cut;
    ++(cut ? stage_.counts.power_cuts : stage_.counts.kills);
    judge_.read_log();  // what could be read must stay
    const bool at_rest = stage_.executor.ready_count() == 0 && !judge_.in_trouble();
    const SteadyTime settled_before = judge_.kept_before(kind);
    stage_.story.tell(cut ? "the power fails" : "the process is killed");
    if (cut) {
        stage_.disk.crash();
    }
    for (const auto& [name, player] : players_) {
        player->forget();
    }
    stage_.drop_process();
    publishers_.process_ended();
    stage_.deeds.process_ended();
    stage_.model.ended({.kind = kind, .settled_before = settled_before, .at_rest = at_rest});
    if (has_database_restores(stage_.plan)) {
        restore_databases();
    }
    start();
}

// ── Steps ────────────────────────────────────────────────────────────────────────────────────────

void World::change_rules(Random& random) {
    if (configuring_) {
        return;
    }
    ++stage_.counts.rule_changes;
    stage_.story.tell("the configuration is changed");
    for (auto& [name, policy] : policies_) {
        // Other settings of the same consumer: its machine is made anew from its snapshot.
        if (random.below(3) == 0) {
            policy.concurrency =
                1 + static_cast<std::uint32_t>(random.below(stage_.policies.at(name).concurrency));
        }
    }
    configure(random.below(3) == 0 ? stage_.wanted
                                   : some_interests(stage_.plan, 1 + random.below(1'000'000)));
}

void World::disk_acts(Random& random) {
    switch (random.below(6)) {
        case 0:
            stage_.story.tell("an operation of the disk will fail");
            stage_.disk.fail_operation(1 + random.below(30));
            break;
        case 1:
            stage_.story.tell("a sync will fail");
            stage_.disk.fail_sync(1 + random.below(6));
            break;
        case 2:
            stage_.story.tell("the disk will say it is full, once");
            stage_.disk.fail_operation(1 + random.below(30), ErrorKind::exhausted);
            break;
        case 3:
            stage_.story.tell("the disk is well again");
            stage_.disk.clear_failures();
            stage_.disk.set_capacity(UINT64_MAX);
            break;
        case 4:
            if (stage_.plan.full_disks) {
                stage_.story.tell("the disk is nearly full");
                stage_.disk.set_capacity(stage_.disk.used_bytes() + random.below(8 << 10));
            }
            break;
        case 5:
            if (has_bit_flips(stage_.plan)) {
                flip_a_bit(random);
            }
            break;
    }
}

/// Of a frame that a later one proves: the last one could not be told from a torn one.
void World::flip_a_bit(Random& random) {
    const auto frames = stage_.platter.frames();
    if (frames.size() < 4) {
        return;
    }
    judge_.read_log();  // what it was
    const Platter::Place& frame = frames[random.below(frames.size() - 3)];
    const std::uint64_t at = frame.position + random.below(frame.bytes);
    const int bit = static_cast<int>(random.below(8));
    stage_.story.tell("a bit flips in " + frame.path +
                      ", in the frame of 0:" + std::to_string(frame.first.value()) +
                      " to 0:" + std::to_string(frame.end.value() - 1));
    stage_.model.damaged(frame.first, frame.end);
    stage_.disk.flip_bit(frame.path, at, bit);
    ++stage_.counts.flips;
    flips_.push_back({.path = frame.path,
                      .position = frame.position,
                      .bytes = stage_.disk.contents(frame.path, sim::SimDisk::Layer::durable)
                                   .substr(frame.position, frame.bytes),
                      .at = at,
                      .bit = bit});
}

/// Somebody restores the damaged files from a copy.
void World::repair_flips() {
    // The last first: two may be in one frame.
    while (!flips_.empty()) {
        const Flip flip = std::move(flips_.back());
        flips_.pop_back();
        const std::string there = stage_.disk.contents(flip.path, sim::SimDisk::Layer::durable)
                                      .substr(0, flip.position + flip.bytes.size());
        if (there.size() == flip.position + flip.bytes.size() && there.ends_with(flip.bytes)) {
            stage_.disk.flip_bit(flip.path, flip.at, flip.bit);
        }
    }
}

void World::let_time_pass(Random& random) {
    if (random.below(2) == 0) {
        // As fine as tasks are, so that a crash may come between any two.
        for (std::uint64_t tasks = random.below(60); tasks > 0 && stage_.executor.run_one();
             --tasks) {
        }
    } else {
        stage_.executor.run_for(std::chrono::microseconds(random.below(400'000)));
    }
}

void World::step(std::uint32_t number) {
    Random random = chance_of(stage_.plan.seed, "step", number);
    const std::uint64_t what = random.below(100);
    if (what < 50) {
        publishers_.publish(random);
    } else if (what < 60) {
        if (stage_.plan.people) {
            people_.act(random);
        }
    } else if (what < 64) {
        if (stage_.plan.rule_changes) {
            change_rules(random);
        }
    } else if (what < 68) {
        if (stage_.plan.clock_steps) {
            const auto by =
                std::chrono::minutes(static_cast<std::int64_t>(random.below(240)) - 120);
            stage_.story.tell("the wall clock is set by " + std::to_string(by.count()) + " min");
            stage_.clock.step_wall(by);
            stage_.model.wall_clock_was_set();
            stage_.deeds.wall_clock_was_set();
        }
    } else if (what < 72) {
        if (stage_.plan.disk_faults) {
            disk_acts(random);
        }
    } else if (what < 76) {
        if (stage_.plan.power_cuts) {
            end_process(End::Kind::power_cut);
        }
    } else if (what < 80) {
        if (stage_.plan.kills) {
            end_process(End::Kind::kill);
        }
    }
    if (has_retention(stage_.plan) && random.below(40) == 0) {
        stage_.executor.run_for(61s);  // it is looked for once a minute
    }
    let_time_pass(random);
    if (stage_.alive() && needs_restart()) {
        stage_.story.tell("the log takes no more: " + stage_.bus->health().log.reason);
        if (stage_.bus->health().log.state == log::State::read_only) {
            repair_flips();
        }
        end_process(End::Kind::kill);
    }
}

/// The present configuration with those who are away.
Interests World::everybody() const {
    Interests interests = stage_.wanted;
    for (const auto& [name, policy] : stage_.policies) {
        if (!interests.contains(name)) {
            interests[name] = {sources().front()};
        }
    }
    return interests;
}

/// Repairs everything and waits until nothing is left to do.
void World::finish() {
    stage_.story.tell("everything is repaired");
    stage_.disk.clear_failures();
    stage_.disk.set_capacity(UINT64_MAX);
    const bool was_damaged = !flips_.empty();
    repair_flips();
    stage_.executor.run_for(10s);
    if (was_damaged || !stage_.bus->health().well()) {
        // A file whose sync failed is trusted no more until a process begins anew.
        stage_.story.tell("somebody restarts it: " + stage_.bus->health().log.reason +
                          stage_.bus->trouble());
        end_process(End::Kind::kill);
    }
    if (!stage_.alive()) {
        return;
    }
    configure(everybody());  // some may be away, or refused by the disk
    stage_.executor.run_for(1s);
    publishers_.send_again();
    people_.resume_all();
    stage_.executor.run_for(2min);
    judge_.look();
    judge_.read_log();
    stage_.model.at_rest([this](const std::string& consumer, const std::string& id) {
        return players_.at(consumer)->is_troubled(id);
    });
    stage_.story.tell("the handlers are repaired");
    for (const auto& [name, player] : players_) {
        player->repair();
    }
    for (int round = 0; round < 20 && violation().empty(); ++round) {
        hear_the_verdict();
        publishers_.send_again();
        people_.help();
        stage_.executor.run_for(1min);
        judge_.look();
        if (publishers_.all_confirmed() && judge_.all_settled()) {
            judge_.finish();
            check_effects();
            return;
        }
    }
    stage_.story.broken("G2: the bus does not come to rest");
}

/// What the bus itself says of the events that a verdict names: the end of a story.
void World::ask_about(const std::string& verdict) {
    if (!stage_.alive()) {
        return;
    }
    for (const auto& [consumer, policy] : stage_.policies) {
        if (!verdict.contains(consumer)) {
            continue;
        }
        for (std::size_t at = verdict.find("0:"); at != std::string::npos;
             at = verdict.find("0:", at + 1)) {
            const Offset offset(std::strtoull(verdict.c_str() + at + 2, nullptr, 10));
            stage_.bus->explain(consumer, offset, [this, consumer, offset](const auto& why) {
                stage_.story.tell(consumer + " says of 0:" + std::to_string(offset.value()) + ": " +
                                  (why ? why->state + ", " + why->reason : why.error().message()));
            });
        }
    }
    stage_.executor.run_ready();
}

void World::hear_the_verdict() {
    for (const std::string* violation : {&stage_.model.violation(), &stage_.deeds.violation()}) {
        if (!violation->empty()) {
            stage_.story.broken(*violation);
        }
    }
}

void World::run() {
    const SeedNote note(stage_.plan.seed);
    for (const auto& [name, policy] : stage_.policies) {
        stage_.story.tell(name + ": " + text(policy));
    }
    start();
    for (const std::uint32_t number : stage_.plan.steps) {
        step(number);
        if (!stage_.alive()) {
            return;  // it cannot be opened, which was told
        }
        judge_.look();
        hear_the_verdict();
        if (!violation().empty()) {
            ask_about(violation());
            return;
        }
    }
    finish();
    hear_the_verdict();
    stage_.story.tell("the end");
}

}  // namespace bascule::simulator
