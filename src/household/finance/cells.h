#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "household/money/date.h"
#include "household/money/money.h"

namespace bascule::finance {

/// One booked row as analytics see it. An empty category is none, also where one is only suggested.
struct Entry {
    money::Date date;
    std::int64_t minor = 0;
    money::Currency currency;
    std::string account_id;
    std::string category_id;
};

struct CellKey {
    money::Month month;
    money::Currency currency;
    std::string account_id;
    std::string category_id;
    friend auto operator<=>(const CellKey&, const CellKey&) = default;
};

/// Money in and out is kept apart, so that every figure can be made of cells alone.
struct Cell {
    money::Int128 in = 0;   ///< sum of positive amounts, minor units
    money::Int128 out = 0;  ///< sum of negative amounts: zero or below
    std::int64_t in_count = 0;
    std::int64_t out_count = 0;  ///< a row of amount zero counts here

    money::Int128 net() const { return in + out; }
    std::int64_t count() const { return in_count + out_count; }
    bool is_empty() const { return in == 0 && out == 0 && in_count == 0 && out_count == 0; }
    Cell& operator+=(const Cell& other);
    friend bool operator==(const Cell&, const Cell&) = default;
};

/// A household's rows, added up by month, currency, account and category.
///
/// Adding and removing rows in any order gives what adding the remaining rows from nothing gives; a
/// row that changes is removed as it was and added as it is. Empty cells vanish.
class Cells {
  public:
    static Cells of(std::span<const Entry> entries);

    void add(const Entry& entry);
    /// The row must have been added before (checked: counts never go below zero).
    void remove(const Entry& entry);
    /// Adds a stored cell.
    void add(const CellKey& key, const Cell& cell);
    /// Forgets a month, to compute it anew.
    void drop(money::Month month);

    const std::map<CellKey, Cell>& map() const { return cells_; }
    friend bool operator==(const Cells&, const Cells&) = default;

  private:
    std::map<CellKey, Cell> cells_;
};

}  // namespace bascule::finance
