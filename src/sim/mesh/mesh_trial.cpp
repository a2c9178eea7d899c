#include "sim/mesh/mesh_trial.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "sim/cluster.hpp"
#include "sim/mesh/mesh_participant.hpp"

namespace creto {

namespace {

constexpr Duration mesh_warm_up = Duration::from_s(10);
/// So long the last crash may take to be noticed everywhere.
constexpr Duration aftermath = Duration::from_s(90);
constexpr Duration join_limit = Duration::from_s(120);
constexpr Duration still = Duration::from_s(1);
constexpr Duration still_every = Duration::from_s(3);
constexpr std::uint32_t seats = 4;  ///< All others are agents without one.

/// Streams of draws.
enum class MeshDraw : std::uint64_t { slow = 1, liar = 2, victim = 3, phase = 4 };

class MeshTrial {
public:
    explicit MeshTrial(const MeshPlan& plan)
        : plan_{plan},
          setup_{std::make_shared<MeshSetup>()},
          slow_(drawn(MeshDraw::slow, plan.slow_ppm)),
          liar_(drawn(MeshDraw::liar, plan.liars_ppm)),
          found_(plan.nodes),
          cluster_{options(), mesh_agents(setup_)} {
        for (std::uint32_t i = 0; i < plan_.nodes; ++i)
            setup_->lies.push_back(liar_[i] ? MeshLie::accuses : MeshLie::none);
        if (!plan_.joins) know_all();
        if (plan_.joins) setup_->links = MeshLinks::drawn;
        for (std::uint32_t i = 0; i < plan_.nodes; ++i) {
            (void)cluster_.start(NodeIndex{i});
            if (slow_[i]) stand_still(NodeIndex{i}, draw(plan_.seed, word(MeshDraw::phase), i));
        }
    }

    MeshReport run() {
        if (plan_.joins) {
            const auto all = [this] { return complete_ == plan_.nodes; };
            report_.joined = cluster_.run_until(all, join_limit);
            report_.joined_ms = ms(cluster_.now() - Instant{});
        } else {
            plan_crashes();
            cluster_.run_for(mesh_warm_up);
            for (std::uint32_t i = 0; i < plan_.nodes; ++i)
                before_.push_back(cluster_.bytes_of(NodeIndex{i}));
            cluster_.run_for(plan_.duration - mesh_warm_up);
            sum_up();
        }
        report_.violation = cluster_.violation();
        report_.events = cluster_.events();
        report_.trace_hash = cluster_.trace_hash();
        report_.virtual_ms = ms(cluster_.now() - Instant{});
        return std::move(report_);
    }

private:
    struct Crash {
        NodeIndex victim;
        Instant at;
        std::vector<bool> noticed;  ///< By node.
        bool any = false;
    };

    static std::uint64_t word(MeshDraw stream) { return static_cast<std::uint64_t>(stream); }
    static std::int64_t ms(Duration span) { return span.ms(); }

    [[nodiscard]] std::vector<bool> drawn(MeshDraw stream, std::uint32_t ppm) const {
        std::vector<bool> out(plan_.nodes);
        for (std::uint32_t i = 0; i < plan_.nodes; ++i)
            out[i] = scale_to(draw(plan_.seed, word(stream), i), limits::link_ppm) < ppm;
        return out;
    }

    SimOptions options() {
        SimOptions options;
        options.seed = plan_.seed;
        options.node_count = plan_.nodes;
        options.seat_count = seats;
        options.profile = plan_.links;
        options.linking = plan_.joins ? Linking::dialled : Linking::automatic;
        // The detector has only its own messages to go by: no link is ever seen to close.
        if (!plan_.joins) options.detection = plan_.duration * 2;
        options.starts_all = false;
        options.notices_kept_max = 1;
        options.on_notice = [this](NodeIndex node, const SimNotice& notice) {
            on_notice(node, notice);
        };
        return options;
    }

    void know_all() {
        for (std::uint32_t i = 0; i < plan_.nodes; ++i) {
            AgentRecord record{.agent = cluster_.agent(NodeIndex{i}), .version = 1};
            record.name = "node-" + std::to_string(i);
            record.lifetime_ms = limits::record_lifetime_ms_max;
            setup_->known.emplace_back(std::move(record));
        }
    }

    void stand_still(NodeIndex node, std::uint64_t phase) {
        const auto span = static_cast<std::uint64_t>(still_every.ns());
        const auto first = static_cast<std::int64_t>(scale_to(phase, span));
        stand_still_at(node, Instant{} + Duration::from_ns(first));
    }
    void stand_still_at(NodeIndex node, Instant at) {
        cluster_.at(at, [this, node, at] {
            if (!cluster_.is_up(node)) return;
            cluster_.pause(node);
            cluster_.at(at + still, [this, node] {
                if (cluster_.is_up(node)) cluster_.resume(node);
            });
            stand_still_at(node, at + still_every);
        });
    }

