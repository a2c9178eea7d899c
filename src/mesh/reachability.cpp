#include "mesh/reachability.hpp"

#include <algorithm>

namespace creto {

Reachability::Reachability(
    const Roster& roster, std::optional<Seat> self, ReachabilityOptions options
)
    : roster_{&roster},
      self_{self ? roster.index_of(*self) : std::nullopt},
      options_{options},
      peers_(roster.size()) {
    recount();
}

void Reachability::set_roster(const Roster& roster, std::optional<Seat> self) {
    std::vector<Peer> peers(roster.size());
    for (std::uint32_t i = 0; i < roster.size(); ++i) {
        if (const auto before = roster_->index_of(roster.members()[i].seat))
            peers[i] = peers_[*before];
    }
    roster_ = &roster;
    self_ = self ? roster.index_of(*self) : std::nullopt;
    peers_ = std::move(peers);
    recount();
}

void Reachability::heard(Seat seat, Instant now) {
    const auto index = roster_->index_of(seat);
    if (!index || is_self(*index)) return;
    Peer& peer = peers_[*index];
    peer.heard = std::max(peer.heard, now);
    peer.ever = true;
    if (peer.reachable) return;
    peer.reachable = true;
    peer.returned = peer.returned || peer.lost;
    peer.lost = false;
    recount();
}

void Reachability::round_trip(Seat seat, Instant sent, Instant now) {
    const auto index = roster_->index_of(seat);
    if (!index) return;
    Peer& peer = peers_[*index];
    const Duration sample = now - sent;
    peer.round_trip = peer.round_trip == Duration{} ? sample : (peer.round_trip * 7 + sample) / 8;
}

void Reachability::summary_met(Seat seat) {
    if (const auto index = roster_->index_of(seat)) peers_[*index].returned = false;
}

Reachability::Tick Reachability::on_time(Instant now) {
    Tick tick;
    Instant next = Instant::max();
    std::uint32_t missing = 0;
    for (std::uint32_t i = 0; i < peers_.size(); ++i) {
        Peer& peer = peers_[i];
        if (is_self(i)) continue;
        if (peer.reachable && now - peer.heard > window(peer)) {
            peer.reachable = false;
            peer.lost = true;
            peer.lost_at = now;
        }
        if (peer.lost) ++missing;
        // Of two seats the first asks; the other hears it by that, and asks only if it does not.
        const bool is_second = self_ && *self_ > i;
        const Duration patience = is_second ? options_.probe_after * 2 : options_.probe_after;
        const bool silent = !peer.ever || now - peer.heard >= patience;
        if (silent && now - peer.probed >= options_.probe_after) {
            peer.probed = now;
            tick.probe.push_back(roster_->members()[i].seat);
        }
        next = std::min(next, std::max(peer.heard + patience, peer.probed + options_.probe_after));
        if (peer.reachable) next = std::min(next, peer.heard + window(peer) + Duration::from_ns(1));
    }
    // Nothing can be due before, whatever is heard; ticks that are nearly due are one.
    next_tick_ = std::max(next, now + options_.probe_after / 2);
    recount();
    if (!partitioned_ && missing >= partition_threshold()) {
        partitioned_ = true;
        Partitioned notice{.quorum = has_quorum()};
        for (std::uint32_t i = 0; i < peers_.size(); ++i) {
            const Seat seat = roster_->members()[i].seat;
            if (peers_[i].lost) notice.lost.push_back(seat);
            if (is_self(i) || peers_[i].reachable) notice.reachable.push_back(seat);
        }
        tick.partitioned = std::move(notice);
    } else if (partitioned_ && missing < partition_threshold()) {
        const bool met = std::none_of(peers_.begin(), peers_.end(), [](const Peer& peer) {
            return peer.reachable && peer.returned;
        });
        if (met) {
            partitioned_ = false;
            Healed notice;
            for (std::uint32_t i = 0; i < peers_.size(); ++i) {
                if (is_self(i) || peers_[i].reachable) {
                    notice.returned.push_back(roster_->members()[i].seat);
                }
            }
            tick.healed = std::move(notice);
        }
    }
    if (partitioned_) next_tick_ = now + options_.probe_after / 2;  // Healing is noticed soon.
    return tick;
}

bool Reachability::is_reachable(Seat seat) const {
    const auto index = roster_->index_of(seat);
    return index && (is_self(*index) || peers_[*index].reachable);
}

std::string Reachability::no_quorum_message() const {
    return "no quorum: " + std::to_string(reachable_) + " of " + std::to_string(roster_->size()) +
           " validators reachable, " + std::to_string(roster_->quorum().q) + " needed";
}

bool Reachability::is_self(std::uint32_t index) const {
    return self_ && *self_ == index;
}

std::uint32_t Reachability::partition_threshold() const {
    return std::max<std::uint32_t>(2, roster_->size() / 10);
}

Duration Reachability::window(const Peer& peer) const {
    return std::max(options_.lost_after, peer.round_trip * 4);
}

void Reachability::recount() {
    reachable_ = self_ ? 1 : 0;
    for (const Peer& peer : peers_)
        reachable_ += peer.reachable ? 1 : 0;
}

}  // namespace creto
