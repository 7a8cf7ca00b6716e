#include "bus/pattern/explain.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "foundation/base/testing.h"

namespace bascule::pattern {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Explanation explained(std::string_view pattern, std::string_view event) {
    const auto parsed = Pattern::parse(pattern);
    EXPECT_THAT(parsed, Succeeds()) << pattern;
    Subject subject;
    subject.json("", event);
    const Explanation explanation = explain(*parsed, subject);
    EXPECT_EQ(explanation.matches(), parsed->matches(subject)) << pattern << "\n" << event;
    return explanation;
}

/// One line a way: `no (/$or/1): a met /a=1!; b differs /b/0=2 /b/1=3+`; `+` fits, `!` is chosen.
std::string told(const Explanation& explanation) {
    std::string lines;
    for (const Explanation::Way& way : explanation.ways) {
        lines += (lines.empty() ? "" : "\n") + std::string(name(way.verdict));
        for (const std::string& branch : way.branches) {
            lines += " (" + branch + ")";
        }
        std::string separator = ": ";
        for (const Explanation::Field& field : way.fields) {
            lines += separator + field.path + " " + std::string(name(field.verdict));
            lines += field.is_container ? " (container)" : "";
            for (const Explanation::Value& value : field.values) {
                lines += " " + value.at + "=" + value.json;
                lines += value.is_chosen ? "!" : value.fits ? "+" : "";
            }
            for (const std::string& other : field.apart_from) {
                lines += " apart from " + other;
            }
            separator = "; ";
        }
    }
    return lines;
}

TEST(ExplainTest, TellsOfEachFieldWhatWasThereAndHowItFared) {
    const struct {
        const char* claim;
        std::string_view pattern;
        std::string_view event;
        std::string_view told;
    } cases[] = {
        {"exact", R"({"a":["x"]})", R"({"a":"x"})", R"(yes: a met /a="x"!)"},
        {"exact differs", R"({"a":["x","y"]})", R"({"a":"z"})", R"(no: a differs /a="z")"},
        {"a number is no text", R"({"a":["5"]})", R"({"a":5})", "no: a differs /a=5"},
        {"numbers by value", R"({"a":[300]})", R"({"a":3e2})", "yes: a met /a=3e2!"},
        {"number differs", R"({"a":[300]})", R"({"a":301})", "no: a differs /a=301"},
        {"literals", R"({"a":[null],"b":[true]})", R"({"a":null,"b":false})",
         "no: a met /a=null!; b differs /b=false"},
        {"address", R"({"a":["10.0.0.1"]})", R"({"a":"10.0.0.01"})",
         R"(yes: a met /a="10.0.0.01"!)"},
        {"prefix", R"({"a":[{"prefix":"x"}]})", R"({"a":"xy"})", R"(yes: a met /a="xy"!)"},
        {"prefix differs", R"({"a":[{"prefix":"y"}]})", R"({"a":"xy"})",
         R"(no: a differs /a="xy")"},
        {"suffix", R"({"a":[{"suffix":"y"}]})", R"({"a":"xy"})", R"(yes: a met /a="xy"!)"},
        {"suffix differs", R"({"a":[{"suffix":"x"}]})", R"({"a":"xy"})",
         R"(no: a differs /a="xy")"},
        {"equals ignoring case", R"({"a":[{"equals-ignore-case":"XY"}]})", R"({"a":"xy"})",
         R"(yes: a met /a="xy"!)"},
        {"ignoring case differs", R"({"a":[{"equals-ignore-case":"X"}]})", R"({"a":"xy"})",
         R"(no: a differs /a="xy")"},
        {"wildcard", R"({"a":[{"wildcard":"*.png"}]})", R"({"a":"b.png"})",
         R"(yes: a met /a="b.png"!)"},
        {"wildcard differs", R"({"a":[{"wildcard":"*.png"}]})", R"({"a":"b.jpg"})",
         R"(no: a differs /a="b.jpg")"},
        {"numeric", R"({"a":[{"numeric":[">",0,"<=",5]}]})", R"({"a":5})", "yes: a met /a=5!"},
        {"numeric differs", R"({"a":[{"numeric":[">",0,"<",5]}]})", R"({"a":5})",
         "no: a differs /a=5"},
        {"cidr", R"({"a":[{"cidr":"10.0.0.0/24"}]})", R"({"a":"10.0.0.9"})",
         R"(yes: a met /a="10.0.0.9"!)"},
        {"cidr differs", R"({"a":[{"cidr":"10.0.0.0/24"}]})", R"({"a":"10.0.1.9"})",
         R"(no: a differs /a="10.0.1.9")"},
        {"anything but", R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":5})", "yes: a met /a=5!"},
        {"anything but differs", R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":"y"})",
         R"(no: a differs /a="y")"},
        {"anything but needs a value", R"({"a":[{"anything-but":"x"}]})", "{}", "no: a missing"},
        {"exists", R"({"a":[{"exists":true}]})", R"({"a":null})", "yes: a met /a=null!"},
        {"exists, but there is none", R"({"a":[{"exists":true}]})", "{}", "no: a missing"},
        {"an object is no value", R"({"a":[{"exists":true}]})", R"({"a":{"b":1}})",
         "no: a missing (container)"},
        {"an empty array is no value", R"({"a":[{"exists":true}]})", R"({"a":[]})",
         "no: a missing (container)"},
        {"absent", R"({"a":[{"exists":false}]})", R"({"b":1})", "yes: a met"},
        {"not absent", R"({"a":[{"exists":false}]})", R"({"a":1})", "no: a present /a=1"},
        {"absent or a value", R"({"a":[{"exists":false},1]})", R"({"a":1})", "yes: a met /a=1!"},
        {"missing field", R"({"a":{"b":["x"]}})", R"({"a":{"c":"x"}})", "no: a.b missing"},
        {"several fields are wrong", R"({"a":["x"],"b":[1],"c":[{"exists":true}],"d":["y"]})",
         R"({"a":"y","b":1,"d":"x"})",
         R"(no: a differs /a="y"; b met /b=1!; c missing; d differs /d="x")"},
        {"names with points and slashes", R"({"a.b":{"c/d~":[1]}})", R"({"a":{"b.c/d~":1}})",
         "yes: a.b.c/d~ met /a/b.c~1d~0=1!"},
        {"any element", R"({"a":["x"]})", R"({"a":["y",["x"]]})",
         R"(yes: a met /a/0="y" /a/1/0="x"!)"},
        {"no element", R"({"a":["x"]})", R"({"a":["y",["z"]]})",
         R"(no: a differs /a/0="y" /a/1/0="z")"},
        {"elements of one object", R"({"a":{"b":["x"],"c":[2]}})",
         R"({"a":[{"b":"x","c":1},{"b":"x","c":2}]})",
         R"(yes: a.b met /a/0/b="x"+ /a/1/b="x"!; a.c met /a/0/c=1 /a/1/c=2!)"},
        {"elements of different objects", R"({"a":{"b":["x"],"c":[2]},"d":[1]})",
         R"({"a":[{"b":"x","c":1},{"b":"y","c":2}],"d":1})",
         R"(no: a.b met /a/0/b="x"! /a/1/b="y"; a.c elsewhere /a/0/c=1 /a/1/c=2+ apart from a.b; d met /d=1!)"},
        {"three fields, of which two clash", R"({"a":{"b":[1],"c":[1],"d":[1]}})",
         R"({"a":[{"b":1,"c":1},{"b":1,"d":1},{"c":1}]})",
         "no: a.b met /a/0/b=1! /a/1/b=1+; a.c met /a/0/c=1! /a/2/c=1+; a.d elsewhere /a/1/d=1+ "
         "apart from a.c"},
        {"three fields that clash only together", R"({"a":{"b":[1],"c":[1],"d":[1]}})",
         R"({"a":[{"b":1,"c":1},{"b":1,"d":1},{"c":1,"d":1}]})",
         "no: a.b met /a/0/b=1! /a/1/b=1+; a.c met /a/0/c=1! /a/2/c=1+; a.d elsewhere /a/1/d=1+ "
         "/a/2/d=1+ apart from a.b apart from a.c"},
        {"absent in the element", R"({"a":{"b":["x"],"z":[{"exists":false}]}})",
         R"({"a":[{"b":"x"},{"b":"y","z":1}]})",
         R"(yes: a.b met /a/0/b="x"! /a/1/b="y"; a.z met /a/1/z=1)"},
        {"not absent in the element", R"({"a":{"b":["x"],"z":[{"exists":false}]}})",
         R"({"a":[{"b":"x","z":1},{"b":"y"}]})",
         R"(no: a.b met /a/0/b="x"! /a/1/b="y"; a.z present /a/0/z=1 apart from a.b)"},
        {"several fields are in the way",
         R"({"a":[{"exists":false}],"b":{"c":[1],"d":[1]},"e":[{"exists":false}],"f":[1]})",
         R"({"a":1,"b":[{"c":1},{"d":1}],"e":1,"f":1})",
         "no: a present /a=1; b.c met /b/0/c=1!; b.d elsewhere /b/1/d=1+ apart from b.c; e present "
         "/e=1; f met /f=1!"},
        {"the last of equal names", R"({"a":["x"],"a":["y"]})", R"({"a":"x","a":"y"})",
         R"(yes: a met /a="x" /a="y"!)"},
        {"or", R"({"a":[1],"$or":[{"b":[1]},{"c":[1]}]})", R"({"a":1,"c":1})",
         "no (/$or/0): a met /a=1!; b missing\nyes (/$or/1): a met /a=1!; c met /c=1!"},
        {"or replaces a field", R"({"a":[1],"$or":[{"a":[2]},{"b":[1]}]})", R"({"a":2,"b":1})",
         "yes (/$or/0): a met /a=2!\nno (/$or/1): a differs /a=2; b met /b=1!"},
        {"or inside or", R"({"d":{"$or":[{"$or":[{"a":[1]},{"b":[1]}]},{"c":[1]}]}})",
         R"({"d":{"b":1}})",
         "no (/d/$or/0) (/d/$or/0/$or/0): d.a missing\nyes (/d/$or/0) (/d/$or/0/$or/1): d.b met "
         "/d/b=1!\nno (/d/$or/1): d.c missing"},
        {"two ors", R"({"$or":[{"a":[1]},{"b":[1]}],"x":{"$or":[{"c":[1]},{"d":[1]}]}})",
         R"({"b":1,"x":{"d":1}})",
         "no (/$or/0) (/x/$or/0): a missing; x.c missing\nno (/$or/1) (/x/$or/0): b met /b=1!; x.c "
         "missing\nno (/$or/0) (/x/$or/1): a missing; x.d met /x/d=1!\nyes (/$or/1) (/x/$or/1): b "
         "met /b=1!; x.d met /x/d=1!"},
        {"what is no JSON has no members", R"({"a":[1]})", R"({"a":1)", "no: a missing"},
    };
    for (const auto& row : cases) {
        EXPECT_EQ(told(explained(row.pattern, row.event)), row.told) << row.claim;
    }
}

TEST(ExplainTest, WritesTermsAsEventBridgeDoes) {
    const auto wanted = [](std::string_view term, Dialect dialect = Dialect::eventbridge) {
        const auto pattern = Pattern::parse("{\"a\":[" + std::string(term) + "]}", dialect);
        EXPECT_THAT(pattern, Succeeds()) << term;
        return explain(*pattern, Subject()).ways.at(0).fields.at(0).wanted.at(0);
    };
    for (const char* const term : {R"("x\"é")",
                                   "5.0",
                                   "true",
                                   "null",
                                   R"("10.0.0.1")",
                                   R"({"exactly":"10.0.0.1"})",
                                   R"({"prefix":"x"})",
                                   R"({"prefix":{"equals-ignore-case":"x"}})",
                                   R"({"suffix":""})",
                                   R"({"suffix":{"equals-ignore-case":"x"}})",
                                   R"({"equals-ignore-case":"x"})",
                                   R"({"wildcard":"*a\\*b\\\\*"})",
                                   R"({"numeric":["=",5]})",
                                   R"({"numeric":[">",5]})",
                                   R"({"numeric":["<=",5]})",
                                   R"({"numeric":[">=",5,"<",1e2]})",
                                   R"({"exists":true})",
                                   R"({"exists":false})",
                                   R"({"cidr":"10.0.0.0/24"})",
                                   R"({"cidr":"2001:db8:0:0:0:0:0:0/32"})",
                                   R"({"anything-but":"x"})",
                                   R"({"anything-but":["x","y"]})",
                                   R"({"anything-but":[5,6]})",
                                   R"({"anything-but":{"prefix":"x"}})",
                                   R"({"anything-but":{"suffix":["x","y"]}})",
                                   R"({"anything-but":{"wildcard":["*a*","\\*"]}})",
                                   R"({"anything-but":{"equals-ignore-case":"x"}})"}) {
        EXPECT_EQ(wanted(term), term);
    }
    EXPECT_EQ(wanted(R"({"exactly":"x"})"), R"("x")");
    EXPECT_EQ(wanted(R"("*")", Dialect::routing), R"({"exists":true})");
    EXPECT_EQ(wanted(R"({"cidr":"::ffff:a00:0/8"})"), R"({"cidr":"10.0.0.0/8"})");
}

