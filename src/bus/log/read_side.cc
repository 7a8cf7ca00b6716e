#include "bus/log/read_side.h"

#include <algorithm>

#include "bus/log/record_columns.h"
#include "foundation/base/check.h"

namespace bascule::log {

namespace {

std::string text(Offset offset) { return std::to_string(offset.value()); }

}  // namespace

// --- what the writer tells -----------------------------------------------------------------------

void ReadSide::add_segment(std::shared_ptr<Segment> segment) {
    view_.with([&](View& view) {
        SegmentIndex& index = segment->index;
        if (!view.segments.empty()) {
            SegmentIndex& before = view.segments.back()->index;
            index.recorded_last = std::max(index.recorded_last, before.recorded_last);
            if (before.end < index.first) {
                view.lost.push_back(
                    {before.end, index.first, "the file that held them is missing"});
            }
        }
        view.lost.insert(view.lost.end(), index.lost.begin(), index.lost.end());
        view.end = index.end;
        view.segments.push_back(std::move(segment));
    });
}

void ReadSide::publish(EncodedFrame frame, std::uint64_t position) {
    view_.with([&](View& view) {
        const auto& segment = view.segments.back();
        const FrameHeader header = frame.header;
        WallTime recorded = segment->index.recorded_last;
        if (header.kind == FrameKind::records && header.count > 0) {
            auto block = block_of(std::move(frame), segment, position);
            recorded = from_unix_ms(
                RecordColumns(header, block->frames[0].columns).recorded(header.count - 1));
            view.tail_bytes += block->bytes();
            view.tail.push_back(std::move(block));
            while (view.tail_bytes > options_.tail_bytes_max) {
                view.tail_bytes -= view.tail.front()->bytes();
                view.tail.pop_front();
            }
        }
        segment->index.add(header, position, false, recorded);
        view.end = segment->index.end;
    });
}

std::vector<std::shared_ptr<Segment>> ReadSide::segments() const {
    return view_.with([](const View& view) { return view.segments; });
}

void ReadSide::remove_front() {
    view_.with([](View& view) {
        CHECK(view.segments.size() > 1);
        view.segments.erase(view.segments.begin());
        const Offset begin = view.segments.front()->index.first;
        std::erase_if(view.lost, [&](const LostRange& range) { return range.end <= begin; });
        while (!view.tail.empty() && view.tail.front()->first() < begin.value()) {
            view.tail_bytes -= view.tail.front()->bytes();
            view.tail.pop_front();
        }
    });
}

// --- what readers ask ----------------------------------------------------------------------------

Offset ReadSide::begin() const {
    return view_.with([](const View& view) { return view.segments.front()->index.first; });
}

Offset ReadSide::end() const {
    return view_.with([](const View& view) { return view.end; });
}

Offset ReadSide::control_begin() const {
    return view_.with([](const View& view) {
        for (auto at = view.segments.rbegin(); at != view.segments.rend(); ++at) {
            if ((*at)->index.snapshot) {
                return *(*at)->index.snapshot;
            }
        }
        return view.segments.front()->index.first;
    });
}

Result<Batch> ReadSide::read(Offset from, const ReadLimits& limits) const {
    std::vector<std::shared_ptr<const Block>> blocks;
    Served served = Served::tail;
    const auto place = view_.with([&](View& view) -> Result<Place> {
        TRY(readable(view, from, limits.parts));
        if (from == view.end) {
            return Place();
        }
        blocks = in_tail(view, from, limits);
        if (blocks.empty()) {
            served = Served::cache;
            if (auto block = in_cache(view, from)) {
                blocks.push_back(std::move(block));
            }
        }
        if (blocks.empty()) {
            served = Served::disk;
            return place_of(view, from);
        }
        return Place();
    });
    if (!place) {
        return std::unexpected(place.error());
    }
    if (served == Served::disk) {
        ++disk_reads_;
        return read_from_disk(*place, from, limits);
    }
    tail_hits_ += served == Served::tail ? 1 : 0;
    BatchBuilder batch(from, limits);
    for (const auto& block : blocks) {
        batch.add(block);
    }
    return std::move(batch).take();
}

Result<> ReadSide::readable(const View& view, Offset from, ReadLimits::Parts parts) {
    const Offset begin = view.segments.front()->index.first;
    if (from < begin) {
        return fail(
            ErrorKind::not_found,
            "offset " + text(from) + " is gone: retention kept those from " + text(begin) + " on");
    }
    if (from > view.end) {
        return fail(ErrorKind::invalid,
                    "offset " + text(from) + " is above the end, " + text(view.end));
    }
    const bool columns = parts == ReadLimits::Parts::columns;
    if (const auto lost = view.lost_at(from); lost && !(columns && lost->columns_left)) {
        return fail(ErrorKind::corrupt, "offsets " + text(lost->first) + " to " +
                                            std::to_string(lost->end.value() - 1) +
                                            " are lost: " + lost->why);
    }
    return {};
}

Result<Offset> ReadSide::offset_at(WallTime time) const {
    Place place;
    const Offset end = view_.with([&](const View& view) {
        const auto found = std::ranges::lower_bound(
            view.segments, time, {},
            [](const auto& segment) { return segment->index.recorded_last; });
        if (found != view.segments.end()) {
            place = whole(*found, (*found)->index.map.before(time));
        }
        return view.end;
    });
    if (!place.segment) {
        return end;
    }
    FrameScanner scanner(*place.segment->file, place.position, place.position_end,
                         place.segment->index.file_id);
    while (const auto found = TRY(scanner.next())) {
        if (found->header.kind != FrameKind::records) {
            continue;
        }
        const RecordColumns columns(found->header, found->columns.data());
        for (std::size_t i = 0; i < found->header.count; ++i) {
            if (from_unix_ms(columns.recorded(i)) >= time) {
                return Offset(found->header.first + i);
            }
        }
    }
    return place.offset_end;
}

std::vector<LostRange> ReadSide::lost() const {
    return view_.with([](const View& view) { return view.lost; });
}

std::optional<LostRange> ReadSide::lost_at(Offset offset) const {
    return view_.with([&](const View& view) { return view.lost_at(offset); });
}

void ReadSide::count(Stats& stats) const {
    view_.with([&](const View& view) {
        stats.segments = view.segments.size();
        stats.stored_bytes = 0;
        for (const auto& segment : view.segments) {
            stats.stored_bytes += segment->index.position_end;
        }
    });
    stats.tail_hits = tail_hits_;
    stats.disk_reads = disk_reads_;
}

// --- memory --------------------------------------------------------------------------------------

std::shared_ptr<Segment> ReadSide::View::segment_of(Offset offset) const {
    const auto behind = std::ranges::upper_bound(
        segments, offset, {}, [](const auto& segment) { return segment->index.first; });
    CHECK(behind != segments.begin());
    return *(behind - 1);
}

std::optional<LostRange> ReadSide::View::lost_at(Offset offset) const {
    for (const LostRange& range : lost) {
        if (range.first <= offset && offset < range.end) {
            return range;
        }
    }
    return std::nullopt;
}

std::vector<std::shared_ptr<const Block>> ReadSide::in_tail(const View& view, Offset from,
                                                            const ReadLimits& limits) {
    std::vector<std::shared_ptr<const Block>> blocks;
    auto at = std::ranges::upper_bound(view.tail, from.value(), {},
                                       [](const auto& block) { return block->first(); });
    if (at == view.tail.begin() || (*(at - 1))->end() <= from.value()) {
        return blocks;
    }
    std::uint64_t bytes = 0;
    for (--at; at != view.tail.end() && bytes <= limits.bytes_max; ++at) {
        const std::uint64_t before = (*at)->first() - std::min((*at)->first(), from.value());
        // A snapshot that was written at the head of a new segment is not in the tail.
        const bool follows = blocks.empty() || blocks.back()->end() == (*at)->first();
        if (!follows || before >= limits.records_max) {
            break;
        }
        bytes += (*at)->bytes();
        blocks.push_back(*at);
    }
    return blocks;
}

std::shared_ptr<const Block> ReadSide::in_cache(View& view, Offset from) {
    const auto found = std::ranges::find_if(view.cache, [&](const auto& block) {
        return block->first() <= from.value() && from.value() < block->end();
    });
    if (found == view.cache.end()) {
        return nullptr;
    }
    const auto block = *found;
    view.cache.erase(found);
    view.cache.push_front(block);
    return block;
}

ReadSide::Place ReadSide::whole(const std::shared_ptr<Segment>& segment,
                                const std::optional<SegmentMap::Entry>& start) {
    const SegmentIndex& index = segment->index;
    return {.segment = segment,
            .position = start ? start->position : 0,
            .position_end = index.position_end,
            .offset = start ? Offset(start->offset) : index.first,
            .offset_end = index.end};
}

ReadSide::Place ReadSide::place_of(const View& view, Offset offset) {
    const auto segment = view.segment_of(offset);
    Place place = whole(segment, segment->index.map.before(offset));
    // Reading on from a block that was just read needs no walk.
    for (const auto& block : view.cache) {
        if (block->segment == segment && block->end() == offset.value() &&
            block->position_end < place.position_end) {
            place.position = block->position_end;
            place.offset = offset;
        }
    }
    return place;
}

void ReadSide::remember(std::shared_ptr<const Block> block) const {
    view_.with([&](View& view) {
        view.cache_bytes += block->bytes();
        view.cache.push_front(std::move(block));
        while (view.cache_bytes > options_.read_cache_bytes_max) {
            view.cache_bytes -= view.cache.back()->bytes();
            view.cache.pop_back();
        }
    });
}

}  // namespace bascule::log
