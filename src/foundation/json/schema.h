#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/json/value.h"

namespace bascule::json {

/// One reason why a value does not satisfy a schema.
struct Violation {
    std::string pointer;  ///< RFC 6901, to the value that is wrong
    std::string message;
};

/// A compiled JSON Schema (draft 7; `$ref` within the document), for schemas that users bring.
///
/// Threads:  validate from any number of threads at once.
/// Cost:     builds trees and allocates: microseconds to milliseconds. The catalogue's types have
/// faster validators. Numbers:  compared as int64 or double; digits beyond that do not count here.
class Schema {
  public:
    /// Errors: `invalid`: not JSON, not a schema, a reference out of the document.
    static Result<Schema> compile(std::string_view text);

    Schema(Schema&&) noexcept;
    Schema& operator=(Schema&&) noexcept;
    ~Schema();

    /// Every reason found, innermost first; empty = valid.
    std::vector<Violation> validate(const Value& value) const;

  private:
    struct Compiled;
    explicit Schema(std::unique_ptr<Compiled> compiled);
    std::unique_ptr<Compiled> compiled_;
};

}  // namespace bascule::json
