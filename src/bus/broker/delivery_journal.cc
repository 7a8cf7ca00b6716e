#include "bus/broker/delivery_journal.h"

#include "foundation/base/hash.h"

namespace bascule::broker {

namespace {

constexpr std::size_t number_bytes = 4;

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
    file_->append(as_bytes(tagged(consumer, entries)));
    dirty_ = true;
}

bool DeliveryJournal::flush() { return file_->flush(); }

void DeliveryJournal::sync(io::Completion<> done) {
    dirty_ = false;
    file_->sync(std::move(done));
}

bool DeliveryJournal::wants_rewrite() const {
    return !file_->damage().empty() ||
           (file_->size() > rewrite_bytes_min && file_->size() > 4 * snapshot_bytes_);
}

void DeliveryJournal::rewrite(const std::map<ConsumerNumber, std::string>& snapshots,
                              io::Completion<> done) {
    std::vector<std::string> entries;
    snapshot_bytes_ = rewrite_bytes_min / 4;
    for (const auto& [number, snapshot] : snapshots) {
        entries.push_back(tagged(number, snapshot));
        snapshot_bytes_ += snapshot.size();
    }
    dirty_ = false;
    file_->rewrite(std::move(entries), std::move(done));
}

}  // namespace bascule::broker
