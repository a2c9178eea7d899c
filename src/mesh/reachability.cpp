#include "mesh/reachability.hpp"

#include <algorithm>

namespace creto {

namespace {

/// While others are asked about a lone missing seat.
constexpr Duration look_every = Duration::from_ms(100);
/// Where a look is at very many seats, what is new in so short a time is looked at once.
constexpr Duration together = Duration::from_ms(2);
/// And whom it heard lately, with what changed in between.
constexpr Duration look_at_all = Duration::from_ms(10);

}  // namespace

Reachability::Reachability(
    const Roster& roster, std::optional<Seat> self, ReachabilityOptions options
)
    : roster_{&roster},
      self_{self ? roster.index_of(*self) : std::nullopt},
      options_{options},
      peers_(roster.size()),
      lately_(roster.size()),
      reachable_{self_ ? 1U : 0U} {}

void Reachability::set_roster(const Roster& roster, std::optional<Seat> self, Instant now) {
    const bool same = roster.digest() == roster_->digest();
    const Roster& before = *roster_;
    roster_ = &roster;
    if (same) return;
    std::vector<Peer> peers(roster.size());
    // Said by places in the roster before.
    lately_.assign(roster.size(), {});
    SeatSet told;
    for (std::uint32_t i = 0; i < roster.size(); ++i) {
        const auto place = before.index_of(roster.members()[i].seat);
        if (!place) {
            peers[i].since = now;
            continue;
        }
        peers[i] = peers_[*place];
        if (told_.contains(*place)) told.insert(i);
        peers[i].said_at.reset();
    }
    self_ = self ? roster.index_of(*self) : std::nullopt;
    peers_ = std::move(peers);
    told_ = told;
    reachable_ = self_ ? 1U : 0U;
    for (std::uint32_t i = 0; i < peers_.size(); ++i)
        reachable_ += !is_self(i) && peers_[i].reachable ? 1U : 0U;
    // Seats say of each other whom they hear: of who has no seat any more they say nothing.
    for (Peer& peer : peers_) {
        if (self_) break;
        peer.hears_us = true;
        sees(peer, now);
    }
    next_tick_ = std::min(next_tick_, now);
    hearing_at_.reset();  // Its places are others.
}

// --- what is seen of a seat ---

void Reachability::heard(Seat seat, Instant now) {
    const auto index = roster_->index_of(seat);
    if (index && !is_self(*index)) hear(peers_[*index], now);
}

void Reachability::set_alive(Seat seat, bool is_alive, Instant now) {
    const auto index = roster_->index_of(seat);
    if (!index || is_self(*index) || peers_[*index].alive == is_alive) return;
    peers_[*index].alive = is_alive;
    if (!peers_[*index].down)
        hear(peers_[*index], now);  // Its silence counts from now on, if at all.
}

void Reachability::hear(Peer& peer, Instant now) {
    peer.heard = std::max(peer.heard, now);
    peer.ever = true;
    peer.down.reset();
    peer.goodbye = false;
    follow(peer, true);
    if (!peer.hears) {
        peer.hears = true;
        peer.tell = true;
        next_tick_ = std::min(next_tick_, soon(now));
    }
    sees(peer, now);
}

Instant Reachability::soon(Instant now) const {
    return roster_->size() > limits::direct_seats_max ? now + together : now;
}

void Reachability::said(Seat seat, const Hearing& hearing, Instant now) {
    const auto index = roster_->index_of(seat);
    if (!index || is_self(*index)) return;
    if (hearing.roster != roster_->digest().prefix()) return;  // Its places are others.
    Peer& peer = peers_[*index];
    peer.said_at = now;
    lately_[*index] = hearing.lately;
    if (self_) peer.hears_us = hearing.heard.contains(*self_);
    if (peer.reachable != (peer.hears && peer.hears_us))
        next_tick_ = std::min(next_tick_, soon(now));
    sees(peer, now);
}

void Reachability::link_up(Seat seat, Instant now) {
    // Both ends took part in making it.
    const auto index = roster_->index_of(seat);
    if (index) peers_[*index].hears_us = true;
    heard(seat, now);
    // So it knows that it is heard: where there are very many, it is not told once more.
    if (index && roster_->size() > limits::direct_seats_max) peers_[*index].tell = false;
}

void Reachability::link_down(Seat seat, Instant now) {
    const auto index = roster_->index_of(seat);
    if (!index || is_self(*index) || peers_[*index].down) return;
    Peer& peer = peers_[*index];
    peer.down = now;
    follow(peer, false);
    peer.goodbye = peer.reachable && now - peer.heard < options_.lost_after / 2;
    next_tick_ = std::min(next_tick_, now + options_.link_grace);
}

void Reachability::round_trip(Seat seat, Instant sent, Instant now) {
    const auto index = roster_->index_of(seat);
    if (!index) return;
    Peer& peer = peers_[*index];
    const Duration sample = now - sent;
    peer.round_trip = peer.round_trip == Duration{} ? sample : (peer.round_trip * 7 + sample) / 8;
}

void Reachability::summary_met(Seat seat) {
    const auto index = roster_->index_of(seat);
    if (!index || !peers_[*index].unmet) return;
    peers_[*index].unmet = false;
    ++met_;
    if (!has_met_enough()) return;
    for (Peer& peer : peers_)
        peer.unmet = false;
}

/// Brings `reachable` up to date with what is known of the two directions. [CUT-BOTH.1]
void Reachability::sees(Peer& peer, Instant now) {
    const bool reached = peer.hears && peer.hears_us;
    if (reached == peer.reachable) return;
    peer.reachable = reached;
    peer.since = now;
    reachable_ += reached ? 1U : 0U;
    reachable_ -= reached ? 0U : 1U;
    if (!reached) {
        peer.loss = peer.goodbye ? Loss::closed : Loss::silent;
        return;
    }
    peer.unmet = !has_met_enough() && (peer.unmet || peer.loss != Loss::none);
    peer.asked_summary.reset();
    peer.loss = Loss::none;
    peer.vouched = false;
}

// --- what time tells ---

Reachability::Tick Reachability::on_time(Instant now) {
    if (!started_) started_ = now;
    oversleep(now);
    for (Peer& peer : peers_)
        if (peer.alive && !peer.down) hear(peer, now);
    for (std::uint32_t i = 0; i < peers_.size(); ++i)
        if (!is_self(i)) look(peers_[i], now);
    Tick tick;
    const bool curious = look_for_vouchers(now);
    conclude(now, tick);
    // Ticks that are nearly due are one, apart from those that end a wait.
    Instant next = Instant::max();
    Instant exact = curious ? now + look_every : Instant::max();
    for (std::uint32_t i = 0; i < peers_.size(); ++i) {
        if (is_self(i)) continue;
        ask(i, now, curious, tick);
        const Duration patience =
            self_ && *self_ > i ? options_.probe_after * 2 : options_.probe_after;
        const Peer& peer = peers_[i];
        const Instant silent = peer.hears && !peer.hears_us ? now : peer.heard + patience;
        next = std::min(next, std::max(silent, peer.probed + pause(peer, now)));
        exact = std::min(exact, next_change(peer, now));
    }
    next_tick_ = std::min(exact, std::max(next, now + options_.probe_after / 2));
    due_ = next_tick_;
    return tick;
}

/// What arrived meanwhile lies in the inbox: nobody was silent because we did not listen. [CUT-CALM.1]
void Reachability::oversleep(Instant now) {
    if (due_ == Instant{} || now <= due_ + options_.late) return;
    const Duration slept = now - due_;
    for (Peer& peer : peers_) {
        peer.heard = std::min(now, peer.heard + slept);
        if (peer.down) peer.down = std::min(now, *peer.down + slept);
        if (peer.loss != Loss::none && !missing(peer, due_))
            peer.since = std::min(now, peer.since + slept);
    }
}

void Reachability::look(Peer& peer, Instant now) {
    const bool silent = now - peer.heard > window(peer);
    const bool cut_off = peer.down && now - *peer.down >= options_.link_grace;
    if (!peer.hears || (!silent && !cut_off)) return;
    peer.hears = false;
    peer.tell = true;
    follow(peer, false);
    sees(peer, now);
}

Duration Reachability::window(const Peer& peer) const {
    return std::max(options_.lost_after, peer.round_trip * 4);
}

bool Reachability::missing(const Peer& peer, Instant now) const {
    if (peer.reachable) return false;
    if (peer.loss != Loss::none) return now - peer.since >= options_.sure_after;
    return started_ && now - std::max(*started_, peer.since) >= options_.start_patience;
}

// --- what others say ---

/// Looks whether others hear who is missing here; true while it is worth asking them.
bool Reachability::look_for_vouchers(Instant now) {
    if (is_apart(now)) return false;
    SeatSet lost;
    Instant earliest = Instant::max();
    for (std::uint32_t i = 0; i < peers_.size(); ++i) {
        const Peer& peer = peers_[i];
        if (peer.loss == Loss::none || peer.vouched) continue;
        lost.insert(i);
        earliest = std::min(earliest, vouched_from(peer));
    }
    if (earliest == Instant::max()) return false;
    count_vouchers(lost, earliest, now);
    bool curious = false;
    lost.each_common(lost, [&](std::uint32_t i) {
        Peer& peer = peers_[i];
        // Who still says that it does not hear us is there. Of others, one must be honest.
        const bool deaf = peer.hears && is_fresh(peer, now);
        const bool is_there = deaf || vouchers_[i] >= roster_->quorum().t + 1;
        peer.vouched = is_there && missing(peer, now);
        curious = curious || !peer.vouched;
    });
    return curious;
}

/// A word that was said so late that the last frames of the lost one, and what they were delayed by, are
/// too old to count in it.
Instant Reachability::vouched_from(const Peer& lost) const {
    return lost.down && lost.loss == Loss::closed ? *lost.down + options_.lost_after
                                                  : lost.heard + window(lost) * 5 / 4;
}

/// How many seats heard each of `lost` when it could not be heard here any more; none did so before `earliest`.
/// Where many are lost at once, hardly anybody who is reached hears one of them.
void Reachability::count_vouchers(const SeatSet& lost, Instant earliest, Instant now) {
    vouchers_.assign(peers_.size(), 0);
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        const Peer& peer = peers_[i];
        if (!peer.reachable || !is_fresh(peer, now) || *peer.said_at < earliest) continue;
        lost.each_common(lately_[i], [&](std::uint32_t index) {
            vouchers_[index] += *peer.said_at >= vouched_from(peers_[index]) ? 1U : 0U;
        });
    }
}

