#include "bus/log/recovery.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "bus/log/last_segment.h"
#include "bus/log/record_columns.h"
#include "bus/log/segment_draft.h"

namespace bascule::log {

namespace {

/// Whether the segment still is the one that an index is of.
bool same_file(const io::File& file, std::uint64_t file_id) {
    std::array<std::byte, FrameHeader::bytes> bytes;
    const auto got = file.read(0, bytes);
    const auto head = read_header(bytes);
    return got && *got == bytes.size() && head && head->file_id == file_id;
}

/// One recovery: the way from a listing to a Recovered.
class Recovery {
  public:
    Recovery(io::Disk& disk, const std::string& directory, const Options& options, Random& random)
        : disk_(disk), directory_(directory), options_(options), random_(random) {}

    Result<Recovered> run();

  private:
    Result<std::vector<Offset>> find_segments();
    Result<> create_first();
    Result<> open_sealed(Offset first, Offset end);
    Result<> open_last(Offset first);
    Result<> renew(LastSegment& last, Offset first, std::shared_ptr<Segment> old);
    Result<> add_producers_of_sealed();
    IndexParts parts_needed() const;
    DedupIndex build_dedup() const;
    void keep_index(const IndexedSegment& segment, const std::string& segment_path);
    void note_damage(const std::string& segment_path, const std::string& text);
    std::uint64_t new_file_id() { return random_.next() | 1; }

    io::Disk& disk_;
    const std::string& directory_;
    const Options& options_;
    Random& random_;

