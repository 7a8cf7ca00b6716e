#include "household/statement/csv_survey.h"

#include <algorithm>

#include "household/statement/csv_headers.h"
#include "household/statement/csv_rows.h"
#include "household/statement/report.h"
#include "household/statement/text.h"

namespace bascule::statement {

namespace {

/// How often a list of dates turns round under one order. Banks list days in order, so fewer turns
/// speak for an order; a hint for people, never proof.
class Turns {
  public:
    void add(money::Date date) {
        if (previous_) {
            ups_ += *previous_ < date ? 1 : 0;
            downs_ += date < *previous_ ? 1 : 0;
        }
        previous_ = date;
    }
    std::size_t count() const { return std::min(ups_, downs_); }

  private:
    std::optional<money::Date> previous_;
    std::size_t ups_ = 0;
    std::size_t downs_ = 0;
};

class Survey {
  public:
    Survey(std::string_view text, const CsvLayout& layout, const Mapping& mapping,
           const DecodedText& decoded, Statement& out)
        : rows_(text, layout), layout_(layout), mapping_(mapping), places_(decoded), out_(out) {}

    CsvReading run() {
        while (rows_.next()) {
            look();
        }
        decide_dates();
        decide_decimal_mark();
        decide_sign();
        return reading_;
    }

  private:
    void look() {
        const std::string_view cell = rows_.cell(Field::date);
        if (cell.empty() || rows_.has_surplus()) {
            return;
        }
        const DateReadings readings = reader_.read(cell);
        if (readings.orders == 0) {
            return;
        }
        const std::uint64_t line = places_.at(rows_.begin()).line;
        dates_.add(readings, cell, line);
        if (readings.has(DateOrder::dmy) && readings.has(DateOrder::mdy)) {
            turns_dmy_.add(readings.at(DateOrder::dmy));
            turns_mdy_.add(readings.at(DateOrder::mdy));
        }
        if (layout_.has(Field::value_date)) {
            const std::string_view value_date = rows_.cell(Field::value_date);
            value_dates_.add(reader_.read(value_date), value_date, line);
        }
        ++reading_.rows;
        reading_.last_row_begin = rows_.begin();
        look_at_numbers(line);
    }

    void look_at_numbers(std::uint64_t line) {
        BareNumber number;
        for (const Field field : {Field::amount, Field::debit, Field::credit}) {
            const std::string_view cell = rows_.cell(field);
            if (cell.empty() || !strip_number(cell, NumberDress::free, number)) {
                continue;
            }
            marks_.add(number, line);
            const bool zero = number.text().find_first_of("123456789") == std::string_view::npos;
            if (field == Field::debit && !zero) {
                debits_plus_ = debits_plus_ || !number.negative;
                debits_minus_ = debits_minus_ || number.negative;
            }
            if (field == Field::amount && !zero) {
                negative_ = negative_ || number.negative || number.side == 'D';
                positive_ = positive_ || !(number.negative || number.side == 'D');
                credit_marks_ = credit_marks_ || number.side == 'C';
                look_at_side(number.negative, line);
            }
            if (number.currency.is_stated() && !currency_.is_stated()) {
                currency_ = number.currency;
            }
        }
        if (strip_number(rows_.cell(Field::balance), NumberDress::free, number)) {
            balance_marks_.add(number, line);
        }
        if (!currency_.is_stated() && layout_.has(Field::currency)) {
            if (const auto currency = money::Currency::parse(rows_.cell(Field::currency))) {
                currency_ = *currency;
            }
        }
    }

    void look_at_side(bool negative, std::uint64_t line) {
        if (layout_.has(Field::indicator) && negative && conflict_.empty()) {
            const std::string_view mark = rows_.cell(Field::indicator);
            if (side_by_mark(mark, mapping_) == 'C') {
                conflict_ =
                    "line " + std::to_string(line) + " is negative and marked " + quoted(mark);
            }
        }
        types_are_sides_ = types_are_sides_ && layout_.has(Field::type) &&
                           side_of_indicator(rows_.cell(Field::type)) != '\0';
    }

