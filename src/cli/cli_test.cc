#include "cli/cli.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/chain_verb.h"
#include "cli/completion.h"
#include "cli/output.h"
#include "cli/profile.h"
#include "cli/publish_verb.h"
#include "cli/statement_json.h"
#include "cli/table.h"
#include "cli/tail_verb.h"
#include "cli/verbs.h"
#include "foundation/base/guarded.h"
#include "foundation/base/testing.h"
#include "foundation/json/value.h"
#include "household/statement/parse.h"
#include "server/http/router.h"
#include "server/http/server.h"

namespace bascule::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// Runs a command line and keeps what it printed.
struct Ran {
    int code;
    std::string out;
    std::string err;
};

Ran run_words(std::vector<const char*> words, const Program& program = {.version = "1.2.3"}) {
    words.insert(words.begin(), "bascule");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run(static_cast<int>(words.size()), words.data(), program);
    std::fflush(stdout);
    std::fflush(stderr);
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

/// A file with a content, gone with the test.
class Scratch {
  public:
    explicit Scratch(const std::string& content)
        : path_(testing::TempDir() + "cli_test_scratch_" + std::to_string(::getpid()) + "_" +
                std::to_string(++count)) {
        std::FILE* file = std::fopen(path_.c_str(), "wb");
        std::fwrite(content.data(), 1, content.size(), file);
        std::fclose(file);
    }
    ~Scratch() { std::remove(path_.c_str()); }
    const char* path() const { return path_.c_str(); }

  private:
    static inline int count = 0;
    std::string path_;
};

TEST(CliTest, VersionGoesToStandardOutput) {
    const Ran ran = run_words({"version"});
    EXPECT_EQ(ran.code, exit_yes);
    EXPECT_EQ(ran.out, "bascule 1.2.3\n");
}

TEST(CliTest, WrongWordsAreUsageAndPrintNoData) {
    for (const std::vector<const char*>& words :
         std::vector<std::vector<const char*>>{{},
                                               {"nonsense"},
                                               {"accounts"},
                                               {"accounts", "nonsense"},
                                               {"accounts", "show"},
                                               {"version", "--nonsense"},
                                               {"accounts", "list", "-o", "xml"}}) {
        const Ran ran = run_words(words);
        EXPECT_EQ(ran.code, exit_usage);
        EXPECT_THAT(ran.out, IsEmpty());
        EXPECT_NE(ran.err, "");
    }
}

struct TypoCase {
    const char* claim;
    std::vector<const char*> words;
    const char* says;
};

class TypoTest : public testing::TestWithParam<TypoCase> {};

TEST_P(TypoTest, IsNamedWithWhatWasMeant) {
    const Ran ran = run_words(GetParam().words);
    EXPECT_EQ(ran.code, exit_usage);
    EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
    EXPECT_THAT(ran.out, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, TypoTest,
    testing::Values(
        TypoCase{
            "Verb", {"improt", "a.csv"}, "unknown verb 'improt'; did you mean 'bascule import'?"},
        TypoCase{"VerbOfANoun",
                 {"accounts", "lst"},
                 "unknown verb 'lst' of accounts; did you mean 'bascule accounts list'?"},
        TypoCase{"VerbUnderANounThatLacksIt",
                 {"accounts", "import"},
                 "unknown verb 'import' of accounts; did you mean 'bascule import'?"},
        TypoCase{"NothingNear", {"audit", "zzz"}, "unknown verb 'zzz' of audit; there are: "},
        TypoCase{"Option",
                 {"accounts", "list", "--limti", "5"},
                 "unknown option '--limti' of accounts list; did you mean '--limit'?"},
        TypoCase{"OptionWithItsValue",
                 {"events", "search", "--tpye=a.b"},
                 "unknown option '--tpye' of events search; did you mean '--type'?"},
        TypoCase{"OptionOfAllVerbs",
                 {"transactions", "delete", "id", "--yse"},
                 "unknown option '--yse' of transactions delete; did you mean '--yes'?"},
        TypoCase{"OptionBeforeTheVerb",
                 {"--outptu", "json", "accounts", "list"},
                 "unknown option '--outptu'; did you mean '--output'?"},
        TypoCase{"OptionBehindWhatIsMissing",
                 {"accounts", "show", "--tokne", "t"},
                 "unknown option '--tokne' of accounts show; did you mean '--token'?"},
        TypoCase{"OptionFarFromAny",
                 {"accounts", "list", "--nonsense"},
                 "unknown option '--nonsense' of accounts list; `bascule accounts list --help`"},
        TypoCase{"ShortOption", {"accounts", "list", "-q"}, "unknown option '-q' of accounts list"},
        TypoCase{"BehindOptions",
                 {"--data", "tail", "-o", "json", "-y", "--url=x", "tial"},
                 "unknown verb 'tial'; did you mean 'bascule tail'?"}),
    [](const auto& info) { return info.param.claim; });

TEST(CliTest, ANounAloneSaysWhatItsVerbsAre) {
    const Ran ran = run_words({"accounts", "--data", "d"});
    EXPECT_EQ(ran.code, exit_usage);
    EXPECT_THAT(ran.err, HasSubstr("accounts wants a verb; there are: list, show, create"));
    EXPECT_THAT(run_words({"help"}).out, HasSubstr("transactions"));
    EXPECT_THAT(run_words({"help", "accounts"}).out, HasSubstr("create"));
}

TEST(CliTest, WhatAnOptionIsGivenIsNoOption) {
    const Ran ran = run_words({"letters", "discard", "--reason", "--limti", "--nonsense"});
    EXPECT_THAT(ran.err, HasSubstr("unknown option '--nonsense'"));
    EXPECT_THAT(ran.err, Not(HasSubstr("limti")));
}

TEST(CliTest, HelpIsNoTypo) {
    const Ran ran = run_words({"accounts", "--help"});
    EXPECT_EQ(ran.code, exit_yes);
    EXPECT_THAT(ran.out, HasSubstr("create"));
}

TEST(CliTest, BenchAndDemoSayWhatTheyAre) {
    const Program program = {.version = "1",
                             .bench = [](const std::vector<std::string>&) { return 0; },
                             .demo = [] { return 0; }};
    EXPECT_THAT(run_words({"bench", "--help"}, program).out, HasSubstr("lists the benchmarks"));
    EXPECT_THAT(run_words({"demo", "--help"}, program).out, HasSubstr("redrive"));
    EXPECT_EQ(run_words({"demo", "word"}, program).code, exit_usage);
}

TEST(CliTest, VerbsOfTheProgramGetTheirArguments) {
    ServeArguments seen;
    std::vector<std::string> bench;
    const Program program = {.version = "1",
                             .serve =
                                 [&](const ServeArguments& arguments) {
                                     seen = arguments;
                                     return 9;
                                 },
                             .bench =
                                 [&](const std::vector<std::string>& words) {
                                     bench = words;
                                     return 0;
                                 }};
    EXPECT_EQ(run_words({"serve", "--config", "c", "--listen", "0:1", "--set", "a=1", "--set",
                         "b=2", "--log", "json", "--data", "d"},
                        program)
                  .code,
              9);
    EXPECT_EQ(seen.config_file, "c");
    EXPECT_EQ(seen.listen, "0:1");
    EXPECT_EQ(seen.data_directory, "d");
    EXPECT_THAT(seen.overrides, testing::ElementsAre("a=1", "b=2"));
    EXPECT_TRUE(seen.json_log);
    run_words({"bench", "publish", "n=5"}, program);
    EXPECT_THAT(bench, testing::ElementsAre("publish", "n=5"));
}

TEST(CliTest, NoServerKnownSaysWhereItLooked) {
    const Ran ran = run_words({"accounts", "list", "--data", "/nowhere"});
    EXPECT_EQ(ran.code, exit_unreachable);
    EXPECT_THAT(ran.err, HasSubstr("/nowhere/secrets/cli.json"));
    EXPECT_THAT(ran.out, IsEmpty());
}

TEST(CliTest, NobodyListeningIsUnreachable) {
    const Ran ran = run_words({"accounts", "list", "--url", "http://127.0.0.1:1", "--token", "t"});
    EXPECT_EQ(ran.code, exit_unreachable);
    EXPECT_THAT(ran.err, HasSubstr("127.0.0.1:1"));
    EXPECT_THAT(ran.err, HasSubstr("bascule serve")) << "what to do about it";
    EXPECT_THAT(ran.err, HasSubstr("--url"));
}

/// A server that answers each path with what the test says, and remembers what was asked.
class VerbTest : public testing::Test {
  protected:
    void SetUp() override {
        http::Router router;
        for (const char* path :
             {"/v1/accounts", "/v1/accounts/{id}", "/v1/transactions", "/v1/categories",
              "/v1/categories/{id}", "/v1/category-rules", "/v1/analytics/{type}", "/v1/events"}) {
            router.add(http::Method::get, path,
                       [this](const http::Request& request, http::Reply reply) {
                           asked_.with([&](auto& asked) { asked.push_back(request.target); });
                           const auto found = answers_.find(request.path);
                           if (found == answers_.end()) {
                               reply.send(http::error_response(
                                   401,
                                   {.code = "unauthorized",
                                    .message = "a valid token is needed",
                                    .hint = "send the header `Authorization: Bearer TOKEN`"},
                                   "r"));
                           } else {
                               reply.send(http::json_response(200, found->second));
                           }
                       });
        }
        router.add(http::Method::post, "/v1/files",
                   [this](const http::Request& request, http::Reply reply) {
                       asked_.with([&](auto& asked) { asked.push_back(request.target); });
                       reply.send(http::json_response(202, answers_["/v1/files"]));
                   });
        for (const char* path :
             {"/v1/files/{id}:process", "/v1/files/{id}:associate", "/v1/accounts"}) {
            router.add(http::Method::post, path,
                       [this](const http::Request& request, http::Reply reply) {
                           const auto found = refusals_.find(request.path);
                           reply.send(found == refusals_.end()
                                          ? http::json_response(202, answers_[request.path])
                                          : http::error_response(400, found->second, "r"));
                       });
        }
        router.add(http::Method::get, "/v1/files/{id}",
                   [this](const http::Request&, http::Reply reply) {
                       reply.send(http::json_response(200, looks_.with([](auto& looks) {
                           std::string now = looks.front();
                           looks.erase(looks.begin());
                           return now;
                       })));
                   });
        router.add(http::Method::post, "/v1/events",
                   [this](const http::Request&, http::Reply reply) {
                       reply.send(http::json_response(200, answers_["POST /v1/events"]));
                   });
        auto created = http::Server::create({}, std::move(router));
        ASSERT_THAT(created, Succeeds());
        server_ = std::move(*created);
        url_ = "http://127.0.0.1:" + std::to_string(server_->port());
    }

    Ran ask(std::vector<const char*> words) {
        for (const char* word : {"--url", url_.c_str(), "--token", "t"}) {
            words.push_back(word);
        }
        return run_words(std::move(words));
    }
    std::vector<std::string> asked() {
        return asked_.with([](const auto& asked) { return asked; });
    }

    std::map<std::string, std::string> answers_;
    std::map<std::string, http::ErrorBody> refusals_;
    Guarded<std::vector<std::string>> looks_;  ///< at a file, one after the other
    Guarded<std::vector<std::string>> asked_;
    std::unique_ptr<http::Server> server_;
    std::string url_;
};

constexpr const char* accounts_page = R"({"items":[
    {"id":"a-1","name":"Giro","type":"checking","currency":"EUR","balance":"5.00","transactionCount":1},
    {"id":"a-2","name":"Spar","type":"savings","institution":"North","currency":"EUR","balance":null,"transactionCount":0},
    {"id":"a-3","name":"Spar","type":"loan","institution":"South","currency":"EUR","balance":null,"transactionCount":0}]})";

