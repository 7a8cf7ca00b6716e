#include "bus/pattern/engine/predicate.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "bus/pattern/fold.h"

namespace bascule::pattern {

namespace {

bool is_string(const Value& value) { return value.kind == Leaf::Kind::string; }

bool equals_folded(std::string_view left, std::string_view right) {
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(),
                      [](char a, char b) { return ascii_lower(a) == ascii_lower(b); });
}

bool matches(std::string_view text, const FoldedEquals& check) {
    return check.is_ascii ? equals_folded(text, check.text)
                          : equals_ignoring_case(check.text, text);
}

bool matches(std::string_view text, const FoldedPrefix& check) {
    return check.is_ascii ? equals_folded(text.substr(0, check.text.size()), check.text)
                          : begins_ignoring_case(check.text, text);
}

bool matches(std::string_view text, const FoldedSuffix& check) {
    if (!check.is_ascii) {
        return ends_ignoring_case(check.text, text);
    }
    return text.size() >= check.text.size() &&
           equals_folded(text.substr(text.size() - check.text.size()), check.text);
}

bool matches(std::string_view text, const PlainPrefix& check) {
    return text.starts_with(check.text);
}

bool matches(std::string_view text, const PlainSuffix& check) { return text.ends_with(check.text); }

/// As std::string_view::find in linear time, whatever repeats: memmem's. Short texts are looked
/// through at once.
const char* find_piece(std::string_view text, const std::string& piece) {
    constexpr std::size_t call_pays = 32;
    if (text.size() > call_pays) {
        return static_cast<const char*>(
            memmem(text.data(), text.size(), piece.data(), piece.size()));
    }
    for (; text.size() >= piece.size(); text.remove_prefix(1)) {
        if (text.front() == piece.front() && text.starts_with(piece)) {
            return text.data();
        }
    }
    return nullptr;
}

/// Between what it begins and ends with, each piece as early as possible leaves most room for the
/// rest.
bool matches(std::string_view text, const Wildcard& check) {
    const auto& pieces = check.pieces;
    const std::size_t ends = pieces.front().size() + pieces.back().size();
    if (text.size() < ends || !text.starts_with(pieces.front()) || !text.ends_with(pieces.back())) {
        return false;
    }
    text = text.substr(pieces.front().size(), text.size() - ends);
    for (std::size_t i = 1; i + 1 < pieces.size(); ++i) {
        const char* const found = find_piece(text, pieces[i]);
        if (found == nullptr) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(found + pieces[i].size() - text.data()));
    }
    return true;
}

bool matches(std::string_view text, const Cidr& check) {
    const auto address = parse_ip(text);
    return address && address->is_in(check.network, check.bits);
}

Folded folded(const std::string& text) { return {text, is_ascii(text)}; }

/// Adds what one term wants to a set.
struct Adding {
    ValueSet& set;

    void operator()(const ExactText& term) const {
        set.texts.push_back(term.text);
        if (term.address) {
            set.checks.emplace_back(Cidr{*term.address, term.address->bits()});
        }
    }
    void operator()(const ExactNumber& term) const { set.numbers.emplace_back(term.number); }
    void operator()(const Literal& term) const { set.words |= word_of(term.word); }
    void operator()(const Prefix& term) const {
        if (term.ignore_case == IgnoreCase::yes) {
            set.checks.emplace_back(FoldedPrefix{folded(term.text)});
        } else {
            set.checks.emplace_back(PlainPrefix{term.text});
        }
    }
    void operator()(const Suffix& term) const {
        if (term.ignore_case == IgnoreCase::yes) {
            set.checks.emplace_back(FoldedSuffix{folded(term.text)});
        } else {
            set.checks.emplace_back(PlainSuffix{term.text});
        }
    }
    void operator()(const EqualsIgnoreCase& term) const {
        set.checks.emplace_back(FoldedEquals{folded(term.text)});
    }
    void operator()(const Wildcard& term) const {
        if (term.pieces.size() == 1) {
            set.texts.push_back(term.pieces.front());
        } else {
            set.checks.emplace_back(term);
        }
    }
    void operator()(const Numeric& term) const { set.checks.emplace_back(Range(term)); }
    void operator()(const Cidr& term) const { set.checks.emplace_back(term); }
    void operator()(const Exists&) const { set.everything = true; }
    void operator()(const Absent&) const {}
    void operator()(const AnythingBut&) const {}
};

