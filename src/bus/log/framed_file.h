#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/io/completion.h"
#include "foundation/io/disk.h"
#include "foundation/io/executor.h"

namespace bascule::log {

/// A file of entries that can be appended, replayed, and replaced by a snapshot: what delivery
/// journals, letters and queues stand on.
///
/// `append` only buffers; `sync` and `flush` write what is buffered as one frame, of which after a
/// crash all entries are there or none is. `rewrite` replaces everything by a snapshot in a
/// new generation of the file: after a crash either the old or the new content is there.
///
/// Threads:    one owner, the strand given to `open`: every member is called on it, completions run
///             on it. The constructor, being `open`, may run before the strand is busy.
/// Lifetime:   `disk` and the strand's executor outlive the file and its last task. The destructor
///             syncs nothing; completions still waiting are answered with `unavailable`.
/// Limits:     entry_bytes_max per entry; what is buffered is the owner's to bound, by syncing.
/// Errors:     `exhausted` (disk full): what was buffered stays buffered, sync again later. `io`:
///             the file is spent, every later sync fails; reopen. `corrupt`: see `damage`.
/// Format:     docs/format/framed_file.md (version 1), frames as in docs/format/segment.md.
class FramedFile {
  public:
    static constexpr std::uint64_t entry_bytes_max = 32 << 20;

    using Entry = std::span<const std::byte>;
    /// Sees one stored entry; an error stops the replay and becomes the error of `open`.
    using Replay = std::function<Result<>(Entry entry)>;

    struct Options {
        std::uint64_t fill_bytes = 64 << 10;  ///< zeros written ahead of small syncs; 0 = none
        std::uint64_t seed = 0;  ///< of the file's id; 0 = the operating system's entropy
    };

    /// Opens or creates the file and replays what it holds, oldest entry first; blocks. A torn tail
    /// is cut; what may not have been synced is written and synced again before this returns.
    /// Damage elsewhere is skipped and told by `damage`.
    static Result<std::unique_ptr<FramedFile>> open(io::Disk& disk, io::Strand& strand,
                                                    std::string path, const Options& options,
                                                    const Replay& replay);

    FramedFile(const FramedFile&) = delete;
    ~FramedFile();

    /// Empty if all is well. Otherwise what is missing: `sync` then fails with `corrupt` until
    /// `rewrite` put a whole state in the damaged one's place.
    const std::string& damage() const;

    /// Buffers an entry; it is durable after a later `sync` or `rewrite` has completed.
    void append(Entry entry);

    /// Hands what is buffered to the operating system without waiting for the disk: it survives the
    /// end of the process, not of the machine. What cannot be written now (a full disk) stays
    /// buffered; a worse failure spends the file, as with `sync`.
    /// Returns whether nothing is buffered any more.
    bool flush();

    /// Completes when everything appended before this call is durable. Calls made while another
    /// sync runs share the next frame.
    void sync(io::Completion<> done);

    /// Replaces the content, including what is buffered now, by `snapshot`; what is appended after
    /// this call follows it. On an error the old content and the buffer stand as before.
    void rewrite(const std::vector<std::string>& snapshot, io::Completion<> done);

    /// Bytes stored, with what is buffered: for deciding when to rewrite.
    std::uint64_t size() const;
    std::uint64_t entries() const;

  private:
    class Core;
    explicit FramedFile(std::shared_ptr<Core> core);
    std::shared_ptr<Core> core_;
};

}  // namespace bascule::log
