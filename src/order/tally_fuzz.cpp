// A certificate passes the door exactly when a quorum of distinct members signed its very content,
// whatever the bits, signatures and views say; a tally agrees with plain sets.
#include <set>

#include "base/testing/fuzz_input.hpp"
#include "order/ordering.hpp"
#include "order/tally.hpp"
#include "order/testing/seats.hpp"

namespace {

using namespace creto;  // NOLINT(google-build-using-namespace): one program, one use
using creto::testing::FuzzInput;
using creto::testing::require;
using simplex::Tally;
using simplex::testing::block_id;
using simplex::testing::Seats;

constexpr std::uint32_t n = 7;
constexpr std::uint32_t q = 5;

VoteContent draw_content(FuzzInput& draws) {
    VoteContent content;
    content.kind = static_cast<VoteKind>(draws.below(3));
    content.epoch = Epoch{draws.below(8) == 0 ? 2U : 1U};
    content.view = View{draws.below(4)};
    const bool nullify = content.kind == VoteKind::nullify && draws.below(16) != 0;
    content.parent_view = View{nullify ? 0 : draws.below(3)};
    if (!nullify) content.block = block_id(draws.below(2) == 0 ? "a" : "b");
    return content;
}

/// What a vote of epoch 1 may say.
bool sane(const VoteContent& content) {
    const bool named = content.block != BlockId{};
    if (content.epoch != Epoch{1} || content.view == View{}) return false;
    if (content.kind == VoteKind::nullify) return !named && content.parent_view == View{};
    return named && content.parent_view < content.view;
}

void check_certificate(const Seats& seats, FuzzInput& draws) {
    Certificate certificate;
    certificate.content = draw_content(draws);
    const std::size_t length = draws.below(8) == 0 ? draws.below(3) : 1;
    for (std::size_t i = 0; i < length; ++i)
        certificate.signers.push_back(static_cast<std::uint8_t>(draws.below(256)));
    const VoteContent other = draw_content(draws);
    for (std::uint32_t i = draws.below(9); i > 0; --i) {
        const VoteContent& signed_content = draws.below(8) == 0 ? other : certificate.content;
        certificate.signatures.push_back(seats.vote(draws.below(n), signed_content).signature);
    }
    if (draws.below(2) == 0) {  // As a quorum would make it, then perhaps one thing changed.
        certificate.signatures.clear();
        for (std::uint32_t i = 0; i < n; ++i) {
            if (certificate.signed_by(i))
                certificate.signatures.push_back(seats.vote(i, certificate.content).signature);
        }
        if (draws.below(4) == 0 && !certificate.signatures.empty()) {
            const std::size_t which = draws.below(n) % certificate.signatures.size();
            certificate.signatures[which] = certificate.signatures.front();
        }
    }

    std::set<std::uint32_t> signers;
    bool all = certificate.signers.size() == 1;
    std::size_t next = 0;
    for (std::uint32_t i = 0; i < certificate.signers.size() * 8; ++i) {
        if (!certificate.signed_by(i)) continue;
        const bool holds =
            i < n && next < certificate.signatures.size() &&
            certificate.signatures[next] == seats.vote(i, certificate.content).signature;
        all = all && holds;
        ++next;
        signers.insert(i);
    }
    const bool expected = all && next == certificate.signatures.size() && signers.size() >= q &&
                          sane(certificate.content);
    const auto items = check_items(Message{certificate}, seats.roster);
    const bool passes = items && CheckPass::verify(seats.scheme, *items).has_value();
    require(passes == expected);
    const auto decoded = decode_message(*encode_message(Message{certificate}));
    require(!expected || (decoded && std::get<Certificate>(*decoded) == certificate));
}

void check_tally(const Seats& seats, FuzzInput& draws) {
    Tally tally{seats.roster};
    std::map<VoteContent, std::set<std::uint32_t>> votes;
    std::set<std::tuple<View, VoteKind, std::uint32_t>> said;
    View floor;
    while (!draws.empty()) {
        if (draws.below(32) == 0) {
            floor = std::max(floor, View{draws.below(3)});
            tally.forget_through(floor);
            continue;
        }
        const std::uint32_t member = draws.below(n);
        const VoteContent content = draw_content(draws);
        if (content.view <= floor || !sane(content)) continue;  // The core's own admission.
        const auto added = tally.add(seats.vote(member, content));
        const bool first = said.emplace(content.view, content.kind, member).second;
        require(added.counted == first);
        if (first) votes[content].insert(member);
        const bool completes = first && votes[content].size() == q;
        require(added.certificate.has_value() == completes);
        if (!completes) continue;
        require(added.certificate->content == content);
        require(well_formed(*added.certificate, seats.roster).has_value());
        for (std::uint32_t i = 0; i < n; ++i)
            require(added.certificate->signed_by(i) == votes[content].contains(i));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Seats seats{n};
    FuzzInput draws{ByteView{data, size}};
    if (draws.below(2) == 0) {
        check_certificate(seats, draws);
    } else {
        check_tally(seats, draws);
    }
    // And bytes as a peer would send them.
    if (const auto any = decode_exact<Certificate>(ByteView{data, size})) {
        const auto items = check_items(Message{*any}, seats.roster);
        const Quorum quorum = seats.roster.quorum();
        const bool buries = any->content.kind == VoteKind::bury;
        const std::uint32_t least = buries ? quorum.t + 1 : quorum.q;
        require(!items || !CheckPass::verify(seats.scheme, *items) || any->count() >= least);
    }
    return 0;
}
