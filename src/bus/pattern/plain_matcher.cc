#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "bus/pattern/pattern.h"
#include "bus/pattern/term.h"
#include "foundation/json/reader.h"

/// The plain matcher: flatten what the pattern asks about, then look for one choice of values that
/// satisfies every field.
namespace bascule::pattern {

namespace {

/// Which element of which array a value lies in: array number → index, for every array around it
/// but one whose element it is itself: as in EventBridge, `["x",{"b":1}]` below `a` has an `a` =
/// "x" with `a.b` = 1.
using Elements = std::map<int, int>;

struct Found {
    Leaf leaf;
    Elements elements;
};

/// The values of an event by dotted path.
using Leaves = std::map<std::string, std::vector<Found>, std::less<>>;

/// Whether `field` is `path` or lies below it. A point in a key counts as a step, as in
/// EventBridge.
bool is_at_or_below(std::string_view field, std::string_view path) {
    return path.empty() ||
           (field.starts_with(path) && (field.size() == path.size() || field[path.size()] == '.'));
}

class Flattening {
  public:
    Flattening(const Paths& wanted, const Subject& subject) : wanted_(wanted) {
        for (const Subject::Mount& mount : subject) {
            add(mount);
        }
    }

    Leaves take() && { return std::move(leaves_); }

  private:
    void add(const Subject::Mount& mount) {
        if (!is_wanted(mount.path)) {
            return;
        }
        path_ = mount.path;
        switch (mount.kind) {
            case Subject::Kind::text:
                put(Leaf::Kind::string, std::string(mount.content));
                return;
            case Subject::Kind::number:
                put(Leaf::Kind::number, std::to_string(mount.number));
                return;
            case Subject::Kind::json: {
                const Leaves before = leaves_;
                json::Reader reader(mount.content);
                walk(reader);
                if (!reader.finish()) {
                    leaves_ = before;  // what is not JSON has no members
                }
                return;
            }
        }
    }

    bool is_wanted(std::string_view path) const {
        return std::any_of(wanted_.begin(), wanted_.end(),
                           [&](const std::string& field) { return is_at_or_below(field, path); });
    }

    /// Passes the value that comes next and keeps its leaves; `path_` says where it is.
    void walk(json::Reader& reader) {
        switch (reader.peek()) {
            case json::Kind::object:
                if (reader.enter_object()) {
                    while (const auto key = reader.next_member()) {
                        const std::size_t length = path_.size();
                        path_ += path_.empty() ? "" : ".";
                        path_ += key->decoded();
                        if (is_wanted(path_)) {
                            walk(reader);
                        } else {
                            reader.skip();
                        }
                        path_.resize(length);
                    }
                }
                return;
            case json::Kind::array:
                if (reader.enter_array()) {
                    const int array = arrays_++;
                    for (int index = 0; reader.next_item(); ++index) {
                        const json::Kind kind = reader.peek();
                        if (kind == json::Kind::object || kind == json::Kind::array) {
                            elements_[array] = index;
                        }
                        walk(reader);
                        elements_.erase(array);
                    }
                }
                return;
            case json::Kind::string:
                put(Leaf::Kind::string, reader.string().decoded());
                return;
            case json::Kind::number:
                put(Leaf::Kind::number, std::string(reader.number()));
                return;
            case json::Kind::boolean:
            case json::Kind::null:
                put(Leaf::Kind::literal, std::string(reader.skip()));
                return;
        }
    }

    void put(Leaf::Kind kind, std::string text) {
        if (wanted_.contains(path_)) {
            leaves_[path_].push_back({{kind, std::move(text)}, elements_});
        }
    }

    const Paths& wanted_;
    Leaves leaves_;
    std::string path_;
    Elements elements_;
    int arrays_ = 0;
};

/// Looks for one choice of a value per field in which no array is used with two of its elements.
class Search {
  public:
    Search(const Alternative& alternative, const Leaves& leaves) {
        for (const auto& [path, terms] : alternative) {
            static const std::vector<Found> nothing;
            const auto found = leaves.find(path);
            fields_.push_back({terms.get(), found != leaves.end() ? &found->second : &nothing});
        }
        arrays_from_.resize(fields_.size());
        std::set<int> arrays;
        for (std::size_t i = fields_.size(); i-- > 0;) {
            for (const Found& value : *fields_[i].values) {
                for (const auto& [array, index] : value.elements) {
                    arrays.insert(array);
                }
            }
            arrays_from_[i] = arrays;
        }
    }

    bool succeeds() {
        const bool each_could = std::all_of(fields_.begin(), fields_.end(), [](const Field& field) {
            return allows_absence(field) ||
                   std::any_of(field.values->begin(), field.values->end(),
                               [&](const Found& value) { return is_satisfied(field, value); });
        });
        return each_could && rest_succeeds(0, {});
    }

  private:
    struct Field {
        const Terms* terms;
        const std::vector<Found>* values;
    };

    static bool allows_absence(const Field& field) {
        return std::any_of(field.terms->begin(), field.terms->end(),
                           [](const Term& term) { return std::holds_alternative<Absent>(term); });
    }

    static bool is_satisfied(const Field& field, const Found& value) {
        return std::any_of(field.terms->begin(), field.terms->end(),
                           [&](const Term& term) { return satisfies(value.leaf, term); });
    }

    /// The elements in use once `value` is chosen too; nothing if it lies in another element of an
    /// array in use.
    static std::optional<Elements> joined(const Elements& chosen, const Elements& value) {
        Elements both = chosen;
        for (const auto& [array, index] : value) {
            if (both.emplace(array, index).first->second != index) {
                return std::nullopt;
            }
        }
        return both;
    }

    /// Fields are taken in the order of their paths, absence too, as AWS's matcher does: what
    /// counts for `exists: false` are the elements chosen by fields before it.
    bool rest_succeeds(std::size_t index, const Elements& chosen) {
        if (index == fields_.size()) {
            return true;
        }
        // Choices that leave the same arrays to the remaining fields fare the same; without this
        // the search could be exponential.
        if (!tried_.insert({index, relevant(index, chosen)}).second) {
            return false;
        }
        const Field& field = fields_[index];
        bool is_absent = true;
        for (const Found& value : *field.values) {
            const auto both = joined(chosen, value.elements);
            if (both) {
                is_absent = false;
                if (is_satisfied(field, value) && rest_succeeds(index + 1, *both)) {
                    return true;
                }
            }
        }
        return is_absent && allows_absence(field) && rest_succeeds(index + 1, chosen);
    }

    /// The part of `chosen` about arrays in which a value of the fields from `index` on lies.
    Elements relevant(std::size_t index, const Elements& chosen) const {
        Elements part;
        for (const auto& [array, element] : chosen) {
            if (arrays_from_[index].contains(array)) {
                part.emplace(array, element);
            }
        }
        return part;
    }

    std::vector<Field> fields_;
    std::vector<std::set<int>>
        arrays_from_;  ///< by field: the arrays around its values and those of later fields
    std::set<std::pair<std::size_t, Elements>> tried_;
};

}  // namespace

bool Pattern::matches(const Subject& subject) const {
    const Leaves leaves = Flattening(compiled_->paths, subject).take();
    return std::any_of(
        compiled_->alternatives.begin(), compiled_->alternatives.end(),
        [&](const Alternative& alternative) { return Search(alternative, leaves).succeeds(); });
}

}  // namespace bascule::pattern
