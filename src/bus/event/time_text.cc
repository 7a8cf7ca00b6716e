#include "bus/event/time_text.h"

#include <algorithm>
#include <cstdio>

namespace bascule::event {

namespace {

/// Takes fixed-width pieces from the front of a text; after the first that does not fit, none fits.
class Pieces {
  public:
    explicit Pieces(std::string_view text) : rest_(text) {}

    int number(std::size_t width) {
        int value = 0;
        good_ = good_ && rest_.size() >= width;
        for (std::size_t i = 0; good_ && i < width; ++i) {
            good_ = rest_[i] >= '0' && rest_[i] <= '9';
            value = value * 10 + (rest_[i] - '0');
        }
        drop(width);
        return value;
    }

    void literal(char wanted) {
        good_ = good_ && !rest_.empty() && rest_.front() == wanted;
        drop(1);
    }

    bool next_is(char c) const { return good_ && !rest_.empty() && rest_.front() == c; }

    /// Digits after the point, as milliseconds.
    int fraction_ms() {
        int ms = 0;
        int scale = 100;
        good_ = good_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
        while (good_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
            ms += (rest_.front() - '0') * scale;
            scale /= 10;
            drop(1);
        }
        return ms;
    }

    bool is_used_up() const { return good_ && rest_.empty(); }

  private:
    void drop(std::size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }

    std::string_view rest_;
    bool good_ = true;
};

}  // namespace

std::string to_iso_seconds(WallTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(seconds - day);
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text;
}

std::optional<WallTime> from_iso(std::string_view text) {
    Pieces pieces(text);
    const int year = pieces.number(4);
    pieces.literal('-');
    const int month = pieces.number(2);
    pieces.literal('-');
    const int day = pieces.number(2);
    pieces.literal('T');
    const int hour = pieces.number(2);
    pieces.literal(':');
    const int minute = pieces.number(2);
    pieces.literal(':');
    const int second = pieces.number(2);
    int ms = 0;
    if (pieces.next_is('.')) {
        pieces.literal('.');
        ms = pieces.fraction_ms();
    }
    std::chrono::minutes offset{0};
    if (pieces.next_is('+') || pieces.next_is('-')) {
        const bool west = pieces.next_is('-');
        pieces.literal(west ? '-' : '+');
        offset = std::chrono::hours(pieces.number(2));
        pieces.literal(':');
        offset += std::chrono::minutes(pieces.number(2));
        offset = west ? -offset : offset;
    } else {
        pieces.literal('Z');
    }
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!pieces.is_used_up() || !date.ok() || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second) + std::chrono::milliseconds(ms) - offset;
}

}  // namespace bascule::event
