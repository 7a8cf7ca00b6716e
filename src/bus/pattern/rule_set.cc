#include "bus/pattern/rule_set.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bus/pattern/engine/memory_estimate.h"
#include "bus/pattern/engine/path_trie.h"
#include "bus/pattern/engine/snapshot.h"
#include "bus/pattern/engine/tier.h"
#include "bus/pattern/term.h"
#include "foundation/base/check.h"

namespace bascule::pattern {

namespace {

/// A new rule rebuilds the first level; a level that overflows moves into the next. So a rule is
/// compiled about 32 times for each level it comes through.
constexpr std::size_t first_level_rules = 64;
constexpr std::size_t level_growth = 32;

/// Paths that no rule uses any more may be as many as those in use, and this many more. To forget
/// them every rule is compiled again, so of many rules each adds its share: a path that comes and
/// goes is worth the compilation of so many rules.
constexpr std::size_t unused_paths_spared = 64;
constexpr std::size_t rules_an_unused_path = 32;

}  // namespace

struct RuleSet::State {
    struct Member {
        Pattern pattern;
        std::size_t bytes = 0;
        std::size_t level = 0;   ///< if it is not pending
        std::uint32_t rule = 0;  ///< its number in the level's tier
    };
    struct Level {
        std::shared_ptr<const Tier> tier;
        std::shared_ptr<RuleBits> removed;
        bool is_published = false;  ///< `removed` is: copy before writing
        std::size_t live = 0;
    };

    explicit State(Limits limits) : limits(limits) {}

    void remove_from_level(const Member& member);
    void dissolve(Level& level);
    bool has_too_many_unused_paths() const;
    void forget_unused_paths();
    std::size_t bytes_of_new_paths(const Pattern& pattern) const;
    void compile_pending();
    std::shared_ptr<const Matcher> publish();

