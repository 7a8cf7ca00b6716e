#include "household/statement/csv.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_map>

#include "foundation/base/hash.h"
#include "household/statement/balance_chain.h"
#include "household/statement/csv_headers.h"
#include "household/statement/csv_layout.h"
#include "household/statement/csv_rows.h"
#include "household/statement/csv_survey.h"
#include "household/statement/duplicate_ids.h"
#include "household/statement/report.h"
#include "household/statement/text.h"

namespace bascule::statement {

namespace {

std::string fingerprint(const CsvLayout& layout) {
    std::string shape(1, layout.delimiter);
    if (layout.has_header) {
        for (const std::string& column : layout.columns) {
            shape += '\x1F' + normalised_header(column).text;
        }
    } else {
        shape += "\x1F#" + std::to_string(layout.columns.size());
    }
    std::array<char, 17> hex{};
    std::snprintf(hex.data(), hex.size(), "%016llx",
                  static_cast<unsigned long long>(hash64(shape)));
    return hex.data();
}

Status status_of(std::string_view cell) {
    const std::string text = normalised_header(cell).text;
    const auto starts = [&](std::string_view word) { return text.starts_with(word); };
    const auto pending = {"pend",        "vorgemerkt",  "authori", "en attente",
                          "outstanding", "in progress", "offen",   "reserv"};
    const auto info = {"declined",  "failed",    "reverted", "cancel",
                       "storniert", "abgelehnt", "rejected"};
    if (std::ranges::any_of(pending, starts)) {
        return Status::pending;
    }
    return std::ranges::any_of(info, starts) ? Status::info : Status::booked;
}

/// The second way through the rows: each becomes a transaction or a reason why not.
class CsvParser {
  public:
    CsvParser(const DecodedText& decoded, const CsvLayout& layout, const CsvReading& reading,
              const Mapping& mapping, Statement& out)
        : rows_(decoded.text(), layout),
          layout_(layout),
          reading_(reading),
          mapping_(mapping),
          places_(decoded),
          out_(out),
          report_(out) {}

    void run() {
        bool any = false;
        while (rows_.next()) {
            any = true;
            if (count_ >= records_max) {
                report_.error(places_.at(rows_.begin()).line, "too_large",
                              "the file has more than " + std::to_string(records_max) +
                                  " rows; split it into files of at most as many");
                break;
            }
            read_row();
        }
        if (!any) {
            report_.warn(0, "no_rows", "0 rows: the file holds a header and nothing below it");
        }
        settle_currencies();
        for (const BalanceChain& chain : balances_) {
            chain.check(report_);
        }
        report_.finish();
    }

  private:
    void read_row() {
        const Place place = places_.at(rows_.begin());
        if (rows_.has_open_quote()) {
            if (rows_.is_cut_off()) {
                report_.reject(place, "record_truncated",
                               "a quote opens in this row and the file ends before it is closed",
                               rows_.raw());
                return;
            }
            report_.warn(place.line, "unclosed_element",
                         "a quote opens in this row and is not closed; it is read as text");
        }
        if (rows_.has_surplus() && !join_surplus()) {
            report_.reject(place, "amount_unreadable",
                           "the row has " + std::to_string(rows_.size()) +
                               " cells where the file has " +
                               std::to_string(layout_.columns.size()) +
                               " columns, so its cells cannot be told apart",
                           rows_.raw());
            return;
        }
        Transaction transaction;
        transaction.place = place;
        if (read_date_cell(transaction) && read_amount(transaction)) {
            read_value_date(transaction);
            read_texts(transaction);
            Account& account = account_of(rows_.cell(Field::account));
            if (!transaction.id.empty()) {
                ids_.check(account.id, transaction.id, place.line, report_);
            }
            note_balance(transaction);
            account.transactions.push_back(std::move(transaction));
            ++count_;
        }
    }

    /// A delimiter in an unquoted text shifts the cells behind it. If joining cells at exactly one
    /// text column makes the row readable again, that is where the delimiter was; with a comma
    /// between cells a decimal comma looks the same, so there the amount must show its decimal
    /// point.
    bool join_surplus() {
        std::optional<std::size_t> only;
        for (std::size_t column = 0; column < layout_.columns.size(); ++column) {
            if (!is_text_column(column) || !rows_.join_at(column)) {
                continue;
            }
            if (fits_after_join()) {
                if (only) {
                    rows_.undo_join();
                    return false;
                }
                only = column;
            }
            rows_.undo_join();
        }
        return only && rows_.join_at(*only);
    }

