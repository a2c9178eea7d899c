#include "order/tally.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

#include "base/prng.hpp"
#include "model/light.hpp"
#include "order/testing/seats.hpp"

namespace creto::simplex {
namespace {

using testing::block_id;
using testing::Index;
using testing::Seats;

VoteContent notarize(std::uint64_t view, const char* block) {
    return Seats::content(VoteKind::notarize, view, 0, block_id(block));
}
VoteContent finalize(std::uint64_t view, const char* block) {
    return Seats::content(VoteKind::finalize, view, 0, block_id(block));
}

// [ORD-C0.1]
TEST(Tally, FormsOneCertificateAtTheQuorum) {
    for (const auto& [n, mode] : std::vector<std::pair<Index, QuorumMode>>{
             {4, QuorumMode::byzantine},
             {6, QuorumMode::byzantine},
             {7, QuorumMode::byzantine},
             {3, QuorumMode::crash},
             {5, QuorumMode::crash}}) {
        const Seats seats{n, mode};
        Tally tally{seats.roster};
        // The oracle's own arithmetic: two quorums share a liar's worth and one more.
        const Index q = mode == QuorumMode::byzantine ? n - (n - 1) / 3 : n / 2 + 1;
        for (Index i = 0; i < n; ++i) {
            const auto added = tally.add(seats.vote(n - 1 - i, notarize(1, "a")));
            EXPECT_TRUE(added.counted);
            EXPECT_EQ(added.certificate.has_value(), i + 1 == q) << "n " << n << ", vote " << i;
            if (!added.certificate) continue;
            EXPECT_TRUE(well_formed(*added.certificate, seats.roster).has_value());
            EXPECT_EQ(*added.certificate, seats.certificate(notarize(1, "a"), n - q));
        }
    }
}

TEST(Tally, CountsASeatOnce) {
    const Seats seats{4};
    Tally tally{seats.roster};
    for (int k = 0; k < 5; ++k) {
        const auto added = tally.add(seats.vote(0, notarize(1, "a")));
        EXPECT_EQ(added.counted, k == 0);
        EXPECT_FALSE(added.certificate || added.proof);
    }
}

TEST(Tally, CountsKindsViewsAndContentsApart) {
    const Seats seats{4};
    Tally tally{seats.roster};
    EXPECT_FALSE(tally.add(seats.vote(0, notarize(1, "a"))).certificate);
    EXPECT_FALSE(tally.add(seats.vote(1, notarize(1, "b"))).certificate);
    EXPECT_FALSE(tally.add(seats.vote(2, notarize(2, "a"))).certificate);
    EXPECT_FALSE(tally.add(seats.vote(3, finalize(1, "a"))).certificate);
    EXPECT_FALSE(tally.add(seats.vote(2, Seats::nullify(1))).certificate);
    EXPECT_FALSE(tally.add(seats.vote(2, notarize(1, "a"))).certificate);
    EXPECT_TRUE(tally.add(seats.vote(3, notarize(1, "a"))).certificate);
    EXPECT_EQ(tally.nullify_count(View{1}), 1U);
    EXPECT_EQ(tally.nullify_count(View{2}), 0U);
}

// Equal block on another parent is another vote.
TEST(Tally, TheParentViewIsPartOfTheContent) {
    const Seats seats{4};
    Tally tally{seats.roster};
    const auto on = [](std::uint64_t parent) {
        return Seats::content(VoteKind::notarize, 5, parent, block_id("a"));
    };
    EXPECT_FALSE(tally.add(seats.vote(0, on(4))).certificate);
    EXPECT_FALSE(tally.add(seats.vote(1, on(4))).certificate);
    EXPECT_FALSE(tally.add(seats.vote(2, on(3))).certificate);
    EXPECT_TRUE(tally.add(seats.vote(3, on(4))).certificate);
}

// ava#546: a second, unverified vote replaced a verified one and poisoned the certificate.
// [ORD-A1.2]
TEST(Tally, TheFirstVoteOfASeatStaysAndTheSecondIsProof) {
    const Seats seats{4};
    Tally tally{seats.roster};
    const Vote first = seats.vote(0, notarize(1, "a"));
    const Vote second = seats.vote(0, notarize(1, "b"));
    EXPECT_TRUE(tally.add(first).counted);
    const auto added = tally.add(second);
    EXPECT_FALSE(added.counted);
    ASSERT_TRUE(added.proof);
    EXPECT_EQ(*added.proof, (VoteConflict{first, second}));
    EXPECT_TRUE(tally.accused(View{1}, 0));
    EXPECT_FALSE(tally.accused(View{1}, 1) || tally.accused(View{2}, 0));
    EXPECT_FALSE(tally.add(seats.vote(0, notarize(1, "c"))).proof) << "once a view and seat";
    EXPECT_EQ(*tally.content(View{1}, VoteKind::notarize, 0), first.content);
    EXPECT_FALSE(tally.add(seats.vote(1, notarize(1, "a"))).certificate);
    EXPECT_EQ(
        tally.add(seats.vote(2, notarize(1, "a"))).certificate,
        seats.certificate(notarize(1, "a"), 0, 2)
    );
}

TEST(Tally, ProvesWhatNoCorrectSeatSignsTogether) {
    const Seats seats{4};
    const auto proves = [&](const VoteContent& a, const VoteContent& b) {
        Tally tally{seats.roster};
        EXPECT_FALSE(tally.add(seats.vote(0, a)).proof);
        return tally.add(seats.vote(0, b)).proof.has_value();
    };
    EXPECT_TRUE(proves(Seats::nullify(1), finalize(1, "a")));
    EXPECT_TRUE(proves(finalize(1, "a"), Seats::nullify(1)));
    EXPECT_TRUE(proves(notarize(1, "a"), finalize(1, "b")));
    EXPECT_TRUE(proves(finalize(1, "a"), finalize(1, "b")));
    EXPECT_FALSE(proves(notarize(1, "a"), finalize(1, "a")));
    EXPECT_FALSE(proves(notarize(1, "a"), Seats::nullify(1)));
    EXPECT_FALSE(proves(Seats::nullify(1), notarize(1, "a")));
    EXPECT_FALSE(proves(notarize(1, "a"), notarize(2, "b")));
}

TEST(Tally, ForgetsSettledViews) {
    const Seats seats{4};
    Tally tally{seats.roster};
    for (std::uint64_t view = 1; view <= 100; ++view)
        tally.add(seats.vote(0, notarize(view, "a")));
    tally.forget_through(View{90});
    EXPECT_EQ(tally.views_held(), 10U);
    EXPECT_EQ(tally.content(View{90}, VoteKind::notarize, 0), nullptr);
    EXPECT_NE(tally.content(View{91}, VoteKind::notarize, 0), nullptr);
}

TEST(Tally, BeginsAnewInTheMemoryOfASettledView) {
    const Seats seats{4};
    Tally tally{seats.roster};
    tally.add(seats.vote(0, notarize(1, "a")));
    EXPECT_TRUE(tally.add(seats.vote(0, notarize(1, "b"))).proof);
    tally.add(seats.vote(1, finalize(1, "a")));
    tally.forget_through(View{1});
    const auto added = tally.add(seats.vote(1, notarize(2, "b")));
    EXPECT_TRUE(added.counted && !added.proof && !added.certificate);
    EXPECT_EQ(tally.content(View{2}, VoteKind::notarize, 0), nullptr);
    EXPECT_EQ(tally.content(View{2}, VoteKind::finalize, 1), nullptr);
    EXPECT_FALSE(tally.accused(View{2}, 0));
    EXPECT_EQ(tally.votes_of(1).size(), 1U);
}

// Against a tally of plain sets, for random votes of random seats.
TEST(Tally, AgreesWithPlainSets) {
    const Seats seats{7};
    Prng prng{3};
    for (int run = 0; run < 200; ++run) {
        Tally tally{seats.roster};
        std::map<VoteContent, std::set<Index>> votes;
        std::set<std::tuple<View, VoteKind, Index>> taken;
        std::map<VoteContent, int> announced;
        for (int step = 0; step < 120; ++step) {
            const auto i = static_cast<Index>(prng.below(7));
            const std::uint64_t view = prng.between(1, 3);
            const char* block = prng.chance(1, 8) ? "b" : "a";
            VoteContent content = Seats::nullify(view);
            if (const auto kind = prng.below(3); kind == 0) {
                content = notarize(view, block);
            } else if (kind == 1) {
                content = finalize(view, block);
            }
            const auto added = tally.add(seats.vote(i, content));
            const bool fresh = taken.emplace(content.view, content.kind, i).second;
            EXPECT_EQ(added.counted, fresh);
            if (fresh) votes[content].insert(i);
            const bool completes = fresh && votes[content].size() == 5;
            EXPECT_EQ(added.certificate.has_value(), completes);
            announced[content] += completes ? 1 : 0;
            EXPECT_LE(announced[content], 1);
        }
    }
}

// [ORD-V1.4] Whatever parts come, in whatever order, a vote counts once, and what is made holds.
TEST(Tally, MakesCertificatesOfPartsThatOverlap) {
    for (const VoteForm form : {VoteForm::list, VoteForm::joined}) {
        const Seats seats{13, QuorumMode::byzantine, 0, 0, 1, limits::checkpoint_blocks, 0, form};
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            SCOPED_TRACE("seed " + std::to_string(seed));
            Prng prng{seed};
            Tally tally{seats.roster, seats.signers[0].get()};
            const VoteContent content = notarize(1, "a");
            std::set<Index> offered;
            std::uint32_t certificates = 0;
            for (int step = 0; step < 60; ++step) {
                std::optional<Certificate> made;
                if (prng.chance(1, 3)) {
                    const auto one = static_cast<Index>(prng.below(13));
                    offered.insert(one);
                    made = tally.add(seats.vote(one, content)).certificate;
                } else {
                    // Of one of three groups, as some have heard of it.
                    const auto group = static_cast<Index>(prng.below(3));
                    std::vector<Index> members;
                    for (Index i = group; i < 13; i += 3)
                        if (prng.chance(2, 3)) members.push_back(i);
                    if (members.empty()) continue;
                    offered.insert(members.begin(), members.end());
                    const PartialCertificate partial = seats.partial(content, members);
                    ASSERT_TRUE(well_formed(partial, seats.roster).has_value());
                    auto added = tally.add(partial);
                    EXPECT_TRUE(added.proofs.empty());
                    EXPECT_LE(added.counted, members.size());
                    made = std::move(added.certificate);
                }
                if (!made) continue;
                ++certificates;
                const auto items = signatures_of(*made, seats.roster);
                ASSERT_TRUE(items.has_value()) << items.error().message;
                EXPECT_TRUE(CheckPass::verify(seats.scheme, *items).has_value());
                for (Index i = 0; i < 13; ++i) {
                    if (made->signed_by(i)) {
                        EXPECT_TRUE(offered.contains(i));
                    }
                }
            }
            if (certificates > 0) {
                EXPECT_GE(offered.size(), seats.roster.quorum().q);
            }
            if (form == VoteForm::list) {
                EXPECT_LE(certificates, 1U);
            }
        }
    }
}

// [ORD-V1.4] Failure 36: keys that cancel each other out, one vote twice, votes under another's name.
TEST(Tally, AJoinedSignatureIsThatOfExactlyThoseWhoseBitsAreSet) {
    const Seats seats{
        7, QuorumMode::byzantine, 0, 0, 1, limits::checkpoint_blocks, 0, VoteForm::joined};
    const VoteContent content = notarize(1, "a");
    const auto holds = [&](const PartialCertificate& partial) {
        const auto items = signatures_of(partial, seats.roster);
        return items.has_value() && CheckPass::verify(seats.scheme, *items).has_value();
    };
    const PartialCertificate good = seats.partial(content, {1, 2, 4});
    EXPECT_TRUE(holds(good));
    PartialCertificate bad = good;
    bad.votes.signers[0] = 0b0001'0010;  // One fewer than have signed.
    EXPECT_FALSE(holds(bad));
    bad.votes.signers[0] = 0b0011'0110;  // One more.
    EXPECT_FALSE(holds(bad));
    bad.votes.signers[0] = 0b0010'0110;  // Another.
    EXPECT_FALSE(holds(bad));
    bad = good;
    bad.votes.signers[0] = 0;  // Nobody, with a signature of nothing.
    bad.votes.signatures = {Signature{}};
    EXPECT_FALSE(holds(bad));
    bad = good;
    bad.votes.signatures.push_back(bad.votes.signatures.front());
    EXPECT_FALSE(holds(bad));
    bad.votes.signatures.clear();
    EXPECT_FALSE(holds(bad));
    bad = good;
    // One vote twice is not one vote.
    const Signature once = seats.vote(1, content).signature;
    bad.votes.signers[0] = 0b0000'0010;
    bad.votes.signatures = {*seats.signers[0]->join(std::vector{once, once})};
    EXPECT_FALSE(holds(bad));
    bad.votes.signatures = {once};
    EXPECT_TRUE(holds(bad));
    bad.votes.content.view = View{2};  // What somebody else has signed.
    EXPECT_FALSE(holds(bad));
    bad = good;
    bad.votes.signers[0] |= 0b1000'0000;  // A bit that names no member.
    EXPECT_FALSE(holds(bad));
    bad = good;
    bad.votes.content = Seats::content(VoteKind::bury, 64, 0, BlockId{});
    EXPECT_FALSE(well_formed(bad, seats.roster).has_value());
}

}  // namespace
}  // namespace creto::simplex
