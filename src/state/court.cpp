#include "state/court.hpp"

#include <algorithm>

namespace creto {

namespace {

std::string offer_key(Seat seat) {
    return "offer/" + std::to_string(seat.value());
}
std::string reputation_key(const AgentId& agent) {
    return "reputation/" + agent_text(agent);
}

OpenDispute as_open(const Dispute& dispute) {
    OpenDispute open{dispute.call, dispute.opening, dispute.panel, dispute.opened};
    open.panel.insert(open.panel.end(), dispute.probation.begin(), dispute.probation.end());
    std::sort(open.panel.begin(), open.panel.end());
    return open;
}

/// A panel smaller than this decides nothing: it could not outvote a single liar.
std::uint32_t least_panel(QuorumMode mode) {
    return mode == QuorumMode::byzantine ? 4 : 3;
}

}  // namespace

// --- offers ---

Result<void, Void> Court::offer(
    const OfferOperation& operation, const Member& member, MerkleMap& map
) {
    if (excluded(member.key)) return void_because("its agent is excluded");
    std::map<ContractId, Epoch>& held = offers_[member.seat];
    std::map<ContractId, Epoch> offered;
    for (const ContractSummary& contract : operation.contracts) {
        const ContractId id = contract.id();
        const auto before = held.find(id);
        offered.emplace(id, before == held.end() ? roster_->epoch() : before->second);
    }
    for (const auto& [old, since] : held) {
        const auto seats = offered_by_.find(old);
        seats->second.erase(member.seat);
        if (seats->second.empty()) offered_by_.erase(seats);
    }
    for (const auto& [contract, since] : offered)
        offered_by_[contract].emplace(member.seat, since);
    held = std::move(offered);
    if (held.empty()) {
        offers_.erase(member.seat);
        map.erase(offer_key(member.seat));
    } else {
        Writer w;
        w.uvarint(held.size());
        for (const auto& [contract, since] : held) {
            encode(w, contract);
            encode(w, since);
        }
        map.set(offer_key(member.seat), w.take());
    }
    return {};
}

std::vector<Seat> Court::offers(const ContractId& contract) const {
    std::vector<Seat> seats;
    const auto found = offered_by_.find(contract);
    if (found == offered_by_.end()) return seats;
    for (const auto& [seat, since] : found->second) {
        const AgentId& agent = roster_->known(seat)->key;
        if (counts(agent) && !reputation(agent).suspended()) seats.push_back(seat);
    }
    return seats;
}

// --- calls ---

/// Whose answers count: members of the roster that were not proven to lie.
bool Court::counts(const AgentId& agent) const {
    return roster_->find(agent) != nullptr && !excluded(agent);
}

Result<void, Void> Court::record(
    const CallRecordOperation& operation, const AgentId& client, MerkleMap& map, Session& session
) {
    const CallRequest& request = operation.receipt->request;
    if (auto form = well_formed(*operation.receipt, roster_->chain()); !form)
        return void_because(form.error().message);
    // Else a member of the panel could record a poorer set of answers before the caller does.
    if (client != request.caller) return void_because("only its caller may record a call");
    const CallId call = request.id(roster_->chain());
    if (const Verdict* known = verdict(call)) {
        return void_because(
            "the call is on record since height " + std::to_string(known->height.value())
        );
    }
    if (operation.opening) {
        if (auto fits = check_opening(operation); !fits) return fits;
    }
    Verdict verdict = judge(*operation.receipt, call);
    verdict.height = session.height;
    if (operation.opening) verdict.tool = (*operation.opening)->tool;
    session.notices.emplace_back(VerdictReached{verdict.view()});
    const bool agreed = verdict.decided && verdict.dissenting.empty();
    keep(std::move(verdict), map);
    if (!agreed && operation.opening) open(operation, call, map, session);
    return {};
}

Verdict Court::judge(const QuorumReceipt& receipt, const CallId& call) const {
    QuorumReceipt counted;
    counted.request = receipt.request;
    for (const Answer& answer : receipt.answers) {
        if (counts(answer.provider)) counted.answers.push_back(answer);
    }
    Verdict verdict;
    verdict.call = call;
    verdict.contract = receipt.request.contract;
    verdict.bar = receipt.request.bar;
    verdict.panel = static_cast<std::uint32_t>(receipt.request.panel.size());
    if (auto decision = decide(counted)) {
        verdict.decided = true;
        verdict.kind = decision->kind;
        verdict.result = decision->result;
        verdict.agreeing = decision->agreeing;
        verdict.dissenting = std::move(decision->dissenting);
    }
    return verdict;
}

Result<void, Void> Court::check_opening(const CallRecordOperation& operation) const {
    const CallRequest& request = operation.receipt->request;
    const DisputeOpening& opening = **operation.opening;
    if (opening.contract.id() != request.contract)
        return void_because("the opening names another contract than the call");
    if (!opening.contract.has(ContractSummary::open))
        return void_because("the contract does not allow that a dispute reveals arguments");
    if (request.by_rule)
        return void_because("the contract compares by a rule, which digests cannot decide");
    if (!opening.contract.has(ContractSummary::deterministic))
        return void_because("the contract does not promise equal results");
    const bool opens =
        salt_commitment(opening.salt) == request.salt_commitment &&
        salted_digest(HashDomain::arguments, opening.salt, as_bytes(opening.arguments)) ==
            request.arguments;
    if (!opens) return void_because("the opening does not fit the digests of the call");
    return {};
}

// --- disputes ---

void Court::open(
    const CallRecordOperation& operation, const CallId& call, MerkleMap& map, Session& session
) {
    const CallRequest& request = operation.receipt->request;
    Dispute dispute;
    dispute.call = call;
    dispute.caller = request.caller;
    dispute.opening = **operation.opening;
    dispute.opened = session.height;
    for (const Answer& answer : operation.receipt->answers) {
        if (counts(answer.provider))
            dispute.receipt.push_back({answer.provider, answer.kind, answer.result});
    }
    const auto offered = offered_by_.find(request.contract);
    if (dispute.receipt.empty() || offered == offered_by_.end()) return;
    // Whoever offered it before the epoch began did not know the call. If these are too few, as in a
    // network's first epoch, all that offer it now.
    const Epoch now = roster_->epoch();
    if (!seat_panel(dispute, offered->second, now) &&
        !seat_panel(dispute, offered->second, now.next()))
        return;
    const auto of_caller =
        static_cast<std::size_t>(std::count_if(disputes_.begin(), disputes_.end(), [&](auto& d) {
            return d.second.caller == request.caller;
        }));
    if (disputes_.size() >= most_.disputes || of_caller >= most_.disputes_per_caller) {
        return;
    }
    if (!dispute.awaits_draw) session.opened.push_back(as_open(dispute));
    map.set(dispute_key(call), encode_bytes(dispute));
    disputes_.emplace(call, std::move(dispute));
}

bool Court::seat_panel(Dispute& dispute, const std::map<Seat, Epoch>& offered, Epoch before) const {
    dispute.panel.clear();
    dispute.probation.clear();
    for (const auto& [seat, since] : offered) {
        const AgentId& agent = roster_->known(seat)->key;
        if (before <= since || !counts(agent)) continue;
        (reputation(agent).suspended() ? dispute.probation : dispute.panel).push_back(agent);
    }
    std::sort(dispute.panel.begin(), dispute.panel.end());
    std::sort(dispute.probation.begin(), dispute.probation.end());
    const auto m = static_cast<std::uint32_t>(dispute.panel.size());
    const std::uint32_t t = roster_->quorum().t;
    const auto drawn = drawn_bar(m, t);
    dispute.awaits_draw = drawn.has_value();
    dispute.bar = drawn.value_or(std::max(panel_bar(m), t + 1));
    return m >= least_panel(roster_->mode()) && dispute.bar <= m;
}

/// The block that is over now was proposed when the record was ordered already. [DISPUTE-DRAWN.1]
void Court::draw(Dispute& dispute, MerkleMap& map, Session& session) {
    const Digest lot = Hasher{HashDomain::panel}
                           .update(session.beacon)
                           .update(session.block.value())
                           .update(dispute.call.value())
                           .finish();
    dispute.panel = drawn_from(dispute.panel, lot);
    dispute.probation = drawn_from(dispute.probation, lot);
    dispute.awaits_draw = false;
    dispute.opened = session.height;
    session.opened.push_back(as_open(dispute));
    map.set(dispute_key(dispute.call), encode_bytes(dispute));
}

Result<void, Void> Court::answer(const DisputeAnswerOperation& operation, const AgentId& client) {
    const auto found = disputes_.find(operation.call);
    if (found == disputes_.end()) return void_because("no dispute about this call is open");
    if (!found->second.asks(client)) return void_because("its agent is not on the panel");
    if (excluded(client)) return void_because("its agent is excluded");
    if (!found->second.add({client, operation.kind, operation.result}))
        return void_because("its agent has answered already");
    touched_.insert(operation.call);
    return {};
}

void Court::end_block(MerkleMap& map, Session& session) {
    for (const CallId& call : std::exchange(touched_, {})) {
        const auto found = disputes_.find(call);
        if (found == disputes_.end()) continue;
        const Dispute& dispute = found->second;
        if (const auto decided = decision(dispute)) {
            close(dispute, *decided, map, session);
            map.erase(dispute_key(call));
            disputes_.erase(found);
        } else {
            map.set(dispute_key(call), encode_bytes(dispute));
        }
    }
    for (auto at = disputes_.begin(); at != disputes_.end();) {
        if (at->second.awaits_draw && at->second.opened < session.height)
            draw(at->second, map, session);
        if (session.height.value() < at->second.opened.value() + limits::dispute_blocks) {
            ++at;
            continue;
        }
        // It ends undecided: the record keeps what the receipt alone had shown.
        if (const Verdict* known = verdict(at->first))
            session.notices.emplace_back(VerdictReached{known->view()});
        map.erase(dispute_key(at->first));
        at = disputes_.erase(at);
    }
}

std::optional<Court::Decided> Court::decision(const Dispute& dispute) const {
    std::map<std::pair<AnswerKind, Digest>, std::vector<AgentId>> votes;
    for (const Dispute::Given& given : dispute.answers) {
        const bool on_panel =
            std::binary_search(dispute.panel.begin(), dispute.panel.end(), given.agent);
        if (on_panel && counts(given.agent))
            votes[{given.kind, given.result}].push_back(given.agent);
    }
    // The bar is over half the panel, so at most one value reaches it.
    for (auto& [value, agents] : votes) {
        if (agents.size() >= dispute.bar)
            return Decided{value.first, value.second, std::move(agents)};
    }
    return std::nullopt;
}

void Court::close(
    const Dispute& dispute, const Decided& decided, MerkleMap& map, Session& session
) {
    // One entry for each agent, however often it answered; one wrong answer makes it a dissent.
    std::map<AgentId, bool> agreed;
    for (const auto* list : {&dispute.receipt, &dispute.answers}) {
        for (const Dispute::Given& given : *list) {
            const bool right = given.kind == decided.kind && given.result == decided.result;
            const auto [place, first] = agreed.emplace(given.agent, right);
            if (!first) place->second = place->second && right;
        }
    }
    Verdict verdict = verdicts_.at(dispute.call);
    verdict.source = Verdict::Source::dispute;
    verdict.height = session.height;
    verdict.decided = true;
    verdict.kind = decided.kind;
    verdict.result = decided.result;
    verdict.agreeing = static_cast<std::uint32_t>(decided.agreeing.size());
    verdict.bar = dispute.bar;
    verdict.panel = static_cast<std::uint32_t>(dispute.panel.size());
    verdict.dissenting.clear();
    for (const auto& [agent, right] : agreed) {
        if (!counts(agent)) continue;
        if (!right) verdict.dissenting.push_back(agent);
        rate(agent, right, dispute.call, map, session);
    }
    session.notices.emplace_back(VerdictReached{verdict.view()});
    keep(std::move(verdict), map);
}

void Court::rate(
    const AgentId& agent, bool agreed, const CallId& call, MerkleMap& map, Session& session
) {
    Reputation& reputation = reputations_[agent];
    const bool before = reputation.suspended();
    if (agreed) {
        reputation.on_agreement();
    } else {
        reputation.on_dissent(call, session.height);
    }
    map.set(reputation_key(agent), encode_bytes(reputation));
    if (before || !reputation.suspended()) return;
    const Member* member = roster_->find(agent);
    session.notices.emplace_back(Suspended{
        agent,
        member == nullptr ? std::string{} : member->name,
        "answered otherwise than was decided in " + std::to_string(reputation.dissented) + " of " +
            std::to_string(reputation.agreed + reputation.dissented) + " disputes"});
}

/// Verdicts are kept in the order of their heights; the oldest make room.
void Court::keep(Verdict verdict, MerkleMap& map) {
    const CallId call = verdict.call;
    if (const Verdict* old = this->verdict(call)) recorded_.erase({old->height, call});
    recorded_.emplace(verdict.height, call);
    map.set(verdict_key(call), encode_bytes(verdict));
    verdicts_.insert_or_assign(call, std::move(verdict));
    while (recorded_.size() > most_.verdicts) {
        const CallId oldest = recorded_.begin()->second;
        recorded_.erase(recorded_.begin());
        verdicts_.erase(oldest);
        map.erase(verdict_key(oldest));
        if (disputes_.erase(oldest) == 1) map.erase(dispute_key(oldest));
    }
}

// --- reading ---

const Reputation& Court::reputation(const AgentId& agent) const {
    const auto found = reputations_.find(agent);
    return found == reputations_.end() ? start_ : found->second;
}

const Verdict* Court::verdict(const CallId& call) const {
    const auto found = verdicts_.find(call);
    return found == verdicts_.end() ? nullptr : &found->second;
}

std::vector<const Verdict*> Court::verdicts(std::size_t count) const {
    std::vector<const Verdict*> list;
    for (auto at = recorded_.rbegin(); at != recorded_.rend() && list.size() < count; ++at)
        list.push_back(&verdicts_.at(at->second));
    std::reverse(list.begin(), list.end());
    return list;
}

std::vector<OpenDispute> Court::open_disputes() const {
    std::vector<OpenDispute> list;
    for (const auto& [call, dispute] : disputes_)
        if (!dispute.awaits_draw) list.push_back(as_open(dispute));
    return list;
}

}  // namespace creto
