#include "sim/third_party.hpp"

#include <tuple>

namespace creto {
namespace {

class ThirdParty {
public:
    ThirdParty(const Genesis& genesis, const SignatureScheme& scheme)
        : genesis_{genesis},
          scheme_{scheme},
          chain_{hash(HashDomain::genesis, encode_bytes(genesis))} {}

    Result<AgentId> operator()(const VoteConflict& proof) const {
        const Member* member = member_at(proof.a.seat);
        if (member == nullptr || proof.a.seat != proof.b.seat)
            return refuse("two votes, but not of one seat of the genesis");
        if (!excludes(proof.a.content, proof.b.content))
            return refuse("a correct seat may sign both votes");
        for (const Vote* vote : {&proof.a, &proof.b})
            if (!holds(member->key, SignDomain::vote, encode_bytes(vote->content), vote->signature))
                return refuse("a vote's signature does not hold");
        return member->key;
    }
    Result<AgentId> operator()(const LaneFork& proof) const {
        const VertexHeader& a = proof.a.header;
        const VertexHeader& b = proof.b.header;
        const Member* member = member_at(a.lane.seat);
        if (member == nullptr || a.lane != b.lane || a.sequence != b.sequence)
            return refuse("two vertices, but not at one place of a lane");
        if (encode_bytes(a) == encode_bytes(b)) return refuse("one vertex, shown twice");
        for (const SignedHeader* top : {&proof.a, &proof.b})
            if (!holds(member->key, SignDomain::vertex, signing_bytes(top->header), top->signature))
                return refuse("a vertex's signature does not hold");
        return member->key;
    }
    Result<AgentId> operator()(const AnswerConflict& proof) const {
        const bool must_be_equal = (proof.contract.flags & ContractSummary::deterministic) != 0 &&
                                   (proof.contract.flags & ContractSummary::pinned) != 0;
        if (!must_be_equal) return refuse("the contract does not promise equal results");
        const AgentId& accused = proof.a.answer.provider;
        if (proof.b.answer.provider != accused) return refuse("the answers are of two providers");
        const auto said = [](const RevealedAnswer& side) {
            return std::tie(side.answer.kind, side.result);
        };
        if (said(proof.a) == said(proof.b)) return refuse("both answers are the same");
        for (const RevealedAnswer* side : {&proof.a, &proof.b})
            if (auto opened = opens(*side, proof); !opened)
                return tl::unexpected<Error>(opened.error());
        return accused;
    }

private:
    static Result<AgentId> refuse(const char* why) { return fail(ErrorCode::invalid, why); }

    [[nodiscard]] const Member* member_at(Seat seat) const {
        for (const Member& member : genesis_.members)
            if (member.seat == seat) return &member;
        return nullptr;
    }
    [[nodiscard]] bool holds(
        const PublicKey& key, SignDomain domain, ByteView message, const Signature& signature
    ) const {
        return scheme_.verify(key, signed_bytes(domain, chain_, message), signature);
    }
    /// One notarize, and one of finalize and nullify, for a view; the finalize for what was
    /// notarized. To bury views is no vote about any of them.
    static bool excludes(const VoteContent& a, const VoteContent& b) {
        if (a.kind == VoteKind::bury || b.kind == VoteKind::bury) return false;
        if (a.epoch != b.epoch || a.view != b.view) return false;
        const bool is_same_block =
            std::tie(a.block, a.parent_view) == std::tie(b.block, b.parent_view);
        if (a.kind == b.kind) return !is_same_block;
        const bool nullifies = a.kind == VoteKind::nullify || b.kind == VoteKind::nullify;
        const bool finalizes = a.kind == VoteKind::finalize || b.kind == VoteKind::finalize;
        return finalizes && (nullifies || !is_same_block);
    }
    /// What is shown in clear is what was signed.
    [[nodiscard]] Result<void> opens(const RevealedAnswer& side, const AnswerConflict& proof)
        const {
        const auto no = [](const char* why) { return fail(ErrorCode::invalid, why); };
        const CallRequest& request = side.request;
        if (request.contract != proof.contract.id()) return no("the call is of another contract");
        if (request.id(ChainId{chain_}) != side.answer.call)
            return no("the answer is to another call");
        if (request.salt_commitment != salt_commitment(side.salt)) return no("the salt is another");
        if (request.arguments !=
            salted_digest(HashDomain::arguments, side.salt, as_bytes(proof.arguments)))
            return no("the call was made with other arguments");
        if (side.answer.result !=
            salted_digest(HashDomain::result, side.salt, as_bytes(side.result)))
            return no("the provider signed another result");
        if (!holds(
                request.caller, SignDomain::call_request, signing_bytes(request), request.signature
            ))
            return no("the caller's signature does not hold");
        if (!holds(
                side.answer.provider,
                SignDomain::call_answer,
                signing_bytes(side.answer),
                side.answer.signature
            ))
            return no("the provider's signature does not hold");
        return {};
    }

    const Genesis& genesis_;
    const SignatureScheme& scheme_;
    Digest chain_;
};

}  // namespace

Result<AgentId> judge_proof(ByteView proof, const Genesis& genesis, const SignatureScheme& scheme) {
    Reader reader{proof};
    Evidence evidence;
    decode(reader, evidence);
    if (reader.finish() != DecodeError::none) return fail(ErrorCode::invalid, "not a proof");
    return std::visit(ThirdParty{genesis, scheme}, evidence);
}

}  // namespace creto
