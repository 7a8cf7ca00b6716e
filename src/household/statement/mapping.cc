#include "household/statement/mapping.h"

#include <algorithm>
#include <charconv>

#include "household/statement/encoding.h"
#include "household/statement/text.h"

namespace bascule::statement {

namespace {

std::unexpected<Error> refuse(const MappingEntry& entry, std::string_view allowed) {
    return fail(ErrorKind::invalid, "profile: " + entry.key + " is " + quoted(entry.value) + "; " +
                                        std::string(allowed));
}

Result<std::uint32_t> whole_number(const MappingEntry& entry, std::uint32_t most) {
    std::uint32_t value = 0;
    const char* end = entry.value.data() + entry.value.size();
    const auto [stop, error] = std::from_chars(entry.value.data(), end, value);
    if (error != std::errc() || stop != end || value > most) {
        return refuse(entry, "a whole number from 0 to " + std::to_string(most) + " is allowed");
    }
    return value;
}

/// `DMY`, or any pattern that names day, month and year once each: `dd.MM.yyyy`, `%d/%m/%y`,
/// `YYYY-MM-DD`.
Result<DateOrder> date_order(const MappingEntry& entry) {
    std::string order;
    for (const char c : upper_ascii(entry.value)) {
        if ((c == 'D' || c == 'M' || c == 'Y') && (order.empty() || order.back() != c)) {
            order += c;
        }
    }
    for (const DateOrder known : {DateOrder::dmy, DateOrder::mdy, DateOrder::ymd}) {
        if (order == name(known)) {
            return known;
        }
    }
    return refuse(entry, "DMY, MDY or YMD, or a pattern such as dd.MM.yyyy is allowed");
}

Result<SignConvention> sign_convention(const MappingEntry& entry) {
    for (const auto known : {SignConvention::as_stated, SignConvention::reversed,
                             SignConvention::debit_credit, SignConvention::indicator}) {
        if (entry.value == name(known)) {
            return known;
        }
    }
    return refuse(entry, "as_stated, reversed, debit_credit or indicator is allowed");
}

Result<char> delimiter(const MappingEntry& entry) {
    if (entry.value == "tab" || entry.value == "\\t") {
        return '\t';
    }
    const bool fits = entry.value.size() == 1 && entry.value[0] > 0 && !is_digit(entry.value[0]) &&
                      !is_letter(entry.value[0]) && entry.value != "\"" && entry.value != "\n" &&
                      entry.value != "\r";
    return fits ? Result<char>(entry.value[0])
                : refuse(entry, "one punctuation character or \"tab\" is allowed");
}

Result<bool> truth(const MappingEntry& entry) {
    if (entry.value == "true" || entry.value == "false") {
        return entry.value == "true";
    }
    return refuse(entry, "true or false is allowed");
}

Result<ColumnMapping> column(const MappingEntry& entry, std::string_view field) {
    auto which = parse_field(field);
    if (!which) {
        return std::unexpected(std::move(which).error().in("profile: " + entry.key));
    }
    ColumnMapping mapping{.field = *which};
    if (entry.is_number) {
        mapping.column.index = TRY(whole_number(entry, 4095));
    } else if (trimmed(entry.value).empty()) {
        return refuse(entry, "a header's name or a column's number from 0 is allowed");
    } else {
        mapping.column.name = entry.value;
    }
    return mapping;
}

Result<> set(Mapping& mapping, const MappingEntry& entry) {
    const std::string& key = entry.key;
    if (key.starts_with("columns.")) {
        mapping.columns.push_back(TRY(column(entry, std::string_view(key).substr(8))));
    } else if (key == "date_format") {
        mapping.date_order = TRY(date_order(entry));
    } else if (key == "decimal_mark") {
        if (entry.value != "." && entry.value != ",") {
            return refuse(entry, "\".\" or \",\" is allowed");
        }
        mapping.decimal_mark = entry.value[0];
    } else if (key == "sign") {
        mapping.sign = TRY(sign_convention(entry));
    } else if (key == "debit_marks") {
        mapping.debit_marks.push_back(entry.value);
    } else if (key == "credit_marks") {
        mapping.credit_marks.push_back(entry.value);
    } else if (key == "skip_lines") {
        mapping.skip_lines = TRY(whole_number(entry, 10000));
    } else if (key == "header") {
        mapping.header = TRY(truth(entry));
    } else if (key == "delimiter") {
        mapping.delimiter = TRY(delimiter(entry));
    } else if (key == "encoding") {
        if (!is_known_encoding(entry.value)) {
            return refuse(entry,
                          "utf-8, utf-16le, utf-16be, us-ascii, windows-125x, iso-8859-x or ibm8xx "
                          "is allowed");
        }
        mapping.encoding = entry.value;
    } else if (key == "currency") {
        auto currency = money::Currency::parse(entry.value);
        if (!currency) {
            return std::unexpected(std::move(currency).error().in("profile: currency"));
        }
        mapping.currency = *currency;
    } else if (key == "account") {
        mapping.account = entry.value;
    } else {
        return fail(ErrorKind::invalid,
                    "profile: unknown key " + quoted(key) +
                        "; columns, date_format, decimal_mark, sign, debit_marks, credit_marks, "
                        "skip_lines, "
                        "header, delimiter, encoding, currency and account are allowed");
    }
    return {};
}

}  // namespace

bool Mapping::has(Field field) const {
    return std::ranges::find(columns, field, &ColumnMapping::field) != columns.end();
}

Result<Mapping> Mapping::from_entries(std::span<const MappingEntry> entries) {
    Mapping mapping;
    for (const MappingEntry& entry : entries) {
        TRY(set(mapping, entry));
    }
    if (mapping.has(Field::amount) && (mapping.has(Field::debit) || mapping.has(Field::credit))) {
        return fail(ErrorKind::invalid,
                    "profile: columns.amount stands beside columns.debit or columns.credit; one "
                    "way to state "
                    "amounts is allowed");
    }
    return mapping;
}

std::vector<MappingEntry> Mapping::to_entries() const {
    std::vector<MappingEntry> entries;
    for (const auto& [field, column] : columns) {
        const bool by_index = column.name.empty();
        entries.push_back({"columns." + std::string(name(field)),
                           by_index ? std::to_string(column.index) : column.name, by_index});
    }
    const auto put = [&](std::string key, std::string value, bool is_number = false) {
        entries.push_back({std::move(key), std::move(value), is_number});
    };
    if (date_order) {
        put("date_format", std::string(name(*date_order)));
    }
    if (decimal_mark) {
        put("decimal_mark", std::string(1, *decimal_mark));
    }
    if (sign) {
        put("sign", std::string(name(*sign)));
    }
    for (const auto& mark : debit_marks) {
        put("debit_marks", mark);
    }
    for (const auto& mark : credit_marks) {
        put("credit_marks", mark);
    }
    if (skip_lines != 0) {
        put("skip_lines", std::to_string(skip_lines), true);
    }
    if (header) {
        put("header", *header ? "true" : "false");
    }
    if (delimiter) {
        put("delimiter", *delimiter == '\t' ? "tab" : std::string(1, *delimiter));
    }
    if (!encoding.empty()) {
        put("encoding", encoding);
    }
    if (currency.is_stated()) {
        put("currency", std::string(currency.code()));
    }
    if (!account.empty()) {
        put("account", account);
    }
    return entries;
}

}  // namespace bascule::statement
