#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "household/statement/duplicate_ids.h"
#include "household/statement/numbers.h"
#include "household/statement/report.h"
#include "household/statement/statement.h"

namespace bascule::statement {

/// A transaction as its element states it; read only when the element is complete.
struct OfxTransaction {
    Place place;
    std::string_view raw;
    std::string_view date;
    std::string_view value_date;
    std::string_view amount;
    std::string type;
    std::string id;
    std::string name;
    std::string extended_name;
    std::string payee_name;
    std::string memo;
    std::string check_number;
    std::string currency;
    Status status = Status::booked;
};

struct OfxBalance {
    std::string amount;
    std::string as_of;
    std::uint64_t line = 0;
};

/// Builds the accounts from the statements of one file, in order: open a statement, describe it,
/// add transactions.
class OfxStatements {
  public:
    explicit OfxStatements(Statement& out) : out_(out), report_(out) {}

    void open(AccountType type);
    void close();
    bool is_open() const { return open_; }

    void set_account_id(std::string id) { draft_.id = std::move(id); }
    void set_account_type(std::string_view code);
    void set_currency(std::string_view code);
    void set_institution(std::string id) { draft_.institution.id = std::move(id); }
    void set_branch(std::string branch) { draft_.institution.branch = std::move(branch); }
    void set_organisation(std::string name) { organisation_ = std::move(name); }
    void set_period(std::string_view from, std::string_view to);
    void set_ledger_balance(const OfxBalance& balance) {
        set_balance(balance, "ledger", draft_.ledger_balance);
    }
    void set_available_balance(const OfxBalance& balance) {
        set_balance(balance, "available", draft_.available_balance);
    }

    void add(OfxTransaction& stated);
    std::size_t transaction_count() const { return count_; }
    Report& report() { return report_; }

    /// Settles what the whole file decides, once at its end.
    void finish();

  private:
    /// An amount with one mark and three digits behind it: a decimal mark, unless other numbers of
    /// the file group by it.
    struct Open {
        std::size_t account;
        std::size_t transaction;
        BareNumber number;
    };

    void set_balance(const OfxBalance& stated, std::string_view what, std::optional<Balance>& out);
    std::size_t find_account();
    void note_marks(const BareNumber& number);
    void settle_open_amounts();

    Statement& out_;
    Report report_;
    Account draft_;
    bool open_ = false;
    std::string organisation_;
    std::unordered_map<std::string, std::size_t> accounts_;
    DuplicateIds ids_;
    bool groups_[2] = {};    ///< a number of this file groups its digits by `.`, by `,`
    bool decimals_[2] = {};  ///< one has it as its decimal mark beyond doubt
    std::vector<Open> open_amounts_;
    std::vector<std::pair<std::size_t, BareNumber>> draft_open_;
    std::size_t count_ = 0;
};

/// The day a date of OFX names: its digits as written, `YYYYMMDD…`, whatever time and zone follow.
std::optional<money::Date> ofx_date(std::string_view text);

}  // namespace bascule::statement
