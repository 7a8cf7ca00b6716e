#include "bus/pattern/term_parser.h"

#include <charconv>

#include "foundation/json/number.h"

namespace bascule::pattern {

namespace {

constexpr const char* one_key = "Only one key allowed in match expression";
constexpr const char* too_many = "Too many elements in numeric expression";

/// Reads one term object: `{ operator: argument }`, from behind its brace.
class TermParser {
  public:
    explicit TermParser(Tokenizer& tokens) : tokens_(tokens) {}

    Result<Term> parse() {
        if (TRY(tokens_.next()) != Token::field_name) {
            return fault("Match expression name not found");
        }
        const std::string name = tokens_.text();
        if (name == "exactly") {
            const std::string text = TRY(string_argument("exact match pattern must be a string"));
            return Term(ExactText{.text = text});
        }
        if (name == "prefix") {
            const auto [text, ignore_case] = TRY(affix("prefix", "Prefix"));
            return Term(Prefix{text, ignore_case});
        }
        if (name == "suffix") {
            const auto [text, ignore_case] = TRY(affix("suffix", "Suffix"));
            return Term(Suffix{text, ignore_case});
        }
        if (name == "equals-ignore-case") {
            return Term(EqualsIgnoreCase {
                TRY(string_argument("equals-ignore-case match pattern must be a string"))
            });
        }
        if (name == "wildcard") {
            return wildcard();
        }
        if (name == "cidr") {
            return cidr();
        }
        if (name == "exists") {
            return exists();
        }
        if (name == "numeric") {
            return numeric();
        }
        if (name == "anything-but") {
            return Term(TRY(anything_but()));
        }
        return fault("Unrecognized match type " + name);
    }

  private:
    std::unexpected<Error> fault(std::string_view reason) const {
        return std::unexpected(tokens_.fault(reason));
    }
    std::unexpected<Error> fault_in_list(std::string_view reason) const {
        return std::unexpected(tokens_.fault_in_list(reason));
    }

    Result<> close(const char* complaint) {
        if (TRY(tokens_.next()) != Token::object_end) {
            return fault(complaint);
        }
        return {};
    }

    Result<std::string> string_argument(const char* complaint) {
        if (TRY(tokens_.next()) != Token::string) {
            return fault(complaint);
        }
        std::string text = tokens_.text();
        TRY(close(one_key));
        return text;
    }

    struct Affix {
        std::string text;
        IgnoreCase ignore_case = IgnoreCase::no;
    };

    /// The argument of prefix and suffix: a string, or {"equals-ignore-case": string}.
    Result<Affix> affix(const std::string& name, const std::string& capitalised) {
        const Token token = TRY(tokens_.next());
        if (token == Token::string) {
            Affix affix{.text = tokens_.text()};
            TRY(close(one_key));
            return affix;
        }
        if (token != Token::object_begin) {
            return fault(name + " match pattern must be a string");
        }
        if (TRY(tokens_.next()) != Token::field_name) {
            return fault(capitalised + " expression name not found");
        }
        if (const std::string inner = tokens_.text(); inner != "equals-ignore-case") {
            return fault("Unsupported " + name + " pattern: " + inner);
        }
        Affix affix {
            .text = TRY(string_argument("equals-ignore-case match pattern must be a string"))
            , .ignore_case = IgnoreCase::yes
        };
        TRY(close(one_key));
        return affix;
    }

    Result<Term> exists() {
        const Token token = TRY(tokens_.next());
        if (token != Token::true_ && token != Token::false_) {
            return fault("exists match pattern must be either true or false.");
        }
        TRY(close(one_key));
        return token == Token::true_ ? Term(Exists{}) : Term(Absent{});
    }

    Result<Term> wildcard() {
        if (TRY(tokens_.next()) != Token::string) {
            return fault("wildcard match pattern must be a string");
        }
        Wildcard term = TRY(split_wildcard(tokens_.text()));
        TRY(close(one_key));
        return Term(std::move(term));
    }

    /// Positions in its errors count from 0 in the string with its opening quote.
    Result<Wildcard> split_wildcard(const std::string& text) const {
        Wildcard term{.pieces = {""}};
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '*') {
                if (i > 0 && text[i - 1] == '*' && term.pieces.back().empty()) {
                    return fault("Consecutive wildcard characters at pos " + std::to_string(i));
                }
                term.pieces.emplace_back();
            } else if (text[i] == '\\') {
                if (i + 1 == text.size() || (text[i + 1] != '*' && text[i + 1] != '\\')) {
                    return fault("Invalid escape character at pos " + std::to_string(i + 1));
                }
                term.pieces.back() += text[++i];
            } else {
                term.pieces.back() += text[i];
            }
        }
        return term;
    }

