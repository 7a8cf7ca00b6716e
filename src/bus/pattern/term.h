#pragma once

#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bus/pattern/ip_address.h"
#include "bus/pattern/pattern.h"

/// What a pattern is made of once it is parsed, and which values satisfy it.
namespace bascule::pattern {

/// A value in an event: string (decoded), number (as written), or one of true, false, null.
struct Leaf {
    enum class Kind : std::uint8_t { string, number, literal };
    Kind kind = Kind::string;
    std::string text;
};

/// An exact string; as a pattern's plain string also any spelling of the same IP address.
struct ExactText {
    std::string text;
    std::optional<IpAddress> address;
};
struct ExactNumber {
    std::string number;
};
struct Literal {
    std::string word;  ///< true, false, null
};
enum class IgnoreCase : std::uint8_t { no, yes };
struct Prefix {
    std::string text;
    IgnoreCase ignore_case = IgnoreCase::no;
};
struct Suffix {
    std::string text;
    IgnoreCase ignore_case = IgnoreCase::no;
};
struct EqualsIgnoreCase {
    std::string text;
};
struct Wildcard {
    std::vector<std::string>
        pieces;  ///< the literal text between the stars; n pieces = n - 1 stars

    friend auto operator<=>(const Wildcard&, const Wildcard&) = default;
};
/// Numbers between two bounds; an empty bound is none.
struct Numeric {
    std::string bottom;
    std::string top;
    bool includes_bottom = false;
    bool includes_top = false;
};
struct Cidr {
    IpAddress network;
    unsigned bits = 0;
};
struct Exists {};
struct Absent {};

using Excluded = std::variant<ExactText, ExactNumber, Prefix, Suffix, EqualsIgnoreCase, Wildcard>;
struct AnythingBut {
    std::vector<Excluded> excluded;
};

using Term = std::variant<ExactText, ExactNumber, Literal, Prefix, Suffix, EqualsIgnoreCase,
                          Wildcard, Numeric, Cidr, Exists, Absent, AnythingBut>;

/// Whether a value that is there satisfies the term. `Absent` never does.
bool satisfies(const Leaf& leaf, const Term& term);

using Terms = std::vector<Term>;

/// One way to satisfy a pattern: all of these fields, by dotted path. Sorted: the order is the
/// matcher's.
using Alternative = std::map<std::string, std::shared_ptr<const Terms>>;

/// Every path that some alternative names.
using Paths = std::set<std::string, std::less<>>;

struct Pattern::Compiled {
    std::string text;
    Dialect dialect = Dialect::eventbridge;
    std::vector<Alternative> alternatives;
    Paths paths;
};

}  // namespace bascule::pattern
