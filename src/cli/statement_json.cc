#include "cli/statement_json.h"

#include "cli/table.h"
#include "foundation/json/writer.h"

namespace bascule::cli {

namespace {

using json::Writer;

/// A text that the file may not have: null, never "".
void text_or_null(Writer& writer, std::string_view name, std::string_view text) {
    writer.key(name);
    text.empty() ? writer.null() : writer.string(text);
}

void date_or_null(Writer& writer, std::string_view name, const std::optional<money::Date>& date) {
    writer.key(name);
    date ? writer.string(date->to_text()) : writer.null();
}

void currency_or_null(Writer& writer, const money::Currency& currency) {
    text_or_null(writer, "currency", currency.is_stated() ? currency.code() : std::string_view());
}

void amount(Writer& writer, const statement::Amount& amount) {
    writer.member("amount", amount.exact.to_text()).member("amount_minor", amount.minor);
}

void balance(Writer& writer, std::string_view name,
             const std::optional<statement::Balance>& balance) {
    writer.key(name);
    if (!balance) {
        writer.null();
        return;
    }
    writer.begin_object();
    amount(writer, balance->amount);
    date_or_null(writer, "as_of", balance->as_of);
    writer.end_object();
}

void transaction(Writer& writer, const statement::Transaction& row) {
    writer.begin_object().member("date", row.date.to_text());
    date_or_null(writer, "value_date", row.value_date);
    amount(writer, row.amount);
    currency_or_null(writer, row.currency);
    text_or_null(writer, "payee", row.payee);
    text_or_null(writer, "memo", row.memo);
    text_or_null(writer, "id", row.id);
    text_or_null(writer, "type", row.type);
    text_or_null(writer, "check_number", row.check_number);
    writer.member("status", statement::name(row.status)).member("reversal", row.reversal);
    text_or_null(writer, "category", row.category);
    writer.key("splits").begin_array();
    for (const statement::Split& split : row.splits) {
        writer.begin_object();
        amount(writer, split.amount);
        text_or_null(writer, "category", split.category);
        text_or_null(writer, "memo", split.memo);
        writer.end_object();
    }
    writer.end_array()
        .member("line", row.place.line)
        .member("offset", row.place.offset)
        .end_object();
}

void account(Writer& writer, const statement::Account& account) {
    writer.begin_object();
    text_or_null(writer, "id", account.id);
    writer.member("type", statement::name(account.type));
    currency_or_null(writer, account.currency);
    writer.key("institution").begin_object();
    text_or_null(writer, "id", account.institution.id);
    text_or_null(writer, "name", account.institution.name);
    text_or_null(writer, "branch", account.institution.branch);
    writer.end_object();
    balance(writer, "opening_balance", account.opening_balance);
    balance(writer, "ledger_balance", account.ledger_balance);
    balance(writer, "available_balance", account.available_balance);
    writer.member("balance_check", statement::name(account.balance_check)).key("period");
    if (account.period) {
        writer.begin_object();
        date_or_null(writer, "from", account.period->from);
        date_or_null(writer, "to", account.period->to);
        writer.end_object();
    } else {
        writer.null();
    }
    writer.key("transactions").begin_array();
    for (const statement::Transaction& row : account.transactions) {
        transaction(writer, row);
    }
    writer.end_array().end_object();
}

void notes(Writer& writer, std::string_view name, const std::vector<statement::Note>& notes) {
    writer.key(name).begin_array();
    for (const statement::Note& note : notes) {
        writer.begin_object()
            .member("line", note.line)
            .member("code", note.code)
            .member("message", note.message)
            .end_object();
    }
    writer.end_array();
}

void ambiguities(Writer& writer, const std::vector<statement::Ambiguity>& ambiguities) {
    writer.key("ambiguities").begin_array();
    for (const statement::Ambiguity& ambiguity : ambiguities) {
        writer.begin_object().member("what", ambiguity.what).key("candidates").begin_array();
        for (const std::string& candidate : ambiguity.candidates) {
            writer.string(candidate);
        }
        writer.end_array();
        text_or_null(writer, "chosen", ambiguity.chosen);
        writer.member("evidence", ambiguity.evidence).end_object();
    }
    writer.end_array();
}

void rejected(Writer& writer, const std::vector<statement::Rejected>& rejected) {
    writer.key("rejected").begin_array();
    for (const statement::Rejected& record : rejected) {
        writer.begin_object()
            .member("line", record.place.line)
            .member("offset", record.place.offset);
        writer.member("code", record.code)
            .member("message", record.message)
            .member("raw", record.raw)
            .end_object();
    }
    writer.end_array();
}

}  // namespace

std::string statement_json(const statement::Statement& statement) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("format", statement::name(statement.format));
    text_or_null(writer, "format_version", statement.format_version);
    writer.member("encoding", statement.encoding.empty() ? "utf-8" : statement.encoding);
    writer.member("encoding_source",
                  statement.encoding_source.empty() ? "fallback" : statement.encoding_source);
    writer.key("accounts").begin_array();
    for (const statement::Account& each : statement.accounts) {
        account(writer, each);
    }
    writer.end_array();
    ambiguities(writer, statement.ambiguities);
    rejected(writer, statement.rejected);
    writer.key("unsupported").begin_array();
    for (const statement::Unsupported& records : statement.unsupported) {
        writer.begin_object()
            .member("kind", records.kind)
            .member("count", records.count)
            .end_object();
    }
    writer.end_array();
    notes(writer, "warnings", statement.warnings);
    notes(writer, "errors", statement.errors);
    writer.end_object();
    out += '\n';
    return out;
}

