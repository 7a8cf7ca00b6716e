#include "bus/pattern/engine/flattener.h"

#include <array>
#include <cstring>

#include "foundation/json/limits.h"
#include "foundation/json/reader.h"

namespace bascule::pattern {

namespace {

constexpr json::Limits limits;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// By how much a byte at a structural position changes the nesting.
constexpr std::array<std::int8_t, 256> nesting_change = [] {
    std::array<std::int8_t, 256> change{};
    change['{'] = change['['] = 1;
    change['}'] = change[']'] = -1;
    return change;
}();

/// Whether a raw name has a backslash or a point: eight bytes at a time, as json::Reader.
bool is_odd(std::string_view name) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t tops = 0x8080808080808080;
    const auto has_zero = [](std::uint64_t x) { return ((x - ones) & ~x & tops) != 0; };
    std::size_t i = 0;
    for (; i + 8 <= name.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, name.data() + i, 8);
        if (has_zero(word ^ (ones * '\\')) || has_zero(word ^ (ones * '.'))) {
            return true;
        }
    }
    for (; i < name.size(); ++i) {
        if (name[i] == '\\' || name[i] == '.') {
            return true;
        }
    }
    return false;
}

/// Decodes a raw string with escapes; false if they are none.
bool decode(std::string_view with_quotes, std::string& out) {
    json::Reader reader(with_quotes);
    const json::Text text = reader.string();
    if (!reader.finish()) {
        return false;
    }
    out = text.decoded();
    return true;
}

bool is_word(std::string_view token) {
    return token == "true" || token == "false" || token == "null";
}

}  // namespace

void Flattener::begin(const PathNode& root, EventValues& values) {
    root_ = &root;
    values_ = &values;
}

void Flattener::add(const Subject::Mount& mount) {
    const PathNode* const node = descend(*root_, *root_, mount.path);
    if (node == nullptr) {
        return;
    }
    switch (mount.kind) {
        case Subject::Kind::text:
            if (node->field() != no_field) {
                values_->add(node->field(), {.kind = Leaf::Kind::string, .text = mount.content});
            }
            return;
        case Subject::Kind::number:
            if (node->field() != no_field) {
                std::string& text = values_->text();
                text = std::to_string(mount.number);
                values_->add(
                    node->field(),
                    {.kind = Leaf::Kind::number, .text = text, .number = number_of(text).key});
            }
            return;
        case Subject::Kind::json: {
            values_->mark();
            if (!add_json(*node, mount.content)) {
                values_->take_back();
            }
            return;
        }
    }
}

bool Flattener::add_json(const PathNode& node, std::string_view text) {
    if (text.size() > limits.bytes_max) {
        return false;
    }
    const auto positions = index_.positions(text);
    text_ = text.data();
    end_ = text_ + text.size();
    positions_ = positions.data();
    count_ = positions.size();
    i_ = 0;
    place_ = 0;
    open_.clear();
    return walk(node) && is_at_end();
}

/// One value after the other, until everything that was opened is closed.
bool Flattener::walk(const PathNode& node) {
    if (!value(node)) {
        return false;
    }
    while (!open_.empty()) {
        Frame& frame = open_.back();
        if (is_at_end()) {
            return false;
        }
        if (at() == (frame.container == Container::object ? '}' : ']')) {
            close();
            continue;
        }
        if (frame.used) {
            if (at() != ',') {
                return false;
            }
            ++i_;
        }
        frame.used = true;
        if (!next(frame)) {
            return false;
        }
    }
    return true;
}

/// The next member of an object or item of an array.
bool Flattener::next(const Frame& frame) {
    const PathNode& node = *frame.node;
    if (frame.container == Container::object) {
        return member(node);
    }
    // Only elements that hold something can be told apart; plain values of an array lie where it
    // does.
    const bool holds = !is_at_end() && (at() == '{' || at() == '[');
    place_ = holds ? values_->places().next_element(frame.array) : frame.place;
    return value(node);
}

/// The value that begins here.
bool Flattener::value(const PathNode& node) {
    if (is_at_end()) {
        return false;
    }
    switch (at()) {
        case '{':
            // Below a path that goes no further nothing is asked for; only from the root a member
            // with the empty name leads to where it is.
            return node.has_members() || &node == root_ ? open(node, Container::object)
                                                        : pass_container();
        case '[':
            return open(node, Container::array);
        case '"':
            return take_string(node);
        default:
            return take_scalar(node);
    }
}

