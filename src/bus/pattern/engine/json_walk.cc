#include "bus/pattern/engine/json_walk.h"

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "bus/pattern/engine/word_bytes.h"
#include "foundation/json/limits.h"
#include "foundation/json/reader.h"

namespace bascule::pattern {

namespace {

constexpr json::Limits limits;

/// How often some bytes at structural positions open and close something.
struct Brackets {
    std::uint32_t counts = 0;

    std::uint32_t opening() const { return counts & 0xFFFF; }
    std::uint32_t closing() const { return counts >> 16; }
    void add(char byte) { counts += of_byte[static_cast<unsigned char>(byte)]; }

    static constexpr std::array<std::uint32_t, 256> of_byte = [] {
        std::array<std::uint32_t, 256> counts{};
        counts['{'] = counts['['] = 1;
        counts['}'] = counts[']'] = 1 << 16;
        return counts;
    }();
};

constexpr bool is_blank(char c) {
    return c <= ' ' && (c == ' ' || c == '\t' || c == '\n' || c == '\r');
}

std::uint64_t find_odd(std::uint64_t word) { return find_byte(word, '\\') | find_byte(word, '.'); }

/// Whether a raw name has a backslash or a point.
bool is_odd(const Name& name) {
    if (name.text.size() <= EndWords::word_bytes) {
        return find_odd(name.words.head) != 0;
    }
    return name.is_in_words() ? (find_odd(name.words.head) | find_odd(name.words.tail)) != 0
                              : name.text.find_first_of("\\.") != std::string_view::npos;
}

/// The text that a raw string with escapes stands for, held by `scratch`; nothing if they are none.
std::optional<std::string_view> decoded(std::string_view with_quotes, std::string& scratch) {
    json::Reader reader(with_quotes);
    const json::Text text = reader.string();
    return reader.finish() ? std::optional(text.decoded(scratch)) : std::nullopt;
}

bool is_word(std::string_view token) {
    return token == "true" || token == "false" || token == "null";
}

/// One text. Each step is given the position where its part begins and answers the one behind it,
/// or nullptr if it is not JSON: so the position stays in a register.
class Walk {
  public:
    using At = const std::uint32_t*;

    Walk(const JsonWalk::Paths& paths, const JsonWalk::Text& text, EventValues& values,
         std::vector<JsonWalk::Frame>& open, std::string& name)
        : root_(paths.root),
          text_(text.text.data()),
          text_end_(text_ + text.text.size()),
          end_(text.positions.data() + text.positions.size()),
          values_(values),
          open_(open),
          name_(name) {}

    /// One value after the other, until everything that was opened is closed.
    bool run(const PathNode& node, At at) {
        if (at == end_) {
            return false;
        }
        at = value(node, at);
        while (at != nullptr && !open_.empty()) {
            at = open_.back().is_array ? items(at) : members(at);
        }
        return at == end_;
    }

  private:
    char byte(At at) const { return text_[*at]; }

    /// The end of the string, number or word that begins at a position: blanks lie between it and
    /// what comes next. Behind the last position stands the text's size.
    const char* token_end(At at) const {
        const char* stop = text_ + at[1];
        while (is_blank(stop[-1])) {
            --stop;
        }
        return stop;
    }

    /// Goes on in the object that was opened last, until it is closed or something in it is opened.
    At members(At at) {
        const std::size_t depth = open_.size();
        const PathNode& node = *open_.back().node;
        bool used = open_.back().used;
        while (at != end_) {
            if (byte(at) == '}') {
                open_.pop_back();
                return at + 1;
            }
            if (used && byte(at++) != ',') {
                return nullptr;
            }
            used = true;
            at = member(node, at);
            if (at == nullptr || open_.size() != depth) {
                open_[depth - 1].used = true;
                return at;
            }
        }
        return nullptr;
    }

    /// A name, a colon and a value.
    At member(const PathNode& node, At at) {
        if (end_ - at < 3 || byte(at) != '"' || byte(at + 1) != ':') {
            return nullptr;
        }
        const char* const begin = text_ + *at + 1;
        if (!node.may_follow(*begin)) {
            return pass(at + 2);
        }
        const char* const end = token_end(at) - 1;
        if (end < begin || *end != '"') {
            return nullptr;
        }
        const Name name({begin, static_cast<std::size_t>(end - begin)}, text_end_);
        if (!node.has_odd_names() && !name.text.empty()) {
            if (const PathNode* const found = node.member(name)) {
                return value(*found, at + 2);
            }
            if (!is_odd(name)) {
                return pass(at + 2);
            }
        }
        return odd_member(node, name.text, at + 2);
    }

    /// Names are compared as they are written. Only one with an escape must be decoded first, and
    /// only one with a point leads several steps down.
    At odd_member(const PathNode& node, std::string_view name, At at) {
        if (name.find('\\') != std::string_view::npos) {
            const auto plain = decoded({name.data() - 1, name.size() + 2}, name_);
            if (!plain) {
                return nullptr;
            }
            name = *plain;
        }
        const PathNode* const found = descend(root_, node, name);
        return found != nullptr ? value(*found, at) : pass(at);
    }

