#include "scale/system_scenarios.hpp"

#include "scale/scenario_support.hpp"

namespace creto {

const std::vector<SystemScenario>& system_scenarios() {
    static const std::vector<SystemScenario> all{
        {"S1.1",
         "agent_discovery",
         "five agents find each other through one address",
         scenario::discovery},
        {"S1.2",
         "tool_registration",
         "every agent sees the nine tools of all",
         scenario::tool_registration},
        {"S1.3", "performance", "local and remote calls, measured", scenario::performance},
        {"S1.4", "concurrency", "a hundred calls at once", scenario::concurrency},
        {"S1.5", "network_statistics", "each agent counts its own work", scenario::statistics},
        {"S1.6",
         "remote_tool_calls",
         "results, deadlines, cancels, errors, lost agents",
         scenario::remote_calls},
        {"S2.1", "malicious_tool", "one agent answers tenfold", scenario::malicious_tool},
        {"S2.2",
         "byzantine_voting",
         "two of seven say 3000 against 300",
         scenario::byzantine_voting},
        {"S2.3", "flood", "one agent is flooded with calls", scenario::flood},
        {"S2.4",
         "conflicting_answers",
         "one agent answers now right, now doubled",
         scenario::conflicting_answers},
        {"S3.1", "simple_partition", "six agents, cut three and three", scenario::simple_partition},
        {"S3.2",
         "partition_recovery",
         "four agents, cut two and two, then healed",
         scenario::partition_recovery},
        {"S3.3",
         "minority_partition",
         "five agents, cut three and two",
         scenario::minority_partition},
        {"S3.4",
         "cascading_failures",
         "seven agents, killed one after another",
         scenario::cascading_failures}};
    return all;
}

ScenarioResult run_scenario(const SystemScenario& scenario, const ScenarioContext& context) {
    ScenarioResult result;
    result.id = scenario.id;
    result.title = scenario.name;
    result.start_time = utc_now();
    const auto start = scenario::Clock::now();
    try {
        scenario.run(context, result);
    } catch (const std::exception& error) {
        result.require("ran to its end", "yes", error.what(), false);
    }
    result.wall_s = scenario::seconds_since(start);
    result.end_time = utc_now();
    return result;
}

}  // namespace creto
