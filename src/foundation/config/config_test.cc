#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "foundation/config/node.h"
#include "foundation/config/reader.h"

namespace bascule::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

Node parsed(std::string_view text) {
    auto node = parse_yaml(text, "bascule.yaml");
    EXPECT_THAT(node, Succeeds());
    return node ? *node : Node{};
}

TEST(ParseYamlTest, KeepsPlacesOfKeysAndValues) {
    const Node root = parsed("server:\n  listen: 127.0.0.1:4010\nbus:\n  limits:\n    a: [1, 2]\n");
    const Node* listen = root.find("server")->find("listen");
    EXPECT_EQ(listen->scalar, "127.0.0.1:4010");
    EXPECT_EQ(listen->path, "server.listen");
    EXPECT_EQ(text(listen->origin), "bascule.yaml:2");
    EXPECT_EQ(root.find("bus")->find("limits")->find("a")->items[1].path, "bus.limits.a[1]");
}

TEST(ParseYamlTest, SaysWhereTheTextBreaks) {
    EXPECT_THAT(parse_yaml("a: 1\nb: [1, 2\n", "x.yaml"),
                FailsWith(ErrorKind::invalid, HasSubstr("x.yaml:3")));
    EXPECT_THAT(parse_yaml("a: 1\na: 2\n", "x.yaml"),
                FailsWith(ErrorKind::invalid, HasSubstr("x.yaml:2: 'a' stands twice")));
}

TEST(ParseYamlTest, RefusesEndlessDepth) {
    EXPECT_THAT(parse_yaml(std::string(200, '[') + std::string(200, ']'), "x.yaml"),
                FailsWith(ErrorKind::invalid, HasSubstr("64 levels")));
}

TEST(ToJsonTest, KeepsNumbersDigitForDigitAndQuotedTextsAsTexts) {
    EXPECT_EQ(to_json(parsed("a: [1.10, \"2\", true, x\"y, 007, ~]\n")),
              R"({"a":[1.10,"2",true,"x\"y","007",null]})");
}

TEST(SetValueTest, OverridesFileAndMakesSections) {
    Node root = parsed("server:\n  listen: a\n");
    ASSERT_THAT(set_value(root, "server.listen", "b", {.source = "flag --set"}), Succeeds());
    ASSERT_THAT(set_value(root, "bus.sync", "true", {.source = "flag --set"}), Succeeds());
    EXPECT_EQ(root.find("server")->find("listen")->scalar, "b");
    EXPECT_EQ(text(root.find("bus")->find("sync")->origin), "flag --set");
    EXPECT_THAT(set_value(root, "server.listen.port", "1", {.source = "flag --set"}),
                FailsWith(ErrorKind::invalid, HasSubstr("'server.listen' is not a section")));
}

TEST(ReaderTest, ReadsTypesWithDefaultsAndSaysWhereTheyComeFrom) {
    const Node root = parsed("wait: 250ms\nsize: 8MiB\non: yes\ncount: 7\n");
    Problems problems;
    Ledger ledger;
    Reader reader(&root, "", problems, &ledger);
    EXPECT_EQ(reader.duration("wait", 0ms).count(), 250);
    EXPECT_EQ(reader.bytes("size", 0), 8u << 20);
    EXPECT_TRUE(reader.flag("on", false));
    EXPECT_EQ(reader.integer("count", 1, {0, 10}), 7);
    EXPECT_EQ(reader.text("name", "none"), "none");
    reader.finish();
    EXPECT_TRUE(problems.empty());
    EXPECT_EQ(ledger.back().origin, "default");
    EXPECT_EQ(ledger.front().origin, "bascule.yaml:1");
}

TEST(ReaderTest, NamesFileLineFieldAndWhatIsAllowed) {
    const Node root = parsed("count: 99\nwait: soon\nmode: odd\nconcurency: 3\n");
    Problems problems;
    Reader reader(&root, "", problems);
    constexpr std::string_view modes[] = {"collect", "last"};
    reader.integer("count", 1, {0, 10});
    reader.duration("wait", 0ms);
    reader.choice("mode", "last", modes);
    reader.integer("concurrency", 1, {1, 9});
    reader.finish();
    EXPECT_THAT(
        problems.messages(),
        ElementsAre(HasSubstr("bascule.yaml:1: count: is '99'; a whole number from 0 to 10"),
                    HasSubstr("bascule.yaml:2: wait: is 'soon'; a duration such as"),
                    HasSubstr("bascule.yaml:3: mode: is 'odd'; allowed are collect, last"),
                    HasSubstr("concurency: is not a setting; did you mean 'concurrency'?")));
}

struct DurationCase {
    const char* text;
    std::int64_t ms;  // -1: not a duration
};

TEST(ParseDurationTest, TakesWholeNumbersWithAUnit) {
    for (const auto& [text, ms] :
         {DurationCase{"0", 0}, DurationCase{"1ms", 1}, DurationCase{"15m", 900'000},
          DurationCase{"7d", 604'800'000}, DurationCase{"5", -1}, DurationCase{"-1s", -1},
          DurationCase{"1.5s", -1}, DurationCase{"99999999999999999d", -1}, DurationCase{"", -1}}) {
        const auto duration = parse_duration(text);
        EXPECT_EQ(duration ? duration->count() : -1, ms) << text;
        if (duration) {
            EXPECT_EQ(parse_duration(format_duration(*duration)), duration);
        }
    }
}

}  // namespace
}  // namespace bascule::config
