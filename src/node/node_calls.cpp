#include <algorithm>

#include "node/node_impl.hpp"
#include "tools/json_parse.hpp"

namespace creto {

namespace {

/// How long after the decision late answers may still join the record.
constexpr Duration linger_time = Duration::from_ms(500);
/// How long a link may take to come up.
constexpr Duration visit_patience = Duration::from_s(3);
constexpr Duration visit_again = Duration::from_ms(500);

/// A second provider is not asked sooner, however quick the first one usually is.
constexpr Duration hedge_after_min = Duration::from_ms(1);
/// One call in ten may be asked a second time.
constexpr std::uint64_t hedge_price = 10;
constexpr std::uint64_t hedge_credit_max = 100;

Error error_of(const CallAnswer& answer) {
    switch (answer.status) {
        case CallAnswer::Status::unknown_tool:
            return {ErrorCode::not_found, answer.text};
        case CallAnswer::Status::timeout:
            return {ErrorCode::timeout, answer.text};
        case CallAnswer::Status::cancelled:
            return {ErrorCode::cancelled, answer.text};
        case CallAnswer::Status::rate_limited:
        case CallAnswer::Status::overloaded:
            return {ErrorCode::limit, answer.text};
        case CallAnswer::Status::internal:
            return {ErrorCode::unavailable, answer.text};
        default:
            return {ErrorCode::invalid, answer.text};
    }
}

}  // namespace

void NodeImpl::command(Ticket ticket, const CallTool& call) {
    const CallClient::Token token = next_token_++;
    plain_.emplace(
        token, PlainCall{.command = ticket, .call = call, .deadline = now_ + call.timeout}
    );
    call_commands_.emplace(ticket, token);
    hedge_credit_ = std::min(hedge_credit_max, hedge_credit_ + 1);
    if (const auto asked = ask_provider(token); !asked) {
        reply_error(ticket, asked.error());
        end_plain(token);
    }
}

/// The named agent; else this node if it offers the tool; else one that does, drawn, preferring
/// those that are connected and in good standing.
std::optional<AgentId> NodeImpl::choose_provider(const PlainCall& call) {
    if (call.call.agent) return call.tried.empty() ? call.call.agent : std::nullopt;
    std::vector<AgentId> good;
    std::vector<AgentId> far;
    for (const AgentRecord* record : directory_.providers(call.call.tool)) {
        const AgentId& agent = record->agent;
        if (call.tried.count(agent) > 0 || final_.excluded(agent)) continue;
        // [CALL-AGAIN.1]
        if (call.again && find_tool(*record, call.call.tool)->contract.id() != *call.again)
            continue;
        if (agent == self_) return self_;
        (dialer_.connected(agent) ? good : far).push_back(agent);
    }
    // Among many there is no link with most of them, and one is opened.
    if (good.empty() && overlay_.is_sparse()) good = std::move(far);
    if (good.empty()) return std::nullopt;
    return good[prng_.below(good.size())];
}

Result<void> NodeImpl::ask_provider(CallClient::Token token) {
    PlainCall& call = plain_.at(token);
    const auto provider = choose_provider(call);
    if (!provider) {
        return fail(
            ErrorCode::not_found,
            "no agent that can be reached offers the tool \"" + call.call.tool +
                "\"; `creto tools` lists what the mesh offers"
        );
    }
    call.tried.insert(*provider);
    if (*provider == self_ || dialer_.connected(*provider)) return ask(token, *provider);
    if (!overlay_.is_sparse() || directory_.find(*provider) == nullptr)
        return fail(ErrorCode::unavailable, "agent " + name_of(*provider) + " is not connected");
    visit(token, *provider);
    return {};
}

Result<void> NodeImpl::ask(CallClient::Token token, const AgentId& provider) {
    PlainCall& call = plain_.at(token);
    const Duration left = call.deadline - now_;
    overlay_.keep(provider, call.deadline);
    CallStart start{
        .tool = call.call.tool,
        .contract = call.again.value_or(ContractId{}),
        .arguments = call.call.arguments,
        .timeout_ms =
            static_cast<std::uint32_t>(std::clamp<std::int64_t>(left.ms(), 1, 86'400'000)),
        .credit = call.call.stream ? std::uint32_t{limits::stream_window_bytes} : 0};
    const AgentRecord* record = directory_.find(provider);
    const ToolOffer* offer = record == nullptr ? nullptr : find_tool(*record, call.call.tool);
    const bool idempotent = offer != nullptr && offer->contract.has(ContractSummary::idempotent);
    if (idempotent && !call.call.agent) call.again = offer->contract.id();
    // Who named no agent is better served by another one, if there is one, than by waiting.
    const auto elsewhere = [&] {
        const auto providers = directory_.providers(call.call.tool);
        return std::any_of(providers.begin(), providers.end(), [&](const AgentRecord* other) {
            return call.tried.count(other->agent) == 0 && dialer_.connected(other->agent);
        });
    };
    const bool same_again = idempotent && (call.call.agent || !elsewhere());
    auto started = client_.start(
        token,
        provider,
        std::move(start),
        call.deadline,
        effects_,
        same_again ? CallClient::Repeat::yes : CallClient::Repeat::no
    );
    if (!started) return started;
    call.under_way.emplace(provider, PlainCall::Asked{now_, ++call.attempts});
    plan_hedge(token, provider);
    return {};
}

// --- providers without a link ---

void NodeImpl::visit(CallClient::Token token, const AgentId& provider) {
    const Instant until = std::min(plain_.at(token).deadline, now_ + visit_patience);
    visits_.emplace(provider, Visit{token, until, now_ + visit_again});
    overlay_.visit(provider, effects_);
}

void NodeImpl::on_visited(const AgentId& provider) {
    while (true) {
        const auto visit = visits_.find(provider);
        if (visit == visits_.end()) return;
        const CallClient::Token token = visit->second.token;
        visits_.erase(visit);
        if (plain_.count(token) == 0) continue;
        if (const auto asked = ask(token, provider); !asked) {
            if (!plain_.at(token).under_way.empty()) continue;
            reply_error(plain_.at(token).command, asked.error());
            end_plain(token);
        }
    }
}

/// Who does not come up is dialled again, and then left for another provider, if there is one.
void NodeImpl::repeat_visits() {
    std::vector<std::pair<AgentId, CallClient::Token>> over;
    std::erase_if(visits_, [&](const auto& entry) {
        if (now_ < entry.second.until) return false;
        over.emplace_back(entry.first, entry.second.token);
        return true;
    });
    for (auto& [provider, entry] : visits_) {
        if (now_ < entry.dial_at) continue;
        entry.dial_at = now_ + visit_again;
        overlay_.visit(provider, effects_);
    }
    for (const auto& [provider, token] : over) {
        const auto call = plain_.find(token);
        if (call == plain_.end() || !call->second.under_way.empty()) continue;
        if (now_ < call->second.deadline && !call->second.call.agent && ask_provider(token))
            continue;
        reply_error(
            call->second.command,
            {ErrorCode::unavailable, "agent " + name_of(provider) + " cannot be reached"}
        );
        end_plain(token);
    }
}

/// When the provider takes longer than it usually does, another one is asked as well, once, and who
/// answers first counts. [CALL-HEDGE.1]
void NodeImpl::plan_hedge(CallClient::Token token, const AgentId& provider) {
    PlainCall& call = plain_.at(token);
    if (!call.again || call.hedged || call.hedge_at) return;
    const auto usual = times_.p95(provider, call.call.tool);
    if (!usual) return;
    const Instant at = now_ + std::max(*usual, hedge_after_min) + Duration::from_us(1);
    if (at >= call.deadline) return;
    call.hedge_at = at;
    hedges_.emplace(at, token);
}

void NodeImpl::hedge(CallClient::Token token) {
    PlainCall& call = plain_.at(token);
    call.hedge_at.reset();
    call.hedged = true;
    // When everybody is slow, twice the calls make nobody quicker.
    if (hedge_credit_ < hedge_price) return;
    if (!ask_provider(token)) return;  // There is no other; the first may still answer.
    hedge_credit_ -= hedge_price;
    count(Count::calls_hedged);
}

void NodeImpl::end_plain(CallClient::Token token) {
    const PlainCall& call = plain_.at(token);
    if (call.hedge_at) hedges_.erase({*call.hedge_at, token});
    call_commands_.erase(call.command);
    plain_.erase(token);
}

void NodeImpl::on_finished(CallClient::Finished finished) {
    if (plain_.count(finished.token) > 0) {
        finish_plain(finished.token, finished);
    } else if (panels_.count(finished.token) > 0) {
        finish_member(finished.token, finished);
    }
}

void NodeImpl::finish_plain(CallClient::Token token, const CallClient::Finished& finished) {
    PlainCall& call = plain_.at(token);
    const CallAnswer& answer = finished.answer;
    CallReply said{finished.provider, answer.text, finished.pieces_lost};
    const auto asked = call.under_way.find(finished.provider);
    if (asked != call.under_way.end()) {
        if (answer.status == CallAnswer::Status::result)
            times_.add(finished.provider, call.call.tool, now_ - asked->second.at);
        said.attempt = asked->second.attempt;
        said.pieces_lost += asked->second.unseen;
        call.under_way.erase(asked);
    }
    const bool was_shown = call.shown && call.shown->provider == finished.provider;
    // What the tool itself says is the answer, wherever it was asked. [CALL-AGAIN.1]
    const bool is_last_word = answer.status == CallAnswer::Status::result ||
                              answer.status == CallAnswer::Status::tool_error ||
                              answer.status == CallAnswer::Status::bad_arguments;
    if (!is_last_word && call.again && now_ < call.deadline) {
        if (was_shown) call.shown->over = true;
        if (!call.under_way.empty()) return;  // Another one is being asked already.
        if (ask_provider(token)) {
            count(Count::calls_retried);
            return;
        }
    }
    if (!call.under_way.empty()) client_.cancel(token, effects_);  // [CALL-HEDGE.1]
    if (answer.status == CallAnswer::Status::result) {
        if (call.shown && (!was_shown || call.shown->over)) {
            show(call.command, {finished.provider, said.attempt, 0, false}, nullptr, 0);
        }
        reply(call.command, std::move(said));
    } else {
        Error error = error_of(answer);
        error.message = name_of(finished.provider) + ": " + error.message;
        reply_error(call.command, std::move(error));
    }
    end_plain(token);
}

void NodeImpl::command(Ticket ticket, const CallVerified& call) {
    const auto arguments = parse_json(call.arguments);
    if (!arguments) {
        reply_error(ticket, Error{ErrorCode::invalid, "arguments: " + arguments.error().message});
        return;
    }
    auto panel = panel_for(call, std::nullopt);
    if (!panel) return reply_error(ticket, panel.error());
    panel->arguments = canonical(*arguments);
    const auto started = start_panel(std::move(*panel), {ticket, std::nullopt});
    if (!started) reply_error(ticket, started.error());
}

/// Who is to be asked: the providers of the one contract, or of that which most offer under this name; the
/// others offer another tool.
Result<PanelCall> NodeImpl::panel_for(
    const CallVerified& call, const std::optional<ContractId>& only
) {
    std::map<ContractId, std::vector<const AgentRecord*>> by_contract;
    for (const AgentRecord* record : directory_.providers(call.tool)) {
        if (final_.excluded(record->agent) || final_.suspended(record->agent)) continue;
        if (!call.any_agent && voters().find(record->agent) == nullptr) continue;
        const ContractId contract = find_tool(*record, call.tool)->contract.id();
        if (!only || contract == *only) by_contract[contract].push_back(record);
    }
    const auto most =
        std::max_element(by_contract.begin(), by_contract.end(), [](auto& a, auto& b) {
            return a.second.size() < b.second.size();
        });
    PanelCall panel{
        .command = call,
        .nonce = static_cast<std::uint64_t>(unix_ms_at_start_) * 1'000'000 + next_nonce_++,
        .salt = draw_salt(),
        .deadline_unix_ms = unix_ms_at_start_ + (now_ - started_at_ + call.timeout).ms()};
    if (most == by_contract.end()) return panel;
    const ToolOffer& offer = *find_tool(*most->second.front(), call.tool);
    panel.contract = offer.contract;
    panel.definition = offer.definition;
    if (panel.contract.has(ContractSummary::by_rule)) {
        auto contract = Contract::parse(offer.definition);
        if (!contract) return tl::unexpected<Error>(contract.error());
        panel.match = std::move(contract->match);
    }
    for (const AgentRecord* record : most->second)
        panel.panel.push_back(record->agent);
    return panel;
}

/// Signs the request and asks all of the panel. What becomes of it may be known when this returns.
Result<void> NodeImpl::start_panel(PanelCall panel, PanelOwner owner) {
    const Duration timeout = panel.command.timeout;
    auto verified = VerifiedCall::make(std::move(panel), roster_.chain(), self_, signer_);
    if (!verified) return tl::unexpected<Error>(verified.error());
    const CallClient::Token token = next_token_++;
    const Instant deadline = now_ + timeout;
    const CallStart message = verified->message(timeout);
    const std::vector<AgentId> members = verified->call().panel;
    PanelCallEntry& entry =
        panels_.emplace(token, PanelCallEntry{owner, std::move(*verified), deadline, deadline})
            .first->second;
    if (owner.asks_for) {
        panels_.at(*owner.asks_for).judges = token;
    } else {
        call_commands_.emplace(owner.command, token);
    }
    const auto repeat = entry.call.call().contract.has(ContractSummary::idempotent)
                            ? CallClient::Repeat::yes
                            : CallClient::Repeat::no;
    for (const AgentId& member : members) {
        const bool there = member == self_ || dialer_.connected(member);
        Result<void> started =
            there ? client_.start(token, member, message, deadline, effects_, repeat)
                  : Result<void>{fail(ErrorCode::unavailable, "not connected")};
        if (started) continue;
        CallAnswer answer{.status = CallAnswer::Status::internal, .text = started.error().message};
        finish_member(token, {token, member, std::move(answer), true});
        if (panels_.count(token) == 0) break;
    }
    return {};
}

NodeImpl::PanelCallEntry* NodeImpl::panel_of(const AgentId& from, const CallAnswer& answer) {
    if (!answer.signed_answer) return nullptr;
    const auto token = client_.token_of(from, answer.id);
    if (!token) return nullptr;
    const auto panel = panels_.find(*token);
    return panel == panels_.end() ? nullptr : &panel->second;
}

/// No more answers that say the same are checked than the bar asks for; the others wait for what
/// becomes of those. [CALL-ENOUGH.1]
NodeImpl::Hold NodeImpl::hold_back(const AgentId& from, const CallAnswer& answer) {
    PanelCallEntry* entry = panel_of(from, answer);
    if (entry == nullptr) return Hold::no;
    const auto is_held = [&](const PanelCallEntry::Held& held) { return held.from == from; };
    // One answer of each member: a liar's second one must not stand in for another's first. [CALL-ENOUGH.2]
    if (entry->checking.count(from) > 0 ||
        std::any_of(entry->held.begin(), entry->held.end(), is_held)) {
        return Hold::waits;
    }
    if (entry->surplus(answer)) return Hold::counts_for_nothing;
    const Digest& result = answer.signed_answer->result;
    const auto same = [&](const auto& other) { return other.second == result; };
    const auto checking = static_cast<std::uint32_t>(
        std::count_if(entry->checking.begin(), entry->checking.end(), same)
    );
    if (!entry->call.decided() &&
        entry->call.agreeing(result) + checking >= entry->call.receipt().request.bar) {
        entry->held.push_back({from, answer});
        return Hold::waits;
    }
    entry->checking.emplace(from, result);
    return Hold::no;
}

/// A decided call that leaves no record gains nothing from one more voice for the decision.
bool NodeImpl::PanelCallEntry::surplus(const CallAnswer& answer) const {
    return call.decided() && !call.call().command.record &&
           call.decided()->kind == answer.signed_answer->kind &&
           call.decided()->result == answer.text;
}

/// Its signature is wrong, or there was no room to check it.
void NodeImpl::answer_refused(const AgentId& from, const CallAnswer& answer) {
    PanelCallEntry* entry = panel_of(from, answer);
    if (entry == nullptr) return;
    entry->checking.erase(from);
    release(*client_.token_of(from, answer.id));
}

/// The answers that waited are checked now, if they can still say something.
void NodeImpl::release(CallClient::Token token) {
    std::vector<PanelCallEntry::Held> held = std::exchange(panels_.at(token).held, {});
    for (PanelCallEntry::Held& one : held) {
        // Each may decide the call, and with it what the next is worth, or end it.
        const std::size_t bytes = one.answer.text.size();
        receive(one.from, std::make_shared<const Message>(std::move(one.answer)), bytes);
    }
    changed_ = true;  // By the event within which they were let go.
}

void NodeImpl::finish_member(CallClient::Token token, const CallClient::Finished& finished) {
    PanelCallEntry& entry = panels_.at(token);
    entry.checking.erase(finished.provider);
    if (auto counted = entry.call.on_finished(finished.provider, finished.answer); !counted) {
        log_.debug("verified call: " + name_of(finished.provider) + ": " + counted.error().message);
    }
    settle_panel(token);
    if (panels_.count(token) > 0) release(token);
}

void NodeImpl::settle_panel(CallClient::Token token) {
    PanelCallEntry& entry = panels_.at(token);
    if (entry.call.wants_judge()) {
        ask_judge(token);  // It may have been the last thing that this call waited for.
        if (panels_.count(token) == 0) return;
    }
    if (entry.call.decided() && !entry.replied) {
        entry.replied = true;
        entry.linger = std::min(entry.deadline, now_ + linger_time);
        dismiss_judges(entry);
        if (entry.owner.asks_for) {
            hear_judges(*entry.owner.asks_for, *entry.call.decided());
        } else {
            reply(entry.owner.command, *entry.call.decided());
            call_commands_.erase(entry.owner.command);
        }
    }
    const bool nobody_left = entry.call.complete() && !entry.call.judging();
    if (nobody_left || (entry.call.hopeless() && !entry.replied)) close_panel(token);
}

/// Nobody else will answer, or the time is over: reply if that is still due, then look for lies.
void NodeImpl::close_panel(CallClient::Token token) {
    PanelCallEntry entry = std::move(panels_.at(token));
    panels_.erase(token);
    client_.cancel(token, effects_);
    dismiss_judges(entry);
    if (!entry.replied) {
        const Error error{ErrorCode::unavailable, entry.call.failure()};
        if (entry.owner.asks_for) {
            miss_judges(*entry.owner.asks_for, error.message);
        } else {
            call_commands_.erase(entry.owner.command);
            reply_error(entry.owner.command, error);
        }
    }
    for (AnswerConflict& conflict : memory_.learn(entry.call)) {
        on_evidence(Evidence{std::move(conflict)}, std::nullopt);
    }
    const PanelCall& call = entry.call.call();
    const bool worth_recording =
        call.command.record && !entry.call.receipt().answers.empty() && may_submit(Reading::final);
    if (!worth_recording) return;
    receipts_.watch(entry.call.receipt().request.id(roster_.chain()), entry.call.receipt());
    CallRecordOperation record{.receipt = entry.call.receipt()};
    // A rule's answers cannot be judged by digests, and what promises no equal results not at all.
    const bool may_open =
        call.contract.has(ContractSummary::open | ContractSummary::deterministic) &&
        !call.contract.has(ContractSummary::by_rule);
    if (entry.call.disputed() && may_open) {
        record.opening =
            DisputeOpening{call.command.tool, call.contract, call.salt, call.arguments};
    }
    submit_own(std::move(record));
}

void NodeImpl::calls_on_time() {
    repeat_visits();
    server_.on_time(now_, effects_);
    for (CallClient::Finished& finished : client_.on_time(now_, effects_)) {
        on_finished(std::move(finished));
    }
    while (!hedges_.empty() && hedges_.begin()->first <= now_) {
        const CallClient::Token token = hedges_.begin()->second;
        hedges_.erase(hedges_.begin());
        hedge(token);
    }
    std::vector<CallClient::Token> over;
    for (const auto& [token, entry] : panels_) {
        if (entry.linger <= now_) over.push_back(token);
    }
    for (const CallClient::Token token : over) {
        // A call takes its judges with it, and they may take it.
        if (panels_.count(token) > 0) close_panel(token);
    }
    receipts_.on_time(now_, effects_);
}

Instant NodeImpl::calls_next_wake() const {
    Instant next = std::min({server_.next_wake(), client_.next_wake(), receipts_.next_wake()});
    if (!hedges_.empty()) next = std::min(next, hedges_.begin()->first);
    for (const auto& [provider, entry] : visits_)
        next = std::min({next, entry.until, entry.dial_at});
    for (const auto& [token, entry] : panels_)
        next = std::min(next, entry.linger);
    return next;
}

Salt NodeImpl::draw_salt() {
    // Unpredictable to others: derived from the key by a signature that never leaves this node.
    if (!salt_secret_) {
        Writer seed;
        seed.u64(prng_.next());
        salt_secret_ = signer_.sign(SignDomain::recovery, roster_.chain().value(), seed.view());
    }
    Writer w;
    w.raw(salt_secret_->view());
    w.u64(prng_.next());
    w.u64(next_nonce_);
    const Digest digest = hash(HashDomain::own_draw, w.view());
    Salt salt{};
    std::copy_n(digest.view().begin(), salt.size(), salt.begin());
    return salt;
}

}  // namespace creto