    void decide_dates() {
        const bool together = layout_.has(Field::value_date) && value_dates_.any() &&
                              (dates_.left() & value_dates_.left()) != 0;
        const DateOrders left = together ? dates_.left() & value_dates_.left() : dates_.left();
        if (mapping_.date_order) {
            reading_.date_order = reading_.value_date_order = *mapping_.date_order;
            // Dates that begin with their year need no order; a profile made for others must not
            // refuse them.
            if (dates_.any() && dates_.left() == only(DateOrder::ymd)) {
                reading_.date_order = DateOrder::ymd;
            }
            if (value_dates_.any() && value_dates_.left() == only(DateOrder::ymd)) {
                reading_.value_date_order = DateOrder::ymd;
            }
            return;
        }
        if (dates_.contradicts()) {
            out_.errors.push_back(
                {dates_.contradicting_line(), "contradicting_dates", dates_.evidence()});
            out_.to_settle.emplace_back("date_order");
            return;
        }
        const DateOrders preferred = left & likely_orders();
        reading_.date_order = dates_.order(preferred != 0 ? preferred : left);
        reading_.value_date_order =
            together ? reading_.date_order : value_dates_.order(only(reading_.date_order));
        const bool settled_by_value_dates = together && (left & (left - 1)) == 0;
        if (dates_.ambiguous() && !settled_by_value_dates) {
            out_.ambiguities.push_back({.what = "date_order",
                                        .candidates = {"DMY", "MDY"},
                                        .chosen = std::string(name(reading_.date_order)),
                                        .evidence = dates_.evidence()});
        } else if (dates_.any()) {
            const std::string evidence =
                dates_.ambiguous() ? value_dates_.evidence() : dates_.evidence();
            out_.inferred.push_back(
                {"date_order", std::string(name(reading_.date_order)), evidence});
        }
    }

    /// What people around this file would mean, for want of proof.
    DateOrders likely_orders() const {
        const money::Currency currency = stated_currency();
        const std::string_view code = currency.code();
        if (code == "USD") {
            return only(DateOrder::mdy);
        }
        if (stated_currency().is_stated() || layout_.delimiter == ';' ||
            (marks_.any() && !marks_.fits('.'))) {
            return only(DateOrder::dmy);
        }
        if (turns_dmy_.count() != turns_mdy_.count()) {
            return only(turns_dmy_.count() < turns_mdy_.count() ? DateOrder::dmy : DateOrder::mdy);
        }
        return only(DateOrder::dmy);
    }

    money::Currency stated_currency() const {
        return layout_.currency.is_stated() ? layout_.currency : currency_;
    }

    void decide_decimal_mark() {
        if (mapping_.decimal_mark) {
            reading_.decimal_mark = *mapping_.decimal_mark;
            return;
        }
        if (marks_.contradicts()) {
            out_.errors.push_back({marks_.contradicting_line(), "malformed",
                                   "amounts contradict each other: " + marks_.evidence()});
            out_.to_settle.emplace_back("decimal_mark");
            return;
        }
        reading_.decimal_mark = marks_.mark();
        if (marks_.ambiguous()) {
            reading_.decimal_mark = likely_mark();
            out_.ambiguities.push_back({.what = "decimal_mark",
                                        .candidates = {".", ","},
                                        .chosen = std::string(1, reading_.decimal_mark),
                                        .evidence = marks_.evidence()});
        } else if (marks_.any()) {
            out_.inferred.push_back(
                {"decimal_mark", std::string(1, reading_.decimal_mark), marks_.evidence()});
        }
    }

    char likely_mark() const {
        if (balance_marks_.any() && balance_marks_.fits('.') != balance_marks_.fits(',')) {
            return balance_marks_.mark();
        }
        const money::Currency currency = stated_currency();
        const std::string_view code = currency.code();
        const bool point =
            code == "USD" || code == "GBP" || code == "CHF" || layout_.delimiter == ',';
        return point ? '.' : ',';
    }

