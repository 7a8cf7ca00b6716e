#include "bus/pattern/term_parser.h"

#include <charconv>
#include <vector>

#include "bus/pattern/comparable_number.h"
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
        const std::string name = TRY(tokens_.text());
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
        std::string text = TRY(tokens_.text());
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
            Affix affix { .text = TRY(tokens_.text()) };
            TRY(close(one_key));
            return affix;
        }
        if (token != Token::object_begin) {
            return fault(name + " match pattern must be a string");
        }
        if (TRY(tokens_.next()) != Token::field_name) {
            return fault(capitalised + " expression name not found");
        }
        if (const std::string inner = TRY(tokens_.text()); inner != "equals-ignore-case") {
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
        Wildcard term = TRY(split_wildcard(TRY(tokens_.text())));
        TRY(close(one_key));
        return Term(std::move(term));
    }

    /// Positions in its errors are bytes, from 0 in the string with its opening quote.
    Result<Wildcard> split_wildcard(const std::string& text) const {
        Wildcard term{.pieces = {""}};
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '*') {
                if (i + 1 < text.size() && text[i + 1] == '*') {
                    return fault("Consecutive wildcard characters at pos " + std::to_string(i + 1));
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
        const Cidr term = TRY(read_cidr(TRY(tokens_.text())));
        TRY(close(one_key));
        return Term(term);
    }

    /// As Java has it: slashes at the end do not count, and the bits may have a sign.
    static Result<Cidr> read_cidr(std::string_view text) {
        const auto wrong = [](const std::string& reason) {
            return std::unexpected(Tokenizer::fault_without_place(reason));
        };
        text = text.substr(0, text.find_last_not_of('/') + 1);
        const std::size_t slash = text.find('/');
        if (slash == std::string_view::npos ||
            text.find('/', slash + 1) != std::string_view::npos) {
            return wrong("Malformed CIDR, one '/' required");
        }
        const std::string address(text.substr(0, slash));
        std::string_view digits = text.substr(slash + 1);
        if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') {
            digits.remove_prefix(1);
        }
        std::int32_t bits = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        if (error != std::errc() || end != digits.data() + digits.size()) {
            return wrong("Malformed CIDR, mask bits must be an integer");
        }
        if (bits < 0) {
            return wrong("Malformed CIDR, mask bits must not be negative");
        }
        const auto network = parse_ip(address);
        if (!network) {
            return wrong(
                (looks_like_ip(address) ? "Invalid IP address: " : "Nonstandard IP address: ") +
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
            return fault("Invalid member in numeric match: " + TRY(tokens_.text()));
        }
        const std::string comparison = TRY(tokens_.text());
        const Token token = TRY(tokens_.next());
        if (comparison != "=" && comparison != "<" && comparison != "<=" && comparison != ">" &&
            comparison != ">=") {
            return fault("Unrecognized numeric range operator: " + comparison);
        }
        if (token != Token::number) {
            return fault("Value of " + (comparison == "=" ? std::string("equals") : comparison) +
                         " must be numeric");
        }
        const std::string number = TRY(tokens_.text());
        if (comparison == ">" || comparison == ">=") {
            return upper_bound({.bottom = number, .includes_bottom = comparison == ">="});
        }
        if (TRY(tokens_.next()) != Token::array_end) {
            return fault(too_many);
        }
        TRY(comparable(number));
        if (comparison == "=") {
            return Numeric{
                .bottom = number, .top = number, .includes_bottom = true, .includes_top = true};
        }
        return Numeric{.top = number, .includes_top = comparison == "<="};
    }

    Result<Numeric> upper_bound(Numeric range) {
        const Token token = TRY(tokens_.next());
        if (token == Token::array_end) {
            TRY(comparable(range.bottom));
            return range;
        }
        if (token != Token::string) {
            return fault("Bad value in numeric range: " + TRY(tokens_.text()));
        }
        const std::string comparison = TRY(tokens_.text());
        if (comparison != "<" && comparison != "<=") {
            return fault("Bad numeric range operator: " + comparison);
        }
        if (TRY(tokens_.next()) != Token::number) {
            return fault("Value of " + comparison + " must be numeric");
        }
        range.top = TRY(tokens_.text());
        range.includes_top = comparison == "<=";
        if (TRY(tokens_.next()) != Token::array_end) {
            return fault("Too many terms in numeric range expression");
        }
        TRY(comparable(range.bottom));
        TRY(comparable(range.top));
        if (json::compare_numbers(range.bottom, range.top) >= 0) {
            return fault("Bottom must be less than top");
        }
        return range;
    }

    Result<> comparable(const std::string& number) const {
        if (const auto objection = objection_to(number)) {
            return fault(*objection);
        }
        return {};
    }

    Result<AnythingBut> anything_but() {
        const Token token = TRY(tokens_.next());
        if (token == Token::object_begin) {
            return anything_but_object();
        }
        AnythingBut term;
        if (token == Token::array_begin) {
            auto list = value_list();
            if (!list) {
                return std::unexpected(tokens_.again(list.error()));
            }
            if (list->has_number == list->has_string) {
                return fault(
                    "Inside anything but list, either all values are number or string, mixed type "
                    "is not supported");
            }
            term.excluded = std::move(list->values);
        } else {
            TRY(one_value(token));
            const std::string text = TRY(tokens_.text());
            if (token == Token::number) {
                if (const auto objection = objection_to(text)) {
                    return std::unexpected(Tokenizer::fault_without_place(*objection));
                }
                term.excluded.emplace_back(ExactNumber{text});
            } else {
                term.excluded.emplace_back(ExactText{.text = text});
            }
        }
        TRY(close(too_many));
        return term;
    }

    /// What anything-but takes that is no object.
    Result<> one_value(Token token) const {
        if (token != Token::array_begin && token != Token::string && token != Token::number) {
            return fault("Value of anything-but must be an array or single string/number value.");
        }
        return {};
    }

    struct Values {
        std::vector<Excluded> values;
        bool has_number = false;
        bool has_string = false;
    };

    /// Strings and numbers up to the closing bracket. The place of its faults is to be said again.
    Result<Values> value_list() {
        Values list;
        for (Token token = TRY(tokens_.next()); token != Token::array_end;
             token = TRY(tokens_.next())) {
            if (token == Token::string) {
                list.values.emplace_back(ExactText { .text = TRY(tokens_.text()) });
                list.has_string = true;
            } else if (token == Token::number) {
                const std::string number = TRY(tokens_.text());
                if (const auto objection = objection_to(number)) {
                    return std::unexpected(Tokenizer::fault_without_place(*objection));
                }
                list.values.emplace_back(ExactNumber{number});
                list.has_number = true;
            } else {
                return fault("Inside anything but list, start|null|boolean is not supported.");
            }
        }
        return list;
    }

    /// `{"anything-but": { operator: string or list of strings }}`, from behind the inner brace.
    Result<AnythingBut> anything_but_object() {
        if (TRY(tokens_.next()) != Token::field_name) {
            return fault("Anything-But expression name not found");
        }
        const std::string name = TRY(tokens_.text());
        if (name != "prefix" && name != "suffix" && name != "wildcard" &&
            name != "equals-ignore-case") {
            return fault("Unsupported anything-but pattern: " + name);
        }
        const Token token = TRY(tokens_.next());
        TRY(one_value(token));
        std::vector<std::string> texts;
        if (token == Token::array_begin) {
            auto list = text_list(name);
            if (!list) {
                return std::unexpected(tokens_.again(list.error()));
            }
            texts = std::move(*list);
        } else {
            texts.push_back(TRY(excluded_text(name, token)));
        }
        AnythingBut term;
        for (const std::string& text : texts) {
            term.excluded.push_back(TRY(excluded(name, text)));
        }
        TRY(close(too_many));
        TRY(close(too_many));
        if (term.excluded.empty()) {
            return fault("Empty arrays are not allowed");
        }
        return term;
    }

    Result<std::vector<std::string>> text_list(const std::string& name) {
        std::vector<std::string> texts;
        for (Token token = TRY(tokens_.next()); token != Token::array_end;
             token = TRY(tokens_.next())) {
            texts.push_back(TRY(excluded_text(name, token)));
        }
        return texts;
    }

    Result<std::string> excluded_text(const std::string& name, Token token) {
        if (token != Token::string) {
            return fault(name == "equals-ignore-case"
                             ? "Inside anything-but/equals-ignore-case list, "
                               "number|start|null|boolean is not supported."
                         : name == "wildcard" ? "wildcard match pattern must be a string"
                                              : "prefix/suffix match pattern must be a string");
        }
        std::string text = TRY(tokens_.text());
        if (text.empty() && (name == "prefix" || name == "suffix")) {
            return fault("Null prefix/suffix not allowed");
        }
        return text;
    }

    Result<Excluded> excluded(const std::string& name, const std::string& text) const {
        if (name == "wildcard") {
            return Excluded(TRY(split_wildcard(text)));
        }
        if (name == "equals-ignore-case") {
            return Excluded(EqualsIgnoreCase{text});
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
                std::string text = TRY(tokens.text());
                if (dialect == Dialect::routing && text == "*") {
                    terms.emplace_back(Exists{});
                } else {
                    const auto address = parse_ip(text);
                    terms.emplace_back(ExactText{.text = std::move(text), .address = address});
                }
                break;
            }
            case Token::number:
                terms.emplace_back(ExactNumber { TRY(tokens.text()) });
                break;
            case Token::true_:
            case Token::false_:
            case Token::null_:
                terms.emplace_back(Literal { TRY(tokens.text()) });
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
