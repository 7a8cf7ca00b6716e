#include "household/application/use_cases/transaction_query.h"

#include <charconv>
#include <deque>
#include <limits>
#include <set>

#include "household/application/stores/paging.h"
#include "household/application/stores/row_values.h"
#include "household/application/stores/transaction_rows.h"
#include "household/application/use_cases/edits.h"
#include "household/finance/text.h"

namespace bascule::application {

namespace {

/// The `where` of a query under construction. Values become parameters: the text depends only on
/// which filters are set, so few statements are ever prepared.
class Where {
  public:
    explicit Where(const std::string& user_id) : text_("user_id = ?1") {
        values_.emplace_back(user_id);
    }

    void add(std::string_view condition) { text_.append(" and ").append(condition); }
    void equal(std::string_view column, const std::string& value) {
        if (!value.empty()) {
            add(std::string(column) + " = " + place(value));
        }
    }
    /// The parameter that holds the value: `?4`.
    std::string place(sql::Param value) {
        values_.push_back(value);
        return "?" + std::to_string(values_.size());
    }
    std::string place(std::string&& text) {
        return place(sql::Param(kept_.emplace_back(std::move(text))));
    }
    std::string place(const std::string& text) { return place(sql::Param(text)); }

    const std::string& text() const { return text_; }
    const std::vector<sql::Param>& values() const { return values_; }

  private:
    std::string text_;
    std::vector<sql::Param> values_;
    std::deque<std::string> kept_;
};

enum class Bound { least, greatest };

/// A bound in units of 10^-exponent, rounded so that exactly the amounts inside the bound pass.
std::int64_t bound_minor(const money::Decimal& bound, int exponent, Bound which) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    money::Int128 units = bound.units();
    const auto saturated = [&] { return units < 0 ? -most : most; };
    for (int i = bound.scale(); i < exponent; ++i) {
        if (units > most || units < -most) {
            return saturated();
        }
        units *= 10;
    }
    money::Int128 divisor = 1;
    for (int i = exponent; i < bound.scale(); ++i) {
        divisor *= 10;
    }
    const money::Int128 remainder = units % divisor;
    units /= divisor;
    if (remainder > 0 && which == Bound::least) {
        units += 1;
    }
    if (remainder < 0 && which == Bound::greatest) {
        units -= 1;
    }
    return units > most || units < -most ? saturated() : static_cast<std::int64_t>(units);
}

Result<std::optional<money::Decimal>> parse_bound(const char* field,
                                                  const std::optional<std::string>& text) {
    if (!text) {
        return std::nullopt;
    }
    auto bound = money::Decimal::parse(*text);
    if (!bound) {
        return invalid(field, bound.error().message());
    }
    return *bound;
}

/// Exponents of the currencies that the user has transactions in.
Result<std::set<int>> exponents_of(sql::Session& session, const std::string& user_id) {
    std::set<int> found;
    TRY(session.query("select distinct currency from account_totals where user_id = ?1", {user_id},
                      [&](const sql::Row& row) -> Result<> {
                          found.insert(TRY(currency_of(row.text_view(0))).exponent());
                          return {};
                      }));
    return found;
}

/// Bounds are decimals, stored are minor units. Mostly all of a user's currencies have the same
/// exponent; then the bounds are plain numbers and the index on amounts answers.
Result<> add_amounts(Where& where, sql::Session& session, const std::string& user_id,
                     const TransactionFilter& filter) {
    const auto least = TRY(parse_bound("minAmount", filter.amount_min));
    const auto greatest = TRY(parse_bound("maxAmount", filter.amount_max));
    if (!least && !greatest) {
        return {};
    }
    const auto exponents = TRY(exponents_of(session, user_id));
    std::string any;
    for (const int exponent : exponents) {
        std::string term;
        if (exponents.size() > 1) {
            term += " and exponent = " + std::to_string(exponent);
        }
        if (least) {
            term += " and amount_minor >= " +
                    where.place(sql::Param(bound_minor(*least, exponent, Bound::least)));
        }
        if (greatest) {
            term += " and amount_minor <= " +
                    where.place(sql::Param(bound_minor(*greatest, exponent, Bound::greatest)));
        }
        any += (any.empty() ? "(" : ") or (") + term.substr(std::string_view(" and ").size());
    }
    if (!any.empty()) {
        where.add("(" + any + "))");
    }
    return {};
}

Result<> add_filter(Where& where, sql::Session& session, const std::string& user_id,
                    const TransactionFilter& filter) {
    where.equal("account_id", filter.account_id);
    where.equal(filter.suggested ? "category_id" : "counted_category_id", filter.category_id);
    where.equal("file_id", filter.file_id);
    if (filter.from) {
        where.add("booking_date >= " + where.place(filter.from->to_text()));
    }
    if (filter.to) {
        where.add("booking_date <= " + where.place(filter.to->to_text()));
    }
    if (filter.uncategorized) {
        where.add("counted_category_id = ''");
    }
    if (filter.suggested) {
        where.add("assignment_type = 'suggested'");
    }
    TRY(add_amounts(where, session, user_id, filter));
    if (!filter.text.empty()) {
        where.add("strpos(search_text, " + where.place(finance::match_text(filter.text)) + ") > 0");
    }
    return {};
}

/// Without a filter, or with the account alone, the totals know the answer; otherwise rows are
/// counted.
Result<std::uint64_t> count(sql::Session& session, const std::string& user_id,
                            const TransactionFilter& filter, const Where& where) {
    const bool by_totals = filter.category_id.empty() && filter.file_id.empty() && !filter.from &&
                           !filter.to && !filter.uncategorized && !filter.suggested &&
                           !filter.amount_min && !filter.amount_max && filter.text.empty();
    if (by_totals && filter.account_id.empty()) {
        return static_cast<std::uint64_t>(TRY(session.query_integer(
            "select sum(transaction_count) from account_totals where user_id = ?1", {user_id})));
    }
    if (by_totals) {
        return static_cast<std::uint64_t>(
            TRY(session.query_integer("select sum(transaction_count) from account_totals"
                                      " where user_id = ?1 and account_id = ?2",
                                      {user_id, filter.account_id})));
    }
    return static_cast<std::uint64_t>(TRY(session.query_integer(
        "select count(*) from transactions where " + where.text(), where.values())));
}

struct Order {
    std::string_view column;
    std::string_view direction;
    std::string_view beyond;
};

Order order_of(TransactionOrder order) {
    switch (order) {
        case TransactionOrder::date:
            return {"booking_date", "asc", ">"};
        case TransactionOrder::date_descending:
            return {"booking_date", "desc", "<"};
        case TransactionOrder::amount:
            return {"amount_minor", "asc", ">"};
        case TransactionOrder::amount_descending:
            return {"amount_minor", "desc", "<"};
    }
    CHECK(false);
}

bool by_amount(TransactionOrder order) {
    return order == TransactionOrder::amount || order == TransactionOrder::amount_descending;
}

/// Rows beyond the last one of the page before, whether or not that one still exists.
Result<> add_cursor(Where& where, const TransactionFilter& filter, const std::string& cursor) {
    const auto place = TRY(decode_cursor(cursor, 2));
    std::string key;
    if (by_amount(filter.order)) {
        std::int64_t minor = 0;
        const auto& text = place[0];
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minor);
        if (error != std::errc() || end != text.data() + text.size()) {
            return invalid("cursor", "belongs to a list in another order");
        }
        key = where.place(sql::Param(minor));
    } else {
        if (!money::Date::parse(place[0])) {
            return invalid("cursor", "belongs to a list in another order");
        }
        key = where.place(std::string(place[0]));
    }
    const Order order = order_of(filter.order);
    where.add("(" + std::string(order.column) + ", id) " + std::string(order.beyond) + " (" + key +
              ", " + where.place(std::string(place[1])) + ")");
    return {};
}

