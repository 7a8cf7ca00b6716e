#include "household/application/stores/category_store.h"

#include "household/application/stores/row_values.h"
#include "household/application/stores/transaction_store.h"

namespace bascule::application {

namespace {

Result<Category> read_category(const sql::Row& row) {
    auto type = finance::parse_category_type(row.text_view(2));
    if (!type) {
        return fail(ErrorKind::corrupt,
                    "the database holds a category of " + type.error().message());
    }
    return Category{
        .node = {.id = row.text(0), .name = row.text(1), .type = *type, .parent_id = row.text(3)},
        .icon = row.text(4),
        .colour = row.text(5),
        .created_at = time_of(row, 6),
        .updated_at = time_of(row, 7)};
}

/// Parents before children: each category follows its parent, siblings keep their order.
std::vector<Category> in_tree_order(std::vector<Category> categories) {
    std::vector<Category> ordered;
    ordered.reserve(categories.size());
    std::vector<std::string> open = {""};
    while (!open.empty()) {
        const std::string parent = std::move(open.back());
        open.pop_back();
        std::vector<std::string> below;
        for (Category& category : categories) {
            if (!category.node.id.empty() && category.node.parent_id == parent) {
                below.push_back(category.node.id);
                ordered.push_back(std::move(category));
                category = Category();
            }
        }
        open.insert(open.end(), below.rbegin(), below.rend());
    }
    return ordered;
}

Result<> name_taken(Result<std::int64_t> changed, const Category& category) {
    if (!changed && changed.error().kind() == ErrorKind::conflict) {
        return fail(ErrorKind::conflict, "name: there is a category \"" + category.node.name +
                                             "\" in this place already");
    }
    return ignoring_count(std::move(changed));
}

}  // namespace

Result<std::optional<Category>> CategoryStore::find(const std::string& id) {
    std::optional<Category> found;
    TRY(session_.query(
        "select id, name, type, parent_id, icon, colour, created_ms, updated_ms from categories"
        " where id = ?1 and user_id = ?2",
        {id, user_id_}, [&](const sql::Row& row) -> Result<> {
            found = TRY(read_category(row));
            return {};
        }));
    return found;
}

Result<std::vector<Category>> CategoryStore::all() {
    std::vector<Category> categories;
    TRY(session_.query(
        "select id, name, type, parent_id, icon, colour, created_ms, updated_ms from categories"
        " where user_id = ?1 order by name, id",
        {user_id_}, [&](const sql::Row& row) -> Result<> {
            categories.push_back(TRY(read_category(row)));
            return {};
        }));
    return in_tree_order(std::move(categories));
}

Result<finance::CategoryTree> CategoryStore::tree() {
    std::vector<finance::Category> nodes;
    for (Category& category : TRY(all())) {
        nodes.push_back(std::move(category.node));
    }
    return finance::CategoryTree::create(std::move(nodes));
}

Result<> CategoryStore::insert(const Category& category) {
    const finance::Category& node = category.node;
    TRY(name_taken(
        session_.execute(
            "insert into categories (id, user_id, name, type, parent_id, icon, colour,"
            " created_ms, updated_ms) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            {node.id, user_id_, node.name, finance::name(node.type), node.parent_id, category.icon,
             category.colour, to_unix_ms(category.created_at), to_unix_ms(category.updated_at)}),
        category));
    return raise_generation(session_, user_id_, "rules");
}

Result<> CategoryStore::update(const Category& category) {
    const finance::Category& node = category.node;
    TRY(name_taken(
        session_.execute("update categories set name = ?3, parent_id = ?4, icon = ?5, colour = ?6,"
                         " updated_ms = ?7 where id = ?1 and user_id = ?2",
                         {node.id, user_id_, node.name, node.parent_id, category.icon,
                          category.colour, to_unix_ms(category.updated_at)}),
        category));
    return raise_generation(session_, user_id_, "rules");
}

Result<> CategoryStore::erase(const std::string& id) {
    TRY(expecting_row(
        session_.execute("delete from categories where id = ?1 and user_id = ?2", {id, user_id_}),
        "category", id));
    return raise_generation(session_, user_id_, "rules");
}

}  // namespace bascule::application
