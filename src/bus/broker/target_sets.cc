#include "bus/broker/target_sets.h"

#include <algorithm>
#include <numeric>
#include <optional>

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
    const auto known = all_.read([&](const All& all) -> std::optional<Interned> {
        const auto found = all.ids.find(set);
        if (found == all.ids.end()) {
            return std::nullopt;
        }
        return Interned{.id = found->second, .defined = all.sets[found->second].defined};
    });
    if (known) {
        return *known;
    }
    return all_.with([&](All& all) -> Interned {
        const auto [entry, added] =
            all.ids.emplace(set, static_cast<std::uint32_t>(all.sets.size()));
        if (added) {
            all.sets.push_back({.members = set, .defined = false});
        }
        return {.id = entry->second, .defined = all.sets[entry->second].defined};
    });
}

std::vector<std::string> TargetSets::definitions(const std::vector<std::uint32_t>& ids) const {
    std::vector<std::string> records;
    std::string sets;  // of the record that fills
    const auto end_record = [&] {
        records.push_back(R"({"control":"target_sets","sets":[)" + sets + "]}");
        sets.clear();
    };
    constexpr std::size_t around = 64;  // what stands around the sets, and a comma
    all_.read([&](const All& all) {
        for (const std::uint32_t id : ids) {
            std::string set;
            json::Writer writer(set);
            write_set(writer, id, all.sets[id].members);
            if (!sets.empty() && sets.size() + set.size() + around > definition_bytes_max) {
                end_record();
            }
            sets.append(sets.empty() ? "" : ",").append(set);
        }
    });
    if (!sets.empty()) {
        end_record();
    }
    return records;
}

void TargetSets::mark_defined(const std::vector<std::uint32_t>& ids) {
    all_.with([&](All& all) {
        for (const std::uint32_t id : ids) {
            all.sets[id].defined = true;
        }
    });
}

std::optional<bool> TargetSets::contains(std::uint32_t id, ConsumerNumber consumer) const {
    return all_.read([&](const All& all) -> std::optional<bool> {
        if (id >= all.sets.size() || !all.sets[id].known) {
            return std::nullopt;
        }
        return std::ranges::binary_search(all.sets[id].members, consumer);
    });
}

TargetSets::Set TargetSets::members(std::uint32_t id) const {
    return all_.read(
        [&](const All& all) { return id < all.sets.size() ? all.sets[id].members : Set{}; });
}

std::vector<std::string> TargetSets::all_definitions() const {
    const std::size_t count = all_.read([](const All& all) { return all.sets.size(); });
    std::vector<std::uint32_t> ids(count - 1);
    std::iota(ids.begin(), ids.end(), 1u);
    return definitions(ids);
}

Result<> TargetSets::absorb(std::string_view control_body) {
    const json::Value root = TRY(json::Value::parse(control_body));
    const json::Value* sets = root.find("sets");
    if (sets == nullptr) {
        return fail(ErrorKind::corrupt, "control record: target sets without sets");
    }
    return all_.with([&](All& all) -> Result<> {
        for (const json::Value& item : sets->items()) {
            const json::Value* id_value = item.find("id");
            const json::Value* consumers = item.find("consumers");
            const auto id = id_value == nullptr ? std::nullopt : id_value->as_int64();
            if (!id || *id < 1 || *id > sets_max || consumers == nullptr) {
                return fail(ErrorKind::corrupt,
                            "control record: a target set without id or consumers");
            }
            Set set;
            for (const json::Value& number : consumers->items()) {
                set.emplace_back(static_cast<std::uint32_t>(number.as_int64().value_or(0)));
            }
            const auto index = static_cast<std::size_t>(*id);
            if (all.sets.size() <= index) {
                all.sets.resize(index + 1, {.members = {}, .defined = true, .known = false});
            }
            all.sets[index] = {.members = set, .defined = true};
            all.ids[set] = static_cast<std::uint32_t>(index);
        }
        return {};
    });
}

}  // namespace bascule::broker
