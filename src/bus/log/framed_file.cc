#include "bus/log/framed_file.h"

#include <optional>
#include <utility>

#include "bus/log/entry_buffer.h"
#include "bus/log/frame.h"
#include "bus/log/framed_replay.h"
#include "bus/log/segment_draft.h"
#include "foundation/base/check.h"
#include "foundation/base/random.h"

namespace bascule::log {

namespace {

using Waiters = std::vector<io::Completion<>>;

/// Zeros are filled ahead of syncs smaller than this.
constexpr std::uint64_t small_sync_bytes = 64 << 10;

void complete(Waiters waiters, const Result<>& outcome) {
    for (auto& done : waiters) {
        done(outcome);
    }
}

void move_to_front(Waiters first, Waiters& all) {
    all.insert(all.begin(), std::make_move_iterator(first.begin()),
               std::make_move_iterator(first.end()));
}

/// A generation of the file: what is written and where it ends.
struct Generation {
    std::unique_ptr<io::File> file;
    std::uint64_t file_id = 0;
    std::uint64_t position = 0;    ///< behind the last frame
    std::uint64_t filled_end = 0;  ///< zeros up to here
    std::uint64_t entries = 0;     ///< durable
    std::uint64_t written = 0;     ///< with those that no sync covered yet

    Result<> write(const EncodedFrame& frame) {
        TRY(file->write(position, as_bytes(frame.meta)));
        if (!frame.bodies.empty()) {
            TRY(file->write(position + frame.meta.size(), as_bytes(frame.bodies)));
        }
        position += frame.header.total_bytes();
        return {};
    }

    Result<> write(const EntryBuffer& buffer) {
        std::uint64_t first = written;
        for (const EntryBuffer::Frame& frame : buffer.frames()) {
            TRY(write(encode_entries({.file_id = file_id, .first = first, .durable = entries},
                                     frame.sizes, frame.bodies)));
            first += frame.sizes.size();
        }
        written = first;
        return {};
    }

    FrameHeader header(FrameKind kind) const {
        return {.kind = kind, .file_id = file_id, .first = entries, .durable = entries};
    }
};

/// A whole new generation, beside the old one and not yet synced. It ends with a mark, which is
/// true once the file has its name.
Result<Generation> draft_generation(io::Disk& disk, const std::string& path, std::uint64_t file_id,
                                    const EntryBuffer& snapshot) {
    Generation draft {
        .file = TRY(disk.open(path, io::OpenMode::create))
        , .file_id = file_id
    };
    TRY(draft.file->truncate(0));
    TRY(draft.write(encode_head(draft.header(FrameKind::head), {})));
    TRY(draft.write(snapshot));
    draft.entries = draft.written = snapshot.entries();
    TRY(draft.write(encode_frame(draft.header(FrameKind::mark), {}, {})));
    draft.filled_end = draft.position;
    return draft;
}

}  // namespace

class FramedFile::Core : public std::enable_shared_from_this<FramedFile::Core> {
  public:
    Core(io::Disk& disk, io::Strand& strand, std::string path, const Options& options,
         Random random)
        : disk_(disk),
          strand_(strand),
          path_(std::move(path)),
          options_(options),
          random_(random) {}

    Result<> open(const Replay& replay);
    const std::string& damage() const { return damage_; }
    void append(std::string_view entry) { buffered_.add(entry); }
    void sync(io::Completion<> done);
    void rewrite(const std::vector<std::string>& snapshot, io::Completion<> done);
    void abandon();
    bool flush();
    std::uint64_t size() const { return current_.position + buffered_.bytes(); }
    std::uint64_t entries() const { return current_.written + buffered_.entries(); }

  private:
    struct Rewrite {
        EntryBuffer snapshot;
        EntryBuffer superseded;  ///< what was buffered when it was asked for
        Waiters waiters;         ///< who waits for just that
        io::Completion<> done;
    };

    std::string draft_path() const { return path_ + ".new"; }
    Result<> create();
    Result<> put_in_place();
    Result<> sync_folder();
    void start();
    Result<> put_down_buffered();
    void write_buffered();
    void fill_ahead(std::uint64_t bytes);
    void written(const Result<>& synced);
    void begin_rewrite();
    void rewritten(Generation draft, const Result<>& synced);
    void rewrite_failed(const Error& error);
    void spend(const Error& error);

    io::Disk& disk_;
    io::Strand& strand_;
    const std::string path_;
    const Options options_;
    Random random_;
    Generation current_;
    std::string damage_;
    std::optional<Error> spent_;

