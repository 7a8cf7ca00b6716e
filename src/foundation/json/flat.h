#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/json/value.h"

namespace bascule::json {

/// One scalar of an object that holds settings.
struct FlatEntry {
    std::string key;    ///< of a member of the nested object: `columns.date`
    std::string value;  ///< a text decoded, everything else as written
    bool is_number = false;
};

/// An object of scalars and lists of scalars, of which the member called `nested` is such an object
/// itself, as entries in their order; a list gives one entry for each of its items, null gives
/// none.
///
///     {"a": [1, "x"], "columns": {"date": 2}}    a=1  a=x  columns.date=2
///
/// Errors: `invalid`, naming the key and what is allowed.
Result<std::vector<FlatEntry>> flattened(const Value& object, std::string_view nested);

}  // namespace bascule::json