TEST_F(VerbTest, AnAccountMayBeCalledByItsName) {
    answers_["/v1/accounts"] = accounts_page;
    answers_["/v1/accounts/a-1"] = R"({"id":"a-1"})";
    answers_["/v1/transactions"] = R"({"items":[]})";
    EXPECT_EQ(ask({"transactions", "list", "--account-id", "Giro"}).code, exit_yes);
    EXPECT_THAT(asked().back(), HasSubstr("accountId=a-1"));
    EXPECT_EQ(ask({"transactions", "list", "--account", "Giro"}).code, exit_yes);
    EXPECT_EQ(ask({"accounts", "show", "Giro"}).code, exit_yes);
    EXPECT_EQ(asked().back(), "/v1/accounts/a-1");
    EXPECT_EQ(ask({"accounts", "show", "a-1"}).code, exit_yes) << "its id does as well";
    EXPECT_EQ(asked().back(), "/v1/accounts/a-1");
}

TEST_F(VerbTest, AnIdIsSentAsItIs) {
    answers_["/v1/transactions"] = R"({"items":[]})";
    const char* id = "0190c0de-0000-7000-8000-000000000001";
    EXPECT_EQ(ask({"transactions", "list", "--account-id", id}).code, exit_yes);
    EXPECT_EQ(asked().size(), 1u) << "nobody looked it up";
}

