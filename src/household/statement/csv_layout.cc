#include "household/statement/csv_layout.h"

#include <algorithm>
#include <map>
#include <optional>

#include "household/statement/csv_headers.h"
#include "household/statement/csv_reader.h"
#include "household/statement/csv_sample.h"
#include "household/statement/text.h"

namespace bascule::statement {

namespace {

constexpr std::size_t header_search_records = 60;

std::string column_name(const CsvLayout& layout, std::size_t column) {
    return column < layout.columns.size() ? layout.columns[column] : std::to_string(column + 1);
}

/// How many different fields a record's cells name, if it can be a header at all: some names, no
/// data.
int header_score(const std::vector<std::string>& cells) {
    unsigned fields = 0;
    for (const std::string& cell : cells) {
        BareNumber number;
        if (read_date(cell).orders != 0 || strip_number(cell, NumberDress::free, number)) {
            return 0;
        }
        if (const auto meaning = meaning_of(normalised_header(cell))) {
            fields |= 1U << static_cast<unsigned>(meaning->field);
        }
    }
    const auto names = [&](Field field) {
        return (fields & (1U << static_cast<unsigned>(field))) != 0;
    };
    const bool date = names(Field::date) || names(Field::value_date);
    const bool amount = names(Field::amount) || names(Field::debit) || names(Field::credit);
    const int count = __builtin_popcount(fields);
    return (date || amount) && count >= 2 ? count + (date && amount ? 2 : 0) : 0;
}

/// The record that holds all names a mapping asks for.
bool holds_columns(const std::vector<std::string>& cells, const Mapping& mapping) {
    return std::ranges::all_of(mapping.columns, [&](const ColumnMapping& wanted) {
        const std::string name = normalised_header(wanted.column.name).text;
        return wanted.column.name.empty() ||
               std::ranges::any_of(cells, [&](const std::string& cell) {
                   return cell == wanted.column.name || normalised_header(cell).text == name;
               });
    });
}

/// One delimiter tried out.
class Attempt {
  public:
    Attempt(std::string_view text, std::size_t begin, char delimiter, const Mapping& mapping)
        : sample_(text, begin, delimiter), mapping_(mapping) {
        finding_.layout.delimiter = delimiter;
        finding_.layout.rows_begin = begin;
        finding_.layout.header_begin = begin;
    }

    void run() {
        find_header();
        find_rows();
        assign_by_name();
        drop_contradicted();
        assign_by_content();
        read_preamble();
        const CsvLayout& layout = finding_.layout;
        finding_.is_table = sample_.width() >= 2 &&
                            (layout.has(Field::date) || layout.has_amount()) &&
                            sample_.is_regular();
    }

    int score() const {
        const CsvLayout& layout = finding_.layout;
        const int complete = layout.has(Field::date) && layout.has_amount() ? 1000 : 0;
        const int asked = !mapping_.columns.empty() && header_ && sample_.width() >= 2 ? 1000 : 0;
        return complete + asked + header_score_ * 30 + sample_.regularity_percent() / 4 +
               static_cast<int>(std::min<std::size_t>(sample_.width(), 20));
    }

    char delimiter() const { return finding_.layout.delimiter; }
    int header_hits() const { return header_score_; }
    LayoutFinding& finding() { return finding_; }

  private:
    void find_header() {
        const auto& records = sample_.records();
        if (mapping_.header == false) {
            return;
        }
        const bool by_mapping = std::ranges::any_of(
            mapping_.columns, [](const auto& c) { return !c.column.name.empty(); });
        for (std::size_t i = 0; i < records.size() && i < header_search_records; ++i) {
            const int score = by_mapping ? (holds_columns(records[i].cells, mapping_) ? 1 : 0)
                                         : header_score(records[i].cells);
            if (score > header_score_) {
                header_score_ = score;
                header_ = i;
            }
        }
        if (!header_ && mapping_.header == true && !records.empty()) {
            header_ = 0;
        }
    }

    void find_rows() {
        CsvLayout& layout = finding_.layout;
        const auto& records = sample_.records();
        if (header_) {
            layout.has_header = true;
            layout.header_begin = records[*header_].begin;
            layout.columns = records[*header_].cells;
            layout.rows_begin = sample_.begin_after(*header_);
            sample_.set_rows(*header_ + 1, layout.columns.size());
            return;
        }
        const std::size_t first = sample_.first_row_with_date();
        // A row of names we do not know still is a header: as wide as the rows below it and without
        // data.
        if (first > 0 && first < records.size() && mapping_.header != false &&
            records[first - 1].cells.size() == records[first].cells.size() &&
            sample_.is_wordy(first - 1)) {
            header_ = first - 1;
            find_rows();
            return;
        }
        if (first < records.size()) {
            layout.rows_begin = layout.header_begin = records[first].begin;
            header_end_ = first;
        }
        sample_.set_rows(first, 0);
        for (std::size_t column = 0; column < sample_.width(); ++column) {
            layout.columns.push_back(std::to_string(column + 1));
        }
    }