/// Writes terms so that different ones differ: every text with its length before it.
struct Writing {
    std::string& out;

    void put(char tag, std::string_view text) const {
        out += tag;
        out += std::to_string(text.size());
        out += ':';
        out += text;
    }
    void operator()(const ExactText& term) const { put(term.address ? 'i' : 't', term.text); }
    void operator()(const ExactNumber& term) const { put('n', term.number); }
    void operator()(const Literal& term) const { put('l', term.word); }
    void operator()(const Prefix& term) const {
        put(term.ignore_case == IgnoreCase::yes ? 'P' : 'p', term.text);
    }
    void operator()(const Suffix& term) const {
        put(term.ignore_case == IgnoreCase::yes ? 'S' : 's', term.text);
    }
    void operator()(const EqualsIgnoreCase& term) const { put('e', term.text); }
    void operator()(const Wildcard& term) const {
        put('w', std::to_string(term.pieces.size()));
        for (const std::string& piece : term.pieces) {
            put('.', piece);
        }
    }
    void operator()(const Numeric& term) const {
        put(term.includes_bottom ? '[' : '(', term.bottom);
        put(term.includes_top ? ']' : ')', term.top);
    }
    void operator()(const Cidr& term) const {
        const auto& bytes = term.network.bytes;
        put(term.network.is_v4 ? '4' : '6',
            {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        put('/', std::to_string(term.bits));
    }
    void operator()(const Exists&) const { out += '+'; }
    void operator()(const Absent&) const { out += '-'; }
    void operator()(const AnythingBut& term) const {
        put('!', std::to_string(term.excluded.size()));
        for (const Excluded& excluded : term.excluded) {
            std::visit(*this, excluded);
        }
    }
};

}  // namespace

std::string ascii_lower(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return ascii_lower(c); });
    return lower;
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string canonical(const Terms& terms) {
    std::vector<std::string> texts;
    for (const Term& term : terms) {
        std::string& text = texts.emplace_back();
        std::visit(Writing{text}, term);
    }
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    std::string all;
    for (const std::string& text : texts) {
        all += text;
    }
    return all;
}

ValueSet::Word word_of(std::string_view text) {
    return text == "true" ? ValueSet::true_ : text == "false" ? ValueSet::false_ : ValueSet::null_;
}

Range::Range(const Numeric& term)
    : includes_bottom_(term.includes_bottom), includes_top_(term.includes_top) {
    if (!term.bottom.empty()) {
        bottom_order_ = order_of(bottom_.emplace_back(term.bottom).key);
    }
    if (!term.top.empty()) {
        top_order_ = order_of(top_.emplace_back(term.top).key);
    }
}

bool Range::contains_bound(const Number& number) const {
    if (!bottom_.empty()) {
        const auto order = compare(number, bottom_.front().get());
        if (order < 0 || (order == 0 && !includes_bottom_)) {
            return false;
        }
    }
    if (!top_.empty()) {
        const auto order = compare(number, top_.front().get());
        if (order > 0 || (order == 0 && !includes_top_)) {
            return false;
        }
    }
    return true;
}

std::size_t Range::memory_bytes() const {
    return (bottom_.capacity() + top_.capacity()) * sizeof(OwnNumber);
}

