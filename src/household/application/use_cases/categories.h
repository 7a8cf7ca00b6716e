#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/io/completion.h"
#include "household/application/actor.h"
#include "household/application/environment.h"
#include "household/application/page.h"
#include "household/application/records.h"

namespace bascule::application {

struct CategoryEdit {
    std::optional<std::string> name;
    std::optional<std::string> type;       ///< only when it is created
    std::optional<std::string> parent_id;  ///< "" = to the top
    std::optional<std::string> icon;
    std::optional<std::string> colour;
};

/// The category tree of a user, and the rules that assign categories. Conventions as in Accounts.
class Categories {
  public:
    explicit Categories(Environment environment) : environment_(environment) {}

    /// Parents before their children.
    Result<Page<Category>> list(const std::string& user_id, const PageRequest& page) const;
    Result<Category> get(const std::string& user_id, const std::string& id) const;
    Result<finance::CategoryTree> tree(const std::string& user_id) const;

    /// name and type are needed; siblings have different names (`conflict`), the tree stays one.
    /// Publishes category.created / updated / deleted.
    void create(Actor actor, CategoryEdit edit, io::Completion<Category> done);
    void update(Actor actor, std::string id, CategoryEdit edit, io::Completion<Category> done);
    /// `conflict` while it has children. Its transactions become uncategorised (each a
    /// transaction.categorized with categoryId ""), its rules are deleted. Completes with the
    /// number of transactions.
    void remove(Actor actor, std::string id, io::Completion<std::int64_t> done);

  private:
    Environment environment_;
};

struct RuleEdit {
    std::optional<std::string> category_id;
    std::optional<std::string> name;
    std::optional<finance::ConditionNode> conditions;
    std::optional<std::int32_t> priority;
    std::optional<std::int64_t> position;
    std::optional<bool> stop;
    std::optional<bool> enabled;
    std::optional<std::int32_t> confidence;
    std::optional<bool> auto_apply;
};

class CategoryRules {
  public:
    explicit CategoryRules(Environment environment) : environment_(environment) {}

    /// In the order in which they are tried.
    Result<Page<CategoryRule>> list(const std::string& user_id, const std::string& category_id,
                                    const PageRequest& page) const;
    Result<CategoryRule> get(const std::string& user_id, const std::string& id) const;

    /// category_id and conditions are needed; a rule that does not compile is `invalid` and names
    /// the place. Publishes category.rule_created / rule_updated / rule_deleted. Each change raises
    /// the rule's version and the user's rules generation.
    void create(Actor actor, RuleEdit edit, io::Completion<CategoryRule> done);
    void update(Actor actor, std::string id, RuleEdit edit, io::Completion<CategoryRule> done);
    void remove(Actor actor, std::string id, io::Completion<std::int64_t> done);

  private:
    Environment environment_;
};

}  // namespace bascule::application
