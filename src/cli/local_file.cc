#include "cli/local_file.h"

#include <array>
#include <cstdio>
#include <memory>

#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"

namespace bascule::cli {

namespace {

Result<std::string> read_stream(std::FILE* stream, const std::string& name,
                                std::uint64_t bytes_max) {
    std::string text;
    std::array<char, 64 * 1024> part;
    while (const std::size_t size = std::fread(part.data(), 1, part.size(), stream)) {
        if (text.size() + size > bytes_max) {
            return fail(ErrorKind::exhausted,
                        name + " is larger than " + std::to_string(bytes_max) + " bytes");
        }
        text.append(part.data(), size);
    }
    if (std::ferror(stream) != 0) {
        return fail(ErrorKind::io, name + " cannot be read");
    }
    return text;
}

/// Pipes and the like have no size, so they cannot be read as files are.
Result<std::string> read_pipe(const std::string& path, std::uint64_t bytes_max) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(path.c_str(), "rb"),
                                                                 std::fclose);
    return stream ? read_stream(stream.get(), path, bytes_max)
                  : Result<std::string>(fail(ErrorKind::io, path + " cannot be opened"));
}

}  // namespace

Result<std::string> read_local_file(const std::string& path, std::uint64_t bytes_max) {
    if (path == "-") {
        return read_stream(stdin, "standard input", bytes_max);
    }
    io::ThreadPool pool({.name = "cli-file"});
    io::PosixDisk disk(pool);
    auto text = io::read_file(disk, path, bytes_max);
    return text && text->empty() ? read_pipe(path, bytes_max) : std::move(text);
}

std::string file_name_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace bascule::cli
