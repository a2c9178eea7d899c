// The end of a RealTestCluster: calm, convergence, comparison, counts.
#include <algorithm>

#include "scale/bench/real_test_cluster.hpp"
#include "sim/life/life.hpp"

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;

/// Beyond the bound of the simulator, whose processors nobody else uses.
constexpr auto busy_machine = Duration::from_s(30);
constexpr auto write_timeout = std::chrono::seconds{5};
constexpr auto ask_patience = std::chrono::seconds{5};
constexpr std::uint64_t tip_blocks = 100;
constexpr std::size_t cells_max = 240;

std::uint32_t share_ppm(Duration part, Duration whole) {
    if (whole.us() <= 0) return 0;
    return static_cast<std::uint32_t>(part.us() * 1'000'000 / whole.us());
}

/// What real nodes do not show, or no process here can have.
const std::map<std::string, std::string> not_shown{
    {"consensus_latency_seconds", "a real node does not say when a block was proposed"},
    {"confidence_score", "a real node does not say whose votes it heard"},
    {"dag_depth", "a real node does not say how long its lane is"},
    {"vertex_creation_duration_seconds", "costs are charged in the simulator only"},
    {"rocksdb_read_ops_total", "a real node does not count the reads of its store"},
    {"oom_kills", "no limit on memory is set here"},
    {"joined_nodes", "spare nodes get seats in the simulator only"},
    {"link_loss_percent", "links are streams: a loss shows as delay"},
    {"byzantine_found_percent", "no real node lies about votes"},
    {"reputation_ratio", "no real node lies about votes"}};

}  // namespace

/// A write at every steady node is final, and nobody stays behind.
void RealTestCluster::converge(TrialReport& out) {
    const Instant begin = now();
    out.bound = healing_bound(schedule_) + busy_machine;
    const std::uint64_t highest = height_max_;
    NodeList missing = honest();
    const Doc write{
        {"payload", "the last write of this node"},
        {"timeout_ms", std::chrono::milliseconds{write_timeout}.count()}};
    out.progressed = until(
        [&] {
            const auto said = clients_->ask(missing, "submit", write, write_timeout + ask_patience);
            std::erase_if(missing, [&](std::uint32_t node) {
                const auto answer = said.find(node);
                return answer != said.end() && answer->second.value("ok", false);
            });
            const auto looks = look(honest());
            out.stuck.clear();
            for (const std::uint32_t node : honest()) {
                const auto at = looks.find(node);
                const bool is_there = at != looks.end() && at->second.height >= highest;
                const bool is_final =
                    std::find(missing.begin(), missing.end(), node) == missing.end();
                if (!is_there || !is_final)
                    out.stuck += (out.stuck.empty() ? "node " : ", ") + std::to_string(node);
            }
            return out.stuck.empty();
        },
        out.bound
    );
    out.progressed_after = now() - begin;
}

/// Until all show one height, order and state, and nothing is pending.
void RealTestCluster::rest(ClusterReport& out) {
    (void)until(
        [&] {
            std::map<std::string, std::uint32_t> ends;
            NodeList all = honest();
            all.insert(all.end(), losers_.begin(), losers_.end());
            std::uint64_t pending = 0;
            out.converged_nodes = 0;
            for (const auto& [node, at] : look(all)) {
                const std::string end = std::to_string(at.height) + at.order + at.root;
                out.converged_nodes = std::max(out.converged_nodes, ++ends[end]);
                pending += at.pending;
                backlog_ = std::max(backlog_, at.backlog);
            }
            return out.converged_nodes == all.size() && pending == 0;
        },
        out.trial.bound
    );
}

/// Blocks name their parents: who has the same last blocks has the same ones before them.
void RealTestCluster::compare_tips() {
    const std::uint64_t from =
        height_max_ > tip_blocks ? height_max_ - tip_blocks : std::uint64_t{1};
    std::map<std::uint64_t, std::pair<std::string, std::uint32_t>> blocks;
    const auto said =
        clients_->ask(up(), "log", {{"from", from}, {"count", tip_blocks * 2}}, ask_patience);
    for (const auto& [node, doc] : said) {
        for (const Doc& block : doc.value("blocks", Doc::array())) {
            const auto height = block.value("height", std::uint64_t{0});
            const auto [first, is_new] = blocks.try_emplace(height, block.value("id", ""), node);
            if (is_new || first->second.first == block.value("id", "")) continue;
            diverged_.insert(node);
            violate(
                "agreement",
                "at height " + std::to_string(height) + " node " + std::to_string(node) +
                    " has another final block than node " + std::to_string(first->second.second),
                node
            );
        }
    }
}