    bool is_text_column(std::size_t column) const {
        for (const Field field :
             {Field::date, Field::value_date, Field::amount, Field::debit, Field::credit,
              Field::balance, Field::currency, Field::indicator, Field::account}) {
            const auto& columns = layout_.at(field);
            if (std::ranges::find(columns, column) != columns.end()) {
                return false;
            }
        }
        return true;
    }

    bool fits_after_join() const {
        bool numbers = false;
        for (const Field field : {Field::amount, Field::debit, Field::credit}) {
            BareNumber number;
            const std::string_view cell = rows_.cell(field);
            if (cell.empty()) {
                continue;
            }
            if (!strip_number(cell, NumberDress::free, number) ||
                !read_number(number, reading_.decimal_mark)) {
                return false;
            }
            if (layout_.delimiter == ',' && number.text().find('.') == std::string_view::npos) {
                return false;
            }
            numbers = true;
        }
        return numbers && read_date(rows_.cell(Field::date)).has(reading_.date_order);
    }

    bool read_date_cell(Transaction& transaction) {
        const std::string_view cell = rows_.cell(Field::date);
        const DateReadings& readings = dates_.read(cell);
        if (readings.has(reading_.date_order)) {
            transaction.date = readings.at(reading_.date_order);
            return true;
        }
        if (readings.orders == 0 &&
            rows_.is_about_the_list(rows_.begin() > reading_.last_row_begin)) {
            report_.warn(transaction.place.line, "trailing_data",
                         "not a transaction, left out: " + quoted(trimmed(rows_.raw())));
        } else if (cell.empty()) {
            report_.reject(transaction.place, "date_missing", "the date is missing", rows_.raw());
        } else {
            const char* why = readings.orders != 0 ? " is not a date in the order of this file, "
                              : is_impossible_date(cell)
                                  ? " names a day that does not exist; the order is "
                                  : " is not a date; the order is ";
            report_.reject(transaction.place, "date_unreadable",
                           quoted(cell) + why + std::string(name(reading_.date_order)),
                           rows_.raw());
        }
        return false;
    }

    void read_value_date(Transaction& transaction) {
        const std::string_view cell = rows_.cell(Field::value_date);
        if (cell.empty()) {
            return;
        }
        const DateReadings& readings = dates_.read(cell);
        if (readings.has(reading_.value_date_order)) {
            transaction.value_date = readings.at(reading_.value_date_order);
        } else {
            report_.warn(transaction.place.line, "date_impossible",
                         "the value date " + quoted(cell) + " is no day; left out");
        }
    }

    bool read_amount(Transaction& transaction) {
        transaction.currency = row_currency();
        const bool has_sides = reading_.sign == SignConvention::debit_credit &&
                               (layout_.has(Field::debit) || layout_.has(Field::credit));
        const std::optional<money::Decimal> amount =
            has_sides ? read_sides(transaction) : read_signed(transaction);
        if (!amount) {
            return false;
        }
        const auto minor = amount->to_minor(transaction.currency.exponent());
        if (!minor) {
            report_.reject(transaction.place, "amount_unreadable", minor.error().message(),
                           rows_.raw());
            return false;
        }
        transaction.amount = {*amount, minor->value};
        if (minor->rounded) {
            report_.warn(transaction.place.line, "amount_rounded",
                         amount->to_text() + " has more digits than its currency; rounded to " +
                             money::decimal_text(minor->value, transaction.currency.exponent()));
        }
        return true;
    }

    money::Currency row_currency() {
        const std::string_view cell = rows_.cell(Field::currency);
        if (!cell.empty()) {
            if (cell == currency_cell_) {
                return currency_of_cell_;
            }
            auto currency = money::Currency::parse(cell);
            currency = currency ? std::move(currency) : money::currency_of_symbol(cell);
            if (currency) {
                currency_cell_ = cell;
                return currency_of_cell_ = *currency;
            }
        }
        return layout_.currency;
    }

