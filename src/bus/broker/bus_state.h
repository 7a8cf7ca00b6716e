#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/broker/bus.h"
#include "bus/broker/consumer_runtime.h"
#include "bus/broker/delivery_journal.h"
#include "bus/broker/facts.h"
#include "bus/broker/letter_store.h"
#include "bus/broker/target_sets.h"
#include "foundation/base/guarded.h"

namespace bascule::broker {

/// The inside of a bus. Everything below `strand` is touched on the strand only.
///
/// One *turn* takes the answers that arrived, lets every consumer read ahead, carries out what the
/// machines want, and arms one timer. Whatever may give work posts a turn: a sync of the log, an
/// answer, a timer, a person. Turns are coalesced.
struct BusState : std::enable_shared_from_this<BusState> {
    struct Answer {
        ConsumerNumber consumer;
        delivery::RunId run;
        delivery::Outcome outcome;
    };
    struct Attached {
        std::shared_ptr<Handler> handler;
        std::optional<InboxState> inbox;
    };

    /// A configuration on its way, with the handlers that it needs.
    struct Change {
        BusConfig wanted;
        io::Completion<> done;
        std::map<std::string, std::shared_ptr<Handler>> handlers;  ///< by consumer
    };

    BusState(Bus::Environment environment, Bus::Options options);

    // ── Opening (bus_open.cc) ──
    Result<> open();
    Result<> recover_control();
    /// Bodies of control records, as far as they can be read.
    struct ControlRecords {
        std::string routing;  ///< the last
        std::vector<std::string> target_sets;
        std::optional<Error> missing;  ///< why some that count are not there
    };
    Result<ControlRecords> read_control(Offset from) const;
    bool loses_control(const log::LostRange& lost, Offset snapshot_end) const;
    Result<> check_journal_is_there(const std::string& path) const;
    Result<> check_journal_is_readable();
    Result<> compare_with_journal() const;
    void rebuild_letters();
    void close_discarded_letters();
    void configure(BusConfig wanted, io::Completion<> done);
    void next_change();
    Result<> prepare(Change& change) const;
    void record_rules(Change change, const std::shared_ptr<const Routing>& before,
                      std::shared_ptr<const Routing> next);
    /// `changed_at` is the control record's place when the rules changed just now.
    void put_in_force(Change& change, const Routing& routing, std::optional<Offset> changed_at);
    void end_change(Change change, Result<> outcome);
    Result<std::shared_ptr<Handler>> handler_for(const ConsumerConfig& consumer) const;
    std::unique_ptr<ConsumerRuntime> make_runtime(const ConsumerConfig& consumer,
                                                  const Routing::Consumer& routed, Offset from);

    // ── Turning (bus_turn.cc) ──
    void schedule_turn();
    void turn();
    std::vector<Delivery> carry_out(ConsumerRuntime& consumer, delivery::Commands& commands,
                                    delivery::Now time);
    void start_run(ConsumerRuntime& consumer, const delivery::StartRun& start,
                   std::span<const Offset> handed, std::vector<Delivery>& deliveries);
    void hand_out_held();
    void hand_out(ConsumerRuntime& consumer, std::vector<Delivery> deliveries);
    void write_letter(ConsumerRuntime& consumer, delivery::WriteLetter write);
    void retry_letters_later();
    void sync_letters();
    void letters_synced(Result<> synced, std::vector<std::pair<ConsumerNumber, Offset>> offsets,
                        std::vector<io::Completion<>> confirmed);
    void note_health();
    BusHealth health() const;
    void release_reserve();
    void restore_reserve();
    void write_facts();
    void publish_facts();
    void facts_published(std::uint64_t first, const Result<std::vector<PublishResult>>& results);
    void sync_journal();
    /// `facts`: the last fact that the sync covered.
    void journal_synced(Result<> synced, std::uint64_t facts,
                        std::vector<io::Completion<>> confirmed);
    void arm_timer(std::optional<SteadyTime> deadline);
    void answer_idle_waiters();
    void finish_stop();
    void close(const Result<>& outcome);

    // ── Retention (bus_retention.cc) ──
    void apply_retention();
    Offset needed_from() const;
    bool inboxes_know(Offset end);
    bool pins(ConsumerNumber number) const;
    void inbox_advanced(ConsumerNumber number, Offset low, bool done);

