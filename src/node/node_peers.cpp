#include "node/node_impl.hpp"

namespace creto {

void NodeImpl::on_ping_answer(const AgentId& from, const Checked<const PingAnswer&>& answer) {
    const auto sample = liveness_.on_answer(from, answer, now_, effects_);
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
    if (const Member* member = voters().find(record.agent)) {
        view.seat = member->seat;
        view.reachable = reachability_.is_reachable(member->seat);
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
