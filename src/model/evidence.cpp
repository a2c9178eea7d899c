#include "model/evidence.hpp"

namespace creto {

namespace {

struct Contradicts {
    const Roster& roster;

    Result<void> operator()(const VoteConflict& v) const {
        if (v.a.seat != v.b.seat || roster.known(v.a.seat) == nullptr) {
            return fail(
                ErrorCode::invalid, "evidence: the votes are not of one seat of the roster"
            );
        }
        if (!conflict(v.a.content, v.b.content)) {
            return fail(ErrorCode::invalid, "evidence: a correct seat may sign both votes");
        }
        return {};
    }
    Result<void> operator()(const LaneFork& v) const {
        if (v.a.header.lane != v.b.header.lane || v.a.header.sequence != v.b.header.sequence ||
            roster.known(v.a.header.lane.seat) == nullptr) {
            return fail(
                ErrorCode::invalid, "evidence: the vertices are not of one place in a lane"
            );
        }
        if (v.a.header == v.b.header) {
            return fail(ErrorCode::invalid, "evidence: both vertices are the same");
        }
        return {};
    }
    Result<void> operator()(const AnswerConflict& v) const {
        if (!v.contract.has(ContractSummary::deterministic | ContractSummary::pinned)) {
            return fail(
                ErrorCode::invalid, "evidence: the contract does not promise equal results"
            );
        }
        if (v.contract.has(ContractSummary::by_rule)) {
            return fail(
                ErrorCode::invalid, "evidence: the contract may take different results for the same"
            );
        }
        if (v.a.answer.provider != v.b.answer.provider) {
            return fail(ErrorCode::invalid, "evidence: the answers are not of one provider");
        }
        if (v.a.result == v.b.result && v.a.answer.kind == v.b.answer.kind) {
            return fail(ErrorCode::invalid, "evidence: both answers are the same");
        }
        const ContractId contract = v.contract.id();
        for (const RevealedAnswer* side : {&v.a, &v.b}) {
            const bool opens =
                side->request.contract == contract &&
                side->request.id(roster.chain()) == side->answer.call &&
                salt_commitment(side->salt) == side->request.salt_commitment &&
                salted_digest(HashDomain::arguments, side->salt, as_bytes(v.arguments)) ==
                    side->request.arguments &&
                salted_digest(HashDomain::result, side->salt, as_bytes(side->result)) ==
                    side->answer.result;
            if (!opens) {
                return fail(
                    ErrorCode::invalid, "evidence: a digest does not open to what is shown"
                );
            }
        }
        return {};
    }
};

void encode(Writer& w, const VoteConflict& v) {
    encode(w, v.a);
    encode(w, v.b);
}
void decode(Reader& r, VoteConflict& v) {
    decode(r, v.a);
    decode(r, v.b);
}
void encode(Writer& w, const LaneFork& v) {
    encode(w, v.a);
    encode(w, v.b);
}
void decode(Reader& r, LaneFork& v) {
    decode(r, v.a);
    decode(r, v.b);
}
void encode(Writer& w, const RevealedAnswer& v) {
    encode(w, v.request);
    encode(w, v.answer);
    w.raw(v.salt);
    w.text(v.result);
}
void decode(Reader& r, RevealedAnswer& v) {
    decode(r, v.request);
    decode(r, v.answer);
    const ByteView salt = r.raw(v.salt.size());
    std::copy(salt.begin(), salt.end(), v.salt.begin());
    v.result = r.text(limits::operation_bytes_max);
}
void encode(Writer& w, const AnswerConflict& v) {
    encode(w, v.contract);
    w.text(v.arguments);
    encode(w, v.a);
    encode(w, v.b);
}
void decode(Reader& r, AnswerConflict& v) {
    decode(r, v.contract);
    v.arguments = r.text(limits::operation_bytes_max);
    decode(r, v.a);
    decode(r, v.b);
}

CheckItem item(
    const PublicKey& key,
    SignDomain domain,
    const Roster& roster,
    ByteView message,
    const Signature& signature
) {
    return {key, signed_bytes(domain, roster.chain().value(), message), signature};
}

}  // namespace

Result<void> contradicts(const Evidence& evidence, const Roster& roster) {
    return std::visit(Contradicts{roster}, evidence);
}

Result<AgentId> culprit(const Evidence& evidence, const Roster& roster) {
    if (auto form = contradicts(evidence, roster); !form)
        return tl::unexpected<Error>(form.error());
    if (const auto* votes = std::get_if<VoteConflict>(&evidence))
        return roster.known(votes->a.seat)->key;
    if (const auto* fork = std::get_if<LaneFork>(&evidence)) {
        return roster.known(fork->a.header.lane.seat)->key;
    }
    return std::get<AnswerConflict>(evidence).a.answer.provider;
}

std::vector<CheckItem> signatures_of(const Evidence& evidence, const Roster& roster) {
    std::vector<CheckItem> items;
    if (const auto* votes = std::get_if<VoteConflict>(&evidence)) {
        const PublicKey& key = roster.known(votes->a.seat)->key;
        for (const Vote* vote : {&votes->a, &votes->b}) {
            items.push_back(
                item(key, SignDomain::vote, roster, signing_bytes(vote->content), vote->signature)
            );
        }
    } else if (const auto* fork = std::get_if<LaneFork>(&evidence)) {
        const PublicKey& key = roster.known(fork->a.header.lane.seat)->key;
        for (const SignedHeader* top : {&fork->a, &fork->b}) {
            items.push_back(
                item(key, SignDomain::vertex, roster, signing_bytes(top->header), top->signature)
            );
        }
    } else {
        const auto& answers = std::get<AnswerConflict>(evidence);
        for (const RevealedAnswer* side : {&answers.a, &answers.b}) {
            items.push_back(item(
                side->request.caller,
                SignDomain::call_request,
                roster,
                signing_bytes(side->request),
                side->request.signature
            ));
            items.push_back(item(
                side->answer.provider,
                SignDomain::call_answer,
                roster,
                signing_bytes(side->answer),
                side->answer.signature
            ));
        }
    }
    return items;
}

void encode(Writer& w, const Evidence& v) {
    w.u8(static_cast<std::uint8_t>(v.index()));
    std::visit([&w](const auto& e) { encode(w, e); }, v);
}
void decode(Reader& r, Evidence& v) {
    switch (r.kind(2)) {
        case 0:
            decode(r, v.emplace<VoteConflict>());
            break;
        case 1:
            decode(r, v.emplace<LaneFork>());
            break;
        default:
            decode(r, v.emplace<AnswerConflict>());
            break;
    }
}

}  // namespace creto