    bool busy_ = false;  ///< one write or rewrite at a time
    EntryBuffer buffered_;
    Waiters waiters_;                   ///< for `buffered_`
    Waiters writing_waiters_;           ///< for the sync under way
    std::uint64_t syncing_end_ = 0;     ///< entries that it covers
    std::unique_ptr<Rewrite> rewrite_;  ///< asked for or under way
};

// --- opening -------------------------------------------------------------------------------------

Result<> FramedFile::Core::open(const Replay& replay) {
    if (TRY(disk_.exists(draft_path()))) {
        TRY(disk_.remove(draft_path()));  // a rewrite that did not come to its end
    }
    if (!TRY(disk_.exists(path_))) {
        return create();
    }
    TRY(sync_folder());  // whoever put it there may have failed to
    current_.file = TRY(disk_.open(path_, io::OpenMode::write));
    auto replayed = replay_framed_file(*current_.file, replay);
    if (!replayed) {
        return std::unexpected(std::move(replayed.error()).in(path_));
    }
    current_.file_id = replayed->file_id;
    current_.position = replayed->position_end;
    current_.filled_end = replayed->filled_end;
    current_.entries = current_.written = replayed->entries;
    damage_ = replayed->damage.empty() ? "" : path_ + ": " + replayed->damage;
    return {};
}

Result<> FramedFile::Core::create() {
    current_ = TRY(draft_generation(disk_, draft_path(), random_.next() | 1, {}));
    TRY(current_.file->sync_blocking());
    return put_in_place();
}

Result<> FramedFile::Core::put_in_place() {
    TRY(disk_.rename(draft_path(), path_));
    return sync_folder();
}

Result<> FramedFile::Core::sync_folder() {
    const std::size_t slash = path_.find_last_of('/');
    return disk_.sync_directory(slash == std::string::npos ? "." : path_.substr(0, slash));
}

// --- appending -----------------------------------------------------------------------------------

void FramedFile::Core::sync(io::Completion<> done) {
    waiters_.push_back(std::move(done));
    start();
}

/// Begins the next thing to do unless one is under way.
void FramedFile::Core::start() {
    if (busy_) {
        return;
    }
    if (spent_) {
        complete(std::exchange(waiters_, {}), std::unexpected(*spent_));
    } else if (rewrite_) {
        begin_rewrite();
    } else if (!waiters_.empty() && !damage_.empty()) {
        complete(std::exchange(waiters_, {}), fail(ErrorKind::corrupt, damage_));
    } else if (!waiters_.empty()) {
        write_buffered();
    }
}

/// Hands what is buffered to the operating system; a full disk leaves it buffered.
Result<> FramedFile::Core::put_down_buffered() {
    if (buffered_.empty()) {
        return {};
    }
    const std::uint64_t before = current_.position;
    if (auto wrote = current_.write(buffered_); !wrote) {
        current_.position = before;
        (void)current_.file->truncate(current_.filled_end);
        return wrote;
    }
    buffered_ = {};
    fill_ahead(current_.position - before);
    return {};
}

bool FramedFile::Core::flush() {
    // While a rewrite is on, what is appended belongs to the generation to come.
    if (spent_ || rewrite_ || !damage_.empty()) {
        return buffered_.empty();
    }
    if (const auto put = put_down_buffered(); !put && put.error().kind() != ErrorKind::exhausted) {
        spend(put.error());
    }
    return buffered_.empty();
}

void FramedFile::Core::write_buffered() {
    writing_waiters_ = std::exchange(waiters_, {});
    if (const auto put = put_down_buffered(); !put) {
        if (put.error().kind() != ErrorKind::exhausted) {
            spend(put.error());
        } else {
            complete(std::exchange(writing_waiters_, {}), put);
        }
        return;
    }
    if (current_.written == current_.entries) {
        complete(std::exchange(writing_waiters_, {}), {});
        return;
    }
    syncing_end_ = current_.written;
    busy_ = true;
    current_.file->sync([self = shared_from_this()](Result<> synced) {
        self->strand_.post([self, synced = std::move(synced)] { self->written(synced); });
    });
}

/// Small syncs overwrite zeros, which is faster than growing the file.
void FramedFile::Core::fill_ahead(std::uint64_t bytes) {
    current_.filled_end = std::max(current_.filled_end, current_.position);
    if (bytes >= small_sync_bytes ||
        current_.filled_end - current_.position >= options_.fill_bytes / 2) {
        return;
    }
    if (write_zeros(*current_.file, current_.filled_end, options_.fill_bytes)) {
        current_.filled_end += options_.fill_bytes;
    } else {
        (void)current_.file->truncate(current_.filled_end);
    }
}

void FramedFile::Core::written(const Result<>& synced) {
    busy_ = false;
    if (!synced) {
        spend(synced.error());
        return;
    }
    current_.entries = syncing_end_;
    complete(std::exchange(writing_waiters_, {}), {});
    start();
}

// --- rewriting -----------------------------------------------------------------------------------

void FramedFile::Core::rewrite(const std::vector<std::string>& snapshot, io::Completion<> done) {
    if (rewrite_) {
        done(fail(ErrorKind::conflict, path_ + ": another rewrite is under way"));
        return;
    }
    rewrite_ = std::make_unique<Rewrite>(Rewrite{.superseded = std::exchange(buffered_, {}),
                                                 .waiters = std::exchange(waiters_, {}),
                                                 .done = std::move(done)});
    for (const std::string& entry : snapshot) {
        rewrite_->snapshot.add(entry);
    }
    start();
    // Not if it has failed by itself and only what went on after it spent the file.
    if (spent_ && rewrite_) {
        rewrite_failed(Error(*spent_));
    }
}

void FramedFile::Core::begin_rewrite() {
    auto draft = draft_generation(disk_, draft_path(), random_.next() | 1, rewrite_->snapshot);
    if (!draft) {
        rewrite_failed(draft.error());
        return;
    }
    busy_ = true;
    io::File& file = *draft->file;
    file.sync([self = shared_from_this(), draft = std::move(*draft)](Result<> ok) mutable {
        self->strand_.post([self, draft = std::move(draft), ok = std::move(ok)]() mutable {
            self->rewritten(std::move(draft), ok);
        });
    });
}

void FramedFile::Core::rewritten(Generation draft, const Result<>& synced) {
    busy_ = false;
    if (!synced) {
        rewrite_failed(synced.error());
        return;
    }
    if (const auto placed = put_in_place(); !placed) {
        spend(placed.error());  // which generation a crash would leave is not known
        return;
    }
    current_ = std::move(draft);
    damage_.clear();
    const std::unique_ptr<Rewrite> ended = std::move(rewrite_);
    complete(std::move(ended->waiters), {});
    ended->done({});
    start();
}

/// The old generation stands, and what the snapshot would have made superfluous is needed again.
void FramedFile::Core::rewrite_failed(const Error& error) {
    (void)disk_.remove(draft_path());
    const std::unique_ptr<Rewrite> failed = std::move(rewrite_);
    buffered_.prepend(std::move(failed->superseded));
    move_to_front(std::move(failed->waiters), waiters_);
    failed->done(std::unexpected(error));
    start();
}

// --- ends ----------------------------------------------------------------------------------------

void FramedFile::Core::spend(const Error& error) {
    spent_ = Error(ErrorKind::io, path_ + " must be reopened: " + error.message());
    complete(std::exchange(writing_waiters_, {}), std::unexpected(*spent_));
    complete(std::exchange(waiters_, {}), std::unexpected(*spent_));
    if (rewrite_) {
        rewrite_failed(*spent_);
    }
}

void FramedFile::Core::abandon() {
    const auto closed = fail(ErrorKind::unavailable, path_ + " is closed");
    complete(std::exchange(waiters_, {}), closed);
    if (rewrite_ && !busy_) {
        rewrite_failed(closed.error());
    }
}

// --- the handle ----------------------------------------------------------------------------------

Result<std::unique_ptr<FramedFile>> FramedFile::open(io::Disk& disk, io::Strand& strand,
                                                     std::string path, const Options& options,
                                                     const Replay& replay) {
    auto core =
        std::make_shared<Core>(disk, strand, std::move(path), options,
                               options.seed == 0 ? Random::from_entropy() : Random(options.seed));
    TRY(core->open(replay));
    return std::unique_ptr<FramedFile>(new FramedFile(std::move(core)));
}

FramedFile::FramedFile(std::shared_ptr<Core> core) : core_(std::move(core)) {}
FramedFile::~FramedFile() { core_->abandon(); }

const std::string& FramedFile::damage() const { return core_->damage(); }

void FramedFile::append(Entry entry) {
    CHECK(entry.size() <= entry_bytes_max);
    core_->append(as_text(entry));
}

bool FramedFile::flush() { return core_->flush(); }
void FramedFile::sync(io::Completion<> done) { core_->sync(std::move(done)); }

void FramedFile::rewrite(const std::vector<std::string>& snapshot, io::Completion<> done) {
    core_->rewrite(snapshot, std::move(done));
}

std::uint64_t FramedFile::size() const { return core_->size(); }
std::uint64_t FramedFile::entries() const { return core_->entries(); }

}  // namespace bascule::log