TEST_F(VerbTest, ANameThatSeveralOrNoneHaveIsExplained) {
    answers_["/v1/accounts"] = accounts_page;
    const Ran several = ask({"accounts", "show", "Spar"});
    EXPECT_EQ(several.code, exit_usage);
    EXPECT_THAT(several.err, HasSubstr("a-2  savings  North"));
    EXPECT_THAT(several.err, HasSubstr("a-3  loan  South"));
    const Ran none = ask({"accounts", "show", "Kasse"});
    EXPECT_EQ(none.code, exit_not_found);
    EXPECT_THAT(none.err, HasSubstr("there are: Giro, Spar, Spar"));
}

TEST_F(VerbTest, ABalanceThatNobodyKnowsSaysWhy) {
    answers_["/v1/accounts"] = accounts_page;
    const Ran ran = ask({"accounts", "list"});
    EXPECT_THAT(ran.out, HasSubstr("unknown (no opening balance)"));
    EXPECT_THAT(ran.err, HasSubstr("--opening-balance"));
    EXPECT_THAT(ask({"accounts", "list", "-o", "csv"}).out, Not(HasSubstr("unknown")));
}

TEST_F(VerbTest, OneAccountSaysWhyItsBalanceIsUnknown) {
    answers_["/v1/accounts"] = accounts_page;
    answers_["/v1/accounts/a-1"] = R"({"id":"a-1","name":"Giro","balance":null})";
    const Ran ran = ask({"accounts", "show", "Giro"});
    EXPECT_THAT(ran.out, HasSubstr("balance  unknown (no opening balance)"));
    EXPECT_THAT(ran.err, HasSubstr("--opening-balance"));
}

constexpr const char* categories_page = R"({"items":[
    {"id":"c-1","name":"Food","type":"EXPENSE","parentId":null},
    {"id":"c-2","name":"Groceries","type":"EXPENSE","parentId":"c-1"}],"nextCursor":null})";

TEST_F(VerbTest, ACategoryMayBeCalledByItsName) {
    answers_["/v1/categories"] = categories_page;
    answers_["/v1/categories/c-2"] = R"({"id":"c-2"})";
    answers_["/v1/transactions"] = R"({"items":[]})";
    EXPECT_EQ(ask({"transactions", "list", "--category", "Groceries"}).code, exit_yes);
    EXPECT_THAT(asked().back(), HasSubstr("categoryId=c-2"));
    EXPECT_EQ(ask({"categories", "show", "Groceries"}).code, exit_yes);
    EXPECT_EQ(asked().back(), "/v1/categories/c-2");
    for (const auto& words : std::vector<std::vector<const char*>>{
             {"transactions", "list", "--category", "Grceries"},
             {"categories", "rule-create", "--category", "Grceries"},
             {"categories", "rules", "--category", "Grceries"},
             {"categories", "create", "x", "--type", "EXPENSE", "--parent", "Grceries"}}) {
        const Ran typo = ask(words);
        EXPECT_EQ(typo.code, exit_not_found);
        EXPECT_THAT(typo.err, HasSubstr("no category is called 'Grceries'; there are: Food, "
                                        "Groceries"));
    }
}

TEST_F(VerbTest, PeopleReadTheNamesOfCategories) {
    answers_["/v1/categories"] = categories_page;
    answers_["/v1/transactions"] = R"({"items":[{"id":"t","categoryId":"c-2"}]})";
    answers_["/v1/category-rules"] = R"({"items":[{"id":"r","categoryId":"c-2"}]})";
    EXPECT_THAT(ask({"transactions", "list"}).out, HasSubstr("Groceries"));
    answers_["/v1/transactions"] =
        R"({"items":[{"id":"t","categoryId":null,"suggestedCategoryId":"c-2"}]})";
    EXPECT_THAT(ask({"transactions", "list", "--suggested"}).out,
                AllOf(HasSubstr("SUGGESTED"), HasSubstr("Groceries")));
    EXPECT_THAT(asked().end()[-2], HasSubstr("suggested=true"));
    EXPECT_THAT(ask({"categories", "rules"}).out, HasSubstr("Groceries"));
    EXPECT_THAT(ask({"categories", "list"}).out, HasSubstr("EXPENSE  Food"));
    EXPECT_THAT(ask({"transactions", "list", "-o", "csv"}).out, HasSubstr("c-2"));
}

TEST_F(VerbTest, FiguresThatAreBehindSaySo) {
    answers_["/v1/analytics/cash_flow"] =
        R"({"type":"cash_flow","computedAt":0,"stale":true,"buckets":[]})";
    const Ran stale = ask({"analytics", "show", "cash_flow"});
    EXPECT_THAT(stale.out, StartsWith("period  currency")) << "a table without rows has its header";
    EXPECT_THAT(stale.err, HasSubstr("the figures are of 1970-01-01T00:00:00.000Z"));
    EXPECT_THAT(stale.err, HasSubstr("bascule analytics refresh"));
    answers_["/v1/analytics/cash_flow"] =
        R"({"type":"cash_flow","computedAt":null,"stale":true,"buckets":[]})";
    EXPECT_THAT(ask({"analytics", "show", "cash_flow"}).err, HasSubstr("nothing is computed yet"));
    answers_["/v1/analytics/cash_flow"] =
        R"({"type":"cash_flow","computedAt":0,"stale":false,"buckets":[]})";
    EXPECT_THAT(ask({"analytics", "show", "cash_flow"}).err, IsEmpty());
}

TEST_F(VerbTest, StoredEventsBeginWhereAsked) {
    answers_["/v1/events"] = R"({"items":[
        {"position":"1:2","event":{"eventId":"d"}},{"position":"0:12","event":{"eventId":"c"}},
        {"position":"0:3","event":{"eventId":"b"}},{"position":"0:2","event":{"eventId":"a"}}]})";
    const auto tail = [&](const char* from) {
        return ask({"tail", "--no-follow", "--format", "{id}", "--from", from});
    };
    EXPECT_EQ(tail("earliest").out, "a\nb\nc\nd\n");
    EXPECT_EQ(tail("0:3").out, "b\nc\nd\n");
    EXPECT_EQ(tail("0:99").out, "d\n");
    EXPECT_EQ(tail("1:3").out, "");
    for (const char* wrong : {"abc", "0:", "3", "0:1x", "-1:0"}) {
        const Ran ran = tail(wrong);
        EXPECT_EQ(ran.code, exit_usage) << wrong;
        EXPECT_THAT(ran.err, HasSubstr("--from is \"" + std::string(wrong) + "\""));
    }
}

