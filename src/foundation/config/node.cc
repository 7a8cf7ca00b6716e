#include "foundation/config/node.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace bascule::config {

namespace {

constexpr int depth_max = 64;

std::string joined(std::string_view parent, std::string_view key) {
    return parent.empty() ? std::string(key) : std::string(parent) + "." + std::string(key);
}

Result<Node> convert(const YAML::Node& yaml, std::string path, std::string_view file, int depth) {
    Node node;
    node.path = std::move(path);
    node.origin = {.source = std::string(file), .line = yaml.Mark().line + 1};
    const auto where = [&] { return text(node.origin) + ": "; };
    if (depth > depth_max) {
        return fail(ErrorKind::invalid, where() + "nested deeper than 64 levels");
    }
    if (yaml.IsScalar()) {
        node.kind = Node::Kind::scalar;
        node.scalar = yaml.Scalar();
        node.quoted = yaml.Tag() == "!";
    } else if (yaml.IsSequence()) {
        node.kind = Node::Kind::list;
        for (const YAML::Node& item : yaml) {
            const std::string index = "[" + std::to_string(node.items.size()) + "]";
            node.items.push_back(TRY(convert(item, node.path + index, file, depth + 1)));
        }
    } else if (yaml.IsMap()) {
        node.kind = Node::Kind::map;
        for (const auto& member : yaml) {
            if (!member.first.IsScalar()) {
                return fail(ErrorKind::invalid, where() + "a key must be a plain text");
            }
            const std::string& key = member.first.Scalar();
            if (node.find(key) != nullptr) {
                return fail(ErrorKind::invalid,
                            std::string(file) + ":" + std::to_string(member.first.Mark().line + 1) +
                                ": '" + joined(node.path, key) + "' stands twice");
            }
            Node value = TRY(convert(member.second, joined(node.path, key), file, depth + 1));
            value.origin.line = std::max(value.origin.line, member.first.Mark().line + 1);
            if (value.kind == Node::Kind::map || value.kind == Node::Kind::list) {
                value.origin.line = member.first.Mark().line + 1;
            }
            node.members.push_back({key, std::move(value)});
        }
    }
    return node;
}

/// Whether a plain scalar is a number by JSON's grammar; anything else becomes a JSON string.
bool is_json_number(std::string_view text) {
    std::size_t at = 0;
    const auto digits = [&] {
        const std::size_t from = at;
        while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) {
            ++at;
        }
        return at - from;
    };
    if (at < text.size() && text[at] == '-') {
        ++at;
    }
    const bool leading_zero = at < text.size() && text[at] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (leading_zero && whole > 1)) {
        return false;
    }
    if (at < text.size() && text[at] == '.') {
        ++at;
        if (digits() == 0) {
            return false;
        }
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
            ++at;
        }
        if (digits() == 0) {
            return false;
        }
    }
    return at == text.size();
}

void write_string(std::string_view text, std::string& out) {
    constexpr std::string_view hex = "0123456789abcdef";
    out.push_back('"');
    for (const char letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            out.push_back('\\');
            out.push_back(letter);
        } else if (code < 0x20) {
            out.append("\\u00").push_back(hex[code >> 4]);
            out.push_back(hex[code & 15]);
        } else {
            out.push_back(letter);
        }
    }
    out.push_back('"');
}

void write_json(const Node& node, std::string& out) {
    switch (node.kind) {
        case Node::Kind::null:
            out.append("null");
            break;
        case Node::Kind::scalar: {
            const bool literal = node.scalar == "true" || node.scalar == "false" ||
                                 node.scalar == "null" || is_json_number(node.scalar);
            if (literal && !node.quoted) {
                out.append(node.scalar);
            } else if (node.scalar == "~" && !node.quoted) {
                out.append("null");
            } else {
                write_string(node.scalar, out);
            }
            break;
        }
        case Node::Kind::list:
            out.push_back('[');
            for (std::size_t i = 0; i < node.items.size(); ++i) {
                out.append(i == 0 ? "" : ",");
                write_json(node.items[i], out);
            }
            out.push_back(']');
            break;
        case Node::Kind::map:
            out.push_back('{');
            for (std::size_t i = 0; i < node.members.size(); ++i) {
                out.append(i == 0 ? "" : ",");
                write_string(node.members[i].key, out);
                out.push_back(':');
                write_json(node.members[i].value, out);
            }
            out.push_back('}');
            break;
    }
}

void set_origin(Node& node, const Origin& origin, const std::string& path) {
    node.origin = origin;
    node.path = path;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        set_origin(node.items[i], origin, path + "[" + std::to_string(i) + "]");
    }
    for (auto& [key, value] : node.members) {
        set_origin(value, origin, joined(path, key));
    }
}

}  // namespace

std::string text(const Origin& origin) {
    return origin.line == 0 ? origin.source : origin.source + ":" + std::to_string(origin.line);
}

const Node* Node::find(std::string_view key) const {
    const auto found =
        std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.key == key; });
    return found == members.end() ? nullptr : &found->value;
}

Result<Node> parse_yaml(std::string_view text, std::string_view file) {
    try {
        const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
        if (documents.size() > 1) {
            return fail(ErrorKind::invalid, std::string(file) + ": holds more than one document");
        }
        if (documents.empty() || documents[0].IsNull()) {
            return Node{.kind = Node::Kind::map, .origin = {.source = std::string(file)}};
        }
        return convert(documents[0], "", file, 0);
    } catch (const YAML::Exception& error) {
        return fail(ErrorKind::invalid,
                    std::string(file) + ":" + std::to_string(error.mark.line + 1) + ":" +
                        std::to_string(error.mark.column + 1) + ": " + error.msg);
    }
}

Result<> set_value(Node& root, std::string_view path, std::string_view value,
                   const Origin& origin) {
    Node parsed = TRY(parse_yaml("value: " + std::string(value), origin.source));
    Node* at = &root;
    std::string walked;
    while (true) {
        const std::size_t dot = path.find('.');
        const std::string key(path.substr(0, dot));
        if (key.empty()) {
            return fail(ErrorKind::invalid, text(origin) + ": the path has an empty part");
        }
        walked = joined(walked, key);
        if (at->kind == Node::Kind::null) {
            at->kind = Node::Kind::map;
        }
        if (at->kind != Node::Kind::map) {
            return fail(ErrorKind::invalid, text(origin) + ": '" + at->path + "' is not a section");
        }
        auto found = std::find_if(at->members.begin(), at->members.end(),
                                  [&](const auto& m) { return m.key == key; });
        if (found == at->members.end()) {
            at->members.push_back({std::string(key), Node{.path = walked, .origin = origin}});
            found = std::prev(at->members.end());
        }
        at = &found->value;
        if (dot == std::string_view::npos) {
            break;
        }
        path.remove_prefix(dot + 1);
    }
    const Node* given = parsed.find("value");
    *at = given != nullptr ? *given : Node{};
    set_origin(*at, origin, walked);
    return {};
}

std::string to_json(const Node& node) {
    std::string out;
    write_json(node, out);
    return out;
}

}  // namespace bascule::config
