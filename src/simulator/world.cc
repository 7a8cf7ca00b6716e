#include "simulator/world.h"

#include <utility>

namespace bascule::simulator {

namespace {

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

}  // namespace

World::World(const Plan& plan)
    : stage_(plan), judge_(stage_), publishers_(stage_, judge_), people_(stage_) {
    for (const auto& [name, policy] : stage_.policies) {
        players_[name] = std::make_shared<Player>(stage_, judge_, name);
    }
}

World::~World() {
    for (const auto& [name, player] : players_) {
        player->forget();
    }
    stage_.drop_process();
}

// ── The process ──────────────────────────────────────────────────────────────────────────────────

bool World::try_start() {
    auto bus = broker::Bus::open(
        {.disk = stage_.disk, .executor = stage_.executor, .workers = stage_.executor},
        bus_options(stage_.plan.seed + stage_.boot * 1000));
    if (!bus) {
        stage_.story.tell("the process cannot start: " + bus.error().message());
        return false;
    }
    stage_.bus = std::move(*bus);
    return true;
}

void World::start() {
    ++stage_.boot;
    // Whoever cannot start is started again, and in the end somebody looks after the disk.
    for (int tries = 0; !try_start(); ++tries) {
        stage_.executor.drop_all();
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
        stage_.bus->attach(name, player);
    }
    stage_.disk
        .clear_failures();  // an illness ends with its process; beginning a new one may meet it
    stage_.disk_is_ill = false;
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
    for (const auto& [name, policy] : stage_.policies) {
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
    stage_.bus->configure(std::move(config), [this, interests, boot = stage_.boot](Result<> done) {
        if (boot != stage_.boot) {
            return;
        }
        configuring_ = false;
        if (!done) {
            stage_.story.tell("the configuration is refused: " + done.error().message());
            stage_.disk_is_ill = true;
            return;
        }
        stage_.story.tell("rules " + std::to_string(stage_.bus->routing()->version()) +
                          " are in force");
        stage_.model.rules(stage_.bus->routing()->version(), interests);
    });
}

void World::end_process(End::Kind kind) {
    const bool cut = kind == End::Kind::power_cut;
    ++(cut ? stage_.counts.power_cuts : stage_.counts.kills);
    judge_.read_log();  // what could be read must stay
    // A killed process leaves what it had handed to the system; a task that waited is lost.
    const SteadyTime now = stage_.clock.steady();
    SteadyTime settled_before = cut ? now - journal_slack : now;
    if (stage_.disk_is_ill || (!cut && stage_.executor.ready_count() > 0)) {
        settled_before = cut || stage_.disk_is_ill ? SteadyTime::min() : now - journal_slack;
    }
    stage_.story.tell(cut ? "the power fails" : "the process is killed");
    if (cut) {
        stage_.disk.crash();
    }
    for (const auto& [name, player] : players_) {
        player->forget();
    }
    stage_.drop_process();
    publishers_.process_ended();
    stage_.model.ended({.kind = kind, .settled_before = settled_before});
    start();
}

// ── Steps ────────────────────────────────────────────────────────────────────────────────────────

void World::change_rules(Random& random) {
    if (!configuring_) {
        ++stage_.counts.rule_changes;
        stage_.story.tell("the configuration is changed");
        configure(some_interests(stage_.plan, 1 + random.below(1'000'000)));
    }
}

void World::disk_acts(Random& random) {
    stage_.disk_is_ill = true;
    switch (random.below(4)) {
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
            break;
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
    let_time_pass(random);
    if (stage_.alive() && needs_restart()) {
        stage_.story.tell("the log takes no more: " + stage_.bus->health().log.reason);
        end_process(End::Kind::kill);
    }
}

/// Repairs everything and waits until nothing is left to do.
void World::finish() {
    stage_.story.tell("everything is repaired");
    stage_.disk.clear_failures();
    stage_.disk.set_capacity(UINT64_MAX);
    for (const auto& [name, player] : players_) {
        player->repair();
    }
    stage_.executor.run_for(10s);
    if (!stage_.bus->health().well()) {
        // A file whose sync failed is trusted no more until a process begins anew.
        stage_.story.tell("somebody restarts it: " + stage_.bus->health().log.reason +
                          stage_.bus->trouble());
        end_process(End::Kind::kill);
    }
    for (int round = 0; round < 20 && violation().empty(); ++round) {
        publishers_.send_again();
        if (!configuring_ && round == 0) {
            configure(stage_.wanted);  // it may have been refused by the disk
        }
        people_.help();
        stage_.executor.run_for(1min);
        judge_.check_accounts();
        stage_.executor.run_ready();
        if (publishers_.all_confirmed() && judge_.all_settled()) {
            judge_.finish();
            return;
        }
    }
    stage_.story.broken("G2: the bus does not come to rest");
}

void World::run() {
    start();
    for (const std::uint32_t number : stage_.plan.steps) {
        step(number);
        if (stage_.alive()) {
            judge_.check_accounts();
        }
        if (violation().empty()) {
            stage_.story.broken(stage_.model.violation());
        }
        if (!violation().empty()) {
            return;
        }
    }
    finish();
    if (violation().empty()) {
        stage_.story.broken(stage_.model.violation());
    }
    stage_.story.tell("the end");
}

}  // namespace bascule::simulator
