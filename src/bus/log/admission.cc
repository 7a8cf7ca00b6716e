#include "bus/log/admission.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace bascule::log {

namespace {

/// Reads of memory under way at once: see DedupIndex::prefetch.
constexpr std::size_t prefetched_ahead = 16;

/// What is set aside for a frame before anything is in it.
constexpr std::size_t expected_records_max = 1 << 14;
constexpr std::size_t expected_bytes_max = 4 << 20;

std::string text(std::uint64_t number) { return std::to_string(number); }

Rejected batch_too_large(std::uint64_t bytes, const Options& options) {
    return {RejectReason::too_large, "the batch takes " + text(bytes) + " bytes; at most " +
                                         text(options.frame_bytes_max) +
                                         " fit into one commit: publish it in parts"};
}

}  // namespace

/// A frame with room for this many bytes of bodies and columns stays below its limit.
std::uint64_t frame_bytes(std::uint64_t records, std::uint64_t body_bytes) {
    return FrameHeader::bytes + RecordColumns::bytes(records) + aligned(body_bytes);
}

Admission::Admission(const Options& options, const Hooks& hooks, DedupIndex dedup,
                     Producers producers, WallTime recorded_last)
    : options_(options),
      hooks_(hooks),
      dedup_(std::move(dedup)),
      producers_(std::move(producers)),
      recorded_last_(recorded_last),
      next_(dedup_.with([](const DedupIndex& index) { return index.end(); })) {
    filling_.first = next_;
}

bool Admission::fits(const PendingBatch& batch) const {
    return filling_.empty() ||
           frame_bytes(filling_.records.size() + batch.records(),
                       filling_.bodies.size() + batch.bytes()) <= options_.frame_bytes_max;
}

void Admission::admit(PendingBatch pending, WallTime now) {
    const WallTime recorded = advance(now);
    const Offset first = next_;
    const std::vector<Record>& records = pending.batch.records;
    Answer answer{.done = std::move(pending.done)};
    answer.outcomes.reserve(records.size());
    const std::uint64_t bytes = frame_bytes(records.size(), pending.bytes());
    if (bytes > options_.frame_bytes_max) {
        answer.outcomes.assign(records.size(), batch_too_large(bytes, options_));
    } else {
        dedup_.with([&](DedupIndex& dedup) {
            const std::size_t raised_before = filling_.raised.size();
            for (std::size_t i = 0; i < std::min(records.size(), prefetched_ahead); ++i) {
                dedup.prefetch(records[i].id_hash);
            }
            for (std::size_t i = 0; i < records.size(); ++i) {
                if (i + prefetched_ahead < records.size()) {
                    dedup.prefetch(records[i + prefetched_ahead].id_hash);
                }
                answer.outcomes.push_back(judge(records[i], dedup, recorded));
            }
            const bool rejected = std::ranges::any_of(answer.outcomes, [](const auto& one) {
                return std::holds_alternative<Rejected>(one);
            });
            if (rejected && pending.atomicity == Atomicity::all) {
                reject_all(answer.outcomes, dedup, first, raised_before);
            }
        });
    }
    // Only now, since a batch that is all or nothing is decided by its last record.
    put_accepted(pending.batch, answer.outcomes, recorded);
    CHECK(filling_.first.value() + filling_.records.size() == next_.value());
    filling_.answers.push_back(std::move(answer));
}

void Admission::put_accepted(const RecordBatch& batch, const std::vector<AppendOutcome>& outcomes,
                             WallTime recorded) {
    // Bodies of accepted records that follow each other are copied at once.
    std::size_t begin = 0;
    std::size_t end = 0;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const std::size_t bytes = batch.records[i].body_bytes;
        if (std::holds_alternative<Accepted>(outcomes[i])) {
            put(batch.records[i], recorded);
            if (hooks_.before_commit) {
                hooks_.before_commit(filling_.records.back());
            }
            end += bytes;
            continue;
        }
        ++(std::holds_alternative<Duplicate>(outcomes[i]) ? filling_.duplicates
                                                          : filling_.rejected);
        filling_.bodies.append(batch.bodies, begin, end - begin);
        begin = end += bytes;
    }
    filling_.bodies.append(batch.bodies, begin, end - begin);
    CHECK(end == batch.bodies.size());
}

AppendOutcome Admission::judge(const Record& record, DedupIndex& dedup, WallTime recorded) {
    if (auto refused = refusal(record, dedup)) {
        return std::move(*refused);
    }
    if (record.producer != 0) {
        filling_.raised.emplace_back(record.producer, producers_.highest(record.producer));
        producers_.raise(record.producer, record.sequence);
    }
    dedup.push({record.id_hash, record.content_hash}, recorded);
    const Accepted accepted{next_, recorded};
    next_ = bascule::next(next_);
    return accepted;
}