    std::vector<std::shared_ptr<Segment>> segments_;  // newest first, until the end
    std::vector<SegmentIds> ids_;                     // of the same
    bool ids_complete_ = false;                       // older ones are outside the window
    WallTime newest_{};
    std::uint64_t filled_end_ = 0;
    Producers producers_;
    std::uint64_t torn_bytes_ = 0;
    std::string damage_;
    std::string damage_detail_;
};

Result<Recovered> Recovery::run() {
    TRY(disk_.make_directories(directory_));
    const auto firsts = TRY(find_segments());
    if (firsts.empty()) {
        TRY(create_first());
    } else {
        // A name that is seen need not be durable: whoever made it may have failed to sync the
        // folder. What is confirmed from here on lies behind these names.
        TRY(disk_.sync_directory(directory_));
        TRY(open_last(firsts.back()));
        for (std::size_t i = firsts.size() - 1; i > 0; --i) {
            TRY(open_sealed(firsts[i - 1], firsts[i]));
        }
        if (!damage_.empty()) {
            TRY(add_producers_of_sealed());
        }
    }
    DedupIndex dedup = build_dedup();
    std::ranges::reverse(segments_);
    return Recovered{std::move(segments_),     filled_end_, std::move(dedup),
                     std::move(producers_),    torn_bytes_, std::move(damage_),
                     std::move(damage_detail_)};
}

/// First offsets in order. Sweeps away what a crash left half made.
Result<std::vector<Offset>> Recovery::find_segments() {
    const auto names = TRY(disk_.list(directory_));
    std::vector<Offset> firsts;
    for (const std::string& name : names) {
        if (const auto first = segment_first(name)) {
            firsts.push_back(*first);
        }
    }
    for (const std::string& name : names) {
        const auto first = name.ends_with(".idx")
                               ? segment_first(name.substr(0, name.size() - 4) + ".seg")
                               : std::nullopt;
        const bool orphan = first && !std::ranges::binary_search(firsts, *first);
        if (name.ends_with(".tmp") || orphan) {
            TRY(disk_.remove(directory_ + "/" + name));
        }
    }
    return firsts;
}

Result<> Recovery::create_first() {
    auto draft = TRY(SegmentDraft::create(disk_, directory_, new_file_id(), Offset(0), {}));
    TRY(draft.add_mark());
    TRY(draft.file().sync_blocking());
    segments_.push_back(TRY(std::move(draft).finish(disk_, directory_)));
    ids_.emplace_back();
    filled_end_ = segments_.back()->index.position_end;
    return {};
}

Result<> Recovery::open_last(Offset first) {
    auto segment = std::make_shared<Segment>();
    segment->path = directory_ + "/" + segment_name(first);
    segment->file = TRY(disk_.open(segment->path, io::OpenMode::write));
    auto read = read_last_segment(*segment->file, first);
    if (!read) {
        return std::unexpected(std::move(read.error()).in(segment->path));
    }
    LastSegment& last = *read;
    torn_bytes_ = last.torn_bytes;
    for (const auto& [producer, sequence] : last.producers) {
        producers_.raise(producer, sequence);
    }
    for (const LostRange& lost : last.proven.index.lost) {
        note_damage(segment->path, "offsets " + std::to_string(lost.first.value()) + " to " +
                                       std::to_string(lost.end.value() - 1) +
                                       " are lost: " + lost.why);
    }
    if (!last.head_found) {
        note_damage(segment->path,
                    "a head is damaged; offsets from " + std::to_string(first.value()) +
                        " on may be lost, and which sequences producers had reached before them");
    }
    newest_ = last.proven.index.recorded_last;
    if (last.clean) {
        filled_end_ = TRY(segment->file->size());
        segment->index = last.proven.index;
        segments_.push_back(std::move(segment));
        ids_.push_back(std::move(last.proven.ids));
        return {};
    }
    return renew(last, first, std::move(segment));
}

/// Puts a new segment behind the proven frames of the last one and writes the others there.
Result<> Recovery::renew(LastSegment& last, Offset first, std::shared_ptr<Segment> old) {
    const Offset begin = last.proven.index.end;
    old->index = last.proven.index;
    if (begin == first && !damage_.empty()) {
        // The new segment would take the damaged one's name: leave it for whoever repairs it.
        if (!last.unproven.empty()) {
            note_damage(old->path, "the last " + std::to_string(last.unproven.size()) +
                                       " commits are not shown, as they may not be durable");
        }
        segments_.push_back(std::move(old));
        ids_.push_back(std::move(last.proven.ids));
        return {};
    }
    auto draft =
        TRY(SegmentDraft::create(disk_, directory_, new_file_id(), begin, producers_.all()));
    IndexedSegment renewed(begin);
    for (EncodedFrame& frame : last.unproven) {
        FrameHeader header = frame.header;
        header.file_id = draft.file_id();
        header.durable = begin.value();
        const std::string columns = frame.meta.substr(FrameHeader::bytes);
        frame.bodies.resize(header.body_bytes);  // without padding
        const EncodedFrame copy = encode_frame(header, columns, std::move(frame.bodies));
        const FrameScanner::Found found{copy.header, draft.position(), false, as_bytes(columns)};
        renewed.add(found);
        raise_producers(producers_, found);
        TRY(draft.add(copy, renewed.index.recorded_last));
    }
    TRY(draft.add_mark());
    TRY(draft.file().sync_blocking());
    segments_.push_back(TRY(std::move(draft).finish(disk_, directory_)));
    ids_.push_back(std::move(renewed.ids));
    filled_end_ = segments_.back()->index.position_end;
    newest_ = std::max(newest_, renewed.index.recorded_last);
    if (begin == first) {
        return {};  // the new file replaced the old one
    }
    // What was cut off would only be in the way; if this is lost in a crash it still does no harm,
    // since reading stops where the next segment begins.
    TRY(old->file->truncate(old->index.position_end));
    keep_index(last.proven, old->path);
    segments_.push_back(std::move(old));
    ids_.push_back(std::move(last.proven.ids));
    return {};
}

Result<> Recovery::open_sealed(Offset first, Offset end) {
    auto segment = std::make_shared<Segment>();
    segment->path = directory_ + "/" + segment_name(first);
    segment->file = TRY(disk_.open(segment->path, io::OpenMode::read));
    const std::string index = index_path(segment->path);
    const IndexParts parts = parts_needed();
    auto indexed = load_index(disk_, index, first, end, parts);
    if (!indexed || !same_file(*segment->file, indexed->index.file_id)) {
        auto rebuilt = index_segment(*segment->file, first, end);
        if (!rebuilt) {
            return std::unexpected(std::move(rebuilt.error()).in(segment->path));
        }
        indexed = std::move(*rebuilt);
        keep_index(*indexed, segment->path);
    }
    for (const LostRange& lost : indexed->index.lost) {
        note_damage(segment->path, "offsets " + std::to_string(lost.first.value()) + " to " +
                                       std::to_string(lost.end.value() - 1) +
                                       " are lost: " + lost.why);
    }
    newest_ = std::max(newest_, indexed->index.recorded_last);
    ids_complete_ = parts == IndexParts::without_ids ||
                    indexed->ids.first != first;  // behind a gap the window cannot go on
    segment->index = std::move(indexed->index);
    segments_.push_back(std::move(segment));
    ids_.push_back(std::move(indexed->ids));
    return {};
}

/// The last head is damaged: older ones know some of the sequences.
Result<> Recovery::add_producers_of_sealed() {
    for (const auto& segment : segments_) {
        FrameScanner scanner(*segment->file, 0, segment->index.position_end, 0);
        bool head_found = false;
        while (const auto found = TRY(scanner.next())) {
            head_found = head_found || found->header.kind == FrameKind::head;
            raise_producers(producers_, *found);
        }
        if (head_found) {
            break;
        }
    }
    return {};
}

IndexParts Recovery::parts_needed() const {
    std::uint64_t have = 0;
    for (const SegmentIds& ids : ids_) {
        have += ids.entries.size();
    }
    const auto& newer = segments_.back()->index;
    const bool old = newer.end > newer.first && newest_ - newer.recorded_last > options_.dedup.age;
    return ids_complete_ || old || have >= options_.dedup.entries_max ? IndexParts::without_ids
                                                                      : IndexParts::with_ids;
}

DedupIndex Recovery::build_dedup() const {
    // Newest first, as far back as there is no gap.
    std::size_t usable = 0;
    while (usable < ids_.size() &&
           (usable == 0 || ids_[usable - 1].first == segments_[usable - 1]->index.first) &&
           (usable == 0 || segments_[usable]->index.end == ids_[usable - 1].first) &&
           ids_[usable].first.value() + ids_[usable].entries.size() ==
               segments_[usable]->index.end.value()) {
        ++usable;
    }
    const Offset end = segments_.front()->index.end;
    const Offset begin = usable == 0 ? end : ids_[usable - 1].first;
    const std::uint64_t skipped = end.value() - begin.value() -
                                  std::min(end.value() - begin.value(), options_.dedup.entries_max);
    DedupIndex dedup(options_.dedup, Offset(begin.value() + skipped));
    for (std::size_t i = usable; i-- > 0;) {
        const SegmentIndex& index = segments_[i]->index;
        const auto map = index.map.entries();
        auto later = map.begin();  // the first entry behind the offset; its time is a bound
        std::uint64_t offset = ids_[i].first.value();
        for (const IdEntry& entry : ids_[i].entries) {
            while (later != map.end() && later->offset <= offset) {
                ++later;
            }
            if (offset >= dedup.end().value()) {
                dedup.push(entry,
                           later == map.end() ? index.recorded_last : from_unix_ms(later->time_ms));
            }
            ++offset;
        }
    }
    return dedup;
}

/// An index is a convenience: a full disk must not keep a log from being read.
void Recovery::keep_index(const IndexedSegment& segment, const std::string& segment_path) {
    if (segment.index.lost.empty()) {
        (void)save_index(disk_, index_path(segment_path), segment);
    }
}

/// For anyone to read, and with the file for who has to repair it.
void Recovery::note_damage(const std::string& segment_path, const std::string& text) {
    damage_ += (damage_.empty() ? "" : "; ") + text;
    damage_detail_ += (damage_detail_.empty() ? "" : "; ") + segment_path + ": " + text;
}

}  // namespace

Result<Recovered> recover(io::Disk& disk, const std::string& directory, const Options& options,
                          Random& random) {
    return Recovery(disk, directory, options, random).run();
}

}  // namespace bascule::log
