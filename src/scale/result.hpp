// ScenarioResult: what a scenario required and what it showed, in the one result format.
//
// Format   docs/result.schema.json, which a test holds every kind of result against.
// Holds    A criterion is passed only by a measurement. PASSED: all criteria hold; FAILED: one does not;
//          PARTIAL: none failed, but one could not be evaluated, with the reason.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace creto {

struct Criterion {
    std::string name;
    std::string required;
    std::string actual;
    std::optional<bool> passed;
    std::string reason;  ///< Why it could not be evaluated.
};

struct ScenarioResult {
    std::string id;     ///< "S2.1"
    std::string title;  ///< "malicious tool"
    std::string start_time;
    std::string end_time;
    std::uint64_t seed = 0;
    std::string trace_hash;  ///< Simulated runs only.
    std::uint32_t nodes = 0;
    std::string profile = "local";
    std::string host = "processes";  ///< Or "simulator".
    double wall_s = 0;
    std::vector<Criterion> criteria;
    /// Added to the format's own fields of these names, over them.
    nlohmann::ordered_json configuration = nlohmann::ordered_json::object();
    nlohmann::ordered_json results = nlohmann::ordered_json::object();
    std::vector<std::uint32_t> pids;
    nlohmann::ordered_json details = nlohmann::ordered_json::object();

    void require(std::string name, std::string required, std::string actual, bool passed) {
        criteria.push_back({std::move(name), std::move(required), std::move(actual), passed, {}});
    }
    [[nodiscard]] const char* status() const;
};

[[nodiscard]] nlohmann::ordered_json to_json(const ScenarioResult& result);
/// Several runs: an array under `runs`, with one status for all.
[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<ScenarioResult>& results);
/// The criteria as lines for people.
[[nodiscard]] std::string to_lines(const ScenarioResult& result);
[[nodiscard]] std::string utc_now();

}  // namespace creto
