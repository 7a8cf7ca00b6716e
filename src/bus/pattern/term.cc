#include "bus/pattern/term.h"

#include <algorithm>

#include "bus/pattern/comparable_number.h"
#include "bus/pattern/fold.h"
#include "foundation/json/number.h"

namespace bascule::pattern {

namespace {

bool is_string(const Leaf& leaf) { return leaf.kind == Leaf::Kind::string; }
bool is_number(const Leaf& leaf) { return leaf.kind == Leaf::Kind::number; }

bool matches(const Leaf& leaf, const ExactText& term) {
    return is_string(leaf) &&
           (leaf.text == term.text || (term.address && parse_ip(leaf.text) == term.address));
}

/// What cannot be compared equals only what is written the same.
bool matches(const Leaf& leaf, const ExactNumber& term) {
    return is_number(leaf) &&
           (leaf.text == term.number || (json::compare_numbers(leaf.text, term.number) == 0 &&
                                         is_comparable(leaf.text) && is_comparable(term.number)));
}

bool matches(const Leaf& leaf, const Literal& term) {
    return leaf.kind == Leaf::Kind::literal && leaf.text == term.word;
}

bool matches(const Leaf& leaf, const Prefix& term) {
    return is_string(leaf) &&
           (term.ignore_case == IgnoreCase::no ? leaf.text.starts_with(term.text)
                                               : begins_ignoring_case(term.text, leaf.text));
}

bool matches(const Leaf& leaf, const Suffix& term) {
    return is_string(leaf) &&
           (term.ignore_case == IgnoreCase::no ? leaf.text.ends_with(term.text)
                                               : ends_ignoring_case(term.text, leaf.text));
}

bool matches(const Leaf& leaf, const EqualsIgnoreCase& term) {
    return is_string(leaf) && equals_ignoring_case(term.text, leaf.text);
}

/// The first piece begins the text, the last ends it, and those between follow each other: taking
/// each as early as possible leaves most room for the rest.
bool matches(const Leaf& leaf, const Wildcard& term) {
    std::string_view rest = leaf.text;
    if (!is_string(leaf)) {
        return false;
    }
    if (term.pieces.size() == 1) {
        return rest == term.pieces.front();
    }
    if (!rest.starts_with(term.pieces.front())) {
        return false;
    }
    rest.remove_prefix(term.pieces.front().size());
    for (std::size_t i = 1; i + 1 < term.pieces.size(); ++i) {
        const std::size_t found = rest.find(term.pieces[i]);
        if (found == std::string_view::npos) {
            return false;
        }
        rest.remove_prefix(found + term.pieces[i].size());
    }
    return rest.ends_with(term.pieces.back());
}

bool matches(const Leaf& leaf, const Numeric& term) {
    if (!is_number(leaf) || !is_comparable(leaf.text)) {
        return false;
    }
    if (!term.bottom.empty()) {
        const auto order = json::compare_numbers(leaf.text, term.bottom);
        if (order < 0 || (order == 0 && !term.includes_bottom)) {
            return false;
        }
    }
    if (!term.top.empty()) {
        const auto order = json::compare_numbers(leaf.text, term.top);
        if (order > 0 || (order == 0 && !term.includes_top)) {
            return false;
        }
    }
    return true;
}

bool matches(const Leaf& leaf, const Cidr& term) {
    const auto address = is_string(leaf) ? parse_ip(leaf.text) : std::nullopt;
    return address && address->is_in(term.network, term.bits);
}

bool matches(const Leaf&, const Exists&) { return true; }
bool matches(const Leaf&, const Absent&) { return false; }

/// Values of another type than the excluded ones are something else, hence allowed.
bool matches(const Leaf& leaf, const AnythingBut& term) {
    return std::none_of(term.excluded.begin(), term.excluded.end(), [&](const Excluded& excluded) {
        return std::visit([&](const auto& kind) { return matches(leaf, kind); }, excluded);
    });
}

}  // namespace

bool satisfies(const Leaf& leaf, const Term& term) {
    return std::visit([&](const auto& kind) { return matches(leaf, kind); }, term);
}

}  // namespace bascule::pattern
