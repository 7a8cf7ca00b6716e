#include "household/application/stores/transaction_rows.h"

#include <array>

#include "foundation/base/hash.h"
#include "household/application/stores/row_values.h"
#include "household/finance/text.h"

namespace bascule::application {

namespace {

constexpr std::array<std::string_view, 34> columns = {"id",
                                                      "user_id",
                                                      "account_id",
                                                      "file_id",
                                                      "line",
                                                      "booking_date",
                                                      "value_date",
                                                      "amount_minor",
                                                      "currency",
                                                      "exponent",
                                                      "payee",
                                                      "description",
                                                      "memo",
                                                      "notes",
                                                      "search_text",
                                                      "bank_date",
                                                      "bank_minor",
                                                      "bank_payee",
                                                      "bank_memo",
                                                      "bank_id",
                                                      "bank_type",
                                                      "edited",
                                                      "status",
                                                      "occurrence",
                                                      "fingerprint",
                                                      "category_id",
                                                      "counted_category_id",
                                                      "assignment_type",
                                                      "rule_id",
                                                      "rule_version",
                                                      "confidence",
                                                      "assigned_ms",
                                                      "created_ms",
                                                      "updated_ms"};

/// `account_id = ?3, …` for all but the key, the owner and the time of creation.
std::string assignments() {
    std::string text;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i] == "id" || columns[i] == "user_id" || columns[i] == "created_ms") {
            continue;
        }
        text +=
            (text.empty() ? "" : ", ") + std::string(columns[i]) + " = ?" + std::to_string(i + 1);
    }
    return text;
}

std::string joined(std::string_view separator, bool as_parameters) {
    std::string text;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        text += (i == 0 ? "" : std::string(separator));
        text += as_parameters ? "?" + std::to_string(i + 1) : std::string(columns[i]);
    }
    return text;
}

std::string searchable(const Transaction& row) {
    return finance::match_text(row.payee + "\n" + row.description + "\n" + row.memo + "\n" +
                               row.notes);
}

/// No assignment at all is stored as no type, so that "a person took it away" differs from "nobody
/// said anything".
std::string_view assignment_text(const Transaction& row) {
    return row.assigned_at ? finance::name(row.assignment.type) : std::string_view();
}

}  // namespace

std::string fingerprint_text(const StoredTransaction& stored) {
    const Hash128 hash = finance::fingerprint(stored.row.account_id, bank_row_of(stored));
    std::array<std::byte, 16> bytes;
    for (int i = 0; i < 8; ++i) {
        bytes[i] = static_cast<std::byte>(hash.high >> (56 - 8 * i));
        bytes[8 + i] = static_cast<std::byte>(hash.low >> (56 - 8 * i));
    }
    return to_hex(bytes);
}

std::string_view counted_category(const finance::Assignment& assignment) {
    return assignment.type == finance::AssignmentType::suggested
               ? std::string_view()
               : std::string_view(assignment.category_id);
}

Result<finance::AssignmentType> stored_assignment_type(std::string_view text) {
    if (text.empty()) {
        return finance::Assignment().type;
    }
    auto type = finance::parse_assignment_type(text);
    if (!type) {
        return fail(ErrorKind::corrupt, "the database holds " + type.error().message());
    }
    return *type;
}

std::string_view transaction_columns() {
    static const std::string text = joined(", ", false);
    return text;
}

std::string_view insert_transaction_statement() {
    static const std::string text = "insert into transactions (" + joined(", ", false) +
                                    ") values (" + joined(", ", true) + ")";
    return text;
}

std::string_view update_transaction_statement() {
    // created_ms is a parameter of the insert alone; naming it keeps the numbering one.
    static const std::string text = "update transactions set " + assignments() +
                                    " where id = ?1 and user_id = ?2 and created_ms = ?33";
    return text;
}

std::vector<sql::Param> transaction_params(const StoredTransaction& stored,
                                           const std::string& user_id,
                                           std::deque<std::string>& scratch) {
    const Transaction& row = stored.row;
    const auto kept = [&](std::string text) {
        return std::string_view(scratch.emplace_back(std::move(text)));
    };
    const auto value_date =
        row.value_date ? sql::Param(kept(row.value_date->to_text())) : sql::Param(std::nullopt);
    return {row.id,
            user_id,
            row.account_id,
            row.file_id,
            row.line,
            kept(row.date.to_text()),
            value_date,
            row.amount.minor(),
            row.amount.currency().code(),
            row.amount.currency().exponent(),
            row.payee,
            row.description,
            row.memo,
            row.notes,
            kept(searchable(row)),
            kept(stored.bank_date.to_text()),
            stored.bank_minor,
            row.bank_payee,
            row.bank_memo,
            row.bank_id,
            row.bank_type,
            stored.edited,
            row.status,
            row.occurrence,
            kept(fingerprint_text(stored)),
            row.assignment.category_id,
            counted_category(row.assignment),
            assignment_text(row),
            row.assignment.rule_id,
            row.assignment.rule_version,
            row.assignment.confidence,
            ms_of(row.assigned_at),
            to_unix_ms(row.created_at),
            to_unix_ms(row.updated_at)};
}

Result<StoredTransaction> read_transaction(const sql::Row& row) {
    StoredTransaction stored;
    Transaction& transaction = stored.row;
    transaction.id = row.text(0);
    transaction.account_id = row.text(2);
    transaction.file_id = row.text(3);
    transaction.line = static_cast<std::uint64_t>(row.integer(4));
    transaction.date = TRY(date_of(row.text_view(5)));
    transaction.value_date = TRY(date_or_none(row, 6));
    transaction.amount = money::Money(row.integer(7), TRY(currency_of(row.text_view(8))));
    transaction.payee = row.text(10);
    transaction.description = row.text(11);
    transaction.memo = row.text(12);
    transaction.notes = row.text(13);
    stored.bank_date = TRY(date_of(row.text_view(15)));
    stored.bank_minor = row.integer(16);
    transaction.bank_payee = row.text(17);
    transaction.bank_memo = row.text(18);
    transaction.bank_id = row.text(19);
    transaction.bank_type = row.text(20);
    stored.edited = static_cast<std::uint32_t>(row.integer(21));
    transaction.status = row.text(22);
    transaction.occurrence = static_cast<std::uint32_t>(row.integer(23));
    transaction.assignment.category_id = row.text(25);
    transaction.assignment.type = TRY(stored_assignment_type(row.text_view(27)));
    transaction.assignment.rule_id = row.text(28);
    transaction.assignment.rule_version = static_cast<std::uint32_t>(row.integer(29));
    transaction.assignment.confidence = static_cast<std::int32_t>(row.integer(30));
    transaction.assigned_at = time_or_none(row, 31);
    transaction.created_at = time_of(row, 32);
    transaction.updated_at = time_of(row, 33);
    return stored;
}

}  // namespace bascule::application
