#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "foundation/json/value.h"

namespace bascule::cli {

enum class Output { table, json, jsonl, csv };
Result<Output> parse_output(std::string_view name);

/// A column of a table: its title and where the value lies in an item (`/event/eventType`).
struct Column {
    std::string_view title;
    std::string_view pointer;
    bool right = false;
    std::string_view if_absent;  ///< what a person reads where the value is null
    std::string_view remedy;     ///< what to do about that; told once beside the list
    bool category = false;       ///< the id of a category: a person reads its name
};

/// Names of things by their ids.
using NamesById = std::map<std::string, std::string, std::less<>>;

/// Writes a list's items, or one object, in the form asked for. Items as a table have the columns
/// given (all scalar members of the first item if there are none); one object as a table has a line
/// a member. A time in Unix milliseconds under a name that ends in `At` or `Date`, or called
/// `timestamp`, is shown as UTC in tables only, and so are categories by their names.
std::string rendered_list(std::span<const json::Value> items, std::span<const Column> columns,
                          Output output, const NamesById& categories = {});
/// Of the columns given, an object as a table takes what is read where a value is null.
std::string rendered_object(const json::Value& object, Output output,
                            std::span<const Column> columns = {});

/// JSON with two blanks a level, for people; scalars and empty brackets on one line.
std::string indented(const json::Value& value);

/// 2024-01-31T12:00:00.000Z
std::string utc_text(std::int64_t unix_ms);

}  // namespace bascule::cli
