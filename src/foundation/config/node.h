#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/result.h"

namespace bascule::config {

/// Where a setting was written, for messages and for `config explain`.
struct Origin {
    std::string source;  ///< a file's path, "environment BASCULE_X" or "flag --set"
    int line = 0;        ///< 1-based; 0 where the source has no lines
};

/// "config/bascule.yaml:12" or just the source.
std::string text(const Origin& origin);

/// One value of a configuration file, with its place. A plain tree: copyable, owns its texts.
struct Node {
    enum class Kind { null, scalar, list, map };
    struct Member;

    Kind kind = Kind::null;
    std::string scalar;   ///< the text as written, without quotes
    bool quoted = false;  ///< "12" and 12 differ where JSON is made of them
    std::vector<Node> items;
    std::vector<Member> members;  ///< in the order of the file
    std::string path;             ///< "consumers.analytics.retry"
    Origin origin;

    const Node* find(std::string_view key) const;
};

struct Node::Member {
    std::string key;
    Node value;
};

/// Reads one YAML document (1.2 core subset of yaml-cpp; no anchors into other files, depth 64).
/// Errors: `invalid` with file, line and column; a key that stands twice in one map is one.
Result<Node> parse_yaml(std::string_view text, std::string_view file);

/// Puts `value` at a dotted path, making maps on the way; later calls win. The value is read as
/// YAML, so `--set consumers.x.concurrency=4` and `--set a.b=[1, 2]` mean what they look like.
Result<> set_value(Node& root, std::string_view path, std::string_view value, const Origin& origin);

/// The node as JSON text: quoted scalars are strings, plain ones what JSON says they are.
std::string to_json(const Node& node);

}  // namespace bascule::config
