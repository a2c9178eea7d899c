#include "state/final_receipt.hpp"

#include <algorithm>

#include "model/checks.hpp"
#include "state/state_limits.hpp"

namespace creto {

namespace {

tl::unexpected<Error> broken(const std::string& link) {
    return fail(ErrorCode::invalid, "receipt: " + link);
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

/// The caller asked this, and the providers answered this.
Result<void> check_answers(
    const QuorumReceipt& receipt, const Roster& roster, const SignatureScheme& scheme
) {
    if (auto form = well_formed(receipt, roster.chain()); !form) return form;
    const CallRequest& request = receipt.request;
    const auto asked = CheckPass::verify(
        scheme,
        {item(
            request.caller,
            SignDomain::call_request,
            roster,
            signing_bytes(request),
            request.signature
        )}
    );
    if (!asked) return broken("the caller did not sign the request");
    for (const Answer& answer : receipt.answers) {
        const auto answered = CheckPass::verify(
            scheme,
            {item(
                answer.provider,
                SignDomain::call_answer,
                roster,
                signing_bytes(answer),
                answer.signature
            )}
        );
        if (!answered)
            return broken("the answer of " + agent_text(answer.provider) + " is not signed by it");
    }
    return {};
}

/// What the verdict says follows from these answers, as far as they can show it: which seats were
/// excluded then, and what a dispute's panel answered, only the final order knows.
Result<void> check_verdict(
    const Verdict& verdict, const QuorumReceipt& receipt, const Roster& roster
) {
    const CallRequest& request = receipt.request;
    if (verdict.call != request.id(roster.chain())) return broken("the verdict is on another call");
    if (verdict.contract != request.contract)
        return broken("the verdict is on another contract than the call");
    if (verdict.source == Verdict::Source::dispute || !verdict.decided) return {};
    const auto agreeing = static_cast<std::size_t>(std::count_if(
        receipt.answers.begin(),
        receipt.answers.end(),
        [&](const Answer& answer) {
            return answer.kind == verdict.kind && answer.result == verdict.result &&
                   roster.find(answer.provider) != nullptr;
        }
    ));
    if (agreeing < verdict.agreeing || verdict.agreeing < request.bar)
        return broken("the answers shown do not carry the verdict");
    return {};
}

}  // namespace

Result<void> check_finalization(
    const Certificate& certificate,
    const Block& block,
    const Roster& roster,
    const SignatureScheme& scheme
) {
    if (certificate.content != block.content(VoteKind::finalize))
        return broken("the certificate does not finalise the block");
    if (auto form = well_formed(certificate, roster); !form) return form;
    std::vector<CheckItem> items;
    const Bytes message = signing_bytes(certificate.content);
    for (std::uint32_t i = 0; i < roster.size(); ++i) {
        if (!certificate.signed_by(i)) continue;
        items.push_back(item(
            roster.members()[i].key,
            SignDomain::vote,
            roster,
            message,
            certificate.signatures[items.size()]
        ));
    }
    if (!CheckPass::verify(scheme, items))
        return broken("a signature of the certificate does not hold");
    return {};
}

Result<FinalDecision> verify(
    const FinalReceipt& receipt, const Roster& roster, const SignatureScheme& scheme
) {
    const auto failed = [](const auto& result) { return tl::unexpected<Error>(result.error()); };
    if (auto good = check_answers(receipt.receipt, roster, scheme); !good) return failed(good);
    auto verdict = decode_named<Verdict>(receipt.verdict, "receipt: verdict");
    if (!verdict) return failed(verdict);
    if (auto good = check_verdict(*verdict, receipt.receipt, roster); !good) return failed(good);
    const ExecutedMark& executed = receipt.block.executed;
    if (!verify(
            executed.state_root,
            verdict_key(verdict->call),
            ByteView{receipt.verdict},
            receipt.proof
        ) ||
        executed.height < verdict->height) {
        return broken("the state that the block names does not hold the verdict");
    }
    if (auto good = check_finalization(receipt.finalization, receipt.block, roster, scheme); !good)
        return failed(good);
    return FinalDecision{
        .verdict = std::move(*verdict),
        .anchored = executed.height,
        .block = receipt.block.id(),
        .seats = receipt.finalization.count(),
        .mode = roster.mode()};
}

void encode(Writer& w, const FinalReceipt& v) {
    encode(w, v.receipt);
    w.bytes(v.verdict);
    encode(w, v.proof);
    encode(w, v.block);
    encode(w, v.finalization);
}

void decode(Reader& r, FinalReceipt& v) {
    decode(r, v.receipt);
    const ByteView verdict = r.bytes(limits::verdict_bytes_max);
    v.verdict.assign(verdict.begin(), verdict.end());
    decode(r, v.proof);
    decode(r, v.block);
    decode(r, v.finalization);
}

}  // namespace creto
