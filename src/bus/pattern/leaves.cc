#include "bus/pattern/leaves.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "foundation/json/reader.h"

namespace bascule::pattern {

namespace {

/// Whether `field` is `path` or lies below it. A point in a key counts as a step, as in
/// EventBridge.
bool is_at_or_below(std::string_view field, std::string_view path) {
    return path.empty() ||
           (field.starts_with(path) && (field.size() == path.size() || field[path.size()] == '.'));
}

class Flattening {
  public:
    Flattening(const Paths& wanted, const Subject& subject, SearchBudget& budget)
        : wanted_(wanted), budget_(budget) {
        for (const Subject::Mount& mount : subject) {
            add(mount);
        }
        for (auto& [path, there] : leaves_.by_path) {
            std::sort(there.arrays.begin(), there.arrays.end());
            there.arrays.erase(std::unique(there.arrays.begin(), there.arrays.end()),
                               there.arrays.end());
        }
    }

    Leaves take() && { return std::move(leaves_); }

  private:
    void add(const Subject::Mount& mount) {
        if (!is_wanted(mount.path)) {
            return;
        }
        path_ = mount.path;
        at_ = mount.path.empty() ? "" : "/" + path_;
        std::replace(at_.begin(), at_.end(), '.', '/');
        switch (mount.kind) {
            case Subject::Kind::text:
                put(Leaf::Kind::string, std::string(mount.content));
                complete_.insert(path_);
                return;
            case Subject::Kind::number:
                put(Leaf::Kind::number, std::to_string(mount.number));
                complete_.insert(path_);
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
                put_container();
                if (reader.enter_object()) {
                    while (const auto key = reader.next_member()) {
                        const std::size_t length = path_.size();
                        path_ += path_.empty() ? "" : ".";
                        path_ += key->decoded();
                        if (budget_.spend(1 + wanted_.size() / paths_a_step) && is_wanted(path_)) {
                            const Step step(at_, key->decoded());
                            walk(reader);
                        } else {
                            reader.skip();
                        }
                        path_.resize(length);
                    }
                }
                return;
            case json::Kind::array:
                put_container();
                if (reader.enter_array()) {
                    const int array = arrays_++;
                    for (int index = 0; reader.next_item(); ++index) {
                        const Step step(at_, std::to_string(index));
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

    /// One step of the pointer, for as long as it lives.
    class Step {
      public:
        Step(std::string& at, std::string_view name) : at_(at), length_(at.size()) {
            at_ += '/';
            for (const char c : name) {
                c == '~' ? at_ += "~0" : c == '/' ? at_ += "~1" : at_ += c;
            }
        }
        ~Step() { at_.resize(length_); }
        Step(const Step&) = delete;
        Step& operator=(const Step&) = delete;

      private:
        std::string& at_;
        std::size_t length_;
    };

    void put(Leaf::Kind kind, std::string text) {
        if (wanted_.contains(path_) && !complete_.contains(path_)) {
            // Each value has all that is around it of its own.
            if (!budget_.spend(1 + elements_.size() + at_.size() / bytes_a_step)) {
                return;
            }
            LeavesAt& there = leaves_.by_path[path_];
            for (const auto& [array, index] : elements_) {
                there.arrays.push_back(array);
            }
            there.values.push_back({{kind, std::move(text)}, elements_, at_});
        }
    }

    void put_container() {
        if (wanted_.contains(path_)) {
            leaves_.containers.insert(path_);
        }
    }

    static constexpr std::size_t paths_a_step = 16;
    static constexpr std::size_t bytes_a_step = 64;

    const Paths& wanted_;
    SearchBudget& budget_;
    Paths complete_;  ///< those of text and number mounts
    Leaves leaves_;
    std::string path_;
    std::string at_;
    Elements elements_;
    int arrays_ = 0;
};

}  // namespace

Leaves leaves_of(const Paths& wanted, const Subject& subject, SearchBudget& budget) {
    return Flattening(wanted, subject, budget).take();
}

}  // namespace bascule::pattern
