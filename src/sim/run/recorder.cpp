#include "sim/run/recorder.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace creto {
namespace {

constexpr auto first_cell = Duration::from_ms(50);
constexpr std::uint32_t ppm = 1'000'000;

std::int64_t us_of(Instant at) {
    return (at - Instant{}).us();
}

std::uint32_t share_ppm(Duration part, Duration whole) {
    if (whole.us() <= 0) return 0;
    return static_cast<std::uint32_t>(part.us() * ppm / whole.us());
}

}  // namespace

void Recorder::hook(SimOptions& options) {
    options.on_notice =
        [this, before = std::move(options.on_notice)](NodeIndex node, const SimNotice& notice) {
            if (before) before(node, notice);
            on_notice(node, notice);
        };
    options.on_order_message = [this](NodeIndex node, const Bytes& message) {
        on_message(node, message);
    };
    if (operations_ == Operations::answered)
        options.on_answer = [this](Ticket /*ticket*/, const SimCommand& command) {
            on_answer(command);
        };
}

void Recorder::attach(SimCluster& cluster) {
    cluster_ = &cluster;
    const SimOptions& options = cluster.options();
    term_views_ = options.term_views;
    out_.seed = options.seed;
    out_.nodes = cluster.size();
    out_.cell = first_cell;
    out_.rows.resize(cluster.size());
    for (std::uint32_t node = 0; node < cluster.size(); ++node) {
        const auto attack = options.attacks.find(NodeIndex{node});
        out_.roles.emplace_back(
            attack == options.attacks.end() ? "honest" : to_string(attack->second)
        );
    }
    cluster.at(Instant{} + out_.cell, [this] { look(); });
}

void Recorder::set_faults(std::vector<Fault> faults, std::optional<Duration> calm_after) {
    out_.faults = std::move(faults);
    out_.calm_after = calm_after;
}

// --- cells ---

void Recorder::look() {
    const Instant now = cluster_->now();
    RunCell& cell = cell_at(now + Duration::from_ns(-1));
    cell.height = cluster_->invariants().counts().heights;
    for (std::uint32_t i = 0; i < out_.nodes; ++i) {
        const NodeIndex index{i};
        NodeCell seen;
        if (const Node* node = cluster_->node(index)) {
            seen.view = node->view().value();
            seen.state = cluster_->host(index).is_paused ? NodeState::paused : NodeState::up;
            if (!cluster_->invariants().is_byzantine(index))
                cell.view = std::max(cell.view, seen.view);
        } else {
            seen.state = cluster_->is_up(index) ? NodeState::up : NodeState::down;
        }
        const std::uint64_t height = cluster_->finalized(index).value();
        seen.lag = static_cast<std::uint32_t>(cell.height - std::min(cell.height, height));
        out_.rows[i].push_back(seen);
    }
    if (out_.rows.front().size() >= cells_max) merge_cells(out_);
    cluster_->at(now + out_.cell, [this] { look(); });
}

RunCell& Recorder::cell_at(Instant at) {
    const auto place = static_cast<std::size_t>((at - Instant{}).ns() / out_.cell.ns());
    if (place >= out_.cells.size()) out_.cells.resize(place + 1);
    return out_.cells[place];
}

// --- what nodes say ---

void Recorder::on_notice(NodeIndex node, const SimNotice& notice) {
    if (cluster_ == nullptr || cluster_->invariants().is_byzantine(node)) return;
    if (const auto* finalized = std::get_if<Finalized>(&*notice.notice))
        on_block(node, *finalized, notice.at);
}

/// Turns between a block and its parent that brought none: the rest of the parent's term counts as
/// one, however many views it has.
std::uint64_t Recorder::turns_skipped(const Block& block) const {
    const std::uint64_t turn = (block.view.value() - 1) / term_views_;
    const std::uint64_t next_turn = (block.parent_view.value() + term_views_ - 1) / term_views_;
    const bool same = block.parent_view.value() > 0 && next_turn == turn + 1;
    if (same) return 0;
    const bool rest_was_skipped = block.parent_view.value() % term_views_ != 0;
    return turn - next_turn + (rest_was_skipped ? 1 : 0);
}

