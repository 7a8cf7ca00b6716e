#include <cstddef>
#include <cstdint>
#include <string_view>

#include "foundation/base/check.h"
#include "foundation/json/raw.h"
#include "foundation/json/value.h"

// Both readers draw the same line, and what they accept survives writing, compacting and
// canonicalising.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bascule::json;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto value = Value::parse(text);
    CHECK(value.has_value() == is_valid(text));
    if (value) {
        CHECK(Value::parse(value->text()).value() == *value);
        CHECK(Value::parse(compact(text).value()).value() == *value);
        const std::string canonical_text = canonical(text).value();
        CHECK(canonical(canonical_text).value() == canonical_text);
    }
    return 0;
}