    Limits limits;
    std::unordered_map<RuleId, Member> members;
    std::set<RuleId> pending;  ///< members in no level yet
    std::vector<Level> levels;
    PathTrie paths;
    std::map<std::string, std::size_t, std::less<>> path_uses;  ///< of all paths not forgotten
    std::size_t unused_paths = 0;
    std::size_t bytes = 0;
    std::shared_ptr<const Matcher> last;  ///< while nothing has changed since
    /// Handed out before, until nobody else has them: to destroy a matcher takes long, and whoever
    /// matches shall not have to.
    std::vector<std::shared_ptr<const Matcher>> handed_out;
};

RuleSet::RuleSet(Limits limits) : state_(std::make_unique<State>(limits)) {}
RuleSet::RuleSet(RuleSet&&) noexcept = default;
RuleSet& RuleSet::operator=(RuleSet&&) noexcept = default;
RuleSet::~RuleSet() = default;

std::size_t RuleSet::size() const { return state_->members.size(); }
std::size_t RuleSet::memory_bytes_estimated() const { return state_->bytes; }

Result<> RuleSet::add(RuleId id, Pattern pattern) {
    State& state = *state_;
    if (state.members.contains(id)) {
        return fail(ErrorKind::conflict,
                    "rule " + std::to_string(id.value()) + " is in the set already");
    }
    const std::size_t bytes = bytes_estimated(pattern);
    std::size_t path_bytes = state.bytes_of_new_paths(pattern);
    if (bytes + path_bytes > state.limits.memory_bytes_max - state.bytes &&
        state.unused_paths > 0) {
        state.forget_unused_paths();
        path_bytes = state.bytes_of_new_paths(pattern);
    }
    if (bytes + path_bytes > state.limits.memory_bytes_max - state.bytes) {
        return fail(ErrorKind::exhausted,
                    "rule " + std::to_string(id.value()) + " would take up to " +
                        std::to_string(bytes + path_bytes) + " bytes more, and with " +
                        std::to_string(state.bytes) + " for the " +
                        std::to_string(state.members.size()) +
                        " rules before it the set would exceed its limit of " +
                        std::to_string(state.limits.memory_bytes_max));
    }
    for (const std::string& path : pattern.compiled().paths) {
        const auto [use, is_new] = state.path_uses.try_emplace(path, 0);
        state.unused_paths -= !is_new && use->second == 0 ? 1 : 0;
        ++use->second;
    }
    state.bytes += bytes + path_bytes;
    state.members.emplace(id, State::Member{.pattern = std::move(pattern), .bytes = bytes});
    state.pending.insert(id);
    state.last.reset();
    return {};
}

bool RuleSet::remove(RuleId id) {
    State& state = *state_;
    const auto found = state.members.find(id);
    if (found == state.members.end()) {
        return false;
    }
    const State::Member& member = found->second;
    for (const std::string& path : member.pattern.compiled().paths) {
        state.unused_paths += --state.path_uses.find(path)->second == 0 ? 1 : 0;
    }
    if (state.pending.erase(id) == 0) {
        state.remove_from_level(member);
    }
    state.bytes -= member.bytes;
    state.members.erase(found);
    state.last.reset();
    return true;
}

std::shared_ptr<const Matcher> RuleSet::snapshot() {
    State& state = *state_;
    if (state.last == nullptr) {
        if (state.has_too_many_unused_paths()) {
            state.forget_unused_paths();
        }
        for (State::Level& level : state.levels) {
            if (level.tier != nullptr && level.live * 2 < level.tier->size()) {
                state.dissolve(level);
            }
        }
        state.compile_pending();
        std::erase_if(state.handed_out,
                      [](const auto& matcher) { return matcher.use_count() == 1; });
        state.last = state.handed_out.emplace_back(state.publish());
    }
    return state.last;
}

void RuleSet::State::remove_from_level(const Member& member) {
    Level& level = levels[member.level];
    if (std::exchange(level.is_published, false)) {
        level.removed = std::make_shared<RuleBits>(*level.removed);
    }
    (*level.removed)[member.rule / 64] |= std::uint64_t{1} << (member.rule % 64);
    --level.live;
}

/// Makes a level's rules pending again.
void RuleSet::State::dissolve(Level& level) {
    for (std::uint32_t rule = 0; level.tier != nullptr && rule < level.tier->size(); ++rule) {
        if (((*level.removed)[rule / 64] >> (rule % 64) & 1) == 0) {
            pending.insert(level.tier->id(rule));
        }
    }
    level = {};
}

bool RuleSet::State::has_too_many_unused_paths() const {
    const std::size_t used = path_uses.size() - unused_paths;
    return unused_paths > used + unused_paths_spared + members.size() / rules_an_unused_path;
}

void RuleSet::State::forget_unused_paths() {
    for (Level& level : levels) {
        dissolve(level);
    }
    paths = PathTrie();
    std::erase_if(path_uses, [&](const auto& use) {
        bytes -= use.second == 0 ? path_bytes_estimated(use.first) : 0;
        return use.second == 0;
    });
    unused_paths = 0;
}

std::size_t RuleSet::State::bytes_of_new_paths(const Pattern& pattern) const {
    std::size_t path_bytes = 0;
    for (const std::string& path : pattern.compiled().paths) {
        path_bytes += path_uses.contains(path) ? 0 : path_bytes_estimated(path);
    }
    return path_bytes;
}

/// Compiles what is pending, with all lower levels, into the first level that has room for it.
void RuleSet::State::compile_pending() {
    if (pending.empty()) {
        return;
    }
    std::size_t target = 0;
    std::size_t capacity = first_level_rules;
    std::size_t rules = pending.size() + (levels.empty() ? 0 : levels[0].live);
    while (rules > capacity) {
        ++target;
        capacity *= level_growth;
        rules += target < levels.size() ? levels[target].live : 0;
    }
    if (levels.size() <= target) {
        levels.resize(target + 1);
    }
    for (std::size_t i = 0; i <= target; ++i) {
        dissolve(levels[i]);
    }
    std::vector<Tier::Rule> compiled;
    for (const RuleId id : std::exchange(pending, {})) {
        Member& member = members.at(id);
        member.level = target;
        member.rule = static_cast<std::uint32_t>(compiled.size());
        compiled.push_back({id, member.pattern});
    }
    levels[target] = {.tier = Tier::compile(compiled, paths),
                      .removed = std::make_shared<RuleBits>((compiled.size() + 63) / 64),
                      .live = compiled.size()};
}

std::shared_ptr<const Matcher> RuleSet::State::publish() {
    auto snapshot = std::make_unique<Matcher::Snapshot>();
    snapshot->paths = paths.publish();
    snapshot->fields = paths.fields();
    snapshot->size = members.size();
    for (Level& level : levels) {
        if (level.tier != nullptr) {
            snapshot->layers.push_back({level.tier, level.removed});
            level.is_published = true;
        }
    }
    return std::make_shared<const Matcher>(std::move(snapshot));
}

}  // namespace bascule::pattern
