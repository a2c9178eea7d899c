// The roster of a running network changes: agents get seats, lose them, and hand them on.
#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"

namespace creto {
namespace {

using sim_testing::at;

/// Four seats, and agents beside them.
SimOptions roster_network(std::uint64_t seed, std::uint32_t agents = 2) {
    SimOptions options;
    options.seed = seed;
    options.node_count = 4 + agents;
    options.seat_count = 4;
    options.epoch_blocks = 4;
    return options;
}

/// Asks for a change at these nodes; what became of it there.
std::string ask(
    SimCluster& cluster, const RosterOperation& change, std::initializer_list<std::uint32_t> who
) {
    std::string reason;
    for (const std::uint32_t node : who) {
        const Ticket ticket = cluster.submit(at(node), Submit{change, Reading::final});
        (void
        )cluster.run_until([&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(30));
        const ReplyBody* reply = cluster.reply(ticket);
        if (reply == nullptr) return "no answer: " + cluster.violation();
        if (const auto* error = std::get_if<Error>(reply)) reason = error->message;
        if (const auto* done = std::get_if<SubmitReply>(reply)) reason = done->reason;
    }
    return reason;
}

/// Signed by the node's own key, as its operator does with `creto roster grant --request`.
RosterOperation asks(const SimCluster& cluster, std::uint32_t node, RosterOperation change) {
    const Signer& signer = *cluster.host(at(node)).signer;
    change.key = signer.public_key();
    change.possession = signer.sign(
        SignDomain::grant,
        cluster.roster().chain().value(),
        possession_bytes(change.key, change.name)
    );
    return change;
}

RosterOperation add(const SimCluster& cluster, std::uint32_t node) {
    return asks(
        cluster, node, {RosterOperation::Action::add, Seat{}, {}, "n" + std::to_string(node)}
    );
}

RosterOperation replace(const SimCluster& cluster, std::uint32_t seat, std::uint32_t by) {
    return asks(cluster, by, {RosterOperation::Action::replace, Seat{seat}, {}, {}});
}

RosterOperation remove(std::uint32_t seat) {
    return {RosterOperation::Action::remove, Seat{seat}, {}, {}};
}

std::optional<std::uint32_t> seat_of(const SimCluster& cluster, std::uint32_t node) {
    const auto seat = cluster.node(at(node))->seat();
    return seat ? std::optional{seat->value()} : std::nullopt;
}

void count_up(SimCluster& cluster, std::uint32_t node, int times) {
    // Without a quorum within reach it refuses, rightly.
    const auto hears_enough = [&] { return cluster.node(at(node))->status().reachable_seats >= 3; };
    ASSERT_TRUE(cluster.run_until(hears_enough, Duration::from_s(20))) << cluster.violation();
    for (int i = 0; i < times; ++i) {
        const Ticket ticket = cluster.submit(
            at(node),
            Submit{
                KeyOperation{KeyOperation::Action::add, "final/n", {}, 1},
                Reading::final,
                Duration::from_s(20)}
        );
        ASSERT_TRUE(cluster.run_until(
            [&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(21)
        )) << cluster.violation();
        const auto* done = std::get_if<SubmitReply>(cluster.reply(ticket));
        const auto* error = std::get_if<Error>(cluster.reply(ticket));
        ASSERT_EQ(error, nullptr) << error->message;
        ASSERT_TRUE(done != nullptr && done->applied) << done->reason;
    }
}

std::string counted(SimCluster& cluster, std::uint32_t node) {
    const Ticket ticket = cluster.submit(at(node), ReadKey{"final/n"});
    (void)cluster.run_until([&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(9));
    const ReplyBody* reply = cluster.reply(ticket);
    const auto* found = reply == nullptr ? nullptr : std::get_if<KeyReply>(reply);
    if (found == nullptr) return cluster.violation();
    return found->values.empty() ? "none" : std::string{as_text(found->values[0])};
}

bool run_until_seat(SimCluster& cluster, std::uint32_t node, std::optional<std::uint32_t> seat) {
    return cluster.run_until([&] { return seat_of(cluster, node) == seat; }, Duration::from_s(30));
}

/// The oldest of the four that vote has its place taken by the next, by the consent of the others.
std::string hand_on(SimCluster& cluster, std::deque<std::uint32_t>& voters, std::uint32_t next) {
    const RosterOperation change = replace(cluster, voters.front(), next);
    const std::string reason = ask(cluster, change, {voters[1], voters[2], voters[3]});
    voters.pop_front();
    voters.push_back(next);
    return reason;
}

// [SEAT-QUORUM.1] [SEAT-LATER.1]
TEST(RosterInCluster, AnAgentGetsASeatByQuorumAndWritesItsLane) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SimCluster cluster{roster_network(seed), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        EXPECT_EQ(ask(cluster, add(cluster, 4), {0, 1}), "");
        ASSERT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        EXPECT_EQ(seat_of(cluster, 4), std::nullopt) << "two of four are no quorum";
        EXPECT_EQ(ask(cluster, add(cluster, 4), {2}), "");
        ASSERT_TRUE(run_until_seat(cluster, 4, 4U)) << "seed " << seed << cluster.violation();
        EXPECT_EQ(cluster.node(at(0))->roster().size(), 5U);
        // It votes: with one of the old ones gone the quorum of five still stands.
        cluster.crash(at(0));
        count_up(cluster, 4, 10);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        EXPECT_EQ(counted(cluster, 1), "10") << "seed " << seed;
        EXPECT_EQ(counted(cluster, 5), "10") << "seed " << seed;
        ASSERT_TRUE(cluster.start(at(0)).has_value());
        ASSERT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        EXPECT_EQ(counted(cluster, 0), "10") << "seed " << seed;
    }
}

// [CRDT-CONVERGE.1] Found by life 4000350: the reading above the cut knew the seats of the genesis only.
TEST(RosterInCluster, ASeatThatCameLaterReadsItsOwnCausalWritesAtOnce) {
    SimCluster cluster{roster_network(1), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    EXPECT_EQ(ask(cluster, add(cluster, 4), {0, 1, 2}), "");
    ASSERT_TRUE(run_until_seat(cluster, 4, 4U)) << cluster.violation();
    count_up(cluster, 4, 1);
    const std::vector<std::vector<NodeIndex>> alone{{at(4)}};
    cluster.cut(alone);
    const auto counter = [&](std::uint32_t node) {
        const Ticket ticket = cluster.submit(at(node), ReadKey{"causal/n"});
        (void)cluster.run_for(Duration::from_ms(50));
        const auto* found = std::get_if<KeyReply>(cluster.reply(ticket));
        return found == nullptr ? -1 : found->counter.value_or(0);
    };
    for (std::int64_t i = 1; i <= 3; ++i) {
        CrdtOperation add_one{.key = "causal/n", .amount = 1};
        const Ticket ticket = cluster.submit(at(4), Submit{add_one, Reading::causal});
        ASSERT_TRUE(
            cluster.run_until([&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(5))
        ) << cluster.violation();
        EXPECT_TRUE(std::holds_alternative<SubmitReply>(*cluster.reply(ticket)));
        EXPECT_EQ(counter(4), i);
    }
    cluster.heal();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();
    for (const std::uint32_t node : {0U, 4U, 5U})
        EXPECT_EQ(counter(node), 3) << node;
}

// [SEAT-HANDED.1]
TEST(RosterInCluster, WhatAnAgentSubmitsIsFinalThoughItsCarrierDies) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SimCluster cluster{roster_network(seed), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        cluster.crash(at(0), CrashLoss::all_unsynced, StopNotice::silent);
        // One of four asks the dead one first, and nobody else would ever hear of it.
        count_up(cluster, 4, 1);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1))) << cluster.violation();
        EXPECT_EQ(counted(cluster, 1), "1") << "seed " << seed;
    }
}

// A seat that has it in its lane, and no quorum any more, must not call it refused: it becomes final later.
// [SEAT-HANDED.1] [CUT-PENDING.1]
TEST(RosterInCluster, WhatASeatHasTakenItDoesNotRefuseLater) {
    for (const bool starts_again : {false, true}) {
        std::size_t taken = 0;
        for (std::uint64_t seed = 1; seed <= 16; ++seed) {
            SCOPED_TRACE(std::to_string(seed) + (starts_again ? ", it starts again" : ""));
            SimCluster cluster{roster_network(seed), honest_nodes()};
            ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
            const std::vector<std::vector<NodeIndex>> sides{{at(0), at(4)}};
            cluster.cut(sides);
            Submit submit{KeyOperation{KeyOperation::Action::add, "final/n", {}, 1}};
            submit.timeout = Duration::from_s(100);
            const Ticket asked = cluster.submit(at(4), submit);
            ASSERT_TRUE(cluster.run_for(Duration::from_ms(500))) << cluster.violation();
            // It drew a seat of the other side.
            if (cluster.node(at(0))->status().pending_operations == 0) continue;
            ++taken;
            if (starts_again) {
                cluster.crash(at(0));
                ASSERT_TRUE(cluster.start(at(0)).has_value());
            }
            ASSERT_TRUE(cluster.run_for(Duration::from_s(20))) << cluster.violation();
            const auto* said = std::get_if<Error>(cluster.reply(asked));
            ASSERT_NE(said, nullptr);
            EXPECT_TRUE(said->message.starts_with("pending: ")) << said->message;
            EXPECT_EQ(cluster.node(at(4))->status().pending_operations, 1U) << "who asks is told";
            cluster.heal();
            ASSERT_TRUE(cluster.run_for(Duration::from_s(20))) << cluster.violation();
            EXPECT_EQ(counted(cluster, 1), "1");
            EXPECT_EQ(cluster.node(at(4))->status().pending_operations, 0U);
            EXPECT_EQ(cluster.node(at(0))->status().pending_operations, 0U);
        }
        EXPECT_GT(taken, 0U);
    }
}

// [STATE-ONCE.1] Found by life 5002283: an agent without a lane gave two writes one id.
TEST(RosterInCluster, AnAgentThatStartsAgainUsesNoCounterTwice) {
    SimCluster cluster{roster_network(3), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    for (int life = 1; life <= 4; ++life) {
        count_up(cluster, 4, 2);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1))) << cluster.violation();
        EXPECT_EQ(counted(cluster, 1), std::to_string(2 * life));
        cluster.crash(at(4));
        ASSERT_TRUE(cluster.start(at(4)).has_value());
    }
}

