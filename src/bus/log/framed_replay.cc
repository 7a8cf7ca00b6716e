#include "bus/log/framed_replay.h"

#include <algorithm>
#include <deque>

#include "bus/log/bytes.h"
#include "bus/log/frame_scanner.h"
#include "foundation/base/hash.h"

namespace bascule::log {

namespace {

/// A frame that waits for a later one to prove it durable, with columns of its own.
struct Waiting {
    FrameHeader header;
    std::uint64_t position = 0;
    std::string columns;

    std::uint64_t position_end() const { return position + header.total_bytes(); }
};

class Replayer {
  public:
    Replayer(io::File& file, const FramedFile::Replay& replay) : file_(file), replay_(replay) {}

    Result<FramedReplay> run();

  private:
    Result<> see(const FrameScanner::Found& found);
    Result<std::string> read_bodies(const Waiting& frame) const;
    Result<> deliver(const FrameHeader& header, std::string_view columns, std::string_view bodies);
    void expect(std::uint64_t entry);
    Result<> settle_tail();

    io::File& file_;
    const FramedFile::Replay& replay_;
    std::deque<Waiting> waiting_;
    std::uint64_t durable_ = 0;  ///< entries that were synced, some frame says
    FramedReplay result_;
};

Result<FramedReplay> Replayer::run() {
    const std::uint64_t size = TRY(file_.size());
    FrameScanner scanner(file_, 0, size, 0, FrameKind::entries);
    while (const auto found = TRY(scanner.next())) {
        TRY(see(*found));
    }
    result_.file_id = scanner.file_id();
    result_.filled_end = size;
    if (result_.file_id == 0) {
        result_.damage = "no frame in it is readable";
    } else if (!waiting_.empty() || !TRY(scanner.only_zeros_left())) {
        TRY(settle_tail());
    }
    return std::move(result_);
}

Result<> Replayer::see(const FrameScanner::Found& found) {
    durable_ = std::max(durable_, found.header.durable);
    waiting_.push_back({found.header, found.position, std::string(as_text(found.columns))});
    while (!waiting_.empty() && waiting_.front().header.end() <= found.header.durable) {
        const Waiting& frame = waiting_.front();
        const std::string bodies = TRY(read_bodies(frame));
        expect(frame.header.first);
        if (verify_bodies(frame.header, as_bytes(bodies))) {
            TRY(deliver(frame.header, frame.columns, bodies));
        }  // else the next frame expects them in vain
        result_.position_end = frame.position_end();
        waiting_.pop_front();
    }
    return {};
}

Result<std::string> Replayer::read_bodies(const Waiting& frame) const {
    std::string bodies(frame.header.body_bytes, '\0');
    bodies.resize(TRY(file_.read(frame.position + frame.header.meta_bytes(),
                                 std::as_writable_bytes(std::span(bodies.data(), bodies.size())))));
    return bodies;
}

Result<> Replayer::deliver(const FrameHeader& header, std::string_view columns,
                           std::string_view bodies) {
    if (header.kind != FrameKind::entries) {
        return {};
    }
    for (std::size_t i = 0; i < header.count; ++i) {
        const auto size = load<std::uint32_t>(as_bytes(columns).data() + 4 * i);
        TRY(replay_(as_bytes(bodies.substr(0, size))));
        bodies.remove_prefix(size);
    }
    result_.entries = header.end();
    return {};
}

/// The next frame begins with `entry`: any before it that were not seen are lost.
void Replayer::expect(std::uint64_t entry) {
    if (entry <= result_.entries) {
        return;
    }
    result_.damage += result_.damage.empty() ? "" : "; ";
    result_.damage += "entries " + std::to_string(result_.entries) + " to " +
                      std::to_string(entry - 1) + " are damaged";
    result_.entries = entry;
}

/// What no later frame proves: written again in place, byte for byte, so that the sync is real even
/// if the kernel believes the pages clean; from the first frame that is not whole on, cut off.
Result<> Replayer::settle_tail() {
    expect(durable_);
    for (const Waiting& frame : waiting_) {
        std::string bodies = TRY(read_bodies(frame));
        // Frames that share a sync may reach the disk in any order: a hole among them is no damage.
        if (frame.header.first != result_.entries ||
            !verify_bodies(frame.header, as_bytes(bodies))) {
            break;
        }
        TRY(deliver(frame.header, frame.columns, bodies));
        const auto whole = encode_frame(frame.header, frame.columns, std::move(bodies));
        TRY(file_.write(frame.position, as_bytes(whole.meta)));
        TRY(file_.write(frame.position + whole.meta.size(), as_bytes(whole.bodies)));
        result_.position_end = frame.position_end();
    }
    TRY(file_.truncate(result_.position_end));
    result_.filled_end = result_.position_end;
    return file_.sync_blocking();
}

}  // namespace

Result<FramedReplay> replay_framed_file(io::File& file, const FramedFile::Replay& replay) {
    return Replayer(file, replay).run();
}

}  // namespace bascule::log
