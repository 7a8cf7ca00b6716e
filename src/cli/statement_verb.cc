#include "cli/statement_verb.h"

#include "cli/cli.h"
#include "cli/local_file.h"
#include "cli/profile.h"
#include "cli/statement_json.h"
#include "cli/terminal.h"
#include "household/statement/parse.h"

namespace bascule::cli {

namespace {

constexpr std::uint64_t profile_bytes_max = 1 << 20;

/// A file above the limit is not read at all; the document says so.
statement::Statement too_large(const std::string& message) {
    statement::Statement statement;
    statement.errors.push_back({0, "too_large", message});
    return statement;
}

void show(const statement::Statement& statement, Output output) {
    switch (output) {
        case Output::table:
            print(statement_table(statement));
            return;
        case Output::json:
        case Output::jsonl:
            print(statement_json(statement));
            return;
        case Output::csv:
            print(statement_csv(statement));
            if (const std::string left_out = statement_notes(statement); !left_out.empty()) {
                print_note(left_out);
            }
            return;
    }
}

}  // namespace

int parse_statement(const StatementParse& command) {
    statement::Mapping mapping;
    if (!command.profile.empty()) {
        const auto text = read_local_file(command.profile, profile_bytes_max);
        auto parsed =
            text ? parse_profile(*text) : Result<statement::Mapping>(std::unexpected(text.error()));
        if (!parsed) {
            print_error(parsed.error().message());
            return exit_usage;
        }
        mapping = std::move(*parsed);
    }
    const auto bytes = read_local_file(command.file, statement::file_bytes_max);
    if (!bytes && bytes.error().kind() != ErrorKind::exhausted) {
        print_error(bytes.error().message());
        return exit_usage;
    }
    const statement::Statement statement =
        bytes ? statement::parse(*bytes, mapping) : too_large(bytes.error().message());
    show(statement, command.output);
    return statement.usable() ? exit_yes : exit_no;
}

}  // namespace bascule::cli
