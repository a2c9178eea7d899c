#include <gtest/gtest.h>

#include "model/operation.hpp"

namespace creto {
namespace {

Genesis genesis_of(std::uint8_t seats) {
    Genesis genesis{.network = "test"};
    for (std::uint8_t i = 0; i < seats; ++i) {
        const PublicKey key{std::array<std::uint8_t, 32>{static_cast<std::uint8_t>(i + 1)}};
        genesis.members.push_back({Seat{i}, key, "agent-" + std::to_string(i)});
    }
    return genesis;
}

// [SEAT-DORMANT.1]
TEST(DormantSeats, AGenesisSaysWhenOnlyWhereThatIsNotAsUsual) {
    Genesis genesis = genesis_of(4);
    genesis.epoch_blocks = 64;
    const ChainId usual = Roster{genesis}.chain();
    const std::size_t bytes = encode_bytes(genesis).size();
    EXPECT_EQ(Roster{genesis}.dead_after_reports(), 2'048U);
    for (const std::uint32_t reports : {0U, 8U, 1'000'000U}) {
        genesis.dead_after_reports = reports;
        EXPECT_TRUE(validate(genesis).has_value()) << reports;
        EXPECT_EQ(decode_exact<Genesis>(encode_bytes(genesis)).value(), genesis) << reports;
        EXPECT_NE(Roster{genesis}.chain(), usual) << reports;
    }
    for (const std::uint32_t reports : {1U, 7U, 1'000'001U}) {
        genesis.dead_after_reports = reports;
        EXPECT_FALSE(validate(genesis).has_value()) << reports;
    }
    EXPECT_FALSE(decode_exact<Genesis>(encode_bytes(genesis)).has_value()) << "one over";
    genesis.dead_after_reports = 100;
    genesis.epoch_blocks = 0;
    EXPECT_FALSE(validate(genesis).has_value()) << "one epoch without end sets nobody aside";
    genesis.epoch_blocks = 64;
    genesis.dead_after_reports = limits::dead_after_reports;
    EXPECT_EQ(encode_bytes(genesis).size(), bytes);
    EXPECT_EQ(Roster{genesis}.chain(), usual) << "what is as usual is not written";
}

// [SEAT-DORMANT.4]
TEST(DormantSeats, AreAsManyAsLeaveAQuorum) {
    const std::vector<Member> seven = genesis_of(7).members;
    const std::vector<Member> four{seven.begin(), seven.begin() + 4};
    EXPECT_TRUE(validate(four, QuorumMode::byzantine, 8).has_value());
    EXPECT_FALSE(validate(four, QuorumMode::byzantine, 9).has_value());
    EXPECT_TRUE(validate(four, QuorumMode::crash, limits::seats_max - 4).has_value());
    EXPECT_FALSE(validate(four, QuorumMode::crash, limits::seats_max - 3).has_value());
}

TEST(DormantSeats, TheWordThatOneIsThereComesBackFromItsBytes) {
    Operation operation;
    operation.body = PresenceOperation{Epoch{7}};
    EXPECT_TRUE(well_formed(operation).has_value());
    EXPECT_EQ(kind_name(operation.body), std::string{"presence"});
    EXPECT_EQ(decode_exact<Operation>(encode_bytes(operation)).value(), operation);
}

}  // namespace
}  // namespace creto
