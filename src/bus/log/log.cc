#include "bus/log/log.h"

#include <atomic>
#include <utility>

#include "bus/log/admission.h"
#include "bus/log/recovery.h"
#include "bus/log/segment_draft.h"
#include "bus/log/writer.h"

namespace bascule::log {

namespace {

Result<> remove_if_there(io::Disk& disk, const std::string& path) {
    auto removed = disk.remove(path);
    return !removed && removed.error().kind() == ErrorKind::not_found ? Result<>()
                                                                      : std::move(removed);
}

}  // namespace

/// What stands behind the handle: the writer, and what is done beside it.
class Log::Core {
  public:
    Core(io::Disk& disk, io::Executor& executor, std::string directory,
         std::shared_ptr<Writer> writer)
        : disk_(disk),
          executor_(executor),
          directory_(std::move(directory)),
          writer_(std::move(writer)) {}

    Writer& writer() const { return *writer_; }
    ReadSide& read_side() const { return writer_->read_side(); }
    bool reserve_held() const { return reserve_held_; }

    Result<> apply_retention(Offset keep_from);
    Offset retention_end(Offset keep_from) const;
    Result<> release_reserve();
    Result<> restore_reserve();

    static std::string reserve_path(const std::string& directory) { return directory + "/reserve"; }

  private:
    /// How many segments from the front may go.
    std::size_t removable(Offset keep_from) const;

    io::Disk& disk_;
    io::Executor& executor_;
    const std::string directory_;
    std::shared_ptr<Writer> writer_;
    std::atomic<bool> reserve_held_ = false;
};

// --- retention and reserve -----------------------------------------------------------------------

Result<> Log::Core::apply_retention(Offset keep_from) {
    for (std::size_t left = removable(keep_from); left > 0; --left) {
        // The file goes first, and for good: were a later one gone and this one back after a
        // crash, it would look as if the records between them were lost.
        const std::string path = read_side().segments().front()->path;
        TRY(remove_if_there(disk_, path));
        TRY(disk_.sync_directory(directory_));
        read_side().remove_front();
        TRY(remove_if_there(disk_, index_path(path)));
    }
    return {};
}

std::size_t Log::Core::removable(Offset keep_from) const {
    const Retention& retention = writer().options().retention;
    const WallTime now = executor_.clock().wall();
    const auto segments = read_side().segments();
    Stats stats;
    read_side().count(stats);
    std::size_t count = 0;
    while (count + 1 < segments.size()) {
        const SegmentIndex& front = segments[count]->index;
        const Offset end = segments[count + 1]->index.first;
        const bool needed =
            end > keep_from || (writer().keeps_snapshots() && read_side().control_begin() < end);
        const bool too_old = retention.age > 0h && front.recorded_last < now - retention.age;
        const bool too_much = retention.bytes > 0 && stats.stored_bytes > retention.bytes;
        if (needed || !(too_old || too_much)) {
            break;
        }
        stats.stored_bytes -= front.position_end;
        ++count;
    }
    return count;
}

Offset Log::Core::retention_end(Offset keep_from) const {
    return read_side().segments()[removable(keep_from)]->index.first;
}

Result<> Log::Core::release_reserve() {
    if (!reserve_held_) {
        return {};
    }
    TRY(remove_if_there(disk_, reserve_path(directory_)));
    reserve_held_ = false;
    return disk_.sync_directory(directory_);
}

Result<> Log::Core::restore_reserve() {
    const std::uint64_t bytes = writer().options().reserve_bytes;
    const auto write = [&]() -> Result<> {
        const auto file = TRY(disk_.open(reserve_path(directory_), io::OpenMode::create));
        const std::uint64_t there = TRY(file->size());
        if (there < bytes) {
            TRY(write_zeros(*file, there, bytes - there));
            TRY(file->sync_blocking());
        }
        return {};
    };
    if (bytes == 0 || reserve_held_) {
        return {};
    }
    auto written = write();
    if (!written) {
        (void)disk_.remove(reserve_path(directory_));
    }
    reserve_held_ = bool(written);
    return written;
}

// --- the handle ----------------------------------------------------------------------------------

Result<std::unique_ptr<Log>> Log::open(io::Disk& disk, io::Executor& executor,
                                       std::string directory, Options options, Hooks hooks) {
    TRY(options.validate());
    Random random = options.seed == 0 ? Random::from_entropy() : Random(options.seed);
    auto recovered = recover(disk, directory, options, random);
    if (!recovered && recovered.error().kind() == ErrorKind::exhausted) {
        // What the tail needs to be written again, the reserve has room for.
        TRY(remove_if_there(disk, Core::reserve_path(directory)));
        recovered = recover(disk, directory, options, random);
    }
    if (!recovered) {
        return std::unexpected(std::move(recovered.error()).in("log " + directory));
    }
    auto writer = std::make_shared<Writer>(disk, executor, directory, options, std::move(hooks),
                                           random, std::move(*recovered));
    auto core = std::make_shared<Core>(disk, executor, std::move(directory), std::move(writer));
    (void)core->restore_reserve();  // `status` says if there was no room
    core->writer().look_for_room();
    return std::unique_ptr<Log>(new Log(std::move(core)));
}

Log::Log(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Log::~Log() {
    core_->writer().close([](const Result<>&) {});
}

Result<> Log::append(RecordBatch batch, Atomicity atomicity,
                     io::Completion<std::vector<AppendOutcome>> done) {
    return core_->writer().append({std::move(batch), atomicity, std::move(done)});
}

bool Log::fits(std::size_t records, std::uint64_t bytes) const {
    return frame_bytes(records, bytes) <= core_->writer().options().frame_bytes_max;
}

Offset Log::begin() const { return core_->read_side().begin(); }
Offset Log::end() const { return core_->read_side().end(); }
Offset Log::control_begin() const { return core_->read_side().control_begin(); }

Result<Batch> Log::read(Offset from, const ReadLimits& limits) const {
    return core_->read_side().read(from, limits);
}

Result<Offset> Log::offset_at(WallTime time) const { return core_->read_side().offset_at(time); }

std::optional<Offset> Log::find(const Hash128& id_hash) const {
    return core_->writer().find(id_hash);
}

std::optional<std::uint64_t> Log::highest_sequence(std::uint64_t producer) const {
    return core_->writer().highest_sequence(producer);
}

State Log::state() const { return core_->writer().health().state; }
Health Log::health() const { return core_->writer().health(); }

Status Log::status() const {
    Status status = core_->writer().status();
    status.reserve_held = core_->reserve_held();
    return status;
}

std::optional<LostRange> Log::lost_at(Offset offset) const {
    return core_->read_side().lost_at(offset);
}

Result<> Log::apply_retention(Offset keep_from) { return core_->apply_retention(keep_from); }
Offset Log::retention_end(Offset keep_from) const { return core_->retention_end(keep_from); }
Result<> Log::release_reserve() { return core_->release_reserve(); }
Result<> Log::restore_reserve() { return core_->restore_reserve(); }
void Log::close(io::Completion<> done) { core_->writer().close(std::move(done)); }

}  // namespace bascule::log
