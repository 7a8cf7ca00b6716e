#include "household/finance/analytics.h"

#include <map>
#include <tuple>

namespace bascule::finance {

namespace {

bool counts(const CellKey& key, const ReportOptions& options) {
    return (!options.first || *options.first <= key.month) &&
           (!options.last || key.month <= *options.last) &&
           (options.account_id.empty() || options.account_id == key.account_id) &&
           (!options.currency || *options.currency == key.currency);
}

void add_to(CashFlowLine& line, const Cell& cell, const Category* category) {
    if (category != nullptr && category->type == CategoryType::transfer) {
        line.transfer_count += cell.count();
        return;
    }
    line.money_in += cell.in;
    line.money_out -= cell.out;
    line.net += cell.net();
    line.count += cell.count();
    if (category == nullptr) {
        line.income += cell.in;
        line.expenses -= cell.out;
    } else if (category->type == CategoryType::income) {
        line.income += cell.net();
    } else {
        line.expenses -= cell.net();
    }
}

}  // namespace

std::vector<CashFlowLine> cash_flow(const Cells& cells, const CategoryTree& categories,
                                    const ReportOptions& options) {
    std::map<std::pair<std::string, money::Currency>, CashFlowLine> lines;
    for (const auto& [key, cell] : cells.map()) {
        if (!counts(key, options)) {
            continue;
        }
        const std::string period = period_label(options.kind, key.month);
        CashFlowLine& line = lines[{period, key.currency}];
        line.period = period;
        line.currency = key.currency;
        const Category* category = categories.find(key.category_id);
        add_to(line, cell, category);
        if (category == nullptr) {
            (key.category_id.empty() ? line.uncategorised_count : line.unknown_category_count) +=
                cell.count();
        }
    }
    std::vector<CashFlowLine> list;
    for (auto& [unused, line] : lines) {
        list.push_back(std::move(line));
    }
    return list;
}

std::vector<CategoryLine> category_trends(const Cells& cells, const CategoryTree& categories,
                                          const ReportOptions& options) {
    std::map<std::tuple<std::string, money::Currency, std::string>, CategoryLine> lines;
    const auto line_of = [&](const std::string& period, money::Currency currency,
                             const Category* category) -> CategoryLine& {
        const std::string id = category == nullptr ? "" : category->id;
        CategoryLine& line = lines[{period, currency, id}];
        line.period = period;
        line.currency = currency;
        line.category_id = id;
        line.type = category == nullptr ? std::nullopt : std::optional(category->type);
        return line;
    };
    for (const auto& [key, cell] : cells.map()) {
        const Category* category = categories.find(key.category_id);
        if (!counts(key, options) ||
            (category != nullptr && category->type == CategoryType::transfer)) {
            continue;
        }
        const std::string period = period_label(options.kind, key.month);
        CategoryLine& line = line_of(period, key.currency, category);
        line.total += cell.net();
        line.total_with_children += cell.net();
        line.count += cell.count();
        for (const Category* above : categories.ancestors(key.category_id)) {
            line_of(period, key.currency, above).total_with_children += cell.net();
        }
    }
    std::vector<CategoryLine> list;
    for (auto& [unused, line] : lines) {
        list.push_back(std::move(line));
    }
    return list;
}

}  // namespace bascule::finance
