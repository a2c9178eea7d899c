#include "model/world.hpp"

namespace creto::model_check {

using simplex::BranchTip;

World::World(Index n, std::uint32_t term_views)
    : seats{n, QuorumMode::byzantine, 0, 0, term_views}, term_views_{term_views} {
    lanes.per_lane_max = 1;
    lanes.held[LaneId{seats.seat(0), {}}] = Sequence{1'000'000};
    // One patience for all views: how long a seat waits is not what is searched here.
    options.delta = Duration::from_ms(100);
    options.delta_max = options.delta;
    options.heartbeat = Duration::from_s(1'000'000);
    options.skip_views = 1'000;
    KnownBlock genesis;
    genesis.id = genesis_block_id(roster().chain());
    genesis.tip = BranchTip{
        .view = View{},
        .height = Height{},
        .id = genesis.id,
        .cut = std::make_shared<const Cut>(),
        .executed = {},
        .last_full = Height{}};
    ids_.push_back(genesis.id);
    block_numbers_.emplace(genesis.id, 0);
    blocks_.push_back(std::move(genesis));
}

std::uint32_t World::number(const Proposal& proposal, bool forged) {
    const BlockId id = proposal.block.id();
    if (const auto known = block_numbers_.find(id); known != block_numbers_.end())
        return known->second;
    KnownBlock added{proposal, id, {}, 0, forged};
    const auto parent = block_numbers_.find(proposal.block.parent);
    CRETO_ASSERT(parent != block_numbers_.end());
    added.parent = parent->second;
    const KnownBlock& below = blocks_[parent->second];
    if (below.tip.cut) {
        if (auto tip = simplex::follow(below.tip, proposal.block, id)) added.tip = std::move(*tip);
    }
    const auto number = block_count();
    block_numbers_.emplace(id, number);
    ids_.push_back(id);
    blocks_.push_back(std::move(added));
    return number;
}

std::uint32_t World::number(const VoteContent& content) {
    const auto [at, added] = content_numbers_.emplace(content, content_count());
    if (added) contents_.push_back(content);
    return at->second;
}

std::uint32_t World::forge(Index liar, View view, std::uint32_t parent, bool covers) {
    const BranchTip& tip = blocks_[parent].tip;
    CRETO_ASSERT(tip.cut != nullptr);
    Block block{
        .epoch = Epoch{1},
        .view = view,
        .parent_view = tip.view,
        .height = tip.height.next(),
        .parent = tip.id,
        .proposer = seats.seat(liar),
        .delta = {},
        .cut_root = {},
        .executed = tip.executed};
    if (covers) block.delta = lanes.build(*tip.cut, tip.executed.height);
    Cut cut = *tip.cut;
    creto::apply(cut, block.delta);
    block.cut_root = cut.root();
    const Vote vote = seats.vote(liar, block.content(VoteKind::notarize));
    return number(Proposal{block, vote.signature}, true);
}

std::vector<Vote> World::votes(std::uint32_t content, std::uint32_t mask) const {
    std::vector<Vote> votes;
    for (Index i = 0; i < seats.roster.size(); ++i) {
        if ((mask >> i & 1U) != 0) votes.push_back(seats.vote(i, contents_[content]));
    }
    return votes;
}

std::string World::block_text(std::uint32_t block) const {
    if (block == 0) return "genesis";
    const KnownBlock& known = blocks_[block];
    return (known.forged ? "forged block " : "block ") + std::to_string(block) + " (view " +
           std::to_string(known.proposal.block.view.value()) + " on " +
           std::to_string(known.parent) + ")";
}

std::string World::text(std::uint32_t content) const {
    const VoteContent& c = contents_[content];
    std::string text = std::string{to_string(c.kind)} + " " + std::to_string(c.view.value());
    if (c.kind == VoteKind::nullify) return text;
    const auto known = block_numbers_.find(c.block);
    return text + " of " +
           (known == block_numbers_.end() ? "an unknown block" : block_text(known->second));
}

}  // namespace creto::model_check
