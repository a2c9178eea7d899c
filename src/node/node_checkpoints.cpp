#include <algorithm>

#include "node/node_impl.hpp"
#include "order/keys.hpp"

namespace creto {

namespace {

/// Blocks of the log that a restart reads back for whoever asks for the newest.
constexpr std::uint64_t recent_blocks_restored = 1'024;
/// Every seat is asked several times in this long for what has to be executed next.
constexpr Duration stuck_after = Duration::from_s(3);

}  // namespace

// --- restart ---

/// The state at the newest checkpoint, from which the chain is executed. None: from the genesis.
Result<std::optional<Anchor>> NodeImpl::restore_checkpoint(const StoreView& store) {
    auto restored = shelf_.restore(store, log_);
    if (!restored) return tl::unexpected<Error>(restored.error());
    if (!*restored) return std::optional<Anchor>{};
    RestoredCheckpoint& found = **restored;
    enter(found.checkpoint, std::move(found.state));
    next_counter_ = std::max(next_counter_, shelf_.own_counter());
    for (const auto& [lane, tip] : final_cut_) {
        if (is_own(lane)) own_stored_[lane] = tip;
    }
    if (auto blocks = restore_recent_blocks(store, found.checkpoint.height()); !blocks)
        return tl::unexpected<Error>(blocks.error());
    return std::optional{
        Anchor{found.checkpoint.block, std::make_shared<const Cut>(final_cut_), final_.mark()}};
}

Result<void> NodeImpl::restore_recent_blocks(const StoreView& store, Height last) {
    const std::uint64_t count = std::min(last.value(), recent_blocks_restored);
    for (Height height{last.value() - count + 1}; height <= last; ++height) {
        auto bytes = store.get(Column::blocks, simplex::final_block_key(height));
        if (!bytes) return tl::unexpected<Error>(bytes.error());
        if (!*bytes) continue;  // Dropped, or below where this node began.
        auto stored = decode_exact<simplex::StoredBlock>(**bytes);
        if (stored) recent_blocks_.push_back(std::move(stored->block));
    }
    return {};
}

/// From now on the state is the one at the checkpoint, and the graph begins with its cut.
void NodeImpl::enter(const Checkpoint& checkpoint, FinalState state) {
    final_ = std::move(state);
    final_cut_ = checkpoint.cut;
    final_tips_.clear();
    for (const VertexHeader& tip : checkpoint.tips)
        final_tips_.emplace(tip.lane, tip);
    const FinalState::Counts& counts = final_.counts();
    operations_final_ = counts.applied + counts.void_operations;
    prune_marks_.clear();
    finalized_bytes_ = 0;
    recent_blocks_.clear();
    const Epoch epoch = rosters_.epochs().after(checkpoint.height());
    if (rosters_.epochs().have_end()) decide_rosters(epoch, epoch.next());
    open_lanes();
    std::vector<VertexPtr> complete = dag_.adopt(final_cut_, checkpoint.tips);
    const ClosedLanes closed = cuts_.ended_for(final_cut_, checkpoint.height());
    if (!closed.empty()) {
        forks_known_ = true;
        for (VertexPtr& vertex : dag_.close(closed))
            complete.push_back(std::move(vertex));
    }
    causal_.set_overlay(dag_.overlay());
    completed(complete);
}

// --- making ---

void NodeImpl::note_tips(const FinalizedBlock& finalized) {
    for (const LaneRange& range : finalized.block.delta) {
        const VertexPtr tip = dag_.find(range.tip);
        CRETO_ASSERT(tip != nullptr);  // It was executed just now.
        final_tips_.insert_or_assign(range.lane, tip->header());
    }
}

void NodeImpl::keep_checkpoint(const FinalizedBlock& finalized, std::size_t bytes) {
    shelf_.executed(bytes);
    if (restoring_) return;
    const Height height = finalized.block.height;
    if (shelf_.is_due(height)) {
        const Bytes state = final_.snapshot();
        const bool fits = checkpoint_parts(state.size()) <= limits::checkpoint_parts_max;
        if (!fits) log_.warn("the state is too large for a checkpoint; a restart executes more");
        std::vector<VertexHeader> tips;
        for (const auto& [lane, tip] : final_cut_)
            tips.push_back(final_tips_.at(lane));
        if (fits) {
            ordering_.write_chain(effects_);
            shelf_.put(
                CheckpointShelf::describe(
                    finalized.block, final_cut_, std::move(tips), final_.mark(), state
                ),
                state,
                next_counter_,
                effects_
            );
            count(Count::checkpoints_made);
        }
    }
    if (pruner_.is_busy()) return;
    if (const Checkpoint* to = shelf_.horizon(height)) {
        shelf_.drop_below(to->height(), effects_);
        ordering_.keep_from(shelf_.kept_from());
        pruner_.begin(*to, effects_);
    }
}

// --- taking over ---

/// Others are ahead, and for a while nobody has brought what this node has to execute next. As long as
/// anybody does it goes on executing: one seat's offer must not cost it its history. [ORD-L11.4]
bool NodeImpl::needs_checkpoint() const {
    const bool is_behind = ordering_.behind() || !to_execute_.empty();
    return is_behind && now_ >= executed_at_ + stuck_after;
}

/// Only seats are asked for blocks, and only they are listened to here: other identities are free, and
/// each could cost a download.
void NodeImpl::on_offer(const AgentId& from, const Checked<const OfferedCheckpoint&>& offered) {
    if (voters().find(from) == nullptr || !needs_checkpoint()) return;
    fetch_.on_offer(from, offered, final_.height(), now_, effects_);
}

void NodeImpl::on_part(const AgentId& from, const CheckpointPart& part) {
    if (auto arrived = fetch_.on_part(from, part, now_, effects_)) adopt(std::move(*arrived));
}

/// The peers do not keep what this node would have to execute next: it takes over the agreed state.
void NodeImpl::adopt(CheckpointFetch::Arrived arrived) {
    const Checkpoint& checkpoint = arrived.offered.checkpoint;
    const Height height = checkpoint.height();
    if (height <= final_.height() || !needs_checkpoint()) return;  // It goes on without.
    auto state = FinalState::restore(arrived.state, checkpoint.mark, roster_);
    if (!state) {
        log_.warn("checkpoint from " + name_of(arrived.from) + ": " + state.error().message);
        fetch_.refuse(arrived.from);
        return;
    }
    if (!skip_to(checkpoint)) return;
    log_.info(
        "taking over the state at height " + std::to_string(height.value()) + " from " +
        name_of(arrived.from) + "; the blocks from " + std::to_string(final_.height().value() + 1) +
        " on are not executed here"
    );
    const Epoch known = seats().epoch();
    enter(checkpoint, std::move(*state));
    keep_offered_links(arrived.offered, known);
    next_counter_ = std::max(next_counter_, height.value() * counters_a_block);
    shelf_.put(checkpoint, arrived.state, next_counter_, effects_);
    shelf_.drop_below(height, effects_);
    if (!pruner_.is_busy()) pruner_.begin(checkpoint, effects_);
    count(Count::checkpoints_adopted);
    if (!watched_.empty()) effects_.publish(ChangesLost{1});  // How many, nobody here knows.
    effects_.publish(Adopted{
        height, checkpoint.block.id(), checkpoint.mark.order_digest, checkpoint.mark.state_root});
    if (ordering_.finalized_height() < height) {
        ordering_.adopt(
            {checkpoint.block, std::make_shared<const Cut>(checkpoint.cut), checkpoint.mark},
            {arrived.offered.proof, CheckPass::own()},
            arrived.from,
            now_,
            effects_
        );
    } else {
        ordering_.on_executed(checkpoint.mark, now_, effects_);
    }
    ordering_.keep_from(shelf_.kept_from());
    fetcher_.forget_below(final_cut_);
    if (producer_) producer_->on_finality(now_);
    follow_own_lane();
    if (const LaneTip* at = producer_ ? final_cut_.find(producer_->lane()) : nullptr) {
        if (const auto why = producer_->proven(*at)) lose_lane(*why);
    }
    settle_skipped();
}

/// Gives up executing what lies at and below the checkpoint. False: this node's chain has another
/// block there.
bool NodeImpl::skip_to(const Checkpoint& checkpoint) {
    for (auto more = ordering_.take_finalized(); !more.empty(); more = ordering_.take_finalized()) {
        for (FinalizedBlock& block : more)
            to_execute_.push_back(std::move(block));
    }
    const std::uint64_t skipped = checkpoint.height().value() - final_.height().value();
    if (to_execute_.size() >= skipped && to_execute_[skipped - 1].block != checkpoint.block) {
        log_.error(
            "the checkpoint at height " + std::to_string(checkpoint.height().value()) +
            " is of another chain: more seats lie than the quorum tolerates"
        );
        return false;
    }
    while (!to_execute_.empty() && to_execute_.front().block.height <= checkpoint.height())
        to_execute_.pop_front();
    return true;
}

/// What this node had submitted may have become final in the blocks that it did not execute.
void NodeImpl::settle_skipped() {
    for (auto at = submissions_.begin(); at != submissions_.end();) {
        const Submission& submission = at->second;
        const auto found = final_.operation(at->first);
        if (!found) {
            ++at;
            continue;
        }
        reply(
            submission.command,
            SubmitReply{at->first, found->height, found->applied, {}, {found->height, std::nullopt}}
        );
        if (submission.submitter) {
            effects_.send(
                *submission.submitter,
                OperationOutcome{at->first, OperationOutcome::State::final, found->height, {}}
            );
            --carried_;
        }
        submission_deadlines_.erase({submission.deadline, at->first});
        unawaited_.erase({submission.expiry, at->first});
        at = submissions_.erase(at);
    }
}

}  // namespace creto
