#include "tools/match.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "tools/json_parse.hpp"

namespace creto {
namespace {

std::vector<Json> answers(std::initializer_list<const char*> texts) {
    std::vector<Json> values;
    for (const char* text : texts)
        values.push_back(parse_json(text).value());
    return values;
}

/// "members>representative" of each group: "0,2>2 1>1".
std::string drawn(const MatchRule& rule, const std::vector<Json>& values) {
    std::string text;
    for (const AnswerGroup& group : group_answers(rule, values)) {
        text += text.empty() ? "" : " ";
        for (const std::size_t& member : group.members)
            text += (&member == &group.members.front() ? "" : ",") + std::to_string(member);
        text += ">" + std::to_string(group.representative);
    }
    return text;
}

Decimal decimal(const char* text) {
    return Decimal::parse(text).value();
}

TEST(MatchRule, ExactGroupsEqualValues) {
    EXPECT_EQ(
        drawn(MatchExact{}, answers({"300", "30", "30.0", "3e1", "\"30\"", "300"})),
        "1,2,3>1 0,5>0 4>4"
    );
    EXPECT_EQ(drawn(MatchExact{}, {}), "");
    EXPECT_EQ(drawn(MatchExact{}, answers({R"({"a":1,"b":2})", R"({"b":2,"a":1})"})), "0,1>0");
}

TEST(MatchRule, ToleranceGathersAroundTheLowerMedian) {
    const MatchRule rule = MatchTolerance{.distance = decimal("0.1"), .pointer = ""};
    EXPECT_EQ(drawn(rule, answers({"20.0", "20.1", "19.9", "300"})), "0,1,2>0 3>3");
    // Four answers: the lower of the two in the middle decides.
    EXPECT_EQ(drawn(rule, answers({"1", "1.1", "1.15", "1.2"})), "0,1,2,3>1");
    EXPECT_EQ(drawn(rule, answers({"1", "1.1", "1.25", "1.3"})), "0,1>1 2>2 3>3");
    // Exactly at the distance counts, one digit further does not.
    EXPECT_EQ(drawn(rule, answers({"5", "5.1", "4.9"})), "0,1,2>0");
    EXPECT_EQ(drawn(rule, answers({"5", "5.1000000000000000000001", "4.9"})), "0,2>0 1>1");
    // Liars at both ends do not move the median out of the honest answers.
    EXPECT_EQ(drawn(rule, answers({"1e300", "7", "7.05", "-1e300", "7.02"})), "1,2,4>4 3>3 0>0");
}

TEST(MatchRule, ToleranceLooksAtItsFieldAndElseMatchesExactly) {
    const MatchRule rule = MatchTolerance{.distance = decimal("1"), .pointer = "/t"};
    EXPECT_EQ(
        drawn(rule, answers({R"({"t":5,"x":1})", R"({"t":6,"x":2})", R"({"x":1})", R"({"x":1})"})),
        "0,1>0 2,3>2"
    );
    EXPECT_EQ(drawn(rule, answers({"\"a\"", "\"a\"", "\"b\""})), "0,1>0 2>2");
}

TEST(MatchRule, ToleranceBearsNumbersTooFarApartToSubtract) {
    const MatchRule rule = MatchTolerance{.distance = decimal("1"), .pointer = ""};
    EXPECT_EQ(drawn(rule, answers({"1e9000", "1", "1e9000"})), "0,2>0 1>1");
}

TEST(MatchRule, FieldsComparesOnlyThem) {
    const MatchRule rule = MatchFields{.pointers = {"/id", "/tags/0"}};
    EXPECT_EQ(
        drawn(
            rule,
            answers(
                {R"({"id":1,"tags":["x","y"],"at":100})",
                 R"({"id":1,"tags":["x"],"at":99})",
                 R"({"id":1,"tags":[],"at":99})",
                 R"({"id":1,"tags":[null],"at":99})"}
            )
        ),
        "0,1>1 2>2 3>3"
    );
}

TEST(MatchRule, LinesComparesSets) {
    EXPECT_EQ(
        drawn(
            MatchLines{},
            answers(
                {R"("b\na\n")",
                 R"("a\r\nb")",
                 R"("a\nb\nb")",
                 R"("a")",
                 R"(["a","b"])",
                 R"([["a","b"]])"}
            )
        ),
        "0,1,2>2 3>3 4>4 5>5"
    );
}

TEST(MatchRule, GroupsDoNotDependOnTheOrderOfAnswers) {
    Prng random{3};
    const std::vector<MatchRule> rules{
        MatchExact{},
        MatchLines{},
        MatchFields{.pointers = {"/a"}},
        MatchTolerance{.distance = decimal("2"), .pointer = "/a"}};
    for (int round = 0; round < 200; ++round) {
        std::vector<Json> values;
        for (std::size_t i = 0; i < 1 + random.below(9); ++i) {
            values.emplace_back(JsonObject{
                {"a", Json{static_cast<int>(random.below(6))}},
                {"b", Json{static_cast<int>(random.below(3))}}});
        }
        std::vector<Json> shuffled = values;
        for (std::size_t i = shuffled.size(); i > 1; --i)
            std::swap(shuffled[i - 1], shuffled[random.below(i)]);
        for (const MatchRule& rule : rules) {
            const auto sizes = [&](const std::vector<Json>& list) {
                std::vector<std::pair<std::size_t, Json>> out;
                for (const AnswerGroup& group : group_answers(rule, list))
                    out.emplace_back(group.members.size(), list[group.representative]);
                return out;
            };
            ASSERT_EQ(sizes(values), sizes(shuffled));
        }
    }
}

}  // namespace
}  // namespace creto
