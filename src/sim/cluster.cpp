#include "sim/cluster.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace creto {
namespace {

/// One delivery of so many is read by its receiver alone: docs/decisions/0011.
constexpr std::uint64_t reads_alone_every = 101;

/// Streams of draws; never renumbered, or old seeds mean other runs.
enum class ClusterDraw : std::uint64_t { key = 0x41, node = 0x42, disk = 0x43, links = 0x44 };

/// The wall clock at virtual instant zero: 2026-01-01. Informational, like all wall clocks.
constexpr std::int64_t unix_ms_at_zero = 1'767'225'600'000;

std::uint64_t seed_for(std::uint64_t seed, ClusterDraw use, std::uint64_t node = 0) {
    return draw(seed, static_cast<std::uint64_t>(use), node);
}

KeySeed key_seed(std::uint64_t seed, std::uint32_t node) {
    std::array<std::uint8_t, KeySeed::size> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::uint64_t word =
            draw(seed, static_cast<std::uint64_t>(ClusterDraw::key), node, i / 8);
        bytes[i] = static_cast<std::uint8_t>(word >> (8 * (i % 8)));
    }
    return KeySeed{bytes};
}

std::unique_ptr<SignatureScheme> make_scheme(SimSignatures signatures) {
    if (signatures == SimSignatures::ed25519) return std::make_unique<Ed25519Scheme>();
    return std::make_unique<TagScheme>(
        signatures == SimSignatures::tag ? TagScheme::Keys::own : TagScheme::Keys::ed25519
    );
}

NetworkOptions network_options(const SimOptions& options) {
    NetworkOptions network;
    network.seed = seed_for(options.seed, ClusterDraw::links);
    network.node_count = options.node_count;
    network.profile = options.profile;
    network.linking = options.linking;
    network.detection = options.detection;
    return network;
}

}  // namespace

std::string sim_address(NodeIndex node) {
    return "/sim/" + std::to_string(node.value());
}

std::optional<NodeIndex> parse_sim_address(std::string_view address) {
    constexpr std::string_view prefix = "/sim/";
    if (!address.starts_with(prefix) || address.size() > prefix.size() + 9) return std::nullopt;
    const std::string_view digits = address.substr(prefix.size());
    std::uint32_t number = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (digits.empty()) return std::nullopt;
    return NodeIndex{number};
}

SimCluster::SimCluster(SimOptions options, ParticipantFactory factory)
    : options_{std::move(options)},
      factory_{std::move(factory)},
      costs_nothing_{options_.costs.is_free()},
      scheme_{make_scheme(options_.signatures)},
      network_{network_options(options_), queue_, *this},
      pool_{options_.shared_processors} {
    make_hosts();
    if (!options_.starts_all) return;
    for (const auto& host : hosts_) {
        const auto started = start(host->index);
        CRETO_ASSERT(started.has_value());  // An empty disk restores.
    }
}

SimCluster::~SimCluster() = default;

void SimCluster::make_hosts() {
    CRETO_ASSERT(options_.vote_form == VoteForm::list || scheme_->joins());
    const std::uint32_t seats = options_.seat_count.value_or(options_.node_count);
    CRETO_ASSERT(seats <= options_.node_count);
    std::vector<AgentId> agents;
    for (std::uint32_t i = 0; i < options_.node_count; ++i) {
        DiskOptions disk = options_.disk;
        disk.seed = seed_for(options_.seed, ClusterDraw::disk, i);
        auto host = std::make_unique<SimHost>(NodeIndex{i}, disk, options_.log);
        host->signer = scheme_->signer(key_seed(options_.seed, i));
        host->agent = host->signer->public_key();
        agents.push_back(host->agent);
        hosts_.push_back(std::move(host));
    }
    by_agent_.emplace(agents);
    const Genesis genesis = make_genesis();
    CRETO_ASSERT(validate(genesis).has_value());
    roster_.emplace(genesis);
    std::vector<std::optional<Seat>> seat_of(hosts_.size());
    for (std::uint32_t i = 0; i < seats; ++i)
        seat_of[i] = genesis.members[i].seat;
    invariants_.emplace(genesis, *scheme_, std::move(seat_of));
    for (const auto& [node, attack] : options_.attacks)
        invariants_->set_byzantine(node);

    for (const auto& host : hosts_) {
        NodeOptions& node = host->options;
        node.genesis = genesis;
        node.name = "node-" + std::to_string(host->index.value());
        node.addresses = {sim_address(host->index)};
        // Whoever dials for himself knows one address at first, like a new agent.
        if (options_.linking == Linking::dialled && host->index.value() > 0)
            node.bootstrap = {sim_address(NodeIndex{0})};
        node.seed = seed_for(options_.seed, ClusterDraw::node, host->index.value());
        if (options_.configure) options_.configure(host->index, node);
    }
}

