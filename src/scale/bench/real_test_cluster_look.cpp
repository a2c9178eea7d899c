// What a RealTestCluster sees of its nodes while they run: samples, agreement, what they use.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sys/resource.h>

#include "scale/bench/real_test_cluster.hpp"

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;

constexpr auto look_patience = std::chrono::milliseconds{900};
/// Heights whose order is remembered, for nodes that come there later.
constexpr std::size_t heights_seen_max = 50'000;

/// A value of a page of metrics; zero where it is not on it.
std::uint64_t value_on(const std::string& page, const std::string& name) {
    const std::size_t at = page.find("\n" + name + "{");
    if (at == std::string::npos) return 0;
    const std::size_t value = page.find("} ", at);
    if (value == std::string::npos) return 0;
    return static_cast<std::uint64_t>(std::strtod(page.c_str() + value + 2, nullptr));
}

Duration own_cpu() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto span = [](const timeval& time) {
        return Duration::from_s(time.tv_sec) + Duration::from_us(time.tv_usec);
    };
    return span(usage.ru_utime) + span(usage.ru_stime);
}

}  // namespace

std::map<std::uint32_t, RealTestCluster::Look> RealTestCluster::look(const NodeList& nodes) {
    std::map<std::uint32_t, Look> out;
    for (const auto& [node, doc] : clients_->ask(nodes, "status", Doc::object(), look_patience)) {
        if (!doc.value("ok", false)) continue;
        Look look;
        look.height = doc.value("finalized", std::uint64_t{0});
        look.view = doc.value("view", std::uint64_t{0});
        look.vertices = doc.value("vertices", std::uint64_t{0});
        look.backlog = doc.value("causal_backlog", std::uint64_t{0});
        look.pending = doc.value("pending_operations", std::uint64_t{0});
        look.reachable = doc.value("reachable", 0U);
        look.quorum = doc.value("quorum", 0U);
        look.is_partitioned = doc.value("partitioned", false);
        look.lost = doc.value("lost", Doc::array()).dump();
        look.order = doc.value("order_digest", "");
        look.root = doc.value("state_root", "");
        if (doc.contains("halted") && doc["halted"].is_string()) look.halted = doc["halted"];
        check_agreement(node, look);
        out.emplace(node, std::move(look));
    }
    return out;
}

/// The digest of the order covers all that was final before it.
void RealTestCluster::check_agreement(std::uint32_t node, const Look& look) {
    if (!look.halted.empty())
        violate("halt", "node " + std::to_string(node) + " stopped: " + look.halted, node);
    if (look.height == 0) return;
    const auto [seen, is_new] = seen_.try_emplace(look.height, Seen{look.order, look.root, node});
    if (seen_.size() > heights_seen_max) seen_.erase(seen_.begin());
    if (is_new || (seen->second.order == look.order && seen->second.root == look.root)) return;
    diverged_.insert(node);
    violate(
        seen->second.order == look.order ? "state" : "agreement",
        "at height " + std::to_string(look.height) + " node " + std::to_string(node) +
            " has another " + (seen->second.order == look.order ? "state" : "order") +
            " than node " + std::to_string(seen->second.node),
        node
    );
}

std::uint64_t RealTestCluster::height(std::uint32_t node) {
    if (!clients_) return 0;
    const auto looks = look({node});
    return looks.empty() ? 0 : looks.begin()->second.height;
}

void RealTestCluster::take_sample() {
    ClusterSample out;
    const Instant at = now();
    out.at = at - Instant{};
    const Duration before = samples_.empty() ? Duration{} : samples_.back().at;
    const double span_s = std::max(1e-3, static_cast<double>((out.at - before).ns()) / 1e9);
    const RealClients::Counts counts = clients_->counts();
    out.submitted = counts.submitted;
    out.final = counts.final;
    out.running = running();
    count_usage(out, span_s);
    const auto looks = look(up());
    std::set<std::string> sides;
    std::uint64_t view = 0;
    bool is_first = true;
    for (const auto& [node, look] : looks) {
        nodes_[node].height = look.height;
        const bool is_loser = std::find(losers_.begin(), losers_.end(), node) != losers_.end();
        // Whoever lost its disk promises nothing, but is not back before it has caught up.
        out.height_min = is_first ? look.height : std::min(out.height_min, look.height);
        is_first = false;
        view = std::max(view, look.view);
        vertices_ = std::max(vertices_, look.vertices);
        if (is_loser) continue;
        ++out.honest;
        out.height_max = std::max(out.height_max, look.height);
        out.no_quorum += look.reachable < look.quorum ? 1 : 0;
        if (look.is_partitioned) sides.insert(look.lost);
    }
    out.sides = static_cast<std::uint32_t>(sides.size());
    height_max_ = std::max(height_max_, out.height_max);
    samples_.push_back(out);
    views_.push_back(view);
    fill_cells(at, looks);
}

