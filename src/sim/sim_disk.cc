#include "sim/sim_disk.h"

#include <utility>

#include "sim/disk_world.h"

namespace bascule::sim {

namespace {

using World = std::shared_ptr<Guarded<DiskWorld>>;

class SimFile final : public io::File {
  public:
    SimFile(World world, DiskWorld::Handle handle, io::Executor& executor)
        : world_(std::move(world)),
          handle_(std::make_shared<DiskWorld::Handle>(std::move(handle))),
          executor_(executor) {}

    Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) const override {
        return world_->with([&](DiskWorld& world) { return world.read(*handle_, offset, into); });
    }

    Result<> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
        return world_->with([&](DiskWorld& world) { return world.write(*handle_, offset, bytes); });
    }

    void sync(io::Completion<> done) override {
        const DiskWorld::Sync sync =
            world_->with([&](DiskWorld& world) { return world.begin_sync(*handle_); });
        auto end = [world = world_, handle = handle_, sync, done = std::move(done)]() mutable {
            done(world->with([&](DiskWorld& inside) { return inside.end_sync(*handle, sync); }));
        };
        if (sync.latency > 0ns) {
            executor_.post_at(executor_.clock().steady() + sync.latency, std::move(end));
        } else {
            executor_.post(std::move(end));
        }
    }

    Result<> sync_blocking() override {
        return world_->with([&](DiskWorld& world) {
            const DiskWorld::Sync sync = world.begin_sync(*handle_);
            return world.end_sync(*handle_, sync);
        });
    }

    Result<std::uint64_t> size() const override {
        return world_->with([&](const DiskWorld& world) { return world.size(*handle_); });
    }

    Result<> truncate(std::uint64_t size) override {
        return world_->with([&](DiskWorld& world) { return world.truncate(*handle_, size); });
    }

  private:
    World world_;
    std::shared_ptr<DiskWorld::Handle> handle_;  // shared with syncs under way
    io::Executor& executor_;
};

class SimLock final : public io::FileLock {
  public:
    SimLock(World world, std::string path, std::uint64_t boot)
        : world_(std::move(world)), path_(std::move(path)), boot_(boot) {}
    ~SimLock() override {
        world_->with([&](DiskWorld& world) { world.unlock(path_, boot_); });
    }

  private:
    World world_;
    std::string path_;
    std::uint64_t boot_;
};

}  // namespace

SimDisk::SimDisk(io::Executor& executor, Options options)
    : executor_(executor), world_(std::make_shared<Guarded<DiskWorld>>(options)) {}

Result<std::unique_ptr<io::File>> SimDisk::open(const std::string& path, io::OpenMode mode) {
    auto handle = TRY(world_->with([&](DiskWorld& world) { return world.open(path, mode); }));
    return std::make_unique<SimFile>(world_, std::move(handle), executor_);
}

Result<> SimDisk::remove(const std::string& path) {
    return world_->with([&](DiskWorld& world) { return world.remove(path); });
}

Result<> SimDisk::rename(const std::string& from, const std::string& to) {
    return world_->with([&](DiskWorld& world) { return world.rename(from, to); });
}

Result<bool> SimDisk::exists(const std::string& path) const {
    return world_->with([&](const DiskWorld& world) { return world.exists(path); });
}

Result<std::vector<std::string>> SimDisk::list(const std::string& directory) const {
    return world_->with([&](DiskWorld& world) { return world.list(directory); });
}

Result<> SimDisk::make_directories(const std::string& directory) {
    return world_->with([&](DiskWorld& world) { return world.make_directories(directory); });
}

Result<> SimDisk::sync_directory(const std::string& directory) {
    return world_->with([&](DiskWorld& world) { return world.sync_directory(directory); });
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string&) const {
    return world_->with([](const DiskWorld& world) { return world.free_bytes(); });
}

Result<std::unique_ptr<io::FileLock>> SimDisk::lock(const std::string& path) {
    const auto boot = TRY(world_->with([&](DiskWorld& world) { return world.lock(path); }));
    return std::make_unique<SimLock>(world_, path, boot);
}

Result<std::unique_ptr<io::FileLock>> SimDisk::lock_directory(const std::string& directory) {
    const auto boot =
        TRY(world_->with([&](DiskWorld& world) { return world.lock_directory(directory); }));
    return std::make_unique<SimLock>(world_, directory, boot);
}

void SimDisk::crash() {
    world_->with([](DiskWorld& world) { world.crash(); });
}

std::uint64_t SimDisk::operation_count() const {
    return world_->with([](const DiskWorld& world) { return world.operation_count(); });
}

void SimDisk::fail_operation(std::uint64_t nth, ErrorKind kind) {
    world_->with([&](DiskWorld& world) { world.fail_operation(nth, kind); });
}

void SimDisk::fail_sync(std::uint64_t nth, ErrorKind kind) {
    world_->with([&](DiskWorld& world) { world.fail_sync(nth, kind); });
}

void SimDisk::clear_failures() {
    world_->with([](DiskWorld& world) { world.clear_failures(); });
}

void SimDisk::set_read_flip_chance(double chance) {
    world_->with([&](DiskWorld& world) { world.set_read_flip_chance(chance); });
}

void SimDisk::flip_bit(const std::string& path, std::uint64_t byte_offset, int bit) {
    world_->with([&](DiskWorld& world) { world.flip_bit(path, byte_offset, bit); });
}

void SimDisk::set_capacity(std::uint64_t bytes) {
    world_->with([&](DiskWorld& world) { world.set_capacity(bytes); });
}

std::vector<std::string> SimDisk::paths(const std::string& prefix, Layer layer) const {
    return world_->with([&](const DiskWorld& world) { return world.paths(prefix, layer); });
}

std::string SimDisk::contents(const std::string& path, Layer layer) const {
    return world_->with([&](const DiskWorld& world) { return world.contents(path, layer); });
}

std::uint64_t SimDisk::used_bytes() const {
    return world_->with([](const DiskWorld& world) { return world.used_bytes(); });
}

std::uint64_t SimDisk::failure_count() const {
    return world_->with([](const DiskWorld& world) { return world.failure_count(); });
}

}  // namespace bascule::sim