Genesis SimCluster::make_genesis() const {
    Genesis genesis;
    genesis.network = "sim-" + std::to_string(options_.seed);
    genesis.mode = options_.mode;
    genesis.view_interval_ms = options_.view_interval_ms;
    genesis.term_views = options_.term_views;
    genesis.checkpoint_blocks = options_.checkpoint_blocks;
    genesis.epoch_blocks = options_.epoch_blocks;
    genesis.dead_after_reports = options_.dead_after_reports;
    genesis.vote_form = options_.vote_form;
    const std::uint32_t seats = options_.seat_count.value_or(options_.node_count);
    for (std::uint32_t i = 0; i < seats; ++i)
        genesis.members.push_back({Seat{i}, hosts_[i]->agent, "node-" + std::to_string(i)});
    return genesis;
}

// --- time ---

bool SimCluster::run_for(Duration span) {
    const Instant end = now_ + span;
    while (!invariants_->violation() && !queue_.empty() && queue_.next_at() <= end)
        step();
    if (!invariants_->violation()) now_ = end;
    return !invariants_->violation();
}

bool SimCluster::run_until(const std::function<bool()>& done, Duration span) {
    const Instant end = now_ + span;
    while (!invariants_->violation()) {
        if (done()) return true;
        if (queue_.empty() || queue_.next_at() > end) {
            now_ = end;
            return false;
        }
        step();
    }
    return false;
}

void SimCluster::at(Instant at, std::function<void()> action) {
    CRETO_ASSERT(at >= now_);
    queue_.push(at, SimEventTag{SimEventKind::action, actions_.put(std::move(action))}.packed());
}

void SimCluster::step() {
    const SimEvent event = queue_.pop();
    events_this_instant_ = event.at == now_ ? events_this_instant_ + 1 : 0;
    now_ = event.at;
    if (events_this_instant_ > options_.events_per_instant_max) {
        invariants_->violate("time", "events without end in one instant", NodeIndex{}, now_);
        return;
    }
    dispatch(SimEventTag::unpack(event.payload));
}

void SimCluster::dispatch(SimEventTag tag) {
    switch (tag.kind) {
        case SimEventKind::deliver:
        case SimEventKind::downlink:
        case SimEventKind::link:
            network_.on_event(tag, now_);
            break;
        case SimEventKind::wake:
            on_wake(wakes_.take(tag.place));
            break;
        case SimEventKind::durable:
            on_durable(durables_.take(tag.place));
            break;
        case SimEventKind::finish:
            on_finish(finishes_.take(tag.place));
            break;
        case SimEventKind::checked:
            on_checked(checked_.take(tag.place));
            break;
        case SimEventKind::action:
            actions_.take(tag.place)();
            break;
        case SimEventKind::local: {
            LocalEvent local = locals_.take(tag.place);
            SimHost* const host = living(local.node, local.boot);
            if (host == nullptr) break;
            if (const auto* executed = std::get_if<Executed>(&local.event))
                if (host->life->executing.erase(executed->ticket) == 0) break;  // Cancelled.
            if (const auto* emitted = std::get_if<Emitted>(&local.event))
                if (host->life->executing.count(emitted->ticket) == 0) break;
            hand(*host, std::move(local.event), local.fingerprint);
            break;
        }
    }
}

// --- handing events to nodes ---

void SimCluster::hand(SimHost& host, Event event, std::uint64_t fingerprint) {
    SimHost::Life& life = *host.life;
    if (host.is_paused || life.is_busy || life.has_waiting()) {
        ++host.counters.events_waited;
        host.wait({std::move(event), fingerprint, now_});
        return;
    }
    handle(host, event, fingerprint);
    drain(host);  // What the host answered at once.
}

