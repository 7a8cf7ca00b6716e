#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace bascule::pattern {

/// Finds where in a JSON text things begin: every bracket, comma and colon, and the first byte of
/// every string, number and word. This is all that is read of parts that no rule names.
///
/// Threads:  one owner.
/// Memory:   four bytes for each byte of the largest text.
/// Checks:   UTF-8, control characters in strings, that the last string is closed; no grammar.
/// Source:   stage 1 of simdjson.
class StructuralIndex {
  public:
    StructuralIndex();
    StructuralIndex(StructuralIndex&&) noexcept;
    StructuralIndex& operator=(StructuralIndex&&) noexcept;
    ~StructuralIndex();

    /// The positions, ascending, valid until the next call; none if a check fails or there is
    /// nothing. Behind the last, out of the span, stands the text's size.
    std::span<const std::uint32_t> positions(std::string_view text);

  private:
    struct Indexer;
    std::unique_ptr<Indexer> indexer_;
};

}  // namespace bascule::pattern