void RealTestCluster::count_usage(ClusterSample& out, double span_s) {
    std::vector<Spent> before;
    for (RealNode& node : nodes_)
        before.push_back(node.all);
    count_pages();
    const NodeList all = honest();
    for (const std::uint32_t node : all) {
        const RealNode& now = nodes_[node];
        const Spent& then = before[node];
        const double percent = static_cast<double>((now.all.cpu - then.cpu).ns()) / 1e7 / span_s;
        const double bits =
            static_cast<double>(now.all.sent - then.sent + now.all.received - then.received) * 8 /
            span_s;
        const auto memory = static_cast<double>(now.memory);
        const auto share = static_cast<double>(all.size());
        out.cpu_mean_percent += percent / share;
        out.cpu_max_percent = std::max(out.cpu_max_percent, percent);
        out.bits_mean += bits / share;
        out.bits_max = std::max(out.bits_max, bits);
        out.memory_mean += memory / share;
        out.memory_max = std::max(out.memory_max, memory);
        out.syncing = out.syncing + Duration::from_us(static_cast<std::int64_t>(now.all.sync_us));
        out.syncs += now.all.syncs;
    }
}

/// Adds what the present processes used since the last look.
void RealTestCluster::count_pages() {
    if (!clients_) return;
    std::map<std::uint32_t, ProcessUsage> usage;
    for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
        nodes_[node].memory = 0;
        if (const auto used = process_usage(cluster_->pid(node))) usage.emplace(node, *used);
    }
    for (const auto& [node, used] : usage) {
        RealNode& state = nodes_[node];
        state.memory = used.resident_bytes;
        state.memory_peak = std::max(state.memory_peak, state.memory);
        state.all.cpu = state.all.cpu + (used.cpu - state.last.cpu);
        state.last.cpu = used.cpu;
    }
    for (const auto& [node, page] : clients_->pages(up(), look_patience)) {
        RealNode& state = nodes_[node];
        const auto add = [&](std::uint64_t Spent::*field, const char* name) {
            const std::uint64_t value = value_on(page, name);
            state.all.*field += value - std::min(value, state.last.*field);
            state.last.*field = value;
        };
        add(&Spent::sent, "creto_network_sent_bytes_total");
        add(&Spent::received, "creto_network_received_bytes_total");
        add(&Spent::groups, "creto_disk_groups_total");
        add(&Spent::syncs, "creto_disk_synced_groups_total");
        add(&Spent::sync_us, "creto_disk_synced_microseconds_total");
    }
}

void RealTestCluster::fill_cells(Instant at, const std::map<std::uint32_t, Look>& looks) {
    const auto count = static_cast<std::size_t>((at - Instant{}).ns() / record_.cell.ns()) + 1;
    if (record_.cells.size() < count) record_.cells.resize(count);
    RunCell& cell = record_.cells.back();
    cell.view = views_.back();
    cell.height = height_max_;
    const std::uint64_t before =
        record_.cells.size() < 2 ? 0 : record_.cells[record_.cells.size() - 2].height;
    cell.blocks = static_cast<std::uint32_t>(cell.height - std::min(cell.height, before));
    for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
        NodeCell seen;
        const auto look = looks.find(node);
        if (look != looks.end()) {
            seen.view = look->second.view;
            seen.lag = static_cast<std::uint32_t>(
                height_max_ - std::min(height_max_, look->second.height)
            );
        } else {
            seen.state = nodes_[node].is_up ? NodeState::paused : NodeState::down;
        }
        // A look that came late stands for the cells that it missed.
        record_.rows[node].resize(count, seen);
        record_.rows[node].back() = seen;
    }
}

void RealTestCluster::time_a_query() {
    const NodeList one = draw_nodes(1, cluster_draws::query + turn_++);
    if (one.empty() || !holds()) return;
    const Instant begin = now();
    const auto said = clients_->ask(one, "read", {{"key", "final/n"}}, look_patience);
    if (said.empty() || !said.begin()->second.value("ok", false)) return;
    query_us_.add((now() - begin).us());
}

void RealTestCluster::measure_links(PerformanceMetrics& out) {
    if (!clients_) return;
    std::optional<double> least;
    double most = 0;
    for (const auto& [node, doc] : clients_->ask(up(), "peers", Doc::object(), look_patience)) {
        for (const Doc& peer : doc.value("peers", Doc::array())) {
            if (!peer.contains("round_trip_us") || !peer["round_trip_us"].is_number()) continue;
            const double ms = peer["round_trip_us"].get<double>() / 2'000;
            least = least ? std::min(*least, ms) : ms;
            most = std::max(most, ms);
        }
    }
    if (!least) return;
    out.set("link_latency_min_ms", *least);
    out.set("link_latency_max_ms", most);
}

// --- the machine ---

std::optional<RealTestCluster::MachineAt> RealTestCluster::machine_now() const {
    const auto machine = machine_usage();
    if (!machine) return std::nullopt;
    MachineAt out{*machine, {}, own_cpu()};
    for (const RealNode& node : nodes_)
        out.nodes = out.nodes + node.all.cpu;
    return out;
}

std::optional<MachineShare> RealTestCluster::machine_share() const {
    if (!machine_begin_ || !machine_end_) return std::nullopt;
    const auto spent = [](Duration from, Duration to) {
        return static_cast<double>((to - from).ns());
    };
    const double all = spent(machine_begin_->machine.all, machine_end_->machine.all);
    if (all <= 0) return std::nullopt;
    MachineShare out;
    out.processors = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
    out.nodes_percent = 100 * spent(machine_begin_->nodes, machine_end_->nodes) / all;
    out.bench_percent = 100 * spent(machine_begin_->own, machine_end_->own) / all;
    const double busy = 100 * spent(machine_begin_->machine.busy, machine_end_->machine.busy) / all;
    out.others_percent = std::max(0.0, busy - out.nodes_percent - out.bench_percent);
    return out;
}

}  // namespace creto
