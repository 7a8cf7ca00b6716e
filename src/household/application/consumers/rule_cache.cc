#include "household/application/consumers/rule_cache.h"

#include <algorithm>

#include "household/application/stores/rule_store.h"

namespace bascule::application {

Result<std::shared_ptr<const CompiledRules>> RuleCache::get(sql::Session& session,
                                                            const std::string& user_id) {
    const std::uint64_t generation = TRY(rules_generation(session, user_id));
    auto known = entries_.with([&](auto& entries) -> std::shared_ptr<const CompiledRules> {
        const auto entry = std::ranges::find(entries, user_id, &Entry::user_id);
        if (entry == entries.end()) {
            return nullptr;
        }
        entries.splice(entries.begin(), entries, entry);
        return entry->rules;
    });
    if (known != nullptr && known->generation == generation) {
        return known;
    }
    auto user_rules = TRY(rules_of(session, user_id));
    auto compiled = std::make_shared<const CompiledRules>(CompiledRules {
        user_rules.generation, TRY(finance::RuleSet::compile(std::move(user_rules.rules)))
    });
    entries_.with([&](auto& entries) {
        std::erase_if(entries, [&](const Entry& entry) { return entry.user_id == user_id; });
        entries.push_front({user_id, compiled});
        if (entries.size() > users_max) {
            entries.pop_back();
        }
    });
    return compiled;
}

}  // namespace bascule::application
