// Quotas: what agents without a seat may have executed in one epoch, whoever brings it.
#include <algorithm>
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "state/state_fixture.hpp"

namespace creto::state_test {
namespace {

template <std::uint32_t Each>
void quota(Genesis& genesis) {
    genesis.guest_operations = Each;
    genesis.guests_total = limits::guests_total_min;  // 256 for each of four seats.
}

/// Four seats that bring what agents without a seat hand them.
struct Hosts {
    explicit Hosts(void (*also)(Genesis&))
        : net{4, QuorumMode::byzantine, span, limits::dead_after_reports, also} {
        for (std::uint8_t i = 0; i < 5; ++i)
            guests.push_back(net.outsider(static_cast<std::uint8_t>(100 + i)));
    }
    Operation by(std::size_t guest, OperationBody body = add_key("final/n", 1)) {
        return net.signed_by(*guests[guest], std::move(body));
    }
    std::vector<Operation> many(std::size_t guest, std::size_t count) {
        std::vector<Operation> out;
        for (std::size_t i = 0; i < count; ++i)
            out.push_back(by(guest));
        return out;
    }
    std::vector<FinalState::OperationResult> block(
        std::uint32_t seat, std::vector<Operation> operations
    ) {
        return finalise(state, {net.vertex(seat, std::move(operations))}).operations;
    }
    [[nodiscard]] std::string n() const { return text_of(state.get("final/n")); }

