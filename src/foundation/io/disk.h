#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/io/completion.h"

namespace bascule::io {

/// One open file. Reads and writes go through the operating system's cache and may block for as
/// long as a disk does; `sync` never blocks.
///
/// Threads:  reads may run beside anything. Writes and syncs come from one owner at a time.
/// Errors:   `io` with the system's text; `exhausted` when the disk or quota is full (ENOSPC,
///           EDQUOT, EFBIG): the write does not count, though some of its bytes may be there.
class File {
  public:
    virtual ~File() = default;

    /// Reads up to `into.size()` bytes at `offset`; fewer only at the end of the file.
    virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) const = 0;

    /// Writes all bytes at `offset`, growing the file if needed. Durable only after `sync`.
    virtual Result<> write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;

    /// Makes every write that returned before this call durable, then completes (fdatasync).
    /// After an error nothing about unsynced writes is known and this file must not be synced
    /// again: the kernel may have dropped the pages and marked them clean.
    virtual void sync(Completion<> done) = 0;

    /// The same, returning when it is done: for opening and recovery, before anything is served.
    virtual Result<> sync_blocking() = 0;

    virtual Result<std::uint64_t> size() const = 0;
    virtual Result<> truncate(std::uint64_t size) = 0;
};

enum class OpenMode {
    read,        ///< must exist
    write,       ///< must exist; read and write
    create,      ///< created if absent; read and write
    create_new,  ///< `conflict` if it exists
};

/// Holds an exclusive lock on a file or a folder until destroyed.
class FileLock {
  public:
    virtual ~FileLock() = default;
};

/// A file system. Implementations: PosixDisk, sim::SimDisk (torn, lost and reordered writes,
/// ENOSPC, EIO). Paths are plain text with `/`; relative ones are relative to the process.
///
/// A new, renamed or removed name is durable only after `sync_directory` of its folder.
/// Errors as in File, and `not_found`, `conflict`.
class Disk {
  public:
    virtual ~Disk() = default;

    virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
    /// Removes a file or an empty folder. Open files stay usable until closed.
    virtual Result<> remove(const std::string& path) = 0;
    /// Replaces `to` in one step if it is there.
    virtual Result<> rename(const std::string& from, const std::string& to) = 0;
    virtual Result<bool> exists(const std::string& path) const = 0;

    /// Names (not paths) in a folder, sorted.
    virtual Result<std::vector<std::string>> list(const std::string& directory) const = 0;
    /// Creates the folder and its missing parents, durably; fine if it is there, and durable then
    /// too: as far up as they belong to this user.
    virtual Result<> make_directories(const std::string& directory) = 0;
    virtual Result<> sync_directory(const std::string& directory) = 0;
    virtual Result<std::uint64_t> free_bytes(const std::string& directory) const = 0;

    /// `conflict` when another process (or another lock of this one) holds it; the message names
    /// the holder's process id where it is known.
    virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
    /// The same for a folder that is there, which cannot be removed and made anew from under its
    /// holder while files are in it. `unavailable` where the file system locks no folders, as some
    /// of the network do.
    virtual Result<std::unique_ptr<FileLock>> lock_directory(const std::string& directory) = 0;
};

/// The folder that holds `path`: "." or "/" where no other is named.
std::string parent_directory(const std::string& path);

/// Reads a whole file; `exhausted` above `bytes_max`.
Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t bytes_max);

/// Replaces `path` by `bytes` so that after a crash either the old or the new content is there:
/// writes `path`.tmp, syncs it, renames it, syncs the folder. Completes when all that is done.
/// Lifetime: `disk` outlives the operation. One at a time for a path.
void replace_file(Disk& disk, const std::string& path, std::string bytes, Completion<> done);

}  // namespace bascule::io
