#include "order/voter.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "base/prng.hpp"
#include "order/testing/seats.hpp"
#include "order/vote_log.hpp"

namespace creto::simplex {
namespace {

using testing::block_id;
using testing::Seats;

class VoterTest : public ::testing::Test {
protected:
    static VoteContent notarize(std::uint64_t view, const char* block, std::uint64_t parent = 0) {
        return Seats::content(VoteKind::notarize, view, parent, block_id(block));
    }
    Certificate notarization(std::uint64_t view, const char* block, std::uint64_t parent = 0) {
        return seats.certificate(notarize(view, block, parent));
    }
    Persist save(Voter& gate) {
        saved = gate.save({}, effects);
        auto list = effects.take();
        EXPECT_EQ(list.size(), 1U);
        return std::get<Persist>(list.front());
    }
    static Refusal refused(const Result<void, Refusal>& result) {
        EXPECT_FALSE(result.has_value());
        return result ? Refusal::stopped : result.error();
    }

    Seats seats{4};
    Voter voter{seats.roster, seats.seat(1), *seats.signers[1]};
    Effects effects;
    Voter::Saved saved;
};

// [ORD-W1.1]
TEST_F(VoterTest, AVoteComesOutWithItsTicketAndCountsOnlyOnceDurable) {
    ASSERT_TRUE(voter.notarize(notarize(1, "a")));
    EXPECT_TRUE(voter.durable(View{1}, View{9}).empty());
    const Persist batch = save(voter);
    EXPECT_EQ(batch.durable, Durable::yes);
    ASSERT_EQ(batch.votes.size(), 1U);
    EXPECT_EQ(std::get<Vote>(decode_vote_record(batch.votes[0]).value()), saved.votes[0]);
    EXPECT_EQ(saved.ticket, batch.ticket);
    EXPECT_FALSE(voter.is_durable(View{1}, VoteKind::notarize));
    EXPECT_TRUE(voter.on_persisted(Ticket{99}).empty());
    EXPECT_EQ(voter.on_persisted(batch.ticket), saved.votes);
    EXPECT_TRUE(voter.on_persisted(batch.ticket).empty());
    EXPECT_EQ(voter.durable(View{1}, View{1}), saved.votes);
    EXPECT_TRUE(voter.unsaved().empty());
    const Vote expected = seats.vote(1, notarize(1, "a"));
    EXPECT_EQ(saved.votes[0], expected);
}

// [ORD-N1.1]
TEST_F(VoterTest, NotarizesOnceAView) {
    ASSERT_TRUE(voter.notarize(notarize(3, "a", 2)));
    EXPECT_EQ(refused(voter.notarize(notarize(3, "b", 2))), Refusal::other_content);
    EXPECT_EQ(refused(voter.notarize(notarize(3, "a", 1))), Refusal::other_content);
    EXPECT_EQ(refused(voter.notarize(notarize(3, "a", 2))), Refusal::already_cast);
    EXPECT_TRUE(voter.notarize(notarize(4, "b", 3)));
    EXPECT_EQ(voter.unsaved().size(), 2U);
}

TEST_F(VoterTest, NeverNotarizesOrFinalisesAfterGivingUp) {
    ASSERT_TRUE(voter.nullify(Epoch{1}, View{2}));
    EXPECT_EQ(refused(voter.notarize(notarize(2, "a"))), Refusal::nullified);
    EXPECT_EQ(refused(voter.finalize(notarization(2, "a"))), Refusal::nullified);
    EXPECT_EQ(refused(voter.nullify(Epoch{1}, View{2})), Refusal::already_cast);
    EXPECT_EQ(voter.unsaved().size(), 1U);
}

TEST_F(VoterTest, MayGiveUpAfterNotarizing) {
    ASSERT_TRUE(voter.notarize(notarize(2, "a")));
    EXPECT_TRUE(voter.nullify(Epoch{1}, View{2}));
}

// [ORD-F2.1] [ORD-F1.1]
TEST_F(VoterTest, NeverGivesUpAfterFinalising) {
    ASSERT_TRUE(voter.finalize(notarization(2, "a")));
    EXPECT_EQ(refused(voter.nullify(Epoch{1}, View{2})), Refusal::finalized);
    EXPECT_EQ(refused(voter.notarize(notarize(2, "a"))), Refusal::finalized);
    EXPECT_EQ(refused(voter.finalize(notarization(2, "a"))), Refusal::already_cast);
    EXPECT_EQ(refused(voter.finalize(notarization(2, "b"))), Refusal::other_content);
}

TEST_F(VoterTest, FinalisesOnlyTheNotarizedBlockAndOnlyItsOwn) {
    ASSERT_TRUE(voter.notarize(notarize(2, "a")));
    EXPECT_EQ(refused(voter.finalize(notarization(2, "b"))), Refusal::other_content);
    EXPECT_EQ(refused(voter.finalize(notarization(2, "a", 1))), Refusal::other_content);
    ASSERT_TRUE(voter.finalize(notarization(2, "a")));
    EXPECT_EQ(voter.unsaved()[1].content, Seats::content(VoteKind::finalize, 2, 0, block_id("a")));
}

// ava-labs/Simplex#280: the flag of a timed-out view had been deleted, and a new finalize vote was
// built for it. [ORD-W2.1]
TEST_F(VoterTest, SignsNothingAtOrBelowTheFloor) {
    ASSERT_TRUE(voter.nullify(Epoch{1}, View{5}));
    voter.forget_through(View{5});
    EXPECT_EQ(refused(voter.finalize(notarization(5, "a"))), Refusal::below_floor);
    EXPECT_EQ(refused(voter.notarize(notarize(4, "a"))), Refusal::below_floor);
    EXPECT_EQ(refused(voter.nullify(Epoch{1}, View{1})), Refusal::below_floor);
    EXPECT_TRUE(voter.notarize(notarize(6, "a")));
    voter.forget_through(View{3});
    EXPECT_EQ(voter.floor(), View{5});
}

TEST_F(VoterTest, SignsNothingOnceStopped) {
    voter.stop();
    EXPECT_EQ(refused(voter.notarize(notarize(1, "a"))), Refusal::stopped);
    EXPECT_EQ(refused(voter.nullify(Epoch{1}, View{1})), Refusal::stopped);
    EXPECT_TRUE(voter.unsaved().empty());
}

// Failure 5: a view was finalised after it had been given up, although notarized. Every sequence of
// eight requests on two views and two blocks: whatever is asked, what was signed
// holds no two votes that a correct seat does not sign together; also with restarts between.
TEST_F(VoterTest, NoSequenceOfRequestsMakesItContradictItself) {
    Prng prng{5};
    for (int run = 0; run < 4'000; ++run) {
        auto gate = std::make_unique<Voter>(seats.roster, seats.seat(1), *seats.signers[1]);
        std::vector<Bytes> log;
        std::vector<VoteContent> said;
        for (int step = 0; step < 8; ++step) {
            const std::uint64_t view = prng.between(1, 2);
            const char* block = prng.chance(1, 2) ? "a" : "b";
            switch (prng.below(5)) {
                case 0:
                    static_cast<void>(gate->notarize(notarize(view, block)));
                    break;
                case 1:
                    static_cast<void>(gate->nullify(Epoch{1}, View{view}));
                    break;
                case 2:
                    static_cast<void>(gate->finalize(notarization(view, block)));
                    break;
                case 3:
                    gate = std::make_unique<Voter>(seats.roster, seats.seat(1), *seats.signers[1]);
                    ASSERT_TRUE(gate->restore(log));
                    break;
                default:
                    if (prng.chance(1, 4)) gate->forget_through(View{1});
                    break;
            }
            if (gate->unsaved().empty()) continue;
            const Persist batch = save(*gate);
            log.insert(log.end(), batch.votes.begin(), batch.votes.end());
            for (const Vote& vote : saved.votes)
                said.push_back(vote.content);
        }
        for (std::size_t i = 0; i < said.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                ASSERT_FALSE(conflict(said[i], said[j])) << "run " << run;
                ASSERT_FALSE(said[i] == said[j]) << "run " << run << ": signed twice";
            }
        }
    }
}

TEST_F(VoterTest, RestoresWhatItSaidAndRepeatsTheVerySameVote) {
    ASSERT_TRUE(voter.notarize(notarize(1, "a")));
    const Persist first = save(voter);
    ASSERT_TRUE(voter.nullify(Epoch{1}, View{2}));
    const Persist second = save(voter);
    Voter again{seats.roster, seats.seat(1), *seats.signers[1]};
    ASSERT_TRUE(again.restore({first.votes[0], second.votes[0], second.votes[0]}));
    EXPECT_EQ(refused(again.notarize(notarize(1, "b"))), Refusal::other_content);
    EXPECT_EQ(refused(again.finalize(notarization(2, "a"))), Refusal::nullified);
    EXPECT_EQ(again.durable(View{1}, View{2}).size(), 2U);
    EXPECT_EQ(*again.cast(View{1}, VoteKind::notarize), seats.vote(1, notarize(1, "a")));
    EXPECT_TRUE(again.knows(notarize(1, "a")) && !again.knows(notarize(1, "b")));
}

// tendermint#3418: key and votes restored apart. A log in which we contradict ourselves, another
// seat's, another key's or another network's is not ours: observe. [ORD-R4.1]
TEST_F(VoterTest, RefusesALogThatItCannotHaveWritten) {
    const auto record = [](const Vote& vote) { return encode_vote_record(vote); };
    const auto restored = [&](const std::vector<Bytes>& log) {
        Voter fresh{seats.roster, seats.seat(1), *seats.signers[1]};
        return fresh.restore(log).has_value();
    };
    const Bytes good = record(seats.vote(1, notarize(1, "a")));
    EXPECT_TRUE(restored({}) && restored({good}));
    EXPECT_FALSE(restored({good, record(seats.vote(1, notarize(1, "b")))}));
    EXPECT_FALSE(restored({record(seats.vote(2, notarize(1, "a")))}));
    Vote forged = seats.vote(2, notarize(1, "a"));
    forged.seat = seats.seat(1);
    EXPECT_FALSE(restored({record(forged)}));
    EXPECT_FALSE(restored({to_bytes("\x01rubbish")}));
    const Seats other{5};
    EXPECT_FALSE(restored({record(other.vote(1, notarize(1, "a")))}));
}

// [ORD-W4.1]
TEST_F(VoterTest, ALongLogIsReplacedByItsFloorAndWhatIsAboveIt) {
    std::vector<Bytes> log;
    const auto vote_until_compacting = [&](Voter& gate) {
        std::uint64_t view = gate.floor().value();
        while (!gate.compacting()) {
            ++view;
            ASSERT_TRUE(gate.notarize(notarize(view, "a", view - 1)));
            const Persist batch = save(gate);
            EXPECT_TRUE(batch.votes_kept.empty());
            log.insert(log.end(), batch.votes.begin(), batch.votes.end());
        }
        gate.forget_through(View{view - 2});
        ASSERT_TRUE(gate.notarize(notarize(view + 1, "a", view)));
        const Persist batch = save(gate);
        ASSERT_EQ(batch.votes_kept.size(), 4U);  // The floor, two views, and the new vote.
        log = batch.votes_kept;
        log.insert(log.end(), batch.votes.begin(), batch.votes.end());
        EXPECT_FALSE(gate.compacting());
    };
    vote_until_compacting(voter);
    Voter again{seats.roster, seats.seat(1), *seats.signers[1]};
    ASSERT_TRUE(again.restore(log));
    EXPECT_EQ(again.floor(), voter.floor());
    EXPECT_EQ(refused(again.notarize(notarize(5, "b"))), Refusal::below_floor);
    EXPECT_EQ(again.durable(View{1}, View{~0ULL}).size(), 3U);
}

// Failure 7: timeout messages carried a vote signature that the safety module had never seen. One
// gate: no other file of ordering signs anything. [ORD-W1.2]
TEST(VotingGate, NothingElseInOrderingSigns) {
    const std::filesystem::path folder = std::filesystem::path{CRETO_SOURCE_DIR} / "src" / "order";
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        const std::string name = entry.path().filename().string();
        if (!entry.is_regular_file() || name.find("_test.") != std::string::npos ||
            name.find("_bench.") != std::string::npos || name == "voter.cpp") {
            continue;
        }
        std::ifstream file{entry.path()};
        std::stringstream text;
        text << file.rdbuf();
        const bool signs = text.str().find(".sign(SignDomain") != std::string::npos ||
                           text.str().find("->sign(SignDomain") != std::string::npos;
        EXPECT_FALSE(signs) << name;
        ++files;
    }
    EXPECT_GT(files, 20U);
}

}  // namespace
}  // namespace creto::simplex
