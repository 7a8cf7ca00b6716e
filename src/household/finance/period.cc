#include "household/finance/period.h"

namespace bascule::finance {

std::string_view name(PeriodKind kind) {
    switch (kind) {
        case PeriodKind::month:
            return "month";
        case PeriodKind::quarter:
            return "quarter";
        case PeriodKind::year:
            return "year";
        case PeriodKind::range:
            return "range";
        case PeriodKind::overall:
            return "overall";
    }
    return "";
}

Result<PeriodKind> parse_period_kind(std::string_view text) {
    for (const auto kind : {PeriodKind::month, PeriodKind::quarter, PeriodKind::year,
                            PeriodKind::range, PeriodKind::overall}) {
        if (text == name(kind)) {
            return kind;
        }
    }
    return fail(ErrorKind::invalid, "period is \"" + std::string(text) +
                                        "\"; month, quarter, year, range or overall is allowed");
}

std::string period_label(PeriodKind kind, money::Month month) {
    const std::string text = month.to_text();
    switch (kind) {
        case PeriodKind::month:
            return text;
        case PeriodKind::quarter:
            return text.substr(0, 4) + "-Q" + std::to_string(month.quarter());
        case PeriodKind::year:
            return text.substr(0, 4);
        default:
            return std::string(name(kind));
    }
}

RangeParts parts_of(money::DateSpan span) {
    RangeParts parts;
    if (span.last < span.first) {
        return parts;
    }
    auto first = money::Month::of(span.first);
    auto last = money::Month::of(span.last);
    const bool cut_first = span.first != first.first_day();
    const bool cut_last = span.last != last.last_day();
    if (first == last && (cut_first || cut_last)) {
        parts.edges.push_back(span);
        return parts;
    }
    if (cut_first) {
        parts.edges.push_back({span.first, first.last_day()});
        first = first.plus(1);
    }
    if (cut_last) {
        parts.edges.push_back({last.first_day(), span.last});
        last = last.plus(-1);
    }
    if (first <= last) {
        parts.first = first;
        parts.last = last;
    }
    return parts;
}

}  // namespace bascule::finance
