// Admission: what is worth a signature check, and which signatures must hold.
//
// Why      A check costs 57 us; a flood of what cannot change anything must cost nothing.
// (rule A1)
#include <algorithm>

#include "model/light.hpp"
#include "order/core.hpp"

namespace creto {

namespace {

/// Form rules of a vote that no roster is needed for: an ill-formed one was signed by no correct
/// seat.
bool sane(const VoteContent& content, const Roster& roster) {
    if (content.epoch != roster.epoch() || content.view == View{}) return false;
    const bool names_block = !content.block.value().is_zero();
    if (content.kind == VoteKind::nullify) return !names_block && content.parent_view == View{};
    if (content.kind == VoteKind::bury)
        return !names_block && can_be_buried(content.parent_view, content.view);
    return names_block && content.parent_view < content.view;
}

CheckItem item(
    const Roster& roster,
    const Member& member,
    const VoteContent& content,
    const Signature& signature
) {
    CheckItem made{member.key, signed_vote(roster.chain(), content), signature};
    if (roster.vote_form() == VoteForm::joined) {
        // A vote that can be joined is checked as what it is: a sum of one.
        JoinedSigners alone{roster.keys(), Bytes((roster.size() + 7) / 8)};
        const std::uint32_t place = *roster.index_of(member.seat);
        alone.signers[place / 8] = static_cast<std::uint8_t>(1U << (place % 8));
        made.joined = std::make_shared<const JoinedSigners>(std::move(alone));
    }
    return made;
}

using Items = std::optional<std::vector<CheckItem>>;

Items items_of(const Vote& vote, const Roster& roster) {
    const Member* member = roster.find(vote.seat);
    if (member == nullptr || !sane(vote.content, roster)) return std::nullopt;
    std::vector<CheckItem> items;
    items.push_back(item(roster, *member, vote.content, vote.signature));
    return items;
}

Items items_of(const Proposal& proposal, const Roster& roster) {
    if (!well_formed(proposal.block) || proposal.block.epoch != roster.epoch() ||
        proposal.block.proposer != leader_of(roster, proposal.block.view)) {
        return std::nullopt;
    }
    return items_of(proposal.leader_vote(), roster);
}

Items items_of(const Certificate& certificate, const Roster& roster) {
    if (!sane(certificate.content, roster)) return std::nullopt;
    auto items = signatures_of(certificate, roster);
    if (!items) return std::nullopt;
    return std::move(*items);
}

Items items_of(const PartialCertificate& partial, const Roster& roster) {
    if (!sane(partial.votes.content, roster)) return std::nullopt;
    auto items = signatures_of(partial, roster);
    if (!items) return std::nullopt;
    return std::move(*items);
}

/// Links first, they are cheap: a chain that is not one never reaches the signature check.
/// (rule L11)
Items items_of(const ChainAnswer& answer, const Roster& roster) {
    const auto last = check_links(answer.blocks, roster.epochs());
    if (!last) return std::nullopt;
    // Without a finalisation the last has to be the anchor that we asked for: nothing is signed.
    if (!answer.finalization) return std::vector<CheckItem>{};
    if (answer.finalization->content != answer.blocks.back().content(VoteKind::finalize))
        return std::nullopt;
    return items_of(*answer.finalization, roster);
}

}  // namespace

std::optional<std::vector<CheckItem>> check_items(const Message& message, const Roster& roster) {
    if (const auto* vote = std::get_if<Vote>(&message)) return items_of(*vote, roster);
    if (const auto* proposal = std::get_if<Proposal>(&message)) return items_of(*proposal, roster);
    if (const auto* certificate = std::get_if<Certificate>(&message))
        return items_of(*certificate, roster);
    if (const auto* partial = std::get_if<PartialCertificate>(&message))
        return items_of(*partial, roster);
    if (const auto* answer = std::get_if<ChainAnswer>(&message)) return items_of(*answer, roster);
    return std::vector<CheckItem>{};
}

std::optional<std::vector<CheckItem>> check_items(
    const OfferedCheckpoint& offered, const Roster& roster
) {
    const std::vector<Block>& blocks = offered.proof.blocks;
    const bool begins = !blocks.empty() && blocks.front() == offered.checkpoint.block;
    const bool named = std::any_of(blocks.begin(), blocks.end(), [&](const Block& block) {
        return block.executed == offered.checkpoint.mark;
    });
    const bool apart = offered.checkpoint.height().value() % roster.checkpoint_blocks() == 0;
    if (!begins || !named || !apart || !offered.proof.finalization) return std::nullopt;
    return items_of(offered.proof, roster);
}

bool OrderingCore::worth_checking(const Message& message) const {
    if (const auto* vote = std::get_if<Vote>(&message)) return worth(*vote);
    if (const auto* proposal = std::get_if<Proposal>(&message)) return worth(*proposal);
    if (const auto* certificate = std::get_if<Certificate>(&message)) return worth(*certificate);
    if (const auto* partial = std::get_if<PartialCertificate>(&message)) return worth(*partial);
    if (const auto* answer = std::get_if<ChainAnswer>(&message)) return worth(*answer);
    return true;
}

bool OrderingCore::in_window(View view) const {
    return view > views_.final().view && view.value() + limits::view_retention > current_.value() &&
           view.value() <= current_.value() + limits::view_window;
}

bool OrderingCore::worth(const Vote& vote) const {
    const VoteContent& content = vote.content;
    if (content.epoch != epoch_ || ended()) return false;
    const auto member = roster_.index_of(vote.seat);
    if (!member) return true;  // check_items() refuses it, and the peer with it.
    if (!in_window(content.view)) return collects_late(vote);
    if (content.kind == VoteKind::bury)
        return !views_.buried(content.parent_view, content.view) && !burials_.holds(vote);
    if (member == self_) return voter_ && !voter_->knows(content);
    if (const VoteContent* held = tally_.content(content.view, content.kind, *member))
        return *held != content && !tally_.accused(content.view, *member);
    // Enough said about this: one more signature changes nothing.
    return views_.find(content.view, content.kind) == nullptr || collects_late(vote);
}

bool OrderingCore::worth(const Proposal& proposal) const {
    const View view = proposal.block.view;
    if (proposal.block.epoch != epoch_ || ended()) return false;
    const auto first = in_window(view) ? views_.proposal(view) : std::nullopt;
    if (in_window(view) && !first) return true;
    const BlockId id = proposal.block.id();
    if (repair_.wants(id)) return true;
    if (!first) return false;
    if (*first == id) return tree_.find(id) == nullptr;
    // A second one: as evidence, once; or because the quorum saw that one first.
    const Certificate* notarization = views_.find(view, VoteKind::notarize);
    const bool notarized = notarization != nullptr && notarization->content.block == id;
    return !views_.equivocated(view) || (notarized && tree_.find(id) == nullptr);
}

bool OrderingCore::worth(const PartialCertificate& partial) const {
    const VoteContent& content = partial.votes.content;
    if (content.epoch != epoch_ || ended()) return false;
    const bool counts = in_window(content.view) &&
                        views_.find(content.view, content.kind) == nullptr && tally_.lacks(partial);
    const bool near = content.view.value() <= current_.value() + limits::view_window;
    return counts || (near && roots_.lacks(partial));
}

// (rule A2) Certificates prove themselves, at any view above the final one.
bool OrderingCore::worth(const Certificate& certificate) const {
    const VoteContent& content = certificate.content;
    if (content.epoch != epoch_ || ended()) return false;
    if (content.kind == VoteKind::bury)
        return content.view > views_.final().view &&
               !views_.buried(content.parent_view, content.view);
    return content.view > views_.final().view && views_.find(content.view, content.kind) == nullptr;
}

bool OrderingCore::worth(const ChainAnswer& answer) const {
    if (!behind() || agreement_lost_ || answer.blocks.empty()) return false;
    if (ended() || answer.blocks.front().epoch != epoch_ || answer.blocks.back().epoch != epoch_)
        return false;
    const Height first = answer.blocks.front().height;
    const Height last = answer.blocks.back().height;
    if (!answer.finalization) return stretch_ && last.next() == stretch_->lowest();
    const bool adjacent = first <= chain_.height().next() && last > chain_.height();
    return adjacent || is_stretch_end(first, last);
}

}  // namespace creto
