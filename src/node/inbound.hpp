// Inbound: what peers have said and the node has not heard yet, peer by peer.
//
// Why      A host reads from sockets in large pieces. Handled as it comes, the piece of whoever sends most
//          makes everybody else's vote and call wait for all of it.
// Holds    Peers are heard in turn, by what their messages cost [FLOOD-FAIR.1]. What is about the
//          order comes before the rest; of eight messages one is of the rest, if there is any, so that
//          a flood of order messages stops no call. In one peer's stream of a channel nothing changes
//          places, nor do its links: what it said before one ended is heard before that end, in its turn.
//          [FLOOD-INBOUND.1] A peer with more than waiting_max messages or waiting_bytes_max bytes is
//          crowded: the host reads no more from it until half of that is done, and so bounds what
//          one peer makes it hold.
// Use      Both hosts: Item is what they hand to the node.
#pragma once

#include <set>

#include "base/fair_queue.hpp"
#include "model/message.hpp"

namespace creto {

template <class Item>
class Inbound {
public:
    static constexpr std::size_t waiting_max = 256;
    static constexpr std::uint64_t waiting_bytes_max = 2ULL * 1024 * 1024;

    [[nodiscard]] bool empty() const { return urgent_.empty() && rest_.empty(); }
    [[nodiscard]] std::size_t size() const { return urgent_.size() + rest_.size(); }

    void push(const AgentId& from, Channel channel, std::size_t bytes, Item item) {
        const bool is_urgent = channel == Channel::order && in_line_.count(from) == 0;
        (is_urgent ? urgent_ : rest_).push(from, message_cost + bytes, std::move(item));
    }
    /// A link of the peer came or went. False, and the item untouched: nothing of it waits, and the node can
    /// be told at once.
    [[nodiscard]] bool push_link(const AgentId& peer, Item& item) {
        if (urgent_.size_of(peer) + rest_.size_of(peer) == 0) return false;
        for (Item& said : urgent_.take(peer))
            rest_.push(peer, message_cost, std::move(said));
        rest_.push(peer, message_cost, std::move(item));
        in_line_.insert(peer);
        return true;
    }
    /// Requires: not empty.
    [[nodiscard]] typename FairQueue<AgentId, Item>::Popped pop() {
        const bool rest = urgent_.empty() || (!rest_.empty() && ++urgent_in_a_row_ >= rest_every);
        if (rest) urgent_in_a_row_ = 0;
        auto next = *(rest ? rest_ : urgent_).pop();
        if (!in_line_.empty() && rest_.size_of(next.key) == 0) in_line_.erase(next.key);
        return next;
    }
    /// All that is left of a peer, what is urgent first.
    [[nodiscard]] std::vector<Item> take(const AgentId& from) {
        std::vector<Item> out = urgent_.take(from);
        for (Item& item : rest_.take(from))
            out.push_back(std::move(item));
        in_line_.erase(from);
        return out;
    }
    [[nodiscard]] bool is_crowded(const AgentId& from) const {
        return is_over(from, waiting_max, waiting_bytes_max);
    }
    /// It was crowded, and may be read from again.
    [[nodiscard]] bool has_room(const AgentId& from) const {
        return !is_over(from, waiting_max / 2, waiting_bytes_max / 2);
    }
    template <class Visit>
    void for_each(const Visit& visit) const {
        urgent_.for_each(visit);
        rest_.for_each(visit);
    }

private:
    /// What a message costs however small, in bytes of a large one.
    static constexpr std::uint64_t message_cost = 2'000;
    static constexpr std::uint32_t rest_every = 8;

    [[nodiscard]] bool is_over(const AgentId& from, std::size_t messages, std::uint64_t bytes)
        const {
        const std::size_t count = urgent_.size_of(from) + rest_.size_of(from);
        return count > messages ||
               urgent_.cost_of(from) + rest_.cost_of(from) > bytes + count * message_cost;
    }

    FairQueue<AgentId, Item> urgent_;
    FairQueue<AgentId, Item> rest_;
    std::set<AgentId> in_line_;  ///< Whose link came or went: all of theirs is in rest_, in order.
    std::uint32_t urgent_in_a_row_ = 0;
};

}  // namespace creto
