#include "household/statement/ofx_header.h"

#include <algorithm>
#include <array>
#include <optional>

#include "household/statement/text.h"

namespace bascule::statement {

namespace {

constexpr std::size_t header_bytes_max = 64 * 1024;

constexpr std::array<std::string_view, 9> header_keys = {
    "OFXHEADER:", "DATA:",        "VERSION:",    "SECURITY:",  "ENCODING:",
    "CHARSET:",   "COMPRESSION:", "OLDFILEUID:", "NEWFILEUID:"};

/// The value of a `KEY:VALUE` pair. It ends at white space or, where a bank left out all line ends,
/// at the next key.
std::string value_of(std::string_view header, std::string_view key) {
    const auto at = header.find(key);
    if (at == std::string_view::npos) {
        return {};
    }
    std::string_view rest = header.substr(at + key.size());
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) {
        rest.remove_prefix(1);
    }
    std::size_t end = std::min(rest.find_first_of(" \t\r\n<"), rest.size());
    for (const std::string_view other : header_keys) {
        end = std::min(end, rest.find(other));
    }
    return std::string(rest.substr(0, end));
}

/// The value of `name="…"` in a processing instruction.
std::string attribute_of(std::string_view text, std::string_view name) {
    for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        std::string_view rest = text.substr(at + name.size());
        while (!rest.empty() && (rest.front() == ' ' || rest.front() == '=')) {
            rest.remove_prefix(1);
        }
        if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
            const auto end = rest.find(rest.front(), 1);
            return end == std::string_view::npos ? std::string()
                                                 : std::string(rest.substr(1, end - 1));
        }
    }
    return {};
}

std::string declared_encoding(const std::string& encoding, const std::string& charset) {
    if (encoding == "UTF-8" || encoding == "UTF8" || encoding == "UNICODE") {
        return "utf-8";
    }
    // USASCII means "one byte a character"; which characters is for CHARSET to say.
    if (!charset.empty() && charset != "NONE" && charset != "USASCII") {
        return charset == "UTF-8" || charset == "UTF8" || charset == "65001" ? "utf-8" : charset;
    }
    return encoding == "USASCII" || charset == "USASCII" ? "us-ascii" : std::string();
}

std::optional<std::size_t> find_first_element(std::string_view upper) {
    std::size_t first = std::string_view::npos;
    for (const std::string_view element : {"<OFX>", "<OFX ", "<OFX\n", "<OFX\r", "<QFX>"}) {
        first = std::min(first, upper.find(element));
    }
    // Some banks send the list without any wrapper.
    for (const std::string_view element :
         {"<BANKTRANLIST>", "<STMTTRN>", "<STMTRS>", "<STMTTRNRS>", "<CCSTMTRS>"}) {
        first = std::min(first, upper.find(element));
    }
    return first == std::string_view::npos ? std::nullopt : std::optional(first);
}

}  // namespace

OfxHeader read_ofx_header(std::string_view text) {
    const std::string upper = upper_ascii(text.substr(0, header_bytes_max));
    OfxHeader header;
    const auto body = find_first_element(upper);
    const bool keyed = upper.find("OFXHEADER:") != std::string::npos;
    if (!body && !keyed && upper.find("<?OFX") == std::string::npos) {
        return header;
    }
    header.body = body.value_or(std::min(text.size(), upper.size()));
    const std::string_view before = std::string_view(upper).substr(0, header.body);
    const auto instruction = before.find("<?OFX");
    const auto declaration = before.find("<?XML");
    if (keyed) {
        header.format = Format::ofx1;
        header.version = value_of(before, "VERSION:");
        header.encoding =
            declared_encoding(value_of(before, "ENCODING:"), value_of(before, "CHARSET:"));
    } else if (instruction != std::string_view::npos) {
        const std::string_view attributes = before.substr(instruction);
        header.version = attribute_of(attributes, "VERSION");
        header.format =
            attribute_of(attributes, "OFXHEADER") == "100" ? Format::ofx1 : Format::ofx2;
    } else {
        header.format = declaration != std::string_view::npos ? Format::ofx2 : Format::ofx1;
    }
    if (declaration != std::string_view::npos) {
        const std::string encoding = attribute_of(before.substr(declaration), "ENCODING");
        header.encoding = encoding.empty() ? header.encoding : encoding;
    }
    return header;
}

}  // namespace bascule::statement
