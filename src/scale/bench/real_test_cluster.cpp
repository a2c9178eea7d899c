#include "scale/bench/real_test_cluster.hpp"

#include <algorithm>
#include <numeric>
#include <thread>

#include "base/assert.hpp"
#include "base/prng.hpp"
#include "scale/bench/real_limits.hpp"

namespace creto {
namespace {

constexpr auto nap = Duration::from_ms(50);
constexpr auto meeting_patience = std::chrono::seconds{60};

}  // namespace

Result<std::unique_ptr<RealTestCluster>> RealTestCluster::create(
    TestClusterConfig config, RealLinks links
) {
    auto profile = parse_profile(config.profile);
    if (!profile) return tl::unexpected<Error>(profile.error());
    if (config.node_count < 4 || config.node_count > real_nodes_max)
        return fail(
            ErrorCode::invalid,
            "real processes: 4 to " + std::to_string(real_nodes_max) + " nodes, not " +
                std::to_string(config.node_count)
        );
    if (config.bandwidth_bps > 0) profile->bandwidth_bps = config.bandwidth_bps;
    auto folder = ScratchFolder::make();
    if (!folder) return tl::unexpected<Error>(folder.error());
    RealClusterOptions options{
        .network = "scale",
        .mode = config.mode,
        .program = std::filesystem::read_symlink("/proc/self/exe"),
        .dir = std::filesystem::path{(*folder)->path()} / "nodes",
        .checkpoint_blocks = config.knobs.checkpoint_blocks,
        .epoch_blocks = config.knobs.epoch_blocks,
        .view_interval_ms = static_cast<std::uint32_t>(config.knobs.view_interval.ms()),
        .keep_blocks = config.knobs.keep_blocks,
        .profile = *profile,
        .seed = config.seed,
        .direct = links == RealLinks::loopback};
    for (std::uint32_t i = 0; i < config.node_count; ++i)
        options.nodes.push_back({.name = "n" + std::to_string(i)});
    auto cluster = RealCluster::make(std::move(options));
    if (!cluster) return tl::unexpected<Error>(cluster.error());
    std::unique_ptr<RealTestCluster> out{
        new RealTestCluster{std::move(config), std::move(*cluster)}};
    out->folder_ = std::move(*folder);
    out->profile_ = *profile;
    out->has_shim_ = links == RealLinks::shim;
    return out;
}

RealTestCluster::RealTestCluster(TestClusterConfig config, std::unique_ptr<RealCluster> cluster)
    : config_{std::move(config)}, cluster_{std::move(cluster)}, nodes_(config_.node_count) {
    schedule_.seed = config_.seed;
    schedule_.nodes = config_.node_count;
    schedule_.mode = config_.mode;
    schedule_.profile = config_.profile;
    schedule_.real_signatures = true;
    schedule_.knobs = config_.knobs;
    schedule_.workload.count = 0;
    schedule_.calm_after = Duration{};
    NodeList all(config_.node_count);
    std::iota(all.begin(), all.end(), 0U);
    if (config_.disk_losers > 0)
        losers_ = drawn(all, config_.disk_losers, config_.seed, cluster_draws::loser);
    const NodeList steady = honest();
    CRETO_ASSERT(!steady.empty());
    const std::uint64_t word = draw(config_.seed, cluster_draws::witness, 0);
    witness_ = steady[scale_to(word, steady.size())];
    record_.seed = config_.seed;
    record_.nodes = config_.node_count;
    record_.cell = tick;
    record_.rows.resize(config_.node_count);
    record_.roles.assign(config_.node_count, "honest");
    for (const std::uint32_t node : losers_)
        record_.roles[node] = "disk forgets";
}

// --- life ---

Result<void> RealTestCluster::start() {
    for (std::uint32_t node = 0; node < nodes_.size(); ++node)
        if (!cluster_->running(node)) launch(node);
    if (auto there = await_all(); !there) return there;
    if (clients_ || is_interrupted_) return {};
    RealClients::Plan plan;
    plan.seed = config_.seed;
    plan.payload_bytes = config_.payload_bytes;
    plan.cell = record_.cell;
    for (std::uint32_t node = 0; node < nodes_.size(); ++node)
        plan.takes.push_back(
            config_.one_client_node
                ? node == witness_
                : std::find(losers_.begin(), losers_.end(), node) == losers_.end()
        );
    clients_ = std::make_unique<RealClients>(std::move(plan));
    for (std::uint32_t node = 0; node < nodes_.size(); ++node)
        clients_->set_address(node, cluster_->admin_address(node));
    return {};
}

/// Until all answer and hear each other.
Result<void> RealTestCluster::await_all() {
    constexpr auto every = std::chrono::milliseconds{100};
    const auto end = std::chrono::steady_clock::now() + meeting_patience;
    auto met = count_met();
    while (met && *met < nodes_.size() && tell()) {
        if (std::chrono::steady_clock::now() >= end)
            return fail(
                ErrorCode::unavailable,
                std::to_string(config_.node_count) + " processes did not find each other within " +
                    std::to_string(meeting_patience.count()) + " s; " + std::to_string(*met) +
                    " had: is the machine busy with something else?"
            );
        std::this_thread::sleep_for(every);
        met = count_met();
    }
    if (!met) return tl::unexpected<Error>(met.error());
    for (std::uint32_t node = 0; node < nodes_.size() && !is_interrupted_; ++node) {
        nodes_[node].is_up = true;
        nodes_[node].is_starting = false;
        if (clients_) clients_->set_address(node, cluster_->admin_address(node));
    }
    return {};
}

/// How many, in their order, answer and hear all.
Result<std::size_t> RealTestCluster::count_met() {
    for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
        const auto ready = cluster_->is_ready(node);
        if (!ready) return tl::unexpected<Error>(ready.error());
        if (!*ready) return node;
        const auto status = cluster_->ask(
            node, "status", nlohmann::ordered_json::object(), std::chrono::seconds{2}
        );
        if (status.value("reachable", 0U) < config_.node_count) return node;
    }
    return nodes_.size();
}

