#include "household/statement/ofx_statement.h"

#include <algorithm>

#include "household/statement/dates.h"
#include "household/statement/text.h"

namespace bascule::statement {

namespace {

/// OFX knows no grouping: one mark is the decimal mark, whichever it is. With both marks the last
/// one is.
char mark_of(const BareNumber& number) {
    const auto text = number.text();
    const auto last = text.find_last_of(".,");
    const NumberFit fit = fit_of(number);
    if (fit.dot != fit.comma) {
        return fit.dot ? '.' : ',';
    }
    return last == std::string_view::npos ? '.' : text[last];
}

void widen(std::optional<Period>& period, const std::optional<Period>& other) {
    if (!period || !other) {
        period = period ? period : other;
        return;
    }
    period->from = period->from && other->from ? std::min(period->from, other->from) : std::nullopt;
    period->to = period->to && other->to ? std::max(period->to, other->to) : std::nullopt;
}

}  // namespace

std::optional<money::Date> ofx_date(std::string_view text) {
    text = trimmed(text);
    if (text.size() >= 8 && std::ranges::all_of(text.substr(0, 8), is_digit)) {
        const auto number = [&](std::size_t from, std::size_t size) {
            int value = 0;
            for (const char c : text.substr(from, size)) {
                value = value * 10 + (c - '0');
            }
            return value;
        };
        const auto date = money::Date::create(number(0, 4), number(4, 2), number(6, 2));
        return date ? std::optional(*date) : std::nullopt;
    }
    const DateReadings readings = read_date(text);
    return readings.has(DateOrder::ymd) ? std::optional(readings.at(DateOrder::ymd)) : std::nullopt;
}

void OfxStatements::open(AccountType type) {
    close();
    draft_ = {};
    draft_.type = type;
    draft_open_.clear();
    open_ = true;
}

void OfxStatements::set_account_type(std::string_view code) {
    const std::string upper = upper_ascii(trimmed(code));
    constexpr std::pair<std::string_view, AccountType> types[] = {
        {"CHECKING", AccountType::checking},      {"SAVINGS", AccountType::savings},
        {"MONEYMRKT", AccountType::money_market}, {"CREDITLINE", AccountType::credit_line},
        {"CREDITCARD", AccountType::credit_card}, {"INVESTMENT", AccountType::investment},
    };
    for (const auto& [name, type] : types) {
        if (upper == name) {
            draft_.type = type;
        }
    }
}

void OfxStatements::set_currency(std::string_view code) {
    if (const auto currency = money::Currency::parse(trimmed(code))) {
        draft_.currency = *currency;
    }
}

void OfxStatements::set_period(std::string_view from, std::string_view to) {
    Period period{ofx_date(from), ofx_date(to)};
    if (period.from || period.to) {
        draft_.period = period;
    }
}

void OfxStatements::set_balance(const OfxBalance& stated, std::string_view what,
                                std::optional<Balance>& out) {
    BareNumber number;
    if (trimmed(stated.amount).empty() && trimmed(stated.as_of).empty()) {
        return;
    }
    std::optional<money::Decimal> amount;
    if (strip_number(stated.amount, NumberDress::plain, number)) {
        amount = read_number(number, mark_of(number));
    }
    const auto leave_out = [&] {
        report_.warn(stated.line, "balance_unreadable",
                     "the " + std::string(what) + " balance " + quoted(stated.amount) +
                         " is not an amount; left out");
    };
    if (!amount) {
        leave_out();
        return;
    }
    const auto minor = amount->to_minor(draft_.currency.exponent());
    if (!minor) {
        leave_out();
        return;
    }
    if (minor->rounded) {
        report_.warn(stated.line, "amount_rounded",
                     "the " + std::string(what) + " balance " + amount->to_text() +
                         " has more digits than its currency");
    }
    out = Balance{{*amount, minor->value}, ofx_date(stated.as_of)};
}

void OfxStatements::add(OfxTransaction& stated) {
    if (!open_) {
        open(AccountType::unknown);
    }
    Transaction transaction;
    transaction.place = stated.place;
    const auto date = ofx_date(stated.date);
    if (!date) {
        const bool missing = trimmed(stated.date).empty();
        report_.reject(stated.place, missing ? "date_missing" : "date_unreadable",
                       missing ? "the posting date is missing"
                               : "the posting date " + quoted(stated.date) + " is no day",
                       stated.raw);
        return;
    }
    transaction.date = *date;
    BareNumber number;
    std::optional<money::Decimal> amount;
    if (strip_number(stated.amount, NumberDress::plain, number)) {
        amount = read_number(number, mark_of(number));
    }
    if (!amount) {
        const bool missing = trimmed(stated.amount).empty();
        report_.reject(
            stated.place, missing ? "amount_missing" : "amount_unreadable",
            missing ? "the amount is missing" : quoted(stated.amount) + " is not an amount",
            stated.raw);
        return;
    }
    note_marks(number);
    if (fit_of(number).differs) {
        draft_open_.emplace_back(draft_.transactions.size(), number);
    }
    transaction.amount.exact = *amount;
    if (!trimmed(stated.value_date).empty()) {
        transaction.value_date = ofx_date(stated.value_date);
        if (!transaction.value_date) {
            report_.warn(stated.place.line, "date_impossible",
                         "the value date " + quoted(stated.value_date) + " is no day; left out");
        }
    }
    if (const auto currency = money::Currency::parse(stated.currency)) {
        transaction.currency = *currency;
    }
    transaction.status = stated.status;
    transaction.payee = !stated.name.empty()         ? std::move(stated.name)
                        : !stated.payee_name.empty() ? std::move(stated.payee_name)
                                                     : std::move(stated.extended_name);
    transaction.memo = std::move(stated.memo);
    transaction.id = std::move(stated.id);
    transaction.type = std::move(stated.type);
    transaction.check_number = std::move(stated.check_number);
    draft_.transactions.push_back(std::move(transaction));
    ++count_;
}

std::size_t OfxStatements::find_account() {
    std::string key =
        std::string(name(draft_.type)) + '\x1F' + draft_.institution.id + '\x1F' + draft_.id;
    const auto [found, is_new] = accounts_.try_emplace(std::move(key), out_.accounts.size());
    if (is_new) {
        out_.accounts.emplace_back();
    }
    return found->second;
}

void OfxStatements::close() {
    if (!open_) {
        return;
    }
    open_ = false;
    const std::size_t index = find_account();
    Account& account = out_.accounts[index];
    account.id = draft_.id;
    account.type = draft_.type;
    account.institution.id = draft_.institution.id;
    account.institution.branch = draft_.institution.branch;
    account.currency = draft_.currency.is_stated() ? draft_.currency : account.currency;
    account.ledger_balance = draft_.ledger_balance ? draft_.ledger_balance : account.ledger_balance;
    account.available_balance =
        draft_.available_balance ? draft_.available_balance : account.available_balance;
    widen(account.period, draft_.period);
    for (const auto& [transaction, number] : draft_open_) {
        open_amounts_.push_back({index, account.transactions.size() + transaction, number});
    }
    for (Transaction& transaction : draft_.transactions) {
        if (!transaction.currency.is_stated()) {
            transaction.currency = draft_.currency;
        }
        if (!transaction.id.empty()) {
            ids_.check(account.id, transaction.id, transaction.place.line, report_);
        }
    }
    if (account.transactions.empty()) {
        account.transactions = std::move(draft_.transactions);
    } else {
        std::ranges::move(draft_.transactions, std::back_inserter(account.transactions));
    }
    draft_ = {};
    draft_open_.clear();
}

void OfxStatements::note_marks(const BareNumber& number) {
    const NumberFit fit = fit_of(number);
    const std::string_view text = number.text();
    if (fit.dot == fit.comma) {
        return;
    }
    const char grouping = fit.dot ? ',' : '.';
    const char decimal = fit.dot ? '.' : ',';
    groups_[grouping == ','] |= text.find(grouping) != std::string_view::npos;
    decimals_[decimal == ','] |= text.find(decimal) != std::string_view::npos;
}

void OfxStatements::settle_open_amounts() {
    for (const Open& open : open_amounts_) {
        const bool comma = open.number.text().find(',') != std::string_view::npos;
        if (!groups_[comma] || decimals_[comma]) {
            continue;
        }
        if (const auto amount = read_number(open.number, comma ? '.' : ',')) {
            out_.accounts[open.account].transactions[open.transaction].amount.exact = *amount;
        }
    }
}

void OfxStatements::finish() {
    close();
    settle_open_amounts();
    for (Account& account : out_.accounts) {
        account.institution.name = organisation_;
        std::size_t kept = 0;
        for (Transaction& transaction : account.transactions) {
            const auto minor = transaction.amount.exact.to_minor(transaction.currency.exponent());
            if (!minor) {
                report_.reject(transaction.place, "amount_unreadable", minor.error().message(), {});
                continue;
            }
            transaction.amount.minor = minor->value;
            if (minor->rounded) {
                report_.warn(
                    transaction.place.line, "amount_rounded",
                    transaction.amount.exact.to_text() +
                        " has more digits than its currency; rounded to " +
                        money::decimal_text(minor->value, transaction.currency.exponent()));
            }
            if (&account.transactions[kept] != &transaction) {
                account.transactions[kept] = std::move(transaction);
            }
            ++kept;
        }
        account.transactions.resize(kept);
    }
    report_.finish();
}

}  // namespace bascule::statement
