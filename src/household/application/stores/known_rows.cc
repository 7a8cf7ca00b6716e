#include "household/application/stores/known_rows.h"

#include <array>

#include "foundation/json/value.h"
#include "foundation/json/writer.h"
#include "household/application/stores/row_values.h"

namespace bascule::application {

namespace {

struct TextMember {
    const char* name;
    std::string Transaction::* field;
    EditedField edited;  ///< a person's edit of it stays; none for what only the bank says
};

constexpr EditedField nobody_edits = EditedField{};

constexpr std::array<TextMember, 8> text_members{{
    {"payee", &Transaction::payee, EditedField::payee},
    {"description", &Transaction::description, EditedField::description},
    {"memo", &Transaction::memo, EditedField::memo},
    {"status", &Transaction::status, nobody_edits},
    {"bankPayee", &Transaction::bank_payee, nobody_edits},
    {"bankMemo", &Transaction::bank_memo, nobody_edits},
    {"bankId", &Transaction::bank_id, nobody_edits},
    {"bankType", &Transaction::bank_type, nobody_edits},
}};

}  // namespace

Result<std::vector<KnownRow>> KnownRows::of_file(const std::string& file_id) {
    std::vector<KnownRow> found;
    TRY(session_.query(
        "select transaction_id, line, earlier from known_rows"
        " where file_id = ?1 and user_id = ?2 order by transaction_id",
        {file_id, user_id_}, [&](const sql::Row& row) {
            found.push_back({row.text(0), static_cast<std::uint64_t>(row.integer(1)), row.text(2)});
        }));
    return found;
}

Result<> KnownRows::replace(const std::string& file_id, std::span<const KnownRow> rows) {
    TRY(session_.execute("delete from known_rows where file_id = ?1 and user_id = ?2",
                         {file_id, user_id_}));
    std::vector<std::vector<sql::Param>> params;
    params.reserve(rows.size());
    for (const KnownRow& row : rows) {
        params.push_back({file_id, row.transaction_id, user_id_, row.line, row.earlier});
    }
    return ignoring_count(session_.execute_many(
        "insert into known_rows (file_id, transaction_id, user_id, line, earlier)"
        " values (?1, ?2, ?3, ?4, ?5) on conflict (file_id, transaction_id) do nothing",
        params));
}

Result<std::map<std::string, KnownRows::Change>> KnownRows::changes_around(
    const std::string& file_id) {
    std::map<std::string, Change> found;
    // The file's own come last and count.
    for (const char* statement :
         {"select k.transaction_id, k.file_id, k.earlier from transactions t"
          " join known_rows k on k.transaction_id = t.id"
          " where t.file_id = ?1 and t.file_id <> '' and t.user_id = ?2 and k.earlier <> ''",
          "select transaction_id, file_id, earlier from known_rows"
          " where file_id = ?1 and user_id = ?2 and earlier <> ''"}) {
        TRY(session_.query(statement, {file_id, user_id_}, [&](const sql::Row& row) {
            found.insert_or_assign(row.text(0), Change{row.text(1), row.text(2)});
        }));
    }
    return found;
}

Result<std::map<std::string, KnownRows::Heir>> KnownRows::heirs(const std::string& file_id) {
    std::map<std::string, Heir> found;
    TRY(session_.query(
        "select k.transaction_id, k.file_id, k.line from transactions t"
        " join known_rows k on k.transaction_id = t.id"
        " join files f on f.id = k.file_id"
        " where t.file_id = ?1 and t.file_id <> '' and t.user_id = ?2"
        " and k.file_id <> ?1 order by f.uploaded_ms, f.id",
        {file_id, user_id_}, [&](const sql::Row& row) {
            found.try_emplace(row.text(0),
                              Heir{row.text(1), static_cast<std::uint64_t>(row.integer(2))});
        }));
    return found;
}

Result<bool> KnownRows::hand_over(const std::string& file_id, const std::string& transaction_id,
                                  const std::string& earlier) {
    const auto heir = TRY(session_.query_one(
        "select k.file_id from known_rows k join files f on f.id = k.file_id"
        " where k.transaction_id = ?1 and k.user_id = ?2 and k.file_id <> ?3"
        " order by f.uploaded_ms, f.id limit 1",
        {transaction_id, user_id_, file_id}, [](const sql::Row& row) { return row.text(0); }));
    if (heir) {
        TRY(
            session_.execute("update known_rows set earlier = ?4 where file_id = ?1"
                             " and transaction_id = ?2 and user_id = ?3 and earlier = ''",
                             {*heir, transaction_id, user_id_, earlier}));
    }
    return heir.has_value();
}

Result<> KnownRows::forget(const std::string& file_id, const std::string& transaction_id) {
    return ignoring_count(session_.execute(
        "delete from known_rows where file_id = ?1 and transaction_id = ?2 and user_id = ?3",
        {file_id, transaction_id, user_id_}));
}

Result<std::int64_t> KnownRows::count_shared(const std::string& file_id,
                                             const std::string& account_id) {
    return session_.query_integer(
        "select count(distinct t.id) from known_rows k join transactions t"
        " on t.id = k.transaction_id where t.user_id = ?2 and t.account_id = ?3"
        " and (k.file_id = ?1 or (t.file_id = ?1 and t.file_id <> ''))",
        {file_id, user_id_, account_id});
}

std::string bank_word(const StoredTransaction& stored) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().member("date", stored.row.date.to_text());
    writer.member("bankDate", stored.bank_date.to_text());
    if (stored.row.value_date) {
        writer.member("valueDate", stored.row.value_date->to_text());
    }
    for (const TextMember& member : text_members) {
        writer.member(member.name, stored.row.*member.field);
    }
    writer.end_object();
    return text;
}

Result<> set_bank_word(StoredTransaction& stored, std::string_view word) {
    const auto value = json::Value::parse(word);
    if (!value) {
        return fail(ErrorKind::corrupt, "the database holds a bad word of a bank");
    }
    const auto text = [&](const char* member) {
        const json::Value* found = value->find(member);
        return std::string(found == nullptr ? "" : found->as_string().value_or(""));
    };
    if (!stored.is_edited(EditedField::date)) {
        stored.row.date = TRY(date_of(text("date")));
    }
    stored.bank_date = TRY(date_of(text("bankDate")));
    stored.row.value_date.reset();
    if (const std::string day = text("valueDate"); !day.empty()) {
        stored.row.value_date = TRY(date_of(day));
    }
    for (const TextMember& member : text_members) {
        if (!stored.is_edited(member.edited)) {
            stored.row.*member.field = text(member.name);
        }
    }
    return {};
}

}  // namespace bascule::application
