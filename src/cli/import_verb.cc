#include "cli/import_verb.h"

#include <algorithm>

#include "cli/cli.h"
#include "cli/local_file.h"
#include "cli/profile.h"
#include "cli/terminal.h"
#include "household/statement/parse.h"

namespace bascule::cli {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t profile_bytes_max = 1 << 20;
constexpr auto look_first = 20ms;
constexpr auto look_last = 500ms;

constexpr Column columns[] = {{"FILE", "/fileName"},
                              {"STATUS", "/status"},
                              {"ROWS", "/rowCount", true},
                              {"NEW", "/transactionCount", true},
                              {"KNOWN", "/duplicateCount", true},
                              {"REJECTED", "/rejectedCount", true},
                              {"FROM", "/dateFrom"},
                              {"TO", "/dateTo"},
                              {"ID", "/id"},
                              {"MESSAGE", "/message"}};

std::string text_member(const json::Value& file, std::string_view name) {
    const json::Value* found = file.find(name);
    return std::string(found == nullptr ? "" : found->as_string().value_or(""));
}

bool is_settled(const std::string& status) { return !status.empty() && status != "pending"; }

Answer<json::Value> upload(Session& session, const std::string& path, const std::string& content,
                           const Import& command, const std::string& mapping) {
    Ask ask{.method = http::Method::post,
            .path = "/v1/files",
            .query = {{"fileName", file_name_of(path)}},
            .body = content,
            .content_type = "application/octet-stream"};
    if (!command.account.empty()) {
        ask.query.emplace_back("account", command.account);
    }
    if (!mapping.empty()) {
        ask.query.emplace_back("mapping", mapping);
    }
    auto file = session.json(ask);
    if (!file && file.error().exit_code == exit_not_found && !command.account.empty()) {
        return std::unexpected(
            Failure{exit_not_found, file.error().message + "\nopen it: bascule accounts create \"" +
                                        command.account + "\" --type checking --currency EUR"});
    }
    return file;
}

/// Looks at the file until the server has settled it, at growing distances.
Answer<json::Value> settled(Session& session, json::Value file) {
    const std::string path = "/v1/files/" + percent_encoded(text_member(file, "id"));
    for (std::chrono::milliseconds wait = look_first; !is_settled(text_member(file, "status"));) {
        show_progress("processing " + text_member(file, "fileName") + " …");
        session.pause(wait);
        wait = std::min<std::chrono::milliseconds>(wait * 2, look_last);
        auto now = session.json({.path = path});
        if (!now) {
            return now;
        }
        file = std::move(*now);
    }
    return file;
}

/// The mapping that answers what a file leaves open: it can be typed as it stands, and what else it
/// may say stands below it.
std::string mapping_of(const json::Value& file) {
    struct Answer {
        std::string_view question;
        std::string_view member;
        std::string_view choice;
    };
    constexpr Answer answers[] = {
        {"date_order", R"("date_format": "DMY")", "date_format is DMY, MDY or YMD"},
        {"decimal_mark", R"("decimal_mark": ",")", "decimal_mark is , or ."},
        {"delimiter", R"("delimiter": ";")", "delimiter is one character, or tab"},
        {"sign", R"("sign": "as_stated")", "sign is as_stated, reversed or indicator"},
        {"header", R"("columns": {"date": 0, "payee": 1, "amount": 2})",
         "a column is the name in the header, or a number from 0"},
    };
    const json::Value* ambiguities = file.find("ambiguities");
    const auto asked =
        ambiguities == nullptr ? std::span<const json::Value>() : ambiguities->items();
    std::string members;
    std::string choices;
    for (const Answer& answer : answers) {
        if (std::ranges::any_of(asked, [&](const json::Value& ambiguity) {
                return text_member(ambiguity, "code") == answer.question;
            })) {
            members += (members.empty() ? "" : ", ") + std::string(answer.member);
            choices += (choices.empty() ? "" : "; ") + std::string(answer.choice);
        }
    }
    return members.empty()
               ? ""
               : " --mapping '{" + members + "}'\n  (say what is true: " + choices + ")";
}

std::string accounts_there(Session& session) {
    const auto page = session.json({.path = "/v1/accounts", .query = {{"limit", "100"}}});
    const json::Value* items = page ? page->find("items") : nullptr;
    std::string names;
    for (const json::Value& account :
         items == nullptr ? std::span<const json::Value>() : items->items()) {
        names += (names.empty() ? "" : ", ") + text_member(account, "name");
    }
    return names.empty() ? "" : "\n  your accounts are: " + names;
}

bool has_question(const json::Value& file, std::string_view code) {
    const json::Value* notes = file.find("ambiguities");
    return notes != nullptr && std::ranges::any_of(notes->items(), [&](const json::Value& note) {
               return text_member(note, "code") == code;
           });
}

/// What a person must know beyond the counts.
void explain(Session& session, const json::Value& file, const Import& command) {
    const std::string name = text_member(file, "fileName");
    const std::string id = text_member(file, "id");
    if (text_member(file, "status") == "needs_mapping") {
        const bool asks_account = command.account.empty() || has_question(file, "account");
        print_note(name + ": cannot be read without help: " + text_member(file, "message") +
                   "\n  say what is missing and it is read again: bascule files process " + id +
                   (asks_account ? " --account NAME" : "") + mapping_of(file) +
                   "\n  `bascule statement parse FILE` shows what is understood so far, "
                   "docs/reference/cli.md what a mapping may say (--mapping JSON, or import "
                   "--profile FILE)" +
                   (asks_account ? accounts_there(session) : ""));
        return;  // lines and questions are in the message
    }
    if (text_member(file, "status") == "failed") {
        print_note(name + ": nothing was taken: " + text_member(file, "message") +
                   "\n  the attempt stays in `bascule files list`; bascule files delete " + id +
                   " removes it");
    }
    const auto line_of = [](const json::Value& note) {
        const json::Value* line = note.find("line");
        return line == nullptr || line->as_int64() == 0 ? "" : ", line " + line->text();
    };
    const auto show = [&](std::string_view member) {
        constexpr std::size_t shown_max = 20;
        const json::Value* notes = file.find(member);
        std::size_t shown = 0;
        for (const json::Value& note :
             notes == nullptr ? std::span<const json::Value>() : notes->items()) {
            if (++shown > shown_max) {
                print_note("… and more; bascule files show " + id);
                break;
            }
            print_note(name + line_of(note) + ": " + text_member(note, "message"));
        }
    };
    show("rejected");
    show("ambiguities");
}

}  // namespace

