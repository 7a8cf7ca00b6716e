#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "cli/session.h"

namespace bascule::cli {

/// Where a word of the command line goes in the request.
enum class Place { path, query, body };

/// How it is written in a JSON body. An `account` and a `category` are typed as their id or their
/// name, and sent as their id.
enum class Form { text, number, truth, json, list, account, category };

/// One argument of a verb. Positional ones stand in the order of the table; the others are
/// `--name`.
struct Argument {
    std::string_view name;    ///< as typed: `account-id`
    std::string_view member;  ///< as the API calls it: `accountId`
    Place place = Place::query;
    Form form = Form::text;
    bool positional = false;
    bool required = false;
    std::string_view help;
};

/// What an answer is, and so how it is shown.
enum class Shape {
    list,    ///< pages of items
    object,  ///< one thing
    rows,    ///< figures: one object, of which the member `Verb::rows` is the table
    text,
};

/// What is done beyond showing an answer that is a bank file.
enum class FileStep {
    none,
    wait,  ///< until it is processed, unless --no-wait; the exit code follows what became of it
    tell,  ///< with which command to go on
};

/// A verb that is one request: `consumers pause NAME --until T` is `POST /v1/consumers/{name}:pause
/// {"until": T}`.
struct Verb {
    std::string_view path;    ///< of the command: `consumers pause`
    std::string_view method;  ///< `GET`, `POST` …
    std::string_view url;     ///< with `{member}` for arguments in the path
    std::string_view help;
    std::vector<Argument> arguments;
    Shape shape = Shape::object;
    std::vector<Column> columns;
    bool destructive = false;  ///< wants --yes where nobody can be asked
    std::string_view rows;     ///< with Shape::rows
    FileStep file = FileStep::none;
};

/// All of them, in the order of `bascule --help`.
std::span<const Verb> verbs();

/// The table of a kind of figures, told also where there are no rows; empty for one that is not
/// known here.
std::span<const Column> figure_columns(std::string_view type);

/// What stands before the verbs of one noun in the help: `consumers` → "Who gets events, and how
/// far they are".
std::string_view help_of_noun(std::string_view noun);

/// What was typed: argument names with their values.
using Words = std::map<std::string, std::vector<std::string>, std::less<>>;

struct VerbOptions {
    Target target;
    Output output = Output::table;
    bool yes = false;
    std::size_t limit = 100;  ///< items of a list
    bool all = false;
    bool wait = true;  ///< for a file to be processed
};

/// What a person is asked before a destructive verb: what it does, and to what.
std::string question_of(const Verb& verb, const Words& words);

/// Asks the server and prints its answer. Returns the exit code.
int run_verb(const Verb& verb, const Words& words, const VerbOptions& options);

}  // namespace bascule::cli
