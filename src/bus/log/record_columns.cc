#include "bus/log/record_columns.h"

#include <algorithm>
#include <limits>

#include "foundation/base/check.h"

namespace bascule::log {

bool RecordColumns::consistent(const FrameHeader& header) const {
    std::uint64_t bytes = 0;
    std::uint32_t controls = 0;
    std::uint32_t time_before = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        bytes += body_bytes(i);
        controls += kind(i) == RecordKind::control ? 1 : 0;
        if ((kind(i) != RecordKind::event && kind(i) != RecordKind::control) ||
            narrow(0, i) < time_before) {
            return false;
        }
        time_before = narrow(0, i);
    }
    return bytes == header.body_bytes && controls == header.control_count;
}

EncodedFrame encode_records(FrameHeader header, std::span<const Record> records,
                            std::string bodies) {
    const std::size_t count = records.size();
    header.kind = FrameKind::records;
    header.count = static_cast<std::uint32_t>(count);
    header.control_count = 0;
    header.time_base = count == 0 ? header.time_base : records.front().recorded;

    std::string meta(FrameHeader::bytes + RecordColumns::bytes(count), '\0');
    auto* wide = reinterpret_cast<std::byte*>(meta.data()) + FrameHeader::bytes;
    auto* narrow = wide + 48 * count;
    auto* kinds = wide + 64 * count;
    for (std::size_t i = 0; i < count; ++i) {
        const Record& record = records[i];
        store(wide + 8 * i, record.key_hash);
        store(wide + 8 * (count + i), record.id_hash.high);
        store(wide + 8 * (2 * count + i), record.id_hash.low);
        store(wide + 8 * (3 * count + i), record.content_hash);
        store(wide + 8 * (4 * count + i), record.producer);
        store(wide + 8 * (5 * count + i), record.sequence);
        // A clock that jumps 50 days within one frame is cut to what the column holds: time then
        // still does not decrease, and the next frame has the right one.
        const std::int64_t delta = record.recorded - header.time_base;
        CHECK(delta >= 0);
        store(narrow + 4 * i, static_cast<std::uint32_t>(std::min<std::int64_t>(
                                  delta, std::numeric_limits<std::uint32_t>::max())));
        store(narrow + 4 * (count + i), record.body_bytes);
        store(narrow + 4 * (2 * count + i), record.rule_version);
        store(narrow + 4 * (3 * count + i), record.target_set);
        store(kinds + i, record.kind);
        header.control_count += record.kind == RecordKind::control ? 1 : 0;
    }
    return seal_frame(header, std::move(meta), std::move(bodies));
}

}  // namespace bascule::log