    /// Runs `action` on the strand, then a turn.
    void on_strand(std::move_only_function<void(BusState&)> action);
    /// Completes when what the machines wrote in answer to a person is on stable storage.
    void confirm_when_durable(io::Completion<> done);

    delivery::Now now() const {
        const Clock& clock = environment.executor.clock();
        return {.steady = clock.steady(), .wall = clock.wall()};
    }
    ConsumerRuntime* find(std::string_view name);

    const Bus::Environment environment;
    const Bus::Options options;
    io::Strand strand;
    std::shared_ptr<TargetSets> sets = std::make_shared<TargetSets>();
    std::unique_ptr<log::Log> log;
    std::unique_ptr<Publisher> publisher;
    /// The rules as far as they are written; on the log's strand but for `pending`.
    struct Written {
        std::shared_ptr<const Routing> routing = Routing::empty();
        Guarded<std::shared_ptr<const Routing>> pending;  ///< asked for, not written
    };
    std::shared_ptr<Written> written = std::make_shared<Written>();

    // ── From any thread ──
    Guarded<std::vector<Answer>> answers;
    Guarded<bool> turn_scheduled{false};
    Guarded<std::map<std::string, Attached>> attached;
    Guarded<Bus::HandlerFactory> factory;

    // ── On the strand ──
    std::unique_ptr<DeliveryJournal> journal;
    std::unique_ptr<LetterStore> letters;
    std::map<ConsumerNumber, delivery::ConsumerState> recovered;
    std::map<ConsumerNumber, std::unique_ptr<ConsumerRuntime>> consumers;
    delivery::Commands commands;
    Random random;
    Facts facts;
    bool facts_publishing = false;
    std::optional<SteadyTime> facts_due;  ///< when a failed publish is tried again
    std::deque<Change> changes;           ///< asked for and not begun
    bool changing = false;

    /// Runs whose start the journal has not taken yet, or that wait for a sync of it.
    std::vector<std::pair<ConsumerNumber, Delivery>> held;
    /// Whose runs wait, and for which sync (Commands::hold_starts).
    std::map<ConsumerNumber, std::uint64_t> held_until;
    std::uint64_t syncs_begun = 0;  ///< of the journal
    bool journal_syncing = false;
    std::optional<SteadyTime> journal_due;        ///< when what is buffered must be synced
    std::vector<io::Completion<>> confirmations;  ///< wait for the next journal sync
    std::optional<Error> letters_trouble;         ///< why they cannot be written
    std::optional<Error> journal_trouble;
    bool reserve_missing = false;  ///< the log's: given back, or never taken
    SteadyTime reserve_due;        ///< when it may be taken again
    struct Damage {
        std::string reason;
        std::string detail;
    };
    std::vector<Damage> damage_found;  ///< at open, in journal and letters
    struct DeliveryTrouble {
        std::string reason;
        std::string detail;
        std::string lost;         ///< BusHealth::lost_reason
        std::string lost_detail;  ///< BusHealth::lost_detail
    };
    Guarded<DeliveryTrouble> delivery_trouble;  ///< both, for other threads
    std::vector<std::function<void(const BusHealth&)>> health_listeners;
    std::optional<BusHealth> health_told;

    bool letters_syncing = false;
    bool letters_dirty = false;        ///< written or closed since the last sync began
    bool letters_retry_armed = false;  ///< a failed sync is tried again
    std::vector<io::Completion<>> letter_confirmations;  ///< wait for the next letters sync
    std::vector<std::pair<ConsumerNumber, delivery::WriteLetter>> letters_unread;  ///< no event yet
    std::vector<std::pair<ConsumerNumber, Offset>> letters_written;  ///< not yet durable

    std::optional<io::TimerId> timer;
    std::optional<SteadyTime> timer_at;
    std::vector<io::Completion<>> idle_waiters;
    std::vector<std::function<void(Offset)>> durable_listeners;
    Offset durable_told;

    bool stopping = false;
    bool finishing = false;
    SteadyTime stop_deadline;
    std::vector<io::Completion<>> stopped;
    std::size_t runs_out = 0;  ///< deliveries handed out and not answered
};

/// The outcome of a handler that dropped its answer.
inline constexpr const char* dropped_answer = "the handler went away without an answer";

}  // namespace bascule::broker
