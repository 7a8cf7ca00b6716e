#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
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

    /// Without a handler (a removed consumer) nothing is read and nothing starts.
    void set_handler(std::shared_ptr<Handler> handler) { handler_ = std::move(handler); }
    const std::shared_ptr<Handler>& handler() const { return handler_; }

    /// Offers a bounded part of what is unread. True if there is more to read at once.
    bool read_ahead(const Routing& routing, delivery::Now now);

    /// Whether the record is this consumer's.
    bool wants(const log::RecordView& record, const Routing& routing) const;

    /// The delivery for a run, or why its events cannot be had.
    Result<Delivery> delivery_for(const delivery::StartRun& start, std::span<const Offset> handed,
                                  const LetterStore& letters);

    /// The stored body of one event: for letters.
    Result<std::string> body_of(Offset offset);

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

    ConsumerConfig config_;
    ConsumerNumber number_;
    delivery::Consumer machine_;
    const log::Log& log_;
    const TargetSets& sets_;
    std::shared_ptr<Handler> handler_;
    std::deque<std::shared_ptr<const log::Batch>> batches_;  ///< read last: what runs look into
    std::string trouble_;  ///< why reading does not go on; empty if it does
};

}  // namespace bascule::broker
