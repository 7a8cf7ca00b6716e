#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/event/event.h"
#include "foundation/json/value.h"

namespace bascule::application {

/// What an event says, for consumers. Catalogue types were validated when they were published, so a
/// member that is absent or null is simply empty here.
class Payload {
  public:
    /// Errors: `invalid` when the payload is not a JSON object.
    static Result<Payload> of(const event::EventView& event);

    std::string text(std::string_view member) const;
    std::int64_t integer(std::string_view member, std::int64_t otherwise = 0) const;
    bool boolean(std::string_view member) const;
    /// The texts of an array; others are passed over.
    std::vector<std::string> texts(std::string_view member) const;
    /// RFC 6901: `/dateRange/startDate`.
    std::string text_at(std::string_view pointer) const;
    const json::Value* find(std::string_view member) const { return value_.find(member); }

  private:
    explicit Payload(json::Value value) : value_(std::move(value)) {}
    json::Value value_;
};

}  // namespace bascule::application
