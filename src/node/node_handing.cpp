// Operations of this node that another seat has to carry: it has no seat, or has none any more.
//
// Why      A seat takes what it is handed into its memory first; if it stops there, nobody else knows. And
//          what waits when a seat ends would wait for ever.
// Holds    [SEAT-HANDED.1] A final operation that was taken goes to a seat drawn by lot, and to another one
//          every two seconds, each in its turn and then all anew, until it is final or has expired. An
//          operation takes effect once however many carry it. It is refused when three seats did so, or all
//          that are connected, and nobody else was handed it. Who has it already never refuses it.
#include <algorithm>

#include "node/node_impl.hpp"

namespace creto {

namespace {

constexpr Duration hand_again = Duration::from_s(2);
constexpr std::size_t handed_at_once = 256;
constexpr std::uint32_t refusals_heard = 3;

}  // namespace

void NodeImpl::hand_over(Operation operation, Handed::From from) {
    if (feeds_beacon(operation.body)) return;  // It counts in its own lane only.
    if (std::holds_alternative<CrdtOperation>(operation.body)) return;  // Its own lane's only.
    const OperationId id = operation.id(roster_.chain());
    if (!submissions_.contains(id)) return;
    if (!operation.signature) {
        if (operation.client != self_) return;
        operation.signature =
            signer_.sign(SignDomain::operation, roster_.chain().value(), signing_bytes(operation));
    }
    const auto [handed, fresh] =
        handed_.emplace(id, Handed{std::move(operation), {}, {}, {}, {}, from});
    if (fresh) send_handed(handed->second);
}

/// A connected seat, drawn by lot: a fixed choice could be one that swallows all it is handed.
std::optional<AgentId> NodeImpl::draw_carrier(const std::set<AgentId>& but) {
    std::vector<AgentId> carriers;
    for (const AgentId& peer : dialer_.peers()) {
        if (voters().find(peer) != nullptr && !but.contains(peer)) carriers.push_back(peer);
    }
    if (carriers.empty()) return std::nullopt;
    return carriers[prng_.below(carriers.size())];
}

/// To one that has not had its turn. False when none is left.
bool NodeImpl::send_handed(Handed& handed) {
    handed.again = now_ + hand_again;
    hand_at_ = std::min(hand_at_, handed.again);
    const auto carrier = draw_carrier(handed.passed);
    if (!carrier) return false;
    handed.asked.insert(*carrier);
    handed.passed.insert(*carrier);
    effects_.send(*carrier, OperationSubmit{handed.operation});
    return true;
}

void NodeImpl::repeat_handed() {
    if (now_ < hand_at_) return;
    hand_at_ = Instant::max();
    std::size_t sent = 0;
    for (auto at = handed_.begin(); at != handed_.end();) {
        if (!submissions_.contains(at->first)) {
            at = handed_.erase(at);
            continue;
        }
        Handed& handed = at->second;
        if (handed.again <= now_ && sent < handed_at_once) {
            ++sent;
            // Whoever was too busy may have room now, and one that is silent is not all there are.
            if (!send_handed(handed)) {
                handed.passed.clear();
                send_handed(handed);
            }
        }
        hand_at_ = std::min(hand_at_, std::max(handed.again, now_ + Duration::from_ms(100)));
        ++at;
    }
}

/// A seat does not take it: another one may. True when this node may tell its client that it was
/// refused: some have, and nobody else was handed the operation.
bool NodeImpl::is_refused(const OperationId& id, const AgentId& by) {
    const auto at = handed_.find(id);
    if (at == handed_.end() || !at->second.asked.contains(by)) return false;
    Handed& handed = at->second;
    if (!handed.refused.insert(by).second) return false;
    if (handed.refused.size() < refusals_heard && send_handed(handed)) return false;
    return handed.from == Handed::From::client && handed.refused == handed.asked;
}

/// The seat has ended, or is set aside. What waits for a place in its lane, and what the lane holds
/// uncovered, goes to others; causal writes that wait have no other place.
void NodeImpl::leave_seat() {
    const LaneId lane = producer_->lane();
    while (producer_->waiting() > 0) {
        for (Operation& operation : producer_->next_batch()) {
            const auto waiting = causal_commands_.find(operation.counter);
            const bool own = operation.client == self_ && waiting != causal_commands_.end();
            if (!own) {
                hand_over(std::move(operation), Handed::From::lane);
                continue;
            }
            reply_error(
                waiting->second.command,
                {ErrorCode::unavailable,
                 "this node's seat votes no more; write at another validator"}
            );
            causal_deadlines_.erase({waiting->second.deadline, operation.counter});
            causal_commands_.erase(waiting);
        }
    }
    Sequence at = final_cut_.tip(lane).sequence.next();
    for (; const VertexPtr vertex = dag_.at(lane, at); at = at.next()) {
        for (const Operation& operation : vertex->operations())
            hand_over(operation, Handed::From::lane);
    }
}

}  // namespace creto
