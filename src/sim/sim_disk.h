#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "foundation/base/guarded.h"
#include "foundation/io/disk.h"
#include "foundation/io/executor.h"

namespace bascule::sim {

class DiskWorld;

/// A disk in memory that keeps its promises and not one more.
///
/// Synced bytes and synced names survive `crash`. Of everything else the seed decides: each sector
/// (512 bytes) of a file is left in any of the states it passed through since the last sync, its
/// size likewise, and of each folder's changes a prefix is kept (a rename is whole or not at all,
/// as on a journalling file system). After a failed sync the writes it covered are in that same
/// lottery and no later sync brings them back, though reads still show them until the crash.
///
/// Threads:   any, if the executor's are; completions of `sync` run on `executor`.
/// Lifetime:  `executor` outlives the disk. Files and locks may outlive a crash: they then fail.
/// Paths:     relative ones start at the root; "", "." and ".." parts are not resolved.
class SimDisk final : public io::Disk {
  public:
    struct Options {
        std::uint64_t seed = 1;
        std::uint64_t capacity_bytes = std::numeric_limits<std::uint64_t>::max();
        std::chrono::nanoseconds sync_latency_min{};
        std::chrono::nanoseconds sync_latency_max{};
        bool ignores_syncs = false;  ///< they succeed, and nothing of a file is durable by them
    };

    explicit SimDisk(io::Executor& executor) : SimDisk(executor, Options()) {}
    SimDisk(io::Executor& executor, Options options);

    Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override;
    Result<> remove(const std::string& path) override;
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<bool> exists(const std::string& path) const override;
    Result<std::vector<std::string>> list(const std::string& directory) const override;
    Result<> make_directories(const std::string& directory) override;
    Result<> sync_directory(const std::string& directory) override;
    Result<std::uint64_t> free_bytes(const std::string& directory) const override;
    Result<std::unique_ptr<io::FileLock>> lock(const std::string& path) override;
    Result<std::unique_ptr<io::FileLock>> lock_directory(const std::string& directory) override;

    /// The power goes and comes back. Open files fail with `io` from here on, locks are free, syncs
    /// under way complete with `io` (or not at all, if the test also drops the executor's tasks).
    void crash();

    /// Operations so far that may fail: open, read, write, truncate, sync, remove, rename, list,
    /// make_directories, sync_directory.
    std::uint64_t operation_count() const;

    /// Lets the n-th operation from now (1 = the next) fail with `kind`, without effect but for a
    /// write, of which a part may be there, and a sync, after which its file is as after a real
    /// one.
    void fail_operation(std::uint64_t nth, ErrorKind kind = ErrorKind::io);

    /// The same for the n-th sync of a file from now.
    void fail_sync(std::uint64_t nth, ErrorKind kind = ErrorKind::io);

    /// Forgets the failures that have not happened yet.
    void clear_failures();

    /// Each read gets one wrong bit with this chance; what is stored stays whole.
    void set_read_flip_chance(double chance);

    /// Damages what is stored: one bit, for readers and across crashes. The byte must exist.
    void flip_bit(const std::string& path, std::uint64_t byte_offset, int bit);

    void set_capacity(std::uint64_t bytes);

    // ── For whoever judges: no operations, they neither count nor fail ──

    /// Which of a disk's two truths: what readers see, or what the worst crash would leave.
    enum class Layer { visible, durable };
    /// All files of the layer whose path begins with `prefix`, by path.
    std::vector<std::string> paths(const std::string& prefix, Layer layer) const;
    /// The file's bytes; empty if the layer has no such file.
    std::string contents(const std::string& path, Layer layer) const;
    std::uint64_t used_bytes() const;
    /// Operations and syncs that failed so far, by plan or for want of room.
    std::uint64_t failure_count() const;

  private:
    io::Executor& executor_;
    std::shared_ptr<Guarded<DiskWorld>> world_;
};

}  // namespace bascule::sim
