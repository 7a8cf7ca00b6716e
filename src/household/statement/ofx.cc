#include "household/statement/ofx.h"

#include <algorithm>
#include <set>
#include <vector>

#include "household/statement/ofx_statement.h"
#include "household/statement/ofx_tags.h"
#include "household/statement/ofx_tokens.h"
#include "household/statement/parse.h"
#include "household/statement/text.h"

namespace bascule::statement {

namespace {

struct BankAnswer {
    std::string code;
    std::string severity;
    std::string message;
    std::uint64_t line = 0;

    bool refuses() const {
        const std::string upper = upper_ascii(severity);
        const bool zero = code.find_first_not_of('0') == std::string::npos;
        return upper == "ERROR" || (upper.empty() && !zero);
    }
    std::string text() const { return code + (message.empty() ? "" : ": " + message); }
};

/// Walks over the elements with a stack of the aggregates that are open. A value is understood by
/// the aggregate it stands in.
class OfxReader {
  public:
    OfxReader(const DecodedText& decoded, const OfxHeader& header, Statement& out)
        : tokens_(decoded.text(), header.body),
          places_(decoded),
          is_xml_(header.format == Format::ofx2),
          out_(out),
          statements_(out) {}

    void run() {
        OfxToken token;
        while (!stopped_ && tokens_.next(token)) {
            handle(token);
        }
        if (!stopped_) {
            finish_open_elements();
        }
        statements_.finish();
        if (!any_statement_ && out_.errors.empty()) {
            out_.errors.push_back(
                {0, "no_statement", "the file is OFX, but holds no statement of an account"});
        }
    }

  private:
    struct Open {
        Tag tag;
        std::string_view name;
        std::size_t begin;
    };

    // ---- structure

    void handle(const OfxToken& token) {
        const Tag tag = tag_of(token.name);
        if (token.kind == OfxToken::Kind::close) {
            close(token, tag);
            return;
        }
        const bool has_value = token.verbatim || !trimmed(token.value).empty();
        if (has_value || token.kind == OfxToken::Kind::empty || is_leaf(tag) ||
            (tag == Tag::unknown && !opens_aggregate(token))) {
            last_leaf_ = token.name;
            if (has_value) {
                leaf(tag, token);
            }
            return;
        }
        open(token, tag);
    }

    /// An element we do not know and that has no text: an empty value, or an aggregate of some
    /// other bank. It is the latter if its end tag comes before that of the element around it.
    bool opens_aggregate(const OfxToken& token) {
        constexpr std::size_t look_ahead_bytes = 4096;
        const std::string_view rest = tokens_.text().substr(token.end, look_ahead_bytes);
        const auto own = rest.find("</" + std::string(token.name) + ">");
        const auto around = stack_.empty()
                                ? std::string_view::npos
                                : rest.find("</" + std::string(stack_.back().name) + ">");
        const bool immediately = own == 0;
        return !immediately && (is_xml_ || own != std::string_view::npos) &&
               (own < around || (is_xml_ && own == around));
    }

    void open(const OfxToken& token, Tag tag) {
        last_leaf_ = {};
        // Neither can stand inside itself: the former one was not closed.
        for (const Tag single : {Tag::stmttrn, Tag::stmttrnp, Tag::trnrs}) {
            if (tag == single && is_open(single)) {
                close_down_to(single, token.begin);
            }
        }
        if (stack_.size() >= element_depth_max) {
            statements_.report().error(line(token.begin), "too_deep",
                                       "elements are nested more than " +
                                           std::to_string(element_depth_max) + " deep at <" +
                                           std::string(cut(token.name, 40)) + ">");
            stopped_ = true;
            return;
        }
        const Tag parent = top();
        stack_.push_back({tag, token.name, token.begin});
        opened(tag, parent, token);
    }

