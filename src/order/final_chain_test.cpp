#include "order/final_chain.hpp"

#include <gtest/gtest.h>

#include "order/testing/blocks.hpp"

namespace creto::simplex {
namespace {

using testing::block_on;
using testing::genesis_tip;
using testing::Seats;
using testing::tip_of;

class FinalChainTest : public ::testing::Test {
protected:
    /// Appends blocks up to a height; those of `direct` views carry their finalisation.
    void grow(FinalChain& chain, std::uint64_t to, bool direct = true) {
        while (tip.height.value() < to) {
            const Block block = block_on(tip, tip.view.value() + 1, tip.height.value() % 2);
            tip = tip_of(tip, block);
            StoredBlock stored{block, std::nullopt};
            if (direct) stored.finalization = seats.certificate(block.content(VoteKind::finalize));
            const KeyWrite write = chain.append({stored, tip.id}, tip.cut);
            EXPECT_EQ(write.key, final_block_key(block.height));
            kept.push_back(decode_exact<StoredBlock>(**write.value).value());
        }
    }
    static std::vector<FinalizedBlock> take_all(FinalChain& chain) {
        std::vector<FinalizedBlock> all;
        for (auto more = chain.take(); !more.empty(); more = chain.take()) {
            EXPECT_LE(more.size(), limits::blocks_per_message_max);
            all.insert(all.end(), more.begin(), more.end());
        }
        return all;
    }

    Seats seats{4};
    BranchTip tip = genesis_tip();
    std::vector<StoredBlock> kept;  ///< What the store holds, from height 1.
};

// [ORD-L8.1]
TEST_F(FinalChainTest, GivesEveryHeightOnceInOrderWithItsCuts) {
    FinalChain chain;
    grow(chain, 600);
    const auto all = take_all(chain);
    ASSERT_EQ(all.size(), 600U);
    Cut cut;
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].block.height, Height{i + 1});
        EXPECT_EQ(*all[i].parent_cut, cut);
        creto::apply(cut, all[i].block.delta);
        EXPECT_EQ(*all[i].cut_after, cut);
    }
    EXPECT_TRUE(chain.take().empty());
    grow(chain, 601);
    EXPECT_EQ(chain.take().size(), 1U);
}

// Found by the simulator (swarm seed 249): after a restart of all who were ahead, nobody could hand
// the chain to those who were not, and without them there was no quorum for a new block.
TEST_F(FinalChainTest, ARestoredChainIsProvableUpToItsTip) {
    FinalChain chain;
    grow(chain, 10);
    FinalChain again;
    for (const StoredBlock& stored : kept)
        again.restore({stored, stored.block.id()});
    const auto run_from = [&](std::uint64_t height) {
        std::vector<StoredBlock> run;
        for (Height h{height}; h <= again.height(); ++h)
            run.push_back(again.recent(h)->stored);
        return run;
    };
    EXPECT_FALSE(provable(run_from(5)).has_value());
    again.prove_tip(*chain.recent(Height{9})->stored.finalization);
    EXPECT_FALSE(provable(run_from(5)).has_value()) << "that was not the tip's";
    again.prove_tip(*chain.recent(Height{10})->stored.finalization);
    const auto answer = provable(run_from(5));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->blocks.size(), 6U);
}

TEST_F(FinalChainTest, ARestoredChainGivesTheSameBlocks) {
    FinalChain chain;
    grow(chain, 50);
    const auto first = take_all(chain);
    FinalChain again;
    for (const StoredBlock& stored : kept)
        again.restore({stored, stored.block.id()});
    const auto second = take_all(again);
    ASSERT_EQ(second.size(), first.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_EQ(second[i].block, first[i].block);
        EXPECT_EQ(second[i].id, first[i].id);
        EXPECT_EQ(*second[i].cut_after, *first[i].cut_after);
        EXPECT_EQ(*second[i].parent_cut, *first[i].parent_cut);
    }
}

TEST_F(FinalChainTest, KeepsABoundedPartInMemory) {
    FinalChain chain;
    EXPECT_EQ(chain.recent(Height{1}), nullptr);
    EXPECT_EQ(chain.recent_from(), Height{1});
    grow(chain, limits::view_retention + 10);
    EXPECT_EQ(chain.recent_from(), Height{11});
    EXPECT_EQ(chain.recent(Height{10}), nullptr);
    EXPECT_EQ(chain.recent(Height{11})->stored.block.height, Height{11});
    EXPECT_EQ(chain.recent(Height{limits::view_retention + 11}), nullptr);
}

// Any full request to the store ends in a proof, and proofs do not outgrow the chain. [ORD-L11.1]
TEST_F(FinalChainTest, TheStoreKeepsOneFinalisationASpanAndEveryRequestFindsOne) {
    FinalChain chain;
    grow(chain, 1'000);
    std::size_t proofs = 0;
    for (const StoredBlock& stored : kept)
        proofs += stored.finalization ? 1 : 0;
    EXPECT_EQ(proofs, 1'000 / archive_span + 1);
    for (std::size_t from = 0; from + limits::blocks_per_message_max <= kept.size(); ++from) {
        const std::vector<StoredBlock> run(
            kept.begin() + static_cast<std::ptrdiff_t>(from),
            kept.begin() + static_cast<std::ptrdiff_t>(from + limits::blocks_per_message_max)
        );
        const auto answer = provable(run);
        ASSERT_TRUE(answer);
        EXPECT_GT(answer->blocks.size(), limits::blocks_per_message_max - archive_span);
        EXPECT_EQ(answer->finalization->content.block, answer->blocks.back().id());
    }
}

TEST_F(FinalChainTest, WithoutAFinalisationNothingIsProvable) {
    FinalChain chain;
    grow(chain, 5, false);
    EXPECT_FALSE(provable(kept));
    EXPECT_FALSE(provable({}));
    grow(chain, 6);
    EXPECT_EQ(provable(kept)->blocks.size(), 6U);
}

TEST_F(FinalChainTest, AnAnswerFitsIntoAMessage) {
    std::vector<StoredBlock> run;
    Block block = block_on(genesis_tip(), 1);
    for (std::uint32_t i = 0; i < limits::lanes_per_message_max; ++i)
        block.delta.push_back(testing::range_of({Seat{1'000'000 + i}, {}}, 1ULL << 60U, 1ULL << 62U)
        );
    for (std::size_t i = 0; i < limits::blocks_per_message_max; ++i)
        run.push_back({block, seats.certificate(block.content(VoteKind::finalize))});
    const auto answer = provable(run);
    ASSERT_TRUE(answer);
    EXPECT_LT(answer->blocks.size(), run.size());
    EXPECT_LE(encode_message(*answer)->size(), limits::message_bytes_max);
    run.resize(2);
    EXPECT_EQ(provable(run)->blocks.size(), 2U);
}

TEST(Keys, SortLikeTheirNumbers) {
    EXPECT_LT(final_block_key(Height{255}), final_block_key(Height{256}));
    EXPECT_LT(
        certificate_key(Epoch{1}, View{9}, VoteKind::finalize),
        certificate_key(Epoch{1}, View{10}, VoteKind::notarize)
    );
    EXPECT_NE(
        certificate_key(Epoch{1}, View{9}, VoteKind::notarize),
        certificate_key(Epoch{1}, View{9}, VoteKind::nullify)
    );
}

}  // namespace
}  // namespace creto::simplex
