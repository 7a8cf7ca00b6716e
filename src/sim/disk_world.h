#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "foundation/base/random.h"
#include "sim/file_content.h"
#include "sim/sim_disk.h"

namespace bascule::sim {

/// What a SimDisk's handles share: names, contents, faults, chance. No locking of its own.
class DiskWorld {
  public:
    explicit DiskWorld(SimDisk::Options options) : options_(options), random_(options.seed) {}

    /// What a handle remembers of the boot it was made in.
    struct Handle {
        std::string path;
        std::shared_ptr<FileContent> content;
        std::uint64_t boot = 0;
        bool writable = false;
        bool sync_failed = false;
    };
    /// A sync between its call and its end.
    struct Sync {
        std::uint64_t mark = 0;
        std::chrono::nanoseconds latency{};
        std::optional<ErrorKind> failure;
    };

    Result<Handle> open(const std::string& path, io::OpenMode mode);
    Result<std::size_t> read(const Handle& file, std::uint64_t offset, std::span<std::byte> into);
    Result<> write(const Handle& file, std::uint64_t offset, std::span<const std::byte> bytes);
    Result<> truncate(const Handle& file, std::uint64_t size);
    Result<std::uint64_t> size(const Handle& file) const;
    Sync begin_sync(const Handle& file);
    Result<> end_sync(Handle& file, const Sync& sync);

    Result<> remove(const std::string& path);
    Result<> rename(const std::string& from, const std::string& to);
    bool exists(const std::string& path) const;
    Result<std::vector<std::string>> list(const std::string& directory);
    Result<> make_directories(const std::string& directory);
    Result<> sync_directory(const std::string& directory);
    std::uint64_t free_bytes() const;

    Result<std::uint64_t> lock(const std::string& path);
    Result<std::uint64_t> lock_directory(const std::string& directory);
    void unlock(const std::string& path, std::uint64_t boot);

    void crash();
    std::uint64_t operation_count() const { return operations_; }
    void fail_operation(std::uint64_t nth, ErrorKind kind) { failures_[operations_ + nth] = kind; }
    void fail_sync(std::uint64_t nth, ErrorKind kind) { sync_failures_[syncs_ + nth] = kind; }
    void clear_failures();
    void set_read_flip_chance(double chance) { read_flip_chance_ = chance; }
    void flip_bit(const std::string& path, std::uint64_t byte_offset, int bit);
    void set_capacity(std::uint64_t bytes) { options_.capacity_bytes = bytes; }

    std::vector<std::string> paths(const std::string& prefix, SimDisk::Layer layer) const;
    std::string contents(const std::string& path, SimDisk::Layer layer) const;
    std::uint64_t used_bytes() const;
    std::uint64_t failure_count() const { return failures_happened_; }

  private:
    using Names = std::map<std::string, std::shared_ptr<FileContent>>;

    /// A name made (to), taken away (from), or both at once (a rename).
    struct NameChange {
        std::string from;
        std::string to;
        std::shared_ptr<FileContent> content;

        std::set<std::string> folders() const;
        void apply(Names& names) const;
    };

    std::optional<ErrorKind> count_operation();
    Result<> operation(std::string_view verb, const std::string& path);
    Result<> changeable(const Handle& file) const;
    Result<> alive(const Handle& file) const;
    Result<> folder_exists(const std::string& directory) const;
    void change_name(NameChange change);
    void crash_names();
    const Names& names(SimDisk::Layer layer) const {
        return layer == SimDisk::Layer::visible ? files_ : durable_files_;
    }

    SimDisk::Options options_;
    Random random_;
    double read_flip_chance_ = 0;
    std::uint64_t boot_ = 1;
    std::uint64_t operations_ = 0;
    std::uint64_t syncs_ = 0;
    std::uint64_t failures_happened_ = 0;
    std::map<std::uint64_t, ErrorKind> failures_;
    std::map<std::uint64_t, ErrorKind> sync_failures_;

    Names files_;
    Names durable_files_;
    std::vector<NameChange> name_changes_;  ///< not yet durable, oldest first
    std::set<std::string> folders_ = {".", "/"};
    std::set<std::string> locked_;
};

}  // namespace bascule::sim