bool satisfies(const Value& value, const Check& check) {
    if (const auto* const range = std::get_if<Range>(&check)) {
        return value.kind == Leaf::Kind::number && range->contains(value.number()) &&
               value.is_comparable();
    }
    return is_string(value) && std::visit(
                                   [&](const auto& kind) {
                                       if constexpr (requires { matches(value.text, kind); }) {
                                           return matches(value.text, kind);
                                       } else {
                                           return false;
                                       }
                                   },
                                   check);
}

void ValueSet::finish() {
    std::sort(texts.begin(), texts.end(), [](const std::string& left, const std::string& right) {
        return std::tuple(hash_of_text(left), std::string_view(left)) <
               std::tuple(hash_of_text(right), std::string_view(right));
    });
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    for (const std::string& text : texts) {
        text_hashes.push_back(hash_of_text(text));
    }
    std::sort(numbers.begin(), numbers.end(), [](const OwnNumber& left, const OwnNumber& right) {
        return compare(left.get(), right.get()) < 0;
    });
}

bool ValueSet::has_text_among_many(const Value& value) const {
    const std::uint64_t hash = value.hash();
    auto at = std::lower_bound(text_hashes.begin(), text_hashes.end(), hash);
    for (; at != text_hashes.end() && *at == hash; ++at) {
        if (texts[static_cast<std::size_t>(at - text_hashes.begin())] == value.text) {
            return true;
        }
    }
    return false;
}

bool ValueSet::contains(const Value& value) const {
    if (everything) {
        return true;
    }
    switch (value.kind) {
        case Leaf::Kind::string:
            if (has_text(value)) {
                return true;
            }
            break;
        case Leaf::Kind::number: {
            auto at = std::lower_bound(
                numbers.begin(), numbers.end(), value.number(),
                [](const OwnNumber& own, const Number& it) { return compare(own.get(), it) < 0; });
            for (; at != numbers.end() && compare(at->get(), value.number()) == 0; ++at) {
                if (at->is(value)) {
                    return true;
                }
            }
            break;
        }
        case Leaf::Kind::literal:
            return (words & word_of(value.text)) != 0;
    }
    return std::any_of(checks.begin(), checks.end(),
                       [&](const Check& check) { return satisfies(value, check); });
}

Predicate::Predicate(Field field, const Terms& terms) : field(field) {
    for (const Term& term : terms) {
        std::visit(Adding{wanted}, term);
        allows_absence = allows_absence || std::holds_alternative<Absent>(term);
        if (const auto* const but = std::get_if<AnythingBut>(&term)) {
            ValueSet& set = excluded.emplace_back();
            for (const Excluded& value : but->excluded) {
                std::visit(Adding{set}, value);
            }
            set.finish();
        }
    }
    wanted.finish();
    shape_ = shape();
    std::size_t in_turn = wanted.checks.size() + excluded.size();
    for (const ValueSet& set : excluded) {
        in_turn += set.checks.size();
    }
    terms_in_turn_ = static_cast<std::uint32_t>(in_turn);
}

Predicate::Shape Predicate::shape() const {
    if (!excluded.empty() || !wanted.numbers.empty() || wanted.words != 0 || wanted.everything) {
        return Shape::any;
    }
    if (wanted.checks.empty()) {
        return Shape::texts;
    }
    const bool is_range = wanted.texts.empty() && wanted.checks.size() == 1 &&
                          std::holds_alternative<Range>(wanted.checks.front());
    return is_range ? Shape::range : Shape::any;
}

std::uint64_t Predicate::hash_bits() const {
    if (shape_ != Shape::texts) {
        return ~std::uint64_t{0};
    }
    std::uint64_t bits = 0;
    for (const std::uint64_t hash : wanted.text_hashes) {
        bits |= std::uint64_t{1} << (hash >> 58);
    }
    return bits;
}

bool Predicate::is_satisfied_somehow(const Value& value) const {
    return wanted.contains(value) ||
           std::any_of(excluded.begin(), excluded.end(),
                       [&](const ValueSet& set) { return !set.contains(value); });
}

}  // namespace bascule::pattern
