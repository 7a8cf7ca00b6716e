#include "cli/verbs.h"

#include <algorithm>
#include <cstdio>

#include "cli/cli.h"
#include "cli/terminal.h"
#include "foundation/json/writer.h"

namespace bascule::cli {

namespace {

const std::vector<std::string>* words_of(const Words& words, std::string_view name) {
    const auto found = words.find(name);
    return found == words.end() || found->second.empty() ? nullptr : &found->second;
}

std::string path_of(const Verb& verb, const Words& words) {
    std::string path(verb.url);
    for (const Argument& argument : verb.arguments) {
        const auto* values = words_of(words, argument.name);
        const std::string place = "{" + std::string(argument.member) + "}";
        const auto at = path.find(place);
        if (argument.place == Place::path && values != nullptr && at != std::string::npos) {
            path.replace(at, place.size(), percent_encoded(values->front()));
        }
    }
    return path;
}

Query query_of(const Verb& verb, const Words& words) {
    Query query;
    for (const Argument& argument : verb.arguments) {
        if (const auto* values = words_of(words, argument.name);
            values != nullptr && argument.place == Place::query) {
            query.emplace_back(argument.member,
                               argument.form == Form::truth ? "true" : values->front());
        }
    }
    return query;
}

Result<> write_value(json::Writer& writer, const Argument& argument,
                     const std::vector<std::string>& values) {
    switch (argument.form) {
        case Form::text:
        case Form::account:
            writer.string(values.front());
            return {};
        case Form::truth:
            writer.boolean(true);
            return {};
        case Form::list:
            writer.begin_array();
            for (const std::string& value : values) {
                writer.string(value);
            }
            writer.end_array();
            return {};
        case Form::number:
        case Form::json: {
            auto value = json::Value::parse(values.front());
            const bool fits =
                value && (argument.form == Form::json || value->is(json::Kind::number));
            if (!fits) {
                return fail(ErrorKind::invalid,
                            "--" + std::string(argument.name) + " is \"" + values.front() + "\"; " +
                                (argument.form == Form::number ? "a number" : "JSON") +
                                " is allowed");
            }
            writer.raw(value->text());
            return {};
        }
    }
    return {};
}

Result<std::string> body_of(const Verb& verb, const Words& words) {
    if (verb.method == "GET" || verb.method == "DELETE") {
        return std::string();
    }
    std::string body;
    json::Writer writer(body);
    writer.begin_object();
    for (const Argument& argument : verb.arguments) {
        if (const auto* values = words_of(words, argument.name);
            values != nullptr && argument.place == Place::body) {
            writer.key(argument.member);
            TRY(write_value(writer, argument, *values));
        }
    }
    writer.end_object();
    return body;
}

int tell(const Failure& failure) {
    print_error(failure.message);
    return failure.exit_code;
}

/// What to do about values that are not there.
void note_remedies(const std::vector<json::Value>& items, const std::vector<Column>& columns) {
    for (const Column& column : columns) {
        const bool lacking = std::ranges::any_of(items, [&](const json::Value& item) {
            const json::Value* value = item.at(column.pointer);
            return value == nullptr || value->is(json::Kind::null);
        });
        if (lacking && !column.remedy.empty()) {
            print_note(column.remedy);
        }
    }
}

/// Follows the pages until the limit; what is left out is said on standard error.
int print_list(Session& session, Ask ask, const Verb& verb, const VerbOptions& options) {
    constexpr std::size_t page_max = 1000;
    std::vector<json::Value> items;
    const Query query = ask.query;
    std::string cursor;
    std::int64_t total = -1;
    do {
        ask.query = query;
        const std::size_t wanted =
            options.all ? page_max : std::min(page_max, options.limit - items.size());
        ask.query.emplace_back("limit", std::to_string(wanted));
        if (!cursor.empty()) {
            ask.query.emplace_back("cursor", cursor);
        }
        const auto page = session.json(ask);
        if (!page) {
            return tell(page.error());
        }
        const json::Value* found = page->find("items");
        if (found == nullptr) {
            return tell({exit_server_error, "the answer has no items"});
        }
        items.insert(items.end(), found->items().begin(), found->items().end());
        const json::Value* next = page->find("nextCursor");
        cursor = next == nullptr ? "" : std::string(next->as_string().value_or(""));
        const json::Value* count = page->find("total");
        total = count == nullptr ? -1 : count->as_int64().value_or(-1);
        if (options.all && options.output == Output::jsonl) {
            print(rendered_list(items, {}, options.output));
            items.clear();
        }
    } while (!cursor.empty() && (options.all || items.size() < options.limit));
    print(rendered_list(items, verb.columns, options.output));
    if (options.output == Output::table) {
        note_remedies(items, verb.columns);
    }
    if (!cursor.empty()) {
        print_note("shown " + std::to_string(items.size()) +
                   (total < 0 ? std::string() : " of " + std::to_string(total)) +
                   "; --limit N or --all shows more");
    }
    return exit_yes;
}

/// True for what no account is called but by intent: 36 characters of a UUID.
bool looks_like_id(std::string_view text) {
    return text.size() == 36 &&
           text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

std::string member_of(const json::Value& item, std::string_view name) {
    const json::Value* found = item.find(name);
    return std::string(found == nullptr ? "" : found->as_string().value_or(""));
}

/// The id of the account that is called so; says which there are if none or several are.
Answer<std::string> account_called(Session& session, const std::string& name) {
    const auto page = session.json({.path = "/v1/accounts", .query = {{"limit", "1000"}}});
    if (!page) {
        return std::unexpected(page.error());
    }
    const json::Value* items = page->find("items");
    std::vector<const json::Value*> called;
    std::string all;
    for (const json::Value& account :
         items == nullptr ? std::span<const json::Value>() : items->items()) {
        const std::string its_name = member_of(account, "name");
        if (its_name == name || member_of(account, "id") == name) {
            called.push_back(&account);
        }
        all += (all.empty() ? "" : ", ") + its_name;
    }
    if (called.size() == 1) {
        return member_of(*called.front(), "id");
    }
    if (called.empty()) {
        return std::unexpected(
            Failure{exit_not_found, "no account is called '" + name + "'; there " +
                                        (all.empty() ? "is none" : "are: " + all)});
    }
    std::string ids;
    for (const json::Value* account : called) {
        ids += "\n  " + member_of(*account, "id") + "  " + member_of(*account, "type") + "  " +
               member_of(*account, "institution");
    }
    return std::unexpected(Failure{exit_usage, std::to_string(called.size()) +
                                                   " accounts are called '" + name +
                                                   "'; say which by its id:" + ids});
}

/// What was typed, with accounts' names made ids.
Answer<Words> with_account_ids(Session& session, const Verb& verb, Words words) {
    for (const Argument& argument : verb.arguments) {
        const auto found = words.find(argument.name);
        if (argument.form != Form::account || found == words.end()) {
            continue;
        }
        for (std::string& value : found->second) {
            if (value.empty() || looks_like_id(value)) {
                continue;
            }
            auto id = account_called(session, value);
            if (!id) {
                return std::unexpected(std::move(id).error());
            }
            value = std::move(*id);
        }
    }
    return words;
}

}  // namespace

int run_verb(const Verb& verb, const Words& typed, const VerbOptions& options) {
    if (verb.destructive && words_of(typed, "preview") == nullptr &&
        !confirmed(std::string(verb.help) + "?", options.yes)) {
        print_error(std::string(verb.path) + " changes what cannot be changed back; pass --yes");
        return exit_usage;
    }
    if (const auto valid = body_of(verb, typed); !valid) {
        print_error(valid.error().message());
        return exit_usage;
    }
    auto session = Session::open(options.target);
    if (!session) {
        return tell(session.error());
    }
    const auto words = with_account_ids(*session, verb, typed);
    if (!words) {
        return tell(words.error());
    }
    Ask ask{.method = http::method_of(verb.method),
            .path = path_of(verb, *words),
            .query = query_of(verb, *words),
            .body = body_of(verb, *words).value_or("")};
    if (verb.shape == Shape::list) {
        return print_list(*session, std::move(ask), verb, options);
    }
    if (verb.shape == Shape::text) {
        const auto text = session->raw(ask);
        if (!text) {
            return tell(text.error());
        }
        print(*text);
        return exit_yes;
    }
    const auto object = session->json(ask);
    if (!object) {
        return tell(object.error());
    }
    const json::Value* rows = verb.shape == Shape::rows ? object->find(verb.rows) : nullptr;
    if (rows != nullptr && options.output != Output::json) {
        print(rendered_list(rows->items(), verb.columns, options.output));
        return exit_yes;
    }
    print(rendered_object(*object, options.output));
    return exit_yes;
}

}  // namespace bascule::cli
