#include "sim/network.hpp"

#include "base/assert.hpp"

namespace creto {
namespace {

constexpr std::uint64_t detection_stream = 0x31;
/// One-way trips until a secured connection stands: TCP, negotiation and Noise in two round trips.
constexpr std::int64_t handshake_trips = 4;
constexpr std::uint64_t end_of_stream_bytes = 60;

}  // namespace

SimNetwork::SimNetwork(NetworkOptions options, EventQueue& queue, NetworkHosts& hosts)
    : options_{std::move(options)},
      queue_{queue},
      hosts_{hosts},
      links_{options_.seed, options_.node_count, options_.profile},
      bytes_(options_.node_count) {}

void SimNetwork::send(
    NodePair pair, Channel channel, WireMessage message, std::uint64_t fingerprint, Instant now
) {
    CRETO_ASSERT(pair.from != pair.to);
    const std::uint32_t index = connection_of(pair);
    Connection& connection = connections_[index];
    const std::uint8_t side = side_of(pair);
    if (!connection.open[side] || connection.muted[side]) {
        ++counters_.unconnected;
        return;
    }
    const std::uint64_t bytes = message->size() + options_.frame_bytes;
    ++counters_.sent;
    counters_.sent_bytes += bytes;
    bytes_[pair.from.value()] += bytes;
    const std::uint64_t number = connection.sent[side]++;
    if (connection.gap[side]) {
        ++counters_.lost;
        return;
    }
    const LinkPlan plan = links_.plan(pair, bytes, now, number);
    if (plan.outcome == LinkOutcome::overflow) ++counters_.overflowed;
    if (plan.outcome == LinkOutcome::lost || plan.outcome == LinkOutcome::blocked) ++counters_.lost;
    if (plan.outcome == LinkOutcome::blocked) {
        connection.gap[side] = links_.profile().kind == LinkKind::stream;
        doom(index, now);
    }
    const SimEventKind kind =
        links_.has_downlink_queue(pair.to) ? SimEventKind::downlink : SimEventKind::deliver;
    for (const Instant at : plan.deliveries()) {
        counters_.travelled = counters_.travelled + (at - now);
        Delivery delivery{pair, connection.generation, channel, message, fingerprint};
        queue_.push(at, SimEventTag{kind, deliveries_.put(std::move(delivery))}.packed());
    }
}

void SimNetwork::dial(NodePair pair, Instant now) {
    if (pair.from != pair.to) try_connect(pair, now);
}

void SimNetwork::drop(NodePair pair, Instant now) {
    const std::uint32_t index = connection_of(pair);
    Connection& connection = connections_[index];
    const std::uint8_t side = side_of(pair);
    if (!connection.open[side] || connection.muted[side]) return;
    connection.barred_until = now + options_.barred;
    connection.muted[side] = true;
    schedule(now, {Step::dropped, index, connection.generation, side});
}

void SimNetwork::on_started(NodeIndex node, Instant now) {
    if (options_.linking == Linking::dialled) return;
    for (std::uint32_t other = 0; other < options_.node_count; ++other) {
        if (NodeIndex{other} != node && hosts_.is_up(NodeIndex{other}))
            try_connect({node, NodeIndex{other}}, now);
    }
}

void SimNetwork::on_stopped(NodeIndex node, StopNotice notice, Instant now) {
    for (std::uint32_t index = 0; index < connections_.size(); ++index) {
        Connection& connection = connections_[index];
        if (connection.pair.from != node && connection.pair.to != node) continue;
        const unsigned side = connection.pair.from == node ? 0 : 1;
        if (!connection.open[side]) continue;
        connection.open[side] = false;
        const NodePair to_peer{node, node_at(connection, 1 - side)};
        Instant noticed = now + detection_of(to_peer);
        if (notice == StopNotice::closed) {
            // The end of the stream travels behind the data.
            const LinkPlan end =
                links_.plan(to_peer, end_of_stream_bytes, now, connection.sent[side]++);
            if (end.copies > 0) noticed = end.at[0];
        }
        schedule(
            noticed,
            {Step::end_of_stream, index, connection.generation, static_cast<std::uint8_t>(1 - side)}
        );
    }
}

void SimNetwork::cut(std::span<const std::vector<NodeIndex>> groups, Instant now) {
    links_.cut(groups);
    look_at_all(now);
    connect_all(now);  // A new division may join what the one before had parted.
}

void SimNetwork::cut_one_way(
    std::span<const NodeIndex> from, std::span<const NodeIndex> to, Instant now
) {
    links_.cut_one_way(from, to);
    look_at_all(now);
}

void SimNetwork::block(std::span<const NodePair> pairs, bool is_blocked, Instant now) {
    for (const NodePair pair : pairs)
        links_.block(pair, is_blocked);
    if (is_blocked) {
        look_at_all(now);
    } else {
        connect_all(now);
    }
}

void SimNetwork::heal(Instant now) {
    links_.heal();
    connect_all(now);
}

void SimNetwork::on_event(SimEventTag tag, Instant now) {
    switch (tag.kind) {
        case SimEventKind::deliver:
            return on_deliver(tag.place, now);
        case SimEventKind::downlink:
            return on_downlink(tag.place, now);
        case SimEventKind::link:
            return on_link_event(link_events_.take(tag.place), now);
        default:
            CRETO_ASSERT(false);
    }
}

void SimNetwork::on_downlink(std::uint32_t place, Instant now) {
    Delivery delivery = deliveries_.take(place);
    const std::uint64_t bytes = delivery.message->size() + options_.frame_bytes;
    const auto at = links_.arrive(delivery.pair.to, bytes, now);
    if (!at) {
        ++counters_.overflowed;
        return;
    }
    queue_.push(
        *at, SimEventTag{SimEventKind::deliver, deliveries_.put(std::move(delivery))}.packed()
    );
}

void SimNetwork::on_deliver(std::uint32_t place, Instant now) {
    Delivery delivery = deliveries_.take(place);
    const std::uint32_t index = connection_of(delivery.pair);
    Connection& connection = connections_[index];
    const std::uint8_t side = side_of(delivery.pair);
    const bool is_cut = links_.blocked(delivery.pair);
    if (connection.generation == delivery.generation && is_cut) {
        if (links_.profile().kind == LinkKind::stream) connection.gap[side] = true;
        doom(index, now);
    }
    // What was on its way when the first loss happened lies behind the gap as well.
    if (connection.generation != delivery.generation || is_cut || connection.gap[side] ||
        !connection.open[1U - side] || !hosts_.is_up(delivery.pair.to)) {
        ++counters_.lost;
        return;
    }
    ++counters_.delivered;
    bytes_[delivery.pair.to.value()] += delivery.message->size() + options_.frame_bytes;
    hosts_.on_message(
        delivery.pair, delivery.channel, std::move(delivery.message), delivery.fingerprint
    );
}

void SimNetwork::on_link_event(const LinkEvent& event, Instant now) {
    Connection& connection = connections_[event.connection];
    if (event.step == Step::connect) return on_connect(connection, event.side, now);
    if (event.generation != connection.generation) return;
    if (event.step == Step::look) return on_look(connection, now);
    const unsigned other = 1U - event.side;
    if (event.step == Step::end_of_stream) {
        if (!connection.open[other]) close_side(connection, event.side);
        return;
    }
    // Dropped: this side at once, the other by the end of the stream.
    if (!connection.open[event.side]) return;
    close_side(connection, event.side);
    const NodePair to_peer{node_at(connection, event.side), node_at(connection, other)};
    const LinkPlan end =
        links_.plan(to_peer, end_of_stream_bytes, now, connection.sent[event.side]++);
    schedule(
        end.copies > 0 ? end.at[0] : now + detection_of(to_peer),
        {Step::end_of_stream,
         event.connection,
         connection.generation,
         static_cast<std::uint8_t>(other)}
    );
    if (options_.linking == Linking::automatic) try_connect(to_peer, connection.barred_until);
}

void SimNetwork::on_connect(Connection& connection, unsigned dialler, Instant now) {
    connection.is_dialling = false;
    if (connection.open[0] && connection.open[1]) return;
    if (!reachable(connection) || now < connection.barred_until) return;
    for (const unsigned side : {0U, 1U})
        close_side(connection, side);  // One that had not noticed the end does so now.
    ++connection.generation;
    connection.open = {true, true};
    connection.gap = {false, false};
    connection.muted = {false, false};
    connection.is_doomed = false;
    const NodeIndex from = node_at(connection, dialler);
    const NodeIndex to = node_at(connection, 1 - dialler);
    hosts_.on_peer_up(from, to, true);
    hosts_.on_peer_up(to, from, false);
}

/// The detection time is over: closes the connection unless it was spared.
void SimNetwork::on_look(Connection& connection, Instant now) {
    connection.is_doomed = false;
    const NodePair pair = connection.pair;
    const bool is_broken = connection.gap[0] || connection.gap[1] || links_.blocked(pair) ||
                           links_.blocked(pair.reversed());
    if (!is_broken) return;
    for (const unsigned side : {0U, 1U})
        close_side(connection, side);
    if (options_.linking == Linking::automatic) try_connect(pair, now);
}

void SimNetwork::close_side(Connection& connection, unsigned side) {
    if (!connection.open[side]) return;
    connection.open[side] = false;
    hosts_.on_peer_down(node_at(connection, side), node_at(connection, 1 - side));
}

void SimNetwork::try_connect(NodePair pair, Instant from) {
    const std::uint32_t index = connection_of(pair);
    Connection& connection = connections_[index];
    if (connection.is_dialling || (connection.open[0] && connection.open[1])) return;
    if (!reachable(connection)) return;
    connection.is_dialling = true;
    const Duration handshake = links_.base_latency(pair) * handshake_trips;
    schedule(from + handshake, {Step::connect, index, connection.generation, side_of(pair)});
}

void SimNetwork::doom(std::uint32_t index, Instant now) {
    Connection& connection = connections_[index];
    if (connection.is_doomed) return;
    connection.is_doomed = true;
    schedule(now + detection_of(connection.pair), {Step::look, index, connection.generation, 0});
}

void SimNetwork::look_at_all(Instant now) {
    for (std::uint32_t index = 0; index < connections_.size(); ++index) {
        const Connection& connection = connections_[index];
        if (!connection.open[0] && !connection.open[1]) continue;
        if (links_.blocked(connection.pair) || links_.blocked(connection.pair.reversed()))
            doom(index, now);
    }
}

void SimNetwork::connect_all(Instant now) {
    if (options_.linking == Linking::dialled) return;
    for (std::uint32_t node = 0; node < options_.node_count; ++node) {
        if (!hosts_.is_up(NodeIndex{node})) continue;
        for (std::uint32_t other = node + 1; other < options_.node_count; ++other)
            try_connect({NodeIndex{node}, NodeIndex{other}}, now);
    }
}

void SimNetwork::schedule(Instant at, LinkEvent event) {
    queue_.push(at, SimEventTag{SimEventKind::link, link_events_.put(event)}.packed());
}

std::uint32_t SimNetwork::connection_of(NodePair pair) {
    const NodePair unordered = pair.from < pair.to ? pair : pair.reversed();
    if (const std::uint32_t* found = connection_index_.find(unordered)) return *found;
    const auto index = static_cast<std::uint32_t>(connections_.size());
    connection_index_.at(unordered) = index;
    Connection connection;
    connection.pair = unordered;
    connections_.push_back(connection);
    return index;
}

const SimNetwork::Connection* SimNetwork::find(NodePair pair) const {
    const std::uint32_t* found =
        connection_index_.find(pair.from < pair.to ? pair : pair.reversed());
    return found == nullptr ? nullptr : &connections_[*found];
}

bool SimNetwork::connected(NodePair pair) const {
    const Connection* connection = find(pair);
    return connection != nullptr && connection->open[side_of(pair)];
}

bool SimNetwork::reachable(const Connection& connection) const {
    const NodePair pair = connection.pair;
    return hosts_.is_up(pair.from) && hosts_.is_up(pair.to) && !links_.blocked(pair) &&
           !links_.blocked(pair.reversed());
}

Duration SimNetwork::detection_of(NodePair pair) const {
    const NodePair unordered = pair.from < pair.to ? pair : pair.reversed();
    const std::uint64_t word = draw(options_.seed, detection_stream, unordered.key());
    const auto percent = static_cast<std::int64_t>(80 + scale_to(word, 41));
    return options_.detection / 100 * percent;
}

}  // namespace creto
