#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bus/broker/consumer_config.h"
#include "bus/broker/handler.h"
#include "bus/broker/letter_store.h"
#include "bus/broker/routing.h"
#include "bus/broker/status.h"
#include "bus/broker/target_sets.h"
#include "bus/delivery/consumer.h"
#include "bus/log/log.h"

namespace bascule::broker {

/// One consumer of a running bus: its delivery machine, its place in the log, its handler.
///
/// Reads ahead and offers what matches; builds the deliveries for runs that the machine starts.
/// Threads: the bus's strand. Lifetime: log and target sets outlive it.
class ConsumerRuntime {
  public:
    ConsumerRuntime(ConsumerConfig config, ConsumerNumber number, delivery::Consumer machine,
                    const log::Log& log, const TargetSets& sets);

    const std::string& name() const { return config_.name; }
    ConsumerNumber number() const { return number_; }
    const ConsumerConfig& config() const { return config_; }
    delivery::Consumer& machine() { return machine_; }
    const delivery::Consumer& machine() const { return machine_; }

    void set_handler(std::shared_ptr<Handler> handler) { handler_ = std::move(handler); }
    const std::shared_ptr<Handler>& handler() const { return handler_; }

    /// The database that its handler works in: retention must not pass what it knows to be gone.
    struct Inbox {
        Offset low;
        std::function<void(Offset low, io::Completion<> done)> advance;
        bool advancing = false;
    };
    void set_inbox(Inbox inbox) { inbox_ = std::move(inbox); }
    std::optional<Inbox>& inbox() { return inbox_; }

    /// A removed consumer: nothing is read, nothing starts, answers are still taken. `change`
    /// brings it back.
    void retire() {
        handler_ = nullptr;
        machine_.halt();
        change_.reset();
    }

    /// Goes over to other settings as soon as it may: at once for a handler, when no run is under
    /// way for most settings, and for key, ordering and debounce when all that was read is settled.
    void change(ConsumerConfig config, std::shared_ptr<Handler> handler);

    /// Finishes a change that has become possible. Returns the state that the journal must take
    /// then, in parts; nothing if there was no change.
    std::vector<std::string> settle_change(delivery::Now now, Random random);

    /// A run outlived its timeout and its handler still works on it.
    void note_stuck(delivery::RunId run) { stuck_.insert(run); }
    void answer(delivery::RunId run, const delivery::Outcome& outcome, delivery::Now now) {
        stuck_.erase(run);
        machine_.answer(run, outcome, now);
    }

    /// Reading failed for a reason that may pass; ask again later.
    bool in_trouble() const { return !trouble_.empty(); }

    /// Offers a bounded part of what is unread. True if there is more to read at once.
    bool read_ahead(const Routing& routing, delivery::Now now);

    /// Whether the record is this consumer's.
    Routing::Wanted wants(const log::RecordView& record, const Routing& routing) const;

    /// The same of a record whose body is lost: what cannot be told counts as wanted.
    bool may_want(const log::RecordView& record, const Routing& routing) const;

    /// Whether a record can be read there and is not this consumer's: while a frame was lost,
    /// nobody could tell, and its letter may be of such a one.
    bool is_for_others(Offset offset, const Routing& routing);

    /// The delivery for a run, or why its events cannot be had.
    Result<Delivery> delivery_for(const delivery::StartRun& start, std::span<const Offset> handed,
                                  const LetterStore& letters, delivery::Now now);

    /// The stored body of one event: for letters.
    Result<std::string> body_of(Offset offset);

    /// What became of an event whose record is lost.
    Explanation explain_lost(Offset offset, const log::LostRange& lost, const Routing& routing,
                             delivery::Now now) const;

    std::uint64_t key_hash_of(const log::RecordView& record) const;

    /// All that was read is settled, and all was read.
    bool idle() const;

    ConsumerStatus status(delivery::Now now) const;

  private:
    static constexpr std::uint64_t records_a_turn_max = 2048;
    static constexpr std::size_t batches_kept_max = 8;

    struct Found {
        log::RecordView record;
        std::shared_ptr<const log::Batch> memory;
    };
    Result<Found> find(Offset offset);
    void keep(std::shared_ptr<const log::Batch> batch);
    void offer_lost(Offset from, Offset end, const Routing& routing, delivery::Now now);

    ConsumerConfig config_;
    ConsumerNumber number_;
    delivery::Consumer machine_;
    const log::Log& log_;
    const TargetSets& sets_;
    std::shared_ptr<Handler> handler_;
    std::deque<std::shared_ptr<const log::Batch>> batches_;  ///< read last: what runs look into
    std::string trouble_;  ///< why reading does not go on; empty if it does
    std::set<delivery::RunId> stuck_;
    std::optional<Inbox> inbox_;
    std::uint64_t undecided_ = 0;  ///< older events passed over since no pattern was decided

    struct Change {
        ConsumerConfig config;
        bool drain = false;
    };
    std::optional<Change> change_;
};

}  // namespace bascule::broker
