#pragma once

#include <cstdint>
#include <string_view>

namespace bascule::statement {

/// The elements that matter to us. All others are `other` (an aggregate we pass through), `leaf` (a
/// value we do not need) or `unknown`.
enum class Tag : std::uint8_t {
    unknown,
    other,
    leaf,
    // aggregates
    ofx,
    sonrs,
    status,
    fi,
    trnrs,  ///< STMTTRNRS, CCSTMTTRNRS, INVSTMTTRNRS: one answer of the bank
    stmtrs,
    ccstmtrs,
    invstmtrs,
    loanstmtrs,
    acctfrom,  ///< BANKACCTFROM, CCACCTFROM, INVACCTFROM, LOANACCTFROM
    tranlist,  ///< BANKTRANLIST, BANKTRANLISTP
    invtranlist,
    invbanktran,
    invposlist,
    seclist,
    loantranlist,
    emailmsgs,
    stmttrn,
    stmttrnp,
    payee_aggregate,
    currency_aggregate,
    ledgerbal,
    availbal,
    // leaves
    code,
    severity,
    message,
    org,
    curdef,
    bankid,
    brokerid,
    branchid,
    acctid,
    accttype,
    dtstart,
    dtend,
    balamt,
    dtasof,
    trntype,
    dtposted,
    dttran,
    dtavail,
    trnamt,
    fitid,
    checknum,
    name,
    extdname,
    memo,
    cursym,
};

/// By name without case.
Tag tag_of(std::string_view name);

constexpr bool is_aggregate(Tag tag) {
    return tag == Tag::other || (tag >= Tag::ofx && tag < Tag::code);
}
constexpr bool is_leaf(Tag tag) { return tag == Tag::leaf || tag >= Tag::code; }

}  // namespace bascule::statement
