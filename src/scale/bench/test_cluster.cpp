#include "scale/bench/test_cluster.hpp"

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"
#include "scale/bench/measure.hpp"
#include "sim/memory.hpp"
#include "sim/node_participant.hpp"

namespace creto {
namespace {

NodeList honest_of(const Schedule& schedule) {
    NodeList out;
    for (std::uint32_t node = 0; node < schedule.seats(); ++node)
        if (!schedule.byzantine.contains(node)) out.push_back(node);
    return out;
}

}  // namespace

Result<std::unique_ptr<ScaleTestCluster>> ScaleTestCluster::create(TestClusterConfig config) {
    const auto refuse = [](const std::string& what) { return fail(ErrorCode::invalid, what); };
    if (config.byzantine_ppm > 1'000'000) return refuse("at most 100 % of the nodes are byzantine");
    if (config.payload_bytes < 8 || config.payload_bytes > limits::operation_bytes_max - 1'024)
        return refuse("a payload has 8 to 130,048 bytes");
    if (config.bandwidth_bps > limits::link_bandwidth_bps_max) return refuse("at most 1 Tbit/s");
    if (!parse_profile(config.profile)) return refuse("no network profile " + config.profile);
    if (config.node_count < 1 || config.node_count > limits::seats_max)
        return refuse(
            "a cluster has 4 to " + std::to_string(limits::seats_max) + " nodes, not " +
            std::to_string(config.node_count)
        );
    settle_votes(config);
    const Schedule schedule = schedule_of(config);
    if (auto good = check(schedule); !good) return tl::unexpected<Error>(good.error());
    if (honest_of(schedule).empty()) return refuse("at least one node is honest");
    return std::unique_ptr<ScaleTestCluster>{new ScaleTestCluster{std::move(config)}};
}

Schedule ScaleTestCluster::schedule_of(const TestClusterConfig& config) {
    Schedule out;
    out.seed = config.seed;
    out.nodes = config.node_count;
    out.mode = config.mode;
    out.profile = config.profile;
    out.knobs = config.knobs;
    out.costs = config.costs.id;
    out.workload.count = 0;
    out.calm_after = Duration{};
    draw_liars(out, config.byzantine_ppm, config.attack);
    // A share above a third is more than the quorum tolerates, whatever is lost by rounding.
    constexpr std::uint32_t third_ppm = 333'333;
    for (std::uint32_t node = 0; config.byzantine_ppm > third_ppm &&
                                 out.byzantine.size() * 3 < out.nodes && node < out.nodes;
         ++node)
        out.byzantine.emplace(node, config.attack);
    if (config.disk_losers > 0) {
        // Named from the start: nothing that these promise counts. It begins with lose_disks().
        Fault wipe;
        wipe.kind = FaultKind::wipe;
        wipe.nodes = drawn(honest_of(out), config.disk_losers, config.seed, cluster_draws::loser);
        out.faults.push_back(wipe);
    }
    out.spares = config.spare_count;
    out.nodes += config.spare_count;
    return out;
}

ScaleTestCluster::ScaleTestCluster(TestClusterConfig config)
    : config_{std::move(config)},
      schedule_{schedule_of(config_)},
      unreliable_{unreliable(schedule_)},
      recorder_{Recorder::Operations::told},
      cluster_{options(), honest_nodes()},
      clients_{schedule_, cluster_},
      injector_{schedule_, cluster_},
      watch_{schedule_, cluster_, unreliable_},
      load_{load_plan(), cluster_, recorder_} {
    recorder_.attach(cluster_);
    recorder_.set_measured_from(Instant::max());
    spent_.resize(schedule_.nodes);
    if (!schedule_.faults.empty()) losers_ = schedule_.faults.front().nodes;
    const NodeList all = honest();
    witness_ = all[scale_to(draw(config_.seed, cluster_draws::witness, 0), all.size())];
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
        if (unreliable_[node]) cluster_.set_byzantine(NodeIndex{node});
    if (!promises_progress()) cluster_.expect_split();
    clients_.set_others([this](std::uint32_t /*node*/, const OperationBody& body) {
        return load_.has_asked(body) || std::holds_alternative<RosterOperation>(body);
    });
}

SimOptions ScaleTestCluster::options() {
    SimOptions out;
    out.seed = config_.seed;
    out.node_count = schedule_.nodes;
    out.seat_count = schedule_.seats();
    out.mode = config_.mode;
    out.view_interval_ms = static_cast<std::uint32_t>(config_.knobs.view_interval.ms());
    out.term_views = config_.knobs.term_views;
    out.checkpoint_blocks = config_.knobs.checkpoint_blocks;
    out.epoch_blocks = config_.knobs.epoch_blocks;
    out.vote_form = *config_.vote_form;
    out.profile = *parse_profile(config_.profile);
    if (config_.bandwidth_bps > 0) out.profile.bandwidth_bps = config_.bandwidth_bps;
    out.detection = config_.knobs.detection;
    out.costs = config_.costs;
    out.starts_all = false;
    out.notices_kept_max = 0;
    for (const auto& [node, attack] : schedule_.byzantine)
        out.attacks[NodeIndex{node}] = attack;
    out.configure = [knobs = config_.knobs](NodeIndex /*node*/, NodeOptions& node) {
        node.delta = knobs.delta;
        node.delta_max = knobs.delta_max;
        node.heartbeat = knobs.heartbeat;
        node.keep_blocks = knobs.keep_blocks;
    };
    out.on_notice = [this](NodeIndex node, const SimNotice& notice) { on_notice(node, notice); };
    recorder_.hook(out);
    out.on_answer = [this](Ticket ticket, const SimCommand& command) {
        on_answer(ticket, command);
    };
    return out;
}

OfferedLoad::Plan ScaleTestCluster::load_plan() {
    constexpr std::size_t checked_max = 10'000;
    constexpr std::size_t finals_max = 1'000'000;
    OfferedLoad::Plan out;
    out.seed = config_.seed;
    out.payload_bytes = config_.payload_bytes;
    out.takes = [this](std::uint32_t node) {
        if (config_.one_client_node) return node == witness_;
        return node < schedule_.seats() + joined_ && !unreliable_[node] &&
               !departed_.contains(node);
    };
    out.on_final = [this](const SimCommand& command, Instant asked, const SubmitReply& done) {
        const auto second = static_cast<std::size_t>((asked - Instant{}).ms() / 1'000);
        if (final_by_second_.size() <= second) final_by_second_.resize(second + 1);
        ++final_by_second_[second];
        if (!finals_.insert(done.operation).second && done.applied)
            cluster_.violate(
                "exactly-once", "one operation was answered for two commands", command.node
            );
        if (finals_.size() > finals_max) finals_.clear();  // A copy would be void by its expiry.
        // The newest: old ids are forgotten.
        if (finals_to_check_.size() < checked_max) finals_to_check_.emplace_back();
        finals_to_check_[finals_count_++ % checked_max] = {done.operation, done.height};
    };
    return out;
}

/// With more liars than the quorum tolerates only safety is promised.
bool ScaleTestCluster::promises_progress() const {
    const auto bad =
        static_cast<std::size_t>(std::count(unreliable_.begin(), unreliable_.end(), true));
    return std::max(bad, schedule_.byzantine.size()) <=
           std::max(
               liars_max(config_.mode, schedule_.seats()),
               config_.mode == QuorumMode::crash ? (schedule_.seats() - 1) / 2 : 0
           );
}

// --- life ---

Result<void> ScaleTestCluster::start() {
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node) {
        if (cluster_.is_up(NodeIndex{node})) continue;
        if (auto started = cluster_.start(NodeIndex{node}); !started) return started;
    }
    return {};
}

void ScaleTestCluster::stop() {
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
        if (cluster_.is_up(NodeIndex{node})) cluster_.crash(NodeIndex{node});
}

void ScaleTestCluster::spawn(std::uint32_t count, const NodeList& instead_of) {
    for (std::uint32_t i = 0; i < count && joined_ < schedule_.spares; ++i, ++joined_) {
        NodeList seat;
        if (i < instead_of.size()) {
            seat.push_back(instead_of[i]);
            departed_.insert(instead_of[i]);
        }
        inject(FaultKind::reseat, seat, 0, {});
    }
}

void ScaleTestCluster::remove_liars() {
    removes_liars_ = true;
    ask_to_remove();
}

/// One seat after the other: each change has to be asked for by a quorum within one epoch.
void ScaleTestCluster::ask_to_remove() {
    if (!removes_liars_) return;
    std::optional<std::uint32_t> next;
    const NodeList all = honest();
    for (const auto& [liar, attack] : schedule_.byzantine) {
        const bool is_seated = std::any_of(all.begin(), all.end(), [&, who = liar](auto node) {
            const Node* inside = cluster_.node(NodeIndex{node});
            return inside != nullptr &&
                   inside->roster().find(cluster_.host(NodeIndex{who}).signer->public_key());
        });
        if (is_seated && !next) next = liar;
    }
    if (!next) return;
    RosterOperation change;
    change.action = RosterOperation::Action::remove;
    change.seat = Seat{*next};
    for (const std::uint32_t node : all)
        if (cluster_.is_up(NodeIndex{node}))
            (void
            )cluster_.submit(NodeIndex{node}, Submit{change, Reading::final, Duration::from_s(5)});
    cluster_.at(cluster_.now() + Duration::from_s(1), [this] { ask_to_remove(); });
}

// --- faults ---

ScaleTestCluster::FaultId ScaleTestCluster::inject(
    FaultKind kind, NodeList nodes, std::uint64_t amount, Lasts lasts, Duration in
) {
    Fault fault;
    fault.kind = kind;
    fault.at = cluster_.now() - Instant{} + in;
    fault.lasts = lasts.value_or(fault_for_good);
    fault.nodes = std::move(nodes);
    fault.amount = amount;
    std::sort(fault.nodes.begin(), fault.nodes.end());
    schedule_.faults.push_back(std::move(fault));
    injector_.add_new();
    return schedule_.faults.size() - 1;
}

ScaleTestCluster::FaultId ScaleTestCluster::kill(NodeList nodes, Lasts lasts) {
    return inject(FaultKind::crash, std::move(nodes), 0, lasts);
}

std::vector<ScaleTestCluster::FaultId> ScaleTestCluster::partition(
    const std::vector<NodeList>& groups, Lasts lasts
) {
    std::vector<FaultId> out;
    // Whom all groups but the last are cut from: the rest, each other included.
    for (std::size_t i = 0; i + 1 < groups.size(); ++i)
        out.push_back(inject(FaultKind::cut, groups[i], 0, lasts));
    partitions_.insert(partitions_.end(), out.begin(), out.end());
    return out;
}

void ScaleTestCluster::heal() {
    for (const FaultId fault : partitions_)
        injector_.end(fault);
    partitions_.clear();
}

ScaleTestCluster::FaultId ScaleTestCluster::spike(NodeList nodes, std::uint32_t ms, Lasts lasts) {
    // A message pays at its sender and at its receiver: when all are slow, half for each.
    const bool is_all = nodes.size() == schedule_.nodes;
    return inject(FaultKind::slow_link, std::move(nodes), is_all ? ms / 2 : ms, lasts);
}

ScaleTestCluster::FaultId ScaleTestCluster::lose(std::uint32_t ppm, Lasts lasts) {
    return inject(FaultKind::loss, {}, ppm, lasts);
}

ScaleTestCluster::FaultId ScaleTestCluster::limit_bandwidth(
    NodeList nodes, std::uint64_t kbit_per_s, Lasts lasts
) {
    return inject(FaultKind::bandwidth, std::move(nodes), kbit_per_s, lasts);
}

ScaleTestCluster::FaultId ScaleTestCluster::throttle_cpu(
    NodeList nodes, std::uint32_t percent, Lasts lasts
) {
    return inject(FaultKind::slow_cpu, std::move(nodes), percent, lasts);
}

std::vector<ScaleTestCluster::FaultId> ScaleTestCluster::press_memory(
    const NodeList& nodes, std::uint32_t percent, Lasts lasts
) {
    std::vector<FaultId> out;
    const double used = std::clamp(percent, 1U, 99U) / 100.0;
    for (const std::uint32_t node : nodes) {
        const auto held = static_cast<double>(held_bytes(cluster_.host(NodeIndex{node})));
        const double room = (held + process_fixed_bytes) * (1 / used - 1);
        out.push_back(inject(
            FaultKind::memory_budget,
            {node},
            static_cast<std::uint64_t>((held + room) / 1'024),
            lasts
        ));
        schedule_.faults.back().more = 100;
    }
    return out;
}

ScaleTestCluster::FaultId ScaleTestCluster::lose_disks(Lasts lasts) {
    return inject(FaultKind::wipe, losers_, 0, lasts);
}

ScaleTestCluster::FaultId ScaleTestCluster::skew_clocks(
    const NodeList& nodes, std::uint32_t ms, Duration lasts
) {
    constexpr std::uint64_t loses = 100'000;  // Above it a drift loses what is over it.
    const std::size_t half = (nodes.size() + 1) / 2;
    const NodeList ahead{nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(half)};
    const NodeList behind{nodes.begin() + static_cast<std::ptrdiff_t>(half), nodes.end()};
    const auto span_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(1, lasts.ms()));
    const std::uint64_t ppm =
        std::min<std::uint64_t>(99'000, std::uint64_t{ms} * 1'000'000 / span_ms);
    if (!behind.empty()) inject(FaultKind::clock_drift, behind, loses + ppm, lasts);
    return inject(FaultKind::clock_step, ahead, ms, lasts);
}

void ScaleTestCluster::change_parameters(Duration delta, Duration over) {
    const Duration gap = over / (2 * std::int64_t{schedule_.nodes});
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node) {
        cluster_.reconfigure(NodeIndex{node}, [delta](NodeOptions& options) {
            options.delta = delta;
            options.delta_max = std::max(options.delta_max, delta);
        });
        inject(FaultKind::crash, {node}, 0, restart_stop, gap * node);
    }
}

// --- load and time ---

void ScaleTestCluster::measure_from_now() {
    measured_from_ = cluster_.now();
    recorder_.set_measured_from(measured_from_);
}

bool ScaleTestCluster::run(Duration span) {
    const Instant end = cluster_.now() + span;
    while (holds() && cluster_.now() < end) {
        (void)cluster_.run_for(std::min(end - cluster_.now(), tick));
        take_sample();
        watch_.look();
        if (running() > 0 && !config_.one_client_node) clients_.write_next();
        const NodeList one = draw_nodes(1, cluster_draws::query + turn_++);
        if (!one.empty())
            queries_[cluster_.submit(NodeIndex{one.front()}, ReadKey{"final/n"})] = cluster_.now();
        const bool goes_on = !tell_ || tell_(
                                           {cluster_.now() - Instant{},
                                            {},
                                            load_.submitted(),
                                            load_.final(),
                                            cluster_.invariants().counts().heights}
                                       );
        if (!goes_on) {
            is_interrupted_ = true;
            return false;
        }
    }
    return holds();
}

void ScaleTestCluster::on_answer(Ticket ticket, const SimCommand& command) {
    if (load_.on_answer(ticket, command)) return;
    const auto query = queries_.find(ticket);
    if (query == queries_.end()) return;
    if (std::holds_alternative<KeyReply>(*command.reply))
        query_us_.add((command.answered - query->second).us());
    queries_.erase(query);
}

void ScaleTestCluster::on_notice(NodeIndex node, const SimNotice& notice) {
    if (unreliable_[node.value()]) return;
    const auto node_of = [this](const AgentId& agent) {
        const auto found = cluster_.find(agent);
        return found ? std::optional{found->value()} : std::nullopt;
    };
    if (const auto* suspected = std::get_if<SeatSuspected>(&*notice.notice)) {
        // Derived from the final state, so the same at every honest node.
        if (const auto whom = node_of(suspected->agent); whom && node.value() == witness_)
            suspected_.insert(*whom);
    } else if (const auto* excluded = std::get_if<Excluded>(&*notice.notice)) {
        const auto whom = node_of(excluded->agent);
        if (!whom) return;
        excluded_.insert(*whom);
        if (unreliable_[*whom]) return;
        accused_.insert(*whom);
        cluster_.violate("evidence", "a reliable node was excluded: " + excluded->reason, node);
    } else if (const auto* halted = std::get_if<Halted>(&*notice.notice)) {
        const bool is_storage = halted->reason.find("storage failed") != std::string::npos;
        if (promises_progress() && !is_storage) cluster_.violate("halt", halted->reason, node);
    }
}

// --- looking ---

std::optional<StatusReply> ScaleTestCluster::status(std::uint32_t node) const {
    const Node* inside = cluster_.node(NodeIndex{node});
    return inside == nullptr ? std::nullopt : std::optional{inside->status()};
}

std::uint32_t ScaleTestCluster::running() {
    std::uint32_t out = 0;
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
        out += cluster_.is_up(NodeIndex{node}) ? 1 : 0;
    return out;
}

NodeList ScaleTestCluster::honest() const {
    NodeList out;
    for (const std::uint32_t node : honest_of(schedule_))
        if (!unreliable_[node] && !departed_.contains(node)) out.push_back(node);
    for (std::uint32_t i = 0; i < joined_; ++i)
        out.push_back(schedule_.seats() + i);
    return out;
}

NodeList ScaleTestCluster::liars() const {
    NodeList out;
    for (const auto& [node, attack] : schedule_.byzantine)
        out.push_back(node);
    return out;
}

NodeList ScaleTestCluster::draw_nodes(std::uint32_t count, std::uint64_t turn) const {
    NodeList live = honest();
    std::erase_if(live, [&](std::uint32_t node) { return !cluster_.is_up(NodeIndex{node}); });
    // Whom the figures are read from, and who is asked alone, stays.
    if (live.size() > count) std::erase(live, witness_);
    return drawn(std::move(live), count, mix64(config_.seed ^ turn), cluster_draws::pick);
}

NodeList ScaleTestCluster::draw_stores(std::uint32_t count) const {
    return drawn(honest(), count, config_.seed, cluster_draws::store);
}

std::uint64_t ScaleTestCluster::height(std::uint32_t node) {
    const auto now = status(node);
    return now ? now->finalized.value() : 0;
}

bool ScaleTestCluster::is_healthy() const {
    if (samples_.size() < 2) return false;
    const ClusterSample& last = samples_.back();
    const ClusterSample& before = samples_[samples_.size() - 2];
    return holds() && last.height_max > before.height_max && last.height_min >= before.height_min &&
           last.height_min + 64 >= last.height_max && last.no_quorum == 0;
}

void ScaleTestCluster::measure_links(PerformanceMetrics& out) {
    probe_links(links(), config_.node_count, out);
}

void ScaleTestCluster::take_sample() {
    ClusterSample out;
    out.at = cluster_.now() - Instant{};
    const Duration before = samples_.empty() ? Duration{} : samples_.back().at;
    const double span_s = std::max(1e-9, static_cast<double>((out.at - before).ns()) / 1e9);
    out.submitted = load_.submitted();
    out.final = load_.final();
    out.running = running();
    std::set<std::vector<Seat>> sides;
    const NodeList all = honest();
    bool is_first = true;
    for (const std::uint32_t node : all) {
        const SimHost& host = cluster_.host(NodeIndex{node});
        const Duration cpu = host.spent.protocol + host.spent.crypto;
        const std::uint64_t bytes = cluster_.bytes_of(NodeIndex{node});
        const double percent = static_cast<double>((cpu - spent_[node].cpu).ns()) / 1e7 / span_s;
        const double bits = static_cast<double>(bytes - spent_[node].bytes) * 8 / span_s;
        spent_[node] = {cpu, bytes};
        const double cached =
            std::min(static_cast<double>(host.disk.used_bytes()), store_cache_bytes_max);
        const double memory =
            host.life ? static_cast<double>(held_bytes(host)) + cached + process_fixed_bytes : 0;
        out.cpu_mean_percent += percent / static_cast<double>(all.size());
        out.cpu_max_percent = std::max(out.cpu_max_percent, percent);
        out.bits_mean += bits / static_cast<double>(all.size());
        out.bits_max = std::max(out.bits_max, bits);
        out.memory_mean += memory / static_cast<double>(all.size());
        out.memory_max = std::max(out.memory_max, memory);
        out.syncing = out.syncing + host.spent.syncing;
        out.syncs += host.spent.syncs;
        const auto now = status(node);
        if (!now) continue;
        ++out.honest;
        const std::uint64_t height = now->finalized.value();
        out.height_max = std::max(out.height_max, height);
        out.height_min = is_first ? height : std::min(out.height_min, height);
        is_first = false;
        out.no_quorum += now->reachable_seats < now->quorum.q ? 1 : 0;
        if (now->partitioned) sides.insert(now->lost_seats);
    }
    // Whoever lost its disk promises nothing, but is not back before it has caught up.
    for (const std::uint32_t node : losers_)
        if (const auto now = status(node))
            out.height_min = std::min(out.height_min, now->finalized.value());
    out.sides = static_cast<std::uint32_t>(sides.size());
    // Load fills disks: what each operation may take of one, in the watch's own measure.
    constexpr std::uint64_t measure = 64 * 1'024;
    schedule_.workload.count =
        static_cast<std::uint32_t>(load_.submitted() * (1 + config_.payload_bytes / measure));
    samples_.push_back(out);
}

}  // namespace creto
