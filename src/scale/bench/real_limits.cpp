#include "scale/bench/real_limits.hpp"

#include <algorithm>

#include "link/profile.hpp"

namespace creto {
namespace {

std::vector<ScenarioNetwork> networks_of(const ScaleScenario& scenario) {
    std::vector<ScenarioNetwork> out;
    for (const ScenarioVariant& variant : scenario.variants)
        out.push_back(variant.network);
    if (out.empty()) out.push_back(scenario.network);
    return out;
}

}  // namespace

std::string why_not_real(const ScaleScenario& scenario) {
    if (!scenario.micro.empty())
        return "it measures functions in this process, always in real time; leave --real out";
    for (const ScenarioNetwork& network : networks_of(scenario)) {
        if (network.nodes > real_nodes_max)
            return "it has " + std::to_string(network.nodes) +
                   " nodes, and one machine carries up to " + std::to_string(real_nodes_max) +
                   " processes that share its processors; name fewer: --nodes " +
                   std::to_string(std::min(real_nodes_max, 16U));
        if (network.vote_form == VoteForm::joined)
            return "its votes are joined, which is a model in the simulator: there is no library "
                   "for them here; leave --real out, or have votes = \"list\" in the file";
    }
    return "";
}

std::string why_not_injected(StepKind kind) {
    switch (kind) {
        case StepKind::kill:
        case StepKind::kill_until:
        case StepKind::partition:
        case StepKind::latency:
        case StepKind::loss:
        case StepKind::disk:
        case StepKind::parameters:
        case StepKind::restart_all:
        case StepKind::workload:
        case StepKind::at_once:
            return "";
        case StepKind::cpu:
            return "a share of a processor takes a control group for each process, which this "
                   "bench does not make";
        case StepKind::memory:
            return "a limit on memory takes a control group for each process, which this bench "
                   "does "
                   "not make";
        case StepKind::clock:
            return "all processes of a machine read one clock";
        case StepKind::churn:
            return "spare nodes get seats in the simulator only";
        case StepKind::remove_liars:
            return "no real node lies about votes: there is nobody to remove";
    }
    return "";
}

std::vector<NotInjected> not_injected(const ScaleScenario& scenario) {
    std::vector<NotInjected> out;
    const std::vector<ScenarioNetwork> networks = networks_of(scenario);
    const bool has_liars =
        std::any_of(networks.begin(), networks.end(), [](const ScenarioNetwork& network) {
            return network.byzantine_ppm > 0;
        });
    if (has_liars)
        out.push_back(
            {"byzantine",
             "byzantine",
             "the program that runs as a node keeps to the rules of voting: all nodes are honest"}
        );
    for (const ScenarioStep& step : scenario.steps) {
        const std::string why = why_not_injected(step.kind);
        if (why.empty()) continue;
        const std::string kind = to_string(step.kind);
        out.push_back({step.name.empty() ? kind : step.name, kind, why});
    }
    return out;
}

bool needs_links(const ScaleScenario& scenario, const ScenarioNetwork& network) {
    return network.profile != local_profile().name || network.bandwidth_bps > 0 ||
           std::any_of(scenario.steps.begin(), scenario.steps.end(), [](const ScenarioStep& step) {
               return step.kind == StepKind::partition || step.kind == StepKind::latency ||
                      step.kind == StepKind::loss;
           });
}

}  // namespace creto
