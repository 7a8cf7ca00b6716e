#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/hash.h"
#include "foundation/base/offset.h"

namespace bascule::log {

enum class RecordKind : std::uint8_t {
    event = 1,
    /// Rules, consumers, names: what makes routing reproducible. One without id and producer is
    /// refused only along with the whole batch, so that nothing stands there that needs it.
    control = 2,
};

/// What stands in the columns of one record, which dedup, routing and restart read without touching
/// bodies. The body is opaque here.
struct Record {
    std::int64_t recorded = 0;  ///< unix ms; the log writes it
    RecordKind kind = RecordKind::event;
    std::uint64_t key_hash = 0;
    Hash128 id_hash;  ///< over (source, event id); all zero = no id, never a duplicate
    std::uint64_t content_hash = 0;
    std::uint64_t producer = 0;  ///< 0 = not numbered; then `sequence` is 0 too
    std::uint64_t sequence = 0;
    std::uint32_t rule_version = 0;
    std::uint32_t target_set = 0;
    std::uint32_t body_bytes = 0;
};

/// What a publisher hands over: records, and their bodies one after the other in one piece of
/// memory, so that a batch costs the writer one copy however many records it has.
struct RecordBatch {
    std::vector<Record> records;
    std::string bodies;

    void add(Record record, std::string_view body) {
        CHECK(body.size() <= std::numeric_limits<std::uint32_t>::max());
        record.body_bytes = static_cast<std::uint32_t>(body.size());
        records.push_back(record);
        bodies += body;
    }
};

/// Durable, at this place.
struct Accepted {
    Offset offset;
    WallTime recorded;
};

/// The same id with the same content is durable already, at `first`.
struct Duplicate {
    Offset first;
};

enum class RejectReason {
    id_reused,            ///< the id is taken by an event with another content
    sequence_not_above,   ///< `highest_sequence` says above what
    atomic_batch_failed,  ///< another record of the same all-or-nothing batch was rejected
    too_large,            ///< an event's body is above record_bytes_max, or the batch above a frame
    too_many_producers,   ///< a new producer, and producers_max are known
};

struct Rejected {
    RejectReason reason;
    std::string text;
    std::uint64_t highest_sequence = 0;
};

using AppendOutcome = std::variant<Accepted, Duplicate, Rejected>;

enum class Atomicity {
    each,  ///< every record is judged for itself
    all,   ///< one rejected record rejects the batch; duplicates do not
};

/// A durable record as readers see it. Lifetime: `body` points into the Batch it came from.
struct RecordView {
    Offset offset;
    WallTime recorded;
    RecordKind kind = RecordKind::event;
    bool snapshot = false;  ///< repeats control state, see Hooks::control_snapshot
    std::uint64_t key_hash = 0;
    Hash128 id_hash;
    std::uint64_t content_hash = 0;
    std::uint64_t producer = 0;
    std::uint64_t sequence = 0;
    std::uint32_t rule_version = 0;
    std::uint32_t target_set = 0;
    std::string_view body;
};

/// Records in log order with the memory their bodies lie in, which may be shared with the log's
/// caches: holding one costs up to a frame (16 MiB) more than its bodies.
class Batch {
  public:
    Batch() = default;
    Batch(std::vector<RecordView> records, Offset next,
          std::vector<std::shared_ptr<const void>> memory)
        : records_(std::move(records)), next_(next), memory_(std::move(memory)) {}

    std::span<const RecordView> records() const { return records_; }

    /// Where the next read goes on: behind the last record, or behind those that were left out.
    Offset next() const { return next_; }

  private:
    std::vector<RecordView> records_;
    Offset next_;
    std::vector<std::shared_ptr<const void>> memory_;
};

}  // namespace bascule::log