/// The end of the string, number or word that begins here.
const char* Flattener::token_end() const {
    const char* stop = i_ + 1 < count_ ? text_ + positions_[i_ + 1] : end_;
    while (is_blank(stop[-1])) {
        --stop;
    }
    return stop;
}

bool Flattener::take_string(const PathNode& node) {
    if (node.field() != no_field) {
        const char* const begin = text_ + positions_[i_];
        const char* const stop = token_end();
        if (stop - begin < 2 || stop[-1] != '"') {
            return false;
        }
        const std::string_view raw(begin + 1, static_cast<std::size_t>(stop - begin - 2));
        Value value{.kind = Leaf::Kind::string, .place = place_, .text = raw};
        if (raw.find('\\') != std::string_view::npos) {
            std::string& text = values_->text();
            if (!decode({begin, raw.size() + 2}, text)) {
                return false;
            }
            value.text = text;
        }
        values_->add(node.field(), value);
    }
    ++i_;
    return true;
}

bool Flattener::take_scalar(const PathNode& node) {
    const char* const begin = text_ + positions_[i_];
    const char* const stop = token_end();
    Value value{.place = place_, .text = {begin, static_cast<std::size_t>(stop - begin)}};
    if (*begin == '-' || (*begin >= '0' && *begin <= '9')) {
        value.kind = Leaf::Kind::number;
        if (read_number(begin, stop, value.number) != stop) {
            return false;
        }
    } else {
        value.kind = Leaf::Kind::literal;
        if (!is_word(value.text)) {
            return false;
        }
    }
    if (node.field() != no_field) {
        values_->add(node.field(), value);
    }
    ++i_;
    return true;
}

bool Flattener::open(const PathNode& node, Container container) {
    if (open_.size() == limits.depth_max) {
        return false;
    }
    const bool is_array = container == Container::array;
    open_.push_back({.node = &node,
                     .container = container,
                     .place = place_,
                     .array = is_array ? values_->places().open_array(place_) : 0});
    ++i_;
    return true;
}

void Flattener::close() {
    const Frame& frame = open_.back();
    if (frame.container == Container::array) {
        values_->places().close_array(frame.array);
        place_ = frame.place;
    }
    open_.pop_back();
    ++i_;
}

/// A name, a colon and a value.
bool Flattener::member(const PathNode& node) {
    if (i_ + 2 >= count_ || at() != '"' || text_[positions_[i_ + 1]] != ':') {
        return false;
    }
    const char* const begin = text_ + positions_[i_] + 1;
    const char* const stop = token_end();
    if (stop == begin || stop[-1] != '"') {
        return false;
    }
    const std::string_view name(begin, static_cast<std::size_t>(stop - 1 - begin));
    i_ += 2;
    bool is_name = true;
    const PathNode* const found = find_member(node, name, is_name);
    return is_name && (found != nullptr ? value(*found) : pass());
}

/// Names are compared as they are written. Only one with an escape must be decoded first, and only
/// one with a point leads several steps down.
const PathNode* Flattener::find_member(const PathNode& node, std::string_view name, bool& is_name) {
    if (!node.has_odd_names()) {
        const PathNode* const found =
            name.empty() && &node == root_ ? &node : node.member(Name(name, end_));
        if (found != nullptr) {
            return found;
        }
    }
    if (!is_odd(name)) {
        return node.has_odd_names() ? descend(*root_, node, name) : nullptr;
    }
    if (name.find('\\') == std::string_view::npos) {
        return descend(*root_, node, name);
    }
    is_name = decode({name.data() - 1, name.size() + 2}, name_);
    return is_name ? descend(*root_, node, name_) : nullptr;
}

/// A value that nobody asks for.
bool Flattener::pass() {
    switch (at()) {
        case '{':
        case '[':
            return pass_container();
        case '}':
        case ']':
        case ',':
        case ':':
            return false;
        default:
            ++i_;
            return true;
    }
}

bool Flattener::pass_container() {
    const std::size_t outside = open_.size();
    std::size_t depth = outside;
    // Most of a large event is passed here: everything in registers.
    const char* const text = text_;
    const std::uint32_t* at = positions_ + i_;
    const std::uint32_t* const end = positions_ + count_;
    for (; at != end; ++at) {
        depth += static_cast<std::size_t>(nesting_change[static_cast<unsigned char>(text[*at])]);
        if (depth == outside) {
            i_ = static_cast<std::size_t>(at + 1 - positions_);
            return true;
        }
        if (depth > limits.depth_max) {
            return false;
        }
    }
    return false;
}

}  // namespace bascule::pattern
