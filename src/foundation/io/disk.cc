#include "foundation/io/disk.h"

#include <utility>

#include "foundation/base/hash.h"

namespace bascule::io {

namespace {

std::span<std::byte> writable(std::string& text) {
    return std::as_writable_bytes(std::span(text.data(), text.size()));
}

}  // namespace

std::string parent_directory(const std::string& path) {
    const std::size_t slash = path.find_last_of('/');
    if (slash == path.npos) {
        return ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t bytes_max) {
    const auto file = TRY(disk.open(path, OpenMode::read));
    const std::uint64_t size = TRY(file->size());
    if (size > bytes_max) {
        return fail(ErrorKind::exhausted, path + " has " + std::to_string(size) +
                                              " bytes; at most " + std::to_string(bytes_max) +
                                              " are allowed");
    }
    std::string text(size, '\0');
    text.resize(TRY(file->read(0, writable(text))));
    return text;
}

void replace_file(Disk& disk, const std::string& path, std::string bytes, Completion<> done) {
    const std::string temporary = path + ".tmp";
    auto write = [&]() -> Result<std::unique_ptr<File>> {
        auto file = TRY(disk.open(temporary, OpenMode::create));
        TRY(file->truncate(0));
        TRY(file->write(0, as_bytes(bytes)));
        return file;
    };
    auto file = write();
    if (!file) {
        done(std::unexpected(std::move(file).error()));
        return;
    }
    auto put_in_place = [&disk, path, temporary]() -> Result<> {
        TRY(disk.rename(temporary, path));
        return disk.sync_directory(parent_directory(path));
    };
    File& opened = **file;
    opened.sync([file = std::move(*file), put_in_place = std::move(put_in_place),
                 done = std::move(done)](Result<> synced) mutable {
        file.reset();
        done(synced ? put_in_place() : std::move(synced));
    });
}

}  // namespace bascule::io
