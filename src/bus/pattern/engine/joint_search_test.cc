#include "bus/pattern/engine/joint_search.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bus/pattern/engine/flattener.h"
#include "bus/pattern/pattern.h"

namespace bascule::pattern {
namespace {

using Verdict = JointSearch::Verdict;

/// A pattern's fields over an event, ready to be searched.
class Question {
  public:
    Question(std::string_view pattern, std::string event) : event_(std::move(event)) {
        const auto parsed = Pattern::parse(pattern).value();
        for (const auto& [path, terms] : parsed.compiled().alternatives.front()) {
            predicates_.emplace_back(paths_.insert(path), *terms);
        }
        root_ = paths_.publish();
        values_.begin(paths_.fields());
        flattener_.begin(*root_, values_);
        flattener_.add({.path = "", .kind = Subject::Kind::json, .content = event_});
        flattener_.finish();
    }

    Verdict ask(std::size_t steps_max = 100'000) const {
        JointSearch search;
        search.begin(values_);
        for (const Predicate& predicate : predicates_) {
            search.add(predicate);
        }
        return search.run(steps_max);
    }

    /// With the first field's i-th value chosen.
    Verdict ask_with(std::size_t i) const {
        JointSearch search;
        search.begin(values_);
        search.add_chosen(i, values_.values(predicates_.front().field)[i].place);
        for (std::size_t field = 1; field < predicates_.size(); ++field) {
            search.add(predicates_[field]);
        }
        return search.run(100'000);
    }

  private:
    std::string event_;
    PathTrie paths_;
    std::vector<Predicate> predicates_;
    std::shared_ptr<const PathNode> root_;
    EventValues values_;
    Flattener flattener_;
};

TEST(JointSearchTest, WantsOneElementOfEachArray) {
    constexpr auto pattern = R"({"p":{"a":["x"],"b":["y"]}})";
    EXPECT_EQ(Question(pattern, R"({"p":[{"a":"x"},{"a":"x","b":"y"}]})").ask(), Verdict::found);
    EXPECT_EQ(Question(pattern, R"({"p":[{"a":"x"},{"b":"y"}]})").ask(), Verdict::never);
    EXPECT_EQ(Question(pattern, R"({"p":[[{"a":"x"},{"b":"y"}],[]]})").ask(), Verdict::never);
}

TEST(JointSearchTest, JoinsDifferentArraysOfOneElement) {
    constexpr auto pattern = R"({"p":{"a":{"v":["x"]},"b":{"v":["y"]}}})";
    EXPECT_EQ(
        Question(pattern, R"({"p":[{"a":[{"v":"x"}]},{"a":[{"v":"x"}],"b":[{"v":"y"}]}]})").ask(),
        Verdict::found);
    EXPECT_EQ(Question(pattern, R"({"p":[{"a":[{"v":"x"}]},{"b":[{"v":"y"}]}]})").ask(),
              Verdict::never);
}

TEST(JointSearchTest, AbsenceIsRelativeToWhatWasChosenBefore) {
    constexpr auto pattern = R"({"p":{"a":["x"],"z":[{"exists":false}]}})";
    EXPECT_EQ(Question(pattern, R"({"p":[{"a":"x"},{"z":1}]})").ask(), Verdict::found);
    EXPECT_EQ(Question(pattern, R"({"p":[{"a":"x","z":1},{"a":"x","z":2}]})").ask(),
              Verdict::never);
    EXPECT_EQ(
        Question(R"({"p":{"a":[{"exists":false}],"z":[1]}})", R"({"p":[{"a":"x"},{"z":1}]})").ask(),
        Verdict::never)
        << "a comes before z, when nothing is chosen yet";
}

TEST(JointSearchTest, SaysWhetherAnotherChoiceCouldHelp) {
    const Question question(R"({"p":{"a":["x"],"b":["y"]}})",
                            R"({"p":[{"a":"x"},{"a":"x","b":"y"}]})");
    EXPECT_EQ(question.ask_with(0), Verdict::none);
    EXPECT_EQ(question.ask_with(1), Verdict::found);
    EXPECT_EQ(
        Question(R"({"p":{"a":["x"],"b":["y"]}})", R"({"p":[{"a":"x","b":"n"}]})").ask_with(0),
        Verdict::never);
}

/// Two arrays of a thousand elements: what cannot be joined is not tried one by one, and a field
/// that has nothing to do with the failure is not chosen again and again.
TEST(JointSearchTest, DoesNotTryWhatCannotMatter) {
    std::string p;
    std::string q;
    for (int i = 0; i < 1000; ++i) {
        p += std::string(i > 0 ? "," : "") + (i % 2 == 0 ? R"({"a":"x"})" : R"({"c":"y"})");
        q += std::string(i > 0 ? "," : "") + R"({"b":"x"})";
    }
    const Question question(R"({"o":{"b":["x"]},"p":{"a":["x"],"c":["y"]},"q":{"b":["x"]}})",
                            R"({"o":[)" + q + R"(],"p":[)" + p + R"(],"q":[)" + q + "]}");
    EXPECT_EQ(question.ask(20'000), Verdict::never);
}

TEST(JointSearchTest, GivesUp) {
    const Question question(R"({"p":{"a":["x"],"b":["y"]}})", R"({"p":[{"a":"x"},{"b":"y"}]})");
    EXPECT_EQ(question.ask(1), Verdict::given_up);
    EXPECT_EQ(question.ask(20), Verdict::never);
}

/// Whether two places can be joined is seen by climbing out of all arrays around both.
TEST(JointSearchTest, CountsTheArraysThatItClimbs) {
    const std::string open(200, '[');
    const std::string close(200, ']');
    const Question question(R"({"x":{"a":[1]},"y":{"b":[1]}})",
                            R"({"x":)" + open + R"({"a":1})" + close + R"(,"y":)" + open +
                                R"({"b":2},{"b":1})" + close + "}");
    EXPECT_EQ(question.ask(390), Verdict::given_up);
    EXPECT_EQ(question.ask(900), Verdict::found);
}

}  // namespace
}  // namespace bascule::pattern