bool Reachability::is_fresh(const Peer& peer, Instant now) const {
    return peer.said_at && now - *peer.said_at <= options_.lost_after * 2 / 5;
}

const Hearing& Reachability::hearing(Instant now) {
    const bool is_new = hearing_at_ && now - *hearing_at_ < look_at_all;
    if (is_new && roster_->size() > limits::direct_seats_max) return hearing_;
    hearing_at_ = now;
    hearing_ = {.roster = roster_->digest().prefix(), .heard = {}, .lately = {}};
    for (std::uint32_t i = 0; i < peers_.size(); ++i) {
        const Peer& peer = peers_[i];
        if (!peer.hears || peer.down) continue;
        hearing_.heard.insert(i);
        if (now - peer.heard <= window(peer) / 2) hearing_.lately.insert(i);
    }
    return hearing_;
}

void Reachability::follow(const Peer& peer, bool is_heard) {
    const auto index = static_cast<std::uint32_t>(&peer - peers_.data());
    if (is_heard) {
        hearing_.heard.insert(index);
        hearing_.lately.insert(index);
    } else {
        hearing_.heard.erase(index);
        hearing_.lately.erase(index);
    }
}

// --- conclusions ---

bool Reachability::is_apart(Instant now) const {
    std::uint32_t gone = 0;
    std::uint32_t lost = 0;
    std::uint32_t silent = 0;
    bool vouched = false;
    for (std::uint32_t i = 0; i < peers_.size(); ++i) {
        const Peer& peer = peers_[i];
        if (is_self(i) || !missing(peer, now)) continue;
        ++gone;
        lost += peer.loss != Loss::none ? 1U : 0U;
        silent += peer.loss == Loss::silent ? 1U : 0U;
        vouched = vouched || peer.vouched;
    }
    const std::uint32_t tenth = roster_->size() / 10;
    return roster_->size() - gone < roster_->quorum().q || silent >= std::max(1U, tenth) ||
           lost >= std::max(2U, tenth) || vouched;
}

