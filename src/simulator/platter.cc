#include "simulator/platter.h"

#include <limits>
#include <span>

#include "bus/log/frame.h"
#include "bus/log/record_columns.h"
#include "bus/log/segment.h"
#include "foundation/base/hash.h"

namespace bascule::simulator {

namespace {

using Layer = sim::SimDisk::Layer;

/// Calls `visit(header, position, columns, bodies)` for every whole frame of the file; what is
/// damaged is passed over.
template <class Visit>
void each_frame(std::string_view bytes, Visit visit) {
    std::uint64_t file_id = 0;
    for (std::uint64_t at = 0; at + log::FrameHeader::bytes <= bytes.size();) {
        const auto rest = as_bytes(bytes.substr(at));
        const auto header = log::read_header(rest);
        const bool whole =
            header && header->total_bytes() <= rest.size() &&
            (file_id == 0 || header->file_id == file_id) &&
            log::verify_meta(*header, rest.first(header->meta_bytes())) &&
            log::verify_bodies(*header, rest.subspan(header->meta_bytes(), header->body_bytes));
        if (!whole) {
            at += 8;  // frames begin at multiples of it
            continue;
        }
        file_id = header->file_id;
        visit(*header, at, rest.subspan(log::FrameHeader::bytes, header->column_bytes),
              bytes.substr(at + header->meta_bytes(), header->body_bytes));
        at += header->total_bytes();
    }
}

}  // namespace

std::vector<Platter::Segment> Platter::segments() const {
    const std::string folder = directory_ + "/log/";
    std::vector<Segment> segments;
    for (const std::string& path : disk_.paths(folder, Layer::durable)) {
        if (const auto first = log::segment_first(path.substr(folder.size()))) {
            if (!segments.empty()) {
                segments.back().end = *first;
            }
            segments.push_back({path, *first, Offset(log::FrameHeader::number_max)});
        }
    }
    return segments;
}

std::vector<Platter::Record> Platter::records(Offset from, Offset end) const {
    std::vector<Record> records;
    for (const Segment& segment : segments()) {
        if (segment.end <= from || segment.first >= end) {
            continue;
        }
        const std::string bytes = disk_.contents(segment.path, Layer::durable);
        each_frame(bytes, [&](const log::FrameHeader& header, std::uint64_t,
                              std::span<const std::byte> columns, std::string_view bodies) {
            if (header.kind != log::FrameKind::records) {
                return;
            }
            const log::RecordColumns column(header, columns.data());
            for (std::size_t i = 0; i < header.count; ++i) {
                const std::string_view body = bodies.substr(0, column.body_bytes(i));
                bodies.remove_prefix(body.size());
                const Offset offset(header.first + i);
                // A record that was written again counts once.
                if (offset >= from && offset < std::min(end, segment.end) &&
                    (records.empty() || offset > records.back().offset)) {
                    records.push_back({.offset = offset,
                                       .is_event = column.kind(i) == log::RecordKind::event,
                                       .rule_version = column.rule_version(i),
                                       .body = std::string(body)});
                }
            }
        });
    }
    return records;
}

std::vector<Platter::Place> Platter::frames() const {
    std::vector<Place> places;
    for (const Segment& segment : segments()) {
        const std::string bytes = disk_.contents(segment.path, Layer::durable);
        each_frame(bytes, [&](const log::FrameHeader& header, std::uint64_t position,
                              std::span<const std::byte>, std::string_view) {
            if (header.kind == log::FrameKind::records && header.first < segment.end.value()) {
                places.push_back({.path = segment.path,
                                  .position = position,
                                  .bytes = header.total_bytes(),
                                  .first = Offset(header.first),
                                  .end = Offset(header.end())});
            }
        });
    }
    return places;
}

std::optional<Platter::Letter> Platter::letter(std::string_view consumer, Offset offset) const {
    const std::string bytes =
        disk_.contents(directory_ + "/delivery/letters/letters", Layer::durable);
    const std::string which =
        std::string(consumer) + "\",\"offset\":" + std::to_string(offset.value());
    const auto names = [&](std::string_view entry, std::string_view what) {
        const std::string begin = "{\"" + std::string(what) + "\":\"" + which;
        // Behind the offset follows no digit, so that 1 is not 12.
        return entry.starts_with(begin) && entry.size() > begin.size() &&
               std::string_view(",}").contains(entry[begin.size()]);
    };
    std::optional<Letter> found;
    each_frame(bytes, [&](const log::FrameHeader& header, std::uint64_t,
                          std::span<const std::byte> columns, std::string_view bodies) {
        if (header.kind != log::FrameKind::entries) {
            return;
        }
        for (std::size_t i = 0; i < header.count; ++i) {
            const auto size = log::load<std::uint32_t>(columns.data() + 4 * i);
            const std::string_view entry = bodies.substr(0, size);
            bodies.remove_prefix(entry.size());
            if (names(entry, "letter")) {
                const std::size_t border = entry.find('\n');
                found = Letter{.body = std::string(entry.substr(border + 1))};
            } else if (found && names(entry, "closed")) {
                found->closed = true;
            }
        }
    });
    return found;
}

bool Platter::journal_mentions(std::string_view text) const {
    bool found = false;
    const std::string bytes = disk_.contents(directory_ + "/delivery/journal", Layer::durable);
    each_frame(bytes, [&](const log::FrameHeader&, std::uint64_t, std::span<const std::byte>,
                          std::string_view bodies) { found = found || bodies.contains(text); });
    return found;
}

}  // namespace bascule::simulator
