#include "sim/file_content.h"

#include <algorithm>
#include <map>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/base/hash.h"

namespace bascule::sim {

namespace {

std::string sector_of(const std::string& image, std::uint64_t sector) {
    const std::uint64_t begin = sector * FileContent::sector_bytes;
    std::string bytes =
        begin < image.size() ? image.substr(begin, FileContent::sector_bytes) : std::string();
    bytes.resize(FileContent::sector_bytes, '\0');
    return bytes;
}

/// Keeps one of the states offered, each with equal chance, without remembering the others.
template <class T>
struct Draw {
    T kept;
    std::uint64_t offered = 1;

    void offer(T state, Random& random) {
        if (random.below(++offered) == 0) {
            kept = std::move(state);
        }
    }
};

}  // namespace

void FileContent::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    record({.offset = offset, .bytes = std::string(as_text(bytes))});
}

void FileContent::truncate(std::uint64_t size) { record({.offset = size, .truncates = true}); }

void FileContent::settle(std::uint64_t mark) {
    for (std::uint64_t at = history_begin_; at < mark; ++at) {
        apply(durable_, history_[at - history_begin_]);
    }
    forget(mark);
}

void FileContent::lose(std::uint64_t mark, Random& random) {
    durable_ = drawn(mark, random);
    forget(mark);
}

void FileContent::crash(Random& random) {
    // Losing all and keeping all are the cases that bugs hide behind; pure chance rarely makes
    // them.
    const std::uint64_t fate = random.below(4);
    if (fate == 0) {
        forget(mark());
    } else if (fate == 1) {
        settle(mark());
    } else {
        lose(mark(), random);
    }
    visible_ = durable_;
}

void FileContent::flip_bit(std::uint64_t byte_offset, int bit) {
    CHECK(byte_offset < visible_.size());
    visible_[byte_offset] = static_cast<char>(visible_[byte_offset] ^ (1 << bit));
    if (byte_offset < durable_.size()) {
        durable_[byte_offset] = static_cast<char>(durable_[byte_offset] ^ (1 << bit));
    }
}

void FileContent::apply(std::string& image, const Change& change) {
    if (change.truncates) {
        image.resize(change.offset, '\0');
        return;
    }
    image.resize(std::max<std::uint64_t>(image.size(), change.offset + change.bytes.size()), '\0');
    std::copy(change.bytes.begin(), change.bytes.end(),
              image.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void FileContent::record(Change change) {
    apply(visible_, change);
    history_.push_back(std::move(change));
}

void FileContent::forget(std::uint64_t mark) {
    while (history_begin_ < mark) {
        history_.pop_front();
        ++history_begin_;
    }
}

/// A page cache writes a sector back as it is at that moment: every state that a sector passed
/// through may be the one on the platter, whatever its neighbours and the file's size show.
std::string FileContent::drawn(std::uint64_t mark, Random& random) const {
    std::string image = durable_;
    std::map<std::uint64_t, Draw<std::string>> sectors;
    Draw<std::uint64_t> size{image.size()};

    for (std::uint64_t at = history_begin_; at < mark; ++at) {
        const Change& change = history_[at - history_begin_];
        const std::uint64_t size_before = image.size();
        apply(image, change);
        const std::uint64_t end =
            change.truncates ? size_before : change.offset + change.bytes.size();
        for (std::uint64_t sector = change.offset / sector_bytes; sector * sector_bytes < end;
             ++sector) {
            sectors.try_emplace(sector, Draw<std::string>{sector_of(durable_, sector)})
                .first->second.offer(sector_of(image, sector), random);
        }
        size.offer(image.size(), random);
    }

    std::string platter = durable_;
    platter.resize(size.kept, '\0');
    for (const auto& [sector, draw] : sectors) {
        const std::uint64_t begin = sector * sector_bytes;
        if (begin < platter.size()) {
            const std::uint64_t length = std::min(sector_bytes, platter.size() - begin);
            platter.replace(begin, length, draw.kept, 0, length);
        }
    }
    return platter;
}

}  // namespace bascule::sim
