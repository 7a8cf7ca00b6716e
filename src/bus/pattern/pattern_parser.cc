#include "bus/pattern/pattern_parser.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "bus/pattern/term_parser.h"
#include "bus/pattern/tokenizer.h"

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

/// `pointer` with a step to a member.
std::string member_of(const std::string& pointer, std::string_view name) {
    std::string below = pointer + '/';
    for (const char c : name) {
        c == '~' ? below += "~0" : c == '/' ? below += "~1" : below += c;
    }
    return below;
}

/// Reads objects of fields and spreads `$or` into ways.
class PatternParser {
  public:
    /// `faults` takes all faults but the one that ends the reading; null: the first one does.
    PatternParser(std::string_view text, Dialect dialect, std::vector<Error>* faults)
        : tokens_(text, Pattern::depth_max), dialect_(dialect), faults_(faults) {}

    Result<std::vector<Way>> parse() {
        if (TRY(tokens_.next()) != Token::object_begin) {
            return fault("Filter is not an object");
        }
        Ways ways = {{}};
        TRY(object(ways, {.inside = Inside::top}));
        return ways;
    }

  private:
    using Ways = std::vector<Way>;
    enum class Inside : std::uint8_t { top, field, alternative };
    /// Where an object stands: the path of its fields, and in the pattern.
    struct Place {
        std::string path;
        std::string pointer;
        Inside inside = Inside::top;
    };

    std::unexpected<Error> fault(std::string_view reason) const {
        return std::unexpected(tokens_.fault(reason));
    }

    /// The fields of an object, from behind its brace; each is demanded of every way so far.
    Result<> object(Ways& ways, const Place& place) {
        bool is_empty = true;
        for (Token token = TRY(tokens_.next()); token != Token::object_end;
             token = TRY(tokens_.next())) {
            is_empty = false;
            const std::size_t depth = tokens_.depth();
            if (auto read = member(ways, place, TRY(tokens_.text())); !read) {
                TRY(go_on_behind(std::move(read).error(), depth));
            }
        }
        if (is_empty) {
            return fault("Empty objects are not allowed");
        }
        return {};
    }

    Result<> member(Ways& ways, const Place& place, std::string name) {
        if (name == "$or") {
            return either(ways, place);
        }
        if (place.inside == Inside::alternative && is_reserved(name)) {
            return fault(name + " is Ruler reserved fieldName which cannot be used inside $or.");
        }
        const std::string pointer = member_of(place.pointer, name);
        if (dialect_ == Dialect::routing && place.inside == Inside::top && name == "detail_type") {
            name = "detail-type";
        }
        Place below{.path = place.path.empty() ? name : place.path + "." + name,
                    .pointer = pointer,
                    .inside = place.inside == Inside::top ? Inside::field : place.inside};
        switch (TRY(tokens_.next())) {
            case Token::object_begin:
                return object(ways, below);
            case Token::array_begin: {
                const auto terms =
                    std::make_shared<const Terms>(TRY(parse_terms(tokens_, dialect_)));
                for (Way& way : ways) {
                    way.fields[below.path] = terms;  // the last of equal names counts, also one
                                                     // inside $or over one outside
                }
                return {};
            }
            default:
                return fault("\"" + name + "\" must be an object or an array");
        }
    }

    /// `$or`: every way so far, once for each object of the list, with that object's fields.
    Result<> either(Ways& ways, const Place& place) {
        if (TRY(tokens_.next()) != Token::array_begin) {
            return fault("It must be an Array followed with $or.");
        }
        const Ways before = std::exchange(ways, {});
        int objects = 0;
        for (Token token = TRY(tokens_.next()); token != Token::array_end;
             token = TRY(tokens_.next())) {
            if (token != Token::object_begin) {
                return fault("Only JSON object is allowed in array of $or relationship.");
            }
            Place branch{.path = place.path,
                         .pointer = place.pointer + "/$or/" + std::to_string(objects++),
                         .inside = Inside::alternative};
            Ways branched = before;
            for (Way& way : branched) {
                way.branches.push_back(branch.pointer);
            }
            TRY(object(branched, branch));
            std::move(branched.begin(), branched.end(), std::back_inserter(ways));
            if (ways.size() > Pattern::alternatives_max) {
                return fault("$or makes more than " + std::to_string(Pattern::alternatives_max) +
                             " combinations");
            }
        }
        if (objects < 2) {
            return fault("There must have at least 2 Objects in $or relationship.");
        }
        return {};
    }

    /// Keeps a member's fault and passes over the rest of it, to the brackets' number `depth`.
    /// Errors: the fault, if nobody wants more than one or the reading cannot go on.
    Result<> go_on_behind(Error error, std::size_t depth) {
        if (faults_ == nullptr || tokens_.failed() || faults_->size() + 1 >= pattern_faults_max) {
            return std::unexpected(std::move(error));
        }
        faults_->push_back(std::move(error));
        while (tokens_.value_is_due() || tokens_.depth() > depth) {
            TRY(tokens_.next());
        }
        return {};
    }

    static bool is_reserved(std::string_view name) {
        return std::find(std::begin(reserved_in_or), std::end(reserved_in_or), name) !=
               std::end(reserved_in_or);
    }

    Tokenizer tokens_;
    Dialect dialect_;
    std::vector<Error>* faults_;
};

}  // namespace

Result<std::vector<Way>> parse_ways(std::string_view text, Dialect dialect) {
    return PatternParser(text, dialect, nullptr).parse();
}

std::vector<Error> pattern_faults(std::string_view text, Dialect dialect) {
    std::vector<Error> faults;
    if (auto parsed = PatternParser(text, dialect, &faults).parse(); !parsed) {
        faults.push_back(std::move(parsed).error());
    }
    return faults;
}

}  // namespace bascule::pattern
