#include "household/statement/ofx_tags.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "household/statement/text.h"

namespace bascule::statement {

namespace {

using Names = std::unordered_map<std::string_view, Tag>;

constexpr std::pair<std::string_view, Tag> meaningful[] = {
    {"OFX", Tag::ofx},
    {"QFX", Tag::ofx},
    {"SONRS", Tag::sonrs},
    {"STATUS", Tag::status},
    {"FI", Tag::fi},
    {"STMTTRNRS", Tag::trnrs},
    {"CCSTMTTRNRS", Tag::trnrs},
    {"INVSTMTTRNRS", Tag::trnrs},
    {"LOANSTMTTRNRS", Tag::trnrs},
    {"STMTRS", Tag::stmtrs},
    {"CCSTMTRS", Tag::ccstmtrs},
    {"INVSTMTRS", Tag::invstmtrs},
    {"LOANSTMTRS", Tag::loanstmtrs},
    {"BANKACCTFROM", Tag::acctfrom},
    {"CCACCTFROM", Tag::acctfrom},
    {"INVACCTFROM", Tag::acctfrom},
    {"LOANACCTFROM", Tag::acctfrom},
    {"BANKTRANLIST", Tag::tranlist},
    {"BANKTRANLISTP", Tag::tranlist},
    {"INVTRANLIST", Tag::invtranlist},
    {"INVBANKTRAN", Tag::invbanktran},
    {"INVPOSLIST", Tag::invposlist},
    {"SECLIST", Tag::seclist},
    {"LOANTRANLIST", Tag::loantranlist},
    {"EMAILMSGSRSV1", Tag::emailmsgs},
    {"STMTTRN", Tag::stmttrn},
    {"STMTTRNP", Tag::stmttrnp},
    {"PAYEE", Tag::payee_aggregate},
    {"CURRENCY", Tag::currency_aggregate},
    {"LEDGERBAL", Tag::ledgerbal},
    {"AVAILBAL", Tag::availbal},
    {"CODE", Tag::code},
    {"SEVERITY", Tag::severity},
    {"MESSAGE", Tag::message},
    {"ORG", Tag::org},
    {"CURDEF", Tag::curdef},
    {"BANKID", Tag::bankid},
    {"BROKERID", Tag::brokerid},
    {"BRANCHID", Tag::branchid},
    {"ACCTID", Tag::acctid},
    {"LOANACCTID", Tag::acctid},
    {"ACCTTYPE", Tag::accttype},
    {"DTSTART", Tag::dtstart},
    {"DTEND", Tag::dtend},
    {"BALAMT", Tag::balamt},
    {"DTASOF", Tag::dtasof},
    {"TRNTYPE", Tag::trntype},
    {"DTPOSTED", Tag::dtposted},
    {"DTTRAN", Tag::dttran},
    {"DTAVAIL", Tag::dtavail},
    {"TRNAMT", Tag::trnamt},
    {"FITID", Tag::fitid},
    {"CHECKNUM", Tag::checknum},
    {"NAME", Tag::name},
    {"EXTDNAME", Tag::extdname},
    {"MEMO", Tag::memo},
    {"CURSYM", Tag::cursym},
};

/// Aggregates we pass through; an element that is not here or above and has no text may be an empty
/// leaf.
constexpr std::string_view aggregates[] = {
    "SIGNONMSGSRSV1",
    "BANKMSGSRSV1",
    "CREDITCARDMSGSRSV1",
    "INVSTMTMSGSRSV1",
    "SECLISTMSGSRSV1",
    "LOANMSGSRSV1",
    "SIGNUPMSGSRSV1",
    "PROFMSGSRSV1",
    "BILLPAYMSGSRSV1",
    "INTERXFERMSGSRSV1",
    "IMAGEMSGSRSV1",
    "TAX1099MSGSRSV1",
    "SECLISTTRNRS",
    "SECLISTRS",
    "BANKACCTTO",
    "CCACCTTO",
    "ORIGCURRENCY",
    "IMAGEDATA",
    "INVBAL",
    "INV401K",
    "INV401KBAL",
    "INVOOLIST",
    "BALLIST",
    "BAL",
    "INVBUY",
    "INVSELL",
    "INVTRAN",
    "INVPOS",
    "SECID",
    "SECINFO",
    "BUYSTOCK",
    "BUYMF",
    "BUYDEBT",
    "BUYOPT",
    "BUYOTHER",
    "SELLSTOCK",
    "SELLMF",
    "SELLDEBT",
    "SELLOPT",
    "SELLOTHER",
    "INCOME",
    "REINVEST",
    "TRANSFER",
    "RETOFCAP",
    "SPLIT",
    "MARGININTEREST",
    "INVEXPENSE",
    "JRNLFUND",
    "JRNLSEC",
    "CLOSUREOPT",
    "POSSTOCK",
    "POSMF",
    "POSDEBT",
    "POSOPT",
    "POSOTHER",
    "STOCKINFO",
    "MFINFO",
    "DEBTINFO",
    "OPTINFO",
    "OTHERINFO",
    "MAIL",
    "MAILTRNRS",
    "MAILRS",
    "MAILSYNCRS",
    "EMAILTRNRS",
    "EMAILRS",
    "LOANSTMTTRN",
    "BANKMAILTRNRS",
    "BANKMAILRS",
    "REWARDINFO",
    "MKTGINFO",
    "CLOSING",
    "BANKMSGSRSV2",
    "CREDITCARDMSGSRSV2",
    "STMTENDRS",
    "STMTENDTRNRS",
    "CCSTMTENDRS",
    "CCSTMTENDTRNRS",
    "ACCTINFOTRNRS",
    "ACCTINFORS",
    "ACCTINFO",
    "BANKACCTINFO",
    "CCACCTINFO",
    "INVACCTINFO",
};

constexpr std::string_view leaves[] = {
    "DTSERVER",       "LANGUAGE",  "FID",        "TRNUID",        "CLTCOOKIE",
    "DTACCTUP",       "DTPROFUP",  "SESSCOOKIE", "USERKEY",       "TSKEYEXPIRE",
    "ACCESSKEY",      "ACCTKEY",   "DTUSER",     "CORRECTFITID",  "CORRECTACTION",
    "SRVRTID",        "REFNUM",    "SIC",        "PAYEEID",       "ADDR1",
    "ADDR2",          "ADDR3",     "CITY",       "STATE",         "POSTALCODE",
    "COUNTRY",        "PHONE",     "CURRATE",    "INV401KSOURCE", "SUBACCTFUND",
    "MKTGINFO",       "IMAGETYPE", "IMAGEREF",   "IMAGEREFTYPE",  "INTRATE",
    "TRNLISTNOTUSED", "NAME2",     "MEMO2",      "BALTYPE",       "DESC",
    "VALUE",          "TAN",       "DTEXPIRE",
};

const Names& names() {
    static const Names all = [] {
        Names map;
        map.insert(std::begin(meaningful), std::end(meaningful));
        for (const std::string_view name : leaves) {
            map.emplace(name, Tag::leaf);
        }
        for (const std::string_view name : aggregates) {
            map.emplace(name, Tag::other);
        }
        return map;
    }();
    return all;
}

}  // namespace

Tag tag_of(std::string_view name) {
    constexpr std::size_t longest = 24;
    if (name.empty() || name.size() > longest) {
        return Tag::unknown;
    }
    std::array<char, longest> upper;
    std::ranges::transform(name, upper.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
    const auto found = names().find(std::string_view(upper.data(), name.size()));
    return found == names().end() ? Tag::unknown : found->second;
}

}  // namespace bascule::statement