    void plan_crashes() {
        const Duration span = plan_.duration - mesh_warm_up - aftermath;
        std::vector<bool> chosen(plan_.nodes);
        for (std::uint32_t i = 0; i < plan_.crashes; ++i) {
            std::uint64_t turn = 0;
            std::uint32_t victim = 0;
            do {
                const std::uint64_t drawn = draw(plan_.seed, word(MeshDraw::victim), i, turn++);
                victim = static_cast<std::uint32_t>(scale_to(drawn, plan_.nodes));
            } while (chosen[victim] || liar_[victim]);
            chosen[victim] = true;
            const Instant at = Instant{} + mesh_warm_up + span * i / plan_.crashes;
            crash_of_[victim] = crashes_.size();
            crashes_.push_back({NodeIndex{victim}, at, std::vector<bool>(plan_.nodes)});
            cluster_.at(at, [this, victim] {
                cluster_.crash(NodeIndex{victim}, CrashLoss::all_unsynced, StopNotice::silent);
            });
        }
    }

    [[nodiscard]] std::optional<std::size_t> crash_of(NodeIndex node) const {
        const auto found = crash_of_.find(node.value());
        if (found == crash_of_.end() || crashes_[found->second].at > cluster_.now())
            return std::nullopt;
        return found->second;
    }

    void on_notice(NodeIndex node, const SimNotice& notice) {
        if (liar_[node.value()]) return;
        if (std::holds_alternative<AgentFound>(*notice.notice)) {
            if (++found_[node.value()] + 1 == plan_.nodes) ++complete_;
        } else if (std::holds_alternative<AgentLeft>(*notice.notice)) {
            if (found_[node.value()]-- + 1 == plan_.nodes) --complete_;
        } else if (const auto* suspected = std::get_if<AgentSuspected>(&*notice.notice)) {
            const NodeIndex who = *cluster_.find(suspected->agent);
            if (crash_of(who)) return;
            ++report_.suspicions;
            open_[{node, who}] = notice.at;
        } else if (const auto* alive = std::get_if<AgentAlive>(&*notice.notice)) {
            const auto open = open_.find({node, *cluster_.find(alive->agent)});
            if (open == open_.end()) return;
            report_.refuted_ms.add(ms(notice.at - open->second));
            open_.erase(open);
        } else if (const auto* dead = std::get_if<AgentDead>(&*notice.notice)) {
            const NodeIndex who = *cluster_.find(dead->agent);
            const auto index = crash_of(who);
            if (!index) {
                ++report_.false_deaths;
                return;
            }
            Crash& crash = crashes_[*index];
            const std::int64_t took = ms(notice.at - crash.at);
            if (!crash.any) report_.first_ms.add(took);
            crash.any = true;
            if (!crash.noticed[node.value()]) report_.every_ms.add(took);
            crash.noticed[node.value()] = true;
        }
    }

    void sum_up() {
        const auto seconds =
            static_cast<std::uint64_t>((plan_.duration - mesh_warm_up).ms() / 1'000);
        std::uint64_t judged = 0;
        std::uint64_t bytes = 0;
        for (std::uint32_t i = 0; i < plan_.nodes; ++i) {
            if (liar_[i] || !cluster_.is_up(NodeIndex{i})) continue;
            ++judged;
            const std::uint64_t own = (cluster_.bytes_of(NodeIndex{i}) - before_[i]) / seconds;
            bytes += own;
            report_.bytes_per_node_s_max = std::max(report_.bytes_per_node_s_max, own);
            for (const Crash& crash : crashes_)
                report_.undetected += crash.noticed[i] ? 0 : 1;
        }
        report_.bytes_per_node_s = bytes / judged;
        report_.suspicions_per_node_hour_milli =
            report_.suspicions * 3'600'000 / (judged * (seconds + 10));
        // One that was raised a moment ago may still be refuted.
        for (const auto& [pair, at] : open_) {
            const bool is_old = at + Duration::from_s(5) < cluster_.now();
            if (is_old && !crash_of_.contains(pair.second.value())) ++report_.unrefuted;
        }
    }

    MeshPlan plan_;
    std::shared_ptr<MeshSetup> setup_;
    std::vector<bool> slow_;
    std::vector<bool> liar_;
    std::vector<std::uint32_t> found_;  ///< By node: how many others it knows.
    std::uint32_t complete_ = 0;
    std::vector<Crash> crashes_;
    std::map<std::uint32_t, std::size_t> crash_of_;
    std::map<std::pair<NodeIndex, NodeIndex>, Instant>
        open_;  ///< False suspicions, by whom of whom.
    std::vector<std::uint64_t> before_;
    MeshReport report_;
    SimCluster cluster_;
};

}  // namespace

MeshReport run_mesh_trial(const MeshPlan& plan) {
    CRETO_ASSERT(plan.nodes >= seats && plan.crashes < plan.nodes / 4);
    return MeshTrial{plan}.run();
}

}  // namespace creto
