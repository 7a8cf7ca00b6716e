#include <algorithm>
#include <array>

#include "household/statement/mapping.h"
#include "household/statement/statement.h"

namespace bascule::statement {

namespace {

constexpr std::array<std::string_view, 17> field_names = {
    "date",  "value_date", "payee",    "description",  "memo",     "amount",
    "debit", "credit",     "balance",  "indicator",    "currency", "account",
    "id",    "type",       "category", "check_number", "status"};

}  // namespace

std::string_view name(Format format) {
    switch (format) {
        case Format::unknown:
            return "unknown";
        case Format::csv:
            return "csv";
        case Format::ofx1:
            return "ofx1";
        case Format::ofx2:
            return "ofx2";
        case Format::qif:
            return "qif";
        case Format::mt940:
            return "mt940";
        case Format::mt942:
            return "mt942";
        case Format::camt_052:
            return "camt.052";
        case Format::camt_053:
            return "camt.053";
        case Format::camt_054:
            return "camt.054";
    }
    return "unknown";
}

std::string_view name(AccountType type) {
    switch (type) {
        case AccountType::unknown:
            return "unknown";
        case AccountType::checking:
            return "checking";
        case AccountType::savings:
            return "savings";
        case AccountType::money_market:
            return "money_market";
        case AccountType::credit_line:
            return "credit_line";
        case AccountType::credit_card:
            return "credit_card";
        case AccountType::cash:
            return "cash";
        case AccountType::asset:
            return "asset";
        case AccountType::liability:
            return "liability";
        case AccountType::investment:
            return "investment";
    }
    return "unknown";
}

std::string_view name(Status status) {
    switch (status) {
        case Status::booked:
            return "booked";
        case Status::pending:
            return "pending";
        case Status::info:
            return "info";
    }
    return "booked";
}

std::string_view name(BalanceCheck check) {
    switch (check) {
        case BalanceCheck::not_possible:
            return "not_possible";
        case BalanceCheck::ok:
            return "ok";
        case BalanceCheck::gap:
            return "gap";
    }
    return "not_possible";
}

std::string_view name(DateOrder order) {
    switch (order) {
        case DateOrder::dmy:
            return "DMY";
        case DateOrder::mdy:
            return "MDY";
        case DateOrder::ymd:
            return "YMD";
    }
    return "YMD";
}

std::string_view name(SignConvention sign) {
    switch (sign) {
        case SignConvention::as_stated:
            return "as_stated";
        case SignConvention::reversed:
            return "reversed";
        case SignConvention::debit_credit:
            return "debit_credit";
        case SignConvention::indicator:
            return "indicator";
    }
    return "as_stated";
}

std::string_view name(Field field) { return field_names[static_cast<std::size_t>(field)]; }

Result<Field> parse_field(std::string_view name) {
    const auto found = std::ranges::find(field_names, name);
    if (found == field_names.end() || name.empty()) {
        std::string allowed;
        for (const auto field : field_names) {
            allowed += (allowed.empty() ? "" : ", ") + std::string(field);
        }
        return fail(ErrorKind::invalid,
                    "\"" + std::string(name) + "\" is not a field; " + allowed + " are");
    }
    return static_cast<Field>(found - field_names.begin());
}

std::size_t Statement::transaction_count() const {
    std::size_t count = 0;
    for (const Account& account : accounts) {
        count += account.transactions.size();
    }
    return count;
}

}  // namespace bascule::statement