    void close(const OfxToken& token, Tag tag) {
        if (token.name == last_leaf_) {
            last_leaf_ = {};
            return;
        }
        const auto match = std::ranges::find_if(
            stack_.rbegin(), stack_.rend(),
            [&](const Open& open) { return same_name(open.name, token.name); });
        if (match != stack_.rend()) {
            while (!same_name(stack_.back().name, token.name)) {
                warn_unclosed(stack_.back());
                pop(token.begin);
            }
            pop(token.end);
        } else if (is_aggregate(tag) && !stack_.empty() && is_answer(tag) &&
                   is_answer(stack_.back().tag)) {
            // A card's statement closed as if it were an account's.
            warn_once(token.begin, "mismatched_element",
                      "<" + std::string(stack_.back().name) + "> is closed by </" +
                          std::string(cut(token.name, 40)) + ">");
            pop(token.end);
        } else if (is_aggregate(tag)) {
            warn_once(token.begin, "mismatched_element",
                      "</" + std::string(cut(token.name, 40)) + "> closes nothing");
        }
        last_leaf_ = {};
        if (tag == Tag::ofx && stack_.empty()) {
            after_end(token.end);
        }
    }

    static bool is_answer(Tag tag) {
        return tag == Tag::stmtrs || tag == Tag::ccstmtrs || tag == Tag::invstmtrs ||
               tag == Tag::loanstmtrs || tag == Tag::trnrs || tag == Tag::tranlist ||
               tag == Tag::acctfrom;
    }

    static bool same_name(std::string_view left, std::string_view right) {
        return left == right ||
               (left.size() == right.size() && std::ranges::equal(left, right, [](char a, char b) {
                    return (a | 0x20) == (b | 0x20);
                }));
    }

    void pop(std::size_t end) {
        const Open open = stack_.back();
        stack_.pop_back();
        closed(open, end);
    }

    void close_down_to(Tag tag, std::size_t at) {
        bool done = false;
        while (!done && !stack_.empty()) {
            done = stack_.back().tag == tag;
            warn_unclosed(stack_.back());
            pop(at);
        }
    }

    bool is_open(Tag tag) const {
        return std::ranges::find(stack_, tag, &Open::tag) != stack_.end();
    }
    Tag top() const { return stack_.empty() ? Tag::unknown : stack_.back().tag; }
    Tag below_top() const {
        return stack_.size() < 2 ? Tag::unknown : stack_[stack_.size() - 2].tag;
    }

    /// The file ends inside elements. A transaction there may have lost its last digits, so it is
    /// not taken.
    void finish_open_elements() {
        const std::size_t end = tokens_.text().size();
        const bool inside = is_open(Tag::stmttrn) || is_open(Tag::stmttrnp);
        if (inside) {
            statements_.report().reject(transaction_.place, "record_truncated",
                                        "the file ends inside this transaction",
                                        raw_from(record_begin_, end));
        }
        if (!stack_.empty()) {
            warn_once(end, "unclosed_element",
                      "the file ends inside <" + std::string(cut(stack_.back().name, 40)) + ">");
        }
        while (!stack_.empty()) {
            const Open open = stack_.back();
            stack_.pop_back();
            if (open.tag != Tag::stmttrn && open.tag != Tag::stmttrnp) {
                closed(open, end);
            }
        }
    }

    void after_end(std::size_t at) {
        const std::string_view rest = tokens_.text().substr(at);
        const auto next = rest.find_first_not_of(" \t\r\n");
        if (next == std::string_view::npos || trailing_told_ ||
            rest.find("<OFX>") != std::string_view::npos) {
            return;  // nothing, or another file behind this one
        }
        trailing_told_ = true;
        statements_.report().warn(
            line(at + next), "trailing_data",
            "text after the end of the file's data: " + quoted(rest.substr(next, 100)));
    }

    // ---- what elements mean