TEST_F(VerbTest, TheLastEventsAreThoseThatAPatternMatches) {
    std::string items;
    for (int i = 9; i > 0; --i) {
        const std::string number = std::to_string(i);
        items += (i < 9 ? "," : "") +
                 (R"({"position":"0:)" + number + R"(","event":{"eventId":")") + number +
                 R"(","eventType":")" + (i < 4 ? "lamp.on" : "door.shut") +
                 R"(","source":"s","timestamp":1,"userId":"u","correlationId":"c","data":{}}})";
    }
    answers_["/v1/events"] = R"({"items":[)" + items + "]}";
    const auto tail = [&](const char* last) {
        return ask({"tail", "--no-follow", "--format", "{id}", "--pattern",
                    R"({"detail-type":["lamp.on"]})", "--last", last})
            .out;
    };
    EXPECT_EQ(tail("2"), "2\n3\n");
    EXPECT_EQ(tail("5"), "1\n2\n3\n");
}

TEST_F(VerbTest, ATypeThatIsMeantAsAPatternGetsAHint) {
    answers_["/v1/events"] = R"({"items":[],"total":0})";
    const std::string hint = R"(--pattern '{"detail-type":[{"wildcard":"transactions.*"}]}')";
    for (const auto& words : std::vector<std::vector<const char*>>{
             {"events", "search", "--type", "transactions.*"},
             {"tail", "--no-follow", "--type", "transactions.*"}}) {
        const Ran ran = ask(words);
        EXPECT_EQ(ran.code, exit_yes);
        EXPECT_THAT(ran.err, HasSubstr(hint));
    }
    EXPECT_THAT(ask({"events", "search", "--type", "transactions.created"}).err, IsEmpty());
    answers_["/v1/events"] = R"({"items":[{"position":"0:1","event":{}}],"total":1})";
    EXPECT_THAT(ask({"events", "search", "--type", "a*b"}).err, IsEmpty()) << "there is one";
    EXPECT_EQ(
        run_words({"pattern", "check", R"({"detail-type":[{"wildcard":"transactions.*"}]})"}).code,
        exit_yes);
}

TEST_F(VerbTest, PublishSaysWhoWouldGetItWhereThatIsAsked) {
    answers_["POST /v1/events"] =
        R"({"results":[{"status":"accepted","eventId":"e","position":"0:1"}]})";
    const std::vector<const char*> words = {"publish", "--type", "a.b", "--source", "s"};
    EXPECT_EQ(ask(words).out,
              "STATUS    EVENT  POSITION  FIELD  MESSAGE\naccepted  e           0:1\n");
    answers_["POST /v1/events"] =
        R"({"results":[{"status":"dry_run","eventId":"e","consumers":["audit","shop"]},)"
        R"({"status":"dry_run","eventId":"f","consumers":[]}]})";
    auto dry = words;
    dry.push_back("--dry-run");
    EXPECT_EQ(ask(dry).out,
              "STATUS   EVENT  WOULD GO TO  FIELD  MESSAGE\ndry_run  e      audit, shop\n"
              "dry_run  f      nobody\n");
}

TEST_F(VerbTest, AFileThatCannotBeReadIsToldOnceWithAnAnswerThatWorks) {
    answers_["/v1/accounts"] = accounts_page;
    answers_["/v1/files"] = R"({"id":"f-1","fileName":"a.csv","status":"needs_mapping",
        "message":"date_order may be DMY or MDY","ambiguities":[{"kind":"ambiguity",
        "code":"date_order","line":0,"message":"date_order may be DMY or MDY"}]})";
    const Scratch file("Date,Amount\n");
    const Ran ran = ask({"import", file.path()});
    EXPECT_THAT(ran.err, HasSubstr(R"(files process f-1 --account NAME --mapping '{"date_format": )"
                                   R"("DMY"}')"));
    EXPECT_THAT(ran.err, HasSubstr("date_format is DMY, MDY or YMD"));
    EXPECT_THAT(ran.err, HasSubstr("your accounts are: Giro, Spar"));
    const std::string all = ran.out + ran.err;
    EXPECT_EQ(all.find("may be DMY"), all.rfind("may be DMY")) << all;
}

/// A profile is a file as people write it, with lines; it goes into the request's own line.
TEST_F(VerbTest, AProfileMayHaveSeveralLines) {
    const Scratch file("when;who;what\n2026-01-02;Shop;-1.00\n");
    const Scratch profile("{\n  \"columns\": {\"date\": 0,\t\"payee\": 1, \"amount\": 2}\n}\n");
    answers_["/v1/files"] = R"({"id":"f-1","fileName":"a.csv","status":"processed","rowCount":1})";
    const Ran ran = ask({"import", file.path(), "--profile", profile.path()});
    EXPECT_EQ(ran.code, exit_yes) << ran.err;
    EXPECT_THAT(asked(), ElementsAre(AllOf(HasSubstr("mapping=%7B%22columns%22"),
                                           Not(HasSubstr("%0A")), Not(HasSubstr("%09")))));
}

TEST_F(VerbTest, AFileOfAnotherAccountSaysHowToInsist) {
    answers_["/v1/accounts"] = accounts_page;
    answers_["/v1/files"] = R"({"id":"f-1","fileName":"a.ofx","status":"needs_mapping",
        "message":"the file is of account \"DE77\"","ambiguities":[{"kind":"ambiguity",
        "code":"account","line":0,"message":"the file is of account \"DE77\""}]})";
    const Scratch file("x");
    const Ran ran = ask({"import", file.path(), "--account", "Giro"});
    EXPECT_THAT(ran.err, HasSubstr("bascule files process f-1 --account NAME"));
    EXPECT_THAT(ran.err, HasSubstr("your accounts are: Giro, Spar"));
}

std::string a_file(const std::string& status, const std::string& more = "") {
    return R"({"id":"f-1","fileName":"a.csv","accountId":"a-1","rowCount":2,"status":")" + status +
           "\"" + more + "}";
}

struct ProcessCase {
    const char* claim;
    std::string outcome;
    int code;
    const char* says;
};

class ProcessTest : public VerbTest, public testing::WithParamInterface<ProcessCase> {};

