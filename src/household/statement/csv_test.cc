#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "household/statement/csv_headers.h"
#include "household/statement/parse.h"
#include "household/statement/testing.h"

namespace bascule::statement {
namespace {

/// A file and its rows as `date amount payee`, joined by ` | `.
struct CsvCase {
    const char* claim;
    std::string text;
    const char* rows;
};

class CsvTest : public testing::TestWithParam<CsvCase> {};

TEST_P(CsvTest, ReadsRows) {
    const auto& [claim, text, rows] = GetParam();
    const Statement statement = parse(text);
    EXPECT_EQ(statement.format, Format::csv);
    EXPECT_EQ(rows_of(statement), rows) << report_of(statement);
    EXPECT_TRUE(statement.errors.empty()) << report_of(statement);
    EXPECT_TRUE(statement.rejected.empty()) << report_of(statement);
    EXPECT_TRUE(statement.ambiguities.empty()) << report_of(statement);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CsvTest,
    testing::Values(
        CsvCase{"Plain", "Date,Description,Amount\n2024-01-31,Baker,-2.50\n2024-02-01,Wage,1000\n",
                "2024-01-31 -2.50 Baker | 2024-02-01 1000 Wage"},
        CsvCase{"NoLineEndAtTheEnd", "Date,Description,Amount\r\n2024-01-31,Baker,-2.50",
                "2024-01-31 -2.50 Baker"},
        CsvCase{"OldMacLineEnds",
                "Date,Description,Amount\r2024-01-31,Baker,-2.50\r2024-02-01,Wage,7.00\r",
                "2024-01-31 -2.50 Baker | 2024-02-01 7.00 Wage"},
        CsvCase{"BlankLines", "\n\nDate,Description,Amount\n\n2024-01-31,Baker,-2.50\n\n\n",
                "2024-01-31 -2.50 Baker"},
        CsvCase{"ByteOrderMark",
                "\xEF\xBB\xBF"
                "Date,Description,Amount\n2024-01-31,Bäcker,-2.50\n",
                "2024-01-31 -2.50 Bäcker"},
        CsvCase{"GermanSemicolons",
                "Buchungstag;Valuta;Auftraggeber/Empfänger;Verwendungszweck;Betrag;Währung\n"
                "31.01.2024;01.02.2024;Bäckerei;Brot;-1.234,50;EUR\n02.02.2024;02.02.2024;Firma;"
                "Lohn;2.000,00;EUR\n",
                "2024-01-31 -1234.50 Bäckerei | 2024-02-02 2000.00 Firma"},
        CsvCase{"GermanWithoutUmlauts",
                "Buchungstag;Empfaenger;Verwendungszweck;Betrag;Waehrung\n"
                "31.01.2024;Baeckerei;Brot;-1.234,50;EUR\n",
                "2024-01-31 -1234.50 Baeckerei"},
        CsvCase{"Tabs", "Datum\tName\tBedrag\n31-01-2024\tBakker\t-2,50\n",
                "2024-01-31 -2.50 Bakker"},
        CsvCase{"Pipes", "date|payee|amount\n2024-01-31|Baker|-2.50\n", "2024-01-31 -2.50 Baker"},
        CsvCase{"SeparatorLine", "sep=;\nDate;Payee;Amount\n2024-01-31;Baker;-2,50\n",
                "2024-01-31 -2.50 Baker"},
        CsvCase{"QuotesAndLineEndsInside",
                "Date,Description,Amount\n2024-01-31,\"Baker, the \"\"good\"\" one\nNew "
                "Street\",-2.50\n2024-02-01,Wage,7.00\n",
                "2024-01-31 -2.50 Baker, the \"good\" one\nNew Street | 2024-02-01 7.00 Wage"},
        CsvCase{"StrayQuoteIsText",
                "Date;Description;Amount\n2024-01-31;TV 42\" flat;-2,50\n2024-02-01;Wage;7,00\n",
                "2024-01-31 -2.50 TV 42\" flat | 2024-02-01 7.00 Wage"},
        CsvCase{"QuoteNeverClosedKeepsItsLine",
                "Date;Description;Amount\n2024-01-31;\"Baker;-2,50\n2024-02-01;Wage;7,00\n",
                "2024-01-31 -2.50 \"Baker | 2024-02-01 7.00 Wage"},
        CsvCase{"QuoteClosedRowsLaterKeepsItsLine",
                "Date;Description;Amount\n2024-01-31;\"Baker;-2,50\n2024-02-01;Wage;7,00\n2024-02-"
                "02;\"Rent\";-9,00\n",
                "2024-01-31 -2.50 \"Baker | 2024-02-01 7.00 Wage | 2024-02-02 -9.00 Rent"},
        CsvCase{"LastCellOfSeveralLines",
                "Date;Amount;Note;Payee\n2024-01-31;-2,50;\"one\ntwo;three\";A\n2024-02-01;7,00;"
                "\"x\ny\";B\n",
                "2024-01-31 -2.50 A | 2024-02-01 7.00 B"},
        CsvCase{"BlanksAroundQuotes",
                "Date, Description, Amount\n\"2024-01-31\", \"Baker\", \"-2.50\"\n",
                "2024-01-31 -2.50 Baker"},
        CsvCase{"SpreadsheetText",
                "Date,Description,Amount\n=\"2024-01-31\",=\"0012\",=\"-2.50\"\n",
                "2024-01-31 -2.50 0012"},
        CsvCase{"PreambleAndFooter",
                "Konto:;DE02120300000000202051;\nZeitraum:;01.01.2024 - 31.01.2024;\n\n"
                "Datum;Empfänger;Betrag "
                "(EUR)\n30.01.2024;Bäcker;-2,50\n31.01.2024;Lohn;100,00\nSumme;;97,50\n",
                "2024-01-30 -2.50 Bäcker | 2024-01-31 100.00 Lohn"},
        CsvCase{
            "HeaderInTheMiddleIsSkipped",
            "Date,Payee,Amount\n2024-01-31,Baker,-2.50\nDate,Payee,Amount\n2024-02-01,Wage,7.00\n",
            "2024-01-31 -2.50 Baker | 2024-02-01 7.00 Wage"},
        CsvCase{"NoHeader", "2024-01-31,Baker,-2.50\n2024-02-13,Wage,1000.00\n",
                "2024-01-31 -2.50 Baker | 2024-02-13 1000.00 Wage"},
        CsvCase{"NoHeaderWithRunningBalance",
                "2024-01-01;Baker;-2,50;97,50\n2024-01-02;Rent;-50,00;47,50\n2024-01-03;Wage;100,"
                "00;147,50\n2024-01-04;Bus;-3,00;144,50\n",
                "2024-01-01 -2.50 Baker | 2024-01-02 -50.00 Rent | 2024-01-03 100.00 Wage | "
                "2024-01-04 -3.00 Bus"},
        CsvCase{"UnknownHeaderWords", "päivä;saaja;määrä\n31.01.2024;Leipuri;-2,50\n",
                "2024-01-31 -2.50 Leipuri"},
        CsvCase{"DebitAndCreditColumns",
                "Date,Details,Debit,Credit,Balance\n2024-01-13,Baker,2.50,,97.50\n2024-01-14,Wage,,"
                "100.00,197.50\n",
                "2024-01-13 -2.50 Baker | 2024-01-14 100.00 Wage"},
        CsvCase{"NegativeDebits",
                "Datum;Text;Soll;Haben\n13.01.2024;Bäcker;-2,50;\n14.01.2024;Lohn;;100,00\n",
                "2024-01-13 -2.50 Bäcker | 2024-01-14 100.00 Lohn"},
        CsvCase{"ZeroInTheOtherColumn",
                "Date,Payee,Paid out,Paid "
                "in\n2024-01-13,Baker,2.50,0.00\n2024-01-14,Wage,0.00,100.00\n",
                "2024-01-13 -2.50 Baker | 2024-01-14 100.00 Wage"},
        CsvCase{"IndicatorColumn",
                "Datum;Naam / Omschrijving;Af Bij;Bedrag "
                "(EUR)\n20240131;Bakker;Af;2,50\n20240201;Loon;Bij;100,00\n",
                "2024-01-31 -2.50 Bakker | 2024-02-01 100.00 Loon"},
        CsvCase{
            "SollHabenLetters",
            "Datum;Name;Betrag;Soll/Haben\n31.01.2024;Bäcker;2,50;S\n31.01.2024;Lohn;100,00;H\n",
            "2024-01-31 -2.50 Bäcker | 2024-01-31 100.00 Lohn"},
        CsvCase{"LettersInTheCell",
                "Date,Payee,Amount\n2024-01-31,Baker,2.50 DR\n2024-02-01,Wage,100.00 CR\n",
                "2024-01-31 -2.50 Baker | 2024-02-01 100.00 Wage"},
        CsvCase{"OnlyCreditsAreMarked",
                "Date,Payee,Amount\n2024-01-31,Baker,2.50\n2024-02-01,Refund,1.00 CR\n",
                "2024-01-31 -2.50 Baker | 2024-02-01 1.00 Refund"},
        CsvCase{
            "TypeNameIsNoSign",
            "Date,Payee,Amount,Type\n2024-01-31,Baker,-2.50,CREDIT\n2024-02-01,Wage,7.00,DEBIT\n",
            "2024-01-31 -2.50 Baker | 2024-02-01 7.00 Wage"},
        CsvCase{"ParenthesesAndSigns",
                "Date,Payee,Amount\n2024-01-31,A,(2.50)\n2024-01-31,B,3.50-\n2024-01-31,C,+4."
                "50\n2024-01-31,D,−5.50\n2024-01-31,E,$-6.50\n"
                "2024-01-31,F,-$7.50\n2024-01-31,G,($8.50)\n",
                "2024-01-31 -2.50 A | 2024-01-31 -3.50 B | 2024-01-31 4.50 C | 2024-01-31 -5.50 D "
                "| 2024-01-31 -6.50 E | "
                "2024-01-31 -7.50 F | 2024-01-31 -8.50 G"},
        CsvCase{"CurrencyAround",
                "Datum;Name;Betrag\n31.01.2024;A;€ 2,50\n31.01.2024;B;-3,50 EUR\n31.01.2024;C;R$ "
                "5.326,43\n",
                "2024-01-31 2.50 A | 2024-01-31 -3.50 B | 2024-01-31 5326.43 C"},
        CsvCase{"BlankAndApostropheGroups",
                "Date;Payee;Amount\n2024-01-31;A;1 234,50\n2024-01-31;B;1\xC2\xA0"
                "234 567,50\n2024-01-31;C;-1\xE2\x80\xAF"
                "234,50\n",
                "2024-01-31 1234.50 A | 2024-01-31 1234567.50 B | 2024-01-31 -1234.50 C"},
        CsvCase{"SwissNumbers", "Datum;Text;Betrag\n31.01.2024;A;1'234.50\n31.01.2024;B;-10.00\n",
                "2024-01-31 1234.50 A | 2024-01-31 -10.00 B"},
        CsvCase{"ColumnDecidesDecimalMark",
                "Date;Payee;Amount\n2024-01-31;A;1.000\n2024-01-31;B;2,50\n",
                "2024-01-31 1000 A | 2024-01-31 2.50 B"},
        CsvCase{"ThreeDecimalsStay", "Date,Payee,Amount\n2024-01-31,A,1.000\n2024-01-31,B,-2.5\n",
                "2024-01-31 1.000 A | 2024-01-31 -2.5 B"},
        CsvCase{"TrailingCellsMayBeMissing",
                "Date,Payee,Amount,Note\n2024-01-31,A,1.00,hi\n2024-01-31,B,2.00\n",
                "2024-01-31 1.00 A | 2024-01-31 2.00 B"},
        CsvCase{"TrailingDelimiters",
                "Date;Payee;Amount\n2024-01-31;A;1,50;\n2024-01-31;B;2,50;;;\n",
                "2024-01-31 1.50 A | 2024-01-31 2.50 B"},
        CsvCase{"DelimiterInText", "Date;Payee;Amount\n2024-01-31;A;B;C;1,50\n2024-01-31;D;2,50\n",
                "2024-01-31 1.50 A;B;C | 2024-01-31 2.50 D"},
        CsvCase{"UsDates", "Date,Payee,Amount\n01/02/2024,A,1.00\n01/31/2024,B,2.00\n",
                "2024-01-02 1.00 A | 2024-01-31 2.00 B"},
        CsvCase{"BritishDates", "Date,Payee,Amount\n01/02/2024,A,1.00\n31/01/2024,B,2.00\n",
                "2024-02-01 1.00 A | 2024-01-31 2.00 B"},
        CsvCase{"TwoDigitYears", "Datum;Name;Betrag\n31.01.24;A;1,00\n01.02.99;B;2,00\n",
                "2024-01-31 1.00 A | 1999-02-01 2.00 B"},
        CsvCase{"ShortParts", "Date,Payee,Amount\n1/2/2024,A,1.00\n1/31/2024,B,2.00\n",
                "2024-01-02 1.00 A | 2024-01-31 2.00 B"},
        CsvCase{
            "TimeOfDayIsDropped",
            "Date,Payee,Amount\n2024-01-31 "
            "23:59:59,A,1.00\n2024-01-31T23:59:59.000Z,B,2.00\n2024-01-31T23:00:00-08:00,C,3.00\n",
            "2024-01-31 1.00 A | 2024-01-31 2.00 B | 2024-01-31 3.00 C"},
        CsvCase{"MonthNames",
                "Date,Payee,Amount\n31-Jan-2024,A,1.00\n\"Feb 1, 2024\",B,2.00\n3 Mai "
                "2024,C,3.00\n5. März 2024,D,4.00\n12 déc. 2024,E,5.00\n",
                "2024-01-31 1.00 A | 2024-02-01 2.00 B | 2024-05-03 3.00 C | 2024-03-05 4.00 D | "
                "2024-12-12 5.00 E"},
        CsvCase{"DotsAreNeverMonthFirst", "Datum;Name;Betrag\n01.02.2024;A;1,50\n",
                "2024-02-01 1.50 A"},
        CsvCase{"SameDayUnderBothOrdersIsNotAmbiguous",
                "Date,Payee,Amount\n01/01/2024,A,1.50\n02/02/2024,B,2.50\n",
                "2024-01-01 1.50 A | 2024-02-02 2.50 B"},
        CsvCase{"ValueDatesDecideForAll",
                "Date,Value Date,Payee,Amount\n01/02/2024,13/02/2024,A,1.50\n",
                "2024-02-01 1.50 A"},
        CsvCase{"CardFile",
                "Transaction Date,Post "
                "Date,Description,Category,Type,Amount,Memo\n01/30/2024,01/31/"
                "2024,BAKER,Food,Sale,-2.50,\n",
                "2024-01-31 -2.50 BAKER"},
        CsvCase{"ForeignAmountIsNotTheAmount",
                "Booking Date,Partner Name,Amount (EUR),Original Amount,Original "
                "Currency\n2024-01-31,Baker,-2.50,-3.00,USD\n",
                "2024-01-31 -2.50 Baker"},
        CsvCase{
            "French",
            "Date;Libellé;Débit;Crédit\n31/01/2024;Boulanger;2,50;\n31/01/2024;Salaire;;100,00\n",
            "2024-01-31 -2.50 Boulanger | 2024-01-31 100.00 Salaire"},
        CsvCase{"Spanish", "Fecha;Concepto;Importe;Saldo\n31/01/2024;Panadero;-2,50;97,50\n",
                "2024-01-31 -2.50 Panadero"},
        CsvCase{"Italian", "Data;Descrizione;Importo\n31/01/2024;Fornaio;-2,50\n",
                "2024-01-31 -2.50 Fornaio"}),
    [](const auto& info) { return info.param.claim; });

Statement of(std::string_view text, std::vector<MappingEntry> profile = {}) {
    const auto mapping = Mapping::from_entries(profile);
    EXPECT_TRUE(mapping) << (mapping ? "" : mapping.error().message());
    return parse(text, *mapping);
}

TEST(CsvDetailsTest, FillsEveryFieldFromItsColumn) {
    const Statement statement =
        of("Account,Transaction ID,Booking Date,Value "
           "Date,Payee,Description,Memo,Amount,Currency,Type,Category,Check Number,Status\n"
           "DE1,T-1,2024-01-31,2024-02-01,Baker,Bread,thanks,-2.505,KWD,POS,Food,17,Pending\n"
           "DE2,T-2,2024-01-31,,,Wage,,100,JPY,,,,Booked\n");
    ASSERT_EQ(statement.accounts.size(), 2) << report_of(statement);
    const Account& first = statement.accounts[0];
    EXPECT_EQ(first.id, "DE1");
    EXPECT_EQ(first.currency.code(), "KWD");
    const Transaction& baker = first.transactions.at(0);
    EXPECT_EQ(baker.id, "T-1");
    EXPECT_EQ(baker.value_date->to_text(), "2024-02-01");
    EXPECT_EQ(baker.payee, "Baker");
    EXPECT_EQ(baker.memo, "Bread thanks");
    EXPECT_EQ(baker.amount.minor, -2505);
    EXPECT_EQ(baker.type, "POS");
    EXPECT_EQ(baker.category, "Food");
    EXPECT_EQ(baker.check_number, "17");
    EXPECT_EQ(baker.status, Status::pending);
    EXPECT_EQ(baker.place.line, 2);
    EXPECT_EQ(baker.place.offset, 120);
    const Transaction& wage = statement.accounts[1].transactions.at(0);
    EXPECT_EQ(wage.payee, "Wage");
    EXPECT_EQ(wage.amount.minor, 100);
    EXPECT_FALSE(wage.value_date);
    EXPECT_EQ(wage.status, Status::booked);
}

TEST(CsvDetailsTest, TakesAccountAndCurrencyFromThePreamble) {
    const Statement statement =
        of("Konto:;DE02120300000000202051\nWährung:;CHF\n\nDatum;Text;Betrag\n31.01.2024;Bäcker;-2."
           "50\n");
    ASSERT_EQ(statement.accounts.size(), 1) << report_of(statement);
    EXPECT_EQ(statement.accounts[0].id, "DE02120300000000202051");
    EXPECT_EQ(statement.accounts[0].currency.code(), "CHF");
    EXPECT_EQ(statement.accounts[0].transactions[0].place.line, 5);
}

TEST(CsvDetailsTest, SaysWhenDigitsWereRounded) {
    const Statement statement =
        of("Date,Payee,Amount,Currency\n2024-01-31,A,1.005,EUR\n2024-01-31,B,-30.000,EUR\n2024-01-"
           "31,C,0.5,EUR\n");
    EXPECT_EQ(rows_of(statement), "2024-01-31 1.005 A | 2024-01-31 -30.000 B | 2024-01-31 0.5 C");
    EXPECT_EQ(statement.accounts[0].transactions[0].amount.minor, 100);
    EXPECT_EQ(statement.accounts[0].transactions[1].amount.minor, -3000);
    EXPECT_EQ(report_of(statement), "warning 2 amount_rounded");
}

TEST(CsvDetailsTest, ListsFootersAsLeftOut) {
    const Statement statement = of("Date,Payee,Amount\n2024-01-31,A,1.50\nTotal,,1.50\n");
    EXPECT_EQ(report_of(statement), "warning 3 trailing_data");
}

struct ReportCase {
    const char* claim;
    std::string text;
    const char* rows;
    const char* report;
};

class CsvReportTest : public testing::TestWithParam<ReportCase> {};

TEST_P(CsvReportTest, SaysWhatItDidNotTakeAndWhere) {
    const auto& [claim, text, rows, report] = GetParam();
    const Statement statement = parse(text);
    EXPECT_EQ(rows_of(statement), rows);
    EXPECT_EQ(report_of(statement), report);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CsvReportTest,
    testing::Values(
        ReportCase{"AmbiguousDates", "Date,Payee,Amount\n01/02/2024,A,1.50\n03/04/2024,B,2.50\n",
                   "2024-02-01 1.50 A | 2024-04-03 2.50 B", "ambiguous date_order DMY/MDY -> DMY"},
        ReportCase{"AmbiguousDatesInDollars", "Date,Payee,Amount (USD)\n01/02/2024,A,1.50\n",
                   "2024-01-02 1.50 A", "ambiguous date_order DMY/MDY -> MDY"},
        ReportCase{"AmbiguousDecimalMark",
                   "Date;Payee;Amount\n2024-01-31;A;1.000\n2024-01-31;B;-2.500\n",
                   "2024-01-31 1000 A | 2024-01-31 -2500 B", "ambiguous decimal_mark ./, -> ,"},
        ReportCase{"ContradictingDates",
                   "Date,Payee,Amount\n13/01/2024,A,1.50\n01/02/2024,B,2.50\n01/14/2024,C,3.50\n",
                   "", "error 4 contradicting_dates"},
        ReportCase{"ContradictingAmounts",
                   "Date;Payee;Amount\n2024-01-31;A;1,50\n2024-01-31;B;2.50\n", "",
                   "error 3 malformed"},
        ReportCase{"UnreadableRows",
                   "Date,Payee,Amount\n2024-01-31,A,1.50\nsoon,B,2.50\n,C,3.50\n2024-01-31,D,"
                   "\n2024-01-31,E,n/a\n2024-02-30,F,4.50\n"
                   "2024-01-31,G,5.50\n",
                   "2024-01-31 1.50 A | 2024-01-31 5.50 G",
                   "rejected 3 date_unreadable; rejected 4 date_missing; rejected 5 "
                   "amount_missing; rejected 6 amount_unreadable; "
                   "rejected 7 date_unreadable"},
        ReportCase{"QuoteNeverClosed",
                   "Date,Payee,Amount\n2024-01-31,A,1.50\n2024-01-31,\"B,2.50\n"
                   "2024-01-31,C,3.50\n",
                   "2024-01-31 1.50 A | 2024-01-31 2.50 \"B | 2024-01-31 3.50 C",
                   "warning 3 unclosed_element"},
        ReportCase{"QuoteClosedRowsLater",
                   "Date;Payee;Amount\n2024-01-31;\"A;1,50\n2024-01-31;B;2,50\n"
                   "2024-01-31;\"C\";3,50\n",
                   "2024-01-31 1.50 \"A | 2024-01-31 2.50 B | 2024-01-31 3.50 C",
                   "warning 2 unclosed_element"},
        ReportCase{"FileEndsInsideAQuote",
                   "Date,Amount,Payee\n2024-01-31,1.50,A\n2024-01-31,2.50,\"B", "2024-01-31 1.50 A",
                   "rejected 3 record_truncated"},
        ReportCase{"BothSidesFilled",
                   "Date,Payee,Debit,Credit\n2024-01-31,A,1.50,2.50\n2024-01-31,B,1.50,\n",
                   "2024-01-31 -1.50 B", "rejected 2 amount_unreadable"},
        ReportCase{"CommaAmountWithoutQuotes",
                   "Date,Payee,Amount\n2024-01-31,A,1,50\n2024-01-31,B,2.50\n", "2024-01-31 2.50 B",
                   "rejected 2 amount_unreadable"},
        ReportCase{"TwoAmountColumns", "Date,Payee,Amount,Amount\n2024-01-31,A,1.50,2.50\n",
                   "2024-01-31 1.50 A", "ambiguous header Amount/Amount -> Amount"},
        ReportCase{"CardWithoutMinus",
                   "Date,Card Member,Description,Amount\n2024-01-31,Jo,A,1.50\n",
                   "2024-01-31 1.50 A", "ambiguous sign as_stated/reversed -> as_stated"},
        ReportCase{"NoAmountColumn", "Date,Payee\n2024-01-31,A\n2024-01-30,B\n", "",
                   "ambiguous header Date/Payee -> ; error 0 no_statement"},
        ReportCase{"ImpossibleValueDate",
                   "Date,Value Date,Payee,Amount\n2024-02-28,2024-02-30,A,1.50\n",
                   "2024-02-28 1.50 A", "warning 2 date_impossible"},
        ReportCase{"OneIdTwice",
                   "Date,Payee,Amount,Transaction "
                   "ID\n2024-01-31,A,1.50,7\n2024-01-31,B,2.50,7\n2024-01-31,C,2.50,7\n",
                   "2024-01-31 1.50 A | 2024-01-31 2.50 B | 2024-01-31 2.50 C",
                   "warning 3 duplicate_id"},
        ReportCase{"Padding", std::string("Date,Payee,Amount\n2024-01-31,A,1.50\n\x1A\0\0", 39),
                   "2024-01-31 1.50 A", "warning 0 padding_removed"},
        ReportCase{"HeaderOnly", "Date,Payee,Amount\n\n", "", "warning 0 no_rows"}),
    [](const auto& info) { return info.param.claim; });

struct UnknownCase {
    const char* claim;
    std::string bytes;
};

class UnknownTest : public testing::TestWithParam<UnknownCase> {};

TEST_P(UnknownTest, IsNotTakenForAStatement) {
    const Statement statement = parse(GetParam().bytes);
    EXPECT_EQ(statement.format, Format::unknown);
    ASSERT_EQ(statement.errors.size(), 1);
    EXPECT_EQ(statement.errors[0].code, "no_statement");
    EXPECT_EQ(sniff(GetParam().bytes), Format::unknown);
}

INSTANTIATE_TEST_SUITE_P(
    Table, UnknownTest,
    testing::Values(
        UnknownCase{"Empty", ""}, UnknownCase{"Blanks", " \n\t\r\n"},
        UnknownCase{"Prose", "Dear customer, we regret, deeply,\nthat there is nothing, today.\n"},
        UnknownCase{"Picture", std::string("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\1\2\3", 20)},
        UnknownCase{"Pdf", "%PDF-1.7\n1,2\n"},
        UnknownCase{"Archive", std::string("PK\x03\x04\x14\0\0\0", 8)},
        UnknownCase{"NamesAndNumbers", "name;phone\nJo;555 1\nMo;555 2\n"}),
    [](const auto& info) { return info.param.claim; });

/// What is longer than the part that is looked at first is not taken for a table without rows.
TEST(ParseTest, AFirstLineThatIsTooLongIsAnError) {
    const std::string rows = "\n2025-01-01,1.00,hello\n2025-01-02,2.00,hello\n";
    for (const char* names : {"Date,Amount,", ""}) {
        const Statement statement = parse(names + std::string(70'000, 'x') + rows);
        EXPECT_EQ(report_of(statement), "error 0 no_statement");
        ASSERT_EQ(statement.errors.size(), 1u);
        EXPECT_THAT(statement.errors[0].message, testing::HasSubstr("more than 64 KiB"));
    }
}

TEST(HeaderTest, NamesAsProgramsWriteThemMeanWhatTheirWordsMean) {
    struct Pair {
        const char* joined;
        const char* spaced;
    };
    for (const auto& [joined, spaced] :
         std::vector<Pair>{{"bookingDate", "booking date"},
                           {"valueDate", "value date"},
                           {"transactionAmount", "transaction amount"},
                           {"TransactionAmount (EUR)", "transaction amount (EUR)"},
                           {"accountIBAN", "account IBAN"},
                           {"IBANBban", "IBAN bban"},
                           {"counterpartyName", "counterparty name"},
                           {"remittanceInformation1", "remittance information 1"},
                           {"ourBookingDateUTC", "our booking date UTC"},
                           {"creditDebitIndicator", "credit debit indicator"}}) {
        const auto meaning = meaning_of(normalised_header(joined));
        const auto expected = meaning_of(normalised_header(spaced));
        ASSERT_TRUE(meaning && expected) << joined;
        EXPECT_EQ(meaning->field, expected->field) << joined;
        EXPECT_EQ(meaning->rank, expected->rank) << joined;
    }
    EXPECT_FALSE(meaning_of(normalised_header("originalAmount"))) << "as `Original amount`";
    EXPECT_EQ(meaning_of(normalised_header("CdtDbtInd"))->field, Field::indicator);
    EXPECT_EQ(meaning_of(normalised_header("BuchungsTag"))->field, Field::date);
}

TEST(ParseTest, ReadsColumnsNamedByAProgram) {
    const Statement statement = parse(
        "valueDate,bookingDate,transactionAmount,balanceAfter\n"
        "2024-01-30,2024-01-31,-1.50,8.50\n2024-02-12,2024-02-13,-2.50,6.00\n");
    ASSERT_TRUE(statement.usable()) << report_of(statement);
    const Transaction& first = statement.accounts.at(0).transactions.at(0);
    EXPECT_EQ(first.date.to_text(), "2024-01-31");
    EXPECT_EQ(first.value_date.value().to_text(), "2024-01-30");
    EXPECT_EQ(first.amount.minor, -150);
}

TEST(ParseTest, RefusesMoreThanTheLimit) {
    const std::string big(file_bytes_max + 1, ' ');
    const Statement statement = parse(big);
    EXPECT_EQ(statement.format, Format::unknown);
    EXPECT_EQ(report_of(statement), "error 0 too_large");
}

TEST(ParseTest, ReadsAsManyRowsAsTheLimitAndNoMore) {
    std::string text = "Date;Payee;Amount\n";
    for (std::size_t i = 0; i < records_max; ++i) {
        text += "2026-01-02;S;-1.00\n";
    }
    const Statement most = parse(text);
    EXPECT_EQ(most.transaction_count(), records_max);
    EXPECT_TRUE(most.usable()) << report_of(most);
    const Statement more = parse(text + "2026-01-02;S;-1.00\n");
    ASSERT_FALSE(more.usable());
    EXPECT_EQ(more.errors[0].code, "too_large");
    EXPECT_EQ(more.errors[0].line, records_max + 2);
    EXPECT_TRUE(more.errors[0].message.contains("250000 rows; split it"));
}

struct EncodingCase {
    const char* claim;
    std::string bytes;
    const char* encoding;
    const char* source;
};

class EncodingTest : public testing::TestWithParam<EncodingCase> {};

TEST_P(EncodingTest, IsFoundAndDecoded) {
    const auto& [claim, bytes, encoding, source] = GetParam();
    const Statement statement = parse(bytes);
    EXPECT_EQ(statement.encoding, encoding);
    EXPECT_EQ(statement.encoding_source, source);
    EXPECT_EQ(rows_of(statement), "2024-01-31 -2.50 Bäcker | 2024-02-01 7.00 Café");
}

/// Text of Latin-1 in UTF-16.
std::string utf16(std::string_view latin1, bool little) {
    std::string out;
    for (const char c : latin1) {
        out += little ? std::string{c, '\0'} : std::string{'\0', c};
    }
    return out;
}

const std::string latin1 =
    "Date;Payee;Amount\n2024-01-31;B\xE4"
    "cker;-2,50\n2024-02-01;Caf\xE9;7,00\n";

INSTANTIATE_TEST_SUITE_P(
    Table, EncodingTest,
    testing::Values(
        EncodingCase{"Utf8", "Date;Payee;Amount\n2024-01-31;Bäcker;-2,50\n2024-02-01;Café;7,00\n",
                     "utf-8", "utf-8-valid"},
        EncodingCase{"Windows1252", latin1, "windows-1252", "fallback"},
        EncodingCase{"Utf16WithMark", "\xFF\xFE" + utf16(latin1, true), "utf-16le", "bom"},
        EncodingCase{"Utf16BigEndianWithMark", "\xFE\xFF" + utf16(latin1, false), "utf-16be",
                     "bom"},
        EncodingCase{"Utf16WithoutMark", utf16(latin1, true), "utf-16le", "detected"},
        EncodingCase{"Utf16BigEndianWithoutMark", utf16(latin1, false), "utf-16be", "detected"}),
    [](const auto& info) { return info.param.claim; });

TEST(CsvDetailsTest, OffsetsCountBytesOfTheFileInEveryEncoding) {
    EXPECT_EQ(parse(latin1).accounts[0].transactions[1].place.offset, 42);
    EXPECT_EQ(parse("\xFF\xFE" + utf16(latin1, true)).accounts[0].transactions[1].place.offset,
              2 + 2 * 42);
}

// ---- profiles

TEST(CsvProfileTest, SettlesWhatTheFileLeavesOpen) {
    const char* text = "Date;Payee;Amount\n01/02/2024;A;1.000\n";
    EXPECT_EQ(rows_of(of(text, {{"date_format", "MDY"}, {"decimal_mark", "."}})),
              "2024-01-02 1.000 A");
    EXPECT_EQ(rows_of(of(text, {{"date_format", "dd/MM/yyyy"}, {"decimal_mark", ","}})),
              "2024-02-01 1000 A");
    EXPECT_EQ(report_of(of(text, {{"date_format", "%d/%m/%Y"}, {"decimal_mark", ","}})), "");
}

TEST(CsvProfileTest, NamesColumnsByHeaderOrPlace) {
    const char* text = "who;when;how much;how much not\nA;2024-01-31;1,50;9,99\n";
    const char* read = "2024-01-31 1.50 A";
    EXPECT_EQ(rows_of(of(text, {{"columns.payee", "Who"},
                                {"columns.date", "when"},
                                {"columns.amount", "how much"}})),
              read);
    EXPECT_EQ(rows_of(of(text, {{"columns.payee", "0", true},
                                {"columns.date", "1", true},
                                {"columns.amount", "2", true}})),
              read);
    EXPECT_EQ(report_of(of(text, {{"columns.payee", "0", true},
                                  {"columns.date", "1", true},
                                  {"columns.amount", "2", true}})),
              "");
}

/// A header of which only some names are known loses no payee: a column of texts is there for it.
TEST(CsvTextTest, APayeeOfAnUnknownNameIsFoundByContent) {
    const Statement statement = parse(
        "Datum;Konto;Wer;Betrag\n02.01.2026;Giro;Rewe Markt;-1,00\n03.01.2026;Giro;Edeka;-2,00\n");
    const auto& transactions = statement.accounts.at(0).transactions;
    ASSERT_EQ(transactions.size(), 2U);
    EXPECT_EQ(transactions[0].payee, "Rewe Markt");
    EXPECT_EQ(transactions[1].payee, "Edeka");
    EXPECT_TRUE(std::ranges::any_of(statement.inferred, [](const auto& inference) {
        return inference.what == "column.payee" && inference.value == "Wer";
    }));
}

TEST(CsvTextTest, DescriptionBesideAPayeeIsTold) {
    const Statement both =
        parse("Date,Payee,Description,Memo,Amount\n2024-01-31,Baker,Bread,two,-2.50\n");
    EXPECT_EQ(both.accounts[0].transactions[0].description, "Bread");
    EXPECT_EQ(both.accounts[0].transactions[0].memo, "Bread two");
    const Statement alone = parse("Date,Description,Memo,Amount\n2024-01-31,Bread,two,-2.50\n");
    EXPECT_EQ(alone.accounts[0].transactions[0].payee, "Bread");
    EXPECT_EQ(alone.accounts[0].transactions[0].description, "");
    const std::string german =
        "Datum;Empfänger;Verwendungszweck;Betrag\n2024-01-31;Bäcker;Brot;-2,50\n";
    EXPECT_EQ(parse(german).accounts[0].transactions[0].description, "");
    EXPECT_EQ(parse(german).accounts[0].transactions[0].memo, "Brot");
    EXPECT_EQ(of(german, {{"columns.description", "Verwendungszweck"}})
                  .accounts[0]
                  .transactions[0]
                  .description,
              "Brot");
}

std::string warnings_of(const std::string& rows) {
    std::string text;
    for (const Note& warning : parse("Date,Payee,Amount,Balance\n" + rows).warnings) {
        text += warning.code + " " + std::to_string(warning.line) + ": " + warning.message + "\n";
    }
    return text;
}

TEST(CsvBalanceTest, BalancesThatFollowSayNothing) {
    const std::string oldest_first =
        "2024-01-30,A,-1.50,98.50\n2024-01-31,B,-2.50,96.00\n2024-02-01,C,4.00,100.00\n";
    const std::string newest_first =
        "2024-02-01,C,4.00,100.00\n2024-01-31,B,-2.50,96.00\n2024-01-30,A,-1.50,98.50\n";
    EXPECT_EQ(warnings_of(oldest_first), "");
    EXPECT_EQ(warnings_of(newest_first), "");
    EXPECT_EQ(warnings_of("2024-02-01,C,4.00,100.00\n"), "");
    EXPECT_EQ(warnings_of("2024-02-01,C,4.00,\n2024-02-02,D,4.00,\n"), "");
}

TEST(CsvBalanceTest, ARowThatIsMissingOrWasNotTakenIsAGap) {
    const std::string oldest_first =
        "2024-01-30,A,-1.50,98.50\n2024-01-31,B,-2.50,96.00\n2024-02-01,C,what,1076.00\n"
        "2024-02-02,D,-6.00,1070.00\n2024-02-03,E,-1.00,1069.00\n";
    EXPECT_EQ(warnings_of(oldest_first),
              "balance_gap 5: the balance 1070.00 does not follow from 96.00 in line 3 and the "
              "amount -6.00: a difference of 980.00\n");
    const std::string newest_first =
        "2024-02-03,E,-1.00,1069.00\n2024-02-02,D,-6.00,1070.00\n2024-01-31,B,-2.50,96.00\n"
        "2024-01-30,A,-1.50,98.50\n";
    EXPECT_EQ(warnings_of(newest_first),
              "balance_gap 3: the balance 1070.00 does not follow from 96.00 in line 4 and the "
              "amount -6.00: a difference of 980.00\n");
}

TEST(CsvBalanceTest, AColumnThatDoesNotFollowTheAmountsIsToldOfOnce) {
    EXPECT_EQ(warnings_of("2024-01-30,A,-1.50,10\n2024-01-31,B,-2.50,20\n2024-02-01,C,1,30\n"),
              "balance_gap 0: only 0 of 2 balances follow from the one before and the row's "
              "amount; rows are missing, or the column is no running balance\n");
}

TEST(CsvProfileTest, ReversesTheSign) {
    EXPECT_EQ(rows_of(of("Date,Payee,Amount\n2024-01-31,A,1.50\n2024-01-31,B,-2.50\n",
                         {{"sign", "reversed"}})),
              "2024-01-31 -1.50 A | 2024-01-31 2.50 B");
}

TEST(CsvProfileTest, TakesItsOwnMarks) {
    EXPECT_EQ(rows_of(of("Date,Payee,Amount,Dir\n2024-01-31,A,1.50,raus\n2024-01-31,B,2.50,rein\n",
                         {{"columns.indicator", "Dir"},
                          {"sign", "indicator"},
                          {"debit_marks", "raus"},
                          {"credit_marks", "rein"}})),
              "2024-01-31 -1.50 A | 2024-01-31 2.50 B");
}

TEST(CsvProfileTest, SkipsLinesAndHeader) {
    EXPECT_EQ(rows_of(of("junk,junk,junk\n2024-01-31,A,1.50\n",
                         {{"skip_lines", "1", true}, {"header", "false"}})),
              "2024-01-31 1.50 A");
}

TEST(CsvProfileTest, FixesEncodingDelimiterCurrencyAndAccount) {
    const Statement statement = of(
        "Date#Payee#Amount\n2024-01-31#\xA3ukasz#1.50\n",
        {{"delimiter", "#"}, {"encoding", "iso-8859-2"}, {"currency", "PLN"}, {"account", "PL1"}});
    EXPECT_EQ(rows_of(statement), "2024-01-31 1.50 Łukasz") << report_of(statement);
    EXPECT_EQ(statement.encoding_source, "profile");
    EXPECT_EQ(statement.accounts[0].currency.code(), "PLN");
    EXPECT_EQ(statement.accounts[0].id, "PL1");
}

TEST(CsvProfileTest, SaysWhichColumnIsNotThere) {
    const Statement statement =
        of("Date,Payee,Amount\n2024-01-31,A,1.50\n", {{"columns.amount", "Betrag"}});
    ASSERT_EQ(statement.errors.size(), 1);
    EXPECT_NE(statement.errors[0].message.find("\"Betrag\" for amount"), std::string::npos)
        << statement.errors[0].message;
}

TEST(CsvProfileTest, FilesOfOneShapeShareAFingerprint) {
    const auto fingerprint = [](const char* text) { return parse(text).header_fingerprint; };
    EXPECT_EQ(fingerprint("Date,Payee,Amount\n2024-01-31,A,1.50\n"),
              fingerprint("\n\ndate,PAYEE,amount\n2023-01-31,B,2.50\n"));
    EXPECT_NE(fingerprint("Date,Payee,Amount\n2024-01-31,A,1.50\n"),
              fingerprint("Date;Payee;Amount\n2024-01-31;A;1.50\n"));
    EXPECT_EQ(fingerprint("2024-01-31,A,1.50\n").size(), 16);
}

}  // namespace
}  // namespace bascule::statement