void RealTestCluster::ask_who_is_suspected(ClusterReport& out) {
    std::map<std::string, std::uint32_t> nodes;
    for (std::uint32_t node = 0; node < nodes_.size(); ++node)
        nodes[agent_text(cluster_->agent(node))] = node;
    for (const auto& [witness, doc] :
         clients_->ask({witness_}, "reputation", Doc::object(), ask_patience))
        for (const Doc& agent : doc.value("agents", Doc::array()))
            if (agent.value("excluded", false)) {
                const std::uint32_t node = nodes.at(agent.at("agent").get<std::string>());
                out.trial.proven.insert(node);
                out.trial.accused.insert(node);
            }
    for (const auto& [witness, doc] :
         clients_->ask({witness_}, "roster", Doc::object(), ask_patience))
        for (const Doc& seat : doc.value("seats", Doc::array()))
            if (!seat["suspected"].is_null())
                out.trial.suspected.insert(nodes.at(seat.at("agent").get<std::string>()));
}

void RealTestCluster::count(ClusterReport& out) {
    out.found = out.trial.suspected;
    out.found.insert(out.trial.proven.begin(), out.trial.proven.end());
    out.witness = witness_;
    out.honest_nodes = static_cast<std::uint32_t>(honest().size());
    out.backlog = backlog_;
    for (const RealNode& node : nodes_) {
        out.bytes_sent += node.all.sent;
        out.bytes_received += node.all.received;
    }
    if (query_us_.count() > 0) out.query_p95_us = static_cast<double>(query_us_.at(950));
    out.missing = not_shown;
    out.pids = cluster_->pids();
    out.machine = machine_share();
    out.samples = samples_;
    out.final_by_second = clients_->final_by_second();
}

RunRecord RealTestCluster::record(const ClusterReport& report) {
    clients_->add_to(record_);
    for (std::vector<NodeCell>& row : record_.rows)
        row.resize(record_.cells.size(), row.empty() ? NodeCell{} : row.back());
    while (record_.cells.size() >= cells_max)
        merge_cells(record_);
    record_.span = now() - Instant{};
    record_.faults = schedule_.faults;
    record_.calm_after = report.measured_to;
    if (!violation_.text.empty()) record_.violation = violation_;
    record_.blocks = height_max_;
    record_.vertices = vertices_;
    const ClusterSample* begin = nullptr;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
        if (samples_[i].at > report.measured_to) break;
        if (begin == nullptr || samples_[i].at <= report.measured_from) begin = &samples_[i];
        const auto first = static_cast<std::size_t>(begin - samples_.data());
        record_.rounds = views_[i] - std::min(views_[i], views_[first]);
        const std::uint64_t blocks =
            samples_[i].height_max - std::min(samples_[i].height_max, begin->height_max);
        record_.views_skipped = record_.rounds - std::min(record_.rounds, blocks);
    }
    RunLoads& loads = record_.loads;
    std::uint64_t memory = 0;
    for (const RealNode& node : nodes_) {
        const std::uint64_t bytes = node.all.sent + node.all.received;
        loads.protocol = loads.protocol + node.all.cpu;
        loads.protocol_peak_ppm =
            std::max(loads.protocol_peak_ppm, share_ppm(node.all.cpu, record_.span));
        loads.syncs += node.all.syncs;
        loads.syncing =
            loads.syncing + Duration::from_us(static_cast<std::int64_t>(node.all.sync_us));
        loads.bytes += bytes;
        loads.bytes_peak = std::max(loads.bytes_peak, bytes);
        loads.memory_peak = std::max(loads.memory_peak, node.memory_peak);
        memory += node.memory;
    }
    loads.memory_mean = memory / nodes_.size();
    return record_;
}

ClusterReport RealTestCluster::finish() {
    ClusterReport out;
    out.is_interrupted = is_interrupted_;
    if (!clients_) {  // Stopped before all had found each other.
        out.trial.record = record_;
        return out;
    }
    if (measured_from_ < Instant::max()) out.measured_from = measured_from_ - Instant{};
    out.measured_to = now() - Instant{};
    machine_end_ = machine_now();
    due_.clear();
    clients_->end();
    TrialReport& trial = out.trial;
    if (holds()) {
        const std::set<FaultId> active = active_;
        for (const FaultId fault : active)
            end(fault);
        trial.answered = until([&] { return clients_->counts().pending == 0; }, bench_drain_max);
        converge(trial);
        if (trial.progressed) rest(out);
        out.is_interrupted = is_interrupted_;
    }
    compare_tips();
    ask_who_is_suspected(out);
    count_pages();
    count(out);
    trial.violation = violation_.text;
    trial.virtual_time = now() - Instant{};
    trial.diverged = diverged_.size();
    trial.record = record(out);
    return out;
}

}  // namespace creto