void Recorder::on_block(NodeIndex /*node*/, const Finalized& finalized, Instant at) {
    const Block& block = finalized.block;
    const auto [place, is_new] = blocks_.try_emplace(block.height);
    if (!is_new) return;
    if (block.height.value() <= out_.blocks) {  // Finalised again after a restart.
        blocks_.erase(place);
        return;
    }
    SeenBlock& seen = place->second;
    const auto proposed = proposed_.find(finalized.id);
    seen.proposed = proposed == proposed_.end() ? at : proposed->second;
    seen.final = at;
    seen.view = block.view.value();
    seen.skipped = turns_skipped(block);
    seen.proposer = block.proposer.value();
    out_.blocks = block.height.value();
    if (blocks_.size() > blocks_kept_max) blocks_.erase(blocks_.begin());
    ++cell_at(at).blocks;
    if (at < measured_from_) return;
    out_.views_skipped += seen.skipped;
    out_.rounds += seen.skipped + 1;
    final_views_.emplace(block.view, finalized.id);
    if (final_views_.size() > blocks_kept_max) close_view();
}

/// The oldest view of a final block: no more votes are expected.
void Recorder::close_view() {
    const auto& [view, block] = *final_views_.begin();
    votes_.erase(votes_.begin(), votes_.lower_bound(view));
    if (const auto votes = votes_.find(view); votes != votes_.end()) {
        for (const auto& [voted, seats] : votes->second) {
            out_.votes_any += seats.size();
            if (voted == block) out_.votes_for += seats.size();
        }
        votes_.erase(votes);
    }
    final_views_.erase(final_views_.begin());
}

void Recorder::on_message(NodeIndex /*node*/, const Bytes& message) {
    // By the kind, which is the first byte: only proposals and votes are decoded.
    static const std::uint8_t proposal_kind = encode_message(Proposal{})->front();
    static const std::uint8_t vote_kind = encode_message(Vote{})->front();
    if (cluster_ == nullptr || (message.front() != proposal_kind && message.front() != vote_kind))
        return;
    const auto decoded = decode_message(message);
    if (!decoded) return;
    const auto voted = [this](const VoteContent& content, Seat seat) {
        if (content.kind == VoteKind::notarize) votes_[content.view][content.block].insert(seat);
    };
    if (const auto* proposal = std::get_if<Proposal>(&*decoded)) {
        const BlockId id = proposal->block.id();
        voted(proposal->block.content(VoteKind::notarize), proposal->block.proposer);
        if (!proposed_.emplace(id, cluster_->now()).second) return;
        proposed_order_.push_back(id);
        if (proposed_order_.size() > blocks_kept_max) {
            proposed_.erase(proposed_order_.front());
            proposed_order_.pop_front();
        }
    } else if (const auto* vote = std::get_if<Vote>(&*decoded)) {
        voted(vote->content, vote->seat);
    }
    // Views that never became final.
    if (votes_.size() > 2 * blocks_kept_max) votes_.erase(votes_.begin());
}

// --- operations ---

void Recorder::on_answer(const SimCommand& command) {
    if (cluster_ == nullptr) return;
    const auto* done = std::get_if<SubmitReply>(&*command.reply);
    if (done == nullptr || done->height == Height{}) return;
    if (cluster_->invariants().is_byzantine(command.node)) return;
    on_submitted(command.submitted);
    on_final(command.node, command.submitted, done->height);
}

void Recorder::on_submitted(Instant intended) {
    ++cell_at(intended).submitted;
    if (intended >= measured_from_) ++out_.submitted;
}

void Recorder::on_refused() {
    ++cell_at(cluster_->now()).refused;
    ++out_.refused;
}

void Recorder::on_final(NodeIndex node, Instant intended, Height height) {
    const Instant now = cluster_->now();
    const Duration latency = now - intended;
    RunCell& cell = cell_at(now);
    ++cell.final;
    cell.latency_max_us = std::max(cell.latency_max_us, static_cast<std::uint64_t>(latency.us()));
    if (intended < measured_from_) return;
    ++out_.final;
    out_.latency_us.add(latency.us());
    add_point(node, now, latency);
    const auto block = blocks_.find(height);
    if (block == blocks_.end()) return;
    const SeenBlock& seen = block->second;
    // A block may be proposed before the operation is offered: its own lane was covered late.
    const Instant proposed = std::clamp(seen.proposed, intended, std::max(intended, seen.final));
    const Instant final = std::clamp(seen.final, proposed, now);
    SlowDecision slow;
    slow.intended_us = us_of(intended);
    slow.latency_us = latency.us();
    slow.waiting_us = (proposed - intended).us();
    slow.ordering_us = (final - proposed).us();
    slow.learning_us = (now - final).us();
    slow.node = node.value();
    slow.height = height.value();
    slow.view = seen.view;
    slow.skipped = seen.skipped;
    slow.proposer = seen.proposer;
    out_.waiting_us.add(slow.waiting_us);
    out_.ordering_us.add(slow.ordering_us);
    out_.learning_us.add(slow.learning_us);
    add_slow(slow);
}

