#include "household/application/consumers/file_processor.h"

#include <algorithm>

#include "household/application/consumers/import.h"
#include "household/application/consumers/payload.h"
#include "household/application/consumers/run.h"
#include "household/application/stores/account_store.h"
#include "household/application/stores/file_rows.h"
#include "household/application/stores/file_store.h"
#include "household/application/stores/mapping_json.h"
#include "household/statement/parse.h"

namespace bascule::application {

namespace {

ImportPlan failed(FileStatus status, std::string message) {
    ImportPlan plan;
    plan.status = status;
    plan.message = std::move(message);
    plan.notes.push_back({"error", 0, "unusable", plan.message, ""});
    return plan;
}

/// Content that is gone will not come back by waiting; a disk that fails may.
bool is_final(ErrorKind kind) { return kind == ErrorKind::not_found || kind == ErrorKind::corrupt; }

/// The profile saved by an earlier file of this shape, for a file that came without a mapping.
Result<std::optional<MappingProfile>> saved_profile(sql::Session& session,
                                                    const std::string& user_id, const File& file,
                                                    const statement::Statement& statement) {
    if (!file.mapping.empty() || file.account_id.empty() || statement.header_fingerprint.empty()) {
        return std::optional<MappingProfile>();
    }
    return find_profile(session, user_id, file.account_id, statement.header_fingerprint);
}

/// Whether every row has a day. A profile that was saved for another order of day and month reads
/// some rows of a file wrongly without complaint and rejects the others: then it says nothing, and
/// the file is judged by itself.
bool fits_dates(const statement::Statement& statement) {
    return std::ranges::none_of(statement.rejected, [](const auto& rejected) {
        return rejected.code == "date_unreadable";
    });
}

/// The plan of a file that was read well and whose rows can never be kept: nothing of it is.
ImportPlan impossible(const ImportPlan& plan, const std::string& reason) {
    ImportPlan without = failed(FileStatus::failed, "its rows cannot be imported: " + reason);
    without.format = plan.format;
    without.profile = plan.profile;
    without.row_count = plan.row_count;
    without.rejected_count = plan.rejected_count;
    without.notes.insert(without.notes.end(), plan.notes.begin(), plan.notes.end());
    return without;
}

/// An account may have been deleted since the plan was made; planned again, the file asks about it.
Result<> check_targets(UnitOfWork& unit, const ImportPlan& plan) {
    AccountStore accounts(unit.session(), unit.user_id());
    for (const ImportTarget& target : plan.targets) {
        if (!TRY(accounts.find(target.account_id))) {
            return fail(ErrorKind::conflict,
                        "account " + target.account_id + " was deleted while the file was read");
        }
    }
    return {};
}

/// The user may have deleted the file since it was read, or said something else about it.
Result<> carry_out_if_unchanged(UnitOfWork& unit, const File& read, ImportPlan& plan) {
    FileStore files(unit.session(), unit.user_id());
    const auto file = TRY(files.find(read.id, FileStore::Notes::without));
    if (file && (file->account_id != read.account_id || file->mapping != read.mapping ||
                 file->confirmed_account_id != read.confirmed_account_id)) {
        return fail(ErrorKind::conflict, "the file was changed while it was read");
    }
    if (!file) {
        return {};
    }
    TRY(check_targets(unit, plan));
    return carry_out(unit, *file, plan);
}

}  // namespace

void FileProcessor::handle(broker::Delivery delivery, broker::Done done) {
    auto run = std::make_shared<Run>(std::move(delivery), std::move(done));
    auto prepared = prepare(run->event());
    if (!prepared) {
        run->finish(std::unexpected(std::move(prepared).error()));
        return;
    }
    const auto work = std::make_shared<std::optional<Prepared>>(*std::move(prepared));
    commit_once_alone(
        environment_, run,
        [work](UnitOfWork& unit) {
            return *work ? carry_out_if_unchanged(unit, (*work)->file, (*work)->plan) : Result<>();
        },
        [work](UnitOfWork& unit, const Error& error) {
            if (!*work) {
                return Result<>();
            }
            ImportPlan instead = impossible((*work)->plan, error.message());
            return carry_out_if_unchanged(unit, (*work)->file, instead);
        });
}

Result<std::optional<FileProcessor::Prepared>> FileProcessor::prepare(
    const event::EventView& event) const {
    const Payload payload = TRY(Payload::of(event));
    const std::string user_id(event.user_id);
    auto snapshot = TRY(environment_.database.read());
    auto file = TRY(FileStore(snapshot.session(), user_id)
                        .find(payload.text("fileId"), FileStore::Notes::without));
    if (!file) {
        return std::optional<Prepared>();
    }
    auto plan = TRY(read(snapshot.session(), user_id, *file));
    return std::optional(Prepared{*std::move(file), std::move(plan)});
}

Result<ImportPlan> FileProcessor::read(sql::Session& session, const std::string& user_id,
                                       const File& file) const {
    auto content = environment_.blobs.get(TRY(content_digest(file)));
    if (!content) {
        if (is_final(content.error().kind())) {
            return failed(FileStatus::failed,
                          "its content cannot be read: " + content.error().message());
        }
        return std::unexpected(content.error());
    }
    statement::Mapping mapping;
    if (!file.mapping.empty()) {
        auto given = parse_mapping(file.mapping);
        if (!given) {
            return failed(FileStatus::needs_mapping, given.error().message());
        }
        mapping = *std::move(given);
    }
    auto statement = statement::parse(*content, mapping);
    std::string profile;
    if (const auto saved = TRY(saved_profile(session, user_id, file, statement))) {
        auto as_before = statement::parse(*content, TRY(parse_mapping(saved->mapping)));
        if (fits_dates(as_before)) {
            statement = std::move(as_before);
            profile = saved->name;
        }
    }
    content = std::string();  // the rows need the memory
    auto plan = TRY(plan_import(session, user_id, file, statement));
    plan.profile = std::move(profile);
    return plan;
}

}  // namespace bascule::application
