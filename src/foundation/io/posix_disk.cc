#include "foundation/io/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace bascule::io {

namespace {

std::unexpected<Error> failed(std::string_view verb, const std::string& path, int error) {
    ErrorKind kind = ErrorKind::io;
    if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
        kind = ErrorKind::exhausted;
    } else if (error == ENOENT) {
        kind = ErrorKind::not_found;
    } else if (error == EEXIST || error == ENOTEMPTY) {
        kind = ErrorKind::conflict;
    }
    return fail(kind,
                std::string(verb) + " " + path + ": " + std::generic_category().message(error));
}

/// Repeats a system call while a signal interrupts it.
template <class F>
auto uninterrupted(F&& call) {
    auto result = call();
    while (result == -1 && errno == EINTR) {
        result = call();
    }
    return result;
}

/// An open descriptor, shared with syncs under way so that closing the File cannot pull it away.
struct Descriptor {
    Descriptor(int number, std::string opened) : fd(number), path(std::move(opened)) {}
    Descriptor(const Descriptor&) = delete;
    ~Descriptor() { ::close(fd); }

    const int fd;
    const std::string path;
    std::atomic<bool> sync_failed = false;
};

Result<std::shared_ptr<Descriptor>> open_descriptor(const std::string& path, int flags) {
    const int fd = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0640); });
    if (fd == -1) {
        return failed("open", path, errno);
    }
    return std::make_shared<Descriptor>(fd, path);
}

class PosixFile final : public File {
  public:
    PosixFile(std::shared_ptr<Descriptor> file, Executor& sync_executor)
        : file_(std::move(file)), sync_executor_(sync_executor) {}

    Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) const override {
        std::size_t done = 0;
        while (done < into.size()) {
            const ssize_t got = uninterrupted([&] {
                return ::pread(file_->fd, into.data() + done, into.size() - done,
                               static_cast<off_t>(offset + done));
            });
            if (got == -1) {
                return failed("read", file_->path, errno);
            }
            if (got == 0) {
                break;
            }
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    Result<> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
        TRY(still_trusted());
        std::size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t put = uninterrupted([&] {
                return ::pwrite(file_->fd, bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(offset + done));
            });
            if (put == -1) {
                return failed("write", file_->path, errno);
            }
            done += static_cast<std::size_t>(put);
        }
        return {};
    }

    void sync(Completion<> done) override {
        sync_executor_.post(
            [file = file_, done = std::move(done)]() mutable { done(sync_now(*file)); });
    }

    Result<> sync_blocking() override { return sync_now(*file_); }

    Result<std::uint64_t> size() const override {
        struct stat status;
        if (::fstat(file_->fd, &status) == -1) {
            return failed("stat", file_->path, errno);
        }
        return static_cast<std::uint64_t>(status.st_size);
    }

    Result<> truncate(std::uint64_t size) override {
        TRY(still_trusted());
        if (uninterrupted([&] { return ::ftruncate(file_->fd, static_cast<off_t>(size)); }) == -1) {
            return failed("truncate", file_->path, errno);
        }
        return {};
    }

  private:
    static Result<> sync_now(Descriptor& file) {
        if (file.sync_failed) {
            return untrusted(file);
        }
        if (uninterrupted([&] { return ::fdatasync(file.fd); }) == -1) {
            const int error = errno;
            file.sync_failed = true;
            return failed("sync", file.path, error);
        }
        return {};
    }

    static std::unexpected<Error> untrusted(const Descriptor& file) {
        return fail(ErrorKind::io, file.path + ": an earlier sync failed; reopen the file and " +
                                       "read back what it holds");
    }

    Result<> still_trusted() const {
        if (file_->sync_failed) {
            return untrusted(*file_);
        }
        return {};
    }

    std::shared_ptr<Descriptor> file_;
    Executor& sync_executor_;
};

class PosixLock final : public FileLock {
  public:
    explicit PosixLock(std::shared_ptr<Descriptor> file) : file_(std::move(file)) {}

  private:
    std::shared_ptr<Descriptor> file_;  // closing it unlocks
};

std::string holder_of(const Descriptor& file) {
    char text[32];
    const ssize_t length = ::pread(file.fd, text, sizeof text, 0);
    const std::string_view digits(text, length > 0 ? static_cast<std::size_t>(length) : 0);
    const std::string_view pid = digits.substr(0, digits.find('\n'));
    const bool known = !pid.empty() && pid.find_first_not_of("0123456789") == pid.npos;
    return known ? "process " + std::string(pid) : "another process";
}