// [SEAT-HANDED.1] [SEAT-LANE.1]
TEST(RosterInCluster, WhatASeatHadTakenBecomesFinalThoughTheSeatEnds) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SimCluster cluster{roster_network(seed), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        const std::vector<std::vector<NodeIndex>> alone{{at(0)}};
        cluster.cut(alone);
        const Ticket taken = cluster.submit(
            at(0), Submit{KeyOperation{KeyOperation::Action::add, "final/n", {}, 1}, Reading::final}
        );
        std::deque<std::uint32_t> voters{0, 1, 2, 3};
        EXPECT_EQ(hand_on(cluster, voters, 4), "") << seed;
        ASSERT_TRUE(run_until_seat(cluster, 4, 4U)) << seed << cluster.violation();
        count_up(cluster, 4, 20);  // Epochs pass; the lane of seat 0 is closed.
        const auto* refused = std::get_if<Error>(cluster.reply(taken));
        ASSERT_NE(refused, nullptr);
        EXPECT_TRUE(refused->message.starts_with("pending: ")) << refused->message;
        cluster.heal();
        ASSERT_TRUE(cluster.run_until(
            [&] { return cluster.node(at(0))->status().pending_operations == 0; },
            Duration::from_s(30)
        )) << seed
           << cluster.violation();
        EXPECT_EQ(seat_of(cluster, 0), std::nullopt);
        EXPECT_EQ(counted(cluster, 0), "21") << seed;
    }
}

