#include "bus/pattern/term_text.h"

#include <array>
#include <charconv>
#include <string_view>

#include "foundation/json/writer.h"

namespace bascule::pattern {

namespace {

std::string quoted(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

std::string operation(std::string_view name, const std::string& argument) {
    return "{" + quoted(name) + ":" + argument + "}";
}

std::string ignoring_case(const std::string& text) {
    return operation("equals-ignore-case", quoted(text));
}

std::string text_of(const Wildcard& term) {
    std::string text;
    for (std::size_t i = 0; i < term.pieces.size(); ++i) {
        text += i == 0 ? "" : "*";
        for (const char c : term.pieces[i]) {
            text += c == '*' || c == '\\' ? "\\" : "";
            text += c;
        }
    }
    return quoted(text);
}

std::string text_of(const IpAddress& address) {
    std::string text;
    const std::size_t step = address.is_v4 ? 1 : 2;
    for (std::size_t i = 0; i < (address.is_v4 ? 4 : address.bytes.size()); i += step) {
        const unsigned group =
            address.is_v4 ? address.bytes[i] : address.bytes[i] << 8U | address.bytes[i + 1];
        std::array<char, 8> digits{};
        const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), group,
                                                address.is_v4 ? 10 : 16);
        text += i == 0 ? "" : address.is_v4 ? "." : ":";
        text.append(digits.data(), end);
    }
    return text;
}

/// Of one kind all, as the parser takes care.
struct Argument {
    std::string_view inner;  ///< the operator inside anything-but; "" for plain values
    std::string text;
};
Argument argument_of(const ExactText& term) { return {"", quoted(term.text)}; }
Argument argument_of(const ExactNumber& term) { return {"", term.number}; }
Argument argument_of(const Prefix& term) { return {"prefix", quoted(term.text)}; }
Argument argument_of(const Suffix& term) { return {"suffix", quoted(term.text)}; }
Argument argument_of(const EqualsIgnoreCase& term) {
    return {"equals-ignore-case", quoted(term.text)};
}
Argument argument_of(const Wildcard& term) { return {"wildcard", text_of(term)}; }

struct Writer {
    std::string operator()(const ExactText& term) const {
        // `exactly` is not read as an address.
        return !term.address && parse_ip(term.text) ? operation("exactly", quoted(term.text))
                                                    : quoted(term.text);
    }
    std::string operator()(const ExactNumber& term) const { return term.number; }
    std::string operator()(const Literal& term) const { return term.word; }
    std::string operator()(const Prefix& term) const {
        return operation("prefix", term.ignore_case == IgnoreCase::no ? quoted(term.text)
                                                                      : ignoring_case(term.text));
    }
    std::string operator()(const Suffix& term) const {
        return operation("suffix", term.ignore_case == IgnoreCase::no ? quoted(term.text)
                                                                      : ignoring_case(term.text));
    }
    std::string operator()(const EqualsIgnoreCase& term) const { return ignoring_case(term.text); }
    std::string operator()(const Wildcard& term) const {
        return operation("wildcard", text_of(term));
    }
    std::string operator()(const Numeric& term) const {
        if (term.bottom == term.top) {
            return operation("numeric", "[\"=\"," + term.bottom + "]");
        }
        std::string range;
        if (!term.bottom.empty()) {
            range += (term.includes_bottom ? "\">=\"," : "\">\",") + term.bottom;
        }
        if (!term.top.empty()) {
            range += range.empty() ? "" : ",";
            range += (term.includes_top ? "\"<=\"," : "\"<\",") + term.top;
        }
        return operation("numeric", "[" + range + "]");
    }
    std::string operator()(const Cidr& term) const {
        return operation("cidr", quoted(text_of(term.network) + "/" + std::to_string(term.bits)));
    }
    std::string operator()(const Exists&) const { return operation("exists", "true"); }
    std::string operator()(const Absent&) const { return operation("exists", "false"); }
    std::string operator()(const AnythingBut& term) const {
        std::string list;
        std::string_view inner;
        for (const Excluded& excluded : term.excluded) {
            const Argument argument =
                std::visit([](const auto& kind) { return argument_of(kind); }, excluded);
            inner = argument.inner;
            list += (list.empty() ? "" : ",") + argument.text;
        }
        if (term.excluded.size() != 1) {
            list = "[" + list + "]";
        }
        return operation("anything-but", inner.empty() ? list : operation(inner, list));
    }
};

}  // namespace

std::string text_of(const Term& term) { return std::visit(Writer(), term); }

std::string text_of(const Leaf& leaf) {
    return leaf.kind == Leaf::Kind::string ? quoted(leaf.text) : leaf.text;
}

}  // namespace bascule::pattern
