// SimNetwork: connections between simulated nodes, and the messages on them.
//
// Why      A node sees connections, not packets: PeerUp, whole messages in order, PeerDown. This
//          turns the link model's latency, loss and cuts into exactly that.
// Holds    [NET-GAP] Between a PeerUp and its PeerDown a stream has no gap: what a cut swallowed
//          dooms the connection, which closes within the detection time even if the cut heals
//          sooner, and nothing behind the gap arrives.
//          [NET-PAIR] Each side sees PeerUp and PeerDown in turn. They need not see them at the
//          same time: the peer of a stopped node learns it by the end of the stream, behind what
//          was still under way, or by silence.
//          A message that was sent before its sender stopped may still arrive.
// Cost     O(1) a message; O(connections) for a cut, a heal, a start or a stop.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "link/link_model.hpp"
#include "model/message.hpp"
#include "sim/event_queue.hpp"
#include "sim/sim_event_kind.hpp"
#include "sim/slab.hpp"

namespace creto {

/// Who makes connections.
enum class Linking : std::uint8_t {
    automatic,  ///< Any two nodes that are up and reach each other become connected.
    dialled,    ///< Only a Dial makes a connection, as between real processes.
};

/// How the peers of a node learn that it stopped.
enum class StopNotice : std::uint8_t {
    closed,  ///< Its connections are closed by its system: a killed process.
    silent,  ///< Nobody says anything: power is lost. Peers wait for the detection time.
};

struct NetworkOptions {
    std::uint64_t seed = 1;
    std::uint32_t node_count = 0;
    LinkProfile profile;
    Linking linking = Linking::automatic;
    /// From a cut or a silent stop until it is noticed; a fifth more or less, drawn by the pair.
    Duration detection = Duration::from_s(1);
    /// After a Drop the pair stays apart for so long.
    Duration barred = Duration::from_s(1);
    /// Added to every message on the wire: encryption, framing and headers of one segment.
    std::uint32_t frame_bytes = 86;
};

/// What the network needs of the nodes. Calls come from on_event() only, never from send().
class NetworkHosts {
public:
    NetworkHosts() = default;
    NetworkHosts(const NetworkHosts&) = delete;
    NetworkHosts& operator=(const NetworkHosts&) = delete;
    virtual ~NetworkHosts() = default;

    [[nodiscard]] virtual bool is_up(NodeIndex node) const = 0;
    virtual void on_peer_up(NodeIndex node, NodeIndex peer, bool dialled_by_node) = 0;
    virtual void on_peer_down(NodeIndex node, NodeIndex peer) = 0;
    virtual void on_message(
        NodePair pair, Channel channel, WireMessage message, std::uint64_t fingerprint
    ) = 0;
};

struct NetworkCounters {
    std::uint64_t sent = 0;
    std::uint64_t sent_bytes = 0;  ///< On the wire, with framing.
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;         ///< By the link, a cut, or behind a gap.
    std::uint64_t overflowed = 0;   ///< The uplink or downlink queue was full.
    std::uint64_t unconnected = 0;  ///< Sent to a peer that was not connected.
    Duration travelled;             ///< Of all deliveries, from send to the receiver's downlink.
};

class SimNetwork {
public:
    /// `queue` and `hosts` outlive the network. Requires: check(options.profile).
    SimNetwork(NetworkOptions options, EventQueue& queue, NetworkHosts& hosts);

    /// `fingerprint` names the bytes in the trace and is handed back with them.
    void send(
        NodePair pair, Channel channel, WireMessage message, std::uint64_t fingerprint, Instant now
    );
    void dial(NodePair pair, Instant now);
    /// The first node closes the connection and is told so like the second.
    void drop(NodePair pair, Instant now);

    void on_started(NodeIndex node, Instant now);
    void on_stopped(NodeIndex node, StopNotice notice, Instant now);

    void cut(std::span<const std::vector<NodeIndex>> groups, Instant now);
    void cut_one_way(std::span<const NodeIndex> from, std::span<const NodeIndex> to, Instant now);
    /// O(links), however many pairs these are.
    void block(std::span<const NodePair> pairs, bool is_blocked, Instant now);
    void heal(Instant now);

    /// Handles what the queue gave. Requires: kind is deliver, downlink or link.
    void on_event(SimEventTag tag, Instant now);

    [[nodiscard]] bool connected(NodePair pair) const;
    [[nodiscard]] const NetworkCounters& counters() const { return counters_; }
    /// Bytes that the node has sent and received, with framing.
    [[nodiscard]] std::uint64_t bytes_of(NodeIndex node) const { return bytes_[node.value()]; }
    /// For latency, bandwidth and profile; cuts go through the network, which watches them.
    [[nodiscard]] LinkModel& links() { return links_; }

private:
    struct Delivery {
        NodePair pair;
        std::uint32_t generation = 0;
        Channel channel = Channel::order;
        WireMessage message;
        std::uint64_t fingerprint = 0;
    };
    /// One for each two nodes that ever met; side 0 is the node with the smaller index.
    struct Connection {
        NodePair pair;
        std::uint32_t generation = 0;
        std::array<bool, 2> open{};   ///< Whether this side believes that it is connected.
        std::array<bool, 2> gap{};    ///< Something that this side sent was lost.
        std::array<bool, 2> muted{};  ///< This side closes it and sends nothing more.
        bool is_dialling = false;
        bool is_doomed = false;  ///< A look at the connection is due.
        std::array<std::uint64_t, 2> sent{};
        Instant barred_until;
    };
    enum class Step : std::uint8_t { connect, look, end_of_stream, dropped };
    struct LinkEvent {
        Step step = Step::connect;
        std::uint32_t connection = 0;
        std::uint32_t generation = 0;
        std::uint8_t side = 0;  ///< Who dialled; whose connection ends.
    };

    [[nodiscard]] static std::uint8_t side_of(NodePair pair) { return pair.from < pair.to ? 0 : 1; }
    [[nodiscard]] static NodeIndex node_at(const Connection& connection, unsigned side) {
        return side == 0 ? connection.pair.from : connection.pair.to;
    }
    [[nodiscard]] std::uint32_t connection_of(NodePair pair);
    [[nodiscard]] const Connection* find(NodePair pair) const;
    [[nodiscard]] bool reachable(const Connection& connection) const;
    [[nodiscard]] Duration detection_of(NodePair pair) const;

    void schedule(Instant at, LinkEvent event);
    void try_connect(NodePair pair, Instant from);
    void doom(std::uint32_t index, Instant now);
    void look_at_all(Instant now);
    void connect_all(Instant now);

    void on_link_event(const LinkEvent& event, Instant now);
    void on_connect(Connection& connection, unsigned dialler, Instant now);
    void on_look(Connection& connection, Instant now);
    void close_side(Connection& connection, unsigned side);
    void on_downlink(std::uint32_t place, Instant now);
    void on_deliver(std::uint32_t place, Instant now);

    NetworkOptions options_;
    EventQueue& queue_;
    NetworkHosts& hosts_;
    LinkModel links_;
    std::deque<Connection> connections_;  ///< A deque: hosts may add some while we hold one.
    PairTable<std::uint32_t> connection_index_;
    Slab<Delivery> deliveries_;
    Slab<LinkEvent> link_events_;
    std::vector<std::uint64_t> bytes_;
    NetworkCounters counters_;
};

}  // namespace creto
