#include "bus/pattern/engine/flattener.h"

#include <array>
#include <charconv>

#include "foundation/json/limits.h"

namespace bascule::pattern {

namespace {

void write_decimal(std::int64_t number, std::string& text) {
    std::array<char, 20> digits{};  // as many as -9223372036854775808 has
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    text.assign(digits.data(), end);
}

}  // namespace

void Flattener::begin(const PathNode& root, EventValues& values) {
    root_ = &root;
    values_ = &values;
    complete_.clear();
}

void Flattener::add(const Subject::Mount& mount) {
    const PathNode* const node = descend(*root_, *root_, mount.path);
    if (node == nullptr) {
        return;
    }
    switch (mount.kind) {
        case Subject::Kind::text:
            if (node->field() != no_field) {
                values_->add(node->field(), Leaf::Kind::string, 0, mount.content);
                complete_.push_back(node->field());
            }
            return;
        case Subject::Kind::number:
            if (node->field() != no_field) {
                std::string& text = values_->text();
                write_decimal(mount.number, text);
                values_->add(node->field(), Leaf::Kind::number, 0, text).key = number_of(text).key;
                complete_.push_back(node->field());
            }
            return;
        case Subject::Kind::json: {
            values_->mark();
            if (!add_json(*node, mount.content)) {
                values_->take_back();
            }
            for (const Field field : complete_) {
                values_->take_back(field);
            }
            return;
        }
    }
}

bool Flattener::add_json(const PathNode& node, std::string_view text) {
    return text.size() <= json::Limits().bytes_max &&
           walk_.run({*root_, node}, {text, index_.positions(text)}, *values_);
}

}  // namespace bascule::pattern