/// Nothing that was lost or found is so new that it may be over in a moment.
bool Reachability::is_settled(Instant now) const {
    for (std::uint32_t i = 0; i < peers_.size(); ++i) {
        const Peer& peer = peers_[i];
        const bool lost_now = peer.loss != Loss::none && !missing(peer, now);
        const bool found_now =
            peer.reachable && told_.contains(i) && now - peer.since < options_.sure_after;
        if (lost_now || found_now) return false;
    }
    return true;
}

/// Whoever fell silent at the same moment is lost as well, or has waited long enough for the others.
bool Reachability::is_complete(Instant now) const {
    bool overdue = false;
    bool patient = true;
    for (const Peer& peer : peers_) {
        overdue = overdue || (peer.reachable && now - peer.heard > window(peer) / 2);
        patient =
            patient && (peer.loss == Loss::none || now - peer.since < options_.sure_after * 2);
    }
    return !overdue || !patient;
}

/// Asks those who came back for their summaries; among very many the next ones in the roster first, so that
/// not all ask the same. Whoever does not answer is asked again, and another one with it. [CUT-HEAL.2]
void Reachability::meet(Instant now, Tick& tick) {
    const bool asks_all = peers_.size() <= options_.meet_all_max;
    const std::size_t first = asks_all ? 0 : self_.value_or(0) + 1;
    std::size_t asked = 0;
    bool is_any = false;
    for (std::size_t k = 0; k < peers_.size(); ++k) {
        const std::size_t i = (first + k) % peers_.size();
        Peer& peer = peers_[i];
        if (!peer.unmet) continue;
        is_any = true;
        if (!peer.reachable) continue;
        const bool is_new = !peer.asked_summary;
        if (!is_new && now - *peer.asked_summary < options_.lost_after / 2) {
            ++asked;
            continue;
        }
        if (!asks_all && is_new && met_ + asked >= options_.meets_max) continue;
        asked += is_new ? 1 : 0;
        peer.asked_summary = now;
        tick.summarise.push_back(roster_->members()[i].seat);
    }
    if (!is_any && !partitioned_) met_ = 0;
}

