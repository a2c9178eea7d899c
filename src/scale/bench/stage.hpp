// Stage: one run of a scenario on a ScaleTestCluster, its steps carried out when they are due.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "scale/bench/measure.hpp"
#include "scale/bench/scenario_file.hpp"

namespace creto {

class Stage {
public:
    /// The scenario outlives it.
    Stage(const ScaleScenario& scenario, const ScenarioNetwork& network, std::uint64_t seed);

    /// False from `tell` stops it. Errors: what the cluster cannot be.
    [[nodiscard]] Result<void> run(const std::function<bool(const TrialProgress&)>& tell);

    // After run().
    [[nodiscard]] const ClusterReport& report() const { return report_; }
    [[nodiscard]] const PerformanceMetrics& metrics() const { return metrics_; }
    [[nodiscard]] PerformanceMetrics part(const ScenarioCriterion& criterion) const;
    [[nodiscard]] TrialPlan plan() const;
    [[nodiscard]] bool promises_progress() const;

private:
    struct Times {
        Duration begin;  ///< Of the first time, from the start of the simulation.
        Duration end;
        Duration last_end;
    };

    [[nodiscard]] bool asks_for(const char* metric) const;
    void plan_steps();
    void carry_out(const ScenarioStep& step, std::uint64_t turn);
    void split(const ScenarioStep& step);
    [[nodiscard]] Result<void> restart_all();

    const ScaleScenario& scenario_;
    TestClusterConfig config_;
    std::unique_ptr<ScaleTestCluster> cluster_;
    std::map<std::string, Times> times_;
    Schedule schedule_;
    ClusterReport report_;
    PerformanceMetrics metrics_;
    PerformanceMetrics extra_;
};

}  // namespace creto
