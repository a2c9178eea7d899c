#include "model/world.hpp"

#include <algorithm>
#include <bit>

namespace creto::model_check {

using simplex::BranchTip;

const char* to_string(Change change) {
    switch (change) {
        case Change::none:
            return "none";
        case Change::added:
            return "added";
        case Change::left:
            return "left";
        case Change::replaced:
            return "replaced";
        case Change::dormant:
            return "dormant";
    }
    return "";
}

World::World(const WorldOptions& of)
    : seats{of.seats, of.mode, of.change == Change::added || of.change == Change::replaced ? 1U : 0U, 0, of.term_views, limits::checkpoint_blocks, of.epoch_blocks},
      options_{of} {
    lanes.per_lane_max = 1;
    lanes.held[LaneId{seats.seat(0), {}}] = Sequence{1'000'000};
    // One patience for all views: how long a seat waits is not what is searched here.
    options.delta = Duration::from_ms(100);
    options.delta_max = options.delta;
    options.heartbeat = Duration::from_s(1'000'000);
    options.skip_views = 1'000;
    // Nor who is reported absent.
    if (has_epochs()) options.turnout_after = Duration::from_s(1'000'000);
    known_.push_back(std::make_unique<Rosters>(seats.genesis));
    for (std::uint64_t e = 3; has_epochs() && e <= epochs_known; ++e) {
        known_.push_back(std::make_unique<Rosters>(*known_.back()));
        known_.back()->add(Epoch{e}, seating());
    }
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

/// Of epoch 3 and all later ones.
Seating World::seating() const {
    Seating made;
    for (Index i = 0; i < people(); ++i) {
        made.known.push_back(seats.member(i));
        if ((members(Epoch{3}) >> i & 1U) != 0) made.members.push_back(seats.member(i));
    }
    made.dormant = options_.change == Change::dormant ? 1 : 0;
    return made;
}

const Rosters* World::rosters(Epoch highest) const {
    if (!has_epochs()) return nullptr;
    const std::size_t after = highest.value() > 2 ? highest.value() - 2 : 0;
    return known_[std::min(after, known_.size() - 1)].get();
}

Index World::people() const {
    const bool comes = options_.change == Change::added || options_.change == Change::replaced;
    return options_.seats + (comes ? 1 : 0);
}

Index World::person(Seat seat) const {
    Index at = 0;
    while (seats.seat(at) != seat)
        ++at;
    return at;
}

std::uint32_t World::members(Epoch epoch) const {
    const std::uint32_t first = (1U << options_.seats) - 1;
    if (epoch.value() < 3) return first;
    switch (options_.change) {
        case Change::none:
            return first;
        case Change::added:
            return first | 1U << options_.seats;
        case Change::left:
        case Change::dormant:
            return first & ~(1U << options_.who);
        case Change::replaced:
            return (first & ~(1U << options_.who)) | 1U << options_.seats;
    }
    return 0;
}

std::uint32_t World::quorum(Epoch epoch) const {
    const auto voting = static_cast<std::uint32_t>(std::popcount(members(epoch)));
    if (options_.mode == QuorumMode::crash) return voting / 2 + 1;
    const bool sleeps = options_.change == Change::dormant && epoch.value() >= 3;
    const std::uint32_t may_lie = (voting + (sleeps ? 1 : 0) - 1) / 3;
    // Two of them share more than may lie, and no third of those that vote can stop one.
    std::uint32_t quorum = 2 * voting / 3 + 1;
    while (2 * quorum < voting + may_lie + 1)
        ++quorum;
    return quorum;
}

Index World::leader(Epoch epoch, View view) const {
    const std::uint32_t voting = members(epoch);
    const std::uint64_t turn = (view.value() - 1) / options_.term_views + epoch.value() - 1;
    std::uint64_t left = turn % static_cast<std::uint64_t>(std::popcount(voting));
    Index at = 0;
    while ((voting >> at & 1U) == 0 || left-- > 0)
        ++at;
    return at;
}

Epoch World::epoch_at(Height height) const {
    if (!has_epochs() || height == Height{}) return Epoch{1};
    return Epoch{(height.value() + options_.epoch_blocks - 1) / options_.epoch_blocks};
}

bool World::ends_epoch(Height height) const {
    return has_epochs() && height.value() > 0 && height.value() % options_.epoch_blocks == 0;
}

bool World::is_boundary(std::uint32_t block) const {
    if (block == 0) return true;
    const Block& known = blocks_[block].proposal.block;
    return blocks_[block].tip.cut != nullptr && ends_epoch(known.height) && !known.echo_of;
}

std::string World::flaw(const Block& block) const {
    if (!has_epochs()) return {};
    const auto parent = block_numbers_.find(block.parent);
    const bool ends = ends_epoch(block.height);
    if (block.epoch != epoch_at(block.height)) return "its height belongs to another epoch";
    if (block.next_roster.has_value() != ends)
        return "it names a roster, or none, in the wrong place";
    // [ORD-L12.3]
    if (ends && *block.next_roster != roster(block.epoch.next()).digest())
        return "it names another roster than the agreed state";
    if (parent == block_numbers_.end()) return "its parent is unknown";
    const Block& below = blocks_[parent->second].proposal.block;
    const bool has_parent = parent->second != 0;
    // [ORD-L12.4]
    const bool must_repeat = has_parent && ends_epoch(below.height) && below.epoch == block.epoch;
    if (must_repeat != block.echo_of.has_value())
        return "it is an echo, or none, in the wrong place";
    if (!must_repeat) return {};
    if (*block.echo_of != below.echo_of.value_or(block.parent)) return "it repeats another block";
    if (!block.delta.empty() || block.height != below.height || block.cut_root != below.cut_root)
        return "an echo that is a block of its own";
    return {};
}

BranchTip World::tip_for(std::uint32_t parent, Epoch epoch) const {
    BranchTip tip = blocks_[parent].tip;
    const bool is_over = tip.cut != nullptr && tip.boundary && blocks_[parent].epoch() < epoch;
    if (is_over) {  // [ORD-L12.1]
        tip.view = View{};
        tip.boundary.reset();
    }
    return tip;
}

std::uint32_t World::number(const Proposal& proposal, bool forged) {
    const BlockId id = proposal.block.id();
    if (const auto known = block_numbers_.find(id); known != block_numbers_.end())
        return known->second;
    KnownBlock added{proposal, id, {}, 0, forged};
    const auto parent = block_numbers_.find(proposal.block.parent);
    CRETO_ASSERT(parent != block_numbers_.end());
    added.parent = parent->second;
    const BranchTip below = tip_for(parent->second, proposal.block.epoch);
    if (below.cut) {
        const std::uint32_t apart = roster().checkpoint_blocks();
        auto tip = simplex::follow(below, proposal.block, id, apart, roster().epochs());
        if (tip) added.tip = std::move(*tip);
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

std::optional<std::uint32_t> World::forge(
    Index liar, Epoch epoch, View view, std::uint32_t parent, Forgery forgery
) {
    const BranchTip tip = tip_for(parent, epoch);
    CRETO_ASSERT(tip.cut != nullptr);
    const bool is_over = tip.boundary.has_value();
    const bool repeats = is_over && forgery != Forgery::beyond_the_end;
    const Height height = repeats ? tip.height : tip.height.next();
    const bool ends = ends_epoch(height);
    const bool of_the_end = forgery == Forgery::other_roster || forgery == Forgery::no_roster;
    const bool of_an_echo = forgery == Forgery::covering_echo || forgery == Forgery::beyond_the_end;
    if (of_an_echo != (is_over && forgery != Forgery::empty)) return std::nullopt;
    if (of_the_end && !ends) return std::nullopt;
    Block block{
        .epoch = epoch,
        .view = view,
        .parent_view = tip.view,
        .height = height,
        .parent = tip.id,
        .proposer = seats.seat(liar),
        .delta = {},
        .cut_root = {},
        .executed = tip.executed};
    if (forgery != Forgery::empty) block.delta = lanes.build(*tip.cut, tip.executed.height);
    Cut cut = *tip.cut;
    creto::apply(cut, block.delta);
    block.cut_root = cut.root();
    if (repeats) block.echo_of = tip.boundary;
    if (ends && forgery != Forgery::no_roster) block.next_roster = roster(epoch.next()).digest();
    if (forgery == Forgery::other_roster) block.next_roster = blake3(as_bytes("nobody"));
    const Vote vote = seats.vote(liar, block.content(VoteKind::notarize));
    return number(Proposal{block, vote.signature}, true);
}

std::vector<Vote> World::votes(std::uint32_t content, std::uint32_t mask) const {
    std::vector<Vote> votes;
    for (Index i = 0; i < people(); ++i) {
        if ((mask >> i & 1U) != 0) votes.push_back(seats.vote(i, contents_[content]));
    }
    return votes;
}

bool World::can_sign_together(std::uint32_t mask) const {
    return (mask & ~members(Epoch{1})) == 0 || (mask & ~members(Epoch{3})) == 0;
}

Certificate World::certificate(std::uint32_t content, std::uint32_t mask) const {
    Epoch places = contents_[content].epoch;
    if ((mask & ~members(places)) != 0) places = Epoch{places.value() < 3 ? 3U : 1U};
    return make_certificate(votes(content, mask), roster(places));
}

ChainAnswer World::chain(std::uint32_t content, std::uint32_t mask) const {
    ChainAnswer answer;
    std::uint32_t at = number_of(contents_[content].block);
    const Epoch epoch = blocks_[at].epoch();
    answer.blocks.push_back(blocks_[at].proposal.block);
    while (blocks_[at].parent != 0 && blocks_[blocks_[at].parent].epoch() == epoch) {
        at = blocks_[at].parent;
        // Only the echo that was finalised matters, and what all of them repeat.
        if (!blocks_[at].proposal.block.echo_of)
            answer.blocks.push_back(blocks_[at].proposal.block);
    }
    std::reverse(answer.blocks.begin(), answer.blocks.end());
    answer.finalization = certificate(content, mask);
    return answer;
}

std::string World::block_text(std::uint32_t block) const {
    if (block == 0) return "genesis";
    const KnownBlock& known = blocks_[block];
    const std::string epoch =
        has_epochs() ? "epoch " + std::to_string(known.epoch().value()) + " " : "";
    const bool repeats = known.proposal.block.echo_of.has_value();
    return (known.forged ? "forged " : "") + std::string{repeats ? "echo " : "block "} +
           std::to_string(block) + " (" + epoch + "view " + std::to_string(known.view().value()) +
           " on " + std::to_string(known.parent) + ")";
}

std::string World::text(std::uint32_t content) const {
    const VoteContent& c = contents_[content];
    std::string text = std::string{to_string(c.kind)} + " " + std::to_string(c.view.value());
    if (has_epochs()) text += " in epoch " + std::to_string(c.epoch.value());
    if (c.kind == VoteKind::nullify) return text;
    const auto known = block_numbers_.find(c.block);
    return text + " of " +
           (known == block_numbers_.end() ? "an unknown block" : block_text(known->second));
}

}  // namespace creto::model_check
