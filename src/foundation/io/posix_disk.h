#pragma once

#include "foundation/io/disk.h"
#include "foundation/io/executor.h"

namespace bascule::io {

/// The operating system's file system.
///
/// `File::sync` runs fdatasync on `sync_executor` and completes there: give it as many threads as
/// files should sync at once. After a failed fdatasync every further write and sync of that File
/// fails with `io`, since the kernel may have marked the lost pages clean.
///
/// Threads:   any. Lifetime: `sync_executor` outlives the disk and its files; a sync that waits
///            there when the executor stops is never completed.
/// Locks:     flock(2) on a file that holds the owner's process id; the file stays. A folder's lock
///            is on the folder itself and names nobody.
class PosixDisk final : public Disk {
  public:
    explicit PosixDisk(Executor& sync_executor) : sync_executor_(sync_executor) {}

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Result<> remove(const std::string& path) override;
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<bool> exists(const std::string& path) const override;
    Result<std::vector<std::string>> list(const std::string& directory) const override;
    Result<> make_directories(const std::string& directory) override;
    Result<> sync_directory(const std::string& directory) override;
    Result<std::uint64_t> free_bytes(const std::string& directory) const override;
    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
    Result<std::unique_ptr<FileLock>> lock_directory(const std::string& directory) override;

  private:
    Executor& sync_executor_;
};

}  // namespace bascule::io