    void assign_by_name() {
        CsvLayout& layout = finding_.layout;
        std::map<Field, std::vector<std::pair<int, std::size_t>>> claims;
        for (std::size_t column = 0; column < layout.columns.size() && layout.has_header;
             ++column) {
            const HeaderName header = normalised_header(layout.columns[column]);
            layout.card = layout.card || speaks_of_cards(header.words);
            if (const auto meaning = meaning_of(header)) {
                claims[meaning->field].emplace_back(meaning->rank, column);
            }
        }
        for (auto& [field, columns] : claims) {
            std::ranges::sort(columns);
            for (const auto& [rank, column] : columns) {
                const bool text_over_columns =
                    field == Field::payee || field == Field::description || field == Field::memo;
                if (rank == columns.front().first &&
                    (layout.at(field).empty() || text_over_columns || field == Field::amount)) {
                    layout.at(field).push_back(column);
                } else if (field == Field::description) {
                    spare_texts_.push_back(column);
                }
            }
        }
    }

    /// A header may promise what its column does not hold.
    void drop_contradicted() {
        CsvLayout& layout = finding_.layout;
        for (const Field field : {Field::date, Field::value_date}) {
            std::erase_if(layout.at(field), [&](std::size_t column) {
                return !sample_.mostly_dates_or_blank(column);
            });
        }
        for (const Field field : {Field::amount, Field::debit, Field::credit, Field::balance}) {
            std::erase_if(layout.at(field), [&](std::size_t column) {
                return !sample_.mostly_numbers_or_blank(column);
            });
        }
        if (layout.at(Field::amount).size() > 1) {
            std::erase_if(layout.at(Field::amount),
                          [&](std::size_t column) { return sample_.is_blank(column); });
        }
        if (layout.at(Field::amount).size() > 1) {
            say_ambiguous_amount(layout.at(Field::amount));
            layout.at(Field::amount).resize(1);
        }
        // Somebody else's account numbers differ from row to row; one's own does not, unless the
        // header says so plainly.
        if (layout.has(Field::account)) {
            const std::size_t column = layout.at(Field::account).front();
            const auto header = normalised_header(layout.columns[column]);
            if (std::string_view(header.text) == "iban" && !sample_.is_constant(column)) {
                layout.at(Field::account).clear();
            }
        }
        if (!layout.has(Field::date) && layout.has(Field::value_date)) {
            layout.at(Field::date).swap(layout.at(Field::value_date));
        }
        if (layout.has(Field::amount)) {
            layout.at(Field::debit).clear();
            layout.at(Field::credit).clear();
        }
        place_spare_texts();
    }

    void place_spare_texts() {
        CsvLayout& layout = finding_.layout;
        for (const std::size_t column : spare_texts_) {
            if (!layout.has(Field::type) &&
                normalised_header(layout.columns[column]).text == "buchungstext") {
                layout.at(Field::type) = {column};
            } else if (!layout.has(Field::memo)) {
                layout.at(Field::memo) = {column};
            }
        }
    }

    bool is_assigned(std::size_t column) const {
        return std::ranges::any_of(finding_.layout.of_field, [&](const auto& columns) {
            return std::ranges::find(columns, column) != columns.end();
        });
    }

    void assign_by_content() {
        CsvLayout& layout = finding_.layout;
        if (!layout.has(Field::date)) {
            for (std::size_t column = 0; column < sample_.width() && !layout.has(Field::date);
                 ++column) {
                if (!is_assigned(column) && sample_.is_dates(column)) {
                    layout.at(Field::date) = {column};
                    infer("column.date", column, "its cells are dates");
                }
            }
        }
        if (!layout.has_amount() && layout.has(Field::date)) {
            assign_amount_by_content();
        }
        // A header of which some names are known may still call the payee something else.
        assign_texts_by_content(layout.has_header && header_score_ > 0);
    }