void RealTestCluster::stop() {
    count_pages();
    for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
        nodes_[node].is_up = nodes_[node].is_starting = false;
        if (clients_) clients_->set_address(node, "");
    }
    cluster_->stop_all();
}

void RealTestCluster::launch(std::uint32_t node) {
    RealNode& state = nodes_[node];
    if (state.is_wiped) {
        if (const auto wiped = cluster_->wipe(node); !wiped)
            return violate("halt", wiped.error().message, node);
        state.is_wiped = false;
    }
    state.last = {};
    if (const auto launched = cluster_->launch(node); !launched)
        return violate("halt", launched.error().message, node);
    state.is_starting = true;
}

void RealTestCluster::look_at_starting() {
    for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
        RealNode& state = nodes_[node];
        if (!state.is_starting) continue;
        const auto ready = cluster_->is_ready(node);
        if (!ready) {
            state.is_starting = false;
            violate("halt", ready.error().message, node);
        } else if (*ready) {
            state.is_starting = false;
            state.is_up = true;
            clients_->set_address(node, cluster_->admin_address(node));
        }
    }
}

void RealTestCluster::look_for_ended() {
    for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
        if (!nodes_[node].is_up || cluster_->running(node)) continue;
        nodes_[node].is_up = false;
        clients_->set_address(node, "");
        const auto said = read_file(cluster_->folder(node) / "stderr", 1U << 20U);
        const std::string text = said ? *said : "";
        violate(
            "halt",
            "node " + std::to_string(node) + " ended by itself: " +
                text.substr(text.size() - std::min<std::size_t>(text.size(), 300)),
            node
        );
    }
}

// --- faults ---

RealTestCluster::FaultId RealTestCluster::inject(
    FaultKind kind, NodeList nodes, std::uint64_t amount, Lasts lasts
) {
    Fault fault;
    fault.kind = kind;
    fault.at = now() - Instant{};
    fault.lasts = lasts.value_or(fault_for_good);
    fault.nodes = std::move(nodes);
    fault.amount = amount;
    std::sort(fault.nodes.begin(), fault.nodes.end());
    schedule_.faults.push_back(std::move(fault));
    const FaultId id = schedule_.faults.size() - 1;
    begin(id);
    if (lasts) at(now() + *lasts, [this, id] { end(id); });
    return id;
}

void RealTestCluster::begin(FaultId id) {
    const Fault& fault = schedule_.faults[id];
    active_.insert(id);
    if (fault.kind == FaultKind::crash || fault.kind == FaultKind::wipe) {
        for (const std::uint32_t node : fault.nodes) {
            take_down(node);
            if (fault.kind == FaultKind::wipe) nodes_[node].is_wiped = true;
        }
    } else {
        refresh_links();
    }
}

