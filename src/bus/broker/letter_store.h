#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bus/broker/status.h"
#include "bus/delivery/commands.h"
#include "bus/log/framed_file.h"

namespace bascule::broker {

/// The letters of a bus: what is kept of events whose retries are exhausted, with the events.
///
/// Every change is appended to one framed file; the file is rewritten when more than half of it is
/// history. Identity of a letter: consumer and offset; writing it again replaces it, so there is at
/// most one.
///
/// Threads:   one owner, the strand given to `open`.
/// Memory:    one StoredLetter each, with its event. closed_kept_max closed letters are remembered;
///            the oldest are forgotten beyond that.
/// Format:    docs/format/letters.md (version 1).
class LetterStore {
  public:
    static constexpr std::size_t closed_kept_max = 10'000;

    struct Stored {
        delivery::Letter letter;
        std::string body;  ///< the event's record body
        bool closed = false;
        delivery::LetterClosing how = delivery::LetterClosing::redriven;
        std::string closing_reason;
        WallTime closed_at{};
    };
    using Key = std::pair<std::string, Offset>;

    static Result<std::unique_ptr<LetterStore>> open(io::Disk& disk, io::Strand& strand,
                                                     std::string path);

    /// Durable after the next `sync` completed.
    void write(delivery::Letter letter, std::string body);
    void close(const std::string& consumer, const delivery::CloseLetter& closing);
    void sync(io::Completion<> done);

    const Stored* find(const std::string& consumer, Offset offset) const;
    /// In order of consumer and offset.
    const std::map<Key, Stored>& all() const { return letters_; }
    const std::string& damage() const;

  private:
    LetterStore() = default;
    Result<> replay(std::string_view entry);
    void forget_oldest_closed();
    void rewrite_if_worthwhile();

    std::map<Key, Stored> letters_;
    std::multimap<WallTime, Key> closed_;
    std::unique_ptr<log::FramedFile> file_;
};

}  // namespace bascule::broker
