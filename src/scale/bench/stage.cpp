#include "scale/bench/stage.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "scale/bench/real_limits.hpp"
#include "scale/bench/real_test_cluster.hpp"
#include "scale/bench/test_cluster.hpp"
#include "scale/pace.hpp"

namespace creto {
namespace {

constexpr auto settling = Duration::from_s(2);
constexpr std::uint64_t turns_each = 1'000'000;
/// What timeouts change to, in turn.
constexpr std::array<std::int64_t, 4> deltas_ms{150, 80, 250, 100};

}  // namespace

Stage::Stage(
    const ScaleScenario& scenario,
    const ScenarioNetwork& network,
    std::uint64_t seed,
    BenchHost host,
    std::string scratch
)
    : scenario_{scenario},
      host_{host},
      has_links_{needs_links(scenario, network)},
      scratch_{std::move(scratch)} {
    config_.seed = seed;
    config_.node_count = network.nodes;
    if (host == BenchHost::simulator) {
        config_.spare_count = network.spares;
        config_.byzantine_ppm = network.byzantine_ppm;
    }
    config_.profile = network.profile;
    config_.bandwidth_bps = network.bandwidth_bps;
    config_.attack = network.attack;
    config_.payload_bytes = scenario.payload_bytes;
    config_.one_client_node = scenario.one_client_node;
    config_.knobs.epoch_blocks = network.epoch_blocks;
    config_.knobs.keep_blocks = network.keep_blocks;
    config_.knobs.view_interval =
        network.view_interval.value_or(usual_view_interval(network.nodes));
    for (const ScenarioStep& step : scenario.steps)
        if (step.kind == StepKind::disk) config_.disk_losers = step.nodes;
    config_.vote_form = network.vote_form;
    settle_votes(config_);
}

bool Stage::asks_for(const char* metric) const {
    return std::any_of(
        scenario_.criteria.begin(),
        scenario_.criteria.end(),
        [&](const ScenarioCriterion& one) {
            return one.metric == metric && one.window == Window::whole;
        }
    );
}

bool Stage::promises_progress() const {
    return report_.liars.size() <= liars_max(config_.mode, config_.node_count);
}

Result<std::unique_ptr<BenchCluster>> Stage::make() {
    if (host_ == BenchHost::simulator) {
        auto made = ScaleTestCluster::create(config_);
        if (!made) return tl::unexpected<Error>(made.error());
        simulation_ = made->get();
        return std::unique_ptr<BenchCluster>{std::move(*made)};
    }
    auto made =
        RealTestCluster::create(config_, has_links_ ? RealLinks::shim : RealLinks::loopback);
    if (!made) return tl::unexpected<Error>(made.error());
    return std::unique_ptr<BenchCluster>{std::move(*made)};
}

Result<void> Stage::run(const std::function<bool(const TrialProgress&)>& tell) {
    auto made = make();
    if (!made) return tl::unexpected<Error>(made.error());
    cluster_ = std::move(*made);
    cluster_->on_tick([&](const TrialProgress& at) {
        progress_ = at;
        return tell(at);
    });
    begin_replay(tell);
    extra_.set("running_before_start", cluster_->running());
    if (auto started = cluster_->start(); !started) return started;
    extra_.set("running_after_start", cluster_->running());
    const Duration load = limits::scenario_warm_up + scenario_.duration;
    cluster_->load(scenario_.workload, load);
    bool goes_on = cluster_->run(limits::scenario_warm_up);
    cluster_->measure_from_now();
    plan_steps();
    goes_on = goes_on && cluster_->run(scenario_.duration);
    if (goes_on && (asks_for("running_after_stop") || asks_for("state_kept"))) {
        if (auto restarted = restart_all(); !restarted) return restarted;
    }
    if (asks_for("link_loss_percent") || asks_for("link_latency_min_ms"))
        cluster_->measure_links(extra_);
    schedule_ = cluster_->schedule();
    report_ = cluster_->finish();
    if (report_.measured_to > load) report_.measured_to = load;
    metrics_ = measure(config_, report_);
    end_replay(goes_on);
    for (const auto& [name, value] : extra_.all())
        metrics_.set(name, value);
    schedule_.faults = report_.trial.record.faults;
    simulation_ = nullptr;
    cluster_.reset();  // Gigabytes, when variants follow.
    return {};
}

// --- real stores ---

void Stage::begin_replay(const std::function<bool(const TrialProgress&)>& tell) {
    if (scenario_.replayed_stores == 0 || simulation_ == nullptr) return;
    StorageReplay::Options options;
    options.seed = config_.seed;
    options.nodes = simulation_->draw_stores(scenario_.replayed_stores);
    options.under = scratch_;
    options.goes_on = [this, tell] {
        is_replaying_ = true;
        const bool goes_on = tell(progress_);
        is_replaying_ = false;
        return goes_on;
    };
    storage_ = std::make_unique<StorageReplay>(std::move(options));
    for (const std::uint32_t node : storage_->nodes())
        simulation_->observe_disk(node, storage_->observer(node));
}

void Stage::end_replay(bool is_whole) {
    if (!storage_) {
        for (const MetricName& metric : metric_names()) {
            const std::string name{metric.name};
            if (name != "rocksdb_read_ops_total" && !name.starts_with("storage_replay_")) continue;
            metrics_.miss(
                name,
                simulation_ == nullptr
                    ? "real nodes have stores of their own: none is replayed beside them"
                    : "no stores are replayed: [storage] replay"
            );
        }
        return;
    }
    for (const std::uint32_t node : storage_->nodes())
        simulation_->observe_disk(node, nullptr);
    if (is_whole) {
        storage_->finish([this](std::uint32_t node) -> const SimDisk& {
            return simulation_->cluster().host(NodeIndex{node}).disk;
        });
    } else {
        storage_->abandon(
            report_.is_interrupted ? "the run was stopped" : "the run broke a promise"
        );
    }
    storage_->measure(report_.measured_from, report_.measured_to, metrics_);
}

Result<void> Stage::restart_all() {
    std::vector<std::uint64_t> heights;
    const NodeList all = cluster_->honest();
    for (const std::uint32_t node : all)
        heights.push_back(cluster_->height(node));
    cluster_->stop();
    extra_.set("running_after_stop", cluster_->running());
    if (auto started = cluster_->start(); !started) return started;
    bool is_kept = true;
    // The newest blocks may have been under way to the disk: they come back from the others.
    (void)cluster_->run(settling);
    for (std::size_t i = 0; i < all.size(); ++i)
        is_kept = is_kept && cluster_->height(all[i]) >= heights[i];
    extra_.set("state_kept", is_kept ? 1 : 0);
    return {};
}

// --- steps ---

void Stage::plan_steps() {
    const Instant begin = cluster_->now();
    const Duration end = begin - Instant{} + scenario_.duration;
    for (std::size_t index = 0; index < scenario_.steps.size(); ++index) {
        const ScenarioStep& step = scenario_.steps[index];
        std::uint64_t turn = index * turns_each;
        Times times;
        times.begin = begin - Instant{} + step.at;
        times.end = step.lasts ? std::min(end, times.begin + *step.lasts) : end;
        for (Duration at = step.at; at < scenario_.duration; at = at + step.every.value_or(end)) {
            times.last_end = begin - Instant{} + at + step.lasts.value_or(Duration{});
            cluster_->at(begin + at, [this, &step, turn] { carry_out(step, turn); });
            ++turn;
        }
        if (!step.lasts) times.last_end = times.begin;
        times.last_end = std::min(times.last_end, end);
        if (!step.name.empty()) times_[step.name] = times;
    }
}

void Stage::carry_out(const ScenarioStep& step, std::uint64_t turn) {
    BenchCluster& cluster = *cluster_;
    const auto some = [&] { return cluster.draw_nodes(step.nodes, turn); };
    NodeList all(config_.node_count + config_.spare_count);
    std::iota(all.begin(), all.end(), 0U);
    switch (step.kind) {
        case StepKind::kill:
            cluster.kill(some(), step.lasts);
            break;
        case StepKind::kill_until: {
            const auto total = static_cast<std::uint32_t>(all.size());
            const std::uint32_t dead = total - cluster.running();
            if (step.nodes > dead)
                cluster.kill(cluster.draw_nodes(step.nodes - dead, turn), step.lasts);
            break;
        }
        case StepKind::partition:
            split(step);
            break;
        case StepKind::latency:
            cluster.spike(step.nodes > 0 ? some() : all, step.ms, step.lasts);
            break;
        case StepKind::loss:
            cluster.lose(step.percent_milli * 10, step.lasts);
            break;
        case StepKind::disk:
            cluster.lose_disks(step.lasts);
            break;
        case StepKind::parameters:
            cluster.change_parameters(
                Duration::from_ms(deltas_ms[turn % deltas_ms.size()]),
                step.every.value_or(scenario_.duration - step.at)
            );
            break;
        case StepKind::restart_all:
            cluster.kill(all, step.lasts);
            break;
        case StepKind::workload:
            cluster.load(*Workload::parse(step.workload), scenario_.duration - step.at);
            break;
        case StepKind::at_once:
            cluster.load_at_once(step.nodes);
            break;
        case StepKind::cpu:
        case StepKind::memory:
        case StepKind::clock:
        case StepKind::churn:
        case StepKind::remove_liars:
            // Without them it was said before the run that the step is left out.
            if (SimulatedFaults* faults = cluster.simulated())
                carry_out_simulated(*faults, step, some());
            break;
    }
}

void Stage::carry_out_simulated(
    SimulatedFaults& faults, const ScenarioStep& step, const NodeList& some
) {
    const auto percent = std::max(1U, step.percent_milli / 1'000);
    if (step.kind == StepKind::cpu) {
        faults.throttle_cpu(some, percent, step.lasts);
    } else if (step.kind == StepKind::memory) {
        faults.press_memory(some, percent, step.lasts);
    } else if (step.kind == StepKind::clock) {
        faults.skew_clocks(some, step.ms, step.lasts.value_or(scenario_.duration));
    } else if (step.kind == StepKind::churn) {
        cluster_->kill(some, {});
        faults.spawn(static_cast<std::uint32_t>(some.size()), some);
    } else {
        faults.remove_liars();
    }
}

/// By number: the liars, drawn by the seed, fall on all sides.
void Stage::split(const ScenarioStep& step) {
    std::vector<NodeList> groups;
    std::uint32_t next = 0;
    for (const std::uint32_t size : step.groups) {
        groups.emplace_back();
        for (std::uint32_t i = 0; i < size; ++i)
            groups.back().push_back(next++);
    }
    cluster_->partition(groups, step.lasts);
}

// --- what it showed ---

PerformanceMetrics Stage::part(const ScenarioCriterion& criterion) const {
    if (criterion.window == Window::whole) return metrics_;
    const auto found = times_.find(criterion.step);
    if (found == times_.end()) return {};
    const Times& times = found->second;
    RunWindow window{report_.measured_from, times.begin, times.begin};
    if (criterion.window == Window::during) {
        // What was under way when it began may still become final.
        window.from = std::min(times.begin + settling, times.end);
        window.to = times.end;
    } else if (criterion.window == Window::after) {
        window.from = times.last_end;
        window.to = report_.measured_to;
    }
    if (const auto next = times_.find(criterion.until); next != times_.end())
        window.to = std::min(window.to, next->second.begin);
    return measure_window(report_, window);
}

TrialPlan Stage::plan() const {
    TrialPlan out;
    out.base = schedule_;
    out.base.nodes = config_.node_count + config_.spare_count;
    out.workload = scenario_.workload;
    out.duration = scenario_.duration;
    out.payload_bytes = config_.payload_bytes;
    out.bandwidth_bps = config_.bandwidth_bps;
    out.costs = config_.costs;
    return out;
}

}  // namespace creto