void SimCluster::handle(SimHost& host, const Event& event, std::uint64_t fingerprint) {
    SimHost::Life& life = *host.life;
    ++host.events;
    trace_.add(now_, host.index, static_cast<std::uint32_t>(event.index()), fingerprint);
    if (options_.on_received)
        if (const auto* received = std::get_if<Received>(&event))
            options_.on_received(host.index, *received);
    auto effects =
        life.participant->on_event(event, Instant{} + (host.clock.read(now_) - life.started));
    const Duration cost =
        costs_nothing_ ? Duration{} : slowed(host, protocol_cost(options_.costs, event, effects));
    if (cost == Duration{}) return carry_out(host, std::move(effects));
    host.spent.protocol = host.spent.protocol + cost;
    life.is_busy = true;
    FinishEvent finish{host.index, host.boots, std::move(effects)};
    queue_.push(
        pool_.run(now_, cost),
        SimEventTag{SimEventKind::finish, finishes_.put(std::move(finish))}.packed()
    );
}

void SimCluster::set_cpu_percent(NodeIndex node, std::uint32_t percent) {
    CRETO_ASSERT(percent >= 1 && percent <= 100);
    host_at(node).cpu_percent = percent;
}

Duration SimCluster::slowed(const SimHost& host, Duration cost) {
    return host.cpu_percent == 100 ? cost : cost * 100 / host.cpu_percent;
}

void SimCluster::on_finish(FinishEvent finish) {
    SimHost* const host = living(finish.node, finish.boot);
    if (host == nullptr) return;
    host->life->is_busy = false;
    carry_out(*host, std::move(finish.effects));
    drain(*host);
}

void SimCluster::drain(SimHost& host) {
    while (host.life && !host.is_paused && !host.life->is_busy && host.life->has_waiting()) {
        const WaitingEvent next = host.life->next_waiting();
        host.spent.queued = host.spent.queued + (now_ - next.since);
        handle(host, next.event, next.fingerprint);
    }
}

SimHost* SimCluster::living(NodeIndex node, std::uint32_t boot) {
    SimHost& found = host_at(node);
    if (found.life && found.boots == boot) return &found;
    ++found.counters.events_stale;
    return nullptr;
}

void SimCluster::later(SimHost& host, Instant at, Event event, std::uint64_t fingerprint) {
    LocalEvent local{host.index, host.boots, std::move(event), fingerprint};
    queue_.push(at, SimEventTag{SimEventKind::local, locals_.put(std::move(local))}.packed());
}

void SimCluster::on_peer_up(NodeIndex node, NodeIndex peer, bool dialled_by_node) {
    SimHost& found = host_at(node);
    if (!found.life) return;
    PeerUp up{host(peer).agent, dialled_by_node ? sim_address(peer) : std::string{}};
    if (options_.group_of) up.group = options_.group_of(peer);
    hand(found, std::move(up), peer.value());
}

void SimCluster::on_peer_down(NodeIndex node, NodeIndex peer) {
    SimHost& found = host_at(node);
    if (found.life) hand(found, PeerDown{host(peer).agent}, peer.value());
}

void SimCluster::on_message(
    NodePair pair, Channel channel, WireMessage message, std::uint64_t fingerprint
) {
    SimHost& receiver = host_at(pair.to);
    // Those who are sent the same bytes share what is read from them. Some read on their own.
    if (network_.counters().delivered % reads_alone_every == 0)
        message = WireMessage{Bytes{*message}};
    Received received{host(pair.from).agent, channel, std::move(message)};
    hand(receiver, std::move(received), mix64(fingerprint ^ pair.from.value()));
}

// --- clients ---

Ticket SimCluster::submit(NodeIndex node, CommandBody body) {
    const Ticket ticket{next_command_++};
    SimHost& found = host_at(node);
    commands_.emplace(ticket, SimCommand{node, now_, {}, std::nullopt, {}});
    if (found.life) {
        later(found, now_, Command{ticket, std::move(body)}, ticket.value());
    } else {
        answer(ticket, Error{ErrorCode::unavailable, "the node is down"}, node);
    }
    return ticket;
}

const ReplyBody* SimCluster::reply(Ticket ticket) const {
    const SimCommand& found = command(ticket);
    return found.reply ? &*found.reply : nullptr;
}

void SimCluster::answer(Ticket ticket, ReplyBody body, NodeIndex node) {
    const auto found = commands_.find(ticket);
    if (found == commands_.end()) return;  // Forgotten by who asked.
    SimCommand& command = found->second;
    if (command.reply || command.node != node) {
        invariants_->violate(
            "one-reply", "command " + std::to_string(ticket.value()) + " again", node, now_
        );
        return;
    }
    command.answered = now_;
    command.reply = std::move(body);
    if (options_.on_answer) options_.on_answer(ticket, command);
}

