#include "tools/match.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace creto {

namespace {

/// What MatchFields compares: for each place the value, or nothing when there is none.
Json chosen_fields(const Json& answer, const MatchFields& rule) {
    JsonArray fields;
    for (const std::string& pointer : rule.pointers) {
        const Json* value = answer.at_pointer(pointer);
        fields.emplace_back(value ? JsonArray{*value} : JsonArray{});
    }
    return Json{std::move(fields)};
}

/// What MatchLines compares of a text. A line may end in \r\n, and the last one need not end.
Json set_of_lines(std::string_view text) {
    std::vector<std::string> lines;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.emplace_back(line);
    }
    std::sort(lines.begin(), lines.end());
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    JsonArray items;
    for (std::string& line : lines)
        items.emplace_back(std::move(line));
    return Json{std::move(items)};
}

/// What is compared of an answer, and whether that is only a part or view of it.
std::pair<bool, Json> compared(const Json& answer, const MatchRule& rule) {
    if (const auto* fields = std::get_if<MatchFields>(&rule)) {
        return {true, chosen_fields(answer, *fields)};
    }
    if (std::holds_alternative<MatchLines>(rule) && answer.string()) {
        return {true, set_of_lines(*answer.string())};
    }
    return {false, answer};
}

bool within(const Decimal& a, const Decimal& b, const Decimal& distance) {
    // Numbers so far apart that their difference passes the limits are not near each other.
    const auto difference = Decimal::subtract(a, b);
    return difference && difference->absolute() <= distance;
}

/// The answers near the lower median of all that have a number; none when no answer has one.
std::optional<AnswerGroup> median_group(const MatchTolerance& rule, std::span<const Json> answers) {
    std::vector<std::size_t> order;
    const auto number_of = [&](std::size_t i) {
        const Json* value = answers[i].at_pointer(rule.pointer);
        return value ? value->number() : nullptr;
    };
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (number_of(i)) order.push_back(i);
    }
    if (order.empty()) return std::nullopt;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto by_number = *number_of(a) <=> *number_of(b);
        return by_number != 0 ? by_number < 0 : answers[a] < answers[b];
    });
    AnswerGroup group{.members = {}, .representative = order[(order.size() - 1) / 2]};
    for (const std::size_t i : order) {
        if (within(*number_of(i), *number_of(group.representative), rule.distance)) {
            group.members.push_back(i);
        }
    }
    std::sort(group.members.begin(), group.members.end());
    return group;
}

}  // namespace

std::vector<AnswerGroup> group_answers(const MatchRule& rule, std::span<const Json> answers) {
    std::vector<AnswerGroup> groups;
    std::vector<bool> taken(answers.size());
    if (const auto* tolerance = std::get_if<MatchTolerance>(&rule)) {
        if (auto group = median_group(*tolerance, answers)) {
            for (const std::size_t i : group->members)
                taken[i] = true;
            groups.push_back(std::move(*group));
        }
    }
    std::map<std::pair<bool, Json>, AnswerGroup> equal;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (taken[i]) continue;
        AnswerGroup& group = equal[compared(answers[i], rule)];
        if (group.members.empty() || answers[i] < answers[group.representative]) {
            group.representative = i;
        }
        group.members.push_back(i);
    }
    for (auto& [value, group] : equal)
        groups.push_back(std::move(group));
    std::sort(groups.begin(), groups.end(), [&](const AnswerGroup& a, const AnswerGroup& b) {
        if (a.members.size() != b.members.size()) return a.members.size() > b.members.size();
        return answers[a.representative] < answers[b.representative];
    });
    return groups;
}

}  // namespace creto