    void decide_sign() {
        if (mapping_.sign) {
            reading_.sign = *mapping_.sign;
            if (reading_.sign == SignConvention::indicator && !layout_.has(Field::indicator) &&
                !layout_.has(Field::type)) {
                out_.errors.push_back(
                    {0, "malformed",
                     "the profile takes the sign from an indicator, but no column is one"});
            }
        } else {
            infer_sign();
        }
        if (reading_.sign == SignConvention::indicator) {
            reading_.indicator_column = layout_.has(Field::indicator)
                                            ? layout_.at(Field::indicator).front()
                                        : layout_.has(Field::type) ? layout_.at(Field::type).front()
                                                                   : 0;
        }
        reading_.debits_are_negative = debits_minus_ && !debits_plus_;
        reading_.unmarked_is_debit = credit_marks_ && !negative_;
    }

    void infer_sign() {
        const auto decide = [&](SignConvention sign, std::string evidence) {
            reading_.sign = sign;
            out_.inferred.push_back({"sign", std::string(name(sign)), std::move(evidence)});
        };
        if (!layout_.has(Field::amount)) {
            std::string evidence = "the file has columns for money out and money in";
            if (debits_minus_) {
                evidence += debits_plus_ ? "; among debits without one, a minus is money back"
                                         : "; every debit has a minus, which says out once more";
            }
            decide(SignConvention::debit_credit, std::move(evidence));
        } else if (layout_.has(Field::indicator) && !negative_) {
            decide(SignConvention::indicator,
                   "amounts have no sign, a column says debit or credit");
        } else if (layout_.has(Field::indicator) && !conflict_.empty()) {
            reading_.sign = SignConvention::as_stated;
            out_.ambiguities.push_back(
                {"sign", {"as_stated", "indicator"}, "as_stated", conflict_});
        } else if (layout_.has(Field::type) && types_are_sides_ && positive_ && !negative_) {
            decide(SignConvention::indicator,
                   "amounts have no sign and every type is a debit or credit mark");
        } else if (negative_ || credit_marks_) {
            decide(SignConvention::as_stated, "amounts carry their sign");
        } else if (layout_.card && positive_) {
            reading_.sign = SignConvention::as_stated;
            out_.ambiguities.push_back(
                {"sign",
                 {"as_stated", "reversed"},
                 "as_stated",
                 "a card's file without any negative amount: purchases may be stated as positive"});
        }
    }

    CsvRows rows_;
    const CsvLayout& layout_;
    const Mapping& mapping_;
    Places places_;
    Statement& out_;
    CsvReading reading_;
    DateReader reader_;
    DateOrderVote dates_;
    DateOrderVote value_dates_;
    Turns turns_dmy_;
    Turns turns_mdy_;
    DecimalMarkVote marks_;
    DecimalMarkVote balance_marks_;
    money::Currency currency_;
    bool negative_ = false;
    bool positive_ = false;
    bool credit_marks_ = false;
    bool types_are_sides_ = true;
    bool debits_plus_ = false;
    bool debits_minus_ = false;
    std::string conflict_;
};

}  // namespace

CsvReading survey(std::string_view text, const CsvLayout& layout, const Mapping& mapping,
                  const DecodedText& decoded, Statement& out) {
    return Survey(text, layout, mapping, decoded, out).run();
}

char side_by_mark(std::string_view cell, const Mapping& mapping) {
    const auto is = [&](const std::string& mark) { return upper_ascii(mark) == upper_ascii(cell); };
    if (std::ranges::any_of(mapping.debit_marks, is)) {
        return 'D';
    }
    if (std::ranges::any_of(mapping.credit_marks, is)) {
        return 'C';
    }
    return side_of_indicator(cell);
}

}  // namespace bascule::statement
