#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/event/event.h"
#include "foundation/base/result.h"

namespace bascule::event {

/// One reason why an event is not accepted: a JSON pointer into the seed's form, and what is wrong
/// there:
/// `/data/transactionCount` + `must be an integer ≥ 0, is "3"`.
struct Fault {
    std::string pointer;
    std::string message;
    std::string text() const { return pointer + ": " + message; }
};

/// What happens to types that the catalogue does not have.
enum class UnknownTypes : std::uint8_t { accept, refuse };

struct Policy {
    UnknownTypes unknown_types = UnknownTypes::accept;
    std::size_t faults_max = 20;  ///< stop looking after so many
};

/// Every fault of the event: the envelope's rules (docs/reference/events.md) and, for types of the
/// catalogue, the payload's. Empty = valid. No allocation for a valid event.
std::vector<Fault> faults_of(const EventView& event, const Policy& policy = {});

/// The same as an error. Errors: `invalid`, faults joined with "; ".
Result<> validate(const EventView& event, const Policy& policy = {});
Result<> validate(const Event& event, const Policy& policy = {});

/// The payload alone: `data` as an instance of the catalogue's type; pointers begin with /data.
/// Errors: `not_found` for a type the catalogue does not have.
Result<std::vector<Fault>> faults_of_data(std::string_view event_type, std::string_view data);

}  // namespace bascule::event