TEST(ExplainTest, MeetsWhatASubjectMounts) {
    Subject subject;
    subject.text("source", "s").number("detail.timestamp", 5).json("detail.data", R"({"a":[1,2]})");
    const auto pattern =
        Pattern::parse(R"({"source":["s"],"detail":{"timestamp":[5],"data":{"a":[2]}}})");
    ASSERT_THAT(pattern, Succeeds());
    EXPECT_EQ(told(explain(*pattern, subject)),
              R"(yes: detail.data.a met /detail/data/a/0=1 /detail/data/a/1=2!; )"
              R"(detail.timestamp met /detail/timestamp=5!; source met /source="s"!)");
}

TEST(ExplainTest, ShowsTheBeginningOfMuch) {
    std::string items;
    for (int i = 0; i < 100; ++i) {
        items += std::to_string(i) + ",";
    }
    const auto many = explained(R"({"a":[98]})", "{\"a\":[" + items + "98]}");
    const Explanation::Field& field = many.ways.at(0).fields.at(0);
    EXPECT_EQ(field.value_count, 101u);
    ASSERT_THAT(field.values, SizeIs(Explanation::values_max + 1));
    EXPECT_EQ(field.values.back().at, "/a/98");
    EXPECT_TRUE(field.values.back().is_chosen);

    const std::string text = std::string(199, 'x') + "é";
    const auto value = [](const Explanation& explanation) {
        return explanation.ways.at(0).fields.at(0).values.at(0);
    };
    const auto cut = value(explained(R"({"a":["x"]})", "{\"a\":\"" + text + "\"}"));
    EXPECT_TRUE(cut.is_cut);
    EXPECT_EQ(cut.json, "\"" + std::string(199, 'x') + "\"");
    const auto digits = value(explained(R"({"a":["x"]})", "{\"a\":" + std::string(201, '1') + "}"));
    EXPECT_TRUE(digits.is_cut);
    EXPECT_EQ(digits.json, "\"" + std::string(200, '1') + "\"") << "no number that is another one";
}

