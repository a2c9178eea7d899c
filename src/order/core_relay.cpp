// Handing on: certificates and proposals, from those who made them to the own group. (rule V1)
//
// A check of joined votes takes longer than a link, so what comes over its maker's own link is handed on
// before it is checked here; and nobody is blamed for a signature that somebody else made.
#include <algorithm>

#include "order/core.hpp"

namespace creto {

namespace {

VoteContent content_of(const Message& message) {
    if (const auto* proposal = std::get_if<Proposal>(&message))
        return proposal->leader_vote().content;
    return std::get<Certificate>(message).content;
}

constexpr std::uint64_t views_near = 8;
constexpr std::size_t handed_max = 64;
constexpr std::size_t forgiven_max = 1'024;

/// The very same, not another one with the same content.
template <class Said>
bool is(const Message& handed, const Said& said) {
    const Said* same = std::get_if<Said>(&handed);
    return same != nullptr && *same == said;
}

bool is_handed_on(const Message& message) {
    return std::holds_alternative<Proposal>(message) ||
           std::holds_alternative<Certificate>(message);
}

}  // namespace

/// The member who is this agent, unless it is of the own group, where all have it from its maker.
std::optional<std::uint32_t> OrderingCore::elsewhere(const AgentId& agent) const {
    const Member* member = roster_.find(agent);
    if (member == nullptr) return std::nullopt;
    const std::uint32_t place = *roster_.index_of(member->seat);
    if (paths_.group_of(place) == own_group()) return std::nullopt;
    return place;
}

bool OrderingCore::is_near(View view) const {
    return view.value() + views_near > current_.value() &&
           view.value() < current_.value() + views_near;
}

OrderingCore::Handed OrderingCore::handed_as(const VoteContent& content, bool is_proposal) {
    if (is_proposal) return {content.view, std::nullopt};
    return {content.view, content.kind};
}

/// Leads the view, where it is a proposal; else makes certificates of such votes.
bool OrderingCore::makes(std::uint32_t member, const VoteContent& content, bool is_proposal) const {
    if (is_proposal) return roster_.members()[member].seat == leader(content.view);
    const auto roots = paths_.roots(content, 0);
    return std::find(roots.begin(), roots.end(), member) != roots.end();
}

bool OrderingCore::collects(std::uint32_t member, const VoteContent& content) const {
    const auto chosen = paths_.collectors(content, own_group(), collectors_many);
    return std::find(chosen.begin(), chosen.end(), member) != chosen.end();
}

/// One of each view and kind from its maker, before it is checked. [ORD-V1.6]
void OrderingCore::hand_on(
    const AgentId& from, const std::shared_ptr<const Message>& message, Effects& effects
) {
    if (!self_ || paths_.direct() || !is_handed_on(*message)) return;
    const VoteContent content = content_of(*message);
    if (content.kind == VoteKind::bury || !in_window(content.view) || !is_near(content.view))
        return;
    const bool is_fresh = end_of(content).next() >= current_;
    const bool is_proposal = std::holds_alternative<Proposal>(*message);
    const auto maker = elsewhere(from);
    if (!is_fresh || !maker || !makes(*maker, content, is_proposal)) return;
    // Only where the others expect it of this seat: anything else they would hold against it.
    if (!collects(*self_, content)) return;
    // Whoever makes certificates itself answers for what it sends of them.
    if (is_proposal ? views_.proposal(content.view).has_value() : makes(*self_, content, false))
        return;
    const Handed what = handed_as(content, is_proposal);
    if (!handed_.try_emplace(what, message).second) return;
    if (handed_.size() > handed_max) handed_.erase(handed_.begin());
    effects.send_all(keys_of(paths_.group(own_group())), *message);
}

/// A wrong signature in it is not held against who sent it, wherever its view stands here by now. Once for
/// each view, kind and sender: whoever may hand on does it once.
bool OrderingCore::forgives(const AgentId& from, const Message& message) {
    if (!self_ || paths_.direct() || !is_handed_on(message)) return false;
    const VoteContent content = content_of(message);
    if (content.epoch < epoch_) return true;  // Its groups are no more: nobody can tell.
    const bool in_reach = content.view.value() + limits::view_retention > current_.value() &&
                          content.view.value() <= current_.value() + limits::view_window;
    const Member* sender = roster_.find(from);
    if (content.kind == VoteKind::bury || !in_reach || sender == nullptr) return false;
    const std::uint32_t member = *roster_.index_of(sender->seat);
    const bool is_proposal = std::holds_alternative<Proposal>(message);
    if (makes(member, content, is_proposal) || !collects(member, content)) return false;
    if (forgiven_.size() >= forgiven_max) forgiven_.erase(forgiven_.begin());
    return forgiven_.emplace(handed_as(content, is_proposal), member).second;
}

void OrderingCore::forget_handed(View through) {
    handed_.erase(handed_.begin(), handed_.lower_bound({through.next(), std::nullopt}));
    while (!forgiven_.empty() && forgiven_.begin()->first.first <= through)
        forgiven_.erase(forgiven_.begin());
}

/// A certificate that was made here goes to some of each group, and one that came from its maker to the
/// rest of the own. [ORD-V1.6]
void OrderingCore::relay(
    const Certificate& certificate, const std::optional<AgentId>& from, Effects& effects
) {
    if (!self_) return;
    const VoteContent& content = certificate.content;
    if (!from) {
        effects.send_all(own_group_and_relays(content), certificate);
        return;
    }
    const auto handed = handed_.find({content.view, content.kind});
    if (!elsewhere(*from) || (handed != handed_.end() && is(*handed->second, certificate))) return;
    effects.send_all(keys_of(paths_.group(own_group())), certificate);
}

/// The first proposal of a view, from its leader, to the rest of the own group.
void OrderingCore::relay(const AgentId& from, const Proposal& proposal, Effects& effects) {
    if (!self_ || paths_.direct()) return;
    const auto maker = elsewhere(from);
    if (!maker || roster_.members()[*maker].seat != proposal.block.proposer) return;
    const auto handed = handed_.find({proposal.block.view, std::nullopt});
    if (handed != handed_.end() && is(*handed->second, proposal)) return;
    effects.send_all(keys_of(paths_.group(own_group())), proposal);
}

}  // namespace creto
