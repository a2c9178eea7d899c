// Stage: one run of a scenario on a cluster, simulated or of real processes: its steps carried out when
// they are due. Steps that the host cannot have are left out (real_limits.hpp).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "scale/bench/measure.hpp"
#include "scale/bench/scenario_file.hpp"
#include "scale/replay/storage_replay.hpp"

namespace creto {

class ScaleTestCluster;

enum class BenchHost : std::uint8_t { simulator, processes };

class Stage {
public:
    /// The scenario outlives it. `scratch` is where stores are replayed; empty: in $TMPDIR, or /tmp.
    Stage(
        const ScaleScenario& scenario,
        const ScenarioNetwork& network,
        std::uint64_t seed,
        BenchHost host,
        std::string scratch = ""
    );

    /// False from `tell` stops it. Errors: what the cluster cannot be.
    [[nodiscard]] Result<void> run(const std::function<bool(const TrialProgress&)>& tell);

    // After run().
    [[nodiscard]] const ClusterReport& report() const { return report_; }
    [[nodiscard]] const PerformanceMetrics& metrics() const { return metrics_; }
    [[nodiscard]] PerformanceMetrics part(const ScenarioCriterion& criterion) const;
    [[nodiscard]] TrialPlan plan() const;
    [[nodiscard]] bool promises_progress() const;
    /// Null when the scenario asks for none.
    [[nodiscard]] const StorageReplay* storage() const { return storage_.get(); }
    /// While run() asks whether it goes on: virtual time stands still, a real store is busy.
    [[nodiscard]] bool is_replaying() const { return is_replaying_; }

private:
    struct Times {
        Duration begin;  ///< Of the first time, from the start of the simulation.
        Duration end;
        Duration last_end;
    };

    [[nodiscard]] bool asks_for(const char* metric) const;
    void begin_replay(const std::function<bool(const TrialProgress&)>& tell);
    void end_replay(bool is_whole);
    [[nodiscard]] Result<std::unique_ptr<BenchCluster>> make();
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
    std::string scratch_;
    TestClusterConfig config_;
    TrialProgress progress_;  ///< The newest that was told.
    bool is_replaying_ = false;
    std::unique_ptr<StorageReplay> storage_;
    std::unique_ptr<BenchCluster> cluster_;
    ScaleTestCluster* simulation_ = nullptr;  ///< The cluster, when it is simulated.
    std::map<std::string, Times> times_;
    Schedule schedule_;
    ClusterReport report_;
    PerformanceMetrics metrics_;
    PerformanceMetrics extra_;
};

}  // namespace creto