    void assign_amount_by_content() {
        CsvLayout& layout = finding_.layout;
        std::vector<std::size_t> numbers;
        std::vector<std::size_t> money;
        for (std::size_t column = 0; column < sample_.width(); ++column) {
            if (!is_assigned(column) && sample_.is_numbers(column)) {
                numbers.push_back(column);
                if (sample_.looks_like_money(column)) {
                    money.push_back(column);
                }
            }
        }
        const std::vector<std::size_t>& candidates = money.empty() ? numbers : money;
        if (candidates.empty()) {
            return;
        }
        for (const std::size_t balance : candidates) {
            for (const std::size_t amount : candidates) {
                if (amount != balance && sample_.is_running_balance(amount, balance)) {
                    layout.at(Field::amount) = {amount};
                    layout.at(Field::balance) = {balance};
                    infer("column.amount", amount,
                          "column " + column_name(layout, balance) + " is its running balance");
                    return;
                }
            }
        }
        if (candidates.size() > 1) {
            say_ambiguous_amount(candidates);
        }
        layout.at(Field::amount) = {candidates.front()};
        infer("column.amount", candidates.front(), "its cells are numbers");
    }

    void assign_texts_by_content(bool names_are_known) {
        CsvLayout& layout = finding_.layout;
        std::optional<std::size_t> longest;
        for (std::size_t column = 0; column < sample_.width(); ++column) {
            if (is_assigned(column) || sample_.is_numbers(column) || sample_.is_dates(column) ||
                (names_are_known && (sample_.is_blank(column) || sample_.is_constant(column)))) {
                continue;
            }
            if (!layout.has(Field::currency) && sample_.is_currencies(column)) {
                layout.at(Field::currency) = {column};
            } else if (!longest || sample_.text_bytes(column) > sample_.text_bytes(*longest)) {
                longest = column;
            }
        }
        if (longest && !layout.has(Field::payee) && !layout.has(Field::description)) {
            layout.at(Field::payee) = {*longest};
            infer("column.payee", *longest, "it holds the longest text");
        }
    }

    void say_ambiguous_amount(const std::vector<std::size_t>& columns) {
        Ambiguity ambiguity{.what = "header",
                            .chosen = column_name(finding_.layout, columns.front())};
        for (const std::size_t column : columns) {
            ambiguity.candidates.push_back(column_name(finding_.layout, column));
        }
        ambiguity.evidence = "each of these columns can be the amount";
        finding_.ambiguities.push_back(std::move(ambiguity));
    }

    void infer(std::string what, std::size_t column, std::string evidence) {
        finding_.inferred.push_back(
            {std::move(what), column_name(finding_.layout, column), std::move(evidence)});
    }

    /// The lines before the header often name the account and its currency.
    void read_preamble() {
        CsvLayout& layout = finding_.layout;
        const std::size_t end = header_ ? *header_ : header_end_;
        for (std::size_t i = 0; i < end; ++i) {
            read_labels(sample_.records()[i].cells);
        }
        for (const std::size_t column : layout.at(Field::amount)) {
            const HeaderName header = normalised_header(column_name(layout, column));
            layout.currency = layout.has_header && header.currency.is_stated() ? header.currency
                                                                               : layout.currency;
        }
        for (const Field field : {Field::debit, Field::credit}) {
            for (const std::size_t column : layout.at(field)) {
                const HeaderName header = normalised_header(column_name(layout, column));
                layout.currency = layout.has_header && header.currency.is_stated()
                                      ? header.currency
                                      : layout.currency;
            }
        }
    }

    void read_labels(const std::vector<std::string>& cells) {
        CsvLayout& layout = finding_.layout;
        std::vector<std::string_view> words;
        for (const std::string& cell : cells) {
            const auto colon = cell.find(':');
            words.push_back(trimmed(std::string_view(cell).substr(0, colon)));
            if (colon != std::string::npos) {
                words.push_back(trimmed(std::string_view(cell).substr(colon + 1)));
            }
        }
        std::erase_if(words, [](std::string_view word) { return word.empty(); });
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (layout.account.empty() && is_iban(words[i])) {
                layout.account = words[i];
            }
            const auto meaning =
                i + 1 < words.size() ? meaning_of(normalised_header(words[i])) : std::nullopt;
            if (meaning && meaning->field == Field::account && layout.account.empty() &&
                std::ranges::any_of(words[i + 1], is_digit)) {
                layout.account = words[i + 1];
            }
            if (meaning && meaning->field == Field::currency) {
                if (const auto currency = money::Currency::parse(words[i + 1]);
                    currency && currency->is_known()) {
                    layout.currency = *currency;
                }
            }
        }
    }

