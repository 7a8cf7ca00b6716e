#include "cli/verbs.h"

#include <algorithm>
#include <cstdio>

#include "cli/cli.h"
#include "cli/file_outcome.h"
#include "cli/tail_verb.h"
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
        case Form::category:
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

/// An argument as it is typed: `--opening-date`, `NAME`.
std::string typed_as(const Argument& argument) {
    if (!argument.positional) {
        // Both names are taken; this is the one that people and the reference use.
        return argument.name == "account-id" ? "--account" : "--" + std::string(argument.name);
    }
    std::string name(argument.name);
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return name;
}

/// A refusal names members of the request (`/openingDate: …`, `… (openingDate)`), a person typed
/// options.
std::string in_typed_words(std::string message, const Verb& verb) {
    for (const Argument& argument : verb.arguments) {
        const std::string typed = typed_as(argument);
        for (const std::string& member :
             {"/" + std::string(argument.member), std::string(argument.member)}) {
            if (message.starts_with(member) && message.size() > member.size() &&
                std::string_view(":/.").contains(message[member.size()])) {
                return message.replace(0, member.size(), typed);
            }
            const std::string behind = " (" + member + ")";
            if (const auto at = message.find(behind); at != std::string::npos) {
                return message.replace(at, behind.size(), " (" + typed + ")");
            }
        }
    }
    return message;
}

