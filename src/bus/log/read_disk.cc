// The half of ReadSide that reads files: walking frames, and finding the way behind damage.
#include <algorithm>

#include "bus/log/read_side.h"

namespace bascule::log {

namespace {

constexpr const char* frames_damaged = "the frames that held them are damaged";
constexpr const char* bodies_damaged = "the checksum of their bodies differs";

/// One read of the disk brings about what the caller asked for, columns included.
std::uint64_t bytes_to_read(const ReadLimits& limits) {
    constexpr std::uint64_t least = 64 << 10;
    constexpr std::uint64_t most = 4 << 20;
    const std::uint64_t wanted = std::min(limits.bytes_max, most);
    return std::clamp(wanted + wanted / 4, least, most);
}

/// Reads as much of [position, position + bytes) as there is.
Result<std::string> read_bytes(const io::File& file, std::uint64_t position, std::uint64_t bytes) {
    std::string memory(bytes, '\0');
    memory.resize(
        TRY(file.read(position, std::as_writable_bytes(std::span(memory.data(), memory.size())))));
    return memory;
}

/// The whole, verified frame at the start of `bytes`.
std::optional<FrameView> frame_in(std::span<const std::byte> bytes, std::uint64_t file_id) {
    const auto header = read_header(bytes);
    if (!header || header->file_id != file_id || header->kind == FrameKind::entries ||
        header->meta_bytes() + header->body_bytes > bytes.size() ||
        !verify_meta(*header, bytes.first(header->meta_bytes()))) {
        return std::nullopt;
    }
    const auto bodies = bytes.subspan(header->meta_bytes(), header->body_bytes);
    if (!verify_bodies(*header, bodies)) {
        return std::nullopt;
    }
    return FrameView{*header, bytes.data() + FrameHeader::bytes, bodies.data()};
}

}  // namespace

Result<Batch> ReadSide::read_from_disk(const Place& place, Offset from,
                                       const ReadLimits& limits) const {
    const bool dense =
        limits.kinds == ReadLimits::Kinds::all && limits.parts == ReadLimits::Parts::whole;
    LostRange damage;
    const auto attempt = [&] {
        return dense ? try_dense(place, from, limits, damage)
                     : try_sparse(place, from, limits, damage);
    };
    auto batch = attempt();
    if (!batch && batch.error().kind() == ErrorKind::corrupt) {
        batch = attempt();  // the way from the disk may have been wrong, not the disk
    }
    if (!batch && batch.error().kind() == ErrorKind::corrupt) {
        return lose(*place.segment, damage);
    }
    return batch;
}

/// Reads the frame that holds `from` and what follows, in one go.
Result<Batch> ReadSide::try_dense(const Place& place, Offset from, const ReadLimits& limits,
                                  LostRange& damage) const {
    const Segment& segment = *place.segment;
    FrameScanner scanner(*segment.file, place.position, place.position_end, segment.index.file_id);
    const auto found = TRY(walk_to(scanner, place, place.offset, from, damage));
    auto block = std::make_shared<Block>();
    block->segment = place.segment;
    block->position_end = found.position;
    block->memory.push_back(TRY(read_bytes(
        *segment.file, found.position,
        std::min(std::max<std::uint64_t>(bytes_to_read(limits), found.header.total_bytes()),
                 place.position_end - found.position))));
    auto bytes = as_bytes(block->memory.front());
    while (const auto frame = frame_in(bytes, segment.index.file_id)) {
        if (frame->header.end() > frame->header.first) {
            block->frames.push_back(*frame);
        }
        block->position_end += frame->header.total_bytes();
        bytes = bytes.subspan(std::min(bytes.size(), frame->header.total_bytes()));
    }
    if (block->frames.empty()) {
        damage = {Offset(found.header.first), Offset(found.header.end()), bodies_damaged, true};
        return fail(ErrorKind::corrupt, bodies_damaged);
    }
    remember(block);
    BatchBuilder batch(from, limits);
    batch.add(block);
    return std::move(batch).take();
}

/// Reads columns, and of bodies only those of frames with control records when these are wanted.
Result<Batch> ReadSide::try_sparse(const Place& place, Offset from, const ReadLimits& limits,
                                   LostRange& damage) const {
    const Segment& segment = *place.segment;
    const bool bodies = limits.parts == ReadLimits::Parts::whole;
    FrameScanner scanner(*segment.file, place.position, place.position_end, segment.index.file_id);
    BatchBuilder batch(from, limits);
    Offset expected = place.offset;
    while (!batch.full() && batch.next() < place.offset_end.value()) {
        const bool is_first = batch.next() == from.value();  // nothing taken, nothing skipped
        const auto found = walk_to(scanner, place, expected, Offset(batch.next()), damage);
        if (!found && (is_first || found.error().kind() != ErrorKind::corrupt)) {
            return std::unexpected(found.error());
        }
        if (!found) {
            break;  // deliver what came before the damage; the next read names it
        }
        const FrameHeader& header = found->header;
        expected = Offset(header.end());
        if (limits.kinds == ReadLimits::Kinds::control && header.control_count == 0) {
            batch.skip_to(header.end());
            continue;
        }
        FrameView frame{.header = header, .columns = found->columns.data()};
        if (bodies) {
            auto memory = std::make_shared<std::string>(TRY(read_bytes(
                *segment.file, found->position + header.meta_bytes(), header.body_bytes)));
            if (!verify_bodies(header, as_bytes(*memory))) {
                damage = {Offset(header.first), Offset(header.end()), bodies_damaged, true};
                if (is_first) {
                    return fail(ErrorKind::corrupt, bodies_damaged);
                }
                break;
            }
            frame.bodies = as_bytes(*memory).data();
            batch.keep(std::move(memory));
        }
        batch.add(frame);
    }
    return std::move(batch).take();
}

/// The next frame that holds `from`. Fails with `corrupt` when damage took it.
Result<FrameScanner::Found> ReadSide::walk_to(FrameScanner& scanner, const Place& place,
                                              Offset expected, Offset from,
                                              LostRange& damage) const {
    while (auto found = TRY(scanner.next())) {
        const FrameHeader& header = found->header;
        if (found->after_gap) {  // so that later reads need not search again
            view_.with([&](View&) {
                place.segment->index.map.add(header, found->position, /*after_gap=*/true);
            });
        }
        if (header.first <= from.value() && header.end() > from.value()) {
            return *found;
        }
        if (header.first > from.value()) {
            damage = {expected, Offset(header.first), frames_damaged};
            return fail(ErrorKind::corrupt, frames_damaged);
        }
        expected = Offset(header.end());
    }
    damage = {expected, place.offset_end, frames_damaged};
    return fail(ErrorKind::corrupt, frames_damaged);
}

std::unexpected<Error> ReadSide::lose(const Segment& segment, const LostRange& range) const {
    view_.with([&](View& view) {
        if (!view.lost_at(range.first)) {
            const auto behind =
                std::ranges::upper_bound(view.lost, range.first, {}, &LostRange::first);
            view.lost.insert(behind, range);
        }
    });
    return fail(ErrorKind::corrupt,
                segment.path + ": offsets " + std::to_string(range.first.value()) + " to " +
                    std::to_string(range.end.value() - 1) + " are lost: " + range.why);
}

}  // namespace bascule::log
