#include "cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>

#include "cli/chain_verb.h"
#include "cli/completion.h"
#include "cli/import_verb.h"
#include "cli/pattern_verb.h"
#include "cli/publish_verb.h"
#include "cli/routes_verb.h"
#include "cli/statement_verb.h"
#include "cli/tail_verb.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "foundation/base/nearest.h"

namespace bascule::cli {

namespace {

/// The command tree. Each verb's words go into a struct of its own; `chosen_` is what to do with
/// them once the line is parsed, so that nothing runs while CLI11 may still throw.
class CommandLine {
  public:
    explicit CommandLine(const Program& program) : program_(program) {
        app_.require_subcommand(1);
        app_.fallthrough();
        app_.set_version_flag("--version", "bascule " + program.version);
        app_.add_option("--url", target_.url,
                        "Address of the server; else BASCULE_URL, else the one on this machine");
        app_.add_option("--token", target_.token,
                        "Token; else BASCULE_TOKEN, else the one on this machine");
        app_.add_option("--data", serve_.data_directory,
                        "Data directory of the server on this machine");
        app_.add_option("-o,--output", output_, "table, json, jsonl or csv")
            ->check(CLI::IsMember({"table", "json", "jsonl", "csv"}));
        app_.add_flag("-y,--yes", yes_, "Do not ask");
        app_.add_option("--timeout", timeout_s_, "Seconds to wait for an answer")
            ->check(CLI::Range(1, 86400));
        add_program_verbs();
        add_file_verbs();
        add_bus_verbs();
        add_table_verbs();
    }

    int run(int argc, const char* const* argv) {
        try {
            std::vector<std::string> words(argv + 1, argv + argc);
            if (!words.empty() && words.front() == "help") {  // `help accounts`
                std::ranges::rotate(words, words.begin() + 1);
                words.back() = "--help";
            }
            std::ranges::reverse(words);  // as CLI11 wants them
            app_.parse(std::move(words));
        } catch (const CLI::ParseError& error) {
            if (const std::string unknown = unknown_word({argv + 1, argv + argc});
                error.get_exit_code() != 0 && !unknown.empty()) {
                print_error(unknown);
                return exit_usage;
            }
            const int code = app_.exit(error);
            return code == 0 ? exit_yes : exit_usage;
        }
        target_.data_directory = serve_.data_directory;
        target_.timeout = std::chrono::seconds(timeout_s_);
        return chosen_ ? chosen_() : exit_usage;
    }

  private:
    using Action = std::function<int()>;

    CLI::App* verb(CLI::App& parent, const std::string& name, const std::string& help,
                   Action action) {
        CLI::App* app = parent.add_subcommand(name, help);
        app->fallthrough();
        app->callback([this, action = std::move(action)] { chosen_ = action; });
        return app;
    }

    /// A noun with verbs below it.
    CLI::App* noun(const std::string& name, const std::string& help) {
        CLI::App*& app = nouns_[name];
        if (app == nullptr) {
            app = app_.add_subcommand(name, help);
            app->require_subcommand(1);
            app->fallthrough();
            if (name == "letters") {
                app->alias("dlq");
            }
        }
        return app;
    }

    Output output() const { return parse_output(output_).value_or(Output::table); }

    void add_setting_options(CLI::App* app) {
        app->add_option("--config", serve_.config_file, "bascule.yaml");
        app->add_option("--routing", serve_.routing_file, "event_routing.yaml");
        app->add_option("--set", serve_.overrides, "KEY=VALUE; may be repeated")
            ->expected(1)
            ->take_all();
    }