/// 32 ways; the last is the only one that matches, and is shown although there is no room.
TEST(ExplainTest, ShowsTheWayThatMatches) {
    std::string pattern = "{";
    for (int i = 0; i < 5; ++i) {
        const std::string name = "n" + std::to_string(i);
        pattern += (i == 0 ? "\"" : ",\"") + name + R"(":{"$or":[{"a":[1]},{"b":[1]}]})";
    }
    std::string event = "{";
    for (int i = 0; i < 5; ++i) {
        event += (i == 0 ? "\"n" : ",\"n") + std::to_string(i) + R"(":{"b":1})";
    }
    const Explanation explanation = explained(pattern + "}", event + "}");
    EXPECT_EQ(explanation.way_count, 32u);
    ASSERT_THAT(explanation.ways, SizeIs(Explanation::ways_max));
    EXPECT_THAT(explanation.ways.back().branches,
                ElementsAre("/n0/$or/1", "/n1/$or/1", "/n2/$or/1", "/n3/$or/1", "/n4/$or/1"));
    EXPECT_EQ(explanation.ways.back().verdict, Explanation::Verdict::yes);
}

/// An element of each of eight arrays is chosen when the last field finds that the first choice was
/// wrong: 40^8 choices.
TEST(ExplainTest, SaysInBoundedTimeThatItDoesNotKnow) {
    std::string pattern = "{";
    std::string event = "{";
    for (int i = 0; i < 8; ++i) {
        const std::string name = "a" + std::string(static_cast<std::size_t>(i), '-');
        pattern += (i == 0 ? "\"" : ",\"") + name + "\":[1],\"" + name + ".x\":[1]";
        event += (i == 0 ? "\"" : ",\"") + name + "\":[";
        for (int element = 0; element < 40; ++element) {
            event +=
                std::string(element == 0 ? "" : ",") + "[1,{\"x\":" + (i == 0 ? "2" : "1") + "}]";
        }
        event += i == 0 ? R"(,[{"x":1}]])" : "]";
    }
    const auto parsed = Pattern::parse(pattern + "}");
    ASSERT_THAT(parsed, Succeeds());
    const std::string text = event + "}";
    Subject subject;
    subject.json("", text);
    const auto begin = std::chrono::steady_clock::now();
    const Explanation explanation = explain(*parsed, subject);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
    EXPECT_EQ(explanation.ways.at(0).verdict, Explanation::Verdict::undecided) << told(explanation);
    EXPECT_EQ(explanation.verdict, Explanation::Verdict::no) << "a matcher knows";
}

