#pragma once

#include <string>

#include "household/statement/statement.h"

/// Statements as short texts, so that a test can say what it expects in one line. For tests only.
namespace bascule::statement {

/// `2024-01-31 -2.50 Baker | …` of all accounts in order.
inline std::string rows_of(const Statement& statement) {
    std::string rows;
    for (const Account& account : statement.accounts) {
        for (const Transaction& transaction : account.transactions) {
            rows += (rows.empty() ? "" : " | ") + transaction.date.to_text() + " " +
                    transaction.amount.exact.to_text() + " " + transaction.payee;
        }
    }
    return rows;
}

/// `ambiguous what a/b -> a; rejected LINE CODE; warning LINE CODE; error LINE CODE`.
inline std::string report_of(const Statement& statement) {
    std::string report;
    const auto add = [&](const std::string& item) {
        report += (report.empty() ? "" : "; ") + item;
    };
    for (const Ambiguity& ambiguity : statement.ambiguities) {
        std::string candidates;
        for (const std::string& candidate : ambiguity.candidates) {
            candidates += (candidates.empty() ? "" : "/") + candidate;
        }
        add("ambiguous " + ambiguity.what + " " + candidates + " -> " + ambiguity.chosen);
    }
    for (const Rejected& rejected : statement.rejected) {
        add("rejected " + std::to_string(rejected.place.line) + " " + rejected.code);
    }
    for (const Note& warning : statement.warnings) {
        add("warning " + std::to_string(warning.line) + " " + warning.code);
    }
    for (const Note& error : statement.errors) {
        add("error " + std::to_string(error.line) + " " + error.code);
    }
    return report;
}

}  // namespace bascule::statement
