#include "bus/log/block.h"

#include <algorithm>

#include "bus/log/record_columns.h"
#include "foundation/base/check.h"

namespace bascule::log {

std::size_t Block::bytes() const {
    std::size_t sum = 0;
    for (const std::string& part : memory) {
        sum += part.size();
    }
    return sum;
}

std::shared_ptr<const Block> block_of(EncodedFrame frame, std::shared_ptr<const Segment> segment,
                                      std::uint64_t position) {
    auto block = std::make_shared<Block>();
    block->segment = std::move(segment);
    block->position_end = position + frame.header.total_bytes();
    block->memory.push_back(std::move(frame.meta));
    block->memory.push_back(std::move(frame.bodies));
    block->frames.push_back(
        {.header = frame.header,
         .columns =
             reinterpret_cast<const std::byte*>(block->memory[0].data()) + FrameHeader::bytes,
         .bodies = reinterpret_cast<const std::byte*>(block->memory[1].data())});
    return block;
}

void BatchBuilder::add(const FrameView& frame) {
    const FrameHeader& header = frame.header;
    CHECK(next_ >= header.first && next_ <= header.end());
    const RecordColumns columns(header, frame.columns);
    const auto begin = static_cast<std::size_t>(next_ - header.first);
    std::uint64_t body_at = 0;
    for (std::size_t i = 0; i < begin; ++i) {
        body_at += columns.body_bytes(i);
    }
    const bool control_only = limits_.kinds == ReadLimits::Kinds::control;
    const bool snapshot = header.has(FrameFlag::snapshot);
    const bool bodies = limits_.parts == ReadLimits::Parts::whole;
    if (!control_only) {
        records_.reserve(
            std::min<std::uint64_t>(limits_.records_max, records_.size() + (header.count - begin)));
    }
    for (std::size_t i = begin; i < header.count; ++i) {
        const std::uint32_t body_bytes = columns.body_bytes(i);
        if (!control_only || columns.kind(i) == RecordKind::control) {
            full_ = records_.size() >= std::max<std::uint64_t>(1, limits_.records_max) ||
                    (bodies && !records_.empty() && bytes_ + body_bytes > limits_.bytes_max);
            if (full_) {
                return;
            }
            records_.push_back(
                {.offset = Offset(header.first + i),
                 .recorded = from_unix_ms(columns.recorded(i)),
                 .kind = columns.kind(i),
                 .snapshot = snapshot,
                 .key_hash = columns.key_hash(i),
                 .id_hash = columns.id_hash(i),
                 .content_hash = columns.content_hash(i),
                 .producer = columns.producer(i),
                 .sequence = columns.sequence(i),
                 .rule_version = columns.rule_version(i),
                 .target_set = columns.target_set(i),
                 .body =
                     bodies ? std::string_view(
                                  reinterpret_cast<const char*>(frame.bodies) + body_at, body_bytes)
                            : std::string_view()});
            bytes_ += bodies ? body_bytes : 0;
        }
        body_at += body_bytes;
        next_ = header.first + i + 1;
    }
}

void BatchBuilder::add(const std::shared_ptr<const Block>& block) {
    keep(block);
    for (const FrameView& frame : block->frames) {
        if (frame.header.end() > next_ && frame.header.first <= next_ && !full_) {
            add(frame);
        }
    }
}

}  // namespace bascule::log