    void opened(Tag tag, Tag parent, const OfxToken& token) {
        switch (tag) {
            case Tag::stmtrs:
                open_statement(AccountType::unknown);
                break;
            case Tag::ccstmtrs:
                open_statement(AccountType::credit_card);
                break;
            case Tag::invstmtrs:
                open_statement(AccountType::investment);
                break;
            case Tag::loanstmtrs:
                any_statement_ = true;
                break;
            case Tag::tranlist:
                period_from_ = period_to_ = {};
                if (!statements_.is_open()) {
                    open_statement(AccountType::unknown);  // a list without any wrapper
                }
                break;
            case Tag::stmttrn:
            case Tag::stmttrnp:
                any_statement_ = true;
                if (statements_.transaction_count() >= records_max) {
                    statements_.report().error(
                        line(token.begin), "too_large",
                        "the file has more than " + std::to_string(records_max) +
                            " transactions; split it into files of at most as many");
                    stopped_ = true;
                }
                transaction_ = {};
                transaction_.place = places_.at(token.begin);
                transaction_.status = tag == Tag::stmttrnp ? Status::pending : Status::booked;
                record_begin_ = token.begin;
                break;
            case Tag::ledgerbal:
            case Tag::availbal:
                balance_ = {.line = line(token.begin)};
                break;
            case Tag::status:
                answer_ = {.line = line(token.begin)};
                break;
            default:
                count_unsupported(tag, parent);
                break;
        }
    }

    void open_statement(AccountType type) {
        any_statement_ = true;
        statements_.open(type);
    }

    void count_unsupported(Tag tag, Tag parent) {
        if (tag == Tag::invbanktran) {
            return;
        }
        if (parent == Tag::invtranlist) {
            statements_.report().unsupported("investment");
        } else if (parent == Tag::seclist) {
            any_statement_ = true;
            statements_.report().unsupported("security");
        } else if (parent == Tag::invposlist) {
            statements_.report().unsupported("position");
        } else if (parent == Tag::loantranlist) {
            statements_.report().unsupported("loan");
        } else if (parent == Tag::emailmsgs) {
            any_statement_ = true;
            statements_.report().unsupported("message");
        }
    }

    void closed(const Open& open, std::size_t end) {
        switch (open.tag) {
            case Tag::stmtrs:
            case Tag::ccstmtrs:
            case Tag::invstmtrs:
                statements_.close();
                break;
            case Tag::tranlist:
            case Tag::invtranlist:
                statements_.set_period(period_from_, period_to_);
                break;
            case Tag::stmttrn:
            case Tag::stmttrnp:
                transaction_.raw = raw_from(record_begin_, end);
                statements_.add(transaction_);
                break;
            case Tag::ledgerbal:
                statements_.set_ledger_balance(balance_);
                break;
            case Tag::availbal:
                statements_.set_available_balance(balance_);
                break;
            case Tag::status:
                judge_answer();
                break;
            default:
                break;
        }
    }

    void judge_answer() {
        if (!answer_.refuses()) {
            return;
        }
        if (is_open(Tag::sonrs)) {
            statements_.report().error(answer_.line, "signon_failed",
                                       "the bank refused the sign-on, code " + answer_.text());
        } else if (is_open(Tag::trnrs)) {
            statements_.report().error(answer_.line, "bank_status",
                                       "the bank answered with an error, code " + answer_.text());
        }
    }

    void leaf(Tag tag, const OfxToken& token) {
        switch (top()) {
            case Tag::stmttrn:
            case Tag::stmttrnp:
                transaction_leaf(tag, token);
                break;
            case Tag::payee_aggregate:
                if (tag == Tag::name) {
                    transaction_.payee_name = text(token);
                }
                break;
            case Tag::currency_aggregate:
                if (tag == Tag::cursym &&
                    (below_top() == Tag::stmttrn || below_top() == Tag::stmttrnp)) {
                    transaction_.currency = text(token);
                }
                break;
            case Tag::acctfrom:
                account_leaf(tag, token);
                break;
            case Tag::stmtrs:
            case Tag::ccstmtrs:
            case Tag::invstmtrs:
                if (tag == Tag::curdef) {
                    statements_.set_currency(token.value);
                }
                break;
            case Tag::tranlist:
            case Tag::invtranlist:
                period_from_ = tag == Tag::dtstart ? token.value : period_from_;
                period_to_ = tag == Tag::dtend ? token.value : period_to_;
                break;
            case Tag::ledgerbal:
            case Tag::availbal:
                if (tag == Tag::balamt) {
                    balance_.amount = text(token);
                } else if (tag == Tag::dtasof) {
                    balance_.as_of = text(token);
                }
                break;
            case Tag::status:
                answer_leaf(tag, token);
                break;
            case Tag::fi:
                if (tag == Tag::org) {
                    statements_.set_organisation(text(token));
                }
                break;
            default:
                break;
        }
    }

