#pragma once

#include <memory>
#include <string>

#include "foundation/base/result.h"
#include "foundation/io/disk.h"

namespace bascule {

/// The folder that one server works in, taken before anything in it is opened.
///
/// Two locks are held until destruction: one on the file LOCK, which names the holder, and one on
/// the folder itself, which nobody can remove from under a running server as they can LOCK.
class DataDirectory {
  public:
    /// Makes the folder where there is none, and marks a new one with its version.
    ///
    /// A first start makes VERSION, bascule.db, audit.db and the log in this order, each durable
    /// before the next. So one that is missing, or empty, beside a later one was lost; to go on
    /// without it would be to begin anew in silence, beside events that tell of something else.
    /// Errors: `conflict` when another server has it or another version wrote it; `corrupt` when
    /// something was lost, naming it and what to do; `io`.
    static Result<std::unique_ptr<DataDirectory>> take(io::Disk& disk, const std::string& path);
    DataDirectory(const DataDirectory&) = delete;
    DataDirectory& operator=(const DataDirectory&) = delete;

    bool is_new() const { return is_new_; }

  private:
    DataDirectory() = default;
    Result<> lock(io::Disk& disk, const std::string& path);

    std::unique_ptr<io::FileLock> folder_;  ///< none where the file system locks no folders
    std::unique_ptr<io::FileLock> file_;
    bool is_new_ = false;
};

}  // namespace bascule