TEST_P(ProcessTest, WaitsForTheOutcomeAndEndsWithIt) {
    answers_["/v1/accounts"] = accounts_page;
    answers_["/v1/files/f-1:process"] = a_file("pending");
    looks_.with([&](auto& looks) { looks = {a_file("pending"), GetParam().outcome}; });
    const Ran ran = ask({"files", "process", "f-1", "-o", "json"});
    EXPECT_EQ(ran.code, GetParam().code) << ran.err;
    EXPECT_EQ(json::Value::parse(ran.out).value(), json::Value::parse(GetParam().outcome).value());
    EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ProcessTest,
    testing::Values(
        ProcessCase{"Whole", a_file("processed"), exit_yes, ""},
        ProcessCase{"WithoutRows",
                    R"({"id":"f-1","fileName":"a.ofx","rowCount":0,"status":"processed"})",
                    exit_yes, "a.ofx: 0 rows"},
        ProcessCase{"Partly", a_file("partial", R"(,"rejected":[{"line":3,"message":"no date"}])"),
                    exit_partly, "a.csv, line 3: no date"},
        ProcessCase{"Failed", a_file("failed", R"(,"message":"split it")"), exit_no,
                    "nothing was taken: split it"},
        ProcessCase{"StillAsking",
                    a_file("needs_mapping",
                           R"(,"message":"m","ambiguities":[{"code":"sign","message":"m"}])"),
                    exit_no, R"(bascule files process f-1 --mapping '{"sign": "as_stated"}')"}),
    [](const auto& info) { return info.param.claim; });

TEST_F(VerbTest, WhoDoesNotWaitForAFileIsToldThatItIsPending) {
    answers_["/v1/files/f-1:process"] = a_file("pending");
    looks_.with([](auto& looks) { looks = {a_file("failed")}; });
    const Ran ran = ask({"files", "process", "f-1", "--no-wait"});
    EXPECT_EQ(ran.code, exit_yes);
    EXPECT_THAT(ran.out, HasSubstr("pending"));
}

TEST_F(VerbTest, AFileThatGotItsAccountSaysWithWhatToGoOn) {
    answers_["/v1/accounts"] = accounts_page;
    answers_["/v1/files/f-1:associate"] = a_file("needs_mapping");
    const Ran ran = ask({"files", "associate", "f-1", "--account", "Giro"});
    EXPECT_EQ(ran.code, exit_yes);
    EXPECT_THAT(ran.err, HasSubstr("bascule files process f-1"));
    answers_["/v1/files/f-1:associate"] = a_file("processed");
    EXPECT_THAT(ask({"files", "associate", "f-1", "--account", "Giro"}).err, IsEmpty());
}

TEST_F(VerbTest, ARefusalSpeaksOfWhatWasTyped) {
    const auto told = [&](const http::ErrorBody& refusal) {
        refusals_["/v1/accounts"] = refusal;
        return ask({"accounts", "create", "X", "--type", "t", "--currency", "EUR"}).err;
    };
    EXPECT_THAT(told({.message = "openingDate: is no day", .field = "openingDate"}),
                StartsWith("bascule: --opening-date: is no day"));
    EXPECT_THAT(told({.message = "/identifiers/0: is empty", .field = "/identifiers/0"}),
                StartsWith("bascule: --identifier/0: is empty"));
    EXPECT_THAT(told({.message = "identifiers.bank: is missing", .field = "identifiers.bank"}),
                StartsWith("bascule: --identifier.bank: is missing"));
    EXPECT_THAT(told({.message = "must be short", .field = "/name"}),
                StartsWith("bascule: must be short (NAME)"));
    EXPECT_THAT(told({.message = "nobody: knows", .field = ""}), StartsWith("bascule: nobody: k"));
    refusals_["/v1/files/f-1:associate"] = {.message = "accountId: rows are there already"};
    EXPECT_THAT(ask({"files", "associate", "f-1", "--account", ""}).err,
                StartsWith("bascule: --account: rows are there already"));
}

TEST_F(VerbTest, ANewAccountSaysHowToKnowItsBalance) {
    answers_["/v1/accounts"] = R"({"id":"a-1","name":"X","balance":null})";
    const Ran ran = ask({"accounts", "create", "X", "--type", "checking", "--currency", "EUR"});
    EXPECT_EQ(ran.code, exit_yes);
    EXPECT_THAT(ran.out, HasSubstr("balance  unknown (no opening balance)"));
    EXPECT_THAT(ran.err, HasSubstr("--opening-balance"));
}

TEST_F(VerbTest, AWrongTokenSaysWhereTheRightOneIs) {
    const Ran ran = ask({"accounts", "list"});
    EXPECT_EQ(ran.code, exit_not_allowed);
    EXPECT_THAT(ran.err, HasSubstr("a valid token is needed"));
    EXPECT_THAT(ran.err, HasSubstr("the token of --token"));
    EXPECT_THAT(ran.err, HasSubstr("secrets/cli.json"));
    EXPECT_THAT(ran.err, Not(HasSubstr("Authorization")));
}

TEST(CliTest, DestructiveVerbsWantYes) {
    const Ran ran =
        run_words({"accounts", "delete", "7", "--url", "http://127.0.0.1:1", "--token", "t"});
    EXPECT_EQ(ran.code, exit_usage);
    EXPECT_THAT(ran.err, HasSubstr("--yes"));
}

TEST(CliTest, WhoIsAskedIsToldWhatGoes) {
    const auto asked = [](std::string_view path, const Words& words) {
        const auto verb = std::ranges::find(verbs(), path, &Verb::path);
        return question_of(*verb, words);
    };
    EXPECT_EQ(asked("accounts delete", {{"id", {"Giro"}}}),
              "Delete an account with its transactions: Giro?");
    EXPECT_EQ(asked("transactions delete", {{"id", {"a", "b", "c", "d", "e"}}}),
              "Delete transactions: a, b, c and 2 more?");
    EXPECT_EQ(asked("letters discard", {{"consumer", {"mailer"}}, {"reason", {"gone"}}}),
              "Give letters up, with a reason; they remain as closed: --consumer mailer --reason "
              "gone?");
}

// ---- statement parse

const char* file_text =
    "Date,Payee,Amount,Currency\n2024-01-31,\"B\xE4"
    "cker \"\"x\"\"\",-2.50,EUR\nsoon,C,1.00,EUR\n2024-02-01,D,5.00,EUR\n";

TEST(StatementParseTest, CsvIsTheTransactionsAndTheRestIsToldBesideThem) {
    const Scratch file(file_text);
    const Ran ran = run_words({"statement", "parse", file.path(), "-o", "csv"});
    EXPECT_EQ(ran.code, exit_yes);
    EXPECT_THAT(ran.out, StartsWith("account,date,value_date,amount,currency,payee,"));
    EXPECT_THAT(ran.out, HasSubstr(",2024-02-01,,5.00,EUR,D,"));
    EXPECT_THAT(ran.out, HasSubstr("B\xC3\xA4"
                                   "cker \"\"x\"\""));
    EXPECT_THAT(ran.out, Not(HasSubstr("soon")));
    EXPECT_THAT(ran.err, HasSubstr("Rejected\n  line 3: "));
}

