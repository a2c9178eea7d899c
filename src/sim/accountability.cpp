#include "sim/accountability.hpp"

#include <optional>

namespace creto {
namespace {

/// Two of one kind that differ, or a view both finalised and given up.
bool is_lie(const VoteContent& a, const VoteContent& b) {
    if (a.kind == b.kind) return a.block != b.block || a.parent_view != b.parent_view;
    return (a.kind == VoteKind::finalize && b.kind == VoteKind::nullify) ||
           (a.kind == VoteKind::nullify && b.kind == VoteKind::finalize);
}

}  // namespace

void Accountability::on_heard(
    NodeIndex node,
    std::uint32_t boot,
    const Message& message,
    const std::function<EpochView()>& view_of
) {
    if (const auto* vote = std::get_if<Vote>(&message)) on_vote(node, boot, *vote, view_of);
    if (const auto* proposal = std::get_if<Proposal>(&message))
        on_vote(node, boot, proposal->leader_vote(), view_of);
}

void Accountability::on_vote(
    NodeIndex node, std::uint32_t boot, const Vote& vote, const std::function<EpochView()>& view_of
) {
    const VoteContent& content = vote.content;
    if (content.kind == VoteKind::bury) return;  // A claim about many views, no vote about one.
    const auto contradicts = [&](const std::array<std::optional<VoteContent>, kinds>& said) {
        for (const auto& earlier : said)
            if (earlier && is_lie(*earlier, content)) return true;
        return false;
    };
    auto& told = told_[vote.seat];
    auto& told_here = told[{content.epoch, content.view}];
    const bool is_two_faced = contradicts(told_here);
    told_here[static_cast<std::size_t>(content.kind)] = content;
    if (told.size() > views_kept) told.erase(told.begin());
    if (is_two_faced) two_faced_.insert(vote.seat);

    Heard& heard = heard_[{node, vote.seat}];
    if (heard.boot != boot) heard = {boot, {}};
    auto& said = heard.by_view[{content.epoch, content.view}];
    const bool is_seen = contradicts(said);
    auto& kept = said[static_cast<std::size_t>(content.kind)];
    if (!kept) kept = content;
    if (heard.by_view.size() > views_kept) heard.by_view.erase(heard.by_view.begin());
    // Whoever is not further than this view still counts its votes; but not of views far ahead.
    if (!is_seen || noted_.contains({node, vote.seat})) return;
    constexpr std::uint64_t ahead_max = 32;
    const auto [epoch, at] = view_of();
    if (epoch != content.epoch || at > content.view ||
        content.view.value() > at.value() + ahead_max)
        return;
    noted_.insert({node, vote.seat});
    seen_.push_back({node, boot, vote.seat, content.view});
}

}  // namespace creto
