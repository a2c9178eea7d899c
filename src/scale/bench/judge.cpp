#include "scale/bench/judge.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace creto {
namespace {

std::string figure(double value) {
    if (std::isinf(value)) return "never";
    char out[48];
    std::snprintf(out, sizeof out, "%.5g", value);
    return out;
}

std::string unit_of(const ScenarioCriterion& criterion) {
    if (!criterion.relative_to.empty()) return " x that of " + criterion.relative_to;
    const std::string unit = (*known_metric(criterion.metric))->unit;
    return unit == "0 or 1" ? "" : " " + unit;
}

/// A bound on a count, for fewer nodes: rounded down, as the counts are.
double scaled(double bound, const ScenarioCriterion& criterion, const JudgedRun& run) {
    if (!criterion.scales || run.nodes == run.nodes_required) return bound;
    return std::floor(bound * run.nodes / run.nodes_required);
}

/// A side or a group of which nobody was left has one still, as with_nodes() has it.
double scaled_count(double count, const ScenarioCriterion& criterion, const JudgedRun& run) {
    return std::max(std::min(count, 1.0), scaled(count, criterion, run));
}

std::string required(const ScenarioCriterion& criterion, const JudgedRun& run) {
    std::string out;
    const auto add = [&](const char* sign, double bound) {
        out += (out.empty() ? "" : " and ") + std::string{sign} + " " + figure(bound);
    };
    if (criterion.equals) add("=", scaled_count(*criterion.equals, criterion, run));
    if (criterion.min) add(">=", scaled(*criterion.min, criterion, run));
    if (criterion.max) add("<=", scaled(*criterion.max, criterion, run));
    out += out.empty() ? "" : unit_of(criterion);
    if (criterion.window == Window::before) out += " before " + criterion.step;
    if (criterion.window == Window::during) out += " during " + criterion.step;
    if (criterion.window == Window::after) out += " after " + criterion.step;
    return out.empty() ? "-" : out;
}

bool is_kept(double value, const ScenarioCriterion& criterion, const JudgedRun& run) {
    const auto bound = [&](double one) { return scaled(one, criterion, run); };
    constexpr double slack = 1e-9;  // Of the arithmetic, not of the bound.
    return (!criterion.min || value >= bound(*criterion.min) - slack) &&
           (!criterion.max || value <= bound(*criterion.max) + slack) &&
           (!criterion.equals ||
            std::abs(value - scaled_count(*criterion.equals, criterion, run)) <= slack);
}

std::optional<double> value_of(const ScenarioCriterion& criterion, const JudgedRun& run) {
    if (criterion.window == Window::whole) return run.whole.get(criterion.metric);
    return run.part(criterion).get(criterion.metric);
}

/// Why it was not measured, or what it is about did not happen; empty where nothing speaks against it.
std::string why_not(const ScenarioCriterion& criterion, const JudgedRun& run) {
    if (!run.void_because.empty()) return run.void_because;
    for (const std::string& step : {criterion.step, criterion.until})
        if (const auto left_out = run.left_out.find(step); left_out != run.left_out.end())
            return "the step " + step + " was left out: " + left_out->second;
    const auto missing = run.missing.find(criterion.metric);
    return missing == run.missing.end() ? "" : missing->second;
}

Criterion judge_one(
    const ScenarioCriterion& criterion, const std::vector<JudgedRun>& runs, RunLength length
) {
    Criterion out;
    out.name = criterion.name;
    bool all = true;
    bool any_missing = false;
    std::string why;
    std::optional<double> base;
    for (const JudgedRun& run : runs) {
        if (run.variant != criterion.relative_to) continue;
        base = value_of(criterion, run);
        if (!criterion.relative_to.empty()) why = why_not(criterion, run);
    }
    for (const JudgedRun& run : runs) {
        if (!criterion.variant.empty() && run.variant != criterion.variant) continue;
        if (out.required.empty()) out.required = required(criterion, run);
        std::optional<double> value = value_of(criterion, run);
        if (!criterion.relative_to.empty())
            value = value && base && *base > 0 ? std::optional{*value / *base} : std::nullopt;
        const std::string label = runs.size() > 1 ? run.variant + ": " : "";
        out.actual += (out.actual.empty() ? "" : ", ") + label +
                      (value ? figure(*value) : std::string{"not measured"});
        any_missing = any_missing || !value;
        if (why.empty()) why = why_not(criterion, run);
        if (!value && why.empty()) why = run.whole.why_missing(criterion.metric);
        if (value) all = all && is_kept(*value, criterion, run);
    }
    if (!criterion.not_applicable.empty()) {
        out.reason = "not applicable, because " + criterion.not_applicable;
    } else if (criterion.is_wish) {
        out.reason = "a wish: printed, not evaluated";
    } else if (criterion.needs_full && length == RunLength::shortened) {
        out.reason = "a shortened run says nothing about it";
    } else if (!why.empty()) {
        out.reason = why;
    } else if (any_missing) {
        out.reason = "it was not measured in this run";
    } else {
        out.passed = all;
    }
    if (out.required.empty()) out.required = "-";
    if (out.actual.empty()) out.actual = "-";
    return out;
}

}  // namespace

CriteriaResult judge(
    const ScaleScenario& scenario, const std::vector<JudgedRun>& runs, RunLength length
) {
    CriteriaResult out;
    for (const ScenarioCriterion& criterion : scenario.criteria) {
        const bool decides = !criterion.is_wish && criterion.not_applicable.empty();
        (decides ? out.criteria : out.wishes).push_back(judge_one(criterion, runs, length));
    }
    return out;
}

}  // namespace creto
