// Restart: the chain, certificates, pending blocks and own votes, read back from storage.
//
// Why      A restarted node repeats what it said and decides nothing anew: its flags come from the
//          vote log alone, and what it may do next from certificates. (rule R1)
#include <algorithm>

#include "order/core.hpp"

namespace creto {

using simplex::BranchTip;
using simplex::Head;
using simplex::StoredBlock;

namespace {

Error corrupt(ByteView key, const std::string& what) {
    return {
        ErrorCode::corrupt,
        "store, blocks and certificates, key " + to_hex(key) + ": " + what +
            "; restore the data folder from a backup, or start this node with an empty store and "
            "its vote log"};
}

/// Visits every value under a one-byte prefix, from a key on.
Result<void> each(
    const StoreView& store,
    Column column,
    std::uint8_t prefix,
    const std::function<std::optional<Error>(ByteView key, ByteView value)>& visit,
    const std::optional<Bytes>& first = std::nullopt
) {
    const Bytes from = first.value_or(Bytes{prefix});
    const Bytes to{static_cast<std::uint8_t>(prefix + 1)};
    std::optional<Error> failed;
    auto scanned = store.scan(column, from, to, [&](ByteView key, ByteView value) {
        failed = visit(key, value);
        return !failed;
    });
    if (!scanned) return scanned;
    if (failed) return tl::unexpected<Error>(*failed);
    return {};
}

/// The block with what made it final, as far as the store still has that.
StoredBlock stored_anchor(const StoreView& store, const Anchor& anchor) {
    const Bytes key = simplex::final_block_key(anchor.block.height);
    if (auto bytes = store.get(Column::blocks, key); bytes && *bytes) {
        auto stored = decode_exact<StoredBlock>(**bytes);
        if (stored && stored->block == anchor.block) return std::move(*stored);
    }
    return {anchor.block, std::nullopt, anchor.block.height};
}

}  // namespace

simplex::BranchTip simplex::tip_at(const Anchor& anchor) {
    const Block& block = anchor.block;
    return {
        .view = block.view,
        .height = block.height,
        .id = block.id(),
        .cut = anchor.cut,
        .executed = block.executed,
        // Not known of an empty one: taken to be as high as it can be, which costs one empty block.
        .last_full = block.delta.empty() ? block.height.prev() : block.height};
}

Result<void> OrderingCore::restore_rest(const StoreView& store, const VoteLogContents& votes) {
    CRETO_ASSERT(!started_);
    if (tree_.root().view != View{}) {
        std::optional<Certificate> proof;
        const auto* last = chain_.recent(chain_.height());
        if (last != nullptr && !last->stored.echo) proof = last->stored.finalization;
        views_.restart_from({tree_.root().view, tree_.root().id}, std::move(proof));
    }
    std::vector<Certificate> certificates;
    auto read = each(
        store,
        Column::certificates,
        simplex::certificate_prefix,
        [&](ByteView key, ByteView value) -> std::optional<Error> {
            auto certificate = decode_exact<Certificate>(value);
            if (!certificate) return corrupt(key, to_string(certificate.error()));
            const VoteContent& content = certificate->content;
            if (content.epoch != epoch_) {
                writes_.push_back(
                    simplex::erase_certificate(content.epoch, content.view, content.kind)
                );
                return std::nullopt;
            }
            if (auto form = well_formed(*certificate, roster_); !form)
                return corrupt(key, form.error().message);
            certificates.push_back(std::move(*certificate));
            return std::nullopt;
        }
    );
    if (!read) return read;
    restore_certificates(certificates);
    if (auto pending = restore_pending(store); !pending) return pending;
    restore_votes(votes, certificates);
    current_ = std::max(views_.certified(), views_.final().view).next();
    if (current_.value() > limits::view_retention)
        forget_below(View{current_.value() - limits::view_retention}, Instant::from_ns(0));
    return {};
}

/// Gives away what was read so far. No later header names a height below these marks.
Result<void> OrderingCore::hand_over(const RestoredBlocks& take) {
    if (!take) return {};
    for (auto blocks = chain_.take(); !blocks.empty(); blocks = chain_.take()) {
        const Height executed = blocks.back().block.executed.height;
        if (auto taken = take(std::move(blocks)); !taken) return taken;
        marks_.forget_below(executed);
    }
    return {};
}

Result<void> OrderingCore::restore_chain(
    const StoreView& store, const RestoredBlocks& take, const std::optional<Anchor>& anchor
) {
    CRETO_ASSERT(!started_ && chain_.height() == Height{});
    const Epochs& epochs = roster_.epochs();
    BranchTip tip = tree_.root();
    View parent_view;
    Cut cut;
    if (anchor) {  // [ORD-R7.1]
        tip = simplex::tip_at(*anchor);
        cut = *anchor->cut;
        chain_.jump({stored_anchor(store, *anchor), tip.id}, anchor->cut);
        static_cast<void>(marks_.restart_from(anchor->mark));
        if (epochs.is_boundary(tip.height)) tip.boundary = tip.id;
        parent_view = tip.boundary ? View{} : tip.view;
    }
    bool ended = false;
    const auto next = [&](ByteView key, ByteView value) -> std::optional<Error> {
        auto stored = decode_exact<StoredBlock>(value);
        if (!stored) return corrupt(key, to_string(stored.error()));
        const Block& block = stored->block;
        // Nothing was synced for the tail: what is missing there comes from the peers again.
        if (ended || !equal(key, simplex::final_block_key(tip.height.next()))) {
            ended = true;
            return std::nullopt;
        }
        if (block.height != tip.height.next() || block.parent != tip.id ||
            block.parent_view != parent_view || block.epoch != epochs.of(block.height)) {
            return corrupt(key, "the block does not continue the one before");
        }
        // Who votes in an epoch is known from executing what came before. [ORD-R8.1]
        if (epochs.have_end() && rosters_->of(block.epoch) == nullptr) {
            if (auto taken = hand_over(take); !taken) return taken.error();
            ended = rosters_->of(block.epoch) == nullptr;
            if (ended) return std::nullopt;
        }
        creto::apply(cut, block.delta);
        tip.view = block.view;
        tip.height = block.height;
        tip.id = block.id();
        tip.executed = block.executed;
        tip.boundary = epochs.is_boundary(tip.height) ? std::optional{tip.id} : std::nullopt;
        parent_view = tip.boundary ? View{} : tip.view;
        if (!block.delta.empty()) tip.last_full = block.height;
        if (cut.root() != block.cut_root) return corrupt(key, "the cut after it differs");
        chain_.restore({std::move(*stored), tip.id});
        if (take && chain_.untaken() >= limits::blocks_per_message_max) {
            if (auto taken = hand_over(take); !taken) return taken.error();
        }
        return std::nullopt;
    };
    const Bytes first = simplex::final_block_key(tip.height.next());
    if (auto read = each(store, Column::blocks, simplex::final_prefix, next, first); !read)
        return read;
    tip.cut = std::make_shared<const Cut>(std::move(cut));
    if (take) {
        if (auto taken = hand_over(take); !taken) return taken;
    }
    for (Height h = chain_.recent_from(); h <= chain_.height(); ++h) {
        const ExecutedMark& mark = chain_.recent(h)->stored.block.executed;
        if (!marks_.add_final(mark)) {  // [ORD-M3.1]
            halt(
                "the finalised block " + std::to_string(h.value()) +
                " names another state at height " + std::to_string(mark.height.value()) +
                " than executing the chain again gave"
            );
        }
    }
    tree_ = simplex::BlockTree{tip, roster_.checkpoint_blocks(), epochs};
    return {};
}

void OrderingCore::restore_certificates(const std::vector<Certificate>& certificates) {
    const Head final = views_.final();
    for (const Certificate& certificate : certificates) {
        const VoteContent& content = certificate.content;
        const bool proves_tip = content.kind == VoteKind::finalize && content.view == final.view &&
                                content.block == final.block;
        if (!proves_tip) continue;
        views_.restart_from(final, certificate);
        chain_.prove_tip(certificate);
    }
    for (const Certificate& certificate : certificates)
        static_cast<void>(views_.put(certificate));
    static_cast<void>(views_.take_dropped());
}

Result<void> OrderingCore::restore_pending(const StoreView& store) {
    const auto next = [&](ByteView key, ByteView value) -> std::optional<Error> {
        auto proposal = decode_exact<Proposal>(value);
        if (!proposal) return corrupt(key, to_string(proposal.error()));
        const BlockId id = proposal->block.id();
        const bool over = proposal->block.epoch != epoch_;
        if (!equal(key, simplex::pending_block_key(id)))
            return corrupt(key, "it holds another block");
        if (!over && tree_.insert(id, proposal->block, proposal->signature)) {
            // Stored for a vote: q such stores are what makes a notarized block survive.
            tree_.keep(id);
            tree_.mark_stored(id);
        } else {
            writes_.push_back(simplex::erase_pending(id));
        }
        return std::nullopt;
    };
    return each(store, Column::blocks, simplex::pending_prefix, next);
}

void OrderingCore::restore_votes(
    const VoteLogContents& votes, const std::vector<Certificate>& certificates
) {
    if (!voter_) {
        unread_ = votes;  // A later epoch may have a seat for us. [ORD-L12.5]
        return;
    }
    if (auto read = voter_->restore(votes.records); !read)
        return halt(read.error().message);  // [ORD-R4.1]
    // [ORD-R5.1] A seat that is alone: nobody could say how far it had come.
    if (!votes.intact && roster_.size() == 1)
        return halt("the vote log is damaged: " + votes.damage);
    if (!votes.intact) {
        log_.error(
            "the vote log is damaged or lost: " + votes.damage +
            "; this seat votes again above the views in which it may have voted"
        );
    }
    begin_asking(!votes.intact);
    voter_->forget_through(views_.final().view);
    for (const Vote& vote : voter_->durable(views_.final().view.next(), View{~0ULL})) {
        // What this seat voted for is the first proposal that it saw.
        if (vote.content.kind == VoteKind::notarize)
            views_.propose(vote.content.view, vote.content.block);
    }
    for (const Certificate& certificate : certificates) {
        if (certificate.content.kind != VoteKind::bury && certificate.signed_by(*self_))
            check_own(certificate.content);
    }
}

}  // namespace creto
