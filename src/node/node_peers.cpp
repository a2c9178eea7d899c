#include "node/node_impl.hpp"

namespace creto {

namespace {

constexpr std::size_t probes_max = 1'024;

}  // namespace

/// Who is reached: asks the silent, compares summaries with who came back, tells watchers.
void NodeImpl::look_around() {
    Reachability::Tick tick = reachability_.on_time(now_);
    const Hearing hearing = reachability_.hearing(now_);
    for (const Seat seat : tick.probe) {
        const AgentId& agent = seats().known(seat)->key;
        if (!dialer_.connected(agent)) continue;
        if (probes_.size() >= probes_max) probes_.erase(probes_.begin());
        probes_.emplace(next_probe_, now_);
        effects_.send(agent, Probe{next_probe_++, false, hearing});
    }
    for (const Seat seat : tick.summarise)
        effects_.send(seats().known(seat)->key, lane_summary(false));
    if (tick.partitioned) effects_.publish(*tick.partitioned);
    if (tick.healed) effects_.publish(*tick.healed);
    if (reachability_.partitioned() && !reachability_.has_quorum()) answer_pending();
}

/// Where votes go through groups most seats have nothing to say to this node. They count as heard while
/// there is a link, and the looks of all find them alive. [CUT-GROUPS.1]
void NodeImpl::note_alive(const AgentId& agent) {
    const Member* member = voters().find(agent);
    if (member == nullptr || agent == self_) return;
    const bool counts = !ordering_.votes_are_direct() && dialer_.connected(agent) &&
                        liveness_.state(agent) == AgentState::alive;
    reachability_.set_alive(member->seat, counts, now_);
}

void NodeImpl::on_probe(const AgentId& from, const Probe& probe) {
    const Member* member = voters().find(from);
    if (member != nullptr) reachability_.said(member->seat, probe.hearing, now_);
    if (!probe.answer) {
        effects_.send(from, Probe{probe.nonce, true, reachability_.hearing(now_)});
        return;
    }
    const auto sent = probes_.find(probe.nonce);
    if (sent == probes_.end() || member == nullptr) return;
    reachability_.round_trip(member->seat, sent->second, now_);
}

void NodeImpl::on_ping_answer(const AgentId& from, const Checked<const PingAnswer&>& answer) {
    auto sample = overlay_.on_answer(from, answer->nonce, now_);
    const auto looked = liveness_.on_answer(from, answer, now_, effects_);
    if (!sample) sample = looked;
    const auto found = acquaintances_.find(from);
    if (!sample || found == acquaintances_.end()) return;
    Duration& smooth = found->second.round_trip;
    smooth = smooth == Duration{} ? *sample : (smooth * 7 + *sample) / 8;
}

void NodeImpl::said_final(const AgentId& agent, Height height) {
    if (const auto found = acquaintances_.find(agent); found != acquaintances_.end())
        found->second.finalized = height;
}

void NodeImpl::saw_vote(const Vote& vote) {
    const auto index = voters().index_of(vote.seat);
    if (!index) return;
    voted_.resize(voters().size());
    voted_[*index] = std::max(voted_[*index], vote.content.view);
}

/// Tells watchers who is suspected, has died, or lives after all.
void NodeImpl::show_lives() {
    for (const Liveness::Change& change : liveness_.take_changes()) {
        overlay_.on_state(change.agent, change.to);
        note_alive(change.agent);
        if (const auto known = acquaintances_.find(change.agent); known != acquaintances_.end())
            known->second.since = now_;
        const std::string name = name_of(change.agent);
        switch (change.to) {
            case AgentState::suspect:
                effects_.publish(AgentSuspected{change.agent, name});
                break;
            case AgentState::alive:
                effects_.publish(AgentAlive{change.agent, name, change.from == AgentState::dead});
                break;
            case AgentState::dead:
                effects_.publish(AgentDead{change.agent, name});
                break;
        }
    }
}

PeerView NodeImpl::view_of(const AgentRecord& record) const {
    const bool is_self = record.agent == self_;
    PeerView view{
        .agent = record.agent,
        .name = record.name,
        .connected = is_self || dialer_.connected(record.agent),
        .state = liveness_.state(record.agent),
        .state_for = now_ - started_at_,
        .addresses = record.addresses,
        .tools = record.tools};
    view.reachable = view.connected;
    view.hears_us = view.connected;
    if (const Member* member = voters().find(record.agent)) {
        view.seat = member->seat;
        view.reachable = reachability_.is_reachable(member->seat);
        view.hears_us = reachability_.hears_us(member->seat);
        const auto index = voters().index_of(member->seat);
        if (index && *index < voted_.size() && voted_[*index] != View{})
            view.voted = voted_[*index];
    }
    if (is_self) view.lag = 0;
    const auto found = acquaintances_.find(record.agent);
    if (found == acquaintances_.end()) return view;
    view.state_for = now_ - found->second.since;
    if (found->second.round_trip != Duration{}) view.round_trip = found->second.round_trip;
    if (found->second.finalized) {
        const std::uint64_t theirs = found->second.finalized->value();
        const std::uint64_t ours = final_.height().value();
        view.lag = ours > theirs ? ours - theirs : 0;
    }
    return view;
}

}  // namespace creto
