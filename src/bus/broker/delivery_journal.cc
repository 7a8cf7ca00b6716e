#include "bus/broker/delivery_journal.h"

#include "bus/delivery/journal.h"
#include "foundation/base/hash.h"

namespace bascule::broker {

namespace {

constexpr std::size_t number_bytes = 4;
/// One entry of the file, and so what is there whole or not at all.
constexpr std::size_t piece_bytes_max = 16 << 20;
static_assert(piece_bytes_max + number_bytes <= log::FramedFile::entry_bytes_max);

std::string tagged(ConsumerNumber consumer, std::string_view entries) {
    std::string out;
    out.reserve(number_bytes + entries.size());
    for (std::size_t i = 0; i < number_bytes; ++i) {  // little-endian
        out.push_back(static_cast<char>(consumer.value() >> (8 * i)));
    }
    return out.append(entries);
}

}  // namespace

Result<std::unique_ptr<DeliveryJournal>> DeliveryJournal::open(io::Disk& disk, io::Strand& strand,
                                                               std::string path,
                                                               const Replay& replay) {
    std::unique_ptr<DeliveryJournal> journal(new DeliveryJournal());
    journal->file_ = TRY(log::FramedFile::open(
        disk, strand, std::move(path), {}, [&](log::FramedFile::Entry entry) -> Result<> {
            const std::string_view text = as_text(entry);
            if (text.size() < number_bytes) {
                return fail(ErrorKind::corrupt, "delivery journal: an entry has no consumer");
            }
            std::uint32_t number = 0;
            for (std::size_t i = 0; i < number_bytes; ++i) {
                number |= std::uint32_t{static_cast<unsigned char>(text[i])} << (8 * i);
            }
            return replay(ConsumerNumber(number), text.substr(number_bytes));
        }));
    journal->snapshot_bytes_ = rewrite_bytes_min / 4;
    return journal;
}

void DeliveryJournal::append(ConsumerNumber consumer, std::string_view entries) {
    dirty_ = true;
    if (entries.size() <= piece_bytes_max) {
        file_->append(as_bytes(tagged(consumer, entries)));
        return;
    }
    // Hundreds of thousands of letters, redriven at once: any first part of it is a valid
    // history.
    for (const std::string_view piece : delivery::journal::pieces(entries, piece_bytes_max)) {
        file_->append(as_bytes(tagged(consumer, piece)));
    }
}

void DeliveryJournal::append_state(ConsumerNumber consumer, const std::vector<std::string>& parts) {
    std::string whole;
    for (const std::string& part : parts) {
        whole += part;
    }
    dirty_ = true;
    if (whole.size() <= piece_bytes_max) {
        file_->append(as_bytes(tagged(consumer, whole)));
    } else {
        rewrite_wanted_ = true;
    }
}

bool DeliveryJournal::flush() { return file_->flush(); }

void DeliveryJournal::sync(io::Completion<> done) {
    dirty_ = false;
    file_->sync(std::move(done));
}

bool DeliveryJournal::wants_rewrite() const {
    return rewrite_wanted_ || !file_->damage().empty() ||
           (file_->size() > rewrite_bytes_min && file_->size() > 4 * snapshot_bytes_);
}

void DeliveryJournal::rewrite(const Snapshots& snapshots, io::Completion<> done) {
    std::vector<std::string> entries;
    snapshot_bytes_ = rewrite_bytes_min / 4;
    for (const auto& [number, parts] : snapshots) {
        for (const std::string& part : parts) {
            entries.push_back(tagged(number, part));
            snapshot_bytes_ += part.size();
        }
    }
    dirty_ = rewrite_wanted_ = false;
    file_->rewrite(entries, std::move(done));
}

}  // namespace bascule::broker