    CsvSample sample_;
    const Mapping& mapping_;
    LayoutFinding finding_;
    std::optional<std::size_t> header_;
    std::size_t header_end_ = 0;
    int header_score_ = 0;
    std::vector<std::size_t> spare_texts_;
};

/// Frees the fields a mapping speaks of, so that nothing inferred stands beside what the user said.
void clear_for(CsvLayout& layout, const Mapping& mapping) {
    const bool amount = mapping.has(Field::amount);
    const bool sides = mapping.has(Field::debit) || mapping.has(Field::credit);
    for (std::size_t field = 0; field < field_count; ++field) {
        const auto which = static_cast<Field>(field);
        const bool other_amount = (amount && (which == Field::debit || which == Field::credit)) ||
                                  (sides && which == Field::amount);
        if (mapping.has(which) || other_amount) {
            layout.at(which).clear();
        }
    }
}

/// Puts the mapping's columns in place of what was inferred.
Result<> apply_columns(CsvLayout& layout, const Mapping& mapping) {
    clear_for(layout, mapping);
    for (const auto& [field, column] : mapping.columns) {
        std::size_t index = column.index;
        if (!column.name.empty()) {
            const std::string wanted = normalised_header(column.name).text;
            auto found = std::ranges::find(layout.columns, column.name);
            if (found == layout.columns.end()) {
                found = std::ranges::find_if(layout.columns, [&](const std::string& name) {
                    return normalised_header(name).text == wanted;
                });
            }
            if (!layout.has_header || found == layout.columns.end()) {
                return fail(ErrorKind::invalid, "the profile's column " + quoted(column.name) +
                                                    " for " + std::string(name(field)) +
                                                    " is not in the file's header");
            }
            index = static_cast<std::size_t>(found - layout.columns.begin());
        } else if (index >= layout.columns.size()) {
            return fail(ErrorKind::invalid, "the profile's column " + std::to_string(index) +
                                                " for " + std::string(name(field)) +
                                                " is not in the file, which has " +
                                                std::to_string(layout.columns.size()) + " columns");
        }
        for (auto& columns : layout.of_field) {
            std::erase(columns, index);
        }
        layout.at(field).push_back(index);
    }
    return {};
}

std::size_t skip_lines(std::string_view text, std::uint32_t lines) {
    const char line_end = text.find('\n') == std::string_view::npos ? '\r' : '\n';
    std::size_t at = 0;
    for (std::uint32_t i = 0; i < lines && at < text.size(); ++i) {
        const auto end = text.find(line_end, at);
        at = end == std::string_view::npos ? text.size() : end + 1;
    }
    return at;
}

}  // namespace

Result<LayoutFinding> find_layout(std::string_view text, const Mapping& mapping) {
    std::size_t begin = skip_lines(text, mapping.skip_lines);
    std::string delimiters = mapping.delimiter ? std::string(1, *mapping.delimiter) : ",;\t|";
    // Spreadsheets announce their delimiter in a first line of its own: `sep=;`.
    if (text.size() > begin + 5 && upper_ascii(text.substr(begin, 4)) == "SEP=" &&
        (text[begin + 5] == '\r' || text[begin + 5] == '\n')) {
        delimiters = mapping.delimiter ? delimiters : std::string(1, text[begin + 4]);
        begin += skip_lines(text.substr(begin), 1);
    }
    std::vector<Attempt> attempts;
    attempts.reserve(delimiters.size());
    for (const char delimiter : delimiters) {
        attempts.emplace_back(text, begin, delimiter, mapping).run();
    }
    auto best = std::ranges::max_element(attempts, {}, &Attempt::score);
    LayoutFinding finding = std::move(best->finding());
    for (const Attempt& other : attempts) {
        if (&other != &*best && other.score() >= 1000 && best->score() >= 1000 &&
            other.header_hits() == best->header_hits()) {
            const auto shown = [](char delimiter) {
                return delimiter == '\t' ? std::string("tab") : std::string(1, delimiter);
            };
            const char theirs = other.delimiter();
            finding.ambiguities.push_back(
                {.what = "delimiter",
                 .candidates = {shown(finding.layout.delimiter), shown(theirs)},
                 .chosen = shown(finding.layout.delimiter),
                 .evidence = "both give dates and amounts"});
        }
    }
    TRY(apply_columns(finding.layout, mapping));
    if (!mapping.columns.empty()) {
        finding.is_table = true;
        std::erase_if(finding.ambiguities,
                      [](const Ambiguity& ambiguity) { return ambiguity.what == "header"; });
    }
    if (mapping.currency.is_stated()) {
        finding.layout.currency = mapping.currency;
    }
    if (!mapping.account.empty()) {
        finding.layout.account = mapping.account;
    }
    return finding;
}

}  // namespace bascule::statement
