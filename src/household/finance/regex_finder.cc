#include "household/finance/regex_finder.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <string>

namespace bascule::finance {

namespace {

/// For the automaton of all expressions of one field; beyond it they are tried one by one.
constexpr std::int64_t set_bytes_max = std::int64_t{64} << 20;

RE2::Options options(std::int64_t bytes_max) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(bytes_max);
    return options;
}

/// Sets share one letter case, so each expression brings its own.
std::string with_case(std::string_view expression, LetterCase letters) {
    std::string text = letters == LetterCase::folded ? "(?i:" : "(?:";
    return text.append(expression).append(")");
}

}  // namespace

struct RegexFinder::Expressions {
    explicit Expressions(std::int64_t bytes)
        : regex_bytes_max(bytes), set(options(set_bytes_max), RE2::UNANCHORED) {}

    std::int64_t regex_bytes_max;
    RE2::Set set;
    std::vector<std::unique_ptr<RE2>> singles;
};

RegexFinder::RegexFinder(std::int64_t regex_bytes_max)
    : expressions_(std::make_unique<Expressions>(regex_bytes_max)) {}
RegexFinder::~RegexFinder() = default;
RegexFinder::RegexFinder(RegexFinder&&) noexcept = default;

Result<> RegexFinder::add(std::string_view expression, LetterCase letters) {
    // Checked without the wrapping too: `a)(b` would be right only inside it. Reading is all that
    // is wanted, so the compiler gets no room and stops at once.
    const RE2 bare{re2::StringPiece(expression.data(), expression.size()), options(1024)};
    if (!bare.ok() && bare.error_code() != RE2::ErrorPatternTooLarge) {
        return fail(ErrorKind::invalid, bare.error());
    }
    const std::string text = with_case(expression, letters);
    auto single = std::make_unique<RE2>(text, options(expressions_->regex_bytes_max));
    if (!single->ok()) {
        return fail(ErrorKind::invalid, single->error());
    }
    std::string error;
    if (expressions_->set.Add(text, &error) < 0) {
        return fail(ErrorKind::invalid, error);
    }
    expressions_->singles.push_back(std::move(single));
    return {};
}

Result<> RegexFinder::finish() {
    if (!expressions_->set.Compile()) {
        return fail(ErrorKind::exhausted, "the regular expressions together are too large");
    }
    return {};
}

void RegexFinder::find(std::string_view text, std::vector<int>& found) const {
    found.clear();
    const re2::StringPiece piece(text.data(), text.size());
    RE2::Set::ErrorInfo error{};
    if (expressions_->set.Match(piece, &found, &error) || error.kind == RE2::Set::kNoError) {
        return;
    }
    found.clear();
    for (std::size_t i = 0; i < expressions_->singles.size(); ++i) {
        if (RE2::PartialMatch(piece, *expressions_->singles[i])) {
            found.push_back(static_cast<int>(i));
        }
    }
}

bool RegexFinder::is_empty() const { return expressions_->singles.empty(); }

}  // namespace bascule::finance
