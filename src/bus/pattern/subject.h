#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bascule::pattern {

/// What a pattern is held against: an event as EventBridge would show it, described in place and
/// never built.
///
/// A subject is a list of mounts. A *text* or *number* mount is one member at a path (`source`,
/// `detail.userId`), and all that stands there: what JSON that is mounted later has at the same
/// path is not seen. A *json* mount hangs a JSON text at a path (`detail`, `detail.data`; "" = the
/// top), where several may meet: their members are united. JSON is only parsed if a pattern names
/// something below its path. For a seed event:
///
///     Subject subject;
///     subject.text("source", event.source).text("detail-type",
///     event.event_type).text("detail.userId", event.user_id)
///            .number("detail.timestamp", ms).json("detail.data", event.data);
///
/// Lifetime:  everything mounted outlives the subject; paths are literals.
/// Limits:    mounts_max mounts (CHECK). JSON is valid (what is not has no members).
/// Threads:   a value; matching does not change it.
class Subject {
  public:
    static constexpr std::size_t mounts_max = 32;

    enum class Kind : std::uint8_t { text, number, json };
    struct Mount {
        std::string_view path;
        Kind kind = Kind::text;
        std::string_view content;  ///< text or JSON
        std::int64_t number = 0;
    };

    Subject& text(std::string_view path, std::string_view value);
    Subject& number(std::string_view path, std::int64_t value);
    Subject& json(std::string_view path, std::string_view value);

    /// Begin and end of the mounts, in the order they were given.
    const Mount* begin() const { return mounts_.data(); }
    const Mount* end() const { return mounts_.data() + count_; }

  private:
    Subject& mount(const Mount& mount);

    std::array<Mount, mounts_max> mounts_;
    std::size_t count_ = 0;
};

}  // namespace bascule::pattern
