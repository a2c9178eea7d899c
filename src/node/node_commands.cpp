#include <algorithm>

#include "model/vertex_checks.hpp"
#include "node/node_impl.hpp"
#include "tools/builtins.hpp"

namespace creto {

namespace {

/// Blocks after which an operation that did not become final never will.
constexpr std::uint64_t expiry_blocks = limits::expiry_blocks_max / 2;

constexpr std::size_t verdicts_shown = 100;

/// Of an operation's bytes, kept for its signature, and for 32 bytes a seat of what it replaces; the same
/// for all smaller rosters, so that an operation that fits today fits when some more have a seat.
constexpr std::size_t final_reserve = 1'024;
std::size_t causal_reserve(std::size_t seats) {
    return 32 * std::max(seats, limits::direct_seats_max) + final_reserve;
}

}  // namespace

void NodeImpl::reply(Ticket command, ReplyBody body) {
    if (command == Ticket{}) return;
    if (batches_.count(command) > 0) {
        count_in(command, body);
    } else {
        effects_.add(Reply{command, std::move(body)});
    }
}

void NodeImpl::count_in(Ticket batch, const ReplyBody& body) {
    const auto found = batches_.find(batch);
    SubmitManyReply& sum = found->second.reply;
    if (const auto* good = std::get_if<SubmitReply>(&body)) {
        ++sum.final_count;
        sum.last = std::max(sum.last, good->height);
    } else if (const auto* bad = std::get_if<Error>(&body)) {
        sum.error = *bad;
    }
    if (--found->second.open > 0) return;
    effects_.add(Reply{batch, std::move(sum)});
    batches_.erase(found);
}

void NodeImpl::command(Ticket ticket, const SubmitMany& many) {
    if (many.bodies.empty()) {
        reply_error(ticket, {ErrorCode::invalid, "a batch needs at least one operation"});
        return;
    }
    batches_.emplace(ticket, Batch{many.bodies.size(), {}});
    for (const OperationBody& body : many.bodies)
        command(ticket, Submit{.body = body, .timeout = many.timeout});
}

/// Refused operations enter no lane and so can never become final.
Result<void> NodeImpl::may_submit(Reading reading) const {
    if (store_failed_) return fail(ErrorCode::io, *store_failed_);
    if (draining_) return fail(ErrorCode::unavailable, "this node is shutting down");
    if (submissions_.size() - carried_ >= limits::operations_pending_max) {
        return fail(ErrorCode::limit, "too many operations are pending; wait for some to be final");
    }
    if (reading == Reading::final && !reachability_.has_quorum()) {
        return fail(ErrorCode::unavailable, reachability_.no_quorum_message());
    }
    if (!seat_) {
        if (reading == Reading::causal) {
            return fail(ErrorCode::denied, "causal writes need a seat; " + no_seat());
        }
        if (dialer_.peers().empty()) {
            return fail(ErrorCode::unavailable, "no seat can be reached to carry the operation");
        }
        return {};
    }
    if (lane_lost_) return fail(ErrorCode::unavailable, *lane_lost_);
    if (ordering_.halted() && reading == Reading::final) {
        return fail(ErrorCode::unavailable, "this node no longer votes: " + *ordering_.halted());
    }
    return {};
}

/// Into our lane, if the window has a place for it: what is taken can be written whatever happens.
Result<void> NodeImpl::queue(Operation operation) {
    return or_backlog_full(producer_->push(std::move(operation), lane_room()));
}

Result<void> NodeImpl::carry(Operation operation, CarriedQueue::Client client) {
    return or_backlog_full(producer_->carry(std::move(operation), client, lane_room()));
}

Result<void> NodeImpl::or_backlog_full(Result<void> pushed) const {
    if (pushed || pushed.error().code != ErrorCode::unavailable) return pushed;
    const Duration since = now_ - producer_->last_finality();
    const auto at = iso_time(unix_ms_at_start_ + (now_ - started_at_ - since).ms());
    return fail(
        ErrorCode::limit,
        "causal backlog full: no finality since " + (at ? *at : "the start") + " (" +
            std::to_string(since.ms() / 1'000) +
            " s); writes are taken again once a quorum is back and has caught up"
    );
}

Operation NodeImpl::make_operation(OperationBody body) {
    Operation operation;
    operation.client = self_;
    operation.counter = next_counter_++;
    operation.expiry = final_.height().plus(expiry_blocks);
    operation.body = std::move(body);
    return operation;
}

void NodeImpl::command(Ticket ticket, const Submit& submit) {
    const auto* change = std::get_if<RosterOperation>(&submit.body);
    if (change == nullptr) return take_in(ticket, submit);
    check_change(ticket, submit, *change);
}

/// What is signed inside a change is checked before it enters the lane: one signature that does not
/// hold would make the vertex invalid. [SEAT-POSSESSION.1]
void NodeImpl::check_change(Ticket ticket, const Submit& submit, const RosterOperation& change) {
    constexpr std::size_t checks_max = 64;
    const Operation operation{.client = self_, .body = change};
    if (auto form = well_formed(operation); !form) return reply_error(ticket, form.error());
    auto items = signatures_of(operation, seats());
    if (!items) {
        return reply_error(
            ticket, {ErrorCode::invalid, "roster: an approval of an operator that there is not"}
        );
    }
    if (items->empty()) return take_in(ticket, submit);
    if (change_checks_.size() >= checks_max)
        return reply_error(ticket, {ErrorCode::limit, "too many changes of the roster at once"});
    const Ticket check = effects_.new_ticket();
    change_checks_.emplace(check, ChangeCheck{ticket, submit, items->size()});
    effects_.add(Check{check, std::move(*items)});
}

void NodeImpl::on_change_checked(const CheckDone& done) {
    const auto found = change_checks_.find(done.ticket);
    if (found == change_checks_.end()) return;
    const ChangeCheck check = std::move(found->second);
    change_checks_.erase(found);
    if (done.good == check.items) return take_in(check.command, check.submit);
    reply_error(
        check.command,
        {ErrorCode::invalid,
         "roster: a signature does not hold: the new key's own, or an operator's; was it made for "
         "this network, this key and this name?"}
    );
}

void NodeImpl::take_in(Ticket ticket, const Submit& submit) {
    if (auto may = may_submit(submit.reading); !may) {
        reply_error(ticket, may.error());
        return;
    }
    Operation operation = make_operation(submit.body);
    const bool causal_body = std::holds_alternative<CrdtOperation>(operation.body);
    auto form = well_formed(operation);
    if (form && causal_body != (submit.reading == Reading::causal)) {
        form = fail(
            ErrorCode::invalid, "keys under causal/ are written causally, everything else finally"
        );
    }
    const Bytes content = signing_bytes(operation);
    // A causal write also names what it replaces.
    const std::size_t size_max = limits::operation_bytes_max -
                                 (causal_body ? causal_reserve(voters().size()) : final_reserve);
    if (form && content.size() > size_max) {
        form = fail(
            ErrorCode::limit, "the operation is larger than " + std::to_string(size_max) + " bytes"
        );
    }
    if (const auto* write = std::get_if<CrdtOperation>(&operation.body); form && write != nullptr) {
        if (auto held = causal_.other_kind(*write))
            form = fail(ErrorCode::conflict, *held + "; remove it first, or take another key");
    }
    if (!form) {
        reply_error(ticket, form.error());
        return;
    }
    const OperationId id = operation_id(roster_.chain(), content_digest(content));
    const Instant deadline = now_ + submit.timeout;
    if (submit.reading == Reading::final) {
        submissions_.emplace(id, Submission{ticket, std::nullopt, deadline, operation.expiry});
        submission_deadlines_.emplace(deadline, id);
    } else {
        causal_commands_.emplace(operation.counter, CausalCommand{ticket, deadline});
        causal_deadlines_.emplace(deadline, operation.counter);
    }
    if (!seat_) return hand_over(std::move(operation), Handed::From::client);
    const std::uint64_t counter = operation.counter;
    if (auto pushed = queue(std::move(operation)); !pushed) {
        if (submissions_.erase(id) > 0) submission_deadlines_.erase({deadline, id});
        if (causal_commands_.erase(counter) > 0) causal_deadlines_.erase({deadline, counter});
        reply_error(ticket, pushed.error());
    }
}

/// Each write takes its place in the lane in turn: when the last is durable, all are.
void NodeImpl::command(Ticket ticket, const RemoveCausal& remove) {
    if (auto may = may_submit(Reading::causal); !may) {
        reply_error(ticket, may.error());
        return;
    }
    auto writes = causal_.removal({remove.key, remove.path});
    if (!writes) {
        reply_error(ticket, writes.error());
        return;
    }
    const Instant deadline = now_ + remove.timeout;
    std::uint64_t last = 0;
    std::size_t taken = 0;
    for (CrdtOperation& write : *writes) {
        Operation operation = make_operation(std::move(write));
        last = operation.counter;
        if (auto pushed = queue(std::move(operation)); !pushed) {
            Error error = pushed.error();
            error.message += "; " + std::to_string(taken) + " of " +
                             std::to_string(writes->size()) + " values are being removed";
            reply_error(ticket, std::move(error));
            return;
        }
        ++taken;
    }
    causal_commands_.emplace(last, CausalCommand{ticket, deadline});
    causal_deadlines_.emplace(deadline, last);
}

OperationId NodeImpl::submit_own(OperationBody body) {
    Operation operation = make_operation(std::move(body));
    const OperationId id = operation.id(roster_.chain());
    if (seat_) {
        if (auto pushed = producer_->push(std::move(operation)); !pushed) {
            log_.warn("an operation of this node was not queued: " + pushed.error().message);
        }
        return id;
    }
    operation.signature =
        signer_.sign(SignDomain::operation, roster_.chain().value(), signing_bytes(operation));
    if (const auto carrier = draw_carrier()) effects_.send(*carrier, OperationSubmit{operation});
    return id;
}

/// Another agent's operation: carried in our lane, answered when final.
void NodeImpl::on_submit_message(const AgentId& from, const OperationSubmit& submit) {
    const OperationId id = submit.operation.id(roster_.chain());
    OperationOutcome outcome{.operation = id};
    if (final_.operation(id)) return;  // Another seat has carried it; its client sees that.
    if (submissions_.count(id) > 0) return;
    Result<void> may = may_submit(Reading::final);
    if (may) may = well_formed(submit.operation);
    if (may && !seat_) may = fail(ErrorCode::denied, "this agent has no seat");
    if (may && carried_ >= limits::carried_pending_max) {
        may = fail(
            ErrorCode::limit,
            "rate limited: too many operations of other agents are under way here; retry later, or "
            "through another validator"
        );
    }
    if (may) {
        const bool seated = voters().find(submit.operation.client) != nullptr;
        may = carry(
            submit.operation,
            seated ? CarriedQueue::Client::with_seat : CarriedQueue::Client::without_seat
        );
    }
    if (!may) {
        outcome.state = OperationOutcome::State::refused;
        outcome.reason = may.error().message.substr(0, 1'000);
        effects_.send(from, outcome);
        return;
    }
    const Instant deadline = now_ + Duration::from_s(600);
    submissions_.emplace(id, Submission{Ticket{}, from, deadline, submit.operation.expiry});
    ++carried_;
    submission_deadlines_.emplace(deadline, id);
    effects_.send(from, outcome);
}

/// A word of one seat. That an operation is final this node sees for itself, when it has executed it.
void NodeImpl::on_outcome(const AgentId& from, const OperationOutcome& outcome) {
    if (outcome.state != OperationOutcome::State::refused) return;
    if (!is_refused(outcome.operation, from)) return;
    const auto found = submissions_.find(outcome.operation);
    if (found == submissions_.end() || found->second.submitter) return;
    reply_error(found->second.command, {ErrorCode::unavailable, outcome.reason});
    submission_deadlines_.erase({found->second.deadline, found->first});
    unawaited_.erase({found->second.expiry, found->first});
    submissions_.erase(found);
}

void NodeImpl::command(Ticket ticket, const AskOperation& ask) {
    OperationReply out;
    if (const auto height = final_.final_at(ask.operation)) {
        out.state = OperationReply::State::final;
        out.height = *height;
    } else if (submissions_.count(ask.operation) > 0) {
        out.state = OperationReply::State::pending;
    } else if (std::find(lapsed_.begin(), lapsed_.end(), ask.operation) != lapsed_.end()) {
        out.state = OperationReply::State::never;
    }
    reply(ticket, out);
}

void NodeImpl::command(Ticket ticket, const Cancel& cancel) {
    if (const auto call = call_commands_.find(cancel.command); call != call_commands_.end()) {
        const CallClient::Token token = call->second;
        client_.cancel(token, effects_);
        if (const auto plain = plain_.find(token); plain != plain_.end() && plain->second.hedge_at)
            hedges_.erase({*plain->second.hedge_at, token});
        plain_.erase(token);
        if (const auto panel = panels_.find(token); panel != panels_.end()) {
            dismiss_judges(panel->second);
            panels_.erase(panel);
        }
        call_commands_.erase(call);
        reply_error(cancel.command, {ErrorCode::cancelled, "cancelled by the caller"});
    }
    if (receipts_.cancel(cancel.command)) {
        reply_error(cancel.command, {ErrorCode::cancelled, "cancelled by the caller"});
    }
    reply(ticket, Done{});
}

void NodeImpl::command(Ticket ticket, const Connect& connect) {
    dialer_.add_bootstrap(connect.address, now_);
    reply(ticket, Done{});
}

void NodeImpl::command(Ticket ticket, const ToolsChanged& changed) {
    tools_ = changed.tools;
    std::sort(tools_.begin(), tools_.end(), [](const ToolOffer& a, const ToolOffer& b) {
        return a.name < b.name;
    });
    std::set<ContractId> by_rule;
    for (const ToolOffer& tool : tools_) {
        if (tool.contract.has(ContractSummary::by_rule)) by_rule.insert(tool.contract.id());
    }
    server_.set_by_rule(std::move(by_rule));
    offered_ = false;
    if (started_) publish_record(false);
    reply(ticket, Done{});
}

void NodeImpl::command(Ticket ticket, const Drain& /*drain*/) {
    if (!draining_) publish_record(true);
    draining_ = true;
    record_renewal_ = Instant::max();
    reply(ticket, Done{});
}

void NodeImpl::command(Ticket ticket, const AskStatus& /*ask*/) {
    reply(ticket, status());
}

void NodeImpl::command(Ticket ticket, const AskPeers& /*ask*/) {
    PeersReply out;
    for (const AgentRecord* record : directory_.all())
        out.peers.push_back(view_of(*record));
    reply(ticket, std::move(out));
}

void NodeImpl::command(Ticket ticket, const AskReputation& /*ask*/) {
    std::set<AgentId> agents;
    for (const Member& member : seats().known())
        agents.insert(member.key);
    for (const auto& [agent, exclusion] : final_.court().exclusions())
        agents.insert(agent);  // Also when it is gone.
    for (const AgentRecord* record : directory_.all())
        agents.insert(record->agent);
    ReputationReply out;
    for (const AgentId& agent : agents) {
        out.agents.push_back(final_.reputation_view(agent));
        out.agents.back().name = name_of(agent);
    }
    reply(ticket, std::move(out));
}

void NodeImpl::command(Ticket ticket, const AskVerdicts& /*ask*/) {
    reply(ticket, VerdictsReply{final_.verdicts(verdicts_shown)});
}

void NodeImpl::command(Ticket ticket, const AskLog& ask) {
    LogReply out;
    const std::uint64_t count = std::min<std::uint64_t>(ask.count, limits::blocks_per_message_max);
    const bool any = !recent_blocks_.empty() && ask.from >= recent_blocks_.front().height;
    const std::uint64_t first = any ? ask.from.value() - recent_blocks_.front().height.value() : 0;
    for (std::uint64_t i = first; any && i < recent_blocks_.size() && i < first + count; ++i)
        out.blocks.push_back(recent_blocks_[i]);
    reply(ticket, std::move(out));
}

}  // namespace creto
