#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "household/finance/text.h"

namespace bascule::finance {

/// Tells which of many regular expressions occur in a text, in one pass (RE2::Set). Linear in the
/// text, whatever the expressions.
///
/// Threads: add and finish by one, then any.
class RegexFinder {
  public:
    /// An expression alone may take this much memory.
    explicit RegexFinder(std::int64_t regex_bytes_max);
    ~RegexFinder();
    RegexFinder(RegexFinder&&) noexcept;

    /// Errors: `invalid` with RE2's own words.
    Result<> add(std::string_view expression, LetterCase letters);
    /// To be called once, after the last `add`.
    Result<> finish();

    /// The indices, in order of `add`, of the expressions found somewhere in `text`, which is
    /// UTF-8.
    void find(std::string_view text, std::vector<int>& found) const;

    bool is_empty() const;

  private:
    struct Expressions;
    std::unique_ptr<Expressions> expressions_;
};

}  // namespace bascule::finance
