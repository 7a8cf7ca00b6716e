#include <gtest/gtest.h>

#include <string>

#include "household/statement/parse.h"
#include "household/statement/testing.h"

namespace bascule::statement {
namespace {

constexpr const char* header =
    "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:"
    "1252\nCOMPRESSION:NONE\nOLDFILEUID:NONE\n"
    "NEWFILEUID:NONE\n\n";

/// A bank statement with the given transactions, as a 1.x file of lines without end tags for
/// values.
std::string sgml(const std::string& transactions, const std::string& after_list = "") {
    return std::string(header) +
           "<OFX>\n<BANKMSGSRSV1>\n<STMTTRNRS>\n<TRNUID>1\n<STATUS>\n<CODE>0\n<SEVERITY>INFO\n</"
           "STATUS>\n<STMTRS>\n<CURDEF>EUR\n<BANKACCTFROM>\n"
           "<BANKID>100\n<ACCTID>42\n<ACCTTYPE>CHECKING\n</"
           "BANKACCTFROM>\n<BANKTRANLIST>\n<DTSTART>20240101\n<DTEND>20240131\n" +
           transactions + "</BANKTRANLIST>\n" + after_list +
           "</STMTRS>\n</STMTTRNRS>\n</BANKMSGSRSV1>\n</OFX>\n";
}

std::string transaction(const std::string& amount, const std::string& name,
                        const std::string& more = "", const std::string& date = "20240131") {
    return "<STMTTRN>\n<TRNTYPE>DEBIT\n<DTPOSTED>" + date + "\n<TRNAMT>" + amount + "\n" + more +
           "<NAME>" + name + "\n</STMTTRN>\n";
}

TEST(OfxTest, ReadsEveryFieldOfABankStatement) {
    const Statement statement = parse(
        "OFXHEADER:100\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n"
        "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</"
        "STATUS><DTSERVER>20240201<FI><ORG>Example Bank<FID>7</FI></SONRS>"
        "</"
        "SIGNONMSGSRSV1>\n<BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>123<"
        "BRANCHID>9<ACCTID>40010022<ACCTTYPE>SAVINGS"
        "</BANKACCTFROM><BANKTRANLIST><DTSTART>20240101<DTEND>20240131120000[-5:EST]\n"
        "<STMTTRN><TRNTYPE>CHECK<DTPOSTED>20240131235959.000[-8:PST]<DTAVAIL>20240202<TRNAMT>-1.37<"
        "FITID>F1<CHECKNUM>17<NAME>Baker &amp; Sons"
        "<MEMO>  bread  and   cake "
        "</STMTTRN></BANKTRANLIST><LEDGERBAL><BALAMT>812.40<DTASOF>20240131</LEDGERBAL>"
        "<AVAILBAL><BALAMT>800,00<DTASOF>00000000</AVAILBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></"
        "OFX>");
    EXPECT_EQ(report_of(statement), "");
    EXPECT_EQ(statement.format, Format::ofx1);
    EXPECT_EQ(statement.format_version, "102");
    EXPECT_EQ(statement.encoding, "windows-1252");
    EXPECT_EQ(statement.encoding_source, "declared");
    ASSERT_EQ(statement.accounts.size(), 1);
    const Account& account = statement.accounts[0];
    EXPECT_EQ(account.id, "40010022");
    EXPECT_EQ(account.type, AccountType::savings);
    EXPECT_EQ(account.currency.code(), "USD");
    EXPECT_EQ(account.institution.id, "123");
    EXPECT_EQ(account.institution.name, "Example Bank");
    EXPECT_EQ(account.institution.branch, "9");
    EXPECT_EQ(account.ledger_balance->amount.minor, 81240);
    EXPECT_EQ(account.ledger_balance->as_of->to_text(), "2024-01-31");
    EXPECT_EQ(account.available_balance->amount.exact.to_text(), "800.00");
    EXPECT_FALSE(account.available_balance->as_of);
    EXPECT_FALSE(account.opening_balance);
    EXPECT_EQ(account.period->from->to_text(), "2024-01-01");
    EXPECT_EQ(account.period->to->to_text(), "2024-01-31");
    ASSERT_EQ(account.transactions.size(), 1);
    const Transaction& read = account.transactions[0];
    EXPECT_EQ(read.date.to_text(), "2024-01-31");
    EXPECT_EQ(read.value_date->to_text(), "2024-02-02");
    EXPECT_EQ(read.amount.minor, -137);
    EXPECT_EQ(read.currency.code(), "USD");
    EXPECT_EQ(read.payee, "Baker & Sons");
    EXPECT_EQ(read.memo, "bread  and   cake");
    EXPECT_EQ(read.id, "F1");
    EXPECT_EQ(read.type, "CHECK");
    EXPECT_EQ(read.check_number, "17");
    EXPECT_EQ(read.place.line, 8);
}

TEST(OfxTest, ReadsAnXmlCardStatement) {
    const Statement statement = parse(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?OFX OFXHEADER=\"200\" VERSION=\"211\" "
        "SECURITY=\"NONE\"?>\n"
        "<OFX xmlns=\"http://ofx.net/types/2003/04\">\n<!-- a comment with <STMTTRN> in it "
        "-->\n<CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS>"
        "<CURDEF>EUR</CURDEF><CCACCTFROM><ACCTID>4111</ACCTID></CCACCTFROM><BANKTRANLIST>\n"
        "<STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20240131</DTPOSTED><TRNAMT>-12.50</"
        "TRNAMT><FITID/><NAME><![CDATA[Café <&> Co]]></NAME>"
        "<MEMO></MEMO></STMTTRN>\n"
        "<STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20240131</DTPOSTED><TRNAMT>5.00</"
        "TRNAMT><PAYEE><NAME>Shop</NAME><CITY>X</CITY></PAYEE>"
        "<CURRENCY><CURRATE>1.1</CURRATE><CURSYM>USD</CURSYM></CURRENCY><BANKACCTTO><ACCTID>9</"
        "ACCTID></BANKACCTTO></STMTTRN>\n"
        "</BANKTRANLIST></CCSTMTRS></CCSTMTTRNRS></CREDITCARDMSGSRSV1></OFX>\n");
    EXPECT_EQ(report_of(statement), "");
    EXPECT_EQ(statement.format, Format::ofx2);
    EXPECT_EQ(statement.format_version, "211");
    EXPECT_EQ(statement.encoding, "utf-8");
    EXPECT_EQ(rows_of(statement), "2024-01-31 -12.50 Café <&> Co | 2024-01-31 5.00 Shop");
    EXPECT_EQ(statement.accounts[0].type, AccountType::credit_card);
    EXPECT_EQ(statement.accounts[0].id, "4111");
    EXPECT_EQ(statement.accounts[0].transactions[0].id, "");
    EXPECT_EQ(statement.accounts[0].transactions[0].memo, "");
    EXPECT_EQ(statement.accounts[0].transactions[0].currency.code(), "EUR");
    EXPECT_EQ(statement.accounts[0].transactions[1].currency.code(), "USD");
}

struct OfxCase {
    const char* claim;
    std::string text;
    const char* rows;
    const char* report;
};

class OfxOdditiesTest : public testing::TestWithParam<OfxCase> {};

TEST_P(OfxOdditiesTest, AreReadAndReported) {
    const auto& [claim, text, rows, report] = GetParam();
    const Statement statement = parse(text);
    EXPECT_TRUE(statement.format == Format::ofx1 || statement.format == Format::ofx2);
    EXPECT_EQ(sniff(text), statement.format);
    EXPECT_EQ(rows_of(statement), rows);
    EXPECT_EQ(report_of(statement), report);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OfxOdditiesTest,
    testing::Values(
        OfxCase{"HeaderWithoutLineEnds",
                "OFXHEADER:100DATA:OFXSGMLVERSION:102SECURITY:NONEENCODING:USASCIICHARSET:"
                "1252COMPRESSION:NONEOLDFILEUID:NONENEWFILEUID:NONE"
                "<OFX><STMTTRNRS><STMTRS><BANKTRANLIST><STMTTRN><DTPOSTED>20240131<TRNAMT>-1.50<"
                "NAME>A</STMTTRN></BANKTRANLIST></STMTRS>"
                "</STMTTRNRS></OFX>",
                "2024-01-31 -1.50 A", ""},
        OfxCase{"NoHeader",
                "\n\n<OFX><STMTRS><BANKTRANLIST><STMTTRN><DTPOSTED>20240131<TRNAMT>1<NAME>A</"
                "STMTTRN></BANKTRANLIST></STMTRS></OFX>",
                "2024-01-31 1 A", ""},
        OfxCase{
            "NoWrapper",
            "<BANKTRANLIST><STMTTRN><DTPOSTED>20240131<TRNAMT>1<NAME>A</STMTTRN></BANKTRANLIST>",
            "2024-01-31 1 A", ""},
        OfxCase{"LowerCaseElements",
                "OFXHEADER:100\n<ofx><stmtrs><banktranlist><stmttrn><dtposted>20240131<trnamt>1<"
                "name>A</stmttrn></banktranlist></stmtrs></ofx>",
                "2024-01-31 1 A", ""},
        OfxCase{"EmptyValues",
                sgml(transaction("-1.50", "A", "<FITID>\n<MEMO>\n<CHECKNUM></CHECKNUM>\n")),
                "2024-01-31 -1.50 A", ""},
        OfxCase{
            "CommaAsDecimalMark",
            sgml(transaction("-1,50", "A") + transaction("+2.500", "B") + transaction(" 3", "C")),
            "2024-01-31 -1.50 A | 2024-01-31 2.500 B | 2024-01-31 3 C", ""},
        OfxCase{"OneMarkIsTheDecimalMark", sgml(transaction("-30.000", "A")),
                "2024-01-31 -30.000 A", ""},
        OfxCase{"BothMarks", sgml(transaction("-1,234.50", "A") + transaction("1,234", "B")),
                "2024-01-31 -1234.50 A | 2024-01-31 1234 B", ""},
        OfxCase{"ThirteenDecimals", sgml(transaction("1.2345678901234", "A")),
                "2024-01-31 1.2345678901234 A", "warning 29 amount_rounded"},
        OfxCase{"AmpersandAsItIs", sgml(transaction("1", "A & B &c; &#65;&lt;&amp;amp;")),
                "2024-01-31 1 A & B &c; A<&", ""},
        OfxCase{"LessThanInText", sgml(transaction("1", "1 < 2 <3 you")),
                "2024-01-31 1 1 < 2 <3 you", ""},
        OfxCase{"WrongEndTag",
                "<OFX><CCSTMTTRNRS><CCSTMTRS><BANKTRANLIST><STMTTRN><DTPOSTED>20240131<TRNAMT>1<"
                "NAME>A</STMTTRN></BANKTRANLIST></STMTRS>"
                "</CCSTMTTRNRS></OFX>",
                "2024-01-31 1 A", "warning 1 mismatched_element"},
        OfxCase{"TransactionNotClosed",
                "<OFX><STMTRS><BANKTRANLIST><STMTTRN><DTPOSTED>20240131<TRNAMT>1<NAME>A<STMTTRN><"
                "DTPOSTED>20240131<TRNAMT>2<NAME>B</BANKTRANLIST>"
                "</STMTRS></OFX>",
                "2024-01-31 1 A | 2024-01-31 2 B", "warning 1 unclosed_element"},
        OfxCase{"FileCutInsideATransaction",
                "<OFX>\n<STMTRS><BANKTRANLIST>\n<STMTTRN><DTPOSTED>20240131<TRNAMT>1<NAME>A</"
                "STMTTRN>\n<STMTTRN><DTPOSTED>20240131<TRNAMT>22",
                "2024-01-31 1 A", "rejected 4 record_truncated; warning 4 unclosed_element"},
        OfxCase{"UnreadableTransactions",
                sgml(transaction("$120", "A") + transaction("            .  ", "B") +
                     transaction("", "C") + transaction("1", "D", "", "") +
                     transaction("1", "E", "", "00000000") + transaction("1", "F", "", "20240230") +
                     transaction("7", "G")),
                "2024-01-31 7 G",
                "rejected 29 amount_unreadable; rejected 35 amount_unreadable; rejected 41 "
                "amount_missing; rejected 47 date_missing; "
                "rejected 53 date_unreadable; rejected 59 date_unreadable"},
        OfxCase{"SignComesFromTheAmount", sgml(transaction("5.00", "A", "<TRNTYPE>DEBIT\n")),
                "2024-01-31 5.00 A", ""},
        OfxCase{"OneIdTwice",
                sgml(transaction("1", "A", "<FITID>0\n") + transaction("2", "B", "<FITID>0\n") +
                     transaction("3", "C", "<FITID>0\n")),
                "2024-01-31 1 A | 2024-01-31 2 B | 2024-01-31 3 C", "warning 36 duplicate_id"},
        OfxCase{"ImpossibleValueDate", sgml(transaction("1", "A", "<DTAVAIL>20240230\n")),
                "2024-01-31 1 A", "warning 29 date_impossible"},
        OfxCase{"UnreadableBalance",
                sgml(transaction("1", "A"),
                     "<LEDGERBAL><BALAMT>R$ 5.326,43<DTASOF>20240131</LEDGERBAL>\n"),
                "2024-01-31 1 A", "warning 36 balance_unreadable"},
        OfxCase{
            "UnknownElements",
            sgml(transaction(
                "1", "A", "<INTU.BID>3\n<FOO>bar\n<FOO>bar\n<BAZ>\n<QUX><NAME>not this</QUX>\n")),
            "2024-01-31 1 A", "warning 34 unknown_tag"},
        OfxCase{"TextAfterTheEnd", sgml(transaction("1", "A")) + "\nbye\n", "2024-01-31 1 A",
                "warning 41 trailing_data"},
        OfxCase{"TwoFilesInOne", sgml(transaction("1", "A")) + sgml(transaction("2", "B")),
                "2024-01-31 1 A | 2024-01-31 2 B", ""},
        OfxCase{"EmptyList", sgml(""), "", ""},
        OfxCase{"SignOnRefused",
                "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>15500<SEVERITY>ERROR<MESSAGE>Signon "
                "invalid</STATUS></SONRS></SIGNONMSGSRSV1></OFX>",
                "", "error 1 signon_failed"},
        OfxCase{"BankAnswersAnError",
                "<OFX>\n<BANKMSGSRSV1><STMTTRNRS><TRNUID>1\n<STATUS><CODE>2003<SEVERITY>ERROR</"
                "STATUS></STMTTRNRS></BANKMSGSRSV1></OFX>",
                "", "error 3 bank_status"},
        OfxCase{"WarningIsNoError",
                "<OFX><STMTTRNRS><STATUS><CODE>1<SEVERITY>INFO</STATUS><STMTRS></STMTRS></"
                "STMTTRNRS></OFX>",
                "", ""},
        OfxCase{"NoStatement", std::string(header) + "<OFX></OFX>", "", "error 0 no_statement"},
        OfxCase{"HeaderAlone", header, "", "error 0 no_statement"}),
    [](const auto& info) { return info.param.claim; });

TEST(OfxTest, SeveralStatementsOfOneAccountAreOneAccount) {
    const auto statement_of = [](const char* account, const char* amount, const char* from,
                                 const char* to, const char* balance) {
        return std::string("<STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>") + account +
               "</BANKACCTFROM><BANKTRANLIST><DTSTART>" + from + "<DTEND>" + to +
               "<STMTTRN><DTPOSTED>20240131<TRNAMT>" + amount +
               "</STMTTRN></BANKTRANLIST><LEDGERBAL><BALAMT>" + balance +
               "</LEDGERBAL></STMTRS></STMTTRNRS>";
    };
    const Statement statement =
        parse("<OFX>" + statement_of("1", "1", "20240101", "20240131", "10") +
              statement_of("2", "2", "20240101", "20240131", "20") +
              statement_of("1", "3", "20240201", "20240229", "30") + "</OFX>");
    ASSERT_EQ(statement.accounts.size(), 2);
    EXPECT_EQ(statement.accounts[0].transactions.size(), 2);
    EXPECT_EQ(statement.accounts[0].ledger_balance->amount.minor, 3000);
    EXPECT_EQ(statement.accounts[0].period->from->to_text(), "2024-01-01");
    EXPECT_EQ(statement.accounts[0].period->to->to_text(), "2024-02-29");
    EXPECT_EQ(statement.accounts[1].id, "2");
}

TEST(OfxTest, CountsInvestmentsAndKeepsTheirCash) {
    const Statement statement = parse(
        "<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS><DTASOF>20240131<CURDEF>USD<INVACCTFROM><"
        "BROKERID>b.com<ACCTID>77</INVACCTFROM>"
        "<INVTRANLIST><DTSTART>20240101<DTEND>20240131"
        "<BUYSTOCK><INVBUY><INVTRAN><FITID>1<DTTRADE>20240105</INVTRAN><SECID><UNIQUEID>9</"
        "SECID><UNITS>1<TOTAL>-100</INVBUY><BUYTYPE>BUY</BUYSTOCK>"
        "<SELLSTOCK><INVSELL><TOTAL>50</INVSELL></SELLSTOCK>"
        "<INVBANKTRAN><STMTTRN><DTPOSTED>20240110<TRNAMT>25.00<NAME>Deposit</"
        "STMTTRN><SUBACCTFUND>CASH</INVBANKTRAN></INVTRANLIST>"
        "<INVPOSLIST><POSSTOCK><INVPOS><UNITS>1</INVPOS></POSSTOCK></INVPOSLIST></INVSTMTRS></"
        "INVSTMTTRNRS></INVSTMTMSGSRSV1>"
        "<SECLISTMSGSRSV1><SECLIST><STOCKINFO><SECINFO><SECNAME>X</SECINFO></STOCKINFO></SECLIST></"
        "SECLISTMSGSRSV1></OFX>");
    EXPECT_EQ(rows_of(statement), "2024-01-10 25.00 Deposit");
    EXPECT_EQ(report_of(statement), "");
    EXPECT_EQ(statement.accounts[0].type, AccountType::investment);
    EXPECT_EQ(statement.accounts[0].institution.id, "b.com");
    std::string unsupported;
    for (const auto& [kind, count] : statement.unsupported) {
        unsupported += kind + " " + std::to_string(count) + " ";
    }
    EXPECT_EQ(unsupported, "investment 2 position 1 security 1 ");
}

TEST(OfxTest, PendingTransactionsArePending) {
    const Statement statement = parse(
        "<OFX><STMTRS><BANKTRANLISTP><DTASOF>20240131<STMTTRNP><TRNTYPE>POS<DTTRAN>20240130<TRNAMT>"
        "-3<NAME>A</STMTTRNP></BANKTRANLISTP></STMTRS></OFX>");
    ASSERT_EQ(rows_of(statement), "2024-01-30 -3 A") << report_of(statement);
    EXPECT_EQ(statement.accounts[0].transactions[0].status, Status::pending);
}

struct CharsetCase {
    const char* claim;
    const char* encoding_lines;
    const char* payee;
    const char* read;
    const char* encoding;
    const char* source;
    const char* report;
};

class OfxCharsetTest : public testing::TestWithParam<CharsetCase> {};

TEST_P(OfxCharsetTest, IsDeclaredOrFound) {
    const auto& [claim, lines, payee, read, encoding, source, report] = GetParam();
    const Statement statement =
        parse(std::string("OFXHEADER:100\nVERSION:102\n") + lines +
              "\n<OFX><STMTRS><BANKTRANLIST><STMTTRN><DTPOSTED>20240131<TRNAMT>1<NAME>" + payee +
              "</STMTTRN></BANKTRANLIST></STMTRS></OFX>");
    EXPECT_EQ(rows_of(statement), std::string("2024-01-31 1 ") + read);
    EXPECT_EQ(statement.encoding, encoding);
    EXPECT_EQ(statement.encoding_source, source);
    EXPECT_EQ(report_of(statement), report);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OfxCharsetTest,
    testing::Values(
        CharsetCase{"Cp1252", "ENCODING:USASCII\nCHARSET:1252", "Caf\xE9 \x80", "Café €",
                    "windows-1252", "declared", ""},
        CharsetCase{"Utf8BytesDeclaredAsCp1252", "ENCODING:USASCII\nCHARSET:1252", "São", "São",
                    "utf-8", "utf-8-valid", "warning 0 encoding_mismatch"},
        CharsetCase{"Utf8BytesDeclaredAsAscii", "ENCODING:USASCII\nCHARSET:NONE", "São", "São",
                    "utf-8", "utf-8-valid", "warning 0 encoding_mismatch"},
        CharsetCase{"Cp1252BytesDeclaredAsUtf8", "ENCODING:UTF-8\nCHARSET:NONE", "S\xE3o", "São",
                    "windows-1252", "fallback", "warning 0 encoding_mismatch"},
        CharsetCase{"Utf8", "ENCODING:UTF-8\nCHARSET:NONE", "São", "São", "utf-8", "declared", ""},
        CharsetCase{"Latin1", "ENCODING:USASCII\nCHARSET:8859-1", "S\xE3o", "São", "iso-8859-1",
                    "declared", ""},
        CharsetCase{"Nothing", "", "S\xE3o", "São", "windows-1252", "fallback", ""}),
    [](const auto& info) { return info.param.claim; });

TEST(OfxTest, RefusesEndlessNesting) {
    std::string text = "<?xml version=\"1.0\"?><?OFX OFXHEADER=\"200\" VERSION=\"211\"?><OFX>";
    for (int i = 0; i < 100000; ++i) {
        text += "<OFX>";
    }
    EXPECT_EQ(report_of(parse(text)), "error 1 too_deep");
}

}  // namespace
}  // namespace bascule::statement