    /// Goes on in an array.
    At items(At at) {
        const std::size_t depth = open_.size();
        const JsonWalk::Frame frame = open_.back();
        bool used = frame.used;
        while (at != end_) {
            if (byte(at) == ']') {
                values_.places().close_array(frame.array);
                place_ = frame.place;
                open_.pop_back();
                return at + 1;
            }
            if (used && (byte(at++) != ',' || at == end_)) {
                return nullptr;
            }
            used = true;
            // Only elements that hold something can be told apart; plain values of an array lie
            // where it does.
            const bool holds = byte(at) == '{' || byte(at) == '[';
            place_ = holds ? values_.places().next_element(frame.array) : frame.place;
            at = value(*frame.node, at);
            if (at == nullptr || open_.size() != depth) {
                open_[depth - 1].used = true;
                return at;
            }
        }
        return nullptr;
    }

    At value(const PathNode& node, At at) {
        switch (byte(at)) {
            case '"':
                return node.field() != no_field ? take_string(node.field(), at) : at + 1;
            case '{':
                // Below a path that goes no further nothing is asked for; only from the root a
                // member with the empty name leads to where it is.
                return node.has_members() || &node == &root_ ? open({.node = &node}, at)
                                                             : pass_container(at);
            case '[':
                return open({.node = &node,
                             .is_array = true,
                             .place = place_,
                             .array = values_.places().open_array(place_)},
                            at);
            default:
                return take_scalar(node.field(), at);
        }
    }

    At open(const JsonWalk::Frame& frame, At at) {
        if (open_.size() == limits.depth_max) {
            return nullptr;
        }
        open_.push_back(frame);
        return at + 1;
    }

    At take_string(Field field, At at) {
        const char* const begin = text_ + *at;
        const char* const stop = token_end(at);
        if (stop - begin < 2 || stop[-1] != '"') {
            return nullptr;
        }
        const std::string_view text(begin + 1, static_cast<std::size_t>(stop - begin - 2));
        if (text.size() <= EndWords::text_bytes_max) {
            const EndWords words(text, text_end_);
            if ((find_byte(words.head, '\\') | find_byte(words.tail, '\\')) == 0) {
                // Hashed here: its bytes are at hand, and mostly it will be asked for.
                values_.add(field, Leaf::Kind::string, place_, text, words.hash(text.size()));
                return at + 1;
            }
        } else if (std::memchr(text.data(), '\\', text.size()) == nullptr) {
            values_.add(field, Leaf::Kind::string, place_, text);
            return at + 1;
        }
        const auto plain = decoded({begin, text.size() + 2}, values_.text());
        if (!plain) {
            return nullptr;
        }
        values_.add(field, Leaf::Kind::string, place_, *plain);
        return at + 1;
    }

    /// Checked also if nobody asks for it.
    At take_scalar(Field field, At at) {
        const char* const begin = text_ + *at;
        const char* const stop = token_end(at);
        const std::string_view text(begin, static_cast<std::size_t>(stop - begin));
        if (*begin != '-' && (*begin < '0' || *begin > '9')) {
            if (field != no_field) {
                values_.add(field, Leaf::Kind::literal, place_, text);
            }
            return is_word(text) ? at + 1 : nullptr;
        }
        NumberKey unasked;
        NumberKey& key =
            field != no_field ? values_.add(field, Leaf::Kind::number, place_, text).key : unasked;
        return read_number(begin, stop, key) == stop ? at + 1 : nullptr;
    }

    /// A value that nobody asks for.
    At pass(At at) const {
        switch (byte(at)) {
            case '{':
            case '[':
                return pass_container(at);
            case '}':
            case ']':
            case ',':
            case ':':
                return nullptr;
            default:
                return at + 1;
        }
    }

    /// Of two positions, read at once: loads are what takes the time here.
    void add_two(Brackets& brackets, At at) const {
        std::uint64_t two = 0;
        std::memcpy(&two, at, sizeof(two));
        brackets.add(text_[two & UINT32_MAX]);
        brackets.add(text_[two >> 32]);
    }

    template <std::size_t... i>
    Brackets brackets_at(At at, std::index_sequence<i...>) const {
        Brackets brackets;
        (add_two(brackets, at + (2 * i)), ...);
        return brackets;
    }

    /// Most of a large event is passed here: over several positions at once, as long as fewer
    /// brackets close there than are open, so that the end cannot be among them.
    At pass_container(At at) const {
        constexpr std::ptrdiff_t several = 16;
        const std::size_t inside_max = limits.depth_max - open_.size();
        std::size_t inside = 0;
        const auto pass_one = [&] {
            Brackets brackets;
            brackets.add(byte(at++));
            inside += brackets.opening() - std::size_t{brackets.closing()};
            return inside - 1 < inside_max;
        };
        bool is_inside = pass_one();
        while (is_inside && end_ - at >= several) {
            const Brackets brackets = brackets_at(at, std::make_index_sequence<several / 2>());
            if (brackets.closing() < inside && inside + brackets.opening() <= inside_max) {
                inside += brackets.opening() - std::size_t{brackets.closing()};
                at += several;
                continue;
            }
            for (std::ptrdiff_t i = 0; i < several && is_inside; ++i) {
                is_inside = pass_one();
            }
        }
        while (is_inside && at != end_) {
            is_inside = pass_one();
        }
        return inside == 0 ? at : nullptr;
    }

    const PathNode& root_;
    const char* const text_;
    const char* const text_end_;
    const At end_;
    EventValues& values_;
    std::vector<JsonWalk::Frame>& open_;
    std::string& name_;
    Place place_ = 0;
};

}  // namespace

bool JsonWalk::run(const Paths& paths, const Text& text, EventValues& values) {
    open_.clear();
    return Walk(paths, text, values, open_, name_).run(paths.node, text.positions.data());
}

}  // namespace bascule::pattern
