#include "cli/import_verb.h"

#include <algorithm>

#include "cli/cli.h"
#include "cli/file_outcome.h"
#include "cli/local_file.h"
#include "cli/profile.h"
#include "cli/terminal.h"
#include "foundation/base/check.h"
#include "foundation/json/value.h"
#include "household/statement/parse.h"

namespace bascule::cli {

namespace {

constexpr std::uint64_t profile_bytes_max = 1 << 20;

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
        const auto json = json::Value::parse(*text);
        CHECK(json.has_value());  // it was parsed before
        mapping = json->text();   // on one line, as it goes into the request's own
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
        explain_file(*session, *file);
        whole += exit_code_of_file(*file) == exit_yes ? 1 : 0;
        partly += exit_code_of_file(*file) == exit_partly ? 1 : 0;
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
