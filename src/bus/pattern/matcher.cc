#include "bus/pattern/matcher.h"

#include <algorithm>
#include <utility>

#include "bus/pattern/engine/snapshot.h"
#include "bus/pattern/engine/workspace.h"

namespace bascule::pattern {

namespace {

/// What is remembered of a tier goes when the tier is gone, at the latest when a new one comes.
TierScratch& scratch_of(const std::shared_ptr<const Tier>& tier, Workspace& workspace) {
    auto& known = workspace.tiers;
    const auto found = std::find_if(known.begin(), known.end(), [&](const TierScratch& scratch) {
        return scratch.serial == tier->serial();
    });
    if (found != known.end()) {
        return *found;
    }
    std::erase_if(known, [](const TierScratch& scratch) { return scratch.tier.expired(); });
    TierScratch& scratch = known.emplace_back();
    scratch.tier = tier;
    tier->prepare(scratch);
    return scratch;
}

}  // namespace

/// One event: begun, given its parts, finished.
class Matcher::Run {
  public:
    Run(const Snapshot& snapshot, Workspace& workspace)
        : snapshot_(snapshot), workspace_(workspace) {
        ++workspace_.event;
        workspace_.budget.begin(steps_max);
        workspace_.values.begin(snapshot_.fields);
        workspace_.flattener.begin(*snapshot_.paths, workspace_.values);
    }

    void add(const Subject::Mount& mount) { workspace_.flattener.add(mount); }

    void finish(std::vector<RuleId>& matched) {
        workspace_.flattener.finish();
        matched.clear();
        for (const Snapshot::Layer& layer : snapshot_.layers) {
            layer.tier->match(workspace_, scratch_of(layer.tier, workspace_), *layer.removed,
                              matched);
        }
        workspace_.events_undecided += workspace_.budget.is_exhausted() ? 1 : 0;
        if (snapshot_.layers.size() > 1 && !std::is_sorted(matched.begin(), matched.end())) {
            std::sort(matched.begin(), matched.end());
        }
    }

  private:
    const Snapshot& snapshot_;
    Workspace& workspace_;
};

Matcher::Matcher(std::unique_ptr<const Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
Matcher::~Matcher() = default;

void Matcher::match(const Subject& subject, Scratch& scratch, std::vector<RuleId>& matched) const {
    Run run(*snapshot_, scratch.workspace());
    for (const Subject::Mount& mount : subject) {
        run.add(mount);
    }
    run.finish(matched);
}

void Matcher::match_event(std::string_view event_json, Scratch& scratch,
                          std::vector<RuleId>& matched) const {
    Run run(*snapshot_, scratch.workspace());
    run.add({.path = "", .kind = Subject::Kind::json, .content = event_json});
    run.finish(matched);
}

std::size_t Matcher::size() const { return snapshot_->size; }

std::size_t Matcher::tiers() const { return snapshot_->layers.size(); }

std::size_t Matcher::memory_bytes() const {
    std::size_t bytes = 0;
    for (const Snapshot::Layer& layer : snapshot_->layers) {
        bytes += layer.tier->memory_bytes() + layer.removed->capacity() * sizeof(std::uint64_t);
    }
    return bytes;
}

}  // namespace bascule::pattern
