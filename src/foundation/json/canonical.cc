#include <algorithm>
#include <compare>
#include <cstring>
#include <forward_list>
#include <span>
#include <utility>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/json/raw.h"
#include "foundation/json/reader.h"
#include "foundation/json/writer.h"

namespace bascule::json {

namespace {

void write_string(const Text& text, std::string& out) {
    if (text.is_escaped()) {
        append_string(out, text.decoded());
    } else {
        out.append("\"").append(text.raw()).append("\"");
    }
}

/// UTF-8 sorts as UTF-16 does, but for U+E000 to U+FFFF (lead bytes EE, EF), which come after the
/// surrogate pairs of everything beyond (lead bytes F0 to F4).
std::strong_ordering compare_in_utf16(std::string_view left, std::string_view right) {
    const auto rank = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == 0xEE || byte == 0xEF ? byte + 0x10 : static_cast<int>(byte);
    };
    const auto [l, r] = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
    return l == left.end() || r == right.end() ? left.size() <=> right.size()
                                               : rank(*l) <=> rank(*r);
}

/// Copies the value that comes next without blanks and with shortest escapes, members in order.
void write_plain(Reader& reader, std::string& out) {
    bool comma = false;
    switch (reader.peek()) {
        case Kind::object:
            out += '{';
            reader.enter_object();
            while (const auto key = reader.next_member()) {
                out += std::exchange(comma, true) ? "," : "";
                write_string(*key, out);
                out += ':';
                write_plain(reader, out);
            }
            out += '}';
            return;
        case Kind::array:
            out += '[';
            reader.enter_array();
            while (reader.next_item()) {
                out += std::exchange(comma, true) ? "," : "";
                write_plain(reader, out);
            }
            out += ']';
            return;
        case Kind::string:
            write_string(reader.string(), out);
            return;
        default:
            out += reader.skip();
            return;
    }
}

/// Sorts the members of a copy of a text. Sorting a text without blanks only moves members about
/// within their object, so every object stays where it is: the copy is sorted in place from the
/// innermost object outwards, while the text is read once.
class MemberSorter {
  public:
    /// `copy` holds `text`.
    MemberSorter(std::string_view text, const Limits& limits, char* copy)
        : text_(text), reader_(text, limits), copy_(copy) {}

    /// False once the text is seen to have blanks: then nothing that was done counts. Errors:
    /// `invalid`.
    Result<bool> run() {
        value();
        if (!reader_.saw_blanks()) {
            TRY(reader_.finish());
        }
        return !reader_.saw_blanks();
    }

  private:
    static constexpr std::size_t members_expected = 16;

    struct Member {
        std::string_view name;
        std::size_t begin;
        std::size_t end;
    };

    void value() {
        switch (reader_.peek()) {
            case Kind::object:
                object();
                return;
            case Kind::array:
                reader_.enter_array();
                while (!reader_.saw_blanks() && reader_.next_item()) {
                    value();
                }
                return;
            default:
                reader_.skip();
                return;
        }
    }

    void object() {
        const std::size_t first = members_.size();
        bool sorted = true;
        reader_.enter_object();
        while (const auto key = reader_.next_member()) {
            if (reader_.saw_blanks()) {
                return;
            }
            // The key stands between quotes, and a colon follows.
            const auto begin = static_cast<std::size_t>(key->raw().data() - text_.data()) - 1;
            const std::string_view name =
                key->is_escaped() ? decoded_.emplace_front(key->decoded()) : key->raw();
            sorted = sorted && (members_.size() == first ||
                                compare_in_utf16(members_.back().name, name) <= 0);
            if (members_.empty()) {
                members_.reserve(members_expected);  // instead of growing there by doubling
            }
            members_.emplace_back(name, begin, begin);
            const std::size_t place = members_.size() - 1;
            value();
            members_[place].end = reader_.byte();
        }
        if (!sorted && !reader_.failed() && !reader_.saw_blanks()) {
            sort(first);
        }
        members_.resize(first);
    }

    /// Equal names keep their order.
    void sort(std::size_t first) {
        const auto members = std::span(members_).subspan(first);
        const std::size_t begin = members.front().begin;
        unsorted_.assign(copy_ + begin, copy_ + members.back().end);
        std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
            const auto order = compare_in_utf16(a.name, b.name);
            return order == 0 ? a.begin < b.begin : order < 0;
        });
        char* at = copy_ + begin;
        for (const Member& member : members) {
            if (at != copy_ + begin) {
                *at++ = ',';
            }
            const std::size_t bytes = member.end - member.begin;
            std::memcpy(at, unsorted_.data() + (member.begin - begin), bytes);
            at += bytes;
        }
    }

    std::string_view text_;
    Reader reader_;
    char* copy_;
    std::vector<Member> members_;             ///< of the objects we are in
    std::forward_list<std::string> decoded_;  ///< names that had escapes
    std::string unsorted_;
};

}  // namespace

Result<> append_canonical(std::string& out, std::string_view text, const Limits& limits) {
    const std::size_t begin = out.size();
    const bool escaped = text.find('\\') != std::string_view::npos;
    if (!escaped) {
        out += text;
        const auto sorted = MemberSorter(text, limits, out.data() + begin).run();
        if (sorted && *sorted) {
            return {};
        }
        out.resize(begin);
        TRY(std::move(sorted));
    }
    Reader reader(text, limits);
    std::string plain;
    plain.reserve(text.size());
    write_plain(reader, plain);
    TRY(reader.finish());
    out += plain;
    const auto sorted = MemberSorter(plain, limits, out.data() + begin).run();
    CHECK(sorted && *sorted);
    return {};
}

Result<std::string> canonical(std::string_view text, const Limits& limits) {
    std::string out;
    TRY(append_canonical(out, text, limits));
    return out;
}

}  // namespace bascule::json
