#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "foundation/base/result.h"

namespace bascule::io {

/// Tells when one of some files was written, replaced, made or removed.
///
/// Folders are watched, not files, so that an editor which renames a new file over the old one, or
/// a file that does not exist yet, is noticed too; and the folders that those lie in, so that one
/// may be made, or be replaced, later. Several changes within 100 ms are one.
///
/// Threads:   `changed` is called on a thread of the watcher's own.
/// Lifetime:  the destructor waits for a running `changed` to return.
/// Errors:    `not_found` if neither a folder nor the one it lies in exists; `io` with the system's
///            text.
class FileWatcher {
  public:
    static Result<std::unique_ptr<FileWatcher>> create(const std::vector<std::string>& paths,
                                                       std::function<void()> changed);
    ~FileWatcher();
    FileWatcher(const FileWatcher&) = delete;

  private:
    struct State;
    explicit FileWatcher(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace bascule::io
