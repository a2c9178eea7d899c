// Stage: one run of a scenario on a cluster, simulated or of real processes: its steps carried out when
// they are due. Steps that the host cannot have are left out (real_limits.hpp).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "scale/bench/measure.hpp"
#include "scale/bench/scenario_file.hpp"

namespace creto {

enum class BenchHost : std::uint8_t { simulator, processes };

class Stage {
public:
    /// The scenario outlives it.
    Stage(
        const ScaleScenario& scenario,
        const ScenarioNetwork& network,
        std::uint64_t seed,
        BenchHost host
    );

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
    [[nodiscard]] Result<std::unique_ptr<ClusterUnderTest>> make() const;
    void plan_steps();
    void carry_out(const ScenarioStep& step, std::uint64_t turn);
    void carry_out_simulated(
        SimulatedFaults& faults, const ScenarioStep& step, const NodeList& some
    );
    void split(const ScenarioStep& step);
    [[nodiscard]] Result<void> restart_all();

    const ScaleScenario& scenario_;
    BenchHost host_;
    bool has_links_ = false;  ///< Of real processes: they need the shim.
    TestClusterConfig config_;
    std::unique_ptr<ClusterUnderTest> cluster_;
    std::map<std::string, Times> times_;
    Schedule schedule_;
    ClusterReport report_;
    PerformanceMetrics metrics_;
    PerformanceMetrics extra_;
};

}  // namespace creto
