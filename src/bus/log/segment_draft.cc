#include "bus/log/segment_draft.h"

#include <algorithm>

namespace bascule::log {

Result<SegmentDraft> SegmentDraft::create(io::Disk& disk, const std::string& directory,
                                          std::uint64_t file_id, Offset first,
                                          std::span<const ProducerSequence> producers) {
    SegmentDraft draft;
    draft.segment_ = std::make_shared<Segment>();
    draft.segment_->path = directory + "/" + segment_name(first);
    draft.temporary_ = draft.segment_->path + ".tmp";
    draft.segment_->file = TRY(disk.open(draft.temporary_, io::OpenMode::create));
    TRY(draft.segment_->file->truncate(0));
    SegmentIndex& index = draft.segment_->index;
    index.file_id = file_id;
    index.first = index.end = first;
    TRY(draft.add(
        encode_head({.file_id = file_id, .first = first.value(), .durable = first.value()},
                    producers),
        WallTime()));
    return draft;
}

Result<> SegmentDraft::add(const EncodedFrame& frame, WallTime recorded) {
    const std::uint64_t at = position();
    TRY(file().write(at, as_bytes(frame.meta)));
    if (!frame.bodies.empty()) {
        TRY(file().write(at + frame.meta.size(), as_bytes(frame.bodies)));
    }
    segment_->index.add(frame.header, at, false, recorded);
    return {};
}

Result<> SegmentDraft::add_mark() {
    return add(encode_frame({.kind = FrameKind::mark,
                             .file_id = file_id(),
                             .first = end().value(),
                             .durable = end().value()},
                            {}, {}),
               WallTime());
}

Result<> SegmentDraft::fill(std::uint64_t bytes) { return write_zeros(file(), position(), bytes); }

Result<std::shared_ptr<Segment>> SegmentDraft::finish(io::Disk& disk,
                                                      const std::string& directory) && {
    TRY(disk.rename(temporary_, segment_->path));
    TRY(disk.sync_directory(directory));
    return std::move(segment_);
}

Result<> write_zeros(io::File& file, std::uint64_t position, std::uint64_t bytes) {
    static const std::string zeros(256 << 10, '\0');
    while (bytes > 0) {
        const auto piece = std::min<std::uint64_t>(bytes, zeros.size());
        TRY(file.write(position, as_bytes(std::string_view(zeros).substr(0, piece))));
        position += piece;
        bytes -= piece;
    }
    return {};
}

}  // namespace bascule::log