TEST(StatementParseTest, PrintsTheDocumentFieldByField) {
    const Scratch file(file_text);
    const Ran ran = run_words({"statement", "parse", "--format", "json", file.path()});
    EXPECT_EQ(ran.code, exit_yes);
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(
        ran.out,
        R"({"format":"csv","format_version":null,"encoding":"windows-1252","encoding_source":"fallback","accounts":[{"id":null,"type":"unknown","currency":"EUR",)"
        R"("institution":{"id":null,"name":null,"branch":null},"opening_balance":null,"ledger_balance":null,"available_balance":null,"balance_check":"not_possible",)"
        R"("period":null,"transactions":[{"date":"2024-01-31","value_date":null,"amount":"-2.50","amount_minor":-250,"currency":"EUR","payee":"Bäcker \"x\"",)"
        R"("memo":null,"id":null,"type":null,"check_number":null,"status":"booked","reversal":false,"category":null,"splits":[],"line":2,"offset":27},)"
        R"({"date":"2024-02-01","value_date":null,"amount":"5.00","amount_minor":500,"currency":"EUR","payee":"D","memo":null,"id":null,"type":null,)"
        R"("check_number":null,"status":"booked","reversal":false,"category":null,"splits":[],"line":4,"offset":79}]}],"ambiguities":[],)"
        R"("rejected":[{"line":3,"offset":63,"code":"date_unreadable","message":"\"soon\" is not a date; the order is YMD","raw":"soon,C,1.00,EUR"}],)"
        R"("unsupported":[],"warnings":[],"errors":[]})"
        "\n");
}

TEST(StatementParseTest, ExitCodesFollowTheFile) {
    const Scratch unknown("hello\n");
    const Ran no = run_words({"statement", "parse", "--format", "json", unknown.path()});
    EXPECT_EQ(no.code, exit_no);
    EXPECT_THAT(no.out, StartsWith(R"({"format":"unknown")"));
    EXPECT_THAT(no.out, HasSubstr("no_statement"));
    const Ran missing = run_words({"statement", "parse", "--format", "json", "/nowhere/at/all"});
    EXPECT_EQ(missing.code, exit_usage);
    EXPECT_THAT(missing.out, IsEmpty());
    EXPECT_THAT(missing.err, HasSubstr("/nowhere/at/all"));
    EXPECT_EQ(run_words({"statement", "parse", "--format", "xml", unknown.path()}).code,
              exit_usage);
    EXPECT_EQ(run_words({"statement", "parse"}).code, exit_usage);
}

TEST(StatementParseTest, ShowsATableToPeople) {
    const Scratch file(file_text);
    const Ran ran = run_words({"statement", "parse", file.path()});
    EXPECT_THAT(ran.out, HasSubstr("DATE        AMOUNT  CURRENCY  PAYEE"));
    EXPECT_THAT(ran.out, HasSubstr("2024-01-31   -2.50  EUR       Bäcker \"x\""));
    EXPECT_THAT(ran.out, HasSubstr("line 3: \"soon\" is not a date"));
}

TEST(StatementParseTest, TakesAProfile) {
    const Scratch file("when;how much\n01/02/2024;1.000\n");
    const Scratch profile(
        R"({"columns": {"date": "when", "amount": 1}, "date_format": "MDY", "decimal_mark": ","})");
    const Ran ran = run_words(
        {"statement", "parse", "--format", "json", "--profile", profile.path(), file.path()});
    EXPECT_EQ(ran.code, exit_yes);
    EXPECT_THAT(
        ran.out,
        HasSubstr(
            R"("date":"2024-01-02","value_date":null,"amount":"1000","amount_minor":100000)"));
    const Scratch bad(R"({"dcimal_mark": ","})");
    const Ran refused = run_words({"statement", "parse", "--profile", bad.path(), file.path()});
    EXPECT_EQ(refused.code, exit_usage);
    EXPECT_THAT(refused.err, HasSubstr("unknown key \"dcimal_mark\""));
}

TEST(StatementParseTest, IsValidJsonWhateverTheFileHolds) {
    std::string bytes = "Date;Payee;Amount\n2024-01-31;";
    for (int byte = 1; byte < 256; ++byte) {
        bytes += byte == '\n' || byte == '\r' || byte == ';' || byte == '"'
                     ? ' '
                     : static_cast<char>(byte);
    }
    const std::string json = statement_json(statement::parse(bytes + ";1,50\n"));
    EXPECT_THAT(json::Value::parse(json), Succeeds());
}

TEST(ProfileTest, NamesWhatIsWrong) {
    EXPECT_THAT(parse_profile("[]"), FailsWith(ErrorKind::invalid, HasSubstr("object")));
    EXPECT_THAT(parse_profile("{"), FailsWith(ErrorKind::invalid, HasSubstr("profile")));
    EXPECT_THAT(parse_profile(R"({"columns": {"amount": {"a": 1}}})"),
                FailsWith(ErrorKind::invalid, HasSubstr("columns.amount")));
    EXPECT_THAT(parse_profile(R"({"columns": {"amuont": 1}})"),
                FailsWith(ErrorKind::invalid, HasSubstr("amuont")));
    EXPECT_EQ(
        parse_profile(R"({"columns": {"memo": ["a", 3]}, "header": false})").value().columns.size(),
        2);
}

// ---- pattern

constexpr const char* large_files =
    R"({"detail-type": ["file.uploaded"], "detail": {"data": {"size": [{"numeric": [">", 5]}]}}})";

TEST(PatternTest, AnswersByExitCode) {
    const Ran yes =
        run_words({"pattern", "test", large_files,
                   R"({"eventType": "file.uploaded", "source": "s", "data": {"size": 6}})"});
    EXPECT_EQ(yes.code, exit_yes);
    EXPECT_EQ(yes.out, "yes\n");
    EXPECT_EQ(
        run_words(
            {"pattern", "test", large_files,
             R"({"source": "s", "detail-type": "file.uploaded", "detail": {"data": {"size": 6}}})"})
            .code,
        exit_yes);
    const Ran no =
        run_words({"pattern", "test", large_files,
                   R"({"eventType": "file.uploaded", "source": "s", "data": {"size": 5}})"});
    EXPECT_EQ(no.code, exit_no);
    EXPECT_EQ(no.out, "no\n");
    EXPECT_EQ(run_words({"pattern", "test", R"({"a":[1]})", R"({"a":1})", "-o", "json"}).out,
              "{\n  \"matches\": true\n}\n");
    EXPECT_EQ(run_words({"pattern", "test", "{", "{}"}).code, exit_usage);
}

