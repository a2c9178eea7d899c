// LinkModel: says when a message between two nodes arrives, if it does.
//
// Why      The simulator and the link shim between real processes must mean the same by "wan" and
//          by "partitioned", so both ask this model.
// Source   Named draws as Wittgenstein makes its latencies; uplink queues as in BFTSim and Kauri.
// Holds    [LINK-NAMED] What a message draws depends on (seed, from, to, message number) alone: to
//          remove one message moves no other, except through a queue that both stand in.
//          [LINK-FIFO] On a stream, messages of one pair arrive in the order they were planned.
//          [LINK-CUT] Nothing is planned across a cut. The model answers `blocked`; the host
//          decides what that means. Hosts treat it as a transport does: what is sent into a cut is
//          lost, the connection closes after a detection time, and PeerDown says so at both ends.
// Units    Bytes are on the wire, framing included; the caller counts them.
// Cost     O(1): 30 ns, 60 ns among 10,000 nodes. 40 bytes per node; on streams 16 bytes a slot for
//          pairs with a message under way.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/prng.hpp"
#include "base/time.hpp"
#include "link/node_pair.hpp"
#include "link/profile.hpp"

namespace creto {

enum class LinkOutcome : std::uint8_t {
    delivered,  ///< Arrives once, or twice.
    lost,       ///< A datagram that the network lost.
    blocked,    ///< A cut or a block lies between the nodes.
    overflow,   ///< The sender's uplink queue was full.
};

/// When the copies of one message reach the receiver's downlink; none unless delivered.
struct LinkPlan {
    LinkOutcome outcome = LinkOutcome::lost;
    std::uint8_t copies = 0;
    std::array<Instant, 2> at{};

    [[nodiscard]] std::span<const Instant> deliveries() const { return {at.data(), copies}; }
};

class LinkModel {
public:
    /// Requires: check(profile) accepts it; 0 < node_count < 2^32 - 1.
    LinkModel(std::uint64_t seed, std::uint32_t node_count, LinkProfile profile);

    /// What becomes of the pair's message `number`, sent now. Number each pair's messages from
    /// zero, or by anything else that names them. Requires: now never goes back.
    [[nodiscard]] LinkPlan plan(
        NodePair pair, std::uint64_t bytes, Instant now, std::uint64_t number
    );

    /// True when arrivals at the node must pass arrive() before they are delivered.
    [[nodiscard]] bool has_downlink_queue(NodeIndex node) const {
        return nodes_[node.value()].bandwidth_bps > 0;
    }
    /// When `bytes` that reached the node's downlink now have passed it. A second step, as queues
    /// serve in the order of arrival, which plan() does not know. None when a datagram found the
    /// queue full; what a stream brings waits, as flow control would make it wait at the sender.
    [[nodiscard]] std::optional<Instant> arrive(NodeIndex node, std::uint64_t bytes, Instant now);

    /// Divides the nodes: only members of one group reach each other. Nodes that no group names
    /// form one more group together. Replaces the division before.
    void cut(std::span<const std::vector<NodeIndex>> groups);
    /// Nothing goes from any of `from` to any of `to`; the other way stays as it was. Adds up.
    void cut_one_way(std::span<const NodeIndex> from, std::span<const NodeIndex> to);
    /// One direction of one pair.
    void block(NodePair pair, bool is_blocked);
    /// Takes back every cut and block; latency and bandwidth stay as they are.
    void heal();

    [[nodiscard]] bool blocked(NodePair pair) const;
    /// Grows with every change of cuts and blocks, so that a host looks again only then.
    [[nodiscard]] std::uint64_t cut_version() const { return cut_version_; }

    /// Replaces the profile of all links, every node's bandwidth included, from now on. Requires:
    /// check() accepts it.
    void set_profile(LinkProfile profile);
    [[nodiscard]] const LinkProfile& profile() const { return profile_; }
    /// Added to every message from or to the node; zero takes it back.
    void set_extra_latency(NodeIndex node, Duration extra);
    /// The node's own uplink and downlink, in place of the profile's; zero for unlimited.
    void set_bandwidth(NodeIndex node, std::uint64_t bits_per_s);

    /// The pair's own part of the latency, without jitter, queues and extras: the same both ways.
    [[nodiscard]] Duration base_latency(NodePair pair) const;

    /// When everything that waits in a queue now has left it: messages keep the rate of the moment
    /// in which they were sent, also when the link gets wider.
    [[nodiscard]] Instant queues_empty() const;

    [[nodiscard]] std::uint32_t node_count() const {
        return static_cast<std::uint32_t>(nodes_.size());
    }
    /// Pairs that cost memory now.
    [[nodiscard]] std::size_t pairs_held() const { return last_arrival_.size(); }

private:
    struct NodeState {
        Instant uplink_free;
        Instant downlink_free;
        std::uint64_t bandwidth_bps = 0;
        Duration extra;
        std::uint32_t group = 0;
    };
    struct OneWayCut {
        std::vector<bool> is_from;
        std::vector<bool> is_to;
    };

    [[nodiscard]] Duration share_of_span(std::uint64_t word, std::uint32_t percent) const;
    [[nodiscard]] Duration latency(NodePair pair, std::uint64_t jitter_word) const;
    [[nodiscard]] Duration retransmissions(std::uint64_t word) const;
    [[nodiscard]] std::optional<Instant> through_queue(
        Instant& free,
        std::uint64_t bandwidth_bps,
        std::uint64_t bytes,
        Instant now,
        bool is_bounded
    ) const;
    /// `word` is the message's own draw; `sent` is when it has left the uplink.
    void plan_stream(LinkPlan& plan, NodePair pair, std::uint64_t word, Instant now, Instant sent);
    void plan_datagram(LinkPlan& plan, NodePair pair, std::uint64_t word, Instant sent) const;

    LinkProfile profile_;
    NamedDraws distance_;
    NamedDraws messages_;
    std::vector<NodeState> nodes_;
    PairTable<Instant> last_arrival_;
    PairTable<bool> blocked_pairs_;
    std::vector<OneWayCut> one_way_;
    std::uint64_t cut_version_ = 0;
    bool is_divided_ = false;
};

}  // namespace creto
