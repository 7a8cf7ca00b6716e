#include "cli/output.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "cli/table.h"
#include "foundation/json/writer.h"
#include "household/money/date.h"

namespace bascule::cli {

namespace {

bool is_time(std::string_view name) {
    return name.ends_with("At") || name.ends_with("Date") || name == "timestamp";
}

bool is_scalar(const json::Value& value) {
    return !value.is(json::Kind::array) && !value.is(json::Kind::object);
}

std::string_view last_part(std::string_view pointer) {
    return pointer.substr(pointer.rfind('/') + 1);
}

/// A value as one cell.
std::string cell_of(const json::Value* value, std::string_view name, Output output) {
    if (value == nullptr || value->is(json::Kind::null)) {
        return {};
    }
    if (const auto text = value->as_string()) {
        return std::string(*text);
    }
    if (output == Output::table && is_time(name)) {
        if (const auto ms = value->as_int64()) {
            return utc_text(*ms);
        }
    }
    if (value->is(json::Kind::array)) {
        std::string joined;
        for (const json::Value& item : value->items()) {
            joined += (joined.empty() ? "" : ", ") + cell_of(&item, {}, output);
        }
        return joined;
    }
    return value->text();
}

std::vector<Column> columns_of(const json::Value& item, std::vector<std::string>& pointers) {
    for (const json::Member& member : item.members()) {
        if (is_scalar(member.value)) {
            pointers.push_back("/" + member.key);
        }
    }
    std::vector<Column> columns;
    for (const std::string& pointer : pointers) {
        columns.push_back({std::string_view(pointer).substr(1), pointer});
    }
    return columns;
}

std::string lines_of(std::span<const json::Value> items) {
    std::string out;
    for (const json::Value& item : items) {
        out += item.text() + "\n";
    }
    return out;
}

std::string grid(std::span<const json::Value> items, std::span<const Column> columns, Output output,
                 const NamesById& categories) {
    std::vector<std::string> titles;
    for (const Column& column : columns) {
        titles.emplace_back(output == Output::csv ? last_part(column.pointer) : column.title);
    }
    std::string csv = csv_line(titles);
    Table table(titles);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].right) {
            table.align_right(i);
        }
    }
    for (const json::Value& item : items) {
        std::vector<std::string> cells;
        for (const Column& column : columns) {
            std::string cell = cell_of(item.at(column.pointer), last_part(column.pointer), output);
            if (cell.empty() && output == Output::table) {
                cell = column.if_absent;
            }
            if (const auto name = categories.find(cell);
                column.category && output == Output::table && name != categories.end()) {
                cell = name->second;
            }
            cells.push_back(std::move(cell));
        }
        if (output == Output::csv) {
            csv += csv_line(cells);
        } else {
            table.add(std::move(cells));
        }
    }
    return output == Output::csv ? csv : table.text();
}

void indent(std::string& out, const json::Value& value, int level) {
    const std::string inner(static_cast<std::size_t>(level + 1) * 2, ' ');
    const std::string outer(static_cast<std::size_t>(level) * 2, ' ');
    if (value.is(json::Kind::object) && !value.members().empty()) {
        out += "{\n";
        for (const json::Member& member : value.members()) {
            out += inner;
            json::append_string(out, member.key);
            out += ": ";
            indent(out, member.value, level + 1);
            out += &member == &value.members().back() ? "\n" : ",\n";
        }
        out += outer + "}";
    } else if (value.is(json::Kind::array) && !value.items().empty()) {
        out += "[\n";
        for (const json::Value& item : value.items()) {
            out += inner;
            indent(out, item, level + 1);
            out += &item == &value.items().back() ? "\n" : ",\n";
        }
        out += outer + "]";
    } else {
        out += value.text();
    }
}

}  // namespace

Result<Output> parse_output(std::string_view name) {
    constexpr std::pair<std::string_view, Output> outputs[] = {{"table", Output::table},
                                                               {"json", Output::json},
                                                               {"jsonl", Output::jsonl},
                                                               {"csv", Output::csv}};
    for (const auto& [known, output] : outputs) {
        if (known == name) {
            return output;
        }
    }
    return fail(ErrorKind::invalid,
                "--output is \"" + std::string(name) + "\"; table, json, jsonl or csv is allowed");
}

std::string utc_text(std::int64_t unix_ms) {
    constexpr std::int64_t day_ms = 86'400'000;
    const std::int64_t days = (unix_ms >= 0 ? unix_ms : unix_ms - day_ms + 1) / day_ms;
    constexpr std::int64_t days_most = 2'932'896;  // 9999-12-31
    if (days < 0 || days > days_most) {
        return std::to_string(unix_ms);
    }
    const auto ms = static_cast<int>(unix_ms - days * day_ms);
    char time[32];
    std::snprintf(time, sizeof time, "T%02d:%02d:%02d.%03dZ", ms / 3'600'000, ms / 60'000 % 60,
                  ms / 1000 % 60, ms % 1000);
    return money::Date::from_days(static_cast<std::int32_t>(days)).to_text() + time;
}

std::string indented(const json::Value& value) {
    std::string out;
    indent(out, value, 0);
    return out + "\n";
}

std::string rendered_list(std::span<const json::Value> items, std::span<const Column> columns,
                          Output output, const NamesById& categories) {
    if (output == Output::jsonl) {
        return lines_of(items);
    }
    if (output == Output::json) {
        return indented(json::Value::array({items.begin(), items.end()}));
    }
    std::vector<std::string> pointers;
    std::vector<Column> found;
    if (columns.empty() && !items.empty()) {
        found = columns_of(items.front(), pointers);
        columns = found;
    }
    return grid(items, columns, output, categories);
}

std::string rendered_object(const json::Value& object, Output output,
                            std::span<const Column> columns) {
    if (output == Output::json) {
        return indented(object);
    }
    if (output == Output::jsonl) {
        return object.text() + "\n";
    }
    if (output == Output::csv) {
        return rendered_list({&object, 1}, {}, output);
    }
    std::string out;
    std::size_t width = 0;
    for (const json::Member& member : object.members()) {
        width = std::max(width, width_of(member.key));
    }
    for (const json::Member& member : object.members()) {
        const std::string padding(width - width_of(member.key) + 2, ' ');
        std::string cell = cell_of(&member.value, member.key, output);
        const auto column = std::ranges::find(columns, "/" + member.key, &Column::pointer);
        if (cell.empty() && column != columns.end()) {
            cell = column->if_absent;
        }
        out += member.key + padding + cell + "\n";
    }
    return out;
}

}  // namespace bascule::cli
