#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

namespace bascule::finance {

enum class CategoryType : std::uint8_t { income, expense, transfer };

std::string_view name(CategoryType type);  ///< `INCOME`, `EXPENSE`, `TRANSFER`
/// Case does not count. Errors: `invalid`, naming the text and what is allowed.
Result<CategoryType> parse_category_type(std::string_view text);

struct Category {
    std::string id;  ///< stable: renaming or moving keeps it
    std::string name;
    CategoryType type = CategoryType::expense;
    std::string parent_id;  ///< empty at the top
};

/// A user's categories as a forest.
///
/// Invariants: ids are unique, every parent exists, nothing is its own ancestor, a child is of its
/// parent's type. Limits: category_depth_max levels. Threads: immutable.
class CategoryTree {
  public:
    static constexpr std::size_t category_depth_max = 32;

    CategoryTree() = default;

    /// Errors: `invalid`, naming the category and which invariant it breaks.
    static Result<CategoryTree> create(std::vector<Category> categories);

    /// nullptr when there is none.
    const Category* find(std::string_view id) const;

    /// From the parent up to the root; empty for a root and for an unknown id.
    std::vector<const Category*> ancestors(std::string_view id) const;
    /// Sorted by name, then id. `""`: the roots.
    std::vector<const Category*> children(std::string_view id) const;
    /// `id` and everything below it; empty for an unknown id.
    std::vector<std::string> subtree(std::string_view id) const;
    bool is_within(std::string_view id, std::string_view ancestor_id) const;

    /// Whether the tree would still be one with `category` added, or in place of the one of its id.
    /// Errors: `invalid` as create.
    Result<> allows(const Category& category) const;

    /// Sorted by id.
    std::span<const Category> categories() const { return categories_; }

  private:
    std::vector<Category> categories_;
    std::multimap<std::string, std::size_t, std::less<>> children_;  ///< parent id → index
};

}  // namespace bascule::finance
