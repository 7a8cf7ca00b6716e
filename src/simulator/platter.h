#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/clock.h"
#include "foundation/base/offset.h"
#include "sim/sim_disk.h"

namespace bascule::simulator {

/// What of a bus a power cut at this moment leaves at worst, read from the bytes themselves: by
/// their formats, with none of the code that reads and recovers them, and past every fault of the
/// disk. Threads: one owner. Lifetime: `disk` outlives it.
class Platter {
  public:
    Platter(const sim::SimDisk& disk, std::string directory)
        : disk_(disk), directory_(std::move(directory)) {}

    struct Record {
        Offset offset;
        bool is_event = false;
        std::uint32_t rule_version = 0;
        std::string body;
    };
    /// The records of [from, end) that are whole, in log order.
    /// Format: docs/format/segment.md.
    std::vector<Record> records(Offset from, Offset end) const;

    struct Letter {
        bool closed = false;
        std::string body;  ///< of the event
    };
    /// Format: docs/format/letters.md.
    std::optional<Letter> letter(std::string_view consumer, Offset offset) const;

    /// Whether an entry of the delivery journal holds this text.
    /// Format: docs/format/delivery_journal.md.
    bool journal_mentions(std::string_view text) const;

    /// Where a record's frame lies.
    struct Place {
        std::string path;
        std::uint64_t position = 0;
        std::uint64_t bytes = 0;
        Offset first;
        Offset end;
    };
    /// The frames of records in the log, in order.
    std::vector<Place> frames() const;

  private:
    struct Segment {
        std::string path;
        Offset first;
        Offset end;
    };
    std::vector<Segment> segments() const;

    const sim::SimDisk& disk_;
    const std::string directory_;
};

}  // namespace bascule::simulator
