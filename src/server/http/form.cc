#include "server/http/form.h"

#include <algorithm>
#include <optional>

namespace bascule::http {

namespace {

constexpr std::size_t parts_max = 64;
constexpr std::size_t part_header_bytes_max = 4 << 10;
constexpr std::size_t boundary_bytes_max = 70;  // RFC 2046

int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = static_cast<char>(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == text.npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Takes `; name=value` or `; name="value"` off the front of `text`. In quotes a backslash stands
/// before a quote or a backslash only: browsers send paths with plain ones.
struct Parameter {
    std::string_view name;
    std::string value;
};
std::optional<Parameter> next_parameter(std::string_view& text) {
    text = trimmed(text);
    if (!text.starts_with(';')) {
        return std::nullopt;
    }
    text = trimmed(text.substr(1));
    const std::size_t equals = text.find('=');
    if (equals == text.npos) {
        return std::nullopt;
    }
    Parameter parameter{.name = trimmed(text.substr(0, equals)), .value = {}};
    text = trimmed(text.substr(equals + 1));
    if (!text.starts_with('"')) {
        const std::size_t end = std::min(text.find(';'), text.size());
        parameter.value = trimmed(text.substr(0, end));
        text.remove_prefix(end);
        return parameter;
    }
    std::size_t at = 1;
    for (; at < text.size() && text[at] != '"'; ++at) {
        const bool escape = text[at] == '\\' && at + 1 < text.size() &&
                            (text[at + 1] == '"' || text[at + 1] == '\\');
        at += escape ? 1 : 0;
        parameter.value.push_back(text[at]);
    }
    if (at >= text.size()) {
        return std::nullopt;
    }
    text.remove_prefix(at + 1);
    return parameter;
}

std::unexpected<Error> bad_form(std::string reason) {
    return fail(ErrorKind::invalid, "multipart/form-data: " + std::move(reason));
}

Result<std::string> boundary_of(std::string_view content_type) {
    std::string_view rest = content_type;
    const std::size_t end = std::min(rest.find(';'), rest.size());
    if (!equal_fold(trimmed(rest.substr(0, end)), "multipart/form-data")) {
        return bad_form("the content type is \"" + std::string(content_type) + "\"");
    }
    rest.remove_prefix(end);
    while (auto parameter = next_parameter(rest)) {
        if (!equal_fold(parameter->name, "boundary")) {
            continue;
        }
        if (parameter->value.empty() || parameter->value.size() > boundary_bytes_max) {
            return bad_form("the boundary must have 1 to 70 characters");
        }
        return std::move(parameter->value);
    }
    return bad_form("the content type names no boundary");
}

void read_part_field(FormPart& part, bool& is_form_data, std::string_view name,
                     std::string_view value) {
    if (equal_fold(name, "content-type")) {
        part.content_type = value;
        return;
    }
    if (!equal_fold(name, "content-disposition")) {
        return;
    }
    const std::size_t end = std::min(value.find(';'), value.size());
    is_form_data = equal_fold(trimmed(value.substr(0, end)), "form-data");
    value.remove_prefix(end);
    while (auto parameter = next_parameter(value)) {
        if (equal_fold(parameter->name, "name")) {
            part.name = std::move(parameter->value);
        } else if (equal_fold(parameter->name, "filename")) {
            part.filename = std::move(parameter->value);
        }
    }
}

Result<FormPart> read_part(std::string_view text) {
    FormPart part;
    bool is_form_data = false;
    std::size_t header_bytes = 0;
    for (;;) {
        const std::string_view window = text.substr(0, part_header_bytes_max - header_bytes + 2);
        const std::size_t end = window.find("\r\n");
        if (end == window.npos) {
            return bad_form(window.size() < text.size() ? "a part's header is above 4 KiB"
                                                        : "a part's header does not end");
        }
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 2);
        if (line.empty()) {
            break;
        }
        header_bytes += end + 2;
        if (header_bytes > part_header_bytes_max) {
            return bad_form("a part's header is above 4 KiB");
        }
        const std::size_t colon = line.find(':');
        if (colon == line.npos) {
            return bad_form("a part's header line has no colon");
        }
        read_part_field(part, is_form_data, line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }
    if (!is_form_data || part.name.empty()) {
        return bad_form("a part lacks Content-Disposition: form-data with a name");
    }
    part.content = text;
    return part;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, Plus plus) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '+' && plus == Plus::space) {
            decoded.push_back(' ');
        } else if (text[at] != '%') {
            decoded.push_back(text[at]);
        } else {
            const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
            const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
            if (high < 0 || low < 0) {
                return std::nullopt;
            }
            decoded.push_back(static_cast<char>(high * 16 + low));
            at += 2;
        }
    }
    return decoded;
}

Result<Fields> parse_query(std::string_view text) {
    Fields fields;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('&'), text.size());
        const std::string_view pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty()) {
            continue;
        }
        const std::size_t equals = std::min(pair.find('='), pair.size());
        auto name = percent_decoded(pair.substr(0, equals), Plus::space);
        auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), Plus::space);
        if (!name || !value) {
            return fail(ErrorKind::invalid, "query: \"" + std::string(pair) +
                                                "\" has a % without two hexadecimal digits");
        }
        fields.add(std::move(*name), std::move(*value));
    }
    return fields;
}

Result<std::vector<FormPart>> parse_form(std::string_view content_type, std::string_view body) {
    const std::string delimiter = "\r\n--" + TRY(boundary_of(content_type));
    const std::string_view first = std::string_view(delimiter).substr(2);

    // What stands before the first delimiter and after the last is to be ignored.
    std::size_t at = body.starts_with(first) ? first.size() : body.find(delimiter);
    if (at == body.npos) {
        return bad_form("the boundary does not occur");
    }
    if (!body.starts_with(first)) {
        at += delimiter.size();
    }
    std::vector<FormPart> parts;
    for (;;) {
        std::string_view left = body.substr(at);
        if (left.starts_with("--")) {
            return parts;
        }
        const std::size_t line_end = left.find_first_not_of(" \t");
        if (line_end == left.npos || !left.substr(line_end).starts_with("\r\n")) {
            return bad_form("a boundary is not followed by a line end");
        }
        at += line_end + 2;
        // A part may be empty: its delimiter's line end is then the one just read.
        const std::size_t end = body.find(delimiter, at - 2);
        if (end == body.npos) {
            return bad_form("the last boundary is missing: the body is cut");
        }
        if (parts.size() == parts_max) {
            return bad_form("more than 64 parts");
        }
        parts.push_back(TRY(read_part(body.substr(at, end < at ? 0 : end - at))));
        at = end + delimiter.size();
    }
}

}  // namespace bascule::http