    void add_program_verbs() {
        if (program_.serve) {
            CLI::App* serve =
                verb(app_, "serve", "Run the server", [this] { return program_.serve(serve_); });
            add_setting_options(serve);
            serve->add_option("--listen", serve_.listen, "ADDRESS:PORT");
            log_ = "text";
            serve->add_option("--log", log_, "text or json")
                ->check(CLI::IsMember({"text", "json"}))
                ->each([this](const std::string& form) { serve_.json_log = form == "json"; });
        }
        if (program_.config_check) {
            CLI::App* config = noun("config", "The configuration");
            add_setting_options(verb(*config, "check", "Check configuration and routing",
                                     [this] { return program_.config_check(serve_); }));
            if (program_.config_show) {
                CLI::App* show =
                    verb(*config, "show", "Settings in force and where each comes from",
                         [this] { return program_.config_show(serve_, key_); });
                add_setting_options(show);
                show->add_option("key", key_, "Only keys that begin so");
            }
        }
        if (program_.bench) {
            CLI::App* bench = verb(app_, "bench", "Measure this machine",
                                   [this] { return program_.bench(words_["words"]); });
            bench->add_option("words", words_["words"], "Which one, and what to change in it")
                ->option_text("NAME [KEY=VALUE]...");
            bench->footer("Without a NAME it lists the benchmarks there are.");
        }
        if (program_.demo) {
            verb(app_, "demo",
                 "A minute's tour in a temporary directory: import, categories, one event's chain, "
                 "a letter and its redrive, the audit",
                 [this] { return program_.demo(); });
        }
        verb(app_, "version", "Print the version", [this] {
            print("bascule " + program_.version + "\n");
            return static_cast<int>(exit_yes);
        });
        CLI::App* completion = verb(app_, "completion", "Print a completion script for a shell",
                                    [this] { return print_completion(shell_, app_words()); });
        completion->add_option("shell", shell_, "bash, zsh or fish")
            ->required()
            ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    }

    void add_file_verbs() {
        CLI::App* parse = verb(
            *noun("statement", "Bank files, without a server"), "parse",
            "Read one statement file and print what it says", [this] {
                statement_.output = statement_format_.empty()
                                        ? output()
                                        : parse_output(statement_format_).value_or(Output::table);
                return parse_statement(statement_);
            });
        parse->add_option("file", statement_.file, "The file; - for standard input")->required();
        parse->add_option("--format", statement_format_, "json or table; else as --output says")
            ->check(CLI::IsMember({"json", "table"}));
        parse->add_option("--profile", statement_.profile, "A mapping profile (JSON)");

        CLI::App* import = verb(app_, "import", "Import bank files into an account",
                                [this] { return import_files(import_, target_, output()); });
        import->add_option("files", import_.files, "The files")->required();
        import->add_option("--account", import_.account, "The account: id or name");
        import->add_option("--profile", import_.profile, "A mapping profile (JSON)");
        add_no_wait(import, import_.wait, "Do not wait until they are processed");
    }

    static void add_no_wait(CLI::App* app, bool& wait, const std::string& help) {
        app->add_flag_callback("--no-wait", [&wait] { wait = false; }, help);
    }

    void add_pattern_verb(const std::string& name, const std::string& help,
                          int (*action)(const PatternQuestion&, Output)) {
        CLI::App* app = verb(*noun("pattern", "Event patterns, without a server"), name, help,
                             [this, action] { return action(pattern_, output()); });
        app->add_option("pattern", pattern_.pattern, "JSON, @FILE, or - for standard input")
            ->required();
        if (name != "check") {
            app->add_option("event", pattern_.event, "JSON, @FILE, or - for standard input")
                ->required();
        }
        app->add_option("--dialect", dialect_, "eventbridge, or routing as in event_routing.yaml")
            ->check(CLI::IsMember({"eventbridge", "routing"}))
            ->each([this](const std::string& dialect) {
                pattern_.dialect = dialect == "routing" ? pattern::Dialect::routing
                                                        : pattern::Dialect::eventbridge;
            });
    }

