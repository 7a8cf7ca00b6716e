#include "household/application/use_cases/categories.h"

#include "household/application/stores/category_store.h"
#include "household/application/stores/paging.h"
#include "household/application/stores/row_values.h"
#include "household/application/stores/rule_store.h"
#include "household/application/stores/transaction_store.h"
#include "household/application/use_cases/edits.h"
#include "household/application/use_cases/use_case.h"

namespace bascule::application {

namespace {

Request request_of(std::string_view use_case, const std::string& id, const CategoryEdit& edit) {
    Request request(use_case);
    request.add(std::string_view(id)).add(edit.name).add(edit.type).add(edit.parent_id);
    request.add(edit.icon).add(edit.colour);
    return request;
}

Result<Category> existing(sql::Session& session, const std::string& user_id,
                          const std::string& id) {
    auto category = TRY(CategoryStore(session, user_id).find(id));
    if (!category) {
        return not_found("category", id);
    }
    return std::move(*category);
}

auto recall_category(std::string user_id) {
    return [user_id = std::move(user_id)](sql::Session& session, const std::string& id) {
        return existing(session, user_id, id);
    };
}

/// All but the type, which is for ever: rules and figures rest on it.
Result<> apply(UnitOfWork& unit, Category& category, const CategoryEdit& edit, Changes& changes) {
    if (edit.name) {
        changes.set("name", category.node.name, TRY(clean_name("name", *edit.name)));
    }
    if (edit.parent_id) {
        if (!edit.parent_id->empty()) {
            TRY(existing(unit.session(), unit.user_id(), *edit.parent_id));
        }
        changes.set("parentId", category.node.parent_id, *edit.parent_id);
    }
    if (edit.icon) {
        changes.set("icon", category.icon, TRY(clean_text("icon", *edit.icon, 100)));
    }
    if (edit.colour) {
        changes.set("colour", category.colour, TRY(clean_text("colour", *edit.colour, 100)));
    }
    return TRY(CategoryStore(unit.session(), unit.user_id()).tree())
    .allows(category.node);
}

event::CategoryType event_type(finance::CategoryType type) {
    switch (type) {
        case finance::CategoryType::income:
            return event::CategoryType::income;
        case finance::CategoryType::expense:
            return event::CategoryType::expense;
        case finance::CategoryType::transfer:
            return event::CategoryType::transfer;
    }
    CHECK(false);
}

Result<Category> create_category(UnitOfWork& unit, const CategoryEdit& edit) {
    Category category;
    TRY(needed("name", edit.name));
    auto type = finance::parse_category_type(TRY(needed("type", edit.type)));
    if (!type) {
        return invalid("type", type.error().message());
    }
    category.node.id = unit.new_id();
    category.node.type = *type;
    category.created_at = category.updated_at = unit.now();
    Changes ignored;
    TRY(apply(unit, category, edit, ignored));
    TRY(CategoryStore(unit.session(), unit.user_id()).insert(category));
    unit.publish(
        event::category_created(unit.occasion(), {.category_id = category.node.id,
                                                  .category_name = category.node.name,
                                                  .category_type = event_type(category.node.type),
                                                  .parent_category_id = category.node.parent_id}));
    return category;
}

Result<Category> update_category(UnitOfWork& unit, const std::string& id,
                                 const CategoryEdit& edit) {
    Category category = TRY(existing(unit.session(), unit.user_id(), id));
    if (edit.type && *edit.type != finance::name(category.node.type)) {
        return invalid("type", "a category keeps its type; make another category");
    }
    Changes changes;
    TRY(apply(unit, category, edit, changes));
    if (changes.empty()) {
        return category;
    }
    category.updated_at = unit.now();
    TRY(CategoryStore(unit.session(), unit.user_id()).update(category));
    unit.publish(event::category_updated(unit.occasion(), {id, changes.list()}));
    return category;
}

/// Takes the category away from every transaction that has it, also where it is only suggested.
Result<std::int64_t> uncategorise(UnitOfWork& unit, const std::string& category_id) {
    struct Row {
        std::string id;
        std::string account_id;
    };
    std::vector<Row> rows;
    TRY(unit.session().query(
        "select id, account_id from transactions where user_id = ?1 and (counted_category_id = ?2"
        " or (assignment_type = 'suggested' and category_id = ?2)) order by booking_date, id",
        {unit.user_id(), category_id},
        [&](const sql::Row& row) { rows.push_back({row.text(0), row.text(1)}); }));
    TransactionStore store(unit.session(), unit.user_id());
    for (const Row& row : rows) {
        TRY(store.assign(row.id, {}, unit.now()));
        unit.publish(event::transaction_categorized(
            unit.occasion(), {.transaction_id = row.id,
                              .account_id = row.account_id,
                              .category_id = "",
                              .previous_category_id = category_id,
                              .confidence = 100,
                              .assignment_type = event::AssignmentType::manual}));
    }
    return static_cast<std::int64_t>(rows.size());
}

Result<std::int64_t> remove_category(UnitOfWork& unit, const std::string& id) {
    CategoryStore store(unit.session(), unit.user_id());
    const Category category = TRY(existing(unit.session(), unit.user_id(), id));
    const auto tree = TRY(store.tree());
    if (const auto children = tree.children(id); !children.empty()) {
        return fail(ErrorKind::conflict, "the category \"" + category.node.name + "\" has " +
                                             std::to_string(children.size()) +
                                             " categories below it; move or delete them first");
    }
    const auto count = TRY(uncategorise(unit, id));
    RuleStore rules(unit.session(), unit.user_id());
    for (const CategoryRule& stored : TRY(rules.of_category(id))) {
        TRY(rules.erase(stored.rule.id));
        unit.publish(event::category_rule_deleted(unit.occasion(), {id, stored.rule.id}));
    }
    TRY(store.erase(id));
    unit.publish(event::category_deleted(unit.occasion(), {id, count}));
    return count;
}

/// Names and ids from the root down: sorts parents before children and siblings by name, as
/// CategoryStore::all does. The separators sort below every character that a name may have.
std::string place_of(const finance::CategoryTree& tree, const Category& category) {
    std::string place;
    const auto above = tree.ancestors(category.node.id);
    for (auto node = above.rbegin(); node != above.rend(); ++node) {
        place += (*node)->name + '\x01' + (*node)->id + '\x02';
    }
    return place + category.node.name + '\x01' + category.node.id;
}

}  // namespace

Result<Page<Category>> Categories::list(const std::string& user_id, const PageRequest& page) const {
    const auto snapshot = TRY(environment_.database.read());
    CategoryStore store(snapshot.session(), user_id);
    const auto tree = TRY(store.tree());
    return page_of(TRY(store.all()), page,
                   [&](const Category& category) { return place_of(tree, category); });
}

Result<Category> Categories::get(const std::string& user_id, const std::string& id) const {
    const auto snapshot = TRY(environment_.database.read());
    return existing(snapshot.session(), user_id, id);
}

Result<finance::CategoryTree> Categories::tree(const std::string& user_id) const {
    const auto snapshot = TRY(environment_.database.read());
    return CategoryStore(snapshot.session(), user_id).tree();
}

void Categories::create(Actor actor, CategoryEdit edit, io::Completion<Category> done) {
    const Request request = request_of("categories.create", "", edit);
    auto recall = recall_category(actor.user_id);
    perform<Category>(
        environment_, std::move(actor), request, Weight::light,
        [edit = std::move(edit)](UnitOfWork& unit) { return create_category(unit, edit); },
        std::move(recall), std::move(done));
}

void Categories::update(Actor actor, std::string id, CategoryEdit edit,
                        io::Completion<Category> done) {
    const Request request = request_of("categories.update", id, edit);
    auto recall = recall_category(actor.user_id);
    perform<Category>(
        environment_, std::move(actor), request, Weight::light,
        [id = std::move(id), edit = std::move(edit)](UnitOfWork& unit) {
            return update_category(unit, id, edit);
        },
        std::move(recall), std::move(done));
}

void Categories::remove(Actor actor, std::string id, io::Completion<std::int64_t> done) {
    const Request request = Request("categories.remove").add(std::string_view(id));
    perform<std::int64_t>(
        environment_, std::move(actor), request, Weight::heavy,
        [id = std::move(id)](UnitOfWork& unit) { return remove_category(unit, id); }, recall_count,
        std::move(done));
}

}  // namespace bascule::application