    Result<Term> cidr() {
        if (TRY(tokens_.next()) != Token::string) {
            return fault("prefix match pattern must be a string");  // AWS's words
        }
        Cidr term = TRY(read_cidr(tokens_.text()));
        TRY(close(one_key));
        return Term(std::move(term));
    }

    static Result<Cidr> read_cidr(const std::string& text) {
        const auto wrong = [](const std::string& reason) {
            return std::unexpected(Tokenizer::fault_without_place(reason));
        };
        const std::size_t slash = text.find('/');
        if (slash == std::string::npos || text.find('/', slash + 1) != std::string::npos) {
            return wrong("Malformed CIDR, one '/' required");
        }
        const std::string address = text.substr(0, slash);
        int bits = 0;
        const auto [end, error] =
            std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
        if (error != std::errc() || end != text.data() + text.size()) {
            return wrong("Malformed CIDR, mask bits must be an integer");
        }
        if (bits < 0) {
            return wrong("Malformed CIDR, mask bits must not be negative");
        }
        const auto network = parse_ip(address);
        if (!network) {
            const bool looks_right =
                address.find_first_not_of("0123456789abcdefABCDEF.:") == std::string::npos;
            return wrong((looks_right ? "Invalid IP address: " : "Nonstandard IP address: ") +
                         address);
        }
        if (static_cast<unsigned>(bits) >= network->bits()) {
            return wrong(network->is_v4 ? "IPv4 mask bits must be < 32"
                                        : "IPv6 mask bits must be < 128");
        }
        return Cidr{.network = *network, .bits = static_cast<unsigned>(bits)};
    }

    Result<Term> numeric() {
        if (TRY(tokens_.next()) != Token::array_begin) {
            return fault("Value of numeric must be an array.");
        }
        Term term = Term(TRY(numeric_range()));
        TRY(close(too_many));
        return term;
    }

    /// `"=", N` · `cmp, N` · `lower, N, upper, N`, up to the closing bracket.
    Result<Numeric> numeric_range() {
        if (TRY(tokens_.next()) != Token::string) {
            return fault("Invalid member in numeric match: " + tokens_.text());
        }
        const std::string comparison = tokens_.text();
        const Token token = TRY(tokens_.next());
        if (comparison != "=" && comparison != "<" && comparison != "<=" && comparison != ">" &&
            comparison != ">=") {
            return fault("Unrecognized numeric range operator: " + comparison);
        }
        if (token != Token::number) {
            return fault("Value of " + (comparison == "=" ? std::string("equals") : comparison) +
                         " must be numeric");
        }
        const std::string number = tokens_.text();
        if (comparison == ">" || comparison == ">=") {
            return upper_bound({.bottom = number, .includes_bottom = comparison == ">="});
        }
        if (TRY(tokens_.next()) != Token::array_end) {
            return fault(too_many);
        }
        if (comparison == "=") {
            return Numeric{
                .bottom = number, .top = number, .includes_bottom = true, .includes_top = true};
        }
        return Numeric{.top = number, .includes_top = comparison == "<="};
    }

    Result<Numeric> upper_bound(Numeric range) {
        const Token token = TRY(tokens_.next());
        if (token == Token::array_end) {
            return range;
        }
        if (token != Token::string) {
            return fault("Bad value in numeric range: " + tokens_.text());
        }
        const std::string comparison = tokens_.text();
        if (comparison != "<" && comparison != "<=") {
            return fault("Bad numeric range operator: " + comparison);
        }
        if (TRY(tokens_.next()) != Token::number) {
            return fault("Value of " + comparison + " must be numeric");
        }
        range.top = tokens_.text();
        range.includes_top = comparison == "<=";
        if (TRY(tokens_.next()) != Token::array_end) {
            return fault("Too many terms in numeric range expression");
        }
        if (json::compare_numbers(range.bottom, range.top) >= 0) {
            return fault("Bottom must be less than top");
        }
        return range;
    }

    Result<AnythingBut> anything_but() {
        const Token token = TRY(tokens_.next());
        if (token == Token::object_begin) {
            return anything_but_object();
        }
        if (token != Token::array_begin && token != Token::string && token != Token::number) {
            return fault("Value of anything-but must be an array or single string/number value.");
        }
        AnythingBut term;
        if (token == Token::array_begin) {
            term = TRY(value_list());
        } else {
            term.excluded.push_back(value(token));
        }
        TRY(close(too_many));
        return term;
    }

