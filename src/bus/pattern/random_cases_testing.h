#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "foundation/base/random.h"

/// Patterns and events at random, for tests only: from so few names and values that they often
/// meet, and with everything that is odd about both.
namespace bascule::pattern {

class RandomCases {
  public:
    explicit RandomCases(std::uint64_t seed) : random_(seed) {}

    std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }

    /// The text of a pattern; sometimes one that is refused.
    std::string pattern() { return fields(0, false); }

    /// The text of an event; sometimes one that is not JSON.
    std::string event() {
        std::string text = object(0);
        if (one_in(100)) {
            text.insert(below(text.size() + 1), 1, "{}[],:\"\\x1\n"[below(10)]);
        }
        return text;
    }

    std::string value(int depth) {
        switch (below(depth > 3 ? 6 : 10)) {
            case 0:
            case 1:
            case 2:
                return quoted_text();
            case 3:
            case 4:
                return std::string(pick(numbers));
            case 5:
                return std::string(pick(words));
            case 6:
            case 7:
                return object(depth + 1);
            default:
                return array(depth + 1);
        }
    }

  private:
    static constexpr std::array<std::string_view, 10> names = {
        "a", "b", "c", "a", "b", "a.b", "", "é", "a-", "long-name.with.steps"};
    /// Names as an event may write them.
    static constexpr std::array<std::string_view, 14> written_names = {
        "a",         "b",
        "c",         "a",
        "b",         "a.b",
        "",          "é",
        "a-",        "long-name.with.steps",
        R"(\u0061)", R"(a\u002eb)",
        R"(a\"b)",   R"(\u00e9)"};
    static constexpr std::array<std::string_view, 20> texts = {
        "",       "x", "X", "xy", "xyx",      "ß",         "SS",  "straße",  "STRASSE",   "K",
        "\u212A", "ǅ", "ǆ", "İ",  "10.0.0.1", "10.0.00.1", "::1", "0:0::01", "192.168.9", "🙂x"};
    static constexpr std::array<std::string_view, 32> numbers = {"0",
                                                                 "-0",
                                                                 "0.0",
                                                                 "0e5",
                                                                 "1",
                                                                 "1.0",
                                                                 "10e-1",
                                                                 "0.1E+1",
                                                                 "2.5",
                                                                 "-2.5",
                                                                 "300",
                                                                 "3e2",
                                                                 "1e400",
                                                                 "-1e400",
                                                                 "1e-400",
                                                                 "9223372036854775807",
                                                                 "9223372036854775808",
                                                                 "9007199254740993",
                                                                 "9007199254740992",
                                                                 "9007199254740993.0",
                                                                 "12345678901234567890",
                                                                 "1.00000000000000000000001",
                                                                 "100",
                                                                 "99.99",
                                                                 "-1",
                                                                 "5e-324",
                                                                 "4.9e-324",
                                                                 "0.1",
                                                                 "0.10",
                                                                 "122.45678901234567",
                                                                 "0e99999999999",
                                                                 "1e99999999999"};
    static constexpr std::array<std::string_view, 4> words = {"true", "false", "null", "null"};
    static constexpr std::array<std::string_view, 8> networks = {
        "10.0.0.0/8", "10.0.0.0/31", "192.168.0.0/16", "0.0.0.0/0",
        "::/0",       "::/127",      "2001:db8::/32",  "::1/64"};

    bool one_in(std::uint64_t bound) { return below(bound) == 0; }

    template <std::size_t size>
    std::string_view pick(const std::array<std::string_view, size>& all) {
        return all[below(size)];
    }

    /// Sizes around the words in which the engine reads names and texts, and a letter apart in a
    /// place where only that word sees it.
    std::string text_around_words() {
        constexpr std::array<std::size_t, 6> sizes = {7, 8, 9, 16, 17, 24};
        std::string text(sizes[below(sizes.size())], 'x');
        if (one_in(2)) {
            const std::array<std::size_t, 4> places = {0, text.size() / 2, 8, text.size() - 1};
            text[std::min(places[below(places.size())], text.size() - 1)] = 'y';
        }
        return text;
    }

    std::string name() { return one_in(8) ? text_around_words() : std::string(pick(names)); }
    /// As an event may write it.
    std::string written_name() {
        if (!one_in(8)) {
            return std::string(pick(written_names));
        }
        std::string name = text_around_words();
        switch (below(4)) {
            case 0:
                return name.replace(name.rfind('x'), 1, R"(\u0078)");
            case 1:
                return name + "." + std::string(pick(names));
            default:
                return name;
        }
    }

    std::string text() {
        if (one_in(6)) {
            return text_around_words();
        }
        if (one_in(2)) {
            return std::string(pick(texts));
        }
        std::string text;
        for (std::uint64_t size = below(5); size > 0; --size) {
            text += "xyXa"[below(4)];
        }
        return text;
    }