std::string statement_table(const statement::Statement& statement) {
    std::string out = "Format " + std::string(statement::name(statement.format));
    out += (statement.format_version.empty() ? "" : " " + statement.format_version) +
           ", encoding " + statement.encoding + " (" + statement.encoding_source + ")\n";
    for (const statement::Inference& inference : statement.inferred) {
        out += "  " + inference.what + ": " + inference.value + " – " + inference.evidence + "\n";
    }
    for (const statement::Account& account : statement.accounts) {
        out += "\nAccount " + (account.id.empty() ? std::string("(not named)") : account.id) +
               ", " + std::string(statement::name(account.type)) +
               (account.currency.is_stated() ? ", " + std::string(account.currency.code())
                                             : std::string()) +
               "\n";
        Table table({"DATE", "AMOUNT", "CURRENCY", "PAYEE", "MEMO", "ID"});
        table.align_right(1);
        for (const statement::Transaction& row : account.transactions) {
            table.add({row.date.to_text(), row.amount.exact.to_text(),
                       row.currency.is_stated() ? std::string(row.currency.code()) : std::string(),
                       row.payee, row.memo, row.id});
        }
        out += table.text();
        if (account.ledger_balance) {
            out += "Closing balance " + account.ledger_balance->amount.exact.to_text() + "\n";
        }
    }
    return out + statement_notes(statement);
}

std::string statement_notes(const statement::Statement& statement) {
    std::string out;
    const auto list = [&](std::string_view title, const auto& items, auto line_of) {
        if (!items.empty()) {
            out += "\n" + std::string(title) + "\n";
        }
        for (const auto& item : items) {
            out += "  " + line_of(item) + "\n";
        }
    };
    const auto note_line = [](const statement::Note& note) {
        return (note.line == 0 ? std::string() : "line " + std::to_string(note.line) + ": ") +
               note.message + " [" + note.code + "]";
    };
    list("Ambiguous", statement.ambiguities, [](const statement::Ambiguity& ambiguity) {
        std::string candidates;
        for (const std::string& candidate : ambiguity.candidates) {
            candidates += (candidates.empty() ? "" : " or ") + candidate;
        }
        return ambiguity.what + ": " + candidates + "; read as " +
               (ambiguity.chosen.empty() ? "nothing" : ambiguity.chosen) + " – " +
               ambiguity.evidence;
    });
    list("Rejected", statement.rejected, [](const statement::Rejected& record) {
        return "line " + std::to_string(record.place.line) + ": " + record.message + " [" +
               record.code + "]";
    });
    list("Left out", statement.unsupported, [](const statement::Unsupported& records) {
        return std::to_string(records.count) + " × " + records.kind;
    });
    list("Warnings", statement.warnings, note_line);
    list("Errors", statement.errors, note_line);
    return out;
}

std::string statement_csv(const statement::Statement& statement) {
    std::string out = csv_line({"account", "date", "value_date", "amount", "currency", "payee",
                                "memo", "type", "id", "check_number", "status", "line"});
    for (const statement::Account& account : statement.accounts) {
        for (const statement::Transaction& row : account.transactions) {
            out += csv_line(
                {account.id, row.date.to_text(), row.value_date ? row.value_date->to_text() : "",
                 row.amount.exact.to_text(),
                 row.currency.is_stated() ? std::string(row.currency.code()) : std::string(),
                 row.payee, row.memo, row.type, row.id, row.check_number,
                 std::string(statement::name(row.status)), std::to_string(row.place.line)});
        }
    }
    return out;
}

}  // namespace bascule::cli