    void add_bus_verbs() {
        add_pattern_verb("test", "Whether an event matches a pattern", test_pattern);
        add_pattern_verb("explain",
                         "Why it does or does not: what each field wanted, what was there",
                         explain_pattern);
        add_pattern_verb("check", "Whether it is a pattern, and what is wrong with it",
                         check_pattern);

        CLI::App* publish = verb(app_, "publish", "Publish events",
                                 [this] { return publish_events(publish_, target_, output()); });
        publish->add_option("file", publish_.file,
                            "JSON event, array, or one event a line; - for standard input");
        publish->add_option("--type", publish_.type, "Event type");
        publish->add_option("--source", publish_.source, "Source");
        publish->add_option("--user", publish_.user, "User id");
        publish->add_option("--correlation", publish_.correlation, "Correlation id");
        publish->add_option("--data", publish_.data, "The event's data, a JSON object");
        publish->add_option("--set", publish_.sets, "a.b=VALUE in the data; may be repeated")
            ->expected(1)
            ->take_all();
        publish->add_option("--count", publish_.count, "Publish it so many times")
            ->check(CLI::Range(1U, 1'000'000'000U));
        publish->add_option("--rate", publish_.per_second, "Events a second at most");
        publish->add_flag("--dry-run", publish_.dry_run, "Only say who would get them");

        CLI::App* tail = verb(app_, "tail", "Events as they come",
                              [this] { return tail_events(tail_, target_, output()); });
        tail->add_option("--type", tail_.type, "Event type");
        tail->add_option("--source", tail_.source, "Source");
        tail->add_option("--pattern", tail_.pattern, "An event pattern, or @FILE");
        tail->add_option("--from", tail_.from, "Begin at a position, or at `earliest`");
        tail->add_option("--since", tail_.since, "Begin with those of the last 10m, 2h, 1d");
        tail->add_option("--last", tail_.last, "Begin with so many that are there");
        tail->add_flag("!--no-follow", tail_.follow, "Stop at the end");
        tail->add_option("--format", tail_.format, "'{time} {type} {user} {id}'");

        verb(app_, "routes", "Who gets what", [this] {
            return show_routes(mermaid_, target_, output());
        })->add_flag("--mermaid", mermaid_, "As a Mermaid picture");
        verb(*noun("events", std::string(help_of_noun("events"))), "chain",
             "What one correlation id ties together, as a tree",
             [this] { return show_chain(key_, target_, output()); })
            ->add_option("id", key_, "The correlation id")
            ->required();
        verb(*noun("audit", std::string(help_of_noun("audit"))), "verify",
             "Recompute the hash chain; exit code 1 if it is broken",
             [this] { return verify_audit(target_, output()); });
    }

    /// The verbs of the table, each with options that fill `words_`.
    void add_table_verbs() {
        for (const Verb& each : verbs()) {
            const auto blank = each.path.find(' ');
            const std::string noun_name(each.path.substr(0, blank));
            CLI::App* parent = noun(noun_name, std::string(help_of_noun(noun_name)));
            CLI::App* app = verb(*parent, std::string(each.path.substr(blank + 1)),
                                 std::string(each.help), [this, &each] {
                                     return run_verb(each, words_,
                                                     {.target = target_,
                                                      .output = output(),
                                                      .yes = yes_,
                                                      .limit = limit_,
                                                      .all = all_,
                                                      .wait = wait_});
                                 });
            for (const Argument& argument : each.arguments) {
                add_argument(app, argument);
            }
            if (each.file == FileStep::wait) {
                add_no_wait(app, wait_, "Do not wait until it is processed");
            }
            if (each.shape == Shape::list) {
                app->add_option("--limit", limit_, "Items at most")
                    ->check(CLI::Range(1U, 100'000'000U));
                app->add_flag("--all", all_, "All items");
            }
        }
    }

    void add_argument(CLI::App* app, const Argument& argument) {
        const std::string name(argument.name);
        const std::string help(argument.help);
        const auto store = [this, name](const std::vector<std::string>& values) {
            words_[name] = values;
            return true;
        };
        if (argument.form == Form::truth) {
            app->add_flag_callback("--" + name, [this, name] { words_[name] = {"true"}; }, help);
            return;
        }
        std::string names = (argument.positional ? "" : "--") + name;
        if (name == "account-id") {
            names += ",--account";
        }
        CLI::Option* option = app->add_option(names, store, help);
        option->required(argument.required);
        if (argument.form == Form::list) {
            option->expected(argument.positional ? -1 : 1)->take_all();
        } else {
            option->expected(1);
        }
    }

    static bool takes_value(const CLI::App& app, const std::string& flag) {
        const CLI::Option* option = app.get_option_no_throw(flag);
        return option != nullptr && option->get_items_expected_max() > 0;
    }

    static std::vector<std::string> verbs_below(const CLI::App& app) {
        std::vector<std::string> names;
        for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
            names.push_back(each->get_name());
        }
        return names;
    }

    /// Names the first word that is no option, or stands where a verb is needed and is none, or
    /// says which verbs a noun that stands alone has; empty if nothing of it is so. CLI11 itself
    /// only says that one is missing, or what it could not use.
    std::string unknown_word(const std::vector<std::string>& words) const {
        const CLI::App* at = &app_;
        for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
            const std::string& word = words[i];
            if (is_option(word)) {
                const std::string name = word.substr(0, word.find('='));
                if (!takes(*at, name) && !takes(app_, name)) {
                    return about_unknown_option(name, *at);
                }
                i += name == word && (takes_value(*at, word) || takes_value(app_, word)) ? 1 : 0;
                continue;
            }
            if (at->get_require_subcommand_min() == 0) {
                continue;  // the words of a verb
            }
            const std::vector<std::string> known = verbs_below(*at);
            const CLI::App* below = nullptr;
            for (const CLI::App* each : at->get_subcommands([](const CLI::App*) { return true; })) {
                below = each->check_name(word) ? each : below;
            }
            if (below == nullptr) {
                return about_unknown(word, at == &app_ ? "" : at->get_name(), known);
            }
            at = below;
        }
        return at == &app_ || at->get_require_subcommand_min() == 0
                   ? ""
                   : at->get_name() + " wants a verb; there are: " + listed(verbs_below(*at));
    }

