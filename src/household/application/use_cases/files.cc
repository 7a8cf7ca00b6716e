#include "household/application/use_cases/files.h"

#include <algorithm>
#include <limits>

#include "household/application/stores/account_store.h"
#include "household/application/stores/file_rows.h"
#include "household/application/stores/file_store.h"
#include "household/application/stores/mapping_json.h"
#include "household/application/stores/paging.h"
#include "household/application/stores/row_values.h"
#include "household/application/stores/transaction_changes.h"
#include "household/application/use_cases/edits.h"
#include "household/application/use_cases/use_case.h"
#include "household/statement/parse.h"

namespace bascule::application {

namespace {

Result<File> existing(sql::Session& session, const std::string& user_id, const std::string& id) {
    auto file = TRY(FileStore(session, user_id).find(id));
    if (!file) {
        return not_found("file", id);
    }
    return std::move(*file);
}

auto recall_file(std::string user_id) {
    return [user_id = std::move(user_id)](sql::Session& session, const std::string& id) {
        return existing(session, user_id, id);
    };
}

Result<> check_account(UnitOfWork& unit, const std::string& account_id) {
    if (!account_id.empty() &&
        !TRY(AccountStore(unit.session(), unit.user_id()).find(account_id))) {
        return not_found("account", account_id);
    }
    return {};
}

/// Where the blob lies below the data folder; the seed calls it the file's S3 key.
std::string blob_key(const std::string& sha256) {
    return "blobs/" + sha256.substr(0, 2) + "/" + sha256.substr(2);
}

void publish_uploaded(UnitOfWork& unit, File& file) {
    auto event = event::file_uploaded(unit.occasion(), {.file_id = file.id,
                                                        .file_name = file.file_name,
                                                        .file_size = file.size,
                                                        .s3_key = blob_key(file.sha256),
                                                        .account_id = file.account_id,
                                                        .file_format = file.format});
    file.event_id = event.event_id;
    unit.publish(std::move(event));
}

/// The file's row before it is stored. Errors: `invalid`.
Result<File> file_of(const Upload& upload) {
    File file;
    file.file_name = TRY(clean_name("fileName", upload.file_name));
    if (upload.content.empty()) {
        return invalid("file", "it is empty, nothing can be taken from it");
    }
    if (upload.content.size() > statement::file_bytes_max) {
        return invalid("file", "has " + std::to_string(upload.content.size()) + " bytes; at most " +
                                   std::to_string(statement::file_bytes_max) + " are allowed");
    }
    if (!upload.mapping.empty()) {
        TRY(parse_mapping(upload.mapping));
    }
    file.size = static_cast<std::int64_t>(upload.content.size());
    file.sha256 = to_hex(sha256(upload.content));
    file.account_id = upload.account_id;
    file.mapping = upload.mapping;
    const auto format = statement::sniff(upload.content);
    file.format = format == statement::Format::unknown ? "" : statement::name(format);
    return file;
}

Result<File> store_file(UnitOfWork& unit, File file) {
    TRY(check_account(unit, file.account_id));
    file.id = unit.new_id();
    file.uploaded_at = unit.now();
    publish_uploaded(unit, file);
    TRY(FileStore(unit.session(), unit.user_id()).insert(file));
    return file;
}

/// Amounts are not converted: those that count in the balance where they are, count where they go.
Result<> check_currency(UnitOfWork& unit, const File& file, const std::string& account_id) {
    AccountStore accounts(unit.session(), unit.user_id());
    const auto from = TRY(accounts.find(file.account_id));
    const auto to = TRY(accounts.find(account_id));
    if (!to) {
        return {};
    }
    const auto stranger = TRY(unit.session().query_one(
        "select currency from transactions where file_id = ?1 and user_id = ?2"
        " and account_id = ?3 and currency <> ?4 and (?5 = '' or currency = ?5) limit 1",
        {file.id, unit.user_id(), file.account_id, to->currency.code(),
         from ? from->currency.code() : std::string_view()},
        [](const sql::Row& row) { return row.text(0); }));
    return stranger
               ? fail(ErrorKind::conflict,
                      "accountId: the file has brought amounts in " + *stranger + ", and \"" +
                          to->name + "\" is an account in " + std::string(to->currency.code()) +
                          "; amounts are not converted: delete the file and upload it for "
                          "that account")
               : Result<>();
}

/// A row is its file's and those others' that state it too, or a person's who entered it: where
/// some of them stay behind, a move would take it from them or double it where it goes.
Result<> check_alone(UnitOfWork& unit, const File& file, const std::string& account_id) {
    constexpr std::string_view remedy =
        "; delete the file (bascule files delete) and import it for the other account: then rows "
        "that are known are recognised";
    const std::int64_t shared =
        TRY(KnownRows(unit.session(), unit.user_id()).count_shared(file.id, file.account_id));
    if (shared > 0) {
        return fail(ErrorKind::conflict,
                    "accountId: of the transactions that the file states, another file states " +
                        std::to_string(shared) + " too, or a person entered them" +
                        std::string(remedy));
    }
    const std::int64_t alike = TRY(TransactionStore(unit.session(), unit.user_id())
                                       .count_alike(file.id, file.account_id, account_id));
    return alike == 0
               ? Result<>()
               : fail(ErrorKind::conflict,
                      "accountId: " + std::to_string(alike) +
                          " of the file's transactions may be in that account already, with the "
                          "same day and amount" +
                          std::string(remedy));
}

/// Moves the file's rows from its account.
Result<> move_transactions(UnitOfWork& unit, const File& file, const std::string& account_id) {
    TransactionStore store(unit.session(), unit.user_id());
    const auto ids = TRY(store.ids_of_file_in(file.id, file.account_id));
    if (!ids.empty() && account_id.empty()) {
        return fail(ErrorKind::conflict,
                    "accountId: the file has brought transactions, which need an account; move it "
                    "to another account or delete it");
    }
    TRY(check_currency(unit, file, account_id));
    TRY(check_alone(unit, file, account_id));
    return store.move(ids, account_id, unit.now());
}

Result<File> associate_file(UnitOfWork& unit, const std::string& id,
                            const std::string& account_id) {
    File file = TRY(existing(unit.session(), unit.user_id(), id));
    TRY(check_account(unit, account_id));
    if (file.account_id == account_id) {
        return file;
    }
    TRY(move_transactions(unit, file, account_id));
    unit.publish(event::file_associated(
        unit.occasion(),
        {.file_id = id, .account_id = account_id, .previous_account_id = file.account_id}));
    file.account_id = account_id;
    TRY(FileStore(unit.session(), unit.user_id()).update(file));
    return file;
}

/// Whether naming the account insists on it: the file has asked about this very one.
bool is_answer(const File& file, const std::string& account_id) {
    return std::ranges::any_of(file.notes, [&](const FileNote& note) {
        return note.code == account_question && note.raw == account_id;
    });
}

Result<File> process_file(UnitOfWork& unit, const std::string& id,
                          const std::optional<std::string>& mapping,
                          const std::optional<std::string>& account_id) {
    File file = TRY(existing(unit.session(), unit.user_id(), id));
    if (file.status == FileStatus::pending) {
        return fail(ErrorKind::conflict, "the file is being processed");
    }
    if (account_id && is_answer(file, *account_id)) {
        file.confirmed_account_id = *account_id;
    }
    if (account_id && *account_id != file.account_id) {
        TRY(check_account(unit, *account_id));
        TransactionStore store(unit.session(), unit.user_id());
        if (!TRY(store.ids_of_file_in(id, file.account_id)).empty()) {
            return fail(ErrorKind::conflict,
                        "accountId: the file has brought transactions; move it first");
        }
        file.account_id = *account_id;
    }
    if (mapping) {
        if (!mapping->empty()) {
            TRY(parse_mapping(*mapping));
        }
        file.mapping = *mapping;
    }
    file.status = FileStatus::pending;
    file.message.clear();
    publish_uploaded(unit, file);
    TRY(FileStore(unit.session(), unit.user_id()).update(file));
    return file;
}

Result<FileRemoval> remove_file(UnitOfWork& unit, const File& file) {
    const auto brought = TRY(TransactionStore(unit.session(), unit.user_id()).ids_of_file(file.id));
    const auto its_own = TRY(pass_on_rows(unit, file.id, brought));
    const auto count = TRY(delete_transactions(unit, its_own, event::DeletionType::file_deleted));
    for (const KnownRow& row : TRY(KnownRows(unit.session(), unit.user_id()).of_file(file.id))) {
        if (!row.earlier.empty()) {
            TRY(take_back(unit, file.id, row.transaction_id, row.earlier));
        }
    }
    TRY(FileStore(unit.session(), unit.user_id()).erase(file.id));
    unit.publish(event::file_deleted(unit.occasion(), {file.id, file.account_id, count}));
    return FileRemoval{count, static_cast<std::int64_t>(brought.size() - its_own.size())};
}

/// For a repeat, from what answer_text made.
Result<FileRemoval> recall_removal(sql::Session&, const std::string& answer) {
    const auto comma = std::min(answer.find(','), answer.size());
    const std::string kept = answer.substr(comma);
    return FileRemoval{std::atoll(answer.c_str()), kept.empty() ? 0 : std::atoll(&kept[1])};
}

}  // namespace

Result<Page<File>> Files::list(const std::string& user_id, const FileFilter& filter,
                               const PageRequest& page) const {
    TRY(check_limit(page));
    const auto snapshot = TRY(environment_.database.read());
    const std::string status = filter.status ? std::string(name(*filter.status)) : "";
    const std::string condition =
        " from files where user_id = ?1 and (?2 = '' or account_id = ?2)"
        " and (?3 = '' or status = ?3)";
    Page<File> found;
    found.total = static_cast<std::uint64_t>(TRY(snapshot->query_integer(
        "select count(*)" + condition, {user_id, filter.account_id, status})));
    std::int64_t before_ms = std::numeric_limits<std::int64_t>::max();
    std::string before_id;
    if (!page.cursor.empty()) {
        const auto place = TRY(decode_cursor(page.cursor, 2));
        before_ms = std::atoll(place[0].c_str());
        before_id = place[1];
    }
    TRY(snapshot->query(
        "select " + std::string(file_columns()) + condition +
            " and (uploaded_ms, id) < (?4, ?5) order by uploaded_ms desc, id desc limit ?6",
        {user_id, filter.account_id, status, before_ms, before_id, page.limit + 1},
        [&](const sql::Row& row) -> Result<> {
            found.items.push_back(TRY(read_file_row(row)));
            return {};
        }));
    if (found.items.size() > page.limit) {
        found.items.pop_back();
        const File& last = found.items.back();
        found.next_cursor = encode_cursor(
            std::vector<std::string>{std::to_string(to_unix_ms(last.uploaded_at)), last.id});
    }
    return found;
}

Result<File> Files::get(const std::string& user_id, const std::string& id) const {
    const auto snapshot = TRY(environment_.database.read());
    return existing(snapshot.session(), user_id, id);
}

Result<std::string> Files::content(const std::string& user_id, const std::string& id) const {
    const File file = TRY(get(user_id, id));
    return environment_.blobs.get(TRY(content_digest(file)));
}

void Files::upload(Actor actor, Upload upload, io::Completion<File> done) {
    auto file = file_of(upload);
    if (!file) {
        done(std::unexpected(std::move(file).error()));
        return;
    }
    // From here until the row is committed or refused, nobody collects the blob.
    const std::string sha256 = file->sha256;
    uploading_->with([&](auto& contents) { contents.insert(sha256); });
    auto finish = [files = *this, sha256, done = std::move(done)](Result<File> stored) mutable {
        files.uploading_->with([&](auto& contents) { contents.extract(sha256); });
        if (!stored) {
            files.remove_unused(sha256);
        }
        done(std::move(stored));
    };
    const Request request = Request("files.upload")
                                .add(std::string_view(file->file_name))
                                .add(std::string_view(file->sha256))
                                .add(std::string_view(file->account_id))
                                .add(std::string_view(file->mapping));
    environment_.blobs.put(
        std::move(upload.content),
        [environment = environment_, actor = std::move(actor), request, file = std::move(*file),
         finish = std::move(finish)](Result<Sha256Digest> put) mutable {
            if (!put) {
                finish(std::unexpected(std::move(put).error()));
                return;
            }
            auto recall = recall_file(actor.user_id);
            perform<File>(
                environment, std::move(actor), request, Weight::light,
                [file = std::move(file)](UnitOfWork& unit) { return store_file(unit, file); },
                std::move(recall), std::move(finish));
        });
}

void Files::associate(Actor actor, std::string id, std::string account_id,
                      io::Completion<File> done) {
    const Request request =
        Request("files.associate").add(std::string_view(id)).add(std::string_view(account_id));
    auto recall = recall_file(actor.user_id);
    perform<File>(
        environment_, std::move(actor), request, Weight::heavy,
        [id = std::move(id), account_id = std::move(account_id)](UnitOfWork& unit) {
            return associate_file(unit, id, account_id);
        },
        std::move(recall), std::move(done));
}

void Files::process(Actor actor, std::string id, std::optional<std::string> mapping,
                    std::optional<std::string> account_id, io::Completion<File> done) {
    const Request request =
        Request("files.process").add(std::string_view(id)).add(mapping).add(account_id);
    auto recall = recall_file(actor.user_id);
    perform<File>(
        environment_, std::move(actor), request, Weight::light,
        [id = std::move(id), mapping = std::move(mapping), account_id = std::move(account_id)](
            UnitOfWork& unit) { return process_file(unit, id, mapping, account_id); },
        std::move(recall), std::move(done));
}

void Files::remove(Actor actor, std::string id, io::Completion<FileRemoval> done) {
    const Request request = Request("files.remove").add(std::string_view(id));
    auto sha256 = std::make_shared<std::string>();
    perform<FileRemoval>(
        environment_, std::move(actor), request, Weight::heavy,
        [id = std::move(id), sha256](UnitOfWork& unit) -> Result<FileRemoval> {
            const File file = TRY(existing(unit.session(), unit.user_id(), id));
            *sha256 = file.sha256;
            return remove_file(unit, file);
        },
        recall_removal,
        [files = *this, sha256, done = std::move(done)](Result<FileRemoval> removed) mutable {
            if (removed && !sha256->empty()) {
                files.remove_unused(*sha256);
            }
            done(std::move(removed));
        });
}

/// Under the lock no upload of the same content can begin, and one that is under way is on the list
/// until its row is committed, so the blob is not needed by anyone. What fails here leaves a blob
/// behind that nobody refers to, which does no harm.
void Files::remove_unused(const std::string& sha256) const {
    uploading_->with([&](auto& contents) {
        const auto snapshot = environment_.database.read();
        if (!snapshot || contents.contains(sha256)) {
            return;
        }
        const auto used = FileStore::is_content_used(snapshot->session(), sha256);
        const auto digest = parse_sha256(sha256);
        if (used && !*used && digest) {
            static_cast<void>(environment_.blobs.remove(*digest));
        }
    });
}

}  // namespace bascule::application