// [SEAT-ENOUGH.1] [SEAT-ONCE.1]
TEST(RosterInCluster, WhatCannotBeIsRefusedWithTheReason) {
    SimCluster cluster{roster_network(1), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    EXPECT_EQ(ask(cluster, remove(1), {1}), "too few seats would be left: 3");
    EXPECT_EQ(ask(cluster, remove(9), {1}), "seat 9 has no vote in epoch 3");
    EXPECT_EQ(ask(cluster, add(cluster, 4), {5}), "only seats that vote may ask for it");
    RosterOperation twice = add(cluster, 2);
    EXPECT_EQ(ask(cluster, twice, {0}), "its key has seat 2, or had it: a key has one seat, once");
    const RosterOperation named =
        asks(cluster, 4, {RosterOperation::Action::add, Seat{}, {}, "node-1"});
    EXPECT_EQ(ask(cluster, named, {0}), "the name \"node-1\" is taken");
    EXPECT_EQ(ask(cluster, add(cluster, 4), {0, 0}), "this seat has asked for it already");
    SimOptions endless = roster_network(1);
    endless.epoch_blocks = 0;
    SimCluster fixed{endless, honest_nodes()};
    ASSERT_TRUE(fixed.run_for(Duration::from_s(1)));
    EXPECT_EQ(
        ask(fixed, add(fixed, 4), {0}),
        "this network has one epoch without end (epoch_blocks in its genesis)"
    );
}

// Nobody seats a key that he does not hold: neither at the node that he asks, nor through its lane.
// [SEAT-POSSESSION.1]
TEST(RosterInCluster, AKeyThatHasNotSignedGetsNoSeat) {
    SimCluster cluster{roster_network(1), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    RosterOperation none = add(cluster, 4);
    none.possession.reset();
    EXPECT_EQ(
        ask(cluster, none, {0}), "roster: the key that is to have a seat has not signed for it"
    );
    RosterOperation renamed = add(cluster, 4);
    renamed.name = "another";
    RosterOperation stolen = add(cluster, 5);
    stolen.key = cluster.agent(at(4));
    for (const RosterOperation& bad : {renamed, stolen}) {
        EXPECT_EQ(
            ask(cluster, bad, {0}),
            "roster: a signature does not hold: the new key's own, or an operator's; was it made "
            "for this network, this key and this name?"
        );
    }
    RosterOperation approved = add(cluster, 4);
    approved.approvals.push_back({0, Signature{}});
    EXPECT_EQ(ask(cluster, approved, {0}), "roster: an approval of an operator that there is not");
    // The node is none the worse for it.
    count_up(cluster, 0, 3);
    EXPECT_EQ(ask(cluster, add(cluster, 4), {0, 1, 2}), "");
    ASSERT_TRUE(run_until_seat(cluster, 4, 4U)) << cluster.violation();
}

// [SEAT-QUORUM.1]
TEST(RosterInCluster, ASeatLeavesAndTheQuorumFollows) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SimCluster cluster{roster_network(seed), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        EXPECT_EQ(ask(cluster, add(cluster, 4), {0, 1, 2}), "");
        ASSERT_TRUE(run_until_seat(cluster, 4, 4U)) << "seed " << seed << cluster.violation();
        count_up(cluster, 0, 5);
        EXPECT_EQ(ask(cluster, remove(0), {0}), "") << "it needs nobody's consent";
        ASSERT_TRUE(run_until_seat(cluster, 0, std::nullopt)) << cluster.violation();
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1))) << cluster.violation();
        EXPECT_EQ(cluster.node(at(4))->roster().size(), 4U);
        // Who left still follows, and has its writes carried by the others.
        count_up(cluster, 0, 5);
        count_up(cluster, 4, 5);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        for (const std::uint32_t node : {0U, 1U, 4U, 5U})
            EXPECT_EQ(counted(cluster, node), "15") << "node " << node << " seed " << seed;
    }
}

