#include "bus/pattern/pattern.h"

#include <algorithm>
#include <set>
#include <utility>

#include "bus/pattern/complexity.h"
#include "bus/pattern/term.h"
#include "bus/pattern/term_parser.h"
#include "bus/pattern/tokenizer.h"
#include "foundation/json/utf8.h"

namespace bascule::pattern {

namespace {

constexpr std::string_view reserved_in_or[] = {"exactly",
                                               "equals-ignore-case",
                                               "prefix",
                                               "suffix",
                                               "anything-but",
                                               "exists",
                                               "wildcard",
                                               "numeric",
                                               "cidr",
                                               "=",
                                               "<",
                                               "<=",
                                               ">",
                                               ">=",
                                               "regex",
                                               "not-wildcard",
                                               "not-equals-ignore-case",
                                               "date-after",
                                               "date-before",
                                               "date-on-or-after",
                                               "date-on-or-before",
                                               "in-date-range",
                                               "ip-address-in-range",
                                               "ip-address-not-in-range"};

/// Reads objects of fields and spreads `$or` into alternatives.
class PatternParser {
  public:
    PatternParser(std::string_view text, Dialect dialect)
        : tokens_(text, Pattern::depth_max), dialect_(dialect) {}

    Result<std::vector<Alternative>> parse() {
        if (TRY(tokens_.next()) != Token::object_begin) {
            return fault("Filter is not an object");
        }
        Alternatives alternatives = {{}};
        TRY(object(alternatives, "", Inside::top));
        return alternatives;
    }

  private:
    using Alternatives = std::vector<Alternative>;
    enum class Inside : std::uint8_t { top, field, alternative };

    std::unexpected<Error> fault(std::string_view reason) const {
        return std::unexpected(tokens_.fault(reason));
    }

    /// The fields of an object, from behind its brace; each is demanded of every alternative so
    /// far.
    Result<> object(Alternatives& alternatives, const std::string& path, Inside inside) {
        bool is_empty = true;
        for (Token token = TRY(tokens_.next()); token != Token::object_end;
             token = TRY(tokens_.next())) {
            is_empty = false;
            std::string name = TRY(tokens_.text());
            if (name == "$or") {
                TRY(either(alternatives, path));
                continue;
            }
            if (inside == Inside::alternative && is_reserved(name)) {
                return fault(name +
                             " is Ruler reserved fieldName which cannot be used inside $or.");
            }
            if (dialect_ == Dialect::routing && inside == Inside::top && name == "detail_type") {
                name = "detail-type";
            }
            TRY(field(alternatives, path, name, inside == Inside::top ? Inside::field : inside));
        }
        if (is_empty) {
            return fault("Empty objects are not allowed");
        }
        return {};
    }

    Result<> field(Alternatives& alternatives, const std::string& path, const std::string& name,
                   Inside inside) {
        const std::string below = path.empty() ? name : path + "." + name;
        switch (TRY(tokens_.next())) {
            case Token::object_begin:
                return object(alternatives, below, inside);
            case Token::array_begin: {
                const auto terms =
                    std::make_shared<const Terms>(TRY(parse_terms(tokens_, dialect_)));
                for (Alternative& alternative : alternatives) {
                    alternative[below] = terms;  // the last of equal names counts, also one inside
                                                 // $or over one outside
                }
                return {};
            }
            default:
                return fault("\"" + name + "\" must be an object or an array");
        }
    }

    /// `$or`: every alternative so far, once for each object of the list, with that object's
    /// fields.
    Result<> either(Alternatives& alternatives, const std::string& path) {
        if (TRY(tokens_.next()) != Token::array_begin) {
            return fault("It must be an Array followed with $or.");
        }
        const Alternatives before = std::exchange(alternatives, {});
        int objects = 0;
        for (Token token = TRY(tokens_.next()); token != Token::array_end;
             token = TRY(tokens_.next())) {
            if (token != Token::object_begin) {
                return fault("Only JSON object is allowed in array of $or relationship.");
            }
            ++objects;
            Alternatives branch = before;
            TRY(object(branch, path, Inside::alternative));
            std::move(branch.begin(), branch.end(), std::back_inserter(alternatives));
            if (alternatives.size() > Pattern::alternatives_max) {
                return fault("$or makes more than " + std::to_string(Pattern::alternatives_max) +
                             " combinations");
            }
        }
        if (objects < 2) {
            return fault("There must have at least 2 Objects in $or relationship.");
        }
        return {};
    }

    static bool is_reserved(std::string_view name) {
        return std::find(std::begin(reserved_in_or), std::end(reserved_in_or), name) !=
               std::end(reserved_in_or);
    }

    Tokenizer tokens_;
    Dialect dialect_;
};

/// Whether some field's wildcards are too complex; a field is what is left of it once all names
/// were read.
bool is_too_complex(const std::vector<Alternative>& alternatives, std::size_t complexity_max) {
    std::set<const Terms*> seen;
    for (const Alternative& alternative : alternatives) {
        for (const auto& [path, terms] : alternative) {
            if (seen.insert(terms.get()).second &&
                complexity(*terms, complexity_max + 1) > complexity_max) {
                return true;
            }
        }
    }
    return false;
}

/// Every byte but those that continue a character of UTF-8.
std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

/// Where a text ceases to be UTF-8; its end if nowhere.
std::size_t first_fault(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const std::size_t length = json::utf8_sequence(at, end);
        if (length == 0) {
            break;
        }
        at += length;
    }
    return static_cast<std::size_t>(at - text.data());
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text, Dialect dialect, const Limits& limits) {
    const std::size_t characters_max = std::min(limits.characters_max, Pattern::characters_max);
    if (text.size() > characters_max && characters(text) > characters_max) {
        return fail(ErrorKind::invalid, "Event pattern is not valid. Reason: it has " +
                                            std::to_string(characters(text)) +
                                            " characters; at most " +
                                            std::to_string(characters_max) + " are allowed");
    }
    if (const std::size_t byte = first_fault(text); byte != text.size()) {
        return fail(ErrorKind::invalid,
                    "Event pattern is not valid. Reason: it is not UTF-8 (byte " +
                        std::to_string(byte) + ")");
    }
    Compiled compiled{.text = std::string(text), .dialect = dialect};
    compiled.alternatives = TRY(PatternParser(compiled.text, dialect).parse());
    if (limits.complexity_max != Limits::any_complexity &&
        is_too_complex(compiled.alternatives, limits.complexity_max)) {
        return std::unexpected(Tokenizer::fault_without_place(
            "Rule is too complex - try using fewer wildcard characters or fewer repeating "
            "character sequences after a wildcard character"));
    }
    for (const Alternative& alternative : compiled.alternatives) {
        for (const auto& [path, terms] : alternative) {
            compiled.paths.insert(path);
        }
    }
    return Pattern(std::make_shared<const Compiled>(std::move(compiled)));
}

Pattern::Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

const std::string& Pattern::text() const { return compiled_->text; }
Dialect Pattern::dialect() const { return compiled_->dialect; }
const Paths& Pattern::paths() const { return compiled_->paths; }

}  // namespace bascule::pattern
