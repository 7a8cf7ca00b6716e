#include "cli/file_outcome.h"

#include <algorithm>
#include <span>

#include "cli/cli.h"
#include "cli/terminal.h"

namespace bascule::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto look_first = 20ms;
constexpr auto look_last = 500ms;

bool is_settled(const std::string& status) { return !status.empty() && status != "pending"; }

/// The mapping that answers what a file leaves open: it can be typed as it stands, and what else it
/// may say stands below it.
std::string mapping_of(const json::Value& file, bool asks_account) {
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
                return file_text(ambiguity, "code") == answer.question;
            })) {
            members += (members.empty() ? "" : ", ") + std::string(answer.member);
            choices += (choices.empty() ? "" : "; ") + std::string(answer.choice);
        }
    }
    if (members.empty() && !asks_account) {
        // Nothing is asked for: what was said does not fit the file.
        members = answers[std::size(answers) - 1].member;
        choices = answers[std::size(answers) - 1].choice;
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
        names += (names.empty() ? "" : ", ") + file_text(account, "name");
    }
    return names.empty() ? "" : "\n  your accounts are: " + names;
}

bool has_question(const json::Value& file, std::string_view code) {
    const json::Value* notes = file.find("ambiguities");
    return notes != nullptr && std::ranges::any_of(notes->items(), [&](const json::Value& note) {
               return file_text(note, "code") == code;
           });
}

bool has_notes(const json::Value& file) {
    return std::ranges::any_of(std::initializer_list<std::string_view>{"rejected", "ambiguities"},
                               [&](std::string_view member) {
                                   const json::Value* notes = file.find(member);
                                   return notes != nullptr && !notes->items().empty();
                               });
}

}  // namespace

std::string file_text(const json::Value& file, std::string_view member) {
    const json::Value* found = file.find(member);
    return std::string(found == nullptr ? "" : found->as_string().value_or(""));
}

Answer<json::Value> settled(Session& session, json::Value file) {
    const std::string path = "/v1/files/" + percent_encoded(file_text(file, "id"));
    for (std::chrono::milliseconds wait = look_first; !is_settled(file_text(file, "status"));) {
        show_progress("processing " + file_text(file, "fileName") + " …");
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

void explain_file(Session& session, const json::Value& file) {
    const std::string name = file_text(file, "fileName");
    const std::string id = file_text(file, "id");
    if (file_text(file, "status") == "needs_mapping") {
        const bool asks_account =
            file_text(file, "accountId").empty() || has_question(file, "account");
        print_note(name + ": cannot be read without help: " + file_text(file, "message") +
                   "\n  say what is missing and it is read again: bascule files process " + id +
                   (asks_account ? " --account NAME" : "") + mapping_of(file, asks_account) +
                   "\n  `bascule statement parse FILE` shows what is understood so far, "
                   "docs/reference/cli.md what a mapping may say (--mapping JSON, or import "
                   "--profile FILE)" +
                   (asks_account ? accounts_there(session) : ""));
        return;  // lines and questions are in the message
    }
    if (file_text(file, "status") == "failed") {
        print_note(name + ": nothing was taken: " + file_text(file, "message") +
                   "\n  the attempt stays in `bascule files list`; bascule files delete " + id +
                   " removes it");
    }
    const json::Value* rows = file.find("rowCount");
    if (file_text(file, "status") == "processed" && !has_notes(file) && rows != nullptr &&
        rows->as_int64() == 0) {
        print_note(name + ": 0 rows: it holds no transactions");
    }
    const auto line_of = [](const json::Value& note) {
        const json::Value* line = note.find("line");
        return line == nullptr || line->as_int64() == 0 ? "" : ", line " + line->text();
    };
    const std::string message = file_text(file, "message");
    const auto show = [&](std::string_view member) {
        constexpr std::size_t shown_max = 20;
        const json::Value* notes = file.find(member);
        std::size_t shown = 0;
        for (const json::Value& note :
             notes == nullptr ? std::span<const json::Value>() : notes->items()) {
            if (file_text(file, "status") == "failed" && file_text(note, "message") == message) {
                continue;  // that was said
            }
            if (++shown > shown_max) {
                print_note("… and more; bascule files show " + id);
                break;
            }
            print_note(name + line_of(note) + ": " + file_text(note, "message"));
        }
    };
    show("rejected");
    show("ambiguities");
}

void tell_next_step(const json::Value& file) {
    if (file_text(file, "status") != "needs_mapping") {
        return;
    }
    const bool asks_account = file_text(file, "accountId").empty();
    print_note(file_text(file, "fileName") +
               ": nothing of it is taken yet; this reads it again: bascule files process " +
               file_text(file, "id") + (asks_account ? " --account NAME" : "") +
               mapping_of(file, asks_account));
}

int exit_code_of_file(const json::Value& file) {
    const std::string status = file_text(file, "status");
    return status == "processed" || !is_settled(status) ? exit_yes
           : status == "partial"                        ? exit_partly
                                                        : exit_no;
}

}  // namespace bascule::cli