// Its lane is not one that has ended, although another ended where it was given.
TEST(RosterInCluster, ANewSeatsCausalWritesCountBeforeTheyAreFinal) {
    SimCluster cluster{roster_network(1), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    EXPECT_EQ(ask(cluster, replace(cluster, 0, 4), {0}), "");
    ASSERT_TRUE(run_until_seat(cluster, 4, 4U)) << cluster.violation();
    count_up(cluster, 4, 2);
    const std::vector<std::vector<NodeIndex>> sides{{at(4)}, {at(0), at(1), at(2), at(3), at(5)}};
    cluster.cut(sides);
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
    const Ticket write = cluster.submit(
        at(4), Submit{CrdtOperation{.key = "causal/n", .amount = 3}, Reading::causal}
    );
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
    ASSERT_TRUE(std::holds_alternative<SubmitReply>(*cluster.reply(write)));
    const Ticket read = cluster.submit(at(4), ReadKey{"causal/n"});
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(100))) << cluster.violation();
    EXPECT_EQ(std::get<KeyReply>(*cluster.reply(read)).counter, 3);
}

// A lost machine: its seat goes to another key, by the consent of the others.
// [SEAT-QUORUM.1]
TEST(RosterInCluster, ALostMachineIsReplaced) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SimCluster cluster{roster_network(seed), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        count_up(cluster, 3, 5);
        cluster.crash(at(3));
        const RosterOperation change = replace(cluster, 3, 5);
        EXPECT_EQ(ask(cluster, change, {0, 1, 2}), "");
        ASSERT_TRUE(run_until_seat(cluster, 5, 4U)) << "seed " << seed << cluster.violation();
        EXPECT_EQ(cluster.node(at(0))->roster().size(), 4U);
        cluster.crash(at(2));  // The new one must vote now, or nothing becomes final.
        count_up(cluster, 5, 5);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        EXPECT_EQ(counted(cluster, 0), "10") << "seed " << seed;
        // The old machine comes back: it has no say any more, and follows.
        ASSERT_TRUE(cluster.start(at(3)).has_value());
        ASSERT_TRUE(cluster.start(at(2)).has_value());
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        EXPECT_EQ(seat_of(cluster, 3), std::nullopt);
        EXPECT_EQ(counted(cluster, 3), "10") << "seed " << seed;
    }
}

