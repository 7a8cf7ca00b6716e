#include "household/finance/category_tree.h"

#include <algorithm>
#include <tuple>

namespace bascule::finance {

namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string place_of(const Category& category) {
    return "category " + quoted(category.name) + " (" + category.id + ")";
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    });
    return out;
}

const Category* find_in(std::span<const Category> sorted, std::string_view id) {
    const auto place = std::ranges::lower_bound(sorted, id, {}, &Category::id);
    return place != sorted.end() && place->id == id ? &*place : nullptr;
}

/// Whether one category stands rightly among the others. Walking up from each finds every cycle.
Result<> check_place(std::span<const Category> sorted, const Category& category) {
    const Category* above = &category;
    for (std::size_t depth = 1; !above->parent_id.empty(); ++depth) {
        const Category* parent = find_in(sorted, above->parent_id);
        if (parent == nullptr) {
            return fail(ErrorKind::invalid, place_of(*above) + ": its parent " +
                                                quoted(above->parent_id) + " does not exist");
        }
        if (parent->id == category.id) {
            return fail(
                ErrorKind::invalid,
                place_of(category) + " would stand below itself, by way of " + place_of(*above));
        }
        if (parent->type != above->type) {
            return fail(ErrorKind::invalid,
                        place_of(*above) + " is " + std::string(name(above->type)) + "; below " +
                            place_of(*parent) + " it must be " + std::string(name(parent->type)));
        }
        if (depth >= CategoryTree::category_depth_max) {
            return fail(ErrorKind::invalid, place_of(category) +
                                                " stands too deep or below a cycle; at most " +
                                                std::to_string(CategoryTree::category_depth_max) +
                                                " levels are allowed");
        }
        above = parent;
    }
    return {};
}

}  // namespace

std::string_view name(CategoryType type) {
    switch (type) {
        case CategoryType::income:
            return "INCOME";
        case CategoryType::expense:
            return "EXPENSE";
        case CategoryType::transfer:
            return "TRANSFER";
    }
    return "";
}

Result<CategoryType> parse_category_type(std::string_view text) {
    const std::string wanted = upper(text);
    for (const auto type : {CategoryType::income, CategoryType::expense, CategoryType::transfer}) {
        if (wanted == name(type)) {
            return type;
        }
    }
    return fail(ErrorKind::invalid,
                "category type is " + quoted(text) + "; INCOME, EXPENSE or TRANSFER is allowed");
}

Result<CategoryTree> CategoryTree::create(std::vector<Category> categories) {
    CategoryTree tree;
    tree.categories_ = std::move(categories);
    std::ranges::sort(tree.categories_, {}, &Category::id);
    for (std::size_t i = 0; i < tree.categories_.size(); ++i) {
        const Category& category = tree.categories_[i];
        if (category.id.empty()) {
            return fail(ErrorKind::invalid, "category " + quoted(category.name) + " has no id");
        }
        if (i > 0 && tree.categories_[i - 1].id == category.id) {
            return fail(ErrorKind::invalid, place_of(category) + ": another category has this id");
        }
        TRY(check_place(tree.categories_, category));
        tree.children_.emplace(category.parent_id, i);
    }
    return tree;
}

const Category* CategoryTree::find(std::string_view id) const { return find_in(categories_, id); }

std::vector<const Category*> CategoryTree::ancestors(std::string_view id) const {
    std::vector<const Category*> above;
    for (const Category* at = find(id); at != nullptr && !at->parent_id.empty();) {
        at = find(at->parent_id);
        above.push_back(at);
    }
    return above;
}

std::vector<const Category*> CategoryTree::children(std::string_view id) const {
    std::vector<const Category*> below;
    const auto [first, last] = children_.equal_range(id);
    for (auto at = first; at != last; ++at) {
        below.push_back(&categories_[at->second]);
    }
    std::ranges::sort(below, [](const Category* left, const Category* right) {
        return std::tie(left->name, left->id) < std::tie(right->name, right->id);
    });
    return below;
}

std::vector<std::string> CategoryTree::subtree(std::string_view id) const {
    std::vector<std::string> ids;
    if (find(id) == nullptr) {
        return ids;
    }
    ids.emplace_back(id);
    for (std::size_t at = 0; at < ids.size(); ++at) {
        for (const Category* child : children(std::string(ids[at]))) {
            ids.push_back(child->id);
        }
    }
    return ids;
}

bool CategoryTree::is_within(std::string_view id, std::string_view ancestor_id) const {
    if (id == ancestor_id) {
        return find(id) != nullptr;
    }
    return std::ranges::any_of(ancestors(id),
                               [&](const Category* above) { return above->id == ancestor_id; });
}

Result<> CategoryTree::allows(const Category& category) const {
    std::vector<Category> next = categories_;
    std::erase_if(next, [&](const Category& other) { return other.id == category.id; });
    next.push_back(category);
    TRY(create(std::move(next)));
    return {};
}

}  // namespace bascule::finance