    Network net;
    FinalState state{net.roster};
    std::vector<std::unique_ptr<Signer>> guests;
};

std::size_t applied(const std::vector<FinalState::OperationResult>& results) {
    return static_cast<std::size_t>(std::count_if(results.begin(), results.end(), [](auto& one) {
        return one.applied;
    }));
}

// [PARAM-QUOTA.1]
TEST(GuestQuota, OneMoreIsVoidWhicheverSeatBringsItAndTheNextEpochBeginsAnew) {
    Hosts hosts{quota<3>};
    const VertexPtr one = hosts.net.vertex(0, hosts.many(0, 2));
    std::vector<Operation> more = hosts.many(0, 2);
    more.push_back(hosts.by(1));
    const Operation over = more[1];
    const auto results = finalise(hosts.state, {one, hosts.net.vertex(1, more)}).operations;
    ASSERT_EQ(results.size(), 5U);
    for (const std::size_t good : {0U, 1U, 2U, 4U})
        EXPECT_EQ(results[good].reason, "") << good;
    EXPECT_EQ(results[3].reason, "its quota of this epoch is used up: 3 of 3");
    EXPECT_FALSE(results[3].applied);
    EXPECT_TRUE(results[3].counted) << "it is void, for ever";
    EXPECT_FALSE(results[3].elsewhere);
    EXPECT_EQ(hosts.n(), "4");
    for (const std::uint32_t seat : {2U, 3U})
        EXPECT_EQ(
            hosts.block(seat, {hosts.by(0)}).front().reason,
            "its quota of this epoch is used up: 3 of 3"
        );
    EXPECT_EQ(hosts.state.guests().counts().executed.size(), 2U);
    advance(hosts.state, span);
    EXPECT_TRUE(hosts.state.guests().counts().executed.empty());
    EXPECT_EQ(hosts.block(1, {over}).front().reason, "it is final already, since height 1")
        << "whoever was told that it is void was told the truth";
    EXPECT_EQ(applied(hosts.block(0, hosts.many(0, 4))), 3U);
    EXPECT_EQ(hosts.n(), "7");
}

// [PARAM-QUOTA.1]
TEST(GuestQuota, WhatSeatsDoProofsAndCopiesAreNotCounted) {
    Hosts hosts{quota<1>};
    std::vector<Operation> own;
    for (int i = 0; i < 20; ++i)
        own.push_back(hosts.net.operation(0, add_key("final/n", 1)));
    for (int i = 0; i < 20; ++i)  // In another's lane, as that of a seat whose own is lost.
        own.push_back(hosts.net.signed_by(*hosts.net.signers[1], add_key("final/n", 1)));
    EXPECT_EQ(applied(hosts.block(0, own)), 40U);
    EXPECT_EQ(hosts.state.guests().counts(), GuestBook::Counts{});
    const Operation once = hosts.by(0);
    EXPECT_EQ(hosts.block(0, {once}).front().reason, "");
    EXPECT_EQ(hosts.block(1, {once, once}).back().reason, "it is final already, since height 2");
    EXPECT_EQ(hosts.state.guests().counts().brought.count(Seat{1}), 0U);
    VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    VoteContent b = a;
    b.block = BlockId{digest_of("b")};
    Network& net = hosts.net;
    const EvidenceOperation proof{VoteConflict{net.vote(3, a), net.vote(3, b)}};
    EXPECT_EQ(hosts.block(2, {hosts.by(0, proof)}).front().reason, "");
    EXPECT_TRUE(hosts.state.excluded(net.agent(3)));
}

// [PARAM-QUOTA.1]
TEST(GuestQuota, WhereTheGenesisSaysNothingNothingIsCounted) {
    Hosts hosts{nullptr};
    EXPECT_EQ(applied(hosts.block(0, hosts.many(0, 300))), 300U);
    EXPECT_EQ(hosts.state.guests().counts(), GuestBook::Counts{});
    EXPECT_EQ(hosts.state.get("guests/1"), std::nullopt);
}

// [PARAM-SHARE.1]
TEST(GuestQuota, ASeatUsesUpItsOwnPartAndNobodyElses) {
    Hosts hosts{quota<400>};
    EXPECT_EQ(applied(hosts.block(0, hosts.many(0, 200))), 200U);
    EXPECT_EQ(applied(hosts.block(0, hosts.many(1, 56))), 56U);
    const Operation late = hosts.by(2);
    const auto refused = hosts.block(0, {late}).front();
    EXPECT_EQ(
        refused.reason,
        "seat 0 has brought its part of what agents without a seat may do in this epoch: 256 of "
        "256; another seat may bring it, or this one in the next epoch"
    );
    EXPECT_FALSE(refused.counted) << "else a seat that is through made void what it copies";
    EXPECT_TRUE(refused.elsewhere);
    EXPECT_EQ(hosts.state.final_at(late.id(hosts.net.roster.chain())), std::nullopt);
    EXPECT_EQ(hosts.block(1, {late}).front().reason, "");
    EXPECT_EQ(hosts.n(), "257");
    EXPECT_EQ(hosts.block(0, {hosts.by(3)}).front().elsewhere, false) << "the next epoch";
}

// Whatever is void for its quota is part of what a seat brings: else a liar filled the state with it.
// [PARAM-SHARE.1]
TEST(GuestQuota, VoidOnesAreOfTheSeatsPartToo) {
    Hosts hosts{quota<2>};
    const auto results = hosts.block(0, hosts.many(0, 300));
    EXPECT_EQ(applied(results), 2U);
    const auto counted =
        std::count_if(results.begin(), results.end(), [](auto& one) { return one.counted; });
    EXPECT_EQ(counted, 256);
    EXPECT_EQ(hosts.state.guests().counts().brought.at(Seat{0}), 256U);
}

// [PARAM-LATER.1] [PARAM-QUOTA.1]
TEST(GuestQuota, ANetworkMaySetOneWhileItRunsAndSeatsThatEndedCountTwoEpochsLater) {
    Hosts hosts{nullptr};
    const RosterOperation set{
        .action = RosterOperation::Action::set, .parameter = {Parameter::guest_operations, 1, 1}};
    for (const std::uint32_t seat : {0U, 1U, 2U})
        EXPECT_EQ(hosts.block(seat, {hosts.net.operation(seat, set)}).front().reason, "");
    const auto key = hosts.guests[4]->public_key();
    const RosterOperation replace{
        .action = RosterOperation::Action::replace,
        .seat = Seat{3},
        .key = key,
        .possession = Signature{}};
    EXPECT_EQ(hosts.block(3, {hosts.net.operation(3, replace)}).front().reason, "");
    // The end of epoch 1. Seat 3 votes to the end of 2, and its lane is open to the end of 4.
    const auto by_three = [&](std::uint32_t count) {
        std::vector<Operation> out;
        for (std::uint32_t i = 0; i < count; ++i)
            out.push_back(hosts.net.signed_by(*hosts.net.signers[3], add_key("final/n", 1)));
        return applied(hosts.block(0, std::move(out)));
    };
    EXPECT_EQ(applied(hosts.block(0, hosts.many(4, 3))), 3U) << "no quota in epoch 2";
    for (const std::uint64_t epoch : {3U, 4U}) {
        advance(hosts.state, (epoch - 1) * span);
        EXPECT_EQ(applied(hosts.block(0, hosts.many(0, 3))), 1U) << epoch;
        EXPECT_EQ(applied(hosts.block(0, hosts.many(4, 3))), 3U) << "it has a seat by now";
        EXPECT_EQ(by_three(3), 3U) << epoch;
    }
    advance(hosts.state, 4 * span);
    EXPECT_EQ(by_three(3), 1U) << "one of many";
}

// [PARAM-SAME.1] [STATE-ROOT.1]
TEST(GuestQuota, ARestoredStateCountsOn) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Prng prng{seed};
        Hosts hosts{quota<4>};
        std::vector<Operation> sent;
        for (int height = 1; height <= 24; ++height) {
            auto again =
                FinalState::restore(hosts.state.snapshot(), hosts.state.mark(), hosts.net.roster);
            ASSERT_TRUE(again.has_value()) << again.error().message;
            EXPECT_EQ(again->guests().counts(), hosts.state.guests().counts()) << height;
            std::vector<Operation> operations;
            for (std::uint64_t i = prng.below(8); i > 0; --i) {
                const bool copies = !sent.empty() && prng.chance(1, 4);
                operations.push_back(
                    copies ? sent[prng.below(sent.size())] : hosts.by(prng.below(5))
                );
                sent.push_back(operations.back());
            }
            const VertexPtr vertex =
                hosts.net.vertex(static_cast<std::uint32_t>(prng.below(4)), std::move(operations));
            const auto mine = finalise(hosts.state, {vertex});
            const auto theirs = finalise(*again, {vertex});
            EXPECT_EQ(mine.mark, theirs.mark) << "seed " << seed << " height " << height;
            for (const auto& [agent, count] : hosts.state.guests().counts().executed)
                EXPECT_LE(count, 4U);
        }
        for (int height = 1; height <= 24; ++height)
            EXPECT_EQ(hosts.state.get("guests/" + std::to_string(height)), std::nullopt)
                << "what was counted goes with its epoch";
    }
}

