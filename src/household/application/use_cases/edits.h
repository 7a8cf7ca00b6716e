#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/event/builders.h"
#include "foundation/base/result.h"
#include "household/money/date.h"
#include "household/money/money.h"

/// How edits of users become values: checked, normalised, and noted with old and new.
namespace bascule::application {

/// JSON texts for Change.
std::string json_text(std::string_view text);
std::string json_text(std::same_as<bool> auto truth) { return truth ? "true" : "false"; }
std::string json_text(std::integral auto number)
    requires(!std::same_as<decltype(number), bool>)
{
    return std::to_string(number);
}

/// The fields that an edit really changed, for the event that tells of it.
class Changes {
  public:
    /// Replaces `current` by `next` if it differs, and notes it under `field`.
    template <class T>
    void set(std::string field, T& current, T next) {
        if (current != next) {
            note(std::move(field), json_text(current), json_text(next));
            current = std::move(next);
        }
    }
    void note(std::string field, std::string old_value, std::string new_value) {
        changes_.push_back({std::move(field), std::move(old_value), std::move(new_value)});
    }

    bool empty() const { return changes_.empty(); }
    const std::vector<event::Change>& list() const { return changes_; }

  private:
    std::vector<event::Change> changes_;
};

/// Text as it is stored: NFC, at most `bytes_max`, without control characters other than line ends
/// and tabs. Errors: `invalid`, naming the field.
Result<std::string> clean_text(std::string_view field, std::string_view text,
                               std::size_t bytes_max);
/// The same for a name: not empty, one line, at most 200 bytes.
Result<std::string> clean_name(std::string_view field, std::string_view text);

std::unexpected<Error> invalid(std::string_view field, std::string_view what);
/// For a field that must be given. Errors: `invalid`.
Result<std::string> needed(std::string_view field, const std::optional<std::string>& value);

Result<money::Date> parse_date(std::string_view field, std::string_view text);
/// Errors: `invalid`, also for digits below the minor unit: a person means what they type, so
/// nothing of it is rounded away.
Result<money::Money> parse_amount(std::string_view field, std::string_view text,
                                  money::Currency currency);

inline constexpr std::size_t long_text_bytes_max = 4000;

}  // namespace bascule::application