void RealTestCluster::end(FaultId id) {
    if (active_.erase(id) == 0) return;
    const Fault& fault = schedule_.faults[id];
    schedule_.faults[id].lasts = now() - Instant{} - fault.at;
    if (fault.kind == FaultKind::crash || fault.kind == FaultKind::wipe) {
        for (const std::uint32_t node : fault.nodes)
            let_up(node);
    } else {
        refresh_links();
    }
}

void RealTestCluster::take_down(std::uint32_t node) {
    RealNode& state = nodes_[node];
    if (++state.held_by > 1) return;
    state.is_up = state.is_starting = false;
    clients_->set_address(node, "");
    cluster_->kill(node);
}

void RealTestCluster::let_up(std::uint32_t node) {
    if (--nodes_[node].held_by == 0 && !cluster_->running(node)) launch(node);
}

/// Everything that is active, anew: what ends takes nothing of another with it.
void RealTestCluster::refresh_links() {
    CRETO_ASSERT(has_shim_);
    LinkProfile profile = profile_;
    std::vector<std::uint64_t> extra_ms(nodes_.size());
    std::map<std::uint32_t, std::uint64_t> widths;
    for (const FaultId id : active_) {
        const Fault& fault = schedule_.faults[id];
        if (fault.kind == FaultKind::loss) {
            const std::uint64_t ppm = profile.loss_ppm + fault.amount;
            profile.loss_ppm =
                static_cast<std::uint32_t>(std::min<std::uint64_t>(ppm, limits::link_ppm));
        }
        for (const std::uint32_t node : fault.nodes) {
            if (fault.kind == FaultKind::slow_link) extra_ms[node] += fault.amount;
            if (fault.kind == FaultKind::bandwidth) widths[node] = fault.amount * 1'000;
        }
    }
    LinkShim& links = cluster_->links();
    links.set_profile(profile);
    for (std::uint32_t node = 0; node < nodes_.size(); ++node)
        links.set_extra_latency(node, Duration::from_ms(static_cast<std::int64_t>(extra_ms[node])));
    for (const auto& [node, width] : widths)
        links.set_bandwidth(node, width);
    refresh_cuts();
}

/// A cut parts its nodes from all others: who is on the same side of each cut reach each other.
void RealTestCluster::refresh_cuts() {
    std::map<std::vector<bool>, NodeList> sides;
    for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
        std::vector<bool> side;
        for (const FaultId id : active_) {
            const Fault& fault = schedule_.faults[id];
            if (fault.kind == FaultKind::cut)
                side.push_back(std::binary_search(fault.nodes.begin(), fault.nodes.end(), node));
        }
        sides[side].push_back(node);
    }
    if (sides.size() < 2) return cluster_->links().heal();
    std::vector<NodeList> groups;
    for (const auto& [side, members] : sides)
        groups.push_back(members);
    cluster_->links().cut(groups);
}

RealTestCluster::FaultId RealTestCluster::kill(NodeList nodes, Lasts lasts) {
    return inject(FaultKind::crash, std::move(nodes), 0, lasts);
}

std::vector<RealTestCluster::FaultId> RealTestCluster::partition(
    const std::vector<NodeList>& groups, Lasts lasts
) {
    std::vector<FaultId> out;
    for (std::size_t i = 0; i + 1 < groups.size(); ++i)
        out.push_back(inject(FaultKind::cut, groups[i], 0, lasts));
    return out;
}

void RealTestCluster::heal() {
    const std::set<FaultId> active = active_;
    for (const FaultId id : active)
        if (schedule_.faults[id].kind == FaultKind::cut) end(id);
}

RealTestCluster::FaultId RealTestCluster::spike(NodeList nodes, std::uint32_t ms, Lasts lasts) {
    // A message pays at its sender and at its receiver: when all are slow, half for each.
    const bool is_all = nodes.size() == nodes_.size();
    return inject(FaultKind::slow_link, std::move(nodes), is_all ? ms / 2 : ms, lasts);
}

RealTestCluster::FaultId RealTestCluster::lose(std::uint32_t ppm, Lasts lasts) {
    return inject(FaultKind::loss, {}, ppm, lasts);
}

RealTestCluster::FaultId RealTestCluster::limit_bandwidth(
    NodeList nodes, std::uint64_t kbit_per_s, Lasts lasts
) {
    return inject(FaultKind::bandwidth, std::move(nodes), kbit_per_s, lasts);
}

RealTestCluster::FaultId RealTestCluster::lose_disks(Lasts lasts) {
    return inject(FaultKind::wipe, losers_, 0, lasts);
}

