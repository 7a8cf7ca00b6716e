#include "foundation/json/flat.h"

#include <gmock/gmock.h>

#include "foundation/base/testing.h"

namespace bascule::json {
namespace {

Result<std::string> flat(std::string_view text) {
    const Value value = TRY(Value::parse(text));
    std::string out;
    for (const FlatEntry& entry : TRY(flattened(value, "columns"))) {
        out += entry.key + (entry.is_number ? "#" : "=") + entry.value + ";";
    }
    return out;
}

TEST(FlattenedTest, GivesAnEntryForEachScalarInTheirOrder) {
    EXPECT_EQ(flat(R"({"a":[1.50,"x\n",true,null],"columns":{"date":2,"memo":["p","q"]},"z":null,
                       "b":false})")
                  .value(),
              "a#1.50;a=x\n;a=true;columns.date#2;columns.memo=p;columns.memo=q;b=false;");
    EXPECT_EQ(flat(R"({"columns":null})").value(), "");
}

TEST(FlattenedTest, NamesWhatIsNotFlat) {
    for (const auto& [text, says] :
         {std::pair{"[1]", "must be a JSON object"},
          std::pair{R"({"a":{"b":1}})", "a: must not be an object"},
          std::pair{R"({"a":[[1]]})", "a: must be a flat list"},
          std::pair{R"({"a":[{}]})", "a: must be a flat list"},
          std::pair{R"({"columns":"x"})", "columns: must be an object"},
          std::pair{R"({"columns":{"c":{}}})", "columns.c: must not be an object"}}) {
        EXPECT_THAT(flat(text), FailsWith(ErrorKind::invalid, testing::HasSubstr(says))) << text;
    }
}

}  // namespace
}  // namespace bascule::json
