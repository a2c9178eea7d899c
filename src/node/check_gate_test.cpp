#include "node/check_gate.hpp"

#include <gtest/gtest.h>

#include "model/limits.hpp"
#include "node/gate_test_support.hpp"

namespace creto {
namespace {

using gate_testing::agent;

struct Fixture {
    CheckGate gate;
    Effects effects;

    /// The ticket of the check; none when the peer has too much waiting.
    std::optional<Ticket> submit(std::uint8_t from, std::uint64_t nonce, std::size_t bytes = 100) {
        const auto message = std::make_shared<const Message>(Probe{nonce, false});
        if (!gate.submit(
                agent(from), message, std::vector<CheckItem>(2), bytes, Instant{}, effects
            ))
            return std::nullopt;
        return std::get<Check>(effects.list().back()).ticket;
    }
    static std::uint64_t nonce(const CheckGate::Opened& opened) {
        return std::get<Probe>(*opened.message).nonce;
    }
};

TEST(CheckGate, OpensInAnyOrderAndOnce) {
    Fixture f;
    std::vector<Ticket> tickets;
    for (std::uint64_t i = 0; i < 5; ++i) {
        static_cast<void>(f.effects.new_ticket());  // Others take tickets too.
        tickets.push_back(*f.submit(1, i));
    }
    for (const std::size_t i : {3U, 0U, 4U, 2U, 1U}) {
        const auto opened = f.gate.on_done({tickets[i], 2});
        ASSERT_TRUE(opened && opened->pass) << i;
        EXPECT_EQ(Fixture::nonce(*opened), i);
        EXPECT_EQ(opened->from, agent(1));
        EXPECT_FALSE(f.gate.on_done({tickets[i], 2})) << i << " again";
    }
    EXPECT_EQ(f.gate.waiting(), 0U);
    EXPECT_FALSE(f.gate.on_done({Ticket{999}, 2}));
}

TEST(CheckGate, LetsNothingPassUnlessEverySignatureHolds) {
    Fixture f;
    for (const std::size_t good : {1U, 3U, 0U}) {
        const auto opened = f.gate.on_done({*f.submit(1, 7), good});
        ASSERT_TRUE(opened);
        EXPECT_FALSE(opened->pass) << good;
    }
}

TEST(CheckGate, WhatOnePeerMakesWaitIsBounded) {
    Fixture f;
    std::vector<Ticket> tickets;
    for (std::size_t i = 0; i < limits::checks_per_peer_max; ++i)
        tickets.push_back(*f.submit(1, i));
    EXPECT_FALSE(f.submit(1, 0));
    EXPECT_TRUE(f.submit(2, 0)) << "another peer is not held up";
    ASSERT_TRUE(f.gate.on_done({tickets.front(), 2}));
    EXPECT_TRUE(f.submit(1, 0));
    EXPECT_FALSE(f.submit(1, 0));
    EXPECT_TRUE(f.submit(3, 0, limits::check_bytes_per_peer_max));
    EXPECT_FALSE(f.submit(3, 0, 1)) << "one byte over";
}

TEST(CheckGate, CountsStayRightWhenPeersComeAndGo) {
    Fixture f;
    for (int round = 0; round < 3; ++round) {
        for (std::uint32_t i = 0; i < 1'000; ++i) {
            std::array<std::uint8_t, AgentId::size> bytes{};
            bytes[1] = static_cast<std::uint8_t>(i);
            bytes[2] = static_cast<std::uint8_t>(i >> 8U);
            const auto message = std::make_shared<const Message>(Probe{i, false});
            ASSERT_TRUE(f.gate.submit(
                AgentId{bytes}, message, {}, limits::check_bytes_per_peer_max, Instant{}, f.effects
            ));
            const Ticket ticket = std::get<Check>(f.effects.take().back()).ticket;
            ASSERT_TRUE(f.gate.on_done({ticket, 0}));
        }
    }
    EXPECT_EQ(f.gate.waiting(), 0U);
}

}  // namespace
}  // namespace creto
