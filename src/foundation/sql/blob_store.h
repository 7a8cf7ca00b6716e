#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/guarded.h"
#include "foundation/base/hash.h"
#include "foundation/base/result.h"
#include "foundation/io/completion.h"
#include "foundation/io/disk.h"

namespace bascule::sql {

/// Immutable bytes by their SHA-256, in a folder: DIRECTORY/ab/cdef….
///
/// Equal bytes are stored once. `put` comes before the transaction that refers to the blob; a crash
/// between the two leaves a blob that nobody refers to, never a reference to nothing.
///
/// Threads:  any.   Lifetime: `disk` outlives the store.
/// Limits:   blob_bytes_max.
class BlobStore {
  public:
    static constexpr std::uint64_t blob_bytes_max = 512ull << 20;

    /// Creates the folder where it is missing.
    static Result<BlobStore> open(io::Disk& disk, std::string directory);

    /// Completes with the digest when the bytes are durable. Errors: `exhausted`, `io`.
    /// Blocks while it hashes the bytes, and reads and compares those that are there already: a
    /// damaged blob is written anew.
    void put(std::string bytes, io::Completion<Sha256Digest> done);

    /// Errors: `not_found`; `corrupt` when the stored bytes no longer have that digest.
    Result<std::string> get(const Sha256Digest& digest) const;
    Result<bool> exists(const Sha256Digest& digest) const;
    /// Fine if it is not there. The caller knows that nothing refers to it.
    Result<> remove(const Sha256Digest& digest);

  private:
    /// Puts of one digest that are under way share one file: the first writes, the rest wait.
    using Writing = std::map<Sha256Digest, std::vector<io::Completion<Sha256Digest>>>;

    BlobStore(io::Disk& disk, std::string directory)
        : disk_(&disk), directory_(std::move(directory)) {}
    Result<bool> make_ready(const Sha256Digest& digest, std::string_view bytes);
    static void finish(Guarded<Writing>& writing, const Sha256Digest& digest,
                       const Result<>& written);
    std::string folder(const Sha256Digest& digest) const;
    std::string path(const Sha256Digest& digest) const;

    io::Disk* disk_;
    std::string directory_;
    std::shared_ptr<Guarded<Writing>> writing_ = std::make_shared<Guarded<Writing>>();
};

}  // namespace bascule::sql
