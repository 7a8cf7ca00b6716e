#include "household/application/stores/file_store.h"

#include <algorithm>
#include <array>

#include "household/application/stores/file_rows.h"
#include "household/application/stores/row_values.h"

namespace bascule::application {

namespace {

constexpr std::array<std::string_view, 7> status_names = {
    "pending", "needs_mapping", "preview", "processed", "partial", "failed", "reverted"};

constexpr std::string_view columns =
    "id, account_id, file_name, size, sha256, format, mapping, status, message, row_count,"
    " transaction_count, duplicate_count, rejected_count, date_from, date_to, event_id,"
    " uploaded_ms, processed_ms, profile, confirmed_account_id";

}  // namespace

std::string_view name(FileStatus status) { return status_names[static_cast<std::size_t>(status)]; }

Result<FileStatus> parse_file_status(std::string_view text) {
    const auto found = std::ranges::find(status_names, text);
    if (found == status_names.end()) {
        return fail(ErrorKind::invalid,
                    "status: is \"" + std::string(text) +
                        "\"; pending, needs_mapping, preview, processed, partial, failed and "
                        "reverted are allowed");
    }
    return static_cast<FileStatus>(found - status_names.begin());
}

std::string_view file_columns() { return columns; }

Result<File> read_file_row(const sql::Row& row) {
    File file;
    file.id = row.text(0);
    file.account_id = row.text(1);
    file.file_name = row.text(2);
    file.size = row.integer(3);
    file.sha256 = row.text(4);
    file.format = row.text(5);
    file.mapping = row.text(6);
    auto status = parse_file_status(row.text_view(7));
    if (!status) {
        return fail(ErrorKind::corrupt, "the database holds a file of " + status.error().message());
    }
    file.status = *status;
    file.message = row.text(8);
    file.row_count = row.integer(9);
    file.transaction_count = row.integer(10);
    file.duplicate_count = row.integer(11);
    file.rejected_count = row.integer(12);
    file.date_from = TRY(date_or_none(row, 13));
    file.date_to = TRY(date_or_none(row, 14));
    file.event_id = row.text(15);
    file.uploaded_at = time_of(row, 16);
    file.processed_at = time_or_none(row, 17);
    file.profile = row.text(18);
    file.confirmed_account_id = row.text(19);
    return file;
}

Result<Sha256Digest> content_digest(const File& file) {
    const auto digest = parse_sha256(file.sha256);
    if (!digest) {
        return fail(ErrorKind::corrupt, "the database holds a bad digest of file " + file.id);
    }
    return *digest;
}

Result<std::optional<File>> FileStore::find(const std::string& id, Notes notes) {
    std::optional<File> found;
    TRY(session_.query(
        "select " + std::string(columns) + " from files where id = ?1 and user_id = ?2",
        {id, user_id_}, [&](const sql::Row& row) -> Result<> {
            found = TRY(read_file_row(row));
            return {};
        }));
    if (found && notes == Notes::with) {
        TRY(session_.query(
            "select kind, line, code, message, raw from file_notes where file_id = ?1"
            " order by position",
            {id}, [&](const sql::Row& row) {
                found->notes.push_back({row.text(0), static_cast<std::uint64_t>(row.integer(1)),
                                        row.text(2), row.text(3), row.text(4)});
            }));
    }
    return found;
}

Result<std::vector<std::string>> FileStore::ids_of_account(const std::string& account_id) {
    std::vector<std::string> ids;
    TRY(session_.query(
        "select id from files where account_id = ?1 and user_id = ?2 order by uploaded_ms, id",
        {account_id, user_id_}, [&](const sql::Row& row) { ids.push_back(row.text(0)); }));
    return ids;
}

Result<> FileStore::insert(const File& file) {
    TRY(session_.execute(
        "insert into files (id, user_id, account_id, file_name, size, sha256, format, mapping,"
        " status, message, row_count, transaction_count, duplicate_count, rejected_count,"
        " date_from, date_to, event_id, uploaded_ms, processed_ms, profile, confirmed_account_id)"
        " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
        " ?19, ?20, ?21)",
        {file.id,
         user_id_,
         file.account_id,
         file.file_name,
         file.size,
         file.sha256,
         file.format,
         file.mapping,
         name(file.status),
         file.message,
         file.row_count,
         file.transaction_count,
         file.duplicate_count,
         file.rejected_count,
         text_of(file.date_from),
         text_of(file.date_to),
         file.event_id,
         to_unix_ms(file.uploaded_at),
         ms_of(file.processed_at),
         file.profile,
         file.confirmed_account_id}));
    return write_notes(file);
}

Result<> FileStore::update(const File& file) {
    TRY(expecting_row(
        session_.execute(
            "update files set account_id = ?3, format = ?4, mapping = ?5, status = ?6,"
            " message = ?7, row_count = ?8, transaction_count = ?9, duplicate_count = ?10,"
            " rejected_count = ?11, date_from = ?12, date_to = ?13, event_id = ?14,"
            " processed_ms = ?15, profile = ?16, confirmed_account_id = ?17 where id = ?1 and "
            "user_id = ?2",
            {file.id, user_id_, file.account_id, file.format, file.mapping, name(file.status),
             file.message, file.row_count, file.transaction_count, file.duplicate_count,
             file.rejected_count, text_of(file.date_from), text_of(file.date_to), file.event_id,
             ms_of(file.processed_at), file.profile, file.confirmed_account_id}),
        "file", file.id));
    TRY(session_.execute("delete from file_notes where file_id = ?1", {file.id}));
    return write_notes(file);
}

Result<> FileStore::write_notes(const File& file) {
    const std::size_t count = std::min(file.notes.size(), file_notes_max);
    std::vector<std::vector<sql::Param>> rows;
    rows.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const FileNote& note = file.notes[i];
        rows.push_back({file.id, i, note.kind, note.line, note.code, note.message, note.raw});
    }
    return ignoring_count(session_.execute_many(
        "insert into file_notes (file_id, position, kind, line, code, message, raw)"
        " values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        rows));
}

Result<> FileStore::erase(const std::string& id) {
    TRY(expecting_row(
        session_.execute("delete from files where id = ?1 and user_id = ?2", {id, user_id_}),
        "file", id));
    TRY(session_.execute("delete from file_notes where file_id = ?1", {id}));
    TRY(session_.execute("delete from known_rows where file_id = ?1", {id}));
    return ignoring_count(session_.execute("delete from import_runs where file_id = ?1", {id}));
}

Result<bool> FileStore::is_content_used(sql::Session& session, const std::string& sha256) {
    return TRY(session.query_integer("select count(*) from files where sha256 = ?1", {sha256}))
    > 0;
}

Result<std::optional<MappingProfile>> find_profile(sql::Session& session,
                                                   const std::string& user_id,
                                                   const std::string& account_id,
                                                   const std::string& header_fingerprint) {
    return session.query_one(
        "select id, name, mapping from mapping_profiles"
        " where user_id = ?1 and account_id = ?2 and header_fingerprint = ?3",
        {user_id, account_id, header_fingerprint}, [&](const sql::Row& row) {
            return MappingProfile{row.text(0), account_id, header_fingerprint, row.text(1),
                                  row.text(2)};
        });
}

Result<> save_profile(sql::Session& session, const std::string& user_id,
                      const MappingProfile& profile, WallTime now) {
    return ignoring_count(session.execute(
        "insert into mapping_profiles (id, user_id, account_id, header_fingerprint, name,"
        " mapping, created_ms, updated_ms) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)"
        " on conflict (user_id, account_id, header_fingerprint) do update set"
        " mapping = excluded.mapping, updated_ms = excluded.updated_ms",
        {profile.id, user_id, profile.account_id, profile.header_fingerprint, profile.name,
         profile.mapping, to_unix_ms(now)}));
}

}  // namespace bascule::application