// [PARAM-SAME.1]
TEST(GuestQuota, ALeafThatSaysMoreThanThereIsIsCorrupt) {
    Network net{4, QuorumMode::byzantine, span, limits::dead_after_reports, quota<2>};
    const AgentId agent = Network{6}.agent(5);
    const auto reads = [&](const std::string& key, const GuestBook::Counts& counts) {
        MerkleMap map;
        map.set(key, encode_bytes(counts));
        GuestBook book;
        book.enter(net.roster, {net.agent(0), net.agent(1), net.agent(2), net.agent(3)});
        return book.restore(map).has_value();
    };
    EXPECT_TRUE(reads("guests/3", {{{agent, 2}}, {{Seat{0}, 256}}}));
    EXPECT_FALSE(reads("guests/3", {{{agent, 3}}, {{Seat{0}, 256}}})) << "one over the quota";
    EXPECT_FALSE(reads("guests/3", {{{agent, 2}}, {{Seat{0}, 257}}})) << "one over the part";
    EXPECT_FALSE(reads("guests/3", {{{agent, 0}}, {{Seat{0}, 1}}}));
    EXPECT_FALSE(reads("guests/3", {{{agent, 1}}, {}}));
    EXPECT_FALSE(reads("guests/03", {{{agent, 1}}, {{Seat{0}, 1}}}));
    EXPECT_FALSE(reads("guests/x", {{{agent, 1}}, {{Seat{0}, 1}}}));
    MerkleMap map;
    map.set("guests/3", encode_bytes(GuestBook::Counts{{{agent, 1}}, {{Seat{0}, 1}}}));
    GuestBook none;
    none.enter(Network{4}.roster, {});
    EXPECT_FALSE(none.restore(map)) << "where nothing is counted there is no leaf";
}

}  // namespace
}  // namespace creto::state_test