    void transaction_leaf(Tag tag, const OfxToken& token) {
        switch (tag) {
            case Tag::dtposted:
            case Tag::dttran:
                transaction_.date = trimmed(token.value);
                break;
            case Tag::dtavail:
                transaction_.value_date = trimmed(token.value);
                break;
            case Tag::trnamt:
                transaction_.amount = trimmed(token.value);
                break;
            case Tag::trntype:
                transaction_.type = text(token);
                break;
            case Tag::fitid:
                transaction_.id = text(token);
                break;
            case Tag::checknum:
                transaction_.check_number = text(token);
                break;
            case Tag::name:
                transaction_.name = text(token);
                break;
            case Tag::extdname:
                transaction_.extended_name = text(token);
                break;
            case Tag::memo:
                transaction_.memo = text(token);
                break;
            case Tag::unknown:
                // Programs mark their own elements with a prefix, as in INTU.BID; the others are
                // misspelt or new.
                if (token.name.find('.') == std::string_view::npos) {
                    warn_once(token.begin, "unknown_tag",
                              "<" + std::string(cut(token.name, 40)) +
                                  "> is not an element of a transaction; left out");
                }
                break;
            default:
                break;
        }
    }

    void account_leaf(Tag tag, const OfxToken& token) {
        switch (tag) {
            case Tag::acctid:
                statements_.set_account_id(text(token));
                break;
            case Tag::accttype:
                statements_.set_account_type(token.value);
                break;
            case Tag::bankid:
            case Tag::brokerid:
                statements_.set_institution(text(token));
                break;
            case Tag::branchid:
                statements_.set_branch(text(token));
                break;
            default:
                break;
        }
    }

    void answer_leaf(Tag tag, const OfxToken& token) {
        switch (tag) {
            case Tag::code:
                answer_.code = text(token);
                break;
            case Tag::severity:
                answer_.severity = text(token);
                break;
            case Tag::message:
                answer_.message = text(token);
                break;
            default:
                break;
        }
    }

    // ---- helpers

    static std::string text(const OfxToken& token) { return ofx_text(token.value, token.verbatim); }

    std::uint64_t line(std::size_t position) { return places_.at(position).line; }

    std::string_view raw_from(std::size_t begin, std::size_t end) const {
        return tokens_.text().substr(begin, end - begin);
    }

    void warn_unclosed(const Open& open) {
        if (open.tag != Tag::unknown) {
            warn_once(open.begin, "unclosed_element",
                      "<" + std::string(cut(open.name, 40)) + "> is not closed");
        }
    }

    /// A file that leaves out an end tag does so a thousand times; one warning tells it.
    void warn_once(std::size_t position, const char* code, std::string message) {
        if (told_.size() < 200 && told_.insert(message).second) {
            statements_.report().warn(line(position), code, std::move(message));
        }
    }

    OfxTokens tokens_;
    Places places_;
    bool is_xml_;
    Statement& out_;
    OfxStatements statements_;
    std::vector<Open> stack_;
    std::string_view last_leaf_;
    OfxTransaction transaction_;
    std::size_t record_begin_ = 0;
    OfxBalance balance_;
    BankAnswer answer_;
    std::string_view period_from_;
    std::string_view period_to_;
    std::set<std::string> told_;
    bool any_statement_ = false;
    bool trailing_told_ = false;
    bool stopped_ = false;
};

}  // namespace

void parse_ofx(const DecodedText& decoded, const OfxHeader& header, Statement& out) {
    OfxReader(decoded, header, out).run();
}

}  // namespace bascule::statement
