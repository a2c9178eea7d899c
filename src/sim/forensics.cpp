#include "sim/forensics.hpp"

#include <algorithm>

#include "model/message.hpp"
#include "sim/third_party.hpp"

namespace creto {

void Forensics::on_message(ByteView bytes) {
    const auto message = decode_message(bytes);
    if (!message) return;
    if (const auto* certificate = std::get_if<Certificate>(&*message)) on_certificate(*certificate);
    const auto* answer = std::get_if<ChainAnswer>(&*message);
    if (answer != nullptr && answer->finalization) on_certificate(*answer->finalization);
}

void Forensics::on_certificate(const Certificate& certificate) {
    auto& held = by_view_[certificate.content.view];
    const auto is_same = [&](const Certificate& other) {
        return other.content == certificate.content && other.signers == certificate.signers;
    };
    if (std::any_of(held.begin(), held.end(), is_same)) return;
    for (const Certificate& other : held)
        compare(other, certificate);
    held.push_back(certificate);
    if (by_view_.size() > views_kept) by_view_.erase(by_view_.begin());
}

void Forensics::compare(const Certificate& a, const Certificate& b) {
    if (a.content == b.content) return;
    const auto first = votes_of(a);
    const auto second = votes_of(b);
    for (std::size_t i = 0; i < first.size(); ++i) {
        if (!first[i] || !second[i]) continue;
        const Evidence proof{VoteConflict{*first[i], *second[i]}};
        const auto accused = judge_proof(encode_bytes(proof), genesis_, scheme_);
        if (!accused) continue;
        culprits_.insert(*accused);
        clashes_.insert(a.content.view);
    }
}

/// By place in the genesis.
std::vector<std::optional<Vote>> Forensics::votes_of(const Certificate& certificate) const {
    std::vector<std::optional<Vote>> out(genesis_.members.size());
    if (genesis_.vote_form == VoteForm::joined) return out;  // Nobody's vote stands alone.
    std::size_t next = 0;
    for (std::uint32_t i = 0; i < out.size(); ++i)
        if (certificate.signed_by(i) && next < certificate.signatures.size())
            out[i] =
                Vote{certificate.content, genesis_.members[i].seat, certificate.signatures[next++]};
    return out;
}

}  // namespace creto