    /// One cell as a number with its own sign; empty cells give nothing. Returns false after
    /// rejecting the row.
    bool read_cell(std::string_view cell, Transaction& transaction, BareNumber& number,
                   std::optional<money::Decimal>& out) {
        if (cell.empty()) {
            return true;
        }
        if (strip_number(cell, NumberDress::free, number)) {
            out = read_number(number, reading_.decimal_mark);
        }
        if (!out) {
            report_.reject(transaction.place, "amount_unreadable",
                           quoted(cell) + " is not an amount; the decimal mark is '" +
                               reading_.decimal_mark + "'",
                           rows_.raw());
            return false;
        }
        if (number.currency.is_stated() && !transaction.currency.is_stated()) {
            transaction.currency = number.currency;
        }
        return true;
    }

    void reject_missing(const Transaction& transaction) {
        report_.reject(transaction.place, "amount_missing", "the amount is missing", rows_.raw());
    }

    /// Nothing where the row was rejected.
    std::optional<money::Decimal> read_signed(Transaction& transaction) {
        BareNumber number;
        std::optional<money::Decimal> amount;
        if (!read_cell(rows_.cell(Field::amount), transaction, number, amount)) {
            return std::nullopt;
        }
        if (!amount) {
            reject_missing(transaction);
            return std::nullopt;
        }
        if (number.side == 'D' && !amount->is_negative()) {
            amount = amount->negated();
        } else if (reading_.unmarked_is_debit && number.side == '\0') {
            amount = amount->negated();
        }
        if (reading_.sign == SignConvention::reversed) {
            amount = amount->negated();
        }
        if (reading_.sign == SignConvention::indicator) {
            const std::string_view mark = rows_.cell(reading_.indicator_column);
            const char side = side_by_mark(mark, mapping_);
            if (side == '\0') {
                report_.reject(
                    transaction.place, "amount_unreadable",
                    quoted(mark) + " says neither debit nor credit, so the amount has no sign",
                    rows_.raw());
                return std::nullopt;
            }
            amount = (side == 'D') != amount->is_negative() ? amount->negated() : *amount;
        }
        return amount;
    }

    std::optional<money::Decimal> read_sides(Transaction& transaction) {
        BareNumber number;
        std::optional<money::Decimal> debit;
        std::optional<money::Decimal> credit;
        if (!read_cell(rows_.cell(Field::debit), transaction, number, debit) ||
            !read_cell(rows_.cell(Field::credit), transaction, number, credit)) {
            return std::nullopt;
        }
        if (debit && credit && !debit->is_zero() && !credit->is_zero()) {
            report_.reject(transaction.place, "amount_unreadable",
                           "both the debit (" + debit->to_text() + ") and the credit (" +
                               credit->to_text() + ") are filled",
                           rows_.raw());
            return std::nullopt;
        }
        if (!debit && !credit) {
            reject_missing(transaction);
            return std::nullopt;
        }
        const bool out = debit && (!debit->is_zero() || !credit);
        const money::Decimal amount = out ? *debit : *credit;
        return out && !reading_.debits_are_negative ? amount.negated() : amount;
    }

    /// Several columns of one text are joined by a blank.
    void join(Field field, std::string& text) {
        for (const std::size_t column : layout_.at(field)) {
            const std::string_view cell = rows_.cell(column);
            if (!cell.empty()) {
                text += text.empty() ? "" : " ";
                text += cell;
            }
        }
    }

    void read_texts(Transaction& transaction) {
        join(Field::payee, transaction.payee);
        if (transaction.payee.empty()) {
            join(Field::description, transaction.payee);
        } else {
            join(Field::description, transaction.memo);
            if (is_called_description_) {
                transaction.description = transaction.memo;
            }
        }
        join(Field::memo, transaction.memo);
        transaction.id = rows_.cell(Field::id);
        transaction.type = rows_.cell(Field::type);
        transaction.category = rows_.cell(Field::category);
        transaction.check_number = rows_.cell(Field::check_number);
        if (const std::string_view status = rows_.cell(Field::status); !status.empty()) {
            transaction.status = status_of(status);
        }
    }

