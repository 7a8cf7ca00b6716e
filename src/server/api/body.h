#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/json/value.h"
#include "server/api/moment.h"

namespace bascule::api {

/// A request body, read member by member.
///
/// A getter answers nothing for a member that is absent, and notes a fault for one of a wrong kind;
/// `finish` tells the first fault, or a member that nobody asked for. `null` means absent.
///
///     Body body = TRY(Body::parse(request.body));
///     AccountEdit edit{.name = body.text("name")};
///     TRY(body.finish());
class Body {
  public:
    /// An empty body is an empty object. Errors: `invalid` for what is no JSON object.
    static Result<Body> parse(std::string_view text);

    std::optional<std::string> text(std::string_view key);
    /// Like text, but `null` reads as "": for members that null takes away.
    std::optional<std::string> text_or_null(std::string_view key);
    std::optional<bool> flag(std::string_view key);
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t least,
                                        std::int64_t most);
    /// Unix milliseconds, as a number or a text, a date, or a time of ISO 8601 with its zone.
    std::optional<Moment> moment(std::string_view key);
    std::optional<std::vector<std::string>> texts(std::string_view key);
    /// The member's JSON text.
    std::optional<std::string> raw(std::string_view key);
    const json::Value* member(std::string_view key);

    /// Notes that a member must be there.
    void need(std::string_view key);
    void fault(std::string_view key, std::string_view message);
    /// The same from an error that names the member itself.
    void fault(Error error);

    Result<> finish() const;

  private:
    explicit Body(json::Value value) : value_(std::move(value)) {}

    json::Value value_;
    std::set<std::string, std::less<>> known_;
    std::optional<Error> fault_;
};

}  // namespace bascule::api
