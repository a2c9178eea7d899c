#include "scale/result.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace creto {

const char* ScenarioResult::status() const {
    const auto is = [this](auto test) {
        return std::any_of(criteria.begin(), criteria.end(), test);
    };
    if (criteria.empty() || is([](const Criterion& c) { return c.passed == false; }))
        return "FAILED";
    return is([](const Criterion& c) { return !c.passed.has_value(); }) ? "PARTIAL" : "PASSED";
}

nlohmann::ordered_json to_json(const ScenarioResult& r) {
    nlohmann::ordered_json criteria = nlohmann::ordered_json::object();
    for (const Criterion& c : r.criteria) {
        nlohmann::ordered_json one{{"required", c.required}, {"actual", c.actual}};
        one["passed"] =
            c.passed ? nlohmann::ordered_json(*c.passed) : nlohmann::ordered_json(nullptr);
        if (!c.passed) one["reason"] = c.reason;
        criteria[c.name] = std::move(one);
    }
    nlohmann::ordered_json out{
        {"schema_version", 1},
        {"test_run_id", r.id + "-" + r.start_time},
        {"scenario_id", r.id},
        {"title", r.title},
        {"start_time", r.start_time},
        {"end_time", r.end_time},
        {"status", r.status()},
        {"seed", r.seed}};
    if (!r.trace_hash.empty()) out["trace_hash"] = r.trace_hash;
    out["configuration"] = {
        {"node_count", r.nodes},
        {"network_profile", r.profile},
        {"host", r.host},
        {"signature_scheme", r.host == "simulator" ? "tag" : "ed25519"}};
    out["configuration"].update(r.configuration);
    out["results"] = r.results;
    out["results"]["cost"]["wall_s"] = r.wall_s;
    out["acceptance_criteria"] = std::move(criteria);
    out["details"] = r.details;
    if (r.host == "processes") out["details"]["pids"] = r.pids;
    return out;
}

nlohmann::ordered_json to_json(const std::vector<ScenarioResult>& results) {
    nlohmann::ordered_json runs = nlohmann::ordered_json::array();
    std::string status = results.empty() ? "FAILED" : "PASSED";
    for (const ScenarioResult& r : results) {
        runs.push_back(to_json(r));
        const std::string one = r.status();
        if (one == "FAILED" || (one == "PARTIAL" && status == "PASSED")) status = one;
    }
    return {{"schema_version", 1}, {"status", status}, {"runs", std::move(runs)}};
}

std::string to_lines(const ScenarioResult& r) {
    std::string out;
    for (const Criterion& c : r.criteria) {
        const char* mark = !c.passed ? "  ??  " : *c.passed ? "  ok  " : " FAIL ";
        out += std::string{mark} + c.name + ": " + c.actual + " (required: " + c.required + ")";
        if (!c.passed) out += " not evaluated, because " + c.reason;
        out += "\n";
    }
    return out;
}

std::string utc_now() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

}  // namespace creto
