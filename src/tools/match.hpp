// MatchRule: when two answers to one question count as the same answer.
//
// Why      A quorum needs equal answers. For most tools that means equal values; a thermometer, a
// list
//          of files in no order or a reply with a time stamp in it needs a rule of its own.
// Holds    The rule is part of the contract, so that all who judge an answer use the same one.
// Groups
//          do not depend on the order in which the answers came.
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "model/ids.hpp"
#include "tools/json.hpp"

namespace creto {

/// Equal values.
struct MatchExact {
    friend bool operator==(const MatchExact&, const MatchExact&) = default;
};
/// The number that the pointer names is within `distance` of the lower median of all answers'
/// numbers. What else an answer holds is not compared. Answers without such a number match exactly.
struct MatchTolerance {
    Decimal distance;     ///< Not negative.
    std::string pointer;  ///< JSON Pointer; empty for an answer that is itself the number.
    friend bool operator==(const MatchTolerance&, const MatchTolerance&) = default;
};
/// Equal values at these places; being absent is a value too.
struct MatchFields {
    std::vector<std::string> pointers;  ///< JSON Pointers, ascending, distinct.
    friend bool operator==(const MatchFields&, const MatchFields&) = default;
};
/// Texts with the same set of lines, in any order; other answers match exactly.
struct MatchLines {
    friend bool operator==(const MatchLines&, const MatchLines&) = default;
};

/// Answers that are not equal are the same when a panel of judges says so: providers of the tool with
/// this very contract (tools/judge.hpp).
struct MatchJudge {
    std::string tool;
    ContractId contract;
    friend bool operator==(const MatchJudge&, const MatchJudge&) = default;
};

using MatchRule = std::variant<MatchExact, MatchTolerance, MatchFields, MatchLines, MatchJudge>;

struct AnswerGroup {
    std::vector<std::size_t> members;  ///< Places among the answers, ascending.
    /// The answer that stands for the group: the median, or the least of the values.
    std::size_t representative = 0;
};

/// As far as answers show it by themselves: where a judge has the last word, equal values.
/// Every answer in exactly one group; the largest group first, among equals that with the least
/// representative.
[[nodiscard]] std::vector<AnswerGroup> group_answers(
    const MatchRule& rule, std::span<const Json> answers
);

}  // namespace creto
