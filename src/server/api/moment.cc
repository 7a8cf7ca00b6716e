#include "server/api/moment.h"

#include <charconv>
#include <string>

#include "bus/event/time_text.h"
#include "household/money/date.h"

namespace bascule::api {

namespace {

constexpr std::int64_t time_ms_max = 253'402'300'799'999;  // the end of the year 9999

}  // namespace

Result<std::optional<Moment>> parse_moment(std::string_view text, std::string_view name) {
    using std::chrono::milliseconds;
    if (text.empty()) {
        return std::nullopt;
    }
    if (const auto date = money::Date::parse(text)) {
        const WallTime begin = from_unix_ms(date->days_since_1970() * std::int64_t{86'400'000});
        return Moment{begin, begin + milliseconds(86'400'000)};
    }
    if (const auto time = event::from_iso(text)) {
        return Moment{*time, *time + milliseconds(1)};
    }
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (error != std::errc() || end != text.data() + text.size() || ms < 0 || ms > time_ms_max) {
        return fail(ErrorKind::invalid, std::string(name) + ": is '" + std::string(text) + "'; " +
                                            std::string(moment_forms) + " is allowed");
    }
    return Moment{from_unix_ms(ms), from_unix_ms(ms + 1)};
}

}  // namespace bascule::api
