#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/nearest.h"
#include "foundation/config/node.h"

namespace bascule::config {

/// Everything that is wrong with a configuration, so that one run shows all of it.
class Problems {
  public:
    void add(const Node& at, std::string_view message);
    void add(std::string message) { messages_.push_back(std::move(message)); }

    bool empty() const { return messages_.empty(); }
    const std::vector<std::string>& messages() const { return messages_; }

    /// `invalid` with one line a problem, or success.
    Result<> result() const;

  private:
    std::vector<std::string> messages_;
};

/// Which settings were read, with the value in force and where it comes from.
struct Setting {
    std::string key;
    std::string value;
    std::string origin;  ///< "default" when nobody wrote it
};
using Ledger = std::vector<Setting>;

struct Range {
    std::int64_t least;
    std::int64_t most;
};

/// Reads one section with types, limits and defaults; what was not asked for is unknown.
///
/// Every problem names file, line, field, the value and what is allowed, and goes to `problems`;
/// the getter then returns the default so that reading goes on. `finish` reports unknown keys with
/// the nearest known one. A null section reads as empty.
///
/// Units: durations "250ms", "30s", "5m", "2h", "7d"; sizes "512", "64KiB", "8MiB", "1GiB".
/// Lifetime: node, problems and ledger outlive the reader. Threads: one.
class Reader {
  public:
    Reader(const Node* section, std::string path, Problems& problems, Ledger* ledger = nullptr);

    std::string text(std::string_view key, std::string_view otherwise);
    bool flag(std::string_view key, bool otherwise);
    std::int64_t integer(std::string_view key, std::int64_t otherwise, Range allowed);
    double number(std::string_view key, double otherwise);
    std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds otherwise);
    std::uint64_t bytes(std::string_view key, std::uint64_t otherwise);
    /// One of `allowed`.
    std::string choice(std::string_view key, std::string_view otherwise,
                       std::span<const std::string_view> allowed);
    /// A list of texts; a single text counts as a list of one.
    std::vector<std::string> texts(std::string_view key);

    /// The raw value, or nullptr; counts as known.
    const Node* node(std::string_view key);
    bool has(std::string_view key) const;
    Reader section(std::string_view key);

    /// Reports every key that nobody asked for.
    void finish();

    const std::string& path() const { return path_; }

  private:
    const Node* scalar(std::string_view key);
    void record(std::string_view key, const Node* node, std::string value);

    const Node* section_;
    std::string path_;
    Problems& problems_;
    Ledger* ledger_;
    std::set<std::string, std::less<>> known_;
};

/// Parses "30s"-like text; nothing if it is not one. 0 needs no unit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);
std::optional<std::uint64_t> parse_bytes(std::string_view text);

using bascule::nearest;

}  // namespace bascule::config
