#include <algorithm>
#include <vector>

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
bool before_in_utf16(std::string_view left, std::string_view right) {
    const auto rank = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == 0xEE || byte == 0xEF ? byte + 0x10 : static_cast<int>(byte);
    };
    return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(),
                                        [&](char a, char b) { return rank(a) < rank(b); });
}

/// A member that was already written, at out[begin, end).
struct Written {
    std::string name;
    std::size_t begin;
    std::size_t end;
};

/// Puts the members at the end of `out`, which lie from `first` on with a comma before each but the
/// first, in order.
void sort_members(std::vector<Written>& members, std::size_t first, std::string& out) {
    const auto before = [](const Written& a, const Written& b) {
        return a.name == b.name ? a.begin < b.begin : before_in_utf16(a.name, b.name);
    };
    if (std::is_sorted(members.begin(), members.end(), before)) {
        return;
    }
    std::sort(members.begin(), members.end(), before);
    const std::string unsorted = out.substr(first);
    out.resize(first);
    for (const Written& member : members) {
        out += out.size() == first ? "" : ",";
        out.append(unsorted, member.begin - first, member.end - member.begin);
    }
}

void write_canonical(Reader& reader, std::string& out);

void write_object(Reader& reader, std::string& out) {
    out += '{';
    const std::size_t first = out.size();
    std::vector<Written> members;
    if (reader.enter_object()) {
        while (const auto key = reader.next_member()) {
            out += members.empty() ? "" : ",";
            const std::size_t begin = out.size();
            write_string(*key, out);
            out += ':';
            write_canonical(reader, out);
            members.push_back({key->decoded(), begin, out.size()});
        }
    }
    sort_members(members, first, out);
    out += '}';
}

void write_array(Reader& reader, std::string& out) {
    out += '[';
    const std::size_t first = out.size();
    if (reader.enter_array()) {
        while (reader.next_item()) {
            out += out.size() == first ? "" : ",";
            write_canonical(reader, out);
        }
    }
    out += ']';
}

void write_canonical(Reader& reader, std::string& out) {
    switch (reader.peek()) {
        case Kind::object:
            write_object(reader, out);
            return;
        case Kind::array:
            write_array(reader, out);
            return;
        case Kind::string:
            write_string(reader.string(), out);
            return;
        default:
            out += reader.skip();
            return;
    }
}

}  // namespace

Result<std::string> canonical(std::string_view text, const Limits& limits) {
    Reader reader(text, limits);
    std::string out;
    out.reserve(text.size());
    write_canonical(reader, out);
    TRY(reader.finish());
    return out;
}

}  // namespace bascule::json
