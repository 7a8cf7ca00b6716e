#include "bus/pattern/engine/structural_index.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>

namespace bascule::pattern {

namespace {

/// The index does not nest, so simdjson need not prepare for it.
constexpr std::size_t nesting = 1;
constexpr std::size_t capacity_min = 4096;

}  // namespace

struct StructuralIndex::Indexer {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    std::size_t capacity = 0;

    bool grow(std::size_t bytes) {
        capacity = std::bit_ceil(std::max(bytes, capacity_min));
        const auto error =
            parser ? parser->set_capacity(capacity)
                   : simdjson::get_active_implementation()->create_dom_parser_implementation(
                         capacity, nesting, parser);
        if (error != simdjson::SUCCESS) {
            parser.reset();
            capacity = 0;
        }
        return parser != nullptr;
    }
};

StructuralIndex::StructuralIndex() : indexer_(std::make_unique<Indexer>()) {}
StructuralIndex::StructuralIndex(StructuralIndex&&) noexcept = default;
StructuralIndex& StructuralIndex::operator=(StructuralIndex&&) noexcept = default;
StructuralIndex::~StructuralIndex() = default;

std::span<const std::uint32_t> StructuralIndex::positions(std::string_view text) {
    if (text.empty() || (text.size() > indexer_->capacity && !indexer_->grow(text.size()))) {
        return {};
    }
    auto& parser = *indexer_->parser;
    // Stage 1 copies the last block before it reads it, so the text needs no padding.
    const auto error = parser.stage1(reinterpret_cast<const std::uint8_t*>(text.data()),
                                     text.size(), simdjson::stage1_mode::regular);
    if (error != simdjson::SUCCESS) {
        return {};
    }
    // simdjson keeps room for three more.
    std::uint32_t* const positions = parser.structural_indexes.get();
    positions[parser.n_structural_indexes] = static_cast<std::uint32_t>(text.size());
    return {positions, parser.n_structural_indexes};
}

}  // namespace bascule::pattern