/// Why the record is not accepted, if so. A repetition is a repetition whatever its sequence.
std::optional<AppendOutcome> Admission::refusal(const Record& record,
                                                const DedupIndex& dedup) const {
    // What routing stands on is no event: only the frame bounds it, together with its batch.
    if (record.kind == RecordKind::event && record.body_bytes > options_.record_bytes_max) {
        return Rejected{RejectReason::too_large,
                        "the record has " + text(record.body_bytes) + " bytes; at most " +
                            text(options_.record_bytes_max) + " are allowed"};
    }
    if (const auto hit = dedup.find(record.id_hash)) {
        if (hit->content == record.content_hash) {
            return Duplicate{hit->offset};
        }
        return Rejected{RejectReason::id_reused,
                        "the same source and event id with other content is at offset " +
                            text(hit->offset.value()) + ": a new event needs a new id"};
    }
    if (record.producer == 0) {
        return std::nullopt;
    }
    const auto highest = producers_.highest(record.producer);
    if (highest && record.sequence <= *highest) {
        return Rejected{RejectReason::sequence_not_above,
                        "sequence " + text(record.sequence) + " is not above " + text(*highest) +
                            ", the highest of this producer",
                        *highest};
    }
    if (!highest && producers_.size() >= options_.producers_max) {
        return Rejected{RejectReason::too_many_producers,
                        text(options_.producers_max) +
                            " producers are known, which is the limit (producers_max): number "
                            "events with one of those or not at all"};
    }
    return std::nullopt;
}

void Admission::reject_all(std::vector<AppendOutcome>& outcomes, DedupIndex& dedup, Offset first,
                           std::size_t raised_before) {
    for (AppendOutcome& outcome : outcomes) {
        if (!std::holds_alternative<Rejected>(outcome)) {
            outcome = Rejected{RejectReason::atomic_batch_failed,
                               "another event of this all-or-nothing batch was rejected"};
        }
    }
    for (; filling_.raised.size() > raised_before; filling_.raised.pop_back()) {
        producers_.restore(filling_.raised.back().first, filling_.raised.back().second);
    }
    dedup.truncate(first);
    next_ = first;
}

/// All but its body.
void Admission::put(Record record, WallTime recorded) {
    record.recorded = to_unix_ms(recorded);
    record.sequence = record.producer == 0 ? 0 : record.sequence;
    filling_.records.push_back(record);
}

PendingFrame Admission::take() {
    PendingFrame frame = std::exchange(filling_, PendingFrame{});
    filling_.first = next_;
    // Under load the next one is about as large. Growing to that piece by piece costs copies, and
    // memory that the kernel must clear first.
    const auto about = [](std::size_t size) { return size + size / 8; };
    filling_.records.reserve(std::min(about(frame.records.size()), expected_records_max));
    filling_.bodies.reserve(std::min(about(frame.bodies.size()), expected_bytes_max));
    return frame;
}

void Admission::undo(const PendingFrame& frame) {
    CHECK(filling_.empty() && filling_.first == next_);
    for (auto raised = frame.raised.rbegin(); raised != frame.raised.rend(); ++raised) {
        producers_.restore(raised->first, raised->second);
    }
    dedup_.with([&](DedupIndex& dedup) { dedup.truncate(frame.first); });
    next_ = filling_.first = frame.first;
}

std::vector<PendingFrame> Admission::snapshot_frames(const std::vector<std::string>& bodies,
                                                     WallTime now) {
    CHECK(filling_.empty());
    const WallTime recorded = advance(now);
    std::vector<PendingFrame> frames;
    for (const std::string& body : bodies) {
        if (!filling_.records.empty() &&
            frame_bytes(filling_.records.size() + 1, filling_.bodies.size() + body.size()) >
                options_.frame_bytes_max) {
            frames.push_back(take());
        }
        put({.kind = RecordKind::control, .body_bytes = static_cast<std::uint32_t>(body.size())},
            recorded);
        filling_.bodies += body;
        dedup_.with([&](DedupIndex& dedup) { dedup.push({}, recorded); });
        next_ = bascule::next(next_);
    }
    frames.push_back(take());
    for (PendingFrame& frame : frames) {
        frame.flags = FrameFlag::snapshot;
    }
    frames.back().flags |= FrameFlag::snapshot_end;
    return frames;
}

std::optional<Offset> Admission::find(const Hash128& id) const {
    return dedup_.with([&](const DedupIndex& dedup) {
        const auto hit = dedup.find(id);
        return hit ? std::optional(hit->offset) : std::nullopt;
    });
}

void Admission::count(Stats& stats) const {
    dedup_.with([&](const DedupIndex& dedup) {
        stats.dedup_entries = dedup.size();
        stats.dedup_window = dedup.span();
    });
}

/// Recorded time never decreases, whatever the clock does.
WallTime Admission::advance(WallTime now) {
    recorded_last_ = std::max(recorded_last_, now);
    return recorded_last_;
}

}  // namespace bascule::log