/// Half of the fields lie in one element, each of the others in one of its own, and one has arrays
/// by the thousands around its values: whatever is done for each field with each of these is
/// counted. Told by the fields for which nothing was left.
TEST(ExplainTest, CountsTheArraysThatAreLookedThrough) {
    constexpr int fields = 100;
    const auto member = [](int i) {
        const std::string digits = std::to_string(i);
        return "\"f" + std::string(3 - digits.size(), '0') + digits + "\":";
    };
    std::string arrays;
    for (int i = 0; i < 2'000; ++i) {
        arrays += R"(,[["y"]])";
    }
    std::string pattern;
    std::string together;
    std::string others;
    for (int i = 0; i < fields; ++i) {
        pattern += (i > 0 ? "," : "") + member(i) + R"(["x"])";
        if (i < fields / 2) {
            together += (i > 0 ? "," : "") + member(i) +
                        (i == fields / 4 ? R"(["x")" + arrays + "]" : R"("x")");
        } else {
            others += ",{" + member(i) + R"("x"})";
        }
    }
    const auto explanation =
        explained(R"({"p":{)" + pattern + "}}", R"({"p":[{)" + together + "}" + others + "]}");
    EXPECT_EQ(explanation.verdict, Explanation::Verdict::no);
    std::size_t apart = 0;
    std::size_t undecided = 0;
    for (const Explanation::Field& field : explanation.ways.at(0).fields) {
        apart += field.verdict == Explanation::Field::Verdict::elsewhere ? 1 : 0;
        undecided += field.verdict == Explanation::Field::Verdict::undecided ? 1 : 0;
        EXPECT_LE(field.apart_from.size(), Explanation::apart_from_max);
    }
    EXPECT_GE(apart, 1U);
    EXPECT_GE(undecided, 40U);
}