    Excluded value(Token token) {
        return token == Token::number ? Excluded(ExactNumber{tokens_.text()})
                                      : Excluded(ExactText{.text = tokens_.text()});
    }

    Result<AnythingBut> value_list() {
        AnythingBut term;
        bool has_number = false;
        bool has_string = false;
        for (Token token = TRY(tokens_.next()); token != Token::array_end;
             token = TRY(tokens_.next())) {
            if (token != Token::string && token != Token::number) {
                return fault_in_list(
                    "Inside anything but list, start|null|boolean is not supported.");
            }
            (token == Token::number ? has_number : has_string) = true;
            term.excluded.push_back(value(token));
        }
        if (has_number == has_string) {
            return fault(
                "Inside anything but list, either all values are number or string, mixed type is "
                "not supported");
        }
        return term;
    }

    /// {"prefix"|"suffix"|"wildcard"|"equals-ignore-case": string or list of strings}, from behind
    /// its brace.
    Result<AnythingBut> anything_but_object() {
        if (TRY(tokens_.next()) != Token::field_name) {
            return fault("Anything-But expression name not found");
        }
        const std::string name = tokens_.text();
        if (name != "prefix" && name != "suffix" && name != "wildcard" &&
            name != "equals-ignore-case") {
            return fault("Unsupported anything-but pattern: " + name);
        }
        AnythingBut term;
        Token token = TRY(tokens_.next());
        if (token == Token::array_begin) {
            for (token = TRY(tokens_.next()); token != Token::array_end;
                 token = TRY(tokens_.next())) {
                term.excluded.push_back(TRY(excluded(name, token, Place::list)));
            }
            if (term.excluded.empty()) {
                return fault("Empty arrays are not allowed");
            }
        } else {
            term.excluded.push_back(TRY(excluded(name, token, Place::alone)));
        }
        const char* const complaint = name == "equals-ignore-case" ? too_many : one_key;
        TRY(close(complaint));
        TRY(close(complaint));
        return term;
    }

    enum class Place : std::uint8_t { alone, list };

    Result<Excluded> excluded(const std::string& name, Token token, Place place) {
        const auto wrong = [&](std::string_view reason) {
            return place == Place::list ? fault_in_list(reason) : fault(reason);
        };
        if (token != Token::string) {
            if (name == "wildcard") {
                return wrong("wildcard match pattern must be a string");
            }
            if (name != "equals-ignore-case") {
                return wrong("prefix/suffix match pattern must be a string");
            }
            if (place == Place::alone && token != Token::number) {
                return wrong(
                    "Value of anything-but must be an array or single string/number value.");
            }
            return wrong(
                "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not "
                "supported.");
        }
        const std::string text = tokens_.text();
        if (name == "wildcard") {
            return Excluded(TRY(split_wildcard(text)));
        }
        if (name == "equals-ignore-case") {
            return Excluded(EqualsIgnoreCase{text});
        }
        if (text.empty()) {
            return wrong("Null prefix/suffix not allowed");
        }
        return name == "prefix" ? Excluded(Prefix{.text = text}) : Excluded(Suffix{.text = text});
    }

    Tokenizer& tokens_;
};

}  // namespace

Result<Terms> parse_terms(Tokenizer& tokens, Dialect dialect) {
    Terms terms;
    for (Token token = TRY(tokens.next()); token != Token::array_end; token = TRY(tokens.next())) {
        switch (token) {
            case Token::object_begin:
                terms.push_back(TRY(TermParser(tokens).parse()));
                break;
            case Token::string: {
                std::string text = tokens.text();
                if (dialect == Dialect::routing && text == "*") {
                    terms.emplace_back(Exists{});
                } else {
                    const auto address = parse_ip(text);
                    terms.emplace_back(ExactText{.text = std::move(text), .address = address});
                }
                break;
            }
            case Token::number:
                terms.emplace_back(ExactNumber{tokens.text()});
                break;
            case Token::true_:
            case Token::false_:
            case Token::null_:
                terms.emplace_back(Literal{tokens.text()});
                break;
            default:
                return std::unexpected(
                    tokens.fault("Match value must be String, number, true, false, or null"));
        }
    }
    if (terms.empty()) {
        return std::unexpected(tokens.fault("Empty arrays are not allowed"));
    }
    return terms;
}

}  // namespace bascule::pattern
