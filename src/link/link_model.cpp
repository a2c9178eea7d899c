#include "link/link_model.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "link/regions.hpp"

namespace creto {
namespace {

/// Streams of draws; never renumbered, or old seeds mean other runs.
enum class Draw : std::uint64_t { distance = 0x11, message = 0x12 };

/// What one message draws, each from its own word.
enum class Use : std::uint64_t { jitter = 1, loss = 2, duplicate = 3, reorder = 4, second = 5 };

constexpr std::uint64_t word_for(std::uint64_t message_word, Use use, std::uint64_t step = 0) {
    return mix64(message_word ^ (static_cast<std::uint64_t>(use) << 56U) ^ step);
}

constexpr bool happens(std::uint64_t word, std::uint32_t ppm) {
    return scale_to(word, limits::link_ppm) < ppm;
}

}  // namespace

LinkModel::LinkModel(std::uint64_t seed, std::uint32_t node_count, LinkProfile profile)
    : profile_{std::move(profile)},
      distance_{seed, static_cast<std::uint64_t>(Draw::distance)},
      messages_{seed, static_cast<std::uint64_t>(Draw::message)},
      nodes_(node_count) {
    CRETO_ASSERT(node_count > 0 && node_count < ~std::uint32_t{0});
    set_profile(profile_);
}

LinkPlan LinkModel::plan(NodePair pair, std::uint64_t bytes, Instant now, std::uint64_t number) {
    CRETO_ASSERT(pair.from.value() < nodes_.size() && pair.to.value() < nodes_.size());
    LinkPlan plan;
    if (pair.from == pair.to) {  // A message to oneself touches no network.
        plan.outcome = LinkOutcome::delivered;
        plan.at[plan.copies++] = now;
        return plan;
    }
    if (blocked(pair)) {
        plan.outcome = LinkOutcome::blocked;
        return plan;
    }
    NodeState& sender = nodes_[pair.from.value()];
    const auto sent = through_queue(sender.uplink_free, sender.bandwidth_bps, bytes, now, true);
    if (!sent) {
        plan.outcome = LinkOutcome::overflow;
        return plan;
    }
    const std::uint64_t word = messages_(pair.key(), number);
    if (profile_.kind == LinkKind::stream) {
        plan_stream(plan, pair, word, now, *sent);
    } else {
        plan_datagram(plan, pair, word, *sent);
    }
    return plan;
}

void LinkModel::plan_stream(
    LinkPlan& plan, NodePair pair, std::uint64_t word, Instant now, Instant sent
) {
    Instant at = sent + latency(pair, word_for(word, Use::jitter));
    if (profile_.loss_ppm > 0) at = at + retransmissions(word);
    // What arrived already cannot hold anything back, so its pair may be forgotten.
    Instant& last = last_arrival_.at(pair, [now](const Instant& arrival) { return arrival < now; });
    last = std::max(last, at);
    plan.outcome = LinkOutcome::delivered;
    plan.at[plan.copies++] = last;
}

void LinkModel::plan_datagram(LinkPlan& plan, NodePair pair, std::uint64_t word, Instant sent)
    const {
    if (happens(word_for(word, Use::loss), profile_.loss_ppm)) return;
    plan.outcome = LinkOutcome::delivered;
    plan.at[plan.copies++] = sent + latency(pair, word_for(word, Use::jitter));
    if (happens(word_for(word, Use::duplicate), profile_.duplicate_ppm))
        plan.at[plan.copies++] = sent + latency(pair, word_for(word, Use::second));
    if (happens(word_for(word, Use::reorder), profile_.reorder_ppm))
        plan.at[0] = plan.at[0] + profile_.reorder_extra;
    if (plan.copies == 2 && plan.at[1] < plan.at[0]) std::swap(plan.at[0], plan.at[1]);
}

/// `percent` of a length drawn uniformly between nothing and the profile's span of latencies.
Duration LinkModel::share_of_span(std::uint64_t word, std::uint32_t percent) const {
    const auto span =
        static_cast<std::uint64_t>((profile_.latency_max - profile_.latency_min).ns());
    return Duration::from_ns(static_cast<std::int64_t>(scale_to(word, span + 1) * percent / 100));
}

/// The base is the pair's, unordered, so that both directions are equally far.
Duration LinkModel::base_latency(NodePair pair) const {
    const NodePair unordered = pair.from < pair.to ? pair : pair.reversed();
    if (has_regions(profile_)) {
        const std::uint32_t here = region_of(distance_(unordered.from.value(), ~std::uint64_t{0}));
        const std::uint32_t there = region_of(distance_(unordered.to.value(), ~std::uint64_t{0}));
        return region_latency(here, there, distance_(unordered.key()));
    }
    return profile_.latency_min +
           share_of_span(distance_(unordered.key()), 100 - profile_.jitter_percent);
}

Duration LinkModel::latency(NodePair pair, std::uint64_t jitter_word) const {
    const Duration base = base_latency(pair);
    const Duration jitter = has_regions(profile_)
                                ? region_jitter(base, jitter_word)
                                : share_of_span(jitter_word, profile_.jitter_percent);
    return base + jitter + nodes_[pair.from.value()].extra + nodes_[pair.to.value()].extra;
}

Duration LinkModel::retransmissions(std::uint64_t word) const {
    Duration wait;
    Duration timeout = profile_.retransmit_timeout;
    for (std::uint32_t tries = 0; tries < limits::link_retransmits_max; ++tries) {
        if (!happens(word_for(word, Use::loss, tries), profile_.loss_ppm)) break;
        wait = wait + timeout;
        timeout = timeout * 2;
    }
    return wait;
}

std::optional<Instant> LinkModel::arrive(NodeIndex node, std::uint64_t bytes, Instant now) {
    NodeState& receiver = nodes_[node.value()];
    const bool is_bounded = profile_.kind == LinkKind::datagram;
    return through_queue(receiver.downlink_free, receiver.bandwidth_bps, bytes, now, is_bounded);
}

Instant LinkModel::queues_empty() const {
    Instant empty;
    for (const NodeState& node : nodes_)
        empty = std::max({empty, node.uplink_free, node.downlink_free});
    return empty;
}

/// A queue that serves `bandwidth_bps` is told by the instant at which it will be empty.
std::optional<Instant> LinkModel::through_queue(
    Instant& free, std::uint64_t bandwidth_bps, std::uint64_t bytes, Instant now, bool is_bounded
) const {
    if (bandwidth_bps == 0) return now;
    constexpr std::uint64_t ns_per_s = 1'000'000'000;
    const Instant start = std::max(free, now);
    const auto busy_ns = static_cast<std::uint64_t>((start - now).ns());
    __extension__ using Wide = unsigned __int128;
    const Wide waiting = static_cast<Wide>(busy_ns) * bandwidth_bps / (8 * ns_per_s);
    if (is_bounded && waiting > 0 && waiting + bytes > profile_.queue_bytes_max)
        return std::nullopt;
    const Wide own_ns =
        (static_cast<Wide>(bytes) * 8 * ns_per_s + bandwidth_bps - 1) / bandwidth_bps;
    free = start + Duration::from_ns(static_cast<std::int64_t>(
                       std::min<Wide>(own_ns, static_cast<Wide>(Duration::max().ns()))
                   ));
    return free;
}

void LinkModel::cut(std::span<const std::vector<NodeIndex>> groups) {
    for (NodeState& node : nodes_)
        node.group = 0;
    std::uint32_t number = 0;
    for (const auto& group : groups) {
        ++number;
        for (const NodeIndex node : group) {
            CRETO_ASSERT(node.value() < nodes_.size());
            nodes_[node.value()].group = number;
        }
    }
    is_divided_ = true;
    ++cut_version_;
}

void LinkModel::cut_one_way(std::span<const NodeIndex> from, std::span<const NodeIndex> to) {
    OneWayCut cut{std::vector<bool>(nodes_.size()), std::vector<bool>(nodes_.size())};
    for (const NodeIndex node : from)
        cut.is_from.at(node.value()) = true;
    for (const NodeIndex node : to)
        cut.is_to.at(node.value()) = true;
    one_way_.push_back(std::move(cut));
    ++cut_version_;
}

void LinkModel::block(NodePair pair, bool is_blocked) {
    blocked_pairs_.at(pair, [](bool held) { return !held; }) = is_blocked;
    ++cut_version_;
}

void LinkModel::heal() {
    is_divided_ = false;
    one_way_.clear();
    blocked_pairs_.clear();
    ++cut_version_;
}

bool LinkModel::blocked(NodePair pair) const {
    if (pair.from == pair.to) return false;
    if (is_divided_ && nodes_[pair.from.value()].group != nodes_[pair.to.value()].group)
        return true;
    for (const OneWayCut& cut : one_way_) {
        if (cut.is_from[pair.from.value()] && cut.is_to[pair.to.value()]) return true;
    }
    const bool* single = blocked_pairs_.find(pair);
    return single != nullptr && *single;
}

void LinkModel::set_profile(LinkProfile profile) {
    CRETO_ASSERT(check(profile).has_value());
    profile_ = std::move(profile);
    for (NodeState& node : nodes_)
        node.bandwidth_bps = profile_.bandwidth_bps;
}

void LinkModel::set_extra_latency(NodeIndex node, Duration extra) {
    CRETO_ASSERT(extra >= Duration{} && extra <= limits::link_latency_max);
    nodes_.at(node.value()).extra = extra;
}

void LinkModel::set_bandwidth(NodeIndex node, std::uint64_t bits_per_s) {
    CRETO_ASSERT(bits_per_s <= limits::link_bandwidth_bps_max);
    nodes_.at(node.value()).bandwidth_bps = bits_per_s;
}

}  // namespace creto
