#include "bus/pattern/pattern.h"

#include <algorithm>
#include <set>
#include <utility>

#include "bus/pattern/complexity.h"
#include "bus/pattern/pattern_parser.h"
#include "bus/pattern/term.h"
#include "bus/pattern/tokenizer.h"
#include "foundation/json/utf8.h"

namespace bascule::pattern {

namespace {

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

/// What keeps a text from being read at all.
Result<> readable(std::string_view text, const Limits& limits) {
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
    return {};
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text, Dialect dialect, const Limits& limits) {
    TRY(readable(text, limits));
    Compiled compiled{.text = std::string(text), .dialect = dialect};
    std::vector<Way> ways = TRY(parse_ways(compiled.text, dialect));
    for (Way& way : ways) {
        compiled.alternatives.push_back(std::move(way.fields));
    }
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

std::vector<Error> Pattern::faults(std::string_view text, Dialect dialect, const Limits& limits) {
    const auto parsed = parse(text, dialect, limits);
    if (parsed) {
        return {};
    }
    if (!readable(text, limits)) {
        return {parsed.error()};
    }
    const std::vector<Error> found = pattern_faults(text, dialect);
    return found.empty() ? std::vector<Error>{parsed.error()} : found;
}

Pattern::Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

const std::string& Pattern::text() const { return compiled_->text; }
Dialect Pattern::dialect() const { return compiled_->dialect; }
const Paths& Pattern::paths() const { return compiled_->paths; }

}  // namespace bascule::pattern
