#include "foundation/sql/blob_store.h"

#include <utility>

namespace bascule::sql {

Result<BlobStore> BlobStore::open(io::Disk& disk, std::string directory) {
    TRY(disk.make_directories(directory));
    return BlobStore(disk, std::move(directory));
}

std::string BlobStore::folder(const Sha256Digest& digest) const {
    return directory_ + "/" + to_hex(digest).substr(0, 2);
}

std::string BlobStore::path(const Sha256Digest& digest) const {
    const std::string hex = to_hex(digest);
    return directory_ + "/" + hex.substr(0, 2) + "/" + hex.substr(2);
}

void BlobStore::put(std::string bytes, io::Completion<Sha256Digest> done) {
    if (bytes.size() > blob_bytes_max) {
        done(fail(ErrorKind::exhausted, "the blob has " + std::to_string(bytes.size()) +
                                            " bytes; at most " + std::to_string(blob_bytes_max) +
                                            " are allowed"));
        return;
    }
    const Sha256Digest digest = sha256(bytes);
    const bool first = writing_->with([&](Writing& writing) {
        auto& waiting = writing[digest];
        waiting.push_back(std::move(done));
        return waiting.size() == 1;
    });
    if (!first) {
        return;
    }
    auto there = make_ready(digest, bytes);
    if (!there || *there) {
        finish(*writing_, digest,
               there ? Result<>() : Result<>(std::unexpected(std::move(there).error())));
        return;
    }
    io::replace_file(*disk_, path(digest), std::move(bytes),
                     [writing = writing_, digest](const Result<>& written) {
                         finish(*writing, digest, written);
                     });
}

/// True if the blob is there already, whole; otherwise its folder is. What is there may be damaged,
/// and gives way to what is uploaded now; comparing tells that sooner than hashing.
Result<bool> BlobStore::make_ready(const Sha256Digest& digest, std::string_view bytes) {
    if (TRY(disk_->exists(path(digest)))) {
        TRY(disk_->sync_directory(folder(digest)));  // whoever put it there may have failed to
        const std::string stored = TRY(io::read_file(*disk_, path(digest), blob_bytes_max));
        return stored == bytes;
    }
    if (!TRY(disk_->exists(folder(digest)))) {
        TRY(disk_->make_directories(folder(digest)));
    }
    TRY(disk_->sync_directory(directory_));
    return false;
}

void BlobStore::finish(Guarded<Writing>& writing, const Sha256Digest& digest,
                       const Result<>& written) {
    auto waiting =
        writing.with([&](Writing& all) { return std::move(all.extract(digest).mapped()); });
    for (auto& done : waiting) {
        if (written) {
            done(digest);
        } else {
            done(std::unexpected(Error(written.error()).in("blob " + to_hex(digest))));
        }
    }
}

Result<std::string> BlobStore::get(const Sha256Digest& digest) const {
    auto bytes = TRY(io::read_file(*disk_, path(digest), blob_bytes_max));
    if (sha256(bytes) != digest) {
        return fail(ErrorKind::corrupt,
                    "blob " + to_hex(digest) + ": the stored bytes have another digest");
    }
    return bytes;
}

Result<bool> BlobStore::exists(const Sha256Digest& digest) const {
    return disk_->exists(path(digest));
}

Result<> BlobStore::remove(const Sha256Digest& digest) {
    auto removed = disk_->remove(path(digest));
    if (!removed && removed.error().kind() == ErrorKind::not_found) {
        return {};
    }
    return removed;
}

}  // namespace bascule::sql
