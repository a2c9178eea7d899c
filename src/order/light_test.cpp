#include "model/light.hpp"

#include <functional>
#include <gtest/gtest.h>

#include "order/testing/blocks.hpp"

namespace creto::simplex {
namespace {

using testing::Seats;

/// A final chain of eight blocks, some views apart.
struct Chain {
    Chain() {
        BranchTip tip = testing::genesis_tip();
        tip.id = genesis_block_id(seats.roster.chain());
        for (std::uint64_t i = 1; i <= 8; ++i) {
            const Block block = testing::block_on(tip, i * 3, i % 3);
            tip = testing::tip_of(tip, block);
            blocks.push_back(block);
        }
        finalization = finalise(blocks.back());
    }
    [[nodiscard]] Certificate finalise(const Block& block) const {
        return seats.certificate(block.content(VoteKind::finalize), 0, 2);
    }
    [[nodiscard]] bool verifies(std::size_t from = 0, std::optional<BlockId> after = {}) const {
        return verify_range(
                   std::span{blocks}.subspan(from), finalization, seats.roster, seats.scheme, after
        )
            .has_value();
    }

    Seats seats{4};
    std::vector<Block> blocks;
    Certificate finalization;
};

// [ORD-L11.3]
TEST(LightVerification, LinksAndTheLastCertificateProveARange) {
    const Chain chain;
    EXPECT_TRUE(chain.verifies());
    EXPECT_TRUE(chain.verifies(5)) << "from anywhere";
    EXPECT_TRUE(chain.verifies(5, chain.blocks[4].id()));
    EXPECT_FALSE(chain.verifies(5, chain.blocks[3].id()));
    EXPECT_TRUE(chain.verifies(7));
    EXPECT_FALSE(chain.verifies(8)) << "of nothing nothing follows";
}

// Whatever is changed in a range, by whoever can sign with one key of four. [ORD-L11.3]
TEST(LightVerification, AForgedRangeIsRefused) {
    using Forge = std::function<void(Chain&)>;
    const std::vector<std::pair<std::string, Forge>> forgeries{
        {"a block is missing", [](Chain& c) { c.blocks.erase(c.blocks.begin() + 4); }},
        {"a block stands twice",
         [](Chain& c) { c.blocks.insert(c.blocks.begin() + 4, c.blocks[4]); }},
        {"two change places", [](Chain& c) { std::swap(c.blocks[3], c.blocks[4]); }},
        {"a cut was changed", [](Chain& c) { c.blocks[4].cut_root = Digest{}; }},
        {"a range was made longer", [](Chain& c) { ++c.blocks[3].delta.at(0).last; }},
        {"an executed root was changed",
         [](Chain& c) { c.blocks[2].executed.state_root = blake3(as_bytes("mine")); }},
        {"the first block was changed", [](Chain& c) { c.blocks[0].proposer = Seat{9}; }},
        {"the last block was changed", [](Chain& c) { c.blocks.back().proposer = Seat{9}; }},
        {"the end is missing", [](Chain& c) { c.blocks.pop_back(); }},
        {"all links were mended after a change",
         [](Chain& c) {
             c.blocks[2].executed.state_root = blake3(as_bytes("mine"));
             for (std::size_t i = 3; i < c.blocks.size(); ++i)
                 c.blocks[i].parent = c.blocks[i - 1].id();
         }},
        {"all links were mended, and the liar signs",
         [](Chain& c) {
             c.blocks.back().proposer = Seat{9};
             c.finalization.content = c.blocks.back().content(VoteKind::finalize);
             const Vote vote = c.seats.vote(0, c.finalization.content);
             c.finalization.signatures.assign(3, vote.signature);
         }},
        {"too few have signed",
         [](Chain& c) {
             c.finalization =
                 c.seats.certificate(c.blocks.back().content(VoteKind::finalize), 0, 1);
         }},
        {"it was notarized only",
         [](Chain& c) {
             c.finalization =
                 c.seats.certificate(c.blocks.back().content(VoteKind::notarize), 0, 2);
         }},
        {"the certificate is of an earlier block",
         [](Chain& c) { c.finalization = c.finalise(c.blocks[5]); }},
        {"one signature is another's",
         [](Chain& c) { c.finalization.signatures[1] = c.finalization.signatures[0]; }},
        {"it begins at another genesis",
         [](Chain& c) {
             c.blocks[0].parent = testing::block_id("other");
             for (std::size_t i = 1; i < c.blocks.size(); ++i)
                 c.blocks[i].parent = c.blocks[i - 1].id();
             c.finalization = c.finalise(c.blocks.back());
         }},
    };
    for (const auto& [name, forge] : forgeries) {
        Chain chain;
        forge(chain);
        EXPECT_FALSE(chain.verifies()) << name;
    }
}

}  // namespace
}  // namespace creto::simplex
