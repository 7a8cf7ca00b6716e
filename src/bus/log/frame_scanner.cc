#include "bus/log/frame_scanner.h"

#include <algorithm>

#include "bus/log/bytes.h"

namespace bascule::log {

namespace {

/// Enough for the columns of 900 records; small frames come many to a read.
constexpr std::size_t window_bytes = 64 << 10;

}  // namespace

Result<std::optional<FrameScanner::Found>> FrameScanner::next() {
    bool after_gap = false;
    std::uint64_t at = position_;
    while (true) {
        if (const auto header = TRY(try_at(at))) {
            file_id_ = header->file_id;
            position_ = at + header->total_bytes();
            const auto meta = TRY(window(at, header->meta_bytes()));
            return Found{*header, at, after_gap, meta.subspan(FrameHeader::bytes)};
        }
        after_gap = true;
        const auto candidate = TRY(find_candidate(at + frame_alignment));
        if (!candidate) {
            return std::optional<Found>();
        }
        at = *candidate;
    }
}

Result<bool> FrameScanner::only_zeros_left() {
    for (std::uint64_t at = position_; at < end_;) {
        const auto bytes = TRY(window(at, window_bytes));
        if (bytes.empty()) {
            break;
        }
        if (std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{0}; })) {
            return false;
        }
        at += bytes.size();
    }
    return true;
}

/// A verified frame at `position`, or nothing.
Result<std::optional<FrameHeader>> FrameScanner::try_at(std::uint64_t position) {
    const std::optional<FrameHeader> none;
    const auto header = read_header(TRY(window(position, FrameHeader::bytes)));
    if (!header || position + header->total_bytes() > end_ ||
        (file_id_ != 0 && header->file_id != file_id_)) {
        return none;
    }
    const auto meta = TRY(window(position, header->meta_bytes()));
    if (meta.size() < header->meta_bytes()) {
        return none;
    }
    const auto verified = verify_meta(*header, meta);
    if (!verified && verified.error() == FrameFault::newer) {
        return fail(ErrorKind::invalid,
                    "the frame at byte " + std::to_string(position) + " " + newer_text(*header));
    }
    const bool foreign = header->end() > header->first && header->kind != holds_;
    return verified && !foreign ? std::optional(*header) : none;
}

/// The next place where a header may begin.
Result<std::optional<std::uint64_t>> FrameScanner::find_candidate(std::uint64_t from) {
    for (std::uint64_t at = from; at + FrameHeader::bytes <= end_;) {
        const auto bytes = TRY(window(at, window_bytes));
        if (bytes.size() < FrameHeader::bytes) {
            break;
        }
        const std::size_t last = bytes.size() - FrameHeader::bytes;
        std::size_t i = 0;
        for (; i <= last; i += frame_alignment) {
            if (read_header(bytes.subspan(i))) {
                return std::optional(at + i);
            }
        }
        at += i;
    }
    return std::optional<std::uint64_t>();
}

/// `bytes` bytes at `position`, or as many as there are before the end.
Result<std::span<const std::byte>> FrameScanner::window(std::uint64_t position, std::size_t bytes) {
    bytes =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, end_ - std::min(end_, position)));
    const bool inside =
        position >= buffer_position_ && position + bytes <= buffer_position_ + buffer_bytes_;
    if (!inside) {
        buffer_.resize(std::max(buffer_.size(), std::max(bytes, window_bytes)));
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(
            std::max(bytes, window_bytes), end_ - std::min(end_, position)));
        buffer_bytes_ = 0;
        buffer_bytes_ = TRY(file_.read(position, std::span(buffer_).first(wanted)));
        buffer_position_ = position;
    }
    const auto from = static_cast<std::size_t>(position - buffer_position_);
    const std::size_t there = buffer_bytes_ - std::min(buffer_bytes_, from);
    return std::span<const std::byte>(buffer_).subspan(from, std::min(bytes, there));
}

}  // namespace bascule::log
