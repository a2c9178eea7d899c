#include "state/final_receipt.hpp"

#include <algorithm>

#include "model/checks.hpp"
#include "model/light.hpp"
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

std::string end_of(Epoch epoch) {
    return "the link at the end of epoch " + std::to_string(epoch.value());
}

/// The rosters that the links prove, each in force from its epoch on; the first is the one known.
Result<std::vector<Roster>> rosters_of(
    const FinalReceipt& receipt, const Roster& known, const SignatureScheme& scheme
) {
    std::vector<Roster> rosters{known};
    for (const RosterLink& link : receipt.links) {
        const Roster& before = rosters.back();
        const Epoch ends = link.boundary.epoch;
        // Otherwise it would be passed over.
        if (ends < before.epoch()) return broken(end_of(ends) + " is out of order");
        if (ends >= receipt.block.epoch) return broken(end_of(ends) + " is later than the block");
        auto proven = follow_links(before, {&link, 1}, link.epoch());
        if (!proven) {
            const std::string& why = proven.error().message;
            if (why.starts_with(end_of(ends))) return broken(why);
            return broken(end_of(ends) + ": " + why + "; a link may be missing");
        }
        if (!CheckPass::verify(scheme, proven->items)) {
            return broken(
                end_of(ends) + " is not signed by those who voted then, as " +
                (rosters.size() == 1 ? "the genesis says" : "the links before it say") +
                "; a link may be missing"
            );
        }
        if (proven->roster.digest() == before.digest())
            return broken(end_of(ends) + " changes nothing");
        rosters.push_back(std::move(proven->roster));
    }
    return rosters;
}

Roster in_epoch(const std::vector<Roster>& rosters, Epoch epoch) {
    const Roster* found = &rosters.front();
    for (const Roster& roster : rosters) {
        if (roster.epoch() <= epoch) found = &roster;
    }
    return found->in_epoch(epoch);
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
    const Roster voting = roster.in_epoch(block.epoch);
    const auto items = signatures_of(certificate, voting);
    if (!items) return tl::unexpected<Error>(items.error());
    if (!CheckPass::verify(scheme, *items))
        return broken("a signature of the certificate does not hold");
    return {};
}

Result<FinalDecision> verify(
    const FinalReceipt& receipt, const Roster& roster, const SignatureScheme& scheme
) {
    const auto failed = [](const auto& result) { return tl::unexpected<Error>(result.error()); };
    if (receipt.block.epoch != roster.epochs().of(receipt.block.height))
        return broken("the block is of another epoch than its height");
    if (auto good = check_answers(receipt.receipt, roster, scheme); !good) return failed(good);
    auto verdict = decode_named<Verdict>(receipt.verdict, "receipt: verdict");
    if (!verdict) return failed(verdict);
    const auto rosters = rosters_of(receipt, roster, scheme);
    if (!rosters) return failed(rosters);
    // Later than the block it cannot have been: its height is compared below.
    const Epoch judged = std::min(roster.epochs().of(verdict->height), receipt.block.epoch);
    const Roster judging = in_epoch(*rosters, judged);
    if (auto good = check_verdict(*verdict, receipt.receipt, judging); !good) return failed(good);
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
    const Roster voting = in_epoch(*rosters, receipt.block.epoch);
    if (auto good = check_finalization(receipt.finalization, receipt.block, voting, scheme);
        !good) {
        const bool changes = roster.epochs().have_end() && receipt.block.epoch > Epoch{2};
        if (!changes) return failed(good);
        return fail(
            good.error().code,
            good.error().message + "; the block is of epoch " +
                std::to_string(receipt.block.epoch.value()) +
                ": if the roster has changed since the last link shown, a link is missing"
        );
    }
    const auto seated = static_cast<std::uint32_t>(std::count_if(
        receipt.receipt.answers.begin(),
        receipt.receipt.answers.end(),
        [&](const Answer& answer) { return judging.find(answer.provider) != nullptr; }
    ));
    return FinalDecision{
        .verdict = std::move(*verdict),
        .anchored = executed.height,
        .block = receipt.block.id(),
        .seats = receipt.finalization.count(),
        .voters = voting.size(),
        .answers_of_seats = seated,
        .epoch = receipt.block.epoch,
        .mode = roster.mode()};
}

void encode(Writer& w, const FinalReceipt& v) {
    encode(w, v.receipt);
    w.bytes(v.verdict);
    encode(w, v.proof);
    encode(w, v.block);
    encode(w, v.finalization);
    if (!v.links.empty()) encode_list(w, v.links);
}

void decode(Reader& r, FinalReceipt& v) {
    decode(r, v.receipt);
    const ByteView verdict = r.bytes(limits::verdict_bytes_max);
    v.verdict.assign(verdict.begin(), verdict.end());
    decode(r, v.proof);
    decode(r, v.block);
    decode(r, v.finalization);
    v.links.clear();
    if (r.left() == 0) return;
    decode_list(r, v.links, limits::roster_links_max, 100);
    if (v.links.empty()) r.fail(DecodeError::bad_value);
}

}  // namespace creto