int import_files(const Import& command, const Target& target, Output output) {
    std::string mapping;
    if (!command.profile.empty()) {
        auto text = read_local_file(command.profile, profile_bytes_max);
        const auto parsed =
            text ? parse_profile(*text) : Result<statement::Mapping>(std::unexpected(text.error()));
        if (!parsed) {
            print_error(parsed.error().message());
            return exit_usage;
        }
        mapping = std::move(*text);
    }
    auto session = Session::open(target);
    if (!session) {
        print_error(session.error().message);
        return session.error().exit_code;
    }
    std::vector<json::Value> done;
    std::size_t whole = 0;
    std::size_t partly = 0;
    int worst = exit_no;
    for (const std::string& path : command.files) {
        const auto content = read_local_file(path, statement::file_bytes_max);
        if (!content) {
            print_error(content.error().message());
            worst = exit_usage;
            continue;
        }
        show_progress("uploading " + path + " …");
        auto file = upload(*session, path, *content, command, mapping);
        if (file && command.wait) {
            file = settled(*session, std::move(*file));
        }
        end_progress();
        if (!file) {
            print_error(path + ": " + file.error().message);
            worst = file.error().exit_code;
            if (worst == exit_unreachable || worst == exit_not_allowed) {
                break;  // the next one would fare no better
            }
            continue;
        }
        explain(*session, *file, command);
        const std::string status = text_member(*file, "status");
        whole += status == "processed" || !command.wait ? 1 : 0;
        partly += status == "partial" ? 1 : 0;
        done.push_back(std::move(*file));
    }
    if (!done.empty()) {
        // What a table would cut at 60 characters was told in full.
        const std::span<const Column> shown(columns);
        print(rendered_list(done, output == Output::table ? shown.first(shown.size() - 1) : shown,
                            output));
    }
    if (whole == command.files.size()) {
        return exit_yes;
    }
    return whole + partly > 0 ? exit_partly : worst;
}

}  // namespace bascule::cli
