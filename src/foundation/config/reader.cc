#include "foundation/config/reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace bascule::config {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};
constexpr std::array duration_units{Unit{"ms", 1},         Unit{"s", 1'000},
                                    Unit{"m", 60'000},     Unit{"h", 3'600'000},
                                    Unit{"d", 86'400'000}, Unit{"min", 60'000}};
constexpr std::array byte_units{Unit{"", 1},          Unit{"B", 1},
                                Unit{"KiB", 1 << 10}, Unit{"MiB", 1 << 20},
                                Unit{"GiB", 1 << 30}, Unit{"TiB", std::int64_t{1} << 40}};

/// A whole number followed by one of `units`; nothing on any other text or on overflow.
std::optional<std::int64_t> parse_quantity(std::string_view text, std::span<const Unit> units) {
    std::int64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || count < 0) {
        return std::nullopt;
    }
    const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    for (const Unit& known : units) {
        if (unit == known.name) {
            if (count > std::numeric_limits<std::int64_t>::max() / known.factor) {
                return std::nullopt;
            }
            return count * known.factor;
        }
    }
    return std::nullopt;
}

std::string list_of(std::span<const std::string_view> words) {
    std::string text;
    for (const std::string_view word : words) {
        text.append(text.empty() ? "" : ", ").append(word);
    }
    return text;
}

}  // namespace

void Problems::add(const Node& at, std::string_view message) {
    messages_.push_back(config::text(at.origin) + ": " + at.path + ": " + std::string(message));
}

Result<> Problems::result() const {
    if (messages_.empty()) {
        return {};
    }
    std::string all;
    for (const std::string& message : messages_) {
        all.append(all.empty() ? "" : "\n").append(message);
    }
    return fail(ErrorKind::invalid, std::move(all));
}

Reader::Reader(const Node* section, std::string path, Problems& problems, Ledger* ledger)
    : section_(section), path_(std::move(path)), problems_(problems), ledger_(ledger) {
    if (section_ != nullptr && section_->kind == Node::Kind::null) {
        section_ = nullptr;
    }
    if (section_ != nullptr && section_->kind != Node::Kind::map) {
        problems_.add(*section_, "must be a section of `key: value` lines");
        section_ = nullptr;
    }
}

const Node* Reader::node(std::string_view key) {
    known_.emplace(key);
    return section_ == nullptr ? nullptr : section_->find(key);
}

bool Reader::has(std::string_view key) const {
    return section_ != nullptr && section_->find(key) != nullptr;
}

void Reader::record(std::string_view key, const Node* node, std::string value) {
    if (ledger_ != nullptr) {
        ledger_->push_back(
            {.key = path_.empty() ? std::string(key) : path_ + "." + std::string(key),
             .value = std::move(value),
             .origin = node == nullptr ? "default" : config::text(node->origin)});
    }
}

const Node* Reader::scalar(std::string_view key) {
    const Node* found = node(key);
    if (found == nullptr || found->kind == Node::Kind::null) {
        return nullptr;
    }
    if (found->kind != Node::Kind::scalar) {
        problems_.add(*found, "must be a single value");
        return nullptr;
    }
    return found;
}

std::string Reader::text(std::string_view key, std::string_view otherwise) {
    const Node* found = scalar(key);
    std::string value = found == nullptr ? std::string(otherwise) : found->scalar;
    record(key, found, value);
    return value;
}

bool Reader::flag(std::string_view key, bool otherwise) {
    const Node* found = scalar(key);
    bool value = otherwise;
    if (found != nullptr) {
        const std::string& given = found->scalar;
        if (given == "true" || given == "on" || given == "yes") {
            value = true;
        } else if (given == "false" || given == "off" || given == "no") {
            value = false;
        } else {
            problems_.add(*found, "is '" + given + "'; true or false is allowed");
        }
    }
    record(key, found, value ? "true" : "false");
    return value;
}

std::int64_t Reader::integer(std::string_view key, std::int64_t otherwise, Range allowed) {
    const Node* found = scalar(key);
    std::int64_t value = otherwise;
    if (found != nullptr) {
        const std::string& given = found->scalar;
        const char* const end = given.data() + given.size();
        std::int64_t parsed = 0;
        const auto [rest, error] = std::from_chars(given.data(), end, parsed);
        if (error != std::errc() || rest != end || parsed < allowed.least ||
            parsed > allowed.most) {
            problems_.add(*found, "is '" + given + "'; a whole number from " +
                                      std::to_string(allowed.least) + " to " +
                                      std::to_string(allowed.most) + " is allowed");
        } else {
            value = parsed;
        }
    }
    record(key, found, std::to_string(value));
    return value;
}

double Reader::number(std::string_view key, double otherwise) {
    const Node* found = scalar(key);
    double value = otherwise;
    if (found != nullptr) {
        const std::string& given = found->scalar;
        const char* const end = given.data() + given.size();
        double parsed = 0;
        const auto [rest, error] = std::from_chars(given.data(), end, parsed);
        if (error != std::errc() || rest != end) {
            problems_.add(*found, "is '" + given + "'; a number is allowed");
        } else {
            value = parsed;
        }
    }
    std::string shown = std::to_string(value);
    while (shown.back() == '0') {
        shown.pop_back();
    }
    if (shown.back() == '.') {
        shown.pop_back();
    }
    record(key, found, shown);
    return value;
}

std::chrono::milliseconds Reader::duration(std::string_view key,
                                           std::chrono::milliseconds otherwise) {
    const Node* found = scalar(key);
    std::chrono::milliseconds value = otherwise;
    if (found != nullptr) {
        if (const auto parsed = parse_duration(found->scalar)) {
            value = *parsed;
        } else {
            problems_.add(*found, "is '" + found->scalar +
                                      "'; a duration such as 250ms, 30s, 5m, 2h or 7d is allowed");
        }
    }
    record(key, found, format_duration(value));
    return value;
}

std::uint64_t Reader::bytes(std::string_view key, std::uint64_t otherwise) {
    const Node* found = scalar(key);
    std::uint64_t value = otherwise;
    if (found != nullptr) {
        if (const auto parsed = parse_bytes(found->scalar)) {
            value = *parsed;
        } else {
            problems_.add(*found, "is '" + found->scalar +
                                      "'; a size such as 512, 64KiB, 8MiB or 1GiB is allowed");
        }
    }
    record(key, found, std::to_string(value));
    return value;
}

std::string Reader::choice(std::string_view key, std::string_view otherwise,
                           std::span<const std::string_view> allowed) {
    const Node* found = scalar(key);
    std::string value(otherwise);
    if (found != nullptr) {
        if (std::find(allowed.begin(), allowed.end(), found->scalar) == allowed.end()) {
            problems_.add(*found, "is '" + found->scalar + "'; allowed are " + list_of(allowed));
        } else {
            value = found->scalar;
        }
    }
    record(key, found, value);
    return value;
}

std::vector<std::string> Reader::texts(std::string_view key) {
    const Node* found = node(key);
    std::vector<std::string> values;
    if (found == nullptr || found->kind == Node::Kind::null) {
        return values;
    }
    if (found->kind == Node::Kind::scalar) {
        values.push_back(found->scalar);
    } else if (found->kind == Node::Kind::list) {
        for (const Node& item : found->items) {
            if (item.kind != Node::Kind::scalar) {
                problems_.add(item, "must be a text");
                continue;
            }
            values.push_back(item.scalar);
        }
    } else {
        problems_.add(*found, "must be a text or a list of texts");
    }
    record(key, found, to_json(*found));
    return values;
}

Reader Reader::section(std::string_view key) {
    const std::string path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
    return Reader(node(key), path, problems_, ledger_);
}

void Reader::finish() {
    if (section_ == nullptr) {
        return;
    }
    const std::vector<std::string> known(known_.begin(), known_.end());
    for (const auto& [key, value] : section_->members) {
        if (known_.contains(key)) {
            continue;
        }
        const std::string suggestion = nearest(key, known);
        std::string all;
        for (const std::string& word : known) {
            all.append(all.empty() ? "" : ", ").append(word);
        }
        problems_.add(value, suggestion.empty()
                                 ? "is not a setting; known here: " + all
                                 : "is not a setting; did you mean '" + suggestion + "'?");
    }
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    if (text == "0") {
        return std::chrono::milliseconds(0);
    }
    const auto count = parse_quantity(text, duration_units);
    return count ? std::optional(std::chrono::milliseconds(*count)) : std::nullopt;
}

std::string format_duration(std::chrono::milliseconds duration) {
    for (const Unit& unit :
         {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}}) {
        if (duration.count() != 0 && duration.count() % unit.factor == 0) {
            return std::to_string(duration.count() / unit.factor) + std::string(unit.name);
        }
    }
    return duration.count() == 0 ? "0" : std::to_string(duration.count()) + "ms";
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    const auto count = parse_quantity(text, byte_units);
    return count ? std::optional(static_cast<std::uint64_t>(*count)) : std::nullopt;
}

}  // namespace bascule::config
