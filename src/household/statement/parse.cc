#include "household/statement/parse.h"

#include "household/statement/csv.h"
#include "household/statement/csv_layout.h"
#include "household/statement/csv_sample.h"
#include "household/statement/encoding.h"
#include "household/statement/ofx.h"
#include "household/statement/ofx_header.h"
#include "household/statement/text.h"

namespace bascule::statement {

namespace {

constexpr std::size_t sniff_bytes = 64 * 1024;

/// Zero bytes in the middle of decoded text: a program's file, a picture, an archive. Text has
/// none.
bool is_binary(std::string_view text) {
    const std::string_view head = text.substr(0, sniff_bytes);
    return head.find('\0') != std::string_view::npos || head.starts_with("%PDF") ||
           head.starts_with("PK\x03\x04");
}

/// What a file of another kind probably is, for the message only.
std::string_view looks_like(std::string_view text) {
    const std::string_view head = trimmed(text.substr(0, 4096));
    if (head.starts_with("%PDF")) {
        return "it is a PDF document; ask the bank for CSV or OFX";
    }
    if (head.starts_with("PK\x03\x04")) {
        return "it is a ZIP archive or a spreadsheet; unpack it or save it as CSV";
    }
    if (head.starts_with("!Type:") || head.starts_with("!Account") || head.starts_with("!Option")) {
        return "it looks like QIF, which is not read";
    }
    if (head.starts_with(":20:") || head.starts_with("{1:") ||
        head.find("\n:61:") != std::string_view::npos) {
        return "it looks like SWIFT MT940, which is not read";
    }
    if (head.find("camt.05") != std::string_view::npos) {
        return "it looks like CAMT, which is not read";
    }
    if (text.size() > CsvSample::bytes_max && text.find('\n') > CsvSample::bytes_max) {
        return "its first line has more than 64 KiB, which no table with dates and amounts begins "
               "with";
    }
    return "it is neither OFX nor a table with dates and amounts";
}

void describe(const DecodedText& decoded, Statement& out) {
    out.encoding = decoded.encoding;
    out.encoding_source = decoded.source;
    if (!decoded.mismatch.empty()) {
        out.warnings.push_back(
            {0, "encoding_mismatch", decoded.mismatch + "; read as " + decoded.encoding});
    }
    if (decoded.padding_bytes > 0) {
        out.warnings.push_back(
            {0, "padding_removed",
             std::to_string(decoded.padding_bytes) + " bytes of padding at the end left out"});
    }
}

}  // namespace

Format sniff(std::string_view bytes) {
    const DecodedText decoded = decode(bytes.substr(0, sniff_bytes), {});
    if (const OfxHeader header = read_ofx_header(decoded.text());
        header.format != Format::unknown) {
        return header.format;
    }
    if (is_binary(decoded.text())) {
        return Format::unknown;
    }
    const auto layout = find_layout(decoded.text(), {});
    return layout && layout->is_table ? Format::csv : Format::unknown;
}

Statement parse(std::string_view bytes, const Mapping& mapping) {
    Statement out;
    if (bytes.size() > file_bytes_max) {
        out.errors.push_back({0, "too_large",
                              "the file has " + std::to_string(bytes.size()) + " bytes; at most " +
                                  std::to_string(file_bytes_max) + " are read"});
        return out;
    }
    const OfxHeader hint = read_ofx_header(bytes);
    const DecodedText decoded =
        decode(bytes, {.profile = mapping.encoding, .declared = hint.encoding});
    describe(decoded, out);
    if (const OfxHeader header = read_ofx_header(decoded.text());
        header.format != Format::unknown) {
        out.format = header.format;
        out.format_version = header.version;
        parse_ofx(decoded, header, out);
        return out;
    }
    if (trimmed(decoded.text()).empty()) {
        out.errors.push_back({0, "no_statement", "the file is empty"});
    } else if (is_binary(decoded.text()) || !parse_csv(decoded, mapping, out)) {
        out.errors.push_back(
            {0, "no_statement",
             "the format was not recognised: " + std::string(looks_like(decoded.text()))});
    }
    return out;
}

}  // namespace bascule::statement