const std::deque<SimNotice>& SimCluster::notices(NodeIndex node) const {
    return host(node).notices;
}

void SimCluster::set_tools(NodeIndex node, ToolBox tools) {
    options_.tools[node] = std::move(tools);
    offer_tools(node);
}

void SimCluster::offer_tools(NodeIndex node) {
    const auto box = options_.tools.find(node);
    if (box == options_.tools.end() || !is_up(node)) return;
    (void)submit(node, ToolsChanged{box->second.tools->offers()});
}

std::int64_t SimCluster::unix_ms() const {
    return unix_ms_at_zero + (now_ - Instant{}).ms();
}

// --- faults ---

void SimCluster::crash(NodeIndex node, CrashLoss loss, StopNotice notice) {
    SimHost& victim = host_at(node);
    CRETO_ASSERT(victim.life);
    victim.life.reset();
    victim.is_paused = false;
    victim.disk.crash(now_, loss);
    network_.on_stopped(node, notice, now_);
    for (auto& [ticket, command] : commands_) {
        if (command.node == node && !command.reply)
            answer(ticket, Error{ErrorCode::unavailable, "the node stopped"}, node);
    }
}

Result<void> SimCluster::start(NodeIndex node) {
    SimHost& found = host_at(node);
    CRETO_ASSERT(!found.life);
    SimHost::Life life;
    life.started = found.clock.read(now_);
    ParticipantParts parts{node, found.boots, found.options, *found.signer, found.log, {}};
    for (const auto& [other, attack] : options_.attacks)
        if (options_.attacks.contains(node) && attack == options_.attacks.at(node))
            parts.accomplices.push_back(agent(other));
    life.participant = factory_(parts);
    if (const auto attack = options_.attacks.find(node); attack != options_.attacks.end())
        life.participant = deviate(attack->second, std::move(life.participant), parts);
    const VoteLogContents votes{
        found.disk.log(), found.disk.log_damage().empty(), found.disk.log_damage()};
    if (auto restored = life.participant->restore(found.disk, votes); !restored) return restored;
    ++found.boots;
    found.life = std::move(life);
    if (found.boots > 1) invariants_->on_restart(node);
    later(found, now_, Start{unix_ms()}, found.boots);
    offer_tools(node);
    network_.on_started(node, now_);
    return {};
}

void SimCluster::pause(NodeIndex node) {
    CRETO_ASSERT(host(node).life);
    host_at(node).is_paused = true;
}

void SimCluster::resume(NodeIndex node) {
    SimHost& found = host_at(node);
    found.is_paused = false;
    if (found.life) drain(found);
}

void SimCluster::set_clock_drift(NodeIndex node, std::int64_t ppm) {
    SimHost& found = host_at(node);
    found.clock.set_drift(ppm, now_);
    if (found.life) arm(found);
}

void SimCluster::step_clock(NodeIndex node, Duration span) {
    SimHost& found = host_at(node);
    found.clock.step(span, now_);
    if (found.life) arm(found);
}

void SimCluster::damage_vote_log(NodeIndex node, std::string damage) {
    host_at(node).disk.damage_log(std::move(damage));
}

// --- looking ---

bool SimCluster::is_up(NodeIndex node) const {
    return host(node).life.has_value();
}

const Node* SimCluster::node(NodeIndex node) const {
    const SimHost& found = host(node);
    return found.life ? found.life->participant->node() : nullptr;
}

Height SimCluster::finalized_by_all() const {
    std::optional<Height> least;
    for (const auto& host : hosts_) {
        if (!host->life || invariants_->is_byzantine(host->index)) continue;
        const Height height = finalized(host->index);
        least = least ? std::min(*least, height) : height;
    }
    return least.value_or(Height{});
}

std::string SimCluster::violation() const {
    const auto& broken = invariants_->violation();
    if (!broken) return {};
    const std::int64_t us = (broken->at - Instant{}).us();
    std::string fraction = std::to_string(us % 1'000'000);
    fraction.insert(0, 6 - fraction.size(), '0');
    return "seed " + std::to_string(options_.seed) + ", " + std::to_string(us / 1'000'000) + "." +
           fraction + " s, node " + std::to_string(broken->node.value()) + ": " + broken->checker +
           ": " + broken->text;
}

}  // namespace creto
