#include "household/application/consumers/rule_cache.h"

#include <algorithm>

#include "household/application/stores/rule_store.h"

namespace bascule::application {

namespace {

Result<std::shared_ptr<const CompiledRules>> compile(sql::Session& session,
                                                     const std::string& user_id) {
    auto user_rules = TRY(rules_of(session, user_id));
    auto rules = TRY(finance::RuleSet::compile(std::move(user_rules.rules)));
    return std::make_shared<const CompiledRules>(
        CompiledRules{user_rules.generation, std::move(rules)});
}

}  // namespace

Result<std::shared_ptr<const CompiledRules>> RuleCache::get(const sql::Database::Snapshot& snapshot,
                                                            const std::string& user_id) {
    auto found = known(user_id, TRY(rules_generation(snapshot.session(), user_id)));
    if (found != nullptr) {
        return found;
    }
    auto compiled = TRY(compile(snapshot.session(), user_id));
    entries_.with([&](auto& entries) {
        std::erase_if(entries, [&](const Entry& entry) { return entry.user_id == user_id; });
        entries.push_front({user_id, compiled});
        if (entries.size() > users_max) {
            entries.pop_back();
        }
    });
    return compiled;
}

Result<std::shared_ptr<const CompiledRules>> RuleCache::look(sql::Session& session,
                                                             const std::string& user_id) {
    auto found = known(user_id, TRY(rules_generation(session, user_id)));
    return found != nullptr ? std::move(found) : TRY(compile(session, user_id));
}

/// The cached rules, if they are of that generation.
std::shared_ptr<const CompiledRules> RuleCache::known(const std::string& user_id,
                                                      std::uint64_t generation) {
    return entries_.with([&](auto& entries) -> std::shared_ptr<const CompiledRules> {
        const auto entry = std::ranges::find(entries, user_id, &Entry::user_id);
        if (entry == entries.end() || entry->rules->generation != generation) {
            return nullptr;
        }
        entries.splice(entries.begin(), entries, entry);
        return entry->rules;
    });
}

}  // namespace bascule::application
