#include "order/light.hpp"

namespace creto::simplex {

namespace {

tl::unexpected<Error> broken(Height height, const std::string& what) {
    return fail(
        ErrorCode::invalid, "the block at height " + std::to_string(height.value()) + " " + what
    );
}

}  // namespace

Result<BlockId> check_links(std::span<const Block> blocks) {
    if (blocks.empty()) return fail(ErrorCode::invalid, "the range holds no block");
    BlockId last;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const Block& block = blocks[i];
        if (auto form = well_formed(block); !form) return broken(block.height, "is malformed");
        if (block.epoch != Epoch{1}) return broken(block.height, "is of another epoch");
        if (i > 0 && (block.parent != last || block.height != blocks[i - 1].height.next() ||
                      block.parent_view != blocks[i - 1].view)) {
            return broken(block.height, "does not continue the one before");
        }
        last = block.id();
    }
    return last;
}

Result<std::vector<CheckItem>> signatures_of(const Certificate& certificate, const Roster& roster) {
    if (auto form = well_formed(certificate, roster); !form)
        return tl::unexpected<Error>(form.error());
    if (certificate.content.epoch != Epoch{1})
        return fail(ErrorCode::invalid, "certificate: it is of another epoch");
    std::vector<CheckItem> items;
    items.reserve(certificate.signatures.size());
    const Bytes bytes = signed_vote(roster.chain(), certificate.content);
    auto signature = certificate.signatures.begin();
    for (std::uint32_t i = 0; i < roster.size(); ++i) {
        if (!certificate.signed_by(i)) continue;
        items.push_back({roster.members()[i].key, bytes, *signature++});
    }
    return items;
}

Result<void> verify_range(
    std::span<const Block> blocks,
    const Certificate& finalization,
    const Roster& roster,
    const SignatureScheme& scheme,
    const std::optional<BlockId>& after
) {
    const auto last = check_links(blocks);
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

}  // namespace creto::simplex
