#include "bus/log/last_segment.h"

#include <algorithm>
#include <deque>

#include "bus/log/record_columns.h"

namespace bascule::log {

namespace {

/// A frame that waits for a later one to prove it, with columns of its own.
struct Waiting {
    FrameScanner::Found found;
    std::string columns;

    explicit Waiting(const FrameScanner::Found& scanned)
        : found(scanned), columns(as_text(scanned.columns)) {}

    const FrameScanner::Found& view() {
        found.columns = as_bytes(columns);
        return found;
    }
};

struct Reader {
    LastSegment result;
    Producers producers;
    std::deque<Waiting> waiting;
    Offset durable;  // everything below was synced, some frame says

    explicit Reader(Offset first) : result(first) {}

    void prove(Waiting& frame) {
        raise_producers(producers, frame.view());
        result.proven.add(frame.view());
    }

    void see(const FrameScanner::Found& found) {
        result.head_found = result.head_found || found.header.kind == FrameKind::head;
        durable = std::max(durable, Offset(found.header.durable));
        waiting.emplace_back(found);
        while (!waiting.empty() && waiting.front().found.header.end() <= found.header.durable) {
            prove(waiting.front());
            waiting.pop_front();
        }
    }
};

/// The frame again, as it would be encoded; nothing if its bodies do not verify.
Result<std::optional<EncodedFrame>> read_whole(const io::File& file, Waiting& frame) {
    const FrameHeader& header = frame.found.header;
    std::string bodies(header.body_bytes, '\0');
    const std::size_t got =
        TRY(file.read(frame.found.position + header.meta_bytes(),
                      std::as_writable_bytes(std::span(bodies.data(), bodies.size()))));
    if (got != bodies.size() || !verify_bodies(header, as_bytes(bodies))) {
        return std::optional<EncodedFrame>();
    }
    return encode_frame(header, frame.columns, std::move(bodies));
}

}  // namespace

void raise_producers(Producers& producers, const FrameScanner::Found& found) {
    if (found.header.kind == FrameKind::head) {
        for (const auto& [producer, sequence] : decode_head(found.columns)) {
            producers.raise(producer, sequence);
        }
    } else if (found.header.kind == FrameKind::records) {
        const RecordColumns columns(found.header, found.columns.data());
        for (std::size_t i = 0; i < found.header.count; ++i) {
            if (columns.producer(i) != 0) {
                producers.raise(columns.producer(i), columns.sequence(i));
            }
        }
    }
}

Result<LastSegment> read_last_segment(const io::File& file, Offset first) {
    const std::uint64_t size = TRY(file.size());
    FrameScanner scanner(file, 0, size);
    Reader reader(first);
    Offset end = first;
    bool mark_last = false;
    while (const auto found = TRY(scanner.next())) {
        if (Offset(found->header.first) < end) {
            continue;  // no frame of ours goes back
        }
        end = Offset(found->header.end());
        mark_last = found->header.kind == FrameKind::mark;
        reader.see(*found);
    }
    LastSegment& result = reader.result;
    const bool zeros_follow = TRY(scanner.only_zeros_left());
    result.torn_bytes = zeros_follow ? 0 : size - scanner.position();
    result.clean = zeros_follow && mark_last && reader.waiting.empty();

    result.proven.lose_until(reader.durable);
    Offset unproven_end = result.proven.index.end;
    for (Waiting& frame : reader.waiting) {
        // Frames that share a sync may reach the disk in any order: a hole among them is no damage.
        const bool follows = Offset(frame.found.header.first) == unproven_end;
        unproven_end = Offset(frame.found.header.end());
        auto whole = follows ? TRY(read_whole(file, frame)) : std::nullopt;
        if (!whole) {
            result.torn_bytes = size - frame.found.position;
            break;
        }
        if (whole->header.kind == FrameKind::records && whole->header.count > 0) {
            result.unproven.push_back(std::move(*whole));
        }
    }
    result.producers = reader.producers.all();
    return std::move(reader.result);
}

}  // namespace bascule::log