int tell(const Failure& failure, const Verb& verb) {
    return tell({failure.exit_code, in_typed_words(failure.message, verb)});
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

std::string member_of(const json::Value& item, std::string_view name) {
    const json::Value* found = item.find(name);
    return std::string(found == nullptr ? "" : found->as_string().value_or(""));
}

/// A whole list, page by page.
Answer<std::vector<json::Value>> all_of(Session& session, std::string_view path) {
    std::vector<json::Value> items;
    std::string cursor;
    do {
        Query query = {{"limit", "1000"}};
        if (!cursor.empty()) {
            query.emplace_back("cursor", cursor);
        }
        const auto page = session.json({.path = std::string(path), .query = std::move(query)});
        if (!page) {
            return std::unexpected(page.error());
        }
        if (const json::Value* found = page->find("items"); found != nullptr) {
            items.insert(items.end(), found->items().begin(), found->items().end());
        }
        cursor = member_of(*page, "nextCursor");
    } while (!cursor.empty());
    return items;
}

/// Names for the columns that show categories; none if nobody reads them.
NamesById names_for(Session& session, const Verb& verb, Output output) {
    NamesById names;
    if (output == Output::table && std::ranges::any_of(verb.columns, &Column::category)) {
        // Whoever may not see them reads ids.
        for (const json::Value& category :
             all_of(session, "/v1/categories").value_or(std::vector<json::Value>())) {
            names.emplace(member_of(category, "id"), member_of(category, "name"));
        }
    }
    return names;
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
            return tell(page.error(), verb);
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
    print(rendered_list(items, verb.columns, options.output,
                        items.empty() ? NamesById() : names_for(session, verb, options.output)));
    if (options.output == Output::table) {
        note_remedies(items, verb.columns);
    }
    if (const auto type = std::ranges::find(query, "type", &Query::value_type::first);
        total == 0 && type != query.end()) {
        if (const std::string hint = hint_about_type(type->second); !hint.empty()) {
            print_note(hint);
        }
    }
    if (!cursor.empty()) {
        print_note("shown " + std::to_string(items.size()) +
                   (total < 0 ? std::string() : " of " + std::to_string(total)) +
                   "; --limit N or --all shows more");
    }
    return exit_yes;
}

/// True for what nothing is called but by intent: 36 characters of a UUID.
bool looks_like_id(std::string_view text) {
    return text.size() == 36 &&
           text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

/// What may be called by its name.
struct Named {
    std::string_view path;
    std::string_view one;
    std::string_view many;
    std::string_view told_apart_by;  ///< members that are shown where names are equal
    std::string_view and_by;
};
constexpr Named accounts = {"/v1/accounts", "account", "accounts", "type", "institution"};
constexpr Named categories = {"/v1/categories", "category", "categories", "type", "parentId"};

/// The id of what is called so; says which there are if none or several are.
Answer<std::string> id_called(Session& session, const Named& kind, const std::string& name) {
    const auto items = all_of(session, kind.path);
    if (!items) {
        return std::unexpected(items.error());
    }
    std::vector<const json::Value*> called;
    std::string all;
    for (const json::Value& item : *items) {
        const std::string its_name = member_of(item, "name");
        if (its_name == name || member_of(item, "id") == name) {
            called.push_back(&item);
        }
        all += (all.empty() ? "" : ", ") + its_name;
    }
    if (called.size() == 1) {
        return member_of(*called.front(), "id");
    }
    if (called.empty()) {
        return std::unexpected(
            Failure{exit_not_found, "no " + std::string(kind.one) + " is called '" + name +
                                        "'; there " + (all.empty() ? "is none" : "are: " + all)});
    }
    std::string ids;
    for (const json::Value* item : called) {
        ids += "\n  " + member_of(*item, "id") + "  " + member_of(*item, kind.told_apart_by) +
               "  " + member_of(*item, kind.and_by);
    }
    return std::unexpected(Failure{exit_usage, std::to_string(called.size()) + " " +
                                                   std::string(kind.many) + " are called '" + name +
                                                   "'; say which by its id:" + ids});
}

/// What was typed, with names made ids.
Answer<Words> with_ids(Session& session, const Verb& verb, Words words) {
    for (const Argument& argument : verb.arguments) {
        const auto found = words.find(argument.name);
        const bool is_named = argument.form == Form::account || argument.form == Form::category;
        if (!is_named || found == words.end()) {
            continue;
        }
        for (std::string& value : found->second) {
            if (value.empty() || looks_like_id(value)) {
                continue;
            }
            auto id =
                id_called(session, argument.form == Form::account ? accounts : categories, value);
            if (!id) {
                return std::unexpected(std::move(id).error());
            }
            value = std::move(*id);
        }
    }
    return words;
}

/// Figures lag behind what they are made of, by intent: a person must not take them for the truth
/// of the moment.
void note_age(const json::Value& figures) {
    const json::Value* stale = figures.find("stale");
    if (stale == nullptr || !stale->as_boolean().value_or(false)) {
        return;
    }
    const json::Value* computed = figures.find("computedAt");
    const auto at = computed == nullptr ? std::nullopt : computed->as_int64();
    print_note((at ? "the figures are of " + utc_text(*at) + "; newer events are not in them"
                   : std::string("nothing is computed yet")) +
               ": bascule analytics refresh computes them now");
}

}  // namespace

std::string question_of(const Verb& verb, const Words& words) {
    constexpr std::size_t shown_max = 3;
    std::string what;
    for (const Argument& argument : verb.arguments) {
        const auto* values = words_of(words, argument.name);
        if (values == nullptr) {
            continue;
        }
        what += (what.empty() ? "" : " ");
        what += argument.positional ? "" : "--" + std::string(argument.name) + " ";
        for (std::size_t i = 0; i < std::min(values->size(), shown_max); ++i) {
            what += (i == 0 ? "" : ", ") + (*values)[i];
        }
        if (values->size() > shown_max) {
            what += " and " + std::to_string(values->size() - shown_max) + " more";
        }
    }
    return std::string(verb.help) + (what.empty() ? "" : ": " + what) + "?";
}

int run_verb(const Verb& verb, const Words& typed, const VerbOptions& options) {
    if (verb.destructive && words_of(typed, "preview") == nullptr &&
        !confirmed(question_of(verb, typed), options.yes)) {
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
    const auto words = with_ids(*session, verb, typed);
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
            return tell(text.error(), verb);
        }
        print(*text);
        return exit_yes;
    }
    auto object = session->json(ask);
    if (!object) {
        return tell(object.error(), verb);
    }
    if (verb.file == FileStep::wait && options.wait) {
        object = settled(*session, *std::move(object));
        end_progress();
        if (!object) {
            return tell(object.error(), verb);
        }
    }
    const json::Value* rows = verb.shape == Shape::rows ? object->find(verb.rows) : nullptr;
    if (rows != nullptr && options.output != Output::json) {
        print(rendered_list(rows->items(), figure_columns(member_of(*object, "type")),
                            options.output));
        note_age(*object);
        return exit_yes;
    }
    print(rendered_object(*object, options.output, verb.columns));
    if (options.output == Output::table) {
        note_remedies({*object}, verb.columns);
    }
    if (verb.file == FileStep::wait) {
        explain_file(*session, *object);
        return exit_code_of_file(*object);
    }
    if (verb.file == FileStep::tell) {
        tell_next_step(*object);
    }
    return exit_yes;
}

}  // namespace bascule::cli
