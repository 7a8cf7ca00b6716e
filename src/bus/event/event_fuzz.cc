#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bus/event/body.h"
#include "bus/event/eventbridge_form.h"
#include "bus/event/seed_form.h"
#include "bus/event/validate.h"
#include "foundation/base/check.h"
#include "foundation/json/raw.h"

namespace {

using namespace bascule::event;

/// Whatever was read goes through a body and both forms without a loss.
void round_trip(const Event& event) {
    const std::string body = encode_body(event);
    const EventView view = decode_body(body).value();
    CHECK(encode_body(view) == body);
    CHECK(bascule::json::is_valid_object(to_eventbridge_json(view)));
    const std::string seed = to_seed_json(view);
    const auto again = parse_seed(seed);
    CHECK(again && to_seed_json(view_of(*again)) == seed);
    faults_of(view);
    content_hash(view);
}

}  // namespace

// The first byte chooses the reader; the rest is what a peer or a file could hand us.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Arrival arrival{.id = "id", .time = {}, .account = "1", .region = "r"};
    constexpr std::size_t short_field_bytes_max = 65535;  // validated before it is encoded
    if (text.size() > short_field_bytes_max) {
        return 0;
    }
    switch (data[0] % 4) {
        case 0:
            if (const auto view = decode_body(text)) {
                CHECK(encode_body(*view) == text);
            }
            break;
        case 1:
            if (const auto event = parse_seed(text)) {
                round_trip(*event);
            }
            break;
        case 2:
            if (const auto event = parse_eventbridge_event(text, arrival)) {
                round_trip(*event);
            }
            break;
        default:
            if (const auto event = parse_eventbridge_entry(text, arrival)) {
                round_trip(*event);
            }
            break;
    }
    return 0;
}
