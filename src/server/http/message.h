#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/result.h"

namespace bascule::http {

enum class Method { get, head, post, put, patch, delete_, options, other };

/// As it stands on the wire; "?" for `other`.
std::string_view name(Method method);
Method method_of(std::string_view text);

/// Names with values in the order in which they came; a name may come more than once.
class Fields {
  public:
    using Entries = std::vector<std::pair<std::string, std::string>>;

    Fields() = default;
    Fields(std::initializer_list<Entries::value_type> entries) : entries_(entries) {}

    void add(std::string name, std::string value) {
        entries_.emplace_back(std::move(name), std::move(value));
    }
    /// The first value of that name, exactly as spelled.
    std::optional<std::string_view> find(std::string_view name) const;
    std::string_view value_or(std::string_view name, std::string_view otherwise) const {
        return find(name).value_or(otherwise);
    }

    bool empty() const { return entries_.empty(); }
    std::size_t size() const { return entries_.size(); }
    Entries::const_iterator begin() const { return entries_.begin(); }
    Entries::const_iterator end() const { return entries_.end(); }

  protected:
    Entries entries_;
};

/// Header fields: as Fields, but names are equal whatever their case.
class Headers : public Fields {
  public:
    using Fields::Fields;
    std::optional<std::string_view> find(std::string_view name) const;
    std::string_view value_or(std::string_view name, std::string_view otherwise) const {
        return find(name).value_or(otherwise);
    }
    /// Replaces every field of that name by one.
    void set(std::string_view name, std::string value);
};

/// True when the two are equal but for ASCII case.
bool equal_fold(std::string_view left, std::string_view right);

struct Request {
    Method method = Method::get;
    std::string method_text;  ///< as sent, also where `method` is `other`
    std::string target;       ///< as sent: "/v1/files?limit=5"
    std::string path;         ///< of the target, percent-decoded
    Fields query;             ///< of the target, decoded ("+" is a space)
    Fields parameters;        ///< what the route's {names} matched, decoded
    Headers headers;
    std::string body;
    std::string peer;  ///< the other end's address: "127.0.0.1" or "::1"
    std::string id;    ///< what the answer's X-Request-Id will say

    /// A route's parameter. The route must have it (CHECK).
    const std::string& parameter(std::string_view name) const;
};

struct Response {
    int status = 200;
    /// Content-Length, Date, Connection and X-Request-Id are added by the server.
    Headers headers;
    std::string body;
};

Response json_response(int status, std::string body);
Response text_response(int status, std::string body);

/// What our own API says when it refuses; empty members are left out.
struct ErrorBody {
    std::string code;     ///< stable, for programs: "not_found"
    std::string message;  ///< what, where, what is allowed
    std::string hint;     ///< what to do about it
    std::string field;    ///< the member of the request that is wrong
};

/// {"error":{"code","message","hint","field","requestId"}}
Response error_response(int status, const ErrorBody& error, std::string_view request_id);
/// The same from an Error: its kind is the code and chooses the status.
Response error_response(const Error& error, std::string_view request_id);
int status_of(ErrorKind kind);

/// "Not Found"; empty for a status that has no name.
std::string_view reason_of(int status);

}  // namespace bascule::http