std::string cursor_after(const Transaction& row, TransactionOrder order) {
    const std::string key =
        by_amount(order) ? std::to_string(row.amount.minor()) : row.date.to_text();
    return encode_cursor(std::vector<std::string>{key, row.id});
}

}  // namespace

Result<Page<Transaction>> query_transactions(sql::Session& session, const std::string& user_id,
                                             const TransactionFilter& filter,
                                             const PageRequest& page) {
    TRY(check_limit(page));
    Where where(user_id);
    TRY(add_filter(where, session, user_id, filter));
    Page<Transaction> found;
    found.total = TRY(count(session, user_id, filter, where));
    if (!page.cursor.empty()) {
        TRY(add_cursor(where, filter, page.cursor));
    }
    const Order order = order_of(filter.order);
    const std::string limit = where.place(sql::Param(page.limit + 1));
    const std::string statement = "select " + std::string(transaction_columns()) +
                                  " from transactions where " + where.text() + " order by " +
                                  std::string(order.column) + " " + std::string(order.direction) +
                                  ", id " + std::string(order.direction) + " limit " + limit;
    TRY(session.query(statement, where.values(), [&](const sql::Row& row) -> Result<> {
        found.items.push_back(TRY(read_transaction(row)).row);
        return {};
    }));
    if (found.items.size() > page.limit) {
        found.items.pop_back();
        found.next_cursor = cursor_after(found.items.back(), filter.order);
    }
    return found;
}

Result<Page<Transaction>> Transactions::list(const std::string& user_id,
                                             const TransactionFilter& filter,
                                             const PageRequest& page) const {
    const auto snapshot = TRY(environment_.database.read());
    return query_transactions(snapshot.session(), user_id, filter, page);
}

}  // namespace bascule::application
