#include "model/light.hpp"

#include <iterator>

namespace creto {

namespace {

tl::unexpected<Error> broken(Height height, const std::string& what) {
    return fail(
        ErrorCode::invalid, "the block at height " + std::to_string(height.value()) + " " + what
    );
}

}  // namespace

Result<BlockId> check_links(std::span<const Block> blocks, const Epochs& epochs) {
    if (blocks.empty()) return fail(ErrorCode::invalid, "the range holds no block");
    BlockId last;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const Block& block = blocks[i];
        if (auto form = well_formed(block); !form) return broken(block.height, "is malformed");
        const bool ends = epochs.is_boundary(block.height);
        if (block.epoch != epochs.of(block.height) || block.next_roster.has_value() != ends)
            return broken(block.height, "is of another epoch");
        if (block.echo_of) {
            const bool repeats = i > 0 && i + 1 == blocks.size() && *block.echo_of == last &&
                                 block.height == blocks[i - 1].height;
            if (!repeats) return broken(block.height, "repeats another one than the one before");
            return block.id();
        }
        // An epoch counts its views from its boundary on. [ORD-L12.1]
        const auto view_of = [&](const Block& parent) {
            return epochs.is_boundary(parent.height) ? View{} : parent.view;
        };
        if (i > 0 && (block.parent != last || block.height != blocks[i - 1].height.next() ||
                      block.parent_view != view_of(blocks[i - 1]))) {
            return broken(block.height, "does not continue the one before");
        }
        last = block.id();
    }
    return last;
}

namespace {

Result<std::vector<CheckItem>> items_of(const Certificate& certificate, const Roster& roster) {
    if (certificate.content.epoch != roster.epoch())
        return fail(ErrorCode::invalid, "certificate: it is of another epoch");
    std::vector<CheckItem> items;
    items.reserve(certificate.signatures.size());
    Bytes bytes = signed_vote(roster.chain(), certificate.content);
    if (roster.vote_form() == VoteForm::joined) {
        auto signers = std::make_shared<const JoinedSigners>(JoinedSigners{
            roster.keys(), certificate.signers});
        items.push_back({{}, std::move(bytes), certificate.signatures.front(), std::move(signers)});
        return items;
    }
    auto signature = certificate.signatures.begin();
    for (std::uint32_t i = 0; i < roster.size(); ++i) {
        if (!certificate.signed_by(i)) continue;
        items.push_back({roster.members()[i].key, bytes, *signature++});
    }
    return items;
}

}  // namespace

Result<std::vector<CheckItem>> signatures_of(const Certificate& certificate, const Roster& roster) {
    if (auto form = well_formed(certificate, roster); !form)
        return tl::unexpected<Error>(form.error());
    return items_of(certificate, roster);
}

Result<std::vector<CheckItem>> signatures_of(
    const PartialCertificate& partial, const Roster& roster
) {
    if (auto form = well_formed(partial, roster); !form) return tl::unexpected<Error>(form.error());
    return items_of(partial.votes, roster);
}

Result<ProvenRoster> follow_links(
    const Roster& known, std::span<const RosterLink> links, Epoch epoch
) {
    ProvenRoster proven{known, {}};
    for (const RosterLink& link : links) {
        const Epoch ends = link.boundary.epoch;
        if (ends < proven.roster.epoch() || ends >= epoch) continue;
        const auto refuse = [&](const char* what) {
            return fail(
                ErrorCode::invalid,
                "the link at the end of epoch " + std::to_string(ends.value()) + " " + what
            );
        };
        const Roster voting = proven.roster.in_epoch(ends);
        std::vector<Block> blocks{link.boundary};
        if (link.echo) blocks.push_back(*link.echo);
        const bool last = voting.epochs().is_boundary(link.boundary.height);
        if (!last || link.boundary.echo_of || !check_links(blocks, voting.epochs()))
            return refuse("is no boundary");
        if (link.finalization.content != blocks.back().content(VoteKind::finalize))
            return refuse("is finalised by another certificate");
        auto items = signatures_of(link.finalization, voting);
        if (!items) return tl::unexpected<Error>(items.error());
        std::move(items->begin(), items->end(), std::back_inserter(proven.items));
        if (!validate(link.members, voting.mode(), link.dormant))
            return refuse("names no possible roster");
        if (link.parameters && !validate(*link.parameters))
            return refuse("names parameters that cannot be");
        proven.roster = Roster{
            voting,
            ends.next(),
            {.members = link.members,
             .known = link.members,
             .dormant = link.dormant,
             .parameters = link.parameters}};
        if (proven.roster.digest() != link.boundary.next_roster)
            return refuse("names another roster than it shows");
        // One form for each link: what is as in the genesis is not written.
        if (link.parameters != proven.roster.changed_parameters())
            return refuse("writes the parameters of the genesis");
    }
    proven.roster = proven.roster.in_epoch(epoch);
    return proven;
}

Result<void> verify_range(
    std::span<const Block> blocks,
    const Certificate& finalization,
    const Roster& roster,
    const SignatureScheme& scheme,
    const std::optional<BlockId>& after
) {
    const auto last = check_links(blocks, roster.epochs());
    if (!last) return tl::unexpected<Error>(last.error());
    const Block& first = blocks.front();
    const bool begins = first.height == Height{1};
    if (begins && first.parent != genesis_block_id(roster.chain()))
        return broken(first.height, "does not continue the genesis of this network");
    if (after && first.parent != *after)
        return broken(first.height, "does not continue the block that was known");
    // Not by id alone: the view and the parent's view are part of what the quorum signed.
    if (finalization.content != blocks.back().content(VoteKind::finalize))
        return broken(blocks.back().height, "is not the one that the certificate finalises");
    const auto items = signatures_of(finalization, roster);
    if (!items) return tl::unexpected<Error>(items.error());
    if (auto pass = CheckPass::verify(scheme, *items); !pass)
        return fail(ErrorCode::invalid, "a signature of the finalisation does not hold");
    return {};
}

}  // namespace creto