    /// Not `-`, which is standard input, and not a number below zero.
    static bool is_option(const std::string& word) {
        return word.starts_with("--") ||
               (word.starts_with('-') && word.find_first_of("0123456789.") != 1 && word != "-");
    }

    static bool takes(const CLI::App& app, const std::string& flag) {
        return app.get_option_no_throw(flag) != nullptr;
    }

    std::string about_unknown_option(const std::string& flag, const CLI::App& app) const {
        std::vector<std::string> known;
        for (const CLI::App* each : {&app, &app_}) {
            for (const CLI::Option* option : each->get_options()) {
                std::ranges::copy(option->get_lnames(), std::back_inserter(known));
            }
        }
        std::string verb;
        for (const CLI::App* each = &app; each != &app_; each = each->get_parent()) {
            verb = " " + each->get_name() + verb;
        }
        const std::string text =
            "unknown option '" + flag + "'" + (verb.empty() ? "" : " of" + verb);
        const std::string meant = nearest(flag.substr(flag.find_first_not_of('-')), known);
        return meant.empty() ? text + "; `bascule" + verb + " --help` lists them"
                             : text + "; did you mean '--" + meant + "'?";
    }

    static std::string listed(const std::vector<std::string>& names) {
        std::string all;
        for (const std::string& name : names) {
            all += (all.empty() ? "" : ", ") + name;
        }
        return all;
    }

    std::string about_unknown(const std::string& word, const std::string& noun,
                              const std::vector<std::string>& known) const {
        const std::string where = noun.empty() ? "bascule " : "bascule " + noun + " ";
        std::string text = "unknown verb '" + word + "'" + (noun.empty() ? "" : " of " + noun);
        if (const std::string meant = nearest(word, known); !meant.empty()) {
            return text + "; did you mean '" + where + meant + "'?";
        }
        const std::vector<std::string> top = verbs_below(app_);
        if (std::ranges::find(top, word) != top.end()) {
            return text + "; did you mean 'bascule " + word + "'?";
        }
        return text + "; there are: " + listed(known);
    }

    std::vector<std::string> app_words() const {
        std::vector<std::string> words;
        for (const CLI::App* app : app_.get_subcommands([](const CLI::App*) { return true; })) {
            words.push_back(app->get_name());
            for (const CLI::App* below :
                 app->get_subcommands([](const CLI::App*) { return true; })) {
                words.push_back(app->get_name() + " " + below->get_name());
            }
        }
        return words;
    }

    const Program& program_;
    CLI::App app_{"Bascule: a durable event bus and a household-finance backend", "bascule"};
    std::map<std::string, CLI::App*> nouns_;
    Action chosen_;

    Target target_;
    ServeArguments serve_;
    std::string log_;
    std::string key_;
    std::string shell_;
    std::string output_ = "table";
    bool yes_ = false;
    int timeout_s_ = 30;
    std::size_t limit_ = 100;
    bool all_ = false;
    bool wait_ = true;
    Words words_;
    StatementParse statement_;
    std::string statement_format_;
    Import import_;
    PatternQuestion pattern_;
    std::string dialect_;
    Publish publish_;
    Tail tail_;
    bool mermaid_ = false;
};

}  // namespace

int run(int argc, const char* const* argv, const Program& program) {
    return CommandLine(program).run(argc, argv);
}

}  // namespace bascule::cli