/// Every so many, ever fewer: an even sample whatever the length.
void Recorder::add_point(NodeIndex node, Instant answered, Duration latency) {
    if (point_number_++ % point_stride_ != 0) return;
    out_.points.push_back({us_of(answered), latency.us(), node.value()});
    if (out_.points.size() < points_max) return;
    for (std::size_t i = 0; i < out_.points.size() / 2; ++i)
        out_.points[i] = out_.points[2 * i];
    out_.points.resize(out_.points.size() / 2);
    point_stride_ *= 2;
}

/// One for each block, so that the list shows ten stories and not one.
void Recorder::add_slow(SlowDecision decision) {
    std::vector<SlowDecision>& list = out_.slowest;
    const auto same = std::find_if(list.begin(), list.end(), [&](const SlowDecision& other) {
        return other.height == decision.height;
    });
    if (same != list.end()) {
        if (same->latency_us >= decision.latency_us) return;
        list.erase(same);
    } else if (list.size() >= slowest_max && list.back().latency_us >= decision.latency_us) {
        return;
    }
    const auto place = std::find_if(list.begin(), list.end(), [&](const SlowDecision& other) {
        return other.latency_us < decision.latency_us;
    });
    list.insert(place, decision);
    if (list.size() > slowest_max) list.pop_back();
}

// --- the end ---

void Recorder::sum_loads() {
    RunLoads& loads = out_.loads;
    const Duration span = cluster_->now() - Instant{};
    std::uint64_t honest = 0;
    std::uint64_t memory = 0;
    for (std::uint32_t i = 0; i < out_.nodes; ++i) {
        const NodeIndex index{i};
        if (cluster_->invariants().is_byzantine(index)) continue;
        ++honest;
        const SimHost& host = cluster_->host(index);
        const HostSpending& spent = host.spent;
        loads.events += host.events;
        loads.protocol = loads.protocol + spent.protocol;
        loads.crypto = loads.crypto + spent.crypto;
        loads.queued = loads.queued + spent.queued;
        loads.checking = loads.checking + spent.checking;
        loads.syncing = loads.syncing + spent.syncing;
        loads.checks += spent.checks;
        loads.syncs += spent.syncs;
        loads.protocol_peak_ppm =
            std::max(loads.protocol_peak_ppm, share_ppm(spent.protocol, span));
        loads.crypto_peak_ppm = std::max(loads.crypto_peak_ppm, share_ppm(spent.crypto, span));
        loads.bytes_peak = std::max(loads.bytes_peak, cluster_->bytes_of(index));
        loads.bytes += cluster_->bytes_of(index);
        std::uint64_t held = host.disk.used_bytes();
        if (const Node* node = cluster_->node(index)) {
            const StatusReply status = node->status();
            held += status.counters.at("dag_bytes");
            out_.vertices = std::max(out_.vertices, status.vertices);
            for (const auto& [name, value] : status.counters)
                if (value > 0) out_.probes[name] += value;
        }
        memory += held;
        loads.memory_peak = std::max(loads.memory_peak, held);
    }
    loads.memory_mean = honest == 0 ? 0 : memory / honest;
    loads.messages = cluster_->network().delivered;
    loads.travelled = cluster_->network().travelled;
}

RunRecord Recorder::finish() {
    CRETO_ASSERT(cluster_ != nullptr);
    while (!final_views_.empty())
        close_view();
    sum_loads();
    out_.span = cluster_->now() - Instant{};
    out_.cells.resize(std::max(out_.cells.size(), out_.rows.empty() ? 0 : out_.rows.front().size())
    );
    out_.violation = cluster_->invariants().violation();
    return std::move(out_);
}

}  // namespace creto