    /// A JSON string, now and then with escapes: of a long one it is the only one, often the last
    /// character.
    std::string quoted_text() {
        std::string plain = text();
        std::string out = "\"";
        if (plain.size() > 6) {
            if (const std::size_t last = plain.rfind('x'); last != std::string::npos && one_in(3)) {
                plain.replace(one_in(2) ? last : plain.find('x', below(last + 1)), 1, R"(\u0078)");
            }
            out += plain;
        } else {
            for (const char c : plain) {
                out += c == 'x' && one_in(8) ? R"(\u0078)" : std::string(1, c);
            }
        }
        if (one_in(20)) {
            out += R"(\\)";
        }
        return out + '"';
    }

    std::string quoted_name() { return '"' + name() + '"'; }
    std::string blank() { return one_in(10) ? " \n" : ""; }

    std::string object(int depth) {
        std::string out = "{" + blank();
        for (std::uint64_t count = below(5); count > 0; --count) {
            out += '"' + written_name() + '"' + blank() + ":" + blank() + value(depth);
            out += blank() + (count > 1 ? "," : "");
        }
        return out + "}";
    }

    std::string array(int depth) {
        std::string out = "[";
        for (std::uint64_t count = below(4); count > 0; --count) {
            out += value(depth) + blank() + (count > 1 ? "," : "");
        }
        return out + "]";
    }

    std::string fields(int depth, bool in_or) {
        std::string out = "{";
        for (std::uint64_t count = 1 + below(depth > 1 ? 2 : 3); count > 0; --count) {
            if (depth < 3 && one_in(10)) {
                out += R"("$or":[)" + fields(depth + 1, true) + "," + fields(depth + 1, true) +
                       (one_in(3) ? "," + fields(depth + 1, true) : "") + "]";
            } else {
                out += quoted_name() + ":";
                out += depth < 3 && one_in(3) ? fields(depth + 1, in_or) : terms();
            }
            out += count > 1 ? "," : "";
        }
        return out + "}";
    }

    std::string terms() {
        std::string out = "[";
        for (std::uint64_t count = 1 + below(3); count > 0; --count) {
            out += term() + (count > 1 ? "," : "");
        }
        return out + "]";
    }

    std::string wildcard() {
        std::string out = "\"";
        for (std::uint64_t count = 1 + below(5); count > 0; --count) {
            if (one_in(2) && out.back() != '*') {
                out += '*';
            } else {
                out += "xyXa"[below(4)];
            }
        }
        return out + '"';
    }

    std::string operation(std::string_view name, const std::string& argument) {
        return "{\"" + std::string(name) + "\":" + argument + "}";
    }

    template <class Item>
    std::string one_or_list(const Item& item) {
        return one_in(2) ? item() : "[" + item() + "," + item() + "]";
    }

    std::string anything_but() {
        const auto quoted = [&] { return quoted_text(); };
        switch (below(6)) {
            case 0:
                return one_or_list([&] { return std::string(pick(numbers)); });
            case 1:
                return operation("prefix", one_or_list(quoted));
            case 2:
                return operation("suffix", one_or_list(quoted));
            case 3:
                return operation("equals-ignore-case", one_or_list(quoted));
            case 4:
                return operation("wildcard", one_or_list([&] { return wildcard(); }));
            default:
                return one_or_list(quoted);
        }
    }

    std::string numeric() {
        const std::string first(pick(numbers));
        switch (below(4)) {
            case 0:
                return "[\"=\"," + first + "]";
            case 1:
                return std::string(one_in(2) ? "[\"<\"," : "[\">=\",") + first + "]";
            default:
                return std::string(one_in(2) ? "[\">\"," : "[\">=\",") + first +
                       (one_in(2) ? ",\"<\"," : ",\"<=\",") + std::string(pick(numbers)) + "]";
        }
    }

    std::string term() {
        const auto affix = [&] {
            return one_in(2) ? quoted_text() : operation("equals-ignore-case", quoted_text());
        };
        switch (below(13)) {
            case 0:
            case 1:
                return quoted_text();
            case 2:
                return std::string(pick(numbers));
            case 3:
                return std::string(pick(words));
            case 4:
                return operation("prefix", affix());
            case 5:
                return operation("suffix", affix());
            case 6:
                return operation("equals-ignore-case", quoted_text());
            case 7:
                return operation("wildcard", wildcard());
            case 8:
                return operation("anything-but", anything_but());
            case 9:
                return operation("numeric", numeric());
            case 10:
                return operation("exists", one_in(2) ? "true" : "false");
            case 11:
                return operation("cidr", '"' + std::string(pick(networks)) + '"');
            default:
                return operation("exists", "false");
        }
    }

    Random random_;
};

}  // namespace bascule::pattern
