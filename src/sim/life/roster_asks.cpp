#include "sim/life/roster_asks.hpp"

namespace creto {
namespace {

constexpr Duration asked_every = Duration::from_s(1);
constexpr Duration patience = Duration::from_s(5);

}  // namespace

RosterAsks::RosterAsks(
    const Schedule& schedule, SimCluster& cluster, const std::vector<bool>& unreliable
)
    : schedule_{schedule},
      cluster_{cluster},
      unreliable_{unreliable},
      next_spare_{schedule.seats()} {}

void RosterAsks::add(const Fault& fault) {
    waiting_.push_back(fault);
    if (waiting_.size() == 1) ask();
}

/// What the first that waits is about.
RosterOperation RosterAsks::change() const {
    const Fault& fault = waiting_.front();
    RosterOperation change;
    if (fault.kind == FaultKind::unseat) {
        change.action = RosterOperation::Action::remove;
        change.seat = Seat{fault.nodes.front()};
        return change;
    }
    if (fault.kind == FaultKind::parameter) {
        change.action = RosterOperation::Action::set;
        change.parameter = {
            all_parameters.at(fault.more),
            static_cast<std::uint32_t>(fault.amount),
            changed_.at(fault.more) + 1};
        return change;
    }
    const Signer& spare = *cluster_.host(NodeIndex{next_spare_}).signer;
    change.key = spare.public_key();
    if (fault.nodes.empty()) {
        change.name = "spare-" + std::to_string(next_spare_);
    } else {
        change.action = RosterOperation::Action::replace;
        change.seat = Seat{fault.nodes.front()};
    }
    change.possession = spare.sign(
        SignDomain::grant,
        cluster_.roster().chain().value(),
        possession_bytes(change.key, change.name)
    );
    return change;
}

/// A seat that ends asks for it alone, or is not asked.
bool RosterAsks::asks(std::uint32_t node) const {
    const Fault& fault = waiting_.front();
    if (fault.kind != FaultKind::unseat) return true;
    return (node == fault.nodes.front()) == (fault.amount != 0);
}

bool RosterAsks::is_in_force(const RosterOperation& change, const Node& node) {
    if (change.action == RosterOperation::Action::remove)
        return node.roster().find(change.seat) == nullptr;
    if (change.action == RosterOperation::Action::set)
        return value_of(node.roster().parameters(), change.parameter.parameter) ==
               change.parameter.value;
    return node.roster().find(change.key) != nullptr;
}

bool RosterAsks::is_in_force(const RosterOperation& change) const {
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node) {
        const Node* inside = cluster_.node(NodeIndex{node});
        if (!unreliable_[node] && inside != nullptr && is_in_force(change, *inside)) return true;
    }
    return false;
}

/// Until it is in force: in the epoch after the next, if at all.
void RosterAsks::ask() {
    if (is_stopped_) return;
    const RosterOperation wanted = change();
    if (is_in_force(wanted)) return next();
    has_asked_ = true;
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node) {
        const Node* inside = cluster_.node(NodeIndex{node});
        if (unreliable_[node] || inside == nullptr || !inside->seat() || !asks(node)) continue;
        static_cast<void>(cluster_.submit(NodeIndex{node}, Submit{wanted, Reading::final, patience})
        );
    }
    cluster_.at(cluster_.now() + asked_every, [this] { ask(); });
}

void RosterAsks::next() {
    const Fault& done = waiting_.front();
    if (done.kind == FaultKind::reseat) ++next_spare_;
    // What was so before anybody asked was no change.
    if (done.kind == FaultKind::parameter && has_asked_) ++changed_.at(done.more);
    has_asked_ = false;
    waiting_.pop_front();
    if (!waiting_.empty()) ask();
}

}  // namespace creto
