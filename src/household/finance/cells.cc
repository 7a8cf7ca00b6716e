#include "household/finance/cells.h"

#include "foundation/base/check.h"

namespace bascule::finance {

namespace {

CellKey key_of(const Entry& entry) {
    return {money::Month::of(entry.date), entry.currency, entry.account_id, entry.category_id};
}

void count(Cell& cell, std::int64_t minor, std::int64_t times) {
    (minor > 0 ? cell.in : cell.out) += money::Int128{minor} * times;
    (minor > 0 ? cell.in_count : cell.out_count) += times;
}

}  // namespace

Cell& Cell::operator+=(const Cell& other) {
    in += other.in;
    out += other.out;
    in_count += other.in_count;
    out_count += other.out_count;
    return *this;
}

Cells Cells::of(std::span<const Entry> entries) {
    Cells cells;
    for (const Entry& entry : entries) {
        cells.add(entry);
    }
    return cells;
}

void Cells::add(const Entry& entry) { count(cells_[key_of(entry)], entry.minor, 1); }

void Cells::remove(const Entry& entry) {
    const auto place = cells_.find(key_of(entry));
    CHECK(place != cells_.end());
    count(place->second, entry.minor, -1);
    CHECK(place->second.in_count >= 0 && place->second.out_count >= 0);
    if (place->second.is_empty()) {
        cells_.erase(place);
    }
}

void Cells::add(const CellKey& key, const Cell& cell) {
    if (!cell.is_empty()) {
        cells_[key] += cell;
    }
}

void Cells::drop(money::Month month) {
    std::erase_if(cells_, [&](const auto& entry) { return entry.first.month == month; });
}

}  // namespace bascule::finance
