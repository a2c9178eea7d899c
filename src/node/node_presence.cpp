// This node's word that it is there: before its seat is set aside, and when it was.
//
// Why      Nobody is set aside who can reach the others, though most of them should miss his votes; and who
//          was away comes back without anybody's consent.
// Source   docs/decisions/0030-dormant-seats.md.
// Holds    [SEAT-DORMANT.2] Whoever goes missing writes it into its lane, or has another seat carry it while
//          its lane is lost, half of the time before it would be dead. [SEAT-DORMANT.5] Whoever is dormant,
//          follows the chain and could vote asks for its vote, through another seat, until that is final.
//          Who has stopped voting asks for nothing.
#include <algorithm>

#include "node/node_impl.hpp"

namespace creto {

namespace {

constexpr Duration look_again = Duration::from_s(1);
constexpr Duration say_again = Duration::from_s(10);

}  // namespace

void NodeImpl::show_presence() {
    if (now_ < presence_at_ || !started_ || restoring_) return;
    presence_at_ = now_ + look_again;
    const bool may = rosters_.epochs().have_end() && !store_failed_ && !draining_ &&
                     !ordering_.halted() && !final_.excluded(self_);
    const bool follows = !ordering_.behind() && to_execute_.empty() && reachability_.has_quorum();
    if (!may || !follows) return;
    const Epoch later = final_.voters().epoch().plus(2);
    const SeatEntry* held = final_.seats().held_by(self_, later);
    if (held == nullptr) return;
    PresenceOperation said;
    if (held->is_dormant_in(later)) {
        said.dormant_since = held->dormant_from;
    } else if (!final_.standing().attendance().going_missing(held->member.seat, final_.voters())) {
        return;
    }
    presence_at_ = now_ + say_again;
    if (producer_ && producer_->confirmed() && !lane_lost_) {
        submit_own(said);
        return;
    }
    const auto carrier = draw_carrier();
    if (!carrier) return;
    // As long as the lane is not known, nor is which counters were used.
    next_counter_ = std::max(next_counter_, final_.height().value() * counters_a_block);
    Operation operation = make_operation(said);
    operation.signature =
        signer_.sign(SignDomain::operation, roster_.chain().value(), signing_bytes(operation));
    if (said.dormant_since != Epoch{}) {
        log_.info(
            "this node's seat is dormant since epoch " +
            std::to_string(said.dormant_since.value()) + ": asking for its vote through " +
            name_of(*carrier)
        );
    }
    effects_.send(*carrier, OperationSubmit{operation});
}

/// For people: why this agent cannot write what only a seat can.
std::string NodeImpl::no_seat() const {
    const Epoch now = ordering_.epoch();
    const SeatEntry* held = final_.seats().held_by(self_, now);
    if (held == nullptr || !held->is_dormant_in(now)) return "this agent has none";
    return "this agent's is dormant since epoch " + std::to_string(held->dormant_from.value()) +
           ", and comes back by itself";
}

}  // namespace creto
