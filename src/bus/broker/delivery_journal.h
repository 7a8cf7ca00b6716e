#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bus/broker/routing.h"
#include "bus/log/framed_file.h"

namespace bascule::broker {

/// The delivery journal of a bus: one framed file for all its consumers, every entry with the
/// number of the consumer it is about, so that one sync serves all.
///
/// Threads: the bus's strand. Format: docs/format/delivery_journal.md.
class DeliveryJournal {
  public:
    /// Whose entries are about no consumer: the bus's own facts. Consumers are numbered from 1.
    static constexpr ConsumerNumber nobody{0};

    using Replay = std::function<Result<>(ConsumerNumber consumer, std::string_view entries)>;

    static Result<std::unique_ptr<DeliveryJournal>> open(io::Disk& disk, io::Strand& strand,
                                                         std::string path, const Replay& replay);

    /// Buffers entries of one consumer. After a crash that no sync came before, all of them are
    /// there or none is; of more than 16 MiB it may be a first part, cut between two entries.
    void append(ConsumerNumber consumer, std::string_view entries);

    /// Buffers the whole state of one consumer, as ConsumerState::encode_parts gives it. A state
    /// that does not fit into one entry, of which after a crash either all or nothing is there,
    /// makes `wants_rewrite` true instead.
    void append_state(ConsumerNumber consumer, const std::vector<std::string>& parts);

    /// Makes what was appended survive the end of the process, not yet of the machine. False if it
    /// could not (a rewrite is on, the disk is full): try again after the next sync.
    bool flush();

    /// Completes when everything appended so far is durable.
    void sync(io::Completion<> done);

    /// Whether anything is buffered that no sync was asked for yet.
    bool dirty() const { return dirty_; }

    /// Whether history outweighs what a snapshot would take, the file was found damaged, or a state
    /// was too large to be appended.
    bool wants_rewrite() const;

    /// What was damaged when it was opened, until it is rewritten; empty if all was well.
    const std::string& damage() const { return file_->damage(); }
    /// Whether it has no entry, be it that none could be read.
    bool holds_nothing() const { return file_->entries() == 0; }

    /// Begins the journal anew with one snapshot per consumer, in parts of whole entries. Each part
    /// has at most log::FramedFile::entry_bytes_max; together they have no limit.
    using Snapshots = std::map<ConsumerNumber, std::vector<std::string>>;
    void rewrite(const Snapshots& snapshots, io::Completion<> done);

  private:
    /// Below this size history is not worth a rewrite.
    static constexpr std::uint64_t rewrite_bytes_min = 4 << 20;

    std::unique_ptr<log::FramedFile> file_;
    bool dirty_ = false;
    bool rewrite_wanted_ = false;
    std::uint64_t snapshot_bytes_ = 0;
};

}  // namespace bascule::broker