/// Each value has the arrays around it of its own.
TEST(ExplainTest, CountsTheArraysAroundEachValue) {
    const auto pattern = Pattern::parse(R"({"a":{"b":[1]},"c":[1]})");
    ASSERT_THAT(pattern, Succeeds());
    std::string event = R"({"c":1,"a":)" + std::string(800, '[');
    for (int i = 0; i < 4'000; ++i) {
        event += std::string(i > 0 ? "," : "") + R"({"b":1})";
    }
    event += std::string(800, ']') + "}";
    Subject subject;
    subject.json("", event);
    const Explanation told = explain(*pattern, subject);
    EXPECT_EQ(told.ways.at(0).verdict, Explanation::Verdict::undecided);
    EXPECT_EQ(told.verdict, Explanation::Verdict::yes) << "a matcher knows";
}

/// Goal: whoever asks why is never told the opposite of what the bus does.
TEST(ExplainTest, TheVerdictIsAMatchersWhereTheWaysAreTooMany) {
    const auto pattern =
        Pattern::parse(R"({"a":{"b":[{"numeric":[">",5]}],"c":[{"numeric":["<",3]}]}})");
    ASSERT_THAT(pattern, Succeeds());
    for (const bool fits : {true, false}) {
        std::string event = R"({"a":[)";
        for (int i = 0; i < 1000; ++i) {
            event += R"({"b":)" + std::to_string(i) + R"(,"c":)" + std::to_string(i + 9) + "},";
        }
        event += fits ? R"({"b":10,"c":1}]})" : R"({"b":1,"c":1}]})";
        Subject subject;
        subject.json("", event);
        EXPECT_EQ(explain(*pattern, subject).matches(), fits);
    }
}