int open_flags(OpenMode mode) {
    switch (mode) {
        case OpenMode::read:
            return O_RDONLY;
        case OpenMode::write:
            return O_RDWR;
        case OpenMode::create:
            return O_RDWR | O_CREAT;
        case OpenMode::create_new:
            return O_RDWR | O_CREAT | O_EXCL;
    }
    return O_RDONLY;
}

}  // namespace

Result<std::unique_ptr<File>> PosixDisk::open(const std::string& path, OpenMode mode) {
    return std::make_unique<PosixFile>(TRY(open_descriptor(path, open_flags(mode))),
                                       sync_executor_);
}

Result<> PosixDisk::remove(const std::string& path) {
    if (std::remove(path.c_str()) != 0) {
        return failed("remove", path, errno);
    }
    return {};
}

Result<> PosixDisk::rename(const std::string& from, const std::string& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0) {
        return failed("rename", from + " to " + to, errno);
    }
    return {};
}

Result<bool> PosixDisk::exists(const std::string& path) const {
    struct stat status;
    if (::stat(path.c_str(), &status) == 0) {
        return true;
    }
    if (errno == ENOENT || errno == ENOTDIR) {
        return false;
    }
    return failed("stat", path, errno);
}

Result<std::vector<std::string>> PosixDisk::list(const std::string& directory) const {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(directory.c_str()), ::closedir);
    if (!folder) {
        return failed("list", directory, errno);
    }
    std::vector<std::string> names;
    for (errno = 0;; errno = 0) {
        const dirent* entry = ::readdir(folder.get());
        if (entry == nullptr) {
            break;
        }
        const std::string_view entry_name = entry->d_name;
        if (entry_name != "." && entry_name != "..") {
            names.emplace_back(entry_name);
        }
    }
    if (errno != 0) {
        return failed("list", directory, errno);
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<> PosixDisk::make_directories(const std::string& directory) {
    const std::string parent = parent_directory(directory);
    if (::mkdir(directory.c_str(), 0750) == 0) {
        return sync_directory(parent);
    }
    if (errno == ENOENT && parent != directory) {
        TRY(make_directories(parent));
        if (::mkdir(directory.c_str(), 0750) == 0) {
            return sync_directory(parent);
        }
    }
    const int error = errno;
    struct stat status;
    if (error != EEXIST || ::stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        return failed("create folder", directory, error);
    }
    // It need not be durable: whoever made it may have died before the sync. What another user
    // made, or what lies above that, is not ours to answer for.
    if (status.st_uid == ::geteuid() && parent != directory) {
        TRY(sync_directory(parent));
        return make_directories(parent);
    }
    return {};
}

Result<> PosixDisk::sync_directory(const std::string& directory) {
    const auto folder = TRY(open_descriptor(directory, O_RDONLY | O_DIRECTORY));
    if (uninterrupted([&] { return ::fsync(folder->fd); }) == -1) {
        return failed("sync folder", directory, errno);
    }
    return {};
}

Result<std::uint64_t> PosixDisk::free_bytes(const std::string& directory) const {
    struct statvfs status;
    if (uninterrupted([&] { return ::statvfs(directory.c_str(), &status); }) == -1) {
        return failed("statvfs", directory, errno);
    }
    return std::uint64_t{status.f_bavail} * status.f_frsize;
}

Result<std::unique_ptr<FileLock>> PosixDisk::lock(const std::string& path) {
    auto file = TRY(open_descriptor(path, O_RDWR | O_CREAT));
    if (uninterrupted([&] { return ::flock(file->fd, LOCK_EX | LOCK_NB); }) == -1) {
        if (errno == EWOULDBLOCK) {
            return fail(ErrorKind::conflict, path + " is locked by " + holder_of(*file));
        }
        return failed("lock", path, errno);
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file->fd, 0) == -1 ||
        ::pwrite(file->fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        return failed("write", path, errno);
    }
    return std::make_unique<PosixLock>(std::move(file));
}

Result<std::unique_ptr<FileLock>> PosixDisk::lock_directory(const std::string& directory) {
    auto folder = TRY(open_descriptor(directory, O_RDONLY | O_DIRECTORY));
    if (uninterrupted([&] { return ::flock(folder->fd, LOCK_EX | LOCK_NB); }) == -1) {
        if (errno == EWOULDBLOCK) {
            return fail(ErrorKind::conflict, directory + " is locked by another process");
        }
        return fail(ErrorKind::unavailable,
                    "lock folder " + directory + ": " + std::generic_category().message(errno));
    }
    return std::make_unique<PosixLock>(std::move(folder));
}

}  // namespace bascule::io