void Reachability::conclude(Instant now, Tick& tick) {
    const bool apart = is_apart(now);
    meet(now, tick);
    if (!apart && !partitioned_) return;
    if (apart) {
        SeatSet lost;
        for (std::uint32_t i = 0; i < peers_.size(); ++i)
            if (peers_[i].loss != Loss::none || (!is_self(i) && missing(peers_[i], now)))
                lost.insert(i);
        if (partitioned_ ? lost == told_ || !is_settled(now) : !is_complete(now)) return;
        if (!partitioned_) met_ = 0;
        partitioned_ = true;
        told_ = lost;
        tick.partitioned = sides();
        return;
    }
    const bool is_over = std::all_of(peers_.begin(), peers_.end(), [&](const Peer& peer) {
        return !peer.unmet && (peer.loss == Loss::none || missing(peer, now));
    });
    if (!is_over) return;
    partitioned_ = false;
    told_ = {};
    tick.healed = Healed{sides().reachable};
}

Partitioned Reachability::sides() const {
    Partitioned out{.quorum = has_quorum()};
    for (std::uint32_t i = 0; i < peers_.size(); ++i) {
        const Seat seat = roster_->members()[i].seat;
        const bool reached = is_self(i) || peers_[i].reachable;
        if (reached) out.reachable.push_back(seat);
        if (!reached && (peers_[i].loss != Loss::none || told_.contains(i)))
            out.lost.push_back(seat);
    }
    return out;
}

/// Of two seats the first asks; the other hears it by that, and asks only if it does not.
void Reachability::ask(std::uint32_t index, Instant now, bool curious, Tick& tick) {
    Peer& peer = peers_[index];
    const bool is_second = self_ && *self_ > index;
    const Duration patience = is_second ? options_.probe_after * 2 : options_.probe_after;
    const bool silent = !peer.ever || now - peer.heard >= patience;
    const bool deaf = peer.hears && !peer.hears_us;
    const bool unasked = !peer.said_at || now - *peer.said_at >= options_.probe_after;
    const bool wanted = silent || deaf || (curious && peer.reachable && unasked);
    if (!peer.tell && (!wanted || now - peer.probed < pause(peer, now))) return;
    peer.tell = false;
    peer.probed = now;
    tick.probe.push_back(roster_->members()[index].seat);
}

/// Between probes: half as long once one of them, or its answer, may have been lost.
Duration Reachability::pause(const Peer& peer, Instant now) const {
    const bool urgent = peer.ever && now - peer.heard >= options_.probe_after * 2 &&
                        now - peer.heard < window(peer) + options_.sure_after;
    const bool deaf = peer.hears && !peer.hears_us;
    return urgent || deaf ? options_.probe_after / 2 : options_.probe_after;
}

/// When time alone may change what is known of this seat.
Instant Reachability::next_change(const Peer& peer, Instant now) const {
    Instant next = Instant::max();
    const auto at = [&](Instant when) {
        if (when > now) next = std::min(next, when);
    };
    if (peer.hears) at(peer.heard + window(peer) + Duration::from_ns(1));
    if (peer.reachable) at(peer.heard + window(peer) / 2 + Duration::from_ns(1));
    if (peer.hears && peer.down) at(*peer.down + options_.link_grace);
    if (peer.loss != Loss::none || partitioned_) at(peer.since + options_.sure_after);
    if (!peer.ever) at(std::max(*started_, peer.since) + options_.start_patience);
    if (peer.unmet && peer.asked_summary) at(*peer.asked_summary + options_.lost_after / 2);
    return next;
}

bool Reachability::is_reachable(Seat seat) const {
    const auto index = roster_->index_of(seat);
    return index && (is_self(*index) || peers_[*index].reachable);
}

bool Reachability::hears_us(Seat seat) const {
    const auto index = roster_->index_of(seat);
    return index && (is_self(*index) || (peers_[*index].ever && peers_[*index].hears_us));
}

std::string Reachability::no_quorum_message() const {
    return "no quorum: " + std::to_string(reachable_) + " of " + std::to_string(roster_->size()) +
           " validators reachable, " + std::to_string(roster_->quorum().q) + " needed";
}

}  // namespace creto