/// What EventBridge's form adds to a seed event when it is handed out, rules never see.
TEST(PatternTest, SeesASeedEventAsTheBusDoes) {
    for (const char* const made_up : {"account", "region", "time", "version", "resources"}) {
        const std::string pattern = "{\"" + std::string(made_up) + R"(":[{"exists":true}]})";
        EXPECT_EQ(run_words({"pattern", "test", pattern.c_str(),
                             R"({"eventType": "t", "source": "s", "userId": "u", "data": {}})"})
                      .out,
                  "no\n")
            << made_up;
    }
}

TEST(PatternTest, ExplainsFieldByField) {
    const Ran no = run_words(
        {"pattern", "explain",
         R"({"source":["s","t"],"detail":{"size":[{"numeric":[">",5]}],"tags":["a"],"gone":["x"],"old":[{"exists":false}]}})",
         R"({"source":"s","detail-type":"t","detail":{"size":5,"tags":["b","a"],"gone":{},"old":1}})"});
    EXPECT_EQ(no.code, exit_no);
    EXPECT_EQ(no.out,
              "no\n"
              "FIELD        WANTED               THERE                 RESULT\n"
              "detail.gone  \"x\"                                        an object or array, no "
              "value\n"
              "detail.old   {\"exists\":false}     1                     must be absent\n"
              "detail.size  {\"numeric\":[\">\",5]}  5                     differs\n"
              "detail.tags  \"a\"                  \"a\" (/detail/tags/1)  met\n"
              "source       \"s\" or \"t\"           \"s\"                   met\n");

    const Ran ways =
        run_words({"pattern", "explain", R"({"$or":[{"a":{"b":[1],"c":[1]}},{"d":[1]}]})",
                   R"({"a":[{"b":1},{"c":1}],"d":1})"});
    EXPECT_EQ(ways.code, exit_yes);
    EXPECT_EQ(ways.out,
              "yes\n\n"
              "with /$or/0: no\n"
              "FIELD  WANTED  THERE       RESULT\n"
              "a.b    1       1 (/a/0/b)  met\n"
              "a.c    1       1 (/a/1/c)  not in one element with a.b\n"
              "\n"
              "with /$or/1: yes\n"
              "FIELD  WANTED  THERE  RESULT\n"
              "d      1       1      met\n");
}

TEST(PatternTest, ExplainsInEveryForm) {
    const auto in = [](const char* form) {
        return run_words({"pattern", "explain", R"({"a":["x"]})", R"({"a":"y"})", "-o", form}).out;
    };
    EXPECT_EQ(in("jsonl"),
              R"({"matches":false,"verdict":"no","ways":[{"branches":[],"verdict":"no","fields":[)"
              R"({"path":"a","verdict":"differs","wanted":["x"],"values":[{"at":"/a","value":"y",)"
              R"("cut":false,"fits":false,"chosen":false}],"valueCount":1,"container":false,)"
              R"("apartFrom":[]}]}],"wayCount":1})"
              "\n");
    EXPECT_EQ(json::Value::parse(in("json")).value().text() + "\n", in("jsonl"));
    EXPECT_EQ(in("csv"),
              "branches,path,wanted,there,result\r\n"
              ",a,\"\"\"x\"\"\",\"\"\"y\"\"\",differs\r\n");
}

TEST(PatternTest, ChecksSayEveryFaultInAwsWords) {
    EXPECT_EQ(run_words({"pattern", "check", R"({"a": [1]})"}).code, exit_yes);
    EXPECT_THAT(run_words({"pattern", "check", R"({"a": [1]})"}).err, IsEmpty());
    const Ran own_name = run_words({"pattern", "check", R"({"eventType": ["order.placed"]})"});
    EXPECT_EQ(own_name.code, exit_yes) << "it is a pattern, of somebody else's events perhaps";
    EXPECT_THAT(own_name.err, HasSubstr("`eventType`: a pattern finds it as `detail-type`"));
    const Ran bad = run_words({"pattern", "check", R"({"a":[],"b":1})"});
    EXPECT_EQ(bad.code, exit_no);
    EXPECT_THAT(bad.out, IsEmpty());
    EXPECT_THAT(
        bad.err,
        AllOf(HasSubstr("Event pattern is not valid. Reason: Empty arrays are not allowed\n "
                        "at [Source: (String)\"{\"a\":[],\"b\":1}\"; line: 1, column: 8]"),
              HasSubstr("Reason: \"b\" must be an object or an array\n at [Source: "
                        "(String)\"{\"a\":[],\"b\":1}\"; line: 1, column: 14]")));
    const Ran json = run_words({"pattern", "check", R"({"a":[]})", "-o", "jsonl"});
    EXPECT_EQ(json.code, exit_no);
    EXPECT_EQ(
        json.out,
        R"({"valid":false,"faults":["Event pattern is not valid. Reason: Empty arrays are not)"
        R"( allowed\n at [Source: (String)\"{\"a\":[]}\"; line: 1, column: 8]"]})"
        "\n");
    EXPECT_EQ(run_words({"pattern", "check", R"({"source":["*"],"detail_type":["t"]})", "--dialect",
                         "routing", "-o", "jsonl"})
                  .out,
              R"({"valid":true,"faults":[]})"
              "\n");
    EXPECT_EQ(run_words({"pattern", "check", "{}", "--dialect", "other"}).code, exit_usage);
}

TEST(PatternTest, TellsOfBothWhenBothAreWrong) {
    const Ran ran = run_words({"pattern", "explain", R"({"a":[],"b":1})", "{"});
    EXPECT_EQ(ran.code, exit_usage);
    EXPECT_THAT(ran.err,
                AllOf(HasSubstr("pattern: Event pattern is not valid. Reason: Empty arrays"),
                      HasSubstr("pattern: Event pattern is not valid. Reason: \"b\" must"),
                      HasSubstr("event: line 1, column 2")));
    EXPECT_EQ(run_words({"pattern", "test", "@no-such-file", "{}"}).code, exit_usage);
}

// ---- parts

TEST(TableTest, AlignsByCharactersAndCutsLongCells) {
    Table table({"A", "B"});
    table.align_right(1);
    table.add({"ä", "10"});
    table.add({"bb", "5\n"});
    EXPECT_EQ(table.text(), "A    B\nä   10\nbb  5\n");
    Table wide({"A", "B"});
    wide.add({std::string(100, 'x'), std::string(100, 'y')});
    EXPECT_EQ(wide.text(), "A" + std::string(61, ' ') + "B\n" + std::string(59, 'x') + "…  " +
                               std::string(100, 'y') + "\n");
}