/// Goal: a short pattern and a short event get no long answer, though every way tells of every
/// field and a pointer is as long as the event is deep.
TEST(ExplainTest, LeavesOutValuesThatWouldTakeTooMuch) {
    constexpr int depth = 300;
    std::string pattern = R"({"x":{"$or":[)";
    std::string event = R"({"x":)" + std::string(depth, '[') + R"({"z":[0])";
    for (int i = 0; i < 16; ++i) {
        pattern += (i > 0 ? R"(,{"z":[)" : R"({"z":[)") + std::to_string(i) + "]}";
    }
    pattern += "]";
    for (int i = 0; i < 100; ++i) {
        pattern += R"(,"f)" + std::to_string(i) + R"(":[1])";
        event += R"(,"f)" + std::to_string(i) + R"(":[2,2,2,2,2,2,2,1])";
    }
    const auto told = explained(pattern + "}}", event + "}" + std::string(depth, ']') + "}");
    EXPECT_EQ(told.verdict, Explanation::Verdict::yes);
    EXPECT_EQ(told.ways.size(), 16U);
    std::size_t bytes = 0;
    for (const Explanation::Way& way : told.ways) {
        EXPECT_EQ(way.fields.size(), 101U);
        for (const Explanation::Field& field : way.fields) {
            for (const Explanation::Value& value : field.values) {
                bytes += value.at.size() + value.json.size();
            }
        }
    }
    EXPECT_LE(bytes, Explanation::bytes_max);
    EXPECT_GE(bytes, Explanation::bytes_max / 2);
    EXPECT_FALSE(told.ways.front().fields.back().values.size() == 8 &&
                 told.ways.back().fields.back().values.size() == 8);
}

}  // namespace
}  // namespace bascule::pattern
