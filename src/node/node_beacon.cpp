// The random beacon, as a seat's node feeds it: when it commits, to what, and when it reveals.
//
// Why      The value of an epoch is random for everybody as long as one honest seat feeds it.
// Source   docs/decisions/0031-beacon.md; state/beacon.hpp says what counts.
// Holds    [BEACON-SECRET.1] A secret follows from the seat's key and the epoch alone: a restart, a lost
//          folder or a second process commits to the same one. It leaves the node only when the epoch
//          in which it was committed to is over and executed here. [BEACON-IDLE.1] A node commits only
//          in an epoch whose blocks brought anything else than the beacon's own operations, at most
//          once, and reveals only what it committed to: so the beacon keeps no idle chain at work.
#include "node/node_impl.hpp"

namespace creto {

Digest NodeImpl::beacon_secret(Epoch feeds) const {
    Writer w;
    encode(w, feeds);
    const Signature own = signer_.sign(SignDomain::beacon, roster_.chain().value(), w.view());
    return hash(HashDomain::beacon_secret, own.view());
}

/// What an earlier life of this node has put into its lane need not be said again.
void NodeImpl::note_own_beacon(const OperationBody& body) {
    if (const auto* said = std::get_if<BeaconCommitOperation>(&body))
        beacon_committed_ = std::max(beacon_committed_, said->feeds);
    if (const auto* said = std::get_if<BeaconRevealOperation>(&body))
        beacon_revealed_ = std::max(beacon_revealed_, said->feeds);
}

// [BEACON-IDLE.1]
void NodeImpl::note_work(const Block& block, const std::vector<VertexPtr>& ordered) {
    if (work_in_ == block.epoch) return;
    for (const VertexPtr& vertex : ordered) {
        for (const Operation& operation : vertex->operations()) {
            if (feeds_beacon(operation.body)) continue;
            work_in_ = block.epoch;
            return;
        }
    }
}

void NodeImpl::feed_beacon() {
    if (!seat_ || !rosters_.epochs().have_end()) return;
    const Epoch now = rosters_.epochs().after(final_.height());
    const bool reveals = beacon_revealed_ < now.next();
    const bool commits = beacon_committed_ < now.plus(2) && work_in_ == now;
    if ((!reveals && !commits) || ordering_.epoch() != now || lane_lost_) return;
    const bool follows = !ordering_.behind() && to_execute_.empty() && reachability_.has_quorum();
    if (!follows || !producer_->confirmed()) return;
    if (reveals) {
        beacon_revealed_ = now.next();  // Whoever has not committed by now does not any more.
        const Beacon::Entry* said = final_.beacon().said(beacon_revealed_, *seat_);
        if (said != nullptr && !said->secret)
            submit_own(BeaconRevealOperation{beacon_revealed_, beacon_secret(beacon_revealed_)});
    }
    if (!commits) return;
    beacon_committed_ = now.plus(2);
    // Whoever writes nothing any more when the secrets are due would seem to withhold its own.
    const SeatEntry& entry = final_.seats().seats().at(*seat_);
    if (!entry.votes_in(now.next()) || final_.excluded(self_)) return;
    if (final_.beacon().said(beacon_committed_, *seat_) != nullptr) return;
    submit_own(BeaconCommitOperation{
        beacon_committed_,
        beacon_commitment(
            roster_.chain(), beacon_committed_, self_, beacon_secret(beacon_committed_)
        )});
}

}  // namespace creto
