#include "household/statement/dates.h"

#include <algorithm>

#include "household/statement/text.h"

namespace bascule::statement {

namespace {

struct MonthName {
    std::string_view prefix;
    int month;
};

/// Beginnings that tell a month in six languages; longer ones first where one begins another.
/// `mar`, `jun` and the like serve several languages at once.
constexpr MonthName month_names[] = {
    {"jan", 1},  {"jän", 1},  {"ene", 1},  {"gen", 1},  {"feb", 2},  {"fév", 2},  {"fev", 2},
    {"mär", 3},  {"mar", 3},  {"mrz", 3},  {"maa", 3},  {"mrt", 3},  {"apr", 4},  {"avr", 4},
    {"abr", 4},  {"may", 5},  {"mai", 5},  {"mei", 5},  {"mag", 5},  {"juin", 6}, {"jun", 6},
    {"giu", 6},  {"juil", 7}, {"jul", 7},  {"lug", 7},  {"aug", 8},  {"aoû", 8},  {"aou", 8},
    {"ago", 8},  {"sep", 9},  {"set", 9},  {"okt", 10}, {"oct", 10}, {"ott", 10}, {"nov", 11},
    {"dez", 12}, {"dec", 12}, {"déc", 12}, {"dic", 12},
};

int month_named(std::string_view word) {
    if (word.size() < 3 || word.size() > 12) {
        return 0;
    }
    std::string lower(word);
    for (std::size_t i = 0; i < lower.size(); ++i) {
        // Capitals of Latin-1 (`É`) are C3 80 to C3 9E in UTF-8, their small letters 0x20 above.
        const bool capital =
            (lower[i] >= 'A' && lower[i] <= 'Z') ||
            (i > 0 && lower[i - 1] == '\xC3' && static_cast<unsigned char>(lower[i]) <= 0x9E);
        lower[i] = capital ? static_cast<char>(lower[i] + 0x20) : lower[i];
    }
    for (const auto& [prefix, month] : month_names) {
        if (lower.starts_with(prefix)) {
            return month;
        }
    }
    return 0;
}

/// What stands between two parts. A slash and a dash say nothing of the order; a dot does.
enum class Separator { dot, dash, slash, blank };

struct Part {
    int value = 0;
    int width = 0;  ///< digits; 0: a month's name
};

struct Parts {
    std::array<Part, 3> part;
    Separator separator = Separator::blank;
    bool month_by_name = false;
};

bool is_time(std::string_view rest) {
    rest = trimmed(rest);
    if (rest.empty()) {
        return true;
    }
    if (rest.front() == 'T' || rest.front() == 't' || rest.front() == ',' || rest.front() == '-') {
        rest = trimmed(rest.substr(1));
    }
    return !rest.empty() && is_digit(rest.front()) && std::ranges::all_of(rest, [](char c) {
        return is_digit(c) || is_letter(c) || c == ':' || c == '.' || c == '+' || c == '-' ||
               c == ' ' || c == '/' || c == '_';
    });
}

/// Takes one part off the front: up to four digits, or letters that are a month.
bool take_part(std::string_view& rest, Parts& parts, Part& part) {
    if (!rest.empty() && is_digit(rest.front())) {
        while (!rest.empty() && is_digit(rest.front()) && part.width < 5) {
            part.value = part.value * 10 + (rest.front() - '0');
            ++part.width;
            rest.remove_prefix(1);
        }
        return part.width <= 4 && part.width != 3;
    }
    std::size_t size = 0;
    while (size < rest.size() &&
           (is_letter(rest[size]) || static_cast<unsigned char>(rest[size]) >= 0xC3)) {
        size += is_letter(rest[size]) ? 1 : 2;
    }
    size = std::min(size, rest.size());
    part.value = parts.month_by_name ? 0 : month_named(rest.substr(0, size));
    parts.month_by_name = true;
    rest.remove_prefix(size);
    return part.value != 0;
}

bool take_separator(std::string_view& rest, Separator& separator) {
    const std::size_t before = rest.size();
    bool marked = false;
    while (!rest.empty()) {
        const char c = rest.front();
        if (c == '.' || c == '-' || c == '/' || c == ',' || c == '\'') {
            if (marked && c != '\'') {
                return false;
            }
            marked = true;
            separator = c == '.' ? Separator::dot : c == '-' ? Separator::dash : Separator::slash;
        } else if (c != ' ') {
            break;
        }
        rest.remove_prefix(1);
    }
    return rest.size() < before;
}

std::optional<Parts> split_parts(std::string_view cell) {
    Parts parts;
    std::string_view rest = cell;
    Separator second = Separator::blank;
    if (!take_part(rest, parts, parts.part[0]) || !take_separator(rest, parts.separator) ||
        !take_part(rest, parts, parts.part[1]) || !take_separator(rest, second) ||
        !take_part(rest, parts, parts.part[2])) {
        return std::nullopt;
    }
    if (!rest.empty() && (is_letter(rest.front()) ? rest.front() != 'T'
                                                  : rest.front() == '.' || rest.front() == '/')) {
        return std::nullopt;
    }
    return is_time(rest) ? std::optional(parts) : std::nullopt;
}

int full_year(const Part& part) {
    return part.width > 2 ? part.value : part.value + (part.value < 70 ? 2000 : 1900);
}

void offer(DateReadings& out, DateOrder order, const Part& year, int month, int day) {
    if ((year.width != 2 && year.width != 4) || month < 1 || month > 12 || day < 1) {
        return;
    }
    const int full = full_year(year);
    // Asked first, because an Error with its message would cost more than the rest of the row.
    if (full == 0 || day > money::days_in_month(full, month)) {
        return;
    }
    if (const auto date = money::Date::create(full, month, day)) {
        out.orders |= only(order);
        out.dates[static_cast<std::size_t>(order)] = *date;
    }
}

DateReadings read_parts(const Parts& parts) {
    const auto& [a, b, c] = parts.part;
    DateReadings out;
    if (parts.month_by_name) {
        const bool month_first = a.width == 0;
        if (a.width == 4) {
            offer(out, DateOrder::ymd, a, b.value, c.value);
        } else if (c.width != 0) {
            // A name leaves nothing open, so such a date fits every order.
            offer(out, DateOrder::dmy, c, month_first ? a.value : b.value,
                  month_first ? b.value : a.value);
            if (out.orders != 0) {
                out.orders = all_orders;
                out.dates.fill(out.dates[0]);
            }
        }
        return out;
    }
    if (a.width == 4) {
        offer(out, DateOrder::ymd, a, b.value, c.value);
        return out;
    }
    offer(out, DateOrder::dmy, c, b.value, a.value);
    if (parts.separator != Separator::dot) {
        offer(out, DateOrder::mdy, c, a.value, b.value);
    }
    if (c.width == 2) {
        offer(out, DateOrder::ymd, a, b.value, c.value);
    }
    return out;
}

/// `20240131`, perhaps with a time of day behind it; or `31012024`.
bool is_compact(std::string_view cell) {
    const auto digits =
        static_cast<std::size_t>(std::ranges::find_if_not(cell, is_digit) - cell.begin());
    return (digits == 8 && is_time(cell.substr(8))) ||
           ((digits == 12 || digits == 14) && digits == cell.size());
}

DateReadings read_compact(std::string_view cell) {
    const auto number = [&](std::size_t from, std::size_t size) {
        int value = 0;
        for (const char c : cell.substr(from, size)) {
            value = value * 10 + (c - '0');
        }
        return value;
    };
    const auto plausible = [](int year) { return year >= 1900 && year < 2200; };
    DateReadings out;
    if (plausible(number(0, 4))) {
        offer(out, DateOrder::ymd, {number(0, 4), 4}, number(4, 2), number(6, 2));
    }
    if (out.orders == 0 && plausible(number(4, 4))) {
        offer(out, DateOrder::dmy, {number(4, 4), 4}, number(2, 2), number(0, 2));
        offer(out, DateOrder::mdy, {number(4, 4), 4}, number(0, 2), number(2, 2));
    }
    return out;
}

constexpr DateOrders day_first_or_month_first = only(DateOrder::dmy) | only(DateOrder::mdy);

}  // namespace

DateReadings read_date(std::string_view cell) {
    cell = trimmed(cell);
    if (cell.size() < 6 || cell.size() > 40) {
        return {};
    }
    if (is_compact(cell)) {
        return read_compact(cell);
    }
    const auto parts = split_parts(cell);
    return parts ? read_parts(*parts) : DateReadings{};
}

bool is_impossible_date(std::string_view cell) {
    cell = trimmed(cell);
    const bool formed = cell.size() <= 40 && (is_compact(cell) || split_parts(cell).has_value());
    return formed && read_date(cell).orders == 0;
}

void DateOrderVote::add(const DateReadings& readings, std::string_view cell, std::uint64_t line) {
    if (readings.orders == 0) {
        return;
    }
    ++count_;
    Witness& witness = by_set_[readings.orders];
    if (witness.line == 0) {
        witness = {line, std::string(trimmed(cell))};
    }
    if (left_ != 0 && (left_ & readings.orders) == 0) {
        second_ = {line, std::string(trimmed(cell))};
        // The date that shares no order with this one; it is there, or the orders left would not be
        // empty now, save for three dates that contradict only together.
        for (std::size_t set = 1; set < by_set_.size(); ++set) {
            if (by_set_[set].line != 0 && (set & readings.orders) == 0) {
                first_ = by_set_[set];
            }
        }
    }
    left_ &= readings.orders;
    differs_dmy_mdy_ =
        differs_dmy_mdy_ || (readings.has(DateOrder::dmy) && readings.has(DateOrder::mdy) &&
                             readings.at(DateOrder::dmy) != readings.at(DateOrder::mdy));
}

/// A year of two digits in front is believed only when the two common orders are ruled out:
/// `25/12/23` is Christmas 2023, not a day of 2025.
DateOrders DateOrderVote::left() const {
    const DateOrders common = left_ & day_first_or_month_first;
    return common != 0 ? common : left_;
}

bool DateOrderVote::ambiguous() const {
    return any() && left() == day_first_or_month_first && differs_dmy_mdy_;
}

DateOrder DateOrderVote::order(DateOrders preferred) const {
    const DateOrders wanted = (left() & preferred) != 0 ? left() & preferred : left();
    for (const DateOrder order : {DateOrder::dmy, DateOrder::mdy, DateOrder::ymd}) {
        if ((wanted & only(order)) != 0) {
            return order;
        }
    }
    return DateOrder::ymd;
}

std::string DateOrderVote::evidence() const {
    if (contradicts()) {
        return first_.quote() + " and " + second_.quote() + " cannot be read in the same order";
    }
    const DateOrders open = left();
    for (std::size_t set = 1; set < by_set_.size(); ++set) {
        if (by_set_[set].line != 0 && (set & day_first_or_month_first) == open) {
            return by_set_[set].quote();
        }
    }
    for (std::size_t set = 1; set < by_set_.size(); ++set) {
        if (by_set_[set].line != 0) {
            return by_set_[set].quote() +
                   (ambiguous() ? " and all other dates fit DMY and MDY" : "");
        }
    }
    return "no dates";
}

std::string orders_text(DateOrders orders) {
    std::string text;
    for (const DateOrder order : {DateOrder::dmy, DateOrder::mdy, DateOrder::ymd}) {
        if ((orders & only(order)) != 0) {
            text += (text.empty() ? "" : " or ") + std::string(name(order));
        }
    }
    return text;
}

}  // namespace bascule::statement