// A joiner that knows the genesis only, where history is dropped and everybody it knows has left.
// [ORD-L13.1]
TEST(RosterInCluster, AJoinerFollowsTheLinksFromTheGenesis) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        SimOptions options = roster_network(seed, 5);
        options.checkpoint_blocks = 8;
        options.configure = [](NodeIndex /*node*/, NodeOptions& node) {
            node.keep_blocks = 8;
            node.checkpoint_share = 0;
        };
        SimCluster cluster{options, honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        cluster.crash(at(8));
        std::deque<std::uint32_t> voters{0, 1, 2, 3};
        for (std::uint32_t next = 4; next < 8; ++next) {
            EXPECT_EQ(hand_on(cluster, voters, next), "") << seed;
            ASSERT_TRUE(run_until_seat(cluster, next, next)) << seed << cluster.violation();
            count_up(cluster, next, 5);
        }
        cluster.disk(at(8)).wipe();
        ASSERT_TRUE(cluster.start(at(8)).has_value());
        ASSERT_TRUE(cluster.run_for(Duration::from_s(15))) << cluster.violation();
        EXPECT_EQ(counted(cluster, 8), "20") << "seed " << seed;
        const auto counters = cluster.node(at(8))->status().counters;
        EXPECT_GT(counters.at("checkpoints_adopted"), 0U) << "seed " << seed;
    }
}

// Everybody restarts, some in between, while the roster changes again and again.
// [ORD-R8.1] [SEAT-LATER.1]
TEST(RosterInCluster, ItChangesUnderRestarts) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SimCluster cluster{roster_network(seed, 4), honest_nodes()};
        Prng prng{seed};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        std::deque<std::uint32_t> voters{0, 1, 2, 3};
        for (std::uint32_t next = 4; next < 8; ++next) {
            EXPECT_EQ(hand_on(cluster, voters, next), "") << seed;
            const auto down = static_cast<std::uint32_t>(prng.below(8));
            cluster.crash(at(down));
            ASSERT_TRUE(cluster.run_for(Duration::from_ms(static_cast<std::int64_t>(prng.below(700))
            )));
            ASSERT_TRUE(cluster.start(at(down)).has_value());
            ASSERT_TRUE(run_until_seat(cluster, next, next)) << seed << cluster.violation();
            count_up(cluster, next, 3);
        }
        for (std::uint32_t node = 0; node < 8; ++node)
            cluster.crash(at(node));
        for (std::uint32_t node = 0; node < 8; ++node)
            ASSERT_TRUE(cluster.start(at(node)).has_value());
        count_up(cluster, 7, 3);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        for (std::uint32_t node = 0; node < 8; ++node)
            EXPECT_EQ(counted(cluster, node), "15") << "node " << node << " seed " << seed;
    }
}

}  // namespace
}  // namespace creto
