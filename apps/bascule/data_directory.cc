#include "data_directory.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "foundation/io/wait.h"

namespace bascule {

namespace {

constexpr std::string_view data_version = "1";

bool has_content(const std::string& path) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    return !error && bytes > 0;
}

bool has_segments(io::Disk& disk, const std::string& directory) {
    const auto names = disk.list(directory);
    return names && std::ranges::any_of(*names, [&](const std::string& name) {
               return name.ends_with(".seg") && has_content(directory + "/" + name);
           });
}

/// Something that a first start makes, in the order in which it makes them.
struct Piece {
    std::string name;
    bool is_there;
};

std::array<Piece, 4> pieces_of(io::Disk& disk, const std::string& data) {
    return {{{"VERSION", has_content(data + "/VERSION")},
             {"bascule.db", has_content(data + "/bascule.db")},
             {"audit.db", has_content(data + "/audit.db")},
             {"buses/1/log", has_segments(disk, data + "/buses/1/log")}}};
}

Result<> check_nothing_lost(io::Disk& disk, const std::string& data) {
    const auto pieces = pieces_of(disk, data);
    const auto last = std::find_if(pieces.rbegin(), pieces.rend(), [](const Piece& piece) {
                          return piece.is_there;
                      }).base();
    const auto lost =
        std::find_if(pieces.begin(), last, [](const Piece& piece) { return !piece.is_there; });
    if (lost == last) {
        return {};
    }
    const std::string path = data + "/" + lost->name;
    const bool is_empty = TRY(disk.exists(path));
    const std::string by_hand =
        lost->name == "VERSION"
            ? ", or, if you know that this version of Bascule wrote the rest, write " +
                  std::string(data_version) + " into it"
            : "";
    return fail(ErrorKind::corrupt, path + (is_empty ? " is empty" : " is missing") + ", but " +
                                        data + "/" + std::prev(last)->name +
                                        " is there, which is never made before it; restore it "
                                        "from a backup" +
                                        by_hand + ", or start with another data directory");
}

/// Refuses a data directory of another version; marks a new one.
Result<bool> check_version(io::Disk& disk, const std::string& data) {
    const std::string path = data + "/VERSION";
    if (has_content(path)) {
        std::string found = TRY(io::read_file(disk, path, 64));
        if (found.ends_with('\n')) {
            found.pop_back();  // an editor's, or echo's
        }
        if (found != data_version) {
            return fail(ErrorKind::conflict, data + " was written by a version " + found +
                                                 " of Bascule; this one reads version " +
                                                 std::string(data_version));
        }
        return false;
    }
    TRY(io::wait_for<>([&](auto done) {
        io::replace_file(disk, path, std::string(data_version), std::move(done));
    }));
    return true;
}

}  // namespace

Result<std::unique_ptr<DataDirectory>> DataDirectory::take(io::Disk& disk,
                                                           const std::string& path) {
    TRY(disk.make_directories(path));
    std::unique_ptr<DataDirectory> taken(new DataDirectory);
    TRY(taken->lock(disk, path));
    TRY(check_nothing_lost(disk, path));
    taken->is_new_ = TRY(check_version(disk, path));
    return taken;
}

/// The file first: who holds both is named by it. Where it was removed, only the folder is held.
Result<> DataDirectory::lock(io::Disk& disk, const std::string& path) {
    const std::string name = path + "/LOCK";
    const bool was_there = TRY(disk.exists(name));
    if (was_there) {
        auto file = disk.lock(name);
        if (!file && file.error().kind() == ErrorKind::conflict) {
            return fail(ErrorKind::conflict,
                        "another Bascule uses the data directory " + path + " (" +
                            file.error().message() +
                            "): stop that one, or give this one its own with --data DIRECTORY");
        }
        file_ = TRY(std::move(file));
    }
    auto folder = disk.lock_directory(path);
    if (folder) {
        folder_ = *std::move(folder);
    } else if (folder.error().kind() == ErrorKind::conflict) {
        return fail(ErrorKind::conflict,
                    path + " is in use by another server, though " +
                        (was_there ? "its LOCK is another file than the one that server made"
                                   : "its file LOCK was removed") +
                        "; stop that server first");
    } else if (folder.error().kind() != ErrorKind::unavailable) {
        return std::unexpected(std::move(folder).error());
    }  // else the file alone must do
    if (!was_there) {
        file_ = TRY(disk.lock(name));
    }
    return {};
}

}  // namespace bascule
