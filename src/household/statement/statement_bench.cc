#include <benchmark/benchmark.h>

#include <string>

#include "household/statement/parse.h"

namespace bascule::statement {
namespace {

std::string digits(int value, int width) {
    std::string text = std::to_string(value);
    return std::string(static_cast<std::size_t>(width) -
                           std::min<std::size_t>(text.size(), static_cast<std::size_t>(width)),
                       '0') +
           text;
}

std::string csv(int rows) {
    std::string text =
        "Buchungstag;Valuta;Auftraggeber/Empfänger;Verwendungszweck;Betrag;Währung;Referenz\n";
    for (int i = 0; i < rows; ++i) {
        const std::string day = digits(i % 28 + 1, 2) + "." + digits(i / 28 % 12 + 1, 2) + ".2024";
        text += day + ";" + day + ";Händler Nummer " + std::to_string(i % 977) + ";\"Rechnung " +
                std::to_string(i) + " vom letzten Monat\";-" + std::to_string(i % 2000) + "," +
                digits(i % 100, 2) + ";EUR;R" + std::to_string(i) + "\n";
    }
    return text;
}

std::string ofx(int rows) {
    std::string text =
        "OFXHEADER:100\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n<OFX><BANKMSGSRSV1><"
        "STMTTRNRS><STMTRS><CURDEF>EUR\n<BANKACCTFROM><ACCTID>1</BANKACCTFROM>\n<BANKTRANLIST>\n";
    for (int i = 0; i < rows; ++i) {
        text += "<STMTTRN>\n<TRNTYPE>DEBIT\n<DTPOSTED>2024" + digits(i / 28 % 12 + 1, 2) +
                digits(i % 28 + 1, 2) + "120000[-5:EST]\n<TRNAMT>-" + std::to_string(i % 2000) +
                "." + digits(i % 100, 2) + "\n<FITID>F" + std::to_string(i) +
                "\n<NAME>Merchant &amp; Sons " + std::to_string(i % 977) + "\n<MEMO>Invoice " +
                std::to_string(i) + " of last month\n</STMTTRN>\n";
    }
    return text + "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n";
}

void run(benchmark::State& state, const std::string& text) {
    std::size_t count = 0;
    std::int64_t sum = 0;
    for (auto _ : state) {
        const Statement statement = parse(text);
        count = statement.transaction_count();
        sum = 0;
        for (const auto& transaction : statement.accounts.at(0).transactions) {
            sum += transaction.amount.minor;
        }
        benchmark::DoNotOptimize(sum);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                            static_cast<std::int64_t>(text.size()));
    state.counters["rows"] = static_cast<double>(count);
    state.counters["cents"] =
        static_cast<double>(sum);  // so that what was measured is seen to be right
}

void parse_csv_rows(benchmark::State& state) { run(state, csv(static_cast<int>(state.range(0)))); }
void parse_ofx_rows(benchmark::State& state) { run(state, ofx(static_cast<int>(state.range(0)))); }
BENCHMARK(parse_csv_rows)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond);
BENCHMARK(parse_ofx_rows)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bascule::statement
