#include "sim/third_party.hpp"

#include "sim/forensics.hpp"
#include "sim/testing/signers.hpp"

namespace creto {
namespace {

class ThirdPartyTest : public SignersTest {
protected:
    void SetUp() override { make_seats(4); }

    std::string says(const Evidence& evidence) const {
        const auto accused = judge_proof(encode_bytes(evidence), genesis_, scheme_);
        if (!accused) return accused.error().message;
        for (std::uint32_t i = 0; i < 4; ++i)
            if (*accused == signers_[i]->public_key()) return "seat " + std::to_string(i);
        return "somebody";
    }
};

TEST_F(ThirdPartyTest, AcceptsWhatNoCorrectSeatSignsTogether) {
    const VoteContent a = content(VoteKind::notarize, 5, 1);
    EXPECT_EQ(says(VoteConflict{vote(2, a), vote(2, content(VoteKind::notarize, 5, 2))}), "seat 2");
    EXPECT_EQ(
        says(VoteConflict{
            vote(1, content(VoteKind::finalize, 5, 1)), vote(1, content(VoteKind::nullify, 5, 0))}),
        "seat 1"
    );
    EXPECT_EQ(says(VoteConflict{vote(3, a), vote(3, content(VoteKind::finalize, 5, 2))}), "seat 3");
}

TEST_F(ThirdPartyTest, RefusesWhatACorrectSeatMaySign) {
    const VoteContent a = content(VoteKind::notarize, 5, 1);
    for (const VoteContent& b :
         {a,
          content(VoteKind::finalize, 5, 1),
          content(VoteKind::nullify, 5, 0),
          content(VoteKind::bury, 5, 2),
          content(VoteKind::notarize, 6, 2)})
        EXPECT_EQ(says(VoteConflict{vote(2, a), vote(2, b)}), "a correct seat may sign both votes");
}

TEST_F(ThirdPartyTest, RefusesForeignAndForgedSignatures) {
    const VoteContent b = content(VoteKind::notarize, 5, 2);
    VoteConflict proof{vote(2, content(VoteKind::notarize, 5, 1)), vote(2, b)};
    proof.b.signature = proof.a.signature;
    EXPECT_EQ(says(proof), "a vote's signature does not hold");
    proof.b = vote(1, b);
    EXPECT_EQ(says(proof), "two votes, but not of one seat of the genesis");
    proof.b.seat = Seat{2};
    EXPECT_EQ(says(proof), "a vote's signature does not hold") << "seat 1's signature";
    proof.a.seat = Seat{9};
    proof.b.seat = Seat{9};
    EXPECT_EQ(says(proof), "two votes, but not of one seat of the genesis");
    Genesis other = genesis_;
    other.network = "another";
    const VoteConflict good{vote(2, content(VoteKind::notarize, 5, 1)), vote(2, b)};
    EXPECT_FALSE(judge_proof(encode_bytes(Evidence{good}), other, scheme_).has_value());
    Bytes longer = encode_bytes(Evidence{good});
    longer.push_back(0);
    EXPECT_FALSE(judge_proof(longer, genesis_, scheme_).has_value());
}

TEST_F(ThirdPartyTest, JudgesForksOfALane) {
    const auto top = [&](std::uint32_t seat, std::int64_t at) {
        SignedHeader made;
        made.header.lane = {Seat{seat}, {}};
        made.header.sequence = Sequence{3};
        made.header.author_unix_ms = at;
        made.signature = signers_[seat]->sign(
            SignDomain::vertex, roster_->chain().value(), signing_bytes(made.header)
        );
        return made;
    };
    EXPECT_EQ(says(LaneFork{top(1, 1), top(1, 2)}), "seat 1");
    EXPECT_EQ(says(LaneFork{top(1, 1), top(1, 1)}), "one vertex, shown twice");
    EXPECT_EQ(says(LaneFork{top(1, 1), top(2, 2)}), "two vertices, but not at one place of a lane");
    LaneFork forged{top(1, 1), top(1, 2)};
    forged.b.header.author_unix_ms = 3;
    EXPECT_EQ(says(forged), "a vertex's signature does not hold");
}

TEST_F(ThirdPartyTest, ForensicsNamesTheSeatsInBothCertificates) {
    Forensics forensics{genesis_, scheme_};
    forensics.on_certificate(certificate(content(VoteKind::notarize, 5, 1), {0, 2, 3}));
    forensics.on_certificate(certificate(content(VoteKind::finalize, 5, 1), {0, 2, 3}));
    EXPECT_TRUE(forensics.culprits().empty()) << "this is how a block becomes final";
    forensics.on_certificate(certificate(content(VoteKind::notarize, 5, 2), {1, 2, 3}));
    const std::set<AgentId> both{signers_[2]->public_key(), signers_[3]->public_key()};
    EXPECT_EQ(forensics.culprits(), both);
    EXPECT_EQ(forensics.clashes(), std::set<View>{View{5}});
}

}  // namespace
}  // namespace creto
