#include "sim/disk_world.h"

#include <algorithm>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/base/hash.h"

namespace bascule::sim {

namespace {

std::string without_slash(const std::string& directory) {
    return directory.size() > 1 && directory.ends_with('/')
               ? directory.substr(0, directory.size() - 1)
               : directory;
}

std::unexpected<Error> failed(std::string_view verb, const std::string& path, ErrorKind kind) {
    const char* reason = kind == ErrorKind::exhausted ? "No space left on device"
                         : kind == ErrorKind::io      ? "Input/output error"
                                                      : "failed as the test asked";
    return fail(kind, std::string(verb) + " " + path + ": " + reason);
}

std::unexpected<Error> missing(std::string_view verb, const std::string& path) {
    return fail(ErrorKind::not_found,
                std::string(verb) + " " + path + ": No such file or directory");
}

}  // namespace

// --- files ---------------------------------------------------------------------------------------

Result<DiskWorld::Handle> DiskWorld::open(const std::string& path, io::OpenMode mode) {
    TRY(operation("open", path));
    TRY(folder_exists(io::parent_directory(path)));
    if (folders_.contains(path)) {
        return fail(ErrorKind::io, "open " + path + ": Is a directory");
    }
    auto found = files_.find(path);
    if (found != files_.end() && mode == io::OpenMode::create_new) {
        return fail(ErrorKind::conflict, "open " + path + ": File exists");
    }
    if (found == files_.end()) {
        if (mode == io::OpenMode::read || mode == io::OpenMode::write) {
            return missing("open", path);
        }
        change_name({.to = path, .content = std::make_shared<FileContent>()});
        found = files_.find(path);
    }
    return Handle{path, found->second, boot_, mode != io::OpenMode::read};
}

Result<std::size_t> DiskWorld::read(const Handle& file, std::uint64_t offset,
                                    std::span<std::byte> into) {
    TRY(alive(file));
    TRY(operation("read", file.path));
    const std::string& bytes = file.content->visible();
    if (offset >= bytes.size()) {
        return std::size_t{0};
    }
    const std::size_t count = std::min<std::size_t>(into.size(), bytes.size() - offset);
    const auto source = as_bytes(std::string_view(bytes).substr(offset, count));
    std::copy(source.begin(), source.end(), into.begin());
    if (count > 0 && read_flip_chance_ > 0 && random_.chance() < read_flip_chance_) {
        into[random_.below(count)] ^= std::byte{1} << random_.below(8);
    }
    return count;
}

Result<> DiskWorld::write(const Handle& file, std::uint64_t offset,
                          std::span<const std::byte> bytes) {
    TRY(changeable(file));
    if (const auto failure = count_operation()) {
        file.content->write(offset, bytes.first(random_.below(bytes.size() + 1)));
        return failed("write", file.path, *failure);
    }
    const std::uint64_t size = file.content->visible().size();
    const std::uint64_t end = offset + bytes.size();
    if (end > size && end - size > free_bytes()) {
        const std::uint64_t end_possible = size + free_bytes();
        if (end_possible > offset) {
            file.content->write(offset, bytes.first(end_possible - offset));
        }
        ++failures_happened_;
        return failed("write", file.path, ErrorKind::exhausted);
    }
    if (!bytes.empty()) {
        file.content->write(offset, bytes);
    }
    return {};
}

Result<> DiskWorld::truncate(const Handle& file, std::uint64_t size) {
    TRY(changeable(file));
    TRY(operation("truncate", file.path));
    const std::uint64_t present = file.content->visible().size();
    if (size > present && size - present > free_bytes()) {
        ++failures_happened_;
        return failed("truncate", file.path, ErrorKind::exhausted);
    }
    file.content->truncate(size);
    return {};
}

Result<std::uint64_t> DiskWorld::size(const Handle& file) const {
    TRY(alive(file));
    return std::uint64_t{file.content->visible().size()};
}

DiskWorld::Sync DiskWorld::begin_sync(const Handle& file) {
    Sync sync{.mark = file.content->mark(), .latency = options_.sync_latency_min};
    const auto spread = (options_.sync_latency_max - options_.sync_latency_min).count();
    if (spread > 0) {
        sync.latency += std::chrono::nanoseconds(random_.below(static_cast<std::uint64_t>(spread)));
    }
    sync.failure = count_operation();
    ++syncs_;
    if (const auto found = sync_failures_.find(syncs_); found != sync_failures_.end()) {
        sync.failure = found->second;
        sync_failures_.erase(found);
        ++failures_happened_;
    }
    return sync;
}

Result<> DiskWorld::end_sync(Handle& file, const Sync& sync) {
    TRY(changeable(file));
    if (sync.failure) {
        file.content->lose(sync.mark, random_);
        file.sync_failed = true;
        return failed("sync", file.path, *sync.failure);
    }
    if (!options_.ignores_syncs) {
        file.content->settle(sync.mark);
    }
    return {};
}

// --- names ---------------------------------------------------------------------------------------

Result<> DiskWorld::remove(const std::string& path) {
    TRY(operation("remove", path));
    if (files_.contains(path)) {
        change_name({.from = path});
        return {};
    }
    if (!folders_.contains(path)) {
        return missing("remove", path);
    }
    const auto inside = [&](const std::string& name) { return name.starts_with(path + "/"); };
    if (std::ranges::any_of(files_, inside, &Names::value_type::first) ||
        std::ranges::any_of(folders_, inside)) {
        return fail(ErrorKind::conflict, "remove " + path + ": Directory not empty");
    }
    folders_.erase(path);
    return {};
}

Result<> DiskWorld::rename(const std::string& from, const std::string& to) {
    TRY(operation("rename", from + " to " + to));
    TRY(folder_exists(io::parent_directory(to)));
    if (folders_.contains(from) || folders_.contains(to)) {
        return fail(ErrorKind::invalid,
                    "rename " + from + " to " + to + ": the simulated disk renames files only");
    }
    const auto found = files_.find(from);
    if (found == files_.end()) {
        return missing("rename", from + " to " + to);
    }
    if (from != to) {
        change_name({.from = from, .to = to, .content = found->second});
    }
    return {};
}

bool DiskWorld::exists(const std::string& path) const {
    return files_.contains(path) || folders_.contains(without_slash(path));
}

Result<std::vector<std::string>> DiskWorld::list(const std::string& directory) {
    TRY(operation("list", directory));
    TRY(folder_exists(directory));
    std::vector<std::string> names;
    const auto add = [&](const std::string& path) {
        if (path != "." && path != "/" && io::parent_directory(path) == without_slash(directory)) {
            names.push_back(path.substr(path.find_last_of('/') + 1));
        }
    };
    std::ranges::for_each(files_, add, &Names::value_type::first);
    std::ranges::for_each(folders_, add);
    std::ranges::sort(names);
    return names;
}

Result<> DiskWorld::make_directories(const std::string& directory) {
    TRY(operation("create folder", directory));
    std::string folder = without_slash(directory);
    for (; !folders_.contains(folder); folder = io::parent_directory(folder)) {
        if (files_.contains(folder)) {
            return fail(ErrorKind::conflict, "create folder " + directory + ": File exists");
        }
        folders_.insert(folder);
    }
    return {};
}

Result<> DiskWorld::sync_directory(const std::string& directory) {
    TRY(operation("sync folder", directory));
    TRY(folder_exists(directory));
    std::vector<NameChange> others;
    for (NameChange& change : name_changes_) {
        if (change.folders().contains(without_slash(directory))) {
            change.apply(durable_files_);
        } else {
            others.push_back(std::move(change));
        }
    }
    name_changes_ = std::move(others);
    return {};
}

std::uint64_t DiskWorld::free_bytes() const {
    const std::uint64_t used = used_bytes();
    return options_.capacity_bytes - std::min(options_.capacity_bytes, used);
}

Result<std::uint64_t> DiskWorld::lock(const std::string& path) {
    const Handle file = TRY(open(path, io::OpenMode::create));
    if (!locked_.insert(path).second) {
        return fail(ErrorKind::conflict, path + " is locked by this simulated process");
    }
    return file.boot;
}

Result<std::uint64_t> DiskWorld::lock_directory(const std::string& directory) {
    TRY(operation("lock folder", directory));
    TRY(folder_exists(directory));
    if (!locked_.insert(directory).second) {
        return fail(ErrorKind::conflict, directory + " is locked by this simulated process");
    }
    return boot_;
}

void DiskWorld::unlock(const std::string& path, std::uint64_t boot) {
    if (boot == boot_) {
        locked_.erase(path);
    }
}

// --- what goes wrong -----------------------------------------------------------------------------

void DiskWorld::crash() {
    ++boot_;
    locked_.clear();
    crash_names();
    std::set<const FileContent*> seen;
    for (const auto& [path, content] : files_) {
        if (seen.insert(content.get()).second) {
            content->crash(random_);
        }
        for (std::string folder = io::parent_directory(path); folders_.insert(folder).second;) {
            folder = io::parent_directory(folder);
        }
    }
}

/// Of each folder's changes a prefix survives; a rename between two folders needs both.
void DiskWorld::crash_names() {
    std::map<std::string, std::uint64_t> left;  // changes of that folder which still survive
    for (const NameChange& change : name_changes_) {
        for (const std::string& folder : change.folders()) {
            ++left[folder];
        }
    }
    for (auto& [folder, count] : left) {
        count = random_.below(count + 1);
    }
    for (const NameChange& change : name_changes_) {
        bool survives = true;
        for (const std::string& folder : change.folders()) {
            survives = left[folder] > 0 && survives;
            left[folder] -= std::min<std::uint64_t>(left[folder], 1);
        }
        if (survives) {
            change.apply(durable_files_);
        }
    }
    name_changes_.clear();
    files_ = durable_files_;
}

void DiskWorld::clear_failures() {
    failures_.clear();
    sync_failures_.clear();
}

void DiskWorld::flip_bit(const std::string& path, std::uint64_t byte_offset, int bit) {
    CHECK(files_.contains(path));
    files_[path]->flip_bit(byte_offset, bit);
}

std::optional<ErrorKind> DiskWorld::count_operation() {
    const auto found = failures_.find(++operations_);
    if (found == failures_.end()) {
        return std::nullopt;
    }
    const ErrorKind kind = found->second;
    failures_.erase(found);
    ++failures_happened_;
    return kind;
}

Result<> DiskWorld::operation(std::string_view verb, const std::string& path) {
    if (const auto failure = count_operation()) {
        return failed(verb, path, *failure);
    }
    return {};
}

Result<> DiskWorld::changeable(const Handle& file) const {
    TRY(alive(file));
    if (!file.writable) {
        return fail(ErrorKind::io, "write " + file.path + ": opened for reading only");
    }
    if (file.sync_failed) {
        return fail(ErrorKind::io, file.path + ": an earlier sync failed; reopen the file and " +
                                       "read back what it holds");
    }
    return {};
}

Result<> DiskWorld::alive(const Handle& file) const {
    if (file.boot != boot_) {
        return fail(ErrorKind::io, file.path + ": opened before the simulated crash");
    }
    return {};
}

Result<> DiskWorld::folder_exists(const std::string& directory) const {
    if (!folders_.contains(without_slash(directory))) {
        return missing("open folder", directory);
    }
    return {};
}

std::set<std::string> DiskWorld::NameChange::folders() const {
    std::set<std::string> both;
    for (const std::string& path : {from, to}) {
        if (!path.empty()) {
            both.insert(io::parent_directory(path));
        }
    }
    return both;
}

void DiskWorld::NameChange::apply(Names& names) const {
    names.erase(from);
    if (!to.empty()) {
        names[to] = content;
    }
}

void DiskWorld::change_name(NameChange change) {
    change.apply(files_);
    name_changes_.push_back(std::move(change));
}

std::uint64_t DiskWorld::used_bytes() const {
    std::uint64_t used = 0;
    for (const auto& [path, content] : files_) {
        used += content->visible().size();
    }
    return used;
}

std::vector<std::string> DiskWorld::paths(const std::string& prefix, SimDisk::Layer layer) const {
    std::vector<std::string> found;
    for (auto at = names(layer).lower_bound(prefix);
         at != names(layer).end() && at->first.starts_with(prefix); ++at) {
        found.push_back(at->first);
    }
    return found;
}

std::string DiskWorld::contents(const std::string& path, SimDisk::Layer layer) const {
    const auto found = names(layer).find(path);
    if (found == names(layer).end()) {
        return {};
    }
    return layer == SimDisk::Layer::visible ? found->second->visible() : found->second->durable();
}

}  // namespace bascule::sim