void RealTestCluster::change_parameters(Duration delta, Duration over) {
    const Duration gap = over / (2 * static_cast<std::int64_t>(nodes_.size()));
    for (std::uint32_t node = 0; node < nodes_.size(); ++node)
        at(now() + gap * node, [this, node, delta] {
            const auto changed = cluster_->reconfigure(node, [delta](Config& config) {
                config.delta_ms = static_cast<std::uint64_t>(delta.ms());
            });
            if (!changed) return violate("halt", changed.error().message, node);
            inject(FaultKind::crash, {node}, 0, restart_stop);
        });
}

// --- load and time ---

void RealTestCluster::load(const WorkloadPattern& workload, Duration lasts) {
    if (clients_) clients_->begin(workload, lasts);
}

void RealTestCluster::measure_from_now() {
    if (!clients_) return;
    measured_from_ = now();
    clients_->measure_from(measured_from_);
    machine_begin_ = machine_now();
}

Instant RealTestCluster::now() const {
    return clients_ ? clients_->now() : Instant{};
}

void RealTestCluster::at(Instant at, std::function<void()> action) {
    due_.emplace(at, std::move(action));
}

void RealTestCluster::violate(
    const std::string& checker, const std::string& text, std::uint32_t node
) {
    if (violation_.text.empty())
        violation_ = {checker, checker + ": " + text, NodeIndex{node}, now()};
}

bool RealTestCluster::tell() {
    if (!tell_ || is_interrupted_) return !is_interrupted_;
    const RealClients::Counts counts = clients_ ? clients_->counts() : RealClients::Counts{};
    const TrialProgress at{now() - Instant{}, {}, counts.submitted, counts.final, height_max_};
    is_interrupted_ = !tell_(at);
    return !is_interrupted_;
}

void RealTestCluster::carry_out_due() {
    while (!due_.empty() && due_.begin()->first <= now() && holds()) {
        const std::function<void()> action = std::move(due_.begin()->second);
        due_.erase(due_.begin());
        action();
    }
}

void RealTestCluster::wait_until(Instant at) {
    while (now() < at && holds()) {
        carry_out_due();
        look_at_starting();
        Instant next = std::min(at, now() + nap);
        if (!due_.empty()) next = std::min(next, due_.begin()->first);
        const Duration left = next - now();
        if (left > Duration{}) std::this_thread::sleep_for(std::chrono::nanoseconds{left.ns()});
    }
}

bool RealTestCluster::run(Duration span) {
    if (!clients_ || !holds()) return false;
    const Instant end = now() + span;
    while (holds() && now() < end) {
        const Instant last = samples_.empty() ? Instant{} : Instant{} + samples_.back().at;
        wait_until(std::min(end, std::max(last + tick, now())));
        look_for_ended();
        take_sample();
        time_a_query();
        if (!tell()) return false;
    }
    return holds();
}

/// Looks every now and then; false when the span passed first.
bool RealTestCluster::until(const std::function<bool()>& done, Duration span) {
    constexpr auto every = Duration::from_ms(200);
    const Instant end = now() + span;
    while (!done()) {
        if (now() >= end || !holds()) return false;
        wait_until(now() + every);
        look_for_ended();
        if (!tell()) return false;
    }
    return true;
}

// --- looking ---

std::uint32_t RealTestCluster::running() {
    std::uint32_t out = 0;
    for (std::uint32_t node = 0; node < nodes_.size(); ++node)
        out += cluster_->running(node) ? 1 : 0;
    return out;
}

NodeList RealTestCluster::honest() const {
    NodeList out;
    for (std::uint32_t node = 0; node < config_.node_count; ++node)
        if (std::find(losers_.begin(), losers_.end(), node) == losers_.end()) out.push_back(node);
    return out;
}

NodeList RealTestCluster::up() const {
    NodeList out;
    for (std::uint32_t node = 0; node < nodes_.size(); ++node)
        if (nodes_[node].is_up) out.push_back(node);
    return out;
}

NodeList RealTestCluster::draw_nodes(std::uint32_t count, std::uint64_t turn) const {
    NodeList live = honest();
    std::erase_if(live, [&](std::uint32_t node) { return !nodes_[node].is_up; });
    // Whom the figures are read from, and who is asked alone, stays.
    if (live.size() > count) std::erase(live, witness_);
    return drawn(std::move(live), count, mix64(config_.seed ^ turn), cluster_draws::pick);
}

}  // namespace creto
