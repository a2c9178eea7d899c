#include "model/vote.hpp"

#include <algorithm>

namespace creto {

const char* to_string(VoteKind kind) {
    switch (kind) {
        case VoteKind::notarize:
            return "notarize";
        case VoteKind::nullify:
            return "nullify";
        case VoteKind::finalize:
            return "finalize";
        case VoteKind::bury:
            return "bury";
    }
    return "unknown";
}

bool can_be_buried(View base, View last) {
    if (base >= last) return false;
    std::uint64_t span = burial_span;
    while (span < last.value() - base.value() && span <= ~0ULL / burial_span)
        span *= burial_span;
    return span == last.value() - base.value() && last.value() % span == 0;
}

namespace {

Result<void> well_formed(
    const Certificate& certificate, const Roster& roster, std::uint32_t needed
) {
    const std::uint32_t n = roster.size();
    if (certificate.signers.size() != (n + 7) / 8) {
        return fail(ErrorCode::invalid, "certificate: the bitmap does not fit the roster");
    }
    const bool within = certificate.each_signer([n](std::uint32_t place) { return place < n; });
    if (!within) return fail(ErrorCode::invalid, "certificate: a bit names no member");
    const std::uint32_t bits = certificate.count();
    const bool joined = roster.vote_form() == VoteForm::joined;
    if (certificate.signatures.size() != (joined ? 1 : bits)) {
        return fail(ErrorCode::invalid, "certificate: signatures and bitmap differ in number");
    }
    const VoteContent& content = certificate.content;
    const bool bury = content.kind == VoteKind::bury;
    if (bits < needed) {
        return fail(
            ErrorCode::invalid,
            "certificate: " + std::to_string(bits) + " signers, it takes " + std::to_string(needed)
        );
    }
    const bool nullify = content.kind == VoteKind::nullify;
    if (content.view == View{} || (nullify || bury) != content.block.value().is_zero() ||
        (nullify && content.parent_view != View{}) ||
        (bury && !can_be_buried(content.parent_view, content.view)) ||
        (!nullify && content.parent_view >= content.view)) {
        return fail(ErrorCode::invalid, "certificate: no vote has this content");
    }
    return {};
}

}  // namespace

Result<void> well_formed(const Certificate& certificate, const Roster& roster) {
    const bool bury = certificate.content.kind == VoteKind::bury;
    return well_formed(certificate, roster, bury ? roster.quorum().t + 1 : roster.quorum().q);
}

Result<void> well_formed(const PartialCertificate& partial, const Roster& roster) {
    if (partial.votes.content.kind == VoteKind::bury)
        return fail(ErrorCode::invalid, "partial certificate: burials are not collected");
    return well_formed(partial.votes, roster, 1);
}

void join(Certificate& certificate, const Roster& roster, const Signer* joiner) {
    if (roster.vote_form() == VoteForm::list) return;
    CRETO_ASSERT(joiner != nullptr);
    const auto joined = joiner->join(certificate.signatures);
    CRETO_ASSERT(joined.has_value());
    certificate.signatures.assign(1, *joined);
}

Certificate unsigned_certificate(
    const VoteContent& content, const Roster& roster, std::size_t signatures
) {
    Certificate certificate{content, Bytes((roster.size() + 7) / 8), {}};
    certificate.signatures.reserve(signatures);
    return certificate;
}

Certificate make_certificate(
    const std::vector<Vote>& votes, const Roster& roster, const Signer* joiner
) {
    CRETO_ASSERT(!votes.empty());
    std::vector<std::pair<std::uint32_t, const Vote*>> by_index;
    by_index.reserve(votes.size());
    for (const Vote& vote : votes) {
        const auto index = roster.index_of(vote.seat);
        CRETO_ASSERT(index.has_value() && vote.content == votes.front().content);
        by_index.emplace_back(*index, &vote);
    }
    std::sort(by_index.begin(), by_index.end());
    Certificate certificate = unsigned_certificate(votes.front().content, roster, votes.size());
    for (const auto& [index, vote] : by_index) {
        CRETO_ASSERT(!certificate.signed_by(index));
        certificate.add(index, vote->signature);
    }
    join(certificate, roster, joiner);
    return certificate;
}

bool conflict(const VoteContent& a, const VoteContent& b) {
    if (a.epoch != b.epoch || a.view != b.view || a == b) return false;
    if (a.kind == VoteKind::bury || b.kind == VoteKind::bury) return false;
    if (a.kind == b.kind) return true;
    const auto either = [&](VoteKind x, VoteKind y) {
        return (a.kind == x && b.kind == y) || (a.kind == y && b.kind == x);
    };
    if (either(VoteKind::nullify, VoteKind::finalize)) return true;
    // A seat finalises only what it could have notarized: another block in the same view is a lie.
    return either(VoteKind::notarize, VoteKind::finalize) &&
           (a.block != b.block || a.parent_view != b.parent_view);
}

Bytes signing_bytes(const VoteContent& content) {
    return encode_bytes(content);
}

Bytes signed_vote(const ChainId& chain, const VoteContent& content) {
    Writer w;
    w.u8(static_cast<std::uint8_t>(SignDomain::vote));
    encode(w, chain);
    encode(w, content);
    return w.take();
}

void encode(Writer& w, const VoteContent& v) {
    w.u8(static_cast<std::uint8_t>(v.kind));
    encode(w, v.epoch);
    encode(w, v.view);
    encode(w, v.parent_view);
    encode(w, v.block);
}
void decode(Reader& r, VoteContent& v) {
    v.kind = static_cast<VoteKind>(r.kind(3));
    decode(r, v.epoch);
    decode(r, v.view);
    decode(r, v.parent_view);
    decode(r, v.block);
}

void encode(Writer& w, const Vote& v) {
    encode(w, v.content);
    encode(w, v.seat);
    encode(w, v.signature);
}
void decode(Reader& r, Vote& v) {
    decode(r, v.content);
    decode(r, v.seat);
    decode(r, v.signature);
}

void encode(Writer& w, const Certificate& v) {
    encode(w, v.content);
    w.bytes(v.signers);
    encode_list(w, v.signatures);
}
void decode(Reader& r, Certificate& v) {
    decode(r, v.content);
    const ByteView signers = r.bytes((limits::seats_max + 7) / 8);
    v.signers.assign(signers.begin(), signers.end());
    decode_list(r, v.signatures, limits::seats_max, Signature::size);
}

void encode(Writer& w, const PartialCertificate& v) {
    encode(w, v.votes);
}
void decode(Reader& r, PartialCertificate& v) {
    decode(r, v.votes);
}

}  // namespace creto