TEST(TableTest, CsvQuotesOnlyWhatNeedsIt) {
    EXPECT_EQ(csv_line({"a", "b,c", "d\"e", ""}), "a,\"b,c\",\"d\"\"e\",\r\n");
}

TEST(OutputTest, ShowsListsInEveryForm) {
    const json::Value list =
        json::Value::parse(
            R"([{"id": "1", "n": 1.10, "createdAt": 1706702400000, "tags": ["x", "y"]}, {"id": "2", "n": null}])")
            .value();
    const std::vector<Column> columns = {
        {"ID", "/id"}, {"N", "/n", true}, {"CREATED", "/createdAt"}, {"TAGS", "/tags"}};
    EXPECT_EQ(
        rendered_list(list.items(), columns, Output::table),
        "ID     N  CREATED                   TAGS\n1   1.10  2024-01-31T12:00:00.000Z  x, y\n2\n");
    EXPECT_EQ(rendered_list(list.items(), columns, Output::csv),
              "id,n,createdAt,tags\r\n1,1.10,1706702400000,\"x, y\"\r\n2,,,\r\n");
    EXPECT_EQ(rendered_list(list.items(), columns, Output::jsonl),
              "{\"id\":\"1\",\"n\":1.10,\"createdAt\":1706702400000,\"tags\":[\"x\",\"y\"]}\n{"
              "\"id\":\"2\",\"n\":null}\n");
    EXPECT_EQ(json::Value::parse(rendered_list(list.items(), columns, Output::json)).value(), list);
}

TEST(OutputTest, ShowsTimesInUtc) {
    EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(utc_text(1706745599999), "2024-01-31T23:59:59.999Z");
}

TEST(ChainTest, EffectsStandBelowTheirCause) {
    const auto events =
        json::Value::parse(
            R"([{"event": {"eventId": "a", "eventType": "A"}, "parent": null}, {"event": {"eventId": "b", "eventType": "B"}, "parent": "a"},)"
            R"({"event": {"eventId": "c", "eventType": "C"}, "parent": "a"}, {"event": {"eventId": "d", "eventType": "D"}, "parent": "b"},)"
            R"({"event": {"eventId": "e", "eventType": "E"}, "parent": "absent"}])")
            .value();
    const std::string table = chain_table(events.items());
    std::string order;
    for (const char c : table.substr(table.find('\n'))) {
        order += c >= 'A' && c <= 'E' ? std::string(1, c) : "";
    }
    EXPECT_EQ(order, "ABDCE");
    EXPECT_THAT(table, HasSubstr("└─ B"));
    EXPECT_THAT(table, HasSubstr("   └─ D"));
}

TEST(PublishTest, MakesAnEventOfItsOptions) {
    const auto events = events_of({.type = "a.b",
                                   .source = "s",
                                   .user = "u",
                                   .data = R"({"x": {"y": 1}})",
                                   .sets = {"x.z=2.50", "t=yes"}},
                                  "");
    ASSERT_THAT(events, Succeeds());
    EXPECT_EQ(
        events->at(0),
        R"({"eventType":"a.b","source":"s","userId":"u","data":{"x":{"y":1,"z":2.50},"t":"yes"}})");
    EXPECT_THAT(events_of({.type = "a.b"}, ""),
                FailsWith(ErrorKind::invalid, HasSubstr("--source")));
    EXPECT_THAT(events_of({.type = "a", .source = "s", .sets = {"x"}}, ""),
                FailsWith(ErrorKind::invalid, HasSubstr("NAME=VALUE")));
}

TEST(PublishTest, ReadsOneEventAnArrayOrLines) {
    EXPECT_EQ(events_of({.file = "f"}, R"({"a": 1})").value().size(), 1);
    EXPECT_EQ(events_of({.file = "f"}, R"([{"a": 1}, {"a": 2}])").value().size(), 2);
    EXPECT_EQ(events_of({.file = "f"}, "{\"a\": 1}\n\n{\"a\": 2}\n").value().size(), 2);
    EXPECT_THAT(events_of({.file = "f"}, "{\"a\": 1}\n{\"a\": \n"),
                FailsWith(ErrorKind::invalid, HasSubstr("line 2")));
}

TEST(TailTest, FormatsEvents) {
    const auto event =
        json::Value::parse(
            R"({"eventId": "e", "eventType": "t", "timestamp": 0, "userId": "u", "data": {"a": 1}})")
            .value();
    EXPECT_EQ(formatted("{time} {type}/{user} {data} @{position}", "7", event).value(),
              "1970-01-01T00:00:00.000Z t/u {\"a\":1} @7");
    EXPECT_THAT(formatted("{nonsense}", "", event),
                FailsWith(ErrorKind::invalid, HasSubstr("{nonsense}")));
    EXPECT_THAT(formatted("{time", "", event), FailsWith(ErrorKind::invalid));
}

TEST(TailTest, AgesHaveUnits) {
    EXPECT_EQ(parse_age("10m").value(), 600'000);
    EXPECT_EQ(parse_age("2d").value(), 172'800'000);
    for (const char* text : {"", "10", "m", "-1m", "10 m"}) {
        EXPECT_THAT(parse_age(text), FailsWith(ErrorKind::invalid)) << text;
    }
}

TEST(ServerSentEventsTest, JoinsPiecesAndLines) {
    ServerSentEvents events;
    EXPECT_THAT(events.take(": hello\n\nid: 1\neve"), IsEmpty());
    const auto first = events.take("nt: event\r\ndata: {\"a\":\ndata: 1}\n\ndata: x\n\nid");
    ASSERT_EQ(first.size(), 2);
    EXPECT_EQ(first[0].id, "1");
    EXPECT_EQ(first[0].event, "event");
    EXPECT_EQ(first[0].data, "{\"a\":\n1}");
    EXPECT_EQ(first[1].id, "1") << "the last id stays";
    EXPECT_EQ(first[1].data, "x");
}

TEST(CompletionTest, KnowsNounsAndTheirVerbs) {
    const Ran ran = run_words({"completion", "bash"});
    EXPECT_EQ(ran.code, exit_yes);
    EXPECT_THAT(ran.out, HasSubstr("accounts"));
    EXPECT_THAT(ran.out, HasSubstr("pause"));
    EXPECT_THAT(run_words({"completion", "fish"}).out, HasSubstr("__fish_use_subcommand"));
}

}  // namespace
}  // namespace bascule::cli