    /// The running balance behind a booked row of the account at hand, where the file states it.
    void note_balance(const Transaction& transaction) {
        const std::string_view cell = rows_.cell(Field::balance);
        BareNumber number;
        if (cell.empty() || transaction.status != Status::booked ||
            !strip_number(cell, NumberDress::free, number)) {
            return;
        }
        const auto balance = read_number(number, reading_.decimal_mark);
        const auto minor = balance
                               ? std::optional(balance->to_minor(transaction.currency.exponent()))
                               : std::nullopt;
        if (!minor || !*minor) {
            return;
        }
        balances_.resize(std::max(balances_.size(), account_ + 1));
        balances_[account_].add({.line = transaction.place.line,
                                 .amount = transaction.amount.minor,
                                 .balance = (*minor)->value,
                                 .currency = transaction.currency});
    }

    Account& account_of(std::string_view id) {
        id = id.empty() ? std::string_view(layout_.account) : id;
        if (!out_.accounts.empty() && out_.accounts[account_].id == id) {
            return out_.accounts[account_];
        }
        const auto [found, is_new] = accounts_.try_emplace(std::string(id), out_.accounts.size());
        account_ = found->second;
        if (is_new) {
            Account& account = out_.accounts.emplace_back();
            account.id = id;
            if (account_ == 0) {
                account.transactions.reserve(std::min(reading_.rows, records_max));
            }
        }
        return out_.accounts[account_];
    }

    /// An account has a currency if the file states one for it or all its rows agree.
    void settle_currencies() {
        for (Account& account : out_.accounts) {
            const money::Currency first = account.transactions.empty()
                                              ? money::Currency()
                                              : account.transactions.front().currency;
            const bool agree = std::ranges::all_of(
                account.transactions, [&](const Transaction& t) { return t.currency == first; });
            account.currency = agree ? first : layout_.currency;
        }
    }

    /// Many banks call the remittance text so that it could be either; that stays a memo.
    bool is_called_description() const {
        return mapping_.has(Field::description) ||
               std::ranges::all_of(layout_.at(Field::description), [&](std::size_t column) {
                   return normalised_header(layout_.columns[column]).text.contains("description");
               });
    }

    CsvRows rows_;
    const CsvLayout& layout_;
    const CsvReading& reading_;
    const Mapping& mapping_;
    Places places_;
    Statement& out_;
    Report report_;
    DateReader dates_;
    DuplicateIds ids_;
    std::unordered_map<std::string, std::size_t> accounts_;
    std::vector<BalanceChain> balances_;  ///< by account
    std::size_t account_ = 0;
    std::size_t count_ = 0;
    std::string currency_cell_;
    money::Currency currency_of_cell_;
    bool is_called_description_ = is_called_description();
};

void say_what_is_missing(const CsvLayout& layout, Statement& out) {
    const std::string what = !layout.has(Field::date) ? "date" : "amount";
    out.ambiguities.push_back({"header", layout.columns, "", "no column is plainly the " + what});
    out.errors.push_back({0, "no_statement",
                          "no column could be recognised as the " + what +
                              "; name it in a profile (columns." + what + ")"});
}

}  // namespace

bool parse_csv(const DecodedText& decoded, const Mapping& mapping, Statement& out) {
    auto found = find_layout(decoded.text(), mapping);
    if (!found) {
        out.format = Format::csv;
        out.errors.push_back({0, "malformed", found.error().message()});
        return true;
    }
    const CsvLayout& layout = found->layout;
    if (!found->is_table) {
        return false;
    }
    out.format = Format::csv;
    out.columns = layout.columns;
    out.header_fingerprint = fingerprint(layout);
    out.ambiguities = std::move(found->ambiguities);
    out.inferred = std::move(found->inferred);
    out.inferred.push_back({"delimiter",
                            layout.delimiter == '\t' ? "tab" : std::string(1, layout.delimiter),
                            "gives rows of equal width"});
    for (std::size_t field = 0; field < field_count && layout.has_header; ++field) {
        for (const std::size_t column : layout.of_field[field]) {
            out.inferred.push_back({"column." + std::string(name(static_cast<Field>(field))),
                                    layout.columns[column], "by its header"});
        }
    }
    if (!layout.has(Field::date) || !layout.has_amount()) {
        say_what_is_missing(layout, out);
        return true;
    }
    const CsvReading reading = survey(decoded.text(), layout, mapping, decoded, out);
    if (out.errors.empty()) {
        CsvParser(decoded, layout, reading, mapping, out).run();
    }
    return true;
}

}  // namespace bascule::statement
