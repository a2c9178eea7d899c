#include <algorithm>

#include "node/node_impl.hpp"

namespace creto {

namespace {

/// Finalised vertices kept in memory for peers that are a little behind: up to so many blocks and
/// bytes, the newest blocks in any case. Whoever lags more is served from the store.
constexpr std::size_t blocks_in_memory = 256;
constexpr std::size_t finalized_bytes_in_memory = 16 * 1024 * 1024;
constexpr std::size_t newest_blocks = 4;
constexpr std::size_t recent_blocks_max = 1'024;
static_assert(blocks_in_memory < recent_blocks_max);
constexpr Duration dispute_timeout = Duration::from_s(10);
/// Of the operations that will never be final, so many are remembered for who asks.
constexpr std::size_t lapsed_max = 1'024;

}  // namespace

ClosedLanes DagCutSource::closed_for(const Cut& parent, Height executed, Epoch epoch) const {
    ClosedLanes closed = ended_for(parent, executed);
    if (final_.seats().changes_after(epoch)) {
        for (const auto& [seat, entry] : final_.seats().seats()) {
            if (epoch < entry.first) closed.emplace(LaneId{seat, Incarnation{}}, Sequence{});
        }
    }
    for (const auto& [seat, opened] : final_.lanes().resets()) {
        for (std::uint32_t i = 0; i < opened.size(); ++i) {
            if (opened[i].at > executed)
                closed.emplace(LaneId{seat, Incarnation{i + 1}}, Sequence{});  // [LANE-RESET.1]
        }
    }
    return closed;
}

ClosedLanes DagCutSource::ended_for(const Cut& parent, Height executed) const {
    ClosedLanes closed;
    for (const auto& [lane, since] : final_.court().closed_lanes()) {
        if (since > executed) continue;
        closed.emplace(lane, parent.tip(lane).sequence);
    }
    return closed;
}

DagCutSource::Check DagCutSource::check(
    const Cut& parent, const std::vector<LaneRange>& delta, Height executed
) {
    Dag::DeltaCheck found = dag_.check_delta(parent, delta, closed_for(parent, executed, epoch_));
    Check out;
    switch (found.verdict) {
        case Dag::DeltaCheck::Verdict::valid:
            out.verdict = Check::Verdict::valid;
            break;
        case Dag::DeltaCheck::Verdict::missing:
            out.verdict = Check::Verdict::missing;
            dag_.want(delta);
            break;
        case Dag::DeltaCheck::Verdict::invalid:
            out.verdict = Check::Verdict::invalid;
            break;
    }
    out.missing = std::move(found.missing);
    out.why = std::move(found.why);
    return out;
}

std::vector<LaneRange> DagCutSource::build(const Cut& parent, Height executed) {
    return dag_.build_delta(
        parent,
        limits::block_vertices_max,
        limits::block_bytes_max,
        closed_for(parent, executed, epoch_)
    );
}

bool DagCutSource::has_unordered(const Cut& cut, Height executed) const {
    return dag_.has_unordered(cut, closed_for(cut, executed, epoch_));
}

void NodeImpl::execute_finalized() {
    while (true) {
        if (to_execute_.empty()) {
            std::vector<FinalizedBlock> more = ordering_.take_finalized();
            if (more.empty()) return;
            for (FinalizedBlock& block : more)
                to_execute_.push_back(std::move(block));
        }
        if (!execute(to_execute_.front())) return;
        to_execute_.pop_front();
    }
}

/// False while vertices are on their way.
bool NodeImpl::execute(const FinalizedBlock& finalized) {
    const Dag::DeltaCheck check = dag_.check_delta(
        *finalized.parent_cut,
        finalized.block.delta,
        cuts_.closed_for(
            *finalized.parent_cut, finalized.block.executed.height, finalized.block.epoch
        )
    );
    if (check.verdict == Dag::DeltaCheck::Verdict::missing) {
        dag_.want(finalized.block.delta);
        for (const LaneRange& range : check.missing)
            fetcher_.want(range, std::nullopt, now_);
        return false;
    }
    CRETO_ASSERT(check.verdict == Dag::DeltaCheck::Verdict::valid);
    const std::vector<VertexPtr> ordered = dag_.order(
        *finalized.parent_cut, finalized.block.delta, finalized.block.parent, finalized.block.view
    );
    const std::size_t closed_before = final_.court().closed_lanes().size();
    const FinalState::Applied applied = final_.apply(finalized.block, finalized.id, ordered);
    final_cut_ = *finalized.cut_after;
    note_tips(finalized);
    causal_.apply_final(ordered);
    note_final_changes(ordered, applied);
    note_work(finalized.block, ordered);
    std::vector<VertexPtr> unparked = dag_.finalize(final_cut_);
    if (final_.court().closed_lanes().size() != closed_before) {
        forks_known_ = true;
        open_lanes();
        for (VertexPtr& vertex : dag_.close(cuts_.ended_for(final_cut_, finalized.block.height)))
            unparked.push_back(std::move(vertex));
        follow_own_lane();
    }
    if (forks_known_) causal_.set_overlay(dag_.overlay());
    if (rosters_.epochs().is_boundary(finalized.block.height))
        decide_rosters(finalized.block.epoch.plus(2), finalized.block.epoch.plus(2));
    ordering_.on_executed(applied.mark, now_, effects_);
    keep_links(ordering_.take_links());  // It may be the first of its epoch.
    receipts_.executed(finalized, final_, links_, effects_);
    operations_final_ += applied.operations.size();
    std::size_t bytes = 0;
    for (const VertexPtr& vertex : ordered)
        bytes += vertex->bytes().size();
    after_execution(finalized, applied, bytes);
    completed(unparked);
    return true;
}

void NodeImpl::after_execution(
    const FinalizedBlock& finalized, const FinalState::Applied& applied, std::size_t bytes
) {
    executed_at_ = now_;
    if (producer_) producer_->on_finality(now_);
    fetcher_.forget_below(final_cut_);
    recent_blocks_.push_back(finalized.block);
    if (recent_blocks_.size() > recent_blocks_max) recent_blocks_.pop_front();
    prune_marks_.push_back({finalized.block.height, bytes});
    finalized_bytes_ += bytes;
    while (prune_marks_.size() > blocks_in_memory ||
           (finalized_bytes_ > finalized_bytes_in_memory && prune_marks_.size() > newest_blocks)) {
        const std::uint64_t back =
            finalized.block.height.value() - prune_marks_.front().height.value();
        dag_.prune(recent_blocks_[recent_blocks_.size() - 1 - back].delta);
        finalized_bytes_ -= prune_marks_.front().bytes;
        prune_marks_.pop_front();
    }
    keep_checkpoint(finalized, bytes);
    if (!rosters_.epochs().have_end()) draw_overlay();
    if (restoring_) return;
    effects_.publish(Finalized{
        finalized.block,
        finalized.id,
        applied.mark.order_digest,
        applied.mark.state_root,
        applied.operations.size()});
    for (const Notice& notice : applied.notices)
        effects_.publish(notice);
    for (const OpenDispute& dispute : applied.opened)
        run_dispute(dispute);
    settle_submissions(applied);
    expire_submissions();
    lapse(applied.mark.height);
}

void NodeImpl::settle_submissions(const FinalState::Applied& applied) {
    if (submissions_.empty()) return;
    for (const FinalState::OperationResult& result : applied.operations) {
        // Most of a block is other nodes': not worth a look-up each.
        if (result.client != self_ && carried_ == 0) continue;
        const auto found = submissions_.find(result.id);
        if (found == submissions_.end()) continue;
        const Submission& submission = found->second;
        const Height height = applied.mark.height;
        if (result.elsewhere) {  // Its client hands it to another seat. [PARAM-SHARE.1]
            if (submission.submitter) give_back(result.id, submission, result.reason);
            continue;
        }
        reply(
            submission.command,
            SubmitReply{result.id, height, result.applied, result.reason, {height, std::nullopt}}
        );
        if (submission.submitter) {
            effects_.send(
                *submission.submitter,
                OperationOutcome{
                    result.id,
                    OperationOutcome::State::final,
                    height,
                    result.reason.substr(0, 1'000)}
            );
        }
        if (submission.submitter) --carried_;
        submission_deadlines_.erase({submission.deadline, result.id});
        unawaited_.erase({submission.expiry, result.id});
        submissions_.erase(found);
    }
}

/// This seat cannot bring it any more in this epoch.
void NodeImpl::give_back(
    const OperationId& id, const Submission& submission, const std::string& why
) {
    effects_.send(
        *submission.submitter,
        OperationOutcome{id, OperationOutcome::State::refused, {}, why.substr(0, 1'000)}
    );
    --carried_;
    submission_deadlines_.erase({submission.deadline, id});
    unawaited_.erase({submission.expiry, id});
    submissions_.erase(id);
}

/// Whoever waited has an answer. What was taken stays known, so that asking for it tells more.
void NodeImpl::let_go(const OperationId& id, Submission& submission) {
    submission.command = Ticket{};
    unawaited_.emplace(submission.expiry, id);
}

/// Without a quorum nobody should wait: what was taken before it was lost is pending. [CUT-PENDING.1]
void NodeImpl::answer_pending() {
    for (auto& [id, submission] : submissions_) {
        if (submission.command == Ticket{}) continue;
        reply_error(
            submission.command,
            {ErrorCode::timeout,
             "pending: " + reachability_.no_quorum_message() + "; operation " + id.value().hex() +
                 " was taken before that and can become final once a quorum is back: ask by this "
                 "id"}
        );
        submission_deadlines_.erase({submission.deadline, id});
        let_go(id, submission);
    }
}

/// What expired below this height is in no block and never will be.
void NodeImpl::lapse(Height height) {
    while (!unawaited_.empty() && unawaited_.begin()->first < height) {
        const OperationId id = unawaited_.begin()->second;
        unawaited_.erase(unawaited_.begin());
        const auto found = submissions_.find(id);
        if (found == submissions_.end()) continue;
        if (found->second.submitter) --carried_;
        submissions_.erase(found);
        lapsed_.push_back(id);
        if (lapsed_.size() > lapsed_max) lapsed_.pop_front();
    }
}

/// Deadlines passed: the outcome is unknown, and asking by id tells it later.
void NodeImpl::expire_submissions() {
    while (!causal_deadlines_.empty() && causal_deadlines_.begin()->first <= now_) {
        const auto waiting = causal_commands_.find(causal_deadlines_.begin()->second);
        causal_deadlines_.erase(causal_deadlines_.begin());
        reply_error(
            waiting->second.command,
            {ErrorCode::timeout,
             "not written within the deadline: other writes of this node are before it; it may "
             "still "
             "be written"}
        );
        causal_commands_.erase(waiting);
    }
    while (!submission_deadlines_.empty() && submission_deadlines_.begin()->first <= now_) {
        const OperationId id = submission_deadlines_.begin()->second;
        submission_deadlines_.erase(submission_deadlines_.begin());
        const auto found = submissions_.find(id);
        if (found->second.submitter) {
            --carried_;
            submissions_.erase(found);
            continue;
        }
        reply_error(
            found->second.command,
            {ErrorCode::timeout,
             "not final within the deadline; the outcome is unknown, ask by id " + id.value().hex()}
        );
        let_go(id, found->second);
    }
}

/// A dissent is being decided: whoever offers the contract answers again, in its own lane.
void NodeImpl::run_dispute(const OpenDispute& dispute) {
    if (!seat_) return;
    const bool offered = std::any_of(tools_.begin(), tools_.end(), [&](const ToolOffer& tool) {
        return tool.name == dispute.opening.tool &&
               tool.contract.id() == dispute.opening.contract.id();
    });
    if (!offered) return;
    const Ticket ticket = effects_.new_ticket();
    dispute_runs_.emplace(ticket, dispute);
    effects_.add(Execute{
        ticket,
        dispute.opening.tool,
        dispute.opening.contract.id(),
        dispute.opening.arguments,
        dispute_timeout});
}

void NodeImpl::on(const Executed& event) {
    if (server_.on_executed(event, now_, effects_)) return;
    const auto found = dispute_runs_.find(event.ticket);
    if (found == dispute_runs_.end()) return;
    const OpenDispute dispute = found->second;
    dispute_runs_.erase(found);
    const bool sayable = event.status == CallAnswer::Status::result ||
                         event.status == CallAnswer::Status::tool_error;
    if (!sayable) return;
    submit_own(DisputeAnswerOperation{
        dispute.call,
        event.status == CallAnswer::Status::result ? AnswerKind::result : AnswerKind::tool_error,
        salted_digest(HashDomain::result, dispute.opening.salt, as_bytes(event.text))});
}

/// The final state must know which contracts this seat offers: disputes draw their panel from it.
void NodeImpl::offer_contracts() {
    if (offered_ || !seat_ || !producer_->confirmed() || !reachability_.has_quorum()) return;
    offered_ = true;
    OfferOperation offer;
    bool known = true;
    for (const ToolOffer& tool : tools_) {
        const std::vector<Seat> seats = final_.offers(tool.contract.id());
        known = known && std::find(seats.begin(), seats.end(), *seat_) != seats.end();
        offer.contracts.push_back(tool.contract);
    }
    if (!known) submit_own(std::move(offer));
}

}  // namespace creto
