#include "bus/log/admission.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace bascule::log {

namespace {

/// Reads of memory under way at once: see DedupIndex::prefetch.
constexpr std::size_t prefetched_ahead = 16;

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
           frame_bytes(filling_.records.size() + batch.records.size(),
                       filling_.bodies.size() + batch.bytes) <= options_.frame_bytes_max;
}

void Admission::admit(PendingBatch batch, WallTime now) {
    const WallTime recorded = advance(now);
    const Offset first = next_;
    Answer answer{.done = std::move(batch.done)};
    answer.outcomes.reserve(batch.records.size());
    const std::uint64_t bytes = frame_bytes(batch.records.size(), batch.bytes);
    if (bytes > options_.frame_bytes_max) {
        answer.outcomes.assign(batch.records.size(), batch_too_large(bytes, options_));
    } else {
        dedup_.with([&](DedupIndex& dedup) {
            const std::size_t raised_before = filling_.raised.size();
            const std::size_t count = batch.records.size();
            for (std::size_t i = 0; i < std::min(count, prefetched_ahead); ++i) {
                dedup.prefetch(batch.records[i].id_hash);
            }
            for (std::size_t i = 0; i < count; ++i) {
                if (i + prefetched_ahead < count) {
                    dedup.prefetch(batch.records[i + prefetched_ahead].id_hash);
                }
                answer.outcomes.push_back(judge(batch.records[i], dedup, recorded));
            }
            const bool rejected = std::ranges::any_of(answer.outcomes, [](const auto& one) {
                return std::holds_alternative<Rejected>(one);
            });
            if (rejected && batch.atomicity == Atomicity::all) {
                reject_all(answer.outcomes, dedup, first, raised_before);
            }
        });
    }
    // Only now, since a batch that is all or nothing is decided by its last record.
    for (std::size_t i = 0; i < answer.outcomes.size(); ++i) {
        if (std::holds_alternative<Accepted>(answer.outcomes[i])) {
            if (hooks_.before_commit) {
                hooks_.before_commit(batch.records[i]);
            }
            put(batch.records[i], recorded);
        }
        filling_.duplicates += std::holds_alternative<Duplicate>(answer.outcomes[i]) ? 1 : 0;
        filling_.rejected += std::holds_alternative<Rejected>(answer.outcomes[i]) ? 1 : 0;
    }
    CHECK(filling_.first.value() + filling_.records.size() == next_.value());
    filling_.answers.push_back(std::move(answer));
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
    if (record.kind == RecordKind::event && record.body.size() > options_.record_bytes_max) {
        return Rejected{RejectReason::too_large,
                        "the record has " + text(record.body.size()) + " bytes; at most " +
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

void Admission::put(const Record& record, WallTime recorded) {
    filling_.records.push_back({.recorded = to_unix_ms(recorded),
                                .kind = record.kind,
                                .key_hash = record.key_hash,
                                .id_hash = record.id_hash,
                                .content_hash = record.content_hash,
                                .producer = record.producer,
                                .sequence = record.producer == 0 ? 0 : record.sequence,
                                .rule_version = record.rule_version,
                                .target_set = record.target_set,
                                .body_bytes = static_cast<std::uint32_t>(record.body.size())});
    filling_.bodies += record.body;
}

PendingFrame Admission::take() {
    PendingFrame frame = std::exchange(filling_, PendingFrame{});
    filling_.first = next_;
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

std::vector<PendingFrame> Admission::snapshot_frames(std::vector<std::string> bodies,
                                                     WallTime now) {
    CHECK(filling_.empty());
    const WallTime recorded = advance(now);
    std::vector<PendingFrame> frames;
    for (std::string& body : bodies) {
        if (!filling_.records.empty() &&
            frame_bytes(filling_.records.size() + 1, filling_.bodies.size() + body.size()) >
                options_.frame_bytes_max) {
            frames.push_back(take());
        }
        put({.kind = RecordKind::control, .body = std::move(body)}, recorded);
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
