#include "bus/broker/target_sets.h"

#include <algorithm>

#include "foundation/json/value.h"
#include "foundation/json/writer.h"

namespace bascule::broker {

namespace {

/// More distinct sets than rules could make; a larger number is damage.
constexpr std::int64_t sets_max = 1'000'000;

void write_set(json::Writer& writer, std::size_t id, const TargetSets::Set& set) {
    writer.begin_object().member("id", id).key("consumers").begin_array();
    for (const ConsumerNumber number : set) {
        writer.number(number.value());
    }
    writer.end_array().end_object();
}

}  // namespace

TargetSets::Interned TargetSets::intern(const Set& set) {
    if (set.empty()) {
        return {};
    }
    {
        const std::shared_lock lock(mutex_);
        if (const auto found = ids_.find(set); found != ids_.end()) {
            return {.id = found->second, .defined = sets_[found->second].defined};
        }
    }
    const std::unique_lock lock(mutex_);
    const auto [entry, added] = ids_.emplace(set, static_cast<std::uint32_t>(sets_.size()));
    if (added) {
        sets_.push_back({.members = set, .defined = false});
    }
    return {.id = entry->second, .defined = sets_[entry->second].defined};
}

std::string TargetSets::definition(const std::vector<std::uint32_t>& ids) const {
    std::string body;
    json::Writer writer(body);
    writer.begin_object().member("control", "target_sets").key("sets").begin_array();
    const std::shared_lock lock(mutex_);
    for (const std::uint32_t id : ids) {
        write_set(writer, id, sets_[id].members);
    }
    writer.end_array().end_object();
    return body;
}

void TargetSets::mark_defined(const std::vector<std::uint32_t>& ids) {
    const std::unique_lock lock(mutex_);
    for (const std::uint32_t id : ids) {
        sets_[id].defined = true;
    }
}

bool TargetSets::contains(std::uint32_t id, ConsumerNumber consumer) const {
    const std::shared_lock lock(mutex_);
    return id < sets_.size() && std::ranges::binary_search(sets_[id].members, consumer);
}

TargetSets::Set TargetSets::members(std::uint32_t id) const {
    const std::shared_lock lock(mutex_);
    return id < sets_.size() ? sets_[id].members : Set{};
}

std::string TargetSets::encode() const {
    std::vector<std::uint32_t> all;
    {
        const std::shared_lock lock(mutex_);
        for (std::uint32_t id = 1; id < sets_.size(); ++id) {
            all.push_back(id);
        }
    }
    return definition(all);
}

Result<> TargetSets::absorb(std::string_view control_body) {
    const json::Value root = TRY(json::Value::parse(control_body));
    const json::Value* sets = root.find("sets");
    if (sets == nullptr) {
        return fail(ErrorKind::corrupt, "control record: target sets without sets");
    }
    const std::unique_lock lock(mutex_);
    for (const json::Value& item : sets->items()) {
        const json::Value* id_value = item.find("id");
        const json::Value* consumers = item.find("consumers");
        const auto id = id_value == nullptr ? std::nullopt : id_value->as_int64();
        if (!id || *id < 1 || *id > sets_max || consumers == nullptr) {
            return fail(ErrorKind::corrupt, "control record: a target set without id or consumers");
        }
        Set set;
        for (const json::Value& number : consumers->items()) {
            set.emplace_back(static_cast<std::uint32_t>(number.as_int64().value_or(0)));
        }
        const auto index = static_cast<std::size_t>(*id);
        if (sets_.size() <= index) {
            sets_.resize(index + 1);
        }
        sets_[index] = {.members = set, .defined = true};
        ids_[set] = static_cast<std::uint32_t>(index);
    }
    return {};
}

}  // namespace bascule::broker
