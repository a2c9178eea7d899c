#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"
#include "state/final_receipt.hpp"
#include "tools/builtins.hpp"
#include "tools/json_parse.hpp"
#include "tools/rule_decision.hpp"

namespace creto {
namespace {

using sim_testing::ask;
using sim_testing::at;
using sim_testing::text_of;

SimOptions cluster_of(std::uint32_t count, std::uint64_t seed = 1) {
    SimOptions options;
    options.seed = seed;
    options.node_count = count;
    return options;
}

Submit add(const std::string& key, std::int64_t amount, Reading reading) {
    if (reading == Reading::final)
        return {
            KeyOperation{KeyOperation::Action::add, key, {}, amount},
            reading,
            Duration::from_s(20)};
    return {CrdtOperation{.key = key, .amount = amount}, reading, Duration::from_s(20)};
}

std::string value_at(SimCluster& cluster, NodeIndex node, const std::string& key) {
    const ReplyBody reply = ask(cluster, node, ReadKey{key});
    const auto* found = std::get_if<KeyReply>(&reply);
    if (found == nullptr) return text_of(reply);
    if (found->counter) return std::to_string(*found->counter);
    return found->values.empty() ? "none" : std::string{as_text(found->values[0])};
}

TEST(NodeInCluster, MakesAWriteFinalAndReadableEverywhere) {
    for (const auto signatures : {SimSignatures::tag, SimSignatures::ed25519}) {
        SimOptions options = cluster_of(4);
        options.signatures = signatures;
        SimCluster cluster{options, honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1))) << cluster.violation();
        const ReplyBody reply = ask(cluster, at(2), add("final/n", 5, Reading::final));
        const auto* done = std::get_if<SubmitReply>(&reply);
        ASSERT_NE(done, nullptr) << text_of(reply);
        EXPECT_TRUE(done->applied) << done->reason;
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
        for (std::uint32_t node = 0; node < 4; ++node)
            EXPECT_EQ(value_at(cluster, at(node), "final/n"), "5");
        EXPECT_GT(cluster.invariants().counts().votes, 0U);
    }
}

// Found by measuring 31 nodes: an agent that got its own newest record back took it for that of an
// older life and said it again, for ever: 98,000 messages a second and node.
TEST(NodeInCluster, AnIdleMeshIsQuiet) {
    for (const std::uint32_t count : {4U, 16U}) {
        SimCluster cluster{cluster_of(count), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        const std::uint64_t before = cluster.network().sent;
        constexpr std::int64_t seconds = 20;
        ASSERT_TRUE(cluster.run_for(Duration::from_s(seconds))) << cluster.violation();
        const std::uint64_t sent = cluster.network().sent - before;
        // A probe to each silent seat every 250 ms with its answer, summaries, a heartbeat view.
        EXPECT_LT(sent / seconds / count, 16U * count) << count << " nodes";
    }
}

// Failure 13: a faster executor was not deterministic, and nothing showed it until a later feature.
TEST(NodeInCluster, GivesTheSameTraceTwice) {
    const auto run = [](std::uint64_t seed) {
        SimCluster cluster{cluster_of(4, seed), honest_nodes()};
        for (int i = 0; i < 10; ++i) {
            (void)cluster.submit(
                at(static_cast<std::uint32_t>(i % 4)), add("final/n", i, Reading::final)
            );
            EXPECT_TRUE(cluster.run_for(Duration::from_ms(300))) << cluster.violation();
        }
        return cluster.trace_hash();
    };
    EXPECT_EQ(run(1), run(1));
    EXPECT_NE(run(1), run(2));
}

TEST(NodeInCluster, IsQuietWhenNobodyWantsAnything) {
    // Local latencies: what one peer passes on comes back before the others heard it directly.
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SimOptions options = cluster_of(7, seed);
        options.profile = local_profile();
        for (std::uint32_t node = 0; node < 7; ++node)
            options.tools[at(node)] = {builtin_registry().snapshot(), Duration::from_us(50), {}};
        SimCluster cluster{options, honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();
        const std::uint64_t before = cluster.network().sent;
        ASSERT_TRUE(cluster.run_for(Duration::from_s(60))) << cluster.violation();
        // 30 heartbeats of three rounds of votes, and a probe and its answer of silent seats.
        EXPECT_LT(cluster.network().sent - before, 25'000U) << "seed " << seed;
    }
}

TEST(NodeInCluster, JoinsBothSidesOfAPartitionInTheirCounter) {
    SimCluster cluster{cluster_of(4), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    ASSERT_FALSE(
        std::holds_alternative<Error>(ask(cluster, at(0), add("causal/n", 1, Reading::causal)))
    );
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    const std::vector<std::vector<NodeIndex>> halves{{at(0), at(1)}, {at(2), at(3)}};
    cluster.cut(halves);
    ASSERT_TRUE(cluster.run_for(Duration::from_s(3)));
    EXPECT_FALSE(
        std::holds_alternative<Error>(ask(cluster, at(0), add("causal/n", 10, Reading::causal)))
    );
    EXPECT_FALSE(
        std::holds_alternative<Error>(ask(cluster, at(2), add("causal/n", 20, Reading::causal)))
    );
    const std::uint64_t heights = cluster.invariants().counts().heights;
    ASSERT_TRUE(cluster.run_for(Duration::from_s(3)));
    EXPECT_EQ(value_at(cluster, at(1), "causal/n"), "11");
    EXPECT_EQ(value_at(cluster, at(3), "causal/n"), "21");
    EXPECT_EQ(cluster.invariants().counts().heights, heights) << "two of four are no quorum";
    cluster.heal();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();
    for (std::uint32_t node = 0; node < 4; ++node)
        EXPECT_EQ(value_at(cluster, at(node), "causal/n"), "31");
    EXPECT_GT(cluster.invariants().counts().heights, heights);
}

// Without a quorum causal writes go on until the window of what is not final is full; then they are
// refused at once, what was taken before is answered, and after healing all of it becomes final.
TEST(NodeInCluster, RefusesCausalWritesOverTheWindow) {
    SimOptions options = cluster_of(4);
    SimCluster cluster{options, honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    const std::vector<std::vector<NodeIndex>> halves{{at(0), at(1)}, {at(2), at(3)}};
    cluster.cut(halves);
    ASSERT_TRUE(cluster.run_for(Duration::from_s(3)));
    std::vector<Ticket> taken;
    std::string refused;
    const auto write = [&](std::size_t number) {
        const Ticket ticket = cluster.submit(
            at(0),
            Submit{
                CrdtOperation{
                    .action = CrdtOperation::Action::register_set,
                    .key = "causal/" + std::to_string(number),
                    .value = Bytes(100'000)},
                Reading::causal,
                Duration::from_s(600)}
        );
        for (int i = 0; i < 3 && cluster.reply(ticket) == nullptr; ++i)
            (void)cluster.run_for(Duration::from_us(1));
        const ReplyBody* reply = cluster.reply(ticket);
        if (reply == nullptr || !std::holds_alternative<Error>(*reply)) {
            taken.push_back(ticket);
            return true;
        }
        refused = std::get<Error>(*reply).message;
        return false;
    };
    std::size_t number = 0;
    while (number < 1'000 && write(number)) {
        ++number;
        if (number % 50 == 0) {
            ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
        }
    }
    EXPECT_EQ(refused.rfind("causal backlog full: no finality since ", 0), 0U) << refused;
    EXPECT_GT(number * 100'000, limits::lane_window_bytes - 2 * limits::vertex_bytes_max);
    EXPECT_LT(number * 100'000, limits::lane_window_bytes);
    // Bounded: however often it is asked, no more is taken; what was taken is answered.
    EXPECT_FALSE(write(number + 1));
    const auto all_answered = [&] {
        return std::all_of(taken.begin(), taken.end(), [&](const Ticket ticket) {
            const ReplyBody* reply = cluster.reply(ticket);
            return reply != nullptr && std::holds_alternative<SubmitReply>(*reply);
        });
    };
    EXPECT_TRUE(cluster.run_until(all_answered, Duration::from_s(300)));
    // What was reckoned of them is an upper bound: a few more fit, and it is full again.
    std::size_t more = 0;
    while (more < 10 && write(number + 2 + more))
        ++more;
    EXPECT_LT(more, 10U);
    EXPECT_LT((number + more) * 100'000, limits::lane_window_bytes);
    cluster.heal();
    const auto has_room = [&] { return cluster.node(at(0))->status().causal_backlog == 0; };
    EXPECT_TRUE(cluster.run_until(has_room, Duration::from_s(300))) << cluster.violation();
    EXPECT_TRUE(write(number + 100)) << refused;
    EXPECT_EQ(cluster.violation(), "");
    const ReplyBody read = ask(cluster, at(3), ReadKey{"causal/" + std::to_string(number - 1)});
    EXPECT_TRUE(std::get<KeyReply>(read).found);
}

TEST(NodeInCluster, RefusesFinalWritesInAMinorityAndCatchesUp) {
    SimOptions options = cluster_of(5);
    options.mode = QuorumMode::crash;
    SimCluster cluster{options, honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    const std::vector<std::vector<NodeIndex>> sides{{at(0), at(1), at(2)}, {at(3), at(4)}};
    cluster.cut(sides);
    ASSERT_TRUE(cluster.run_for(Duration::from_s(3)));
    const Instant asked = cluster.now();
    const ReplyBody refused = ask(cluster, at(4), add("final/n", 1, Reading::final));
    EXPECT_TRUE(std::holds_alternative<Error>(refused));
    EXPECT_LE(cluster.now() - asked, Duration::from_s(1)) << text_of(refused);
    const ReplyBody taken = ask(cluster, at(0), add("final/n", 2, Reading::final));
    EXPECT_TRUE(std::holds_alternative<SubmitReply>(taken)) << text_of(taken);
    cluster.heal();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();
    EXPECT_EQ(value_at(cluster, at(4), "final/n"), "2");
}

TEST(NodeInCluster, KeepsWhatWasAnsweredThroughACrashOfAll) {
    SimCluster cluster{cluster_of(4), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    const ReplyBody reply = ask(cluster, at(1), add("final/n", 7, Reading::final));
    ASSERT_TRUE(std::holds_alternative<SubmitReply>(reply)) << text_of(reply);
    for (std::uint32_t node = 0; node < 4; ++node)
        cluster.crash(at(node));
    for (std::uint32_t node = 0; node < 4; ++node)
        ASSERT_TRUE(cluster.start(at(node)).has_value());
    ASSERT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();
    for (std::uint32_t node = 0; node < 4; ++node)
        EXPECT_EQ(value_at(cluster, at(node), "final/n"), "7");
}

TEST(NodeInCluster, ABatchIsOneVertexAndOneAnswer) {
    SimCluster cluster{cluster_of(4), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
    const auto made = [&] {
        return std::get<StatusReply>(ask(cluster, at(2), AskStatus{})).counters["vertices_made"];
    };
    const std::uint64_t before = made();
    SubmitMany many;
    for (std::uint8_t i = 0; i < 100; ++i)
        many.bodies.emplace_back(DataOperation{Bytes(10, i)});
    many.bodies.emplace_back(DataOperation{Bytes(limits::operation_bytes_max, 1)});
    const ReplyBody reply = ask(cluster, at(2), many);
    const auto* sum = std::get_if<SubmitManyReply>(&reply);
    ASSERT_NE(sum, nullptr) << text_of(reply);
    EXPECT_EQ(sum->final_count, 100U);
    EXPECT_GT(sum->last, Height{});
    ASSERT_TRUE(sum->error.has_value()) << "one is too large";
    EXPECT_EQ(sum->error->code, ErrorCode::limit);
    EXPECT_EQ(made() - before, 1U);
    const ReplyBody empty = ask(cluster, at(2), SubmitMany{});
    EXPECT_TRUE(std::holds_alternative<Error>(empty));
}

TEST(NodeInCluster, CallsToolsOfOthersAndDecidesAgainstALiar) {
    SimOptions options = cluster_of(7);
    for (std::uint32_t node = 0; node < 7; ++node)
        options.tools[at(node)] = {builtin_registry().snapshot(), Duration::from_us(50), {}};
    // Node 6 offers the same contract, and answers ten times as much.
    Registry lying = builtin_registry();
    const Tool& honest = *lying.snapshot()->find("add");
    const auto lie = [tool = honest](const Json&, const ToolContext&) -> Result<Json> {
        return parse_json("300");
    };
    ASSERT_TRUE(lying.replace(*Tool::make(honest.contract(), "adds", lie)).has_value());
    options.tools[at(6)] = {lying.snapshot(), Duration::from_us(50), {}};
    SimCluster cluster{options, honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();

    const CallTool call{"add", R"({"a":10,"b":20})", cluster.agent(at(3)), Duration::from_s(5)};
    const ReplyBody called = ask(cluster, at(0), call);
    ASSERT_TRUE(std::holds_alternative<CallReply>(called)) << text_of(called);
    EXPECT_EQ(std::get<CallReply>(called).result, "30");

    CallVerified verified;
    verified.tool = "add";
    verified.arguments = R"({"a":10,"b":20})";
    const ReplyBody decided = ask(cluster, at(0), verified);
    ASSERT_TRUE(std::holds_alternative<VerifiedReply>(decided)) << text_of(decided);
    const auto& reply = std::get<VerifiedReply>(decided);
    EXPECT_EQ(reply.result, "30");
    EXPECT_EQ(reply.dissenting, std::vector<AgentId>{cluster.agent(at(6))});

    // The verdict becomes final; its receipt holds for anyone who has the genesis, and only as it is.
    const ReplyBody proven = ask(cluster, at(0), AskReceipt{reply.call, Duration::from_s(20)});
    ASSERT_TRUE(std::holds_alternative<ReceiptReply>(proven)) << text_of(proven);
    Bytes bytes = std::get<ReceiptReply>(proven).receipt;
    const auto receipt = decode_named<FinalReceipt>(bytes, "receipt");
    ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
    const auto final = verify(*receipt, cluster.roster(), cluster.scheme());
    ASSERT_TRUE(final.has_value()) << final.error().message;
    EXPECT_EQ(final->verdict.call, reply.call);
    EXPECT_EQ(final->verdict.dissenting, std::vector<AgentId>{cluster.agent(at(6))});
    EXPECT_GE(final->seats, 5U);
    FinalReceipt forged = *receipt;
    forged.verdict.back() ^= 1U;
    EXPECT_FALSE(verify(forged, cluster.roster(), cluster.scheme()).has_value());

    // It is stored: after a crash the same bytes come from the disk. Others never had it.
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
    cluster.crash(at(0));
    ASSERT_TRUE(cluster.start(at(0)).has_value());
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
    const ReplyBody again = ask(cluster, at(0), AskReceipt{reply.call, Duration::from_s(20)});
    ASSERT_TRUE(std::holds_alternative<ReceiptReply>(again)) << text_of(again);
    EXPECT_TRUE(std::get<ReceiptReply>(again).receipt == bytes);
    const ReplyBody nowhere = ask(cluster, at(1), AskReceipt{reply.call, Duration::from_s(1)});
    ASSERT_TRUE(std::holds_alternative<Error>(nowhere));
    EXPECT_EQ(std::get<Error>(nowhere).code, ErrorCode::not_found);
}

/// The tools with one that answers this number, whatever the time is.
ToolBox with_clock_at(std::int64_t ms) {
    Registry tools = builtin_registry();
    const Tool& honest = *tools.snapshot()->find("clock");
    const auto answer = [ms](const Json&, const ToolContext&) -> Result<Json> { return Json{ms}; };
    const auto replaced = tools.replace(*Tool::make(honest.contract(), "a clock", answer));
    EXPECT_TRUE(replaced.has_value());
    return {tools.snapshot(), Duration::from_us(50), {}};
}

// Two liars of seven sit at the edge of the tolerance, on the side that suits them: they move the
// result to another honest answer at most, and whoever is one beyond is named, and nobody else.
TEST(NodeInCluster, LiarsAtTheEdgeOfATolerance) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        for (const std::int64_t beyond : {0, 1}) {
            SimOptions options = cluster_of(7, seed);
            constexpr std::int64_t noon = 1'700'000'000'000;
            for (std::uint32_t node = 0; node < 5; ++node)
                options.tools[at(node)] = with_clock_at(noon + node);
            // Six of seven answers or all seven: the lower median is 2 to 4 past noon.
            options.tools[at(5)] = with_clock_at(noon + 5'002);
            options.tools[at(6)] = with_clock_at(noon + 5'004 + beyond);
            SimCluster cluster{options, honest_nodes()};
            for (const std::uint32_t liar : {5U, 6U})
                cluster.set_lying_provider(at(liar));
            ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
            CallVerified call;
            call.tool = "clock";
            call.arguments = "{}";
            const ReplyBody decided = ask(cluster, at(0), call);
            ASSERT_TRUE(std::holds_alternative<VerifiedReply>(decided)) << text_of(decided);
            const auto& reply = std::get<VerifiedReply>(decided);
            const std::int64_t result = std::stoll(reply.result);
            EXPECT_TRUE(noon <= result && result <= noon + 4) << "seed " << seed << ": " << result;
            for (const AgentId& named : reply.dissenting) {
                EXPECT_TRUE(named == cluster.agent(at(5)) || named == cluster.agent(at(6)))
                    << "seed " << seed << " names an honest agent";
            }
            if (beyond == 1) {
                const auto& answers = reply.shown;
                const bool asked = std::any_of(answers.begin(), answers.end(), [&](auto& a) {
                    return a.provider == cluster.agent(at(6));
                });
                const bool named =
                    std::count(
                        reply.dissenting.begin(), reply.dissenting.end(), cluster.agent(at(6))
                    ) == 1;
                EXPECT_EQ(asked, named) << "seed " << seed;
            }
            // The caller's receipt holds offline, with the answers in clear.
            const auto contract = Contract::parse(reply.definition);
            ASSERT_TRUE(contract.has_value()) << contract.error().message;
            const auto shown = decide_shown(
                reply.receipt, *contract, reply.salt, reply.shown, reply.judgement, {}
            );
            ASSERT_TRUE(shown.has_value()) << shown.error().message;
            EXPECT_EQ(shown->result, reply.result);
            // The record becomes final, and nobody's standing is touched by digests that differ.
            const ReplyBody proven =
                ask(cluster, at(0), AskReceipt{reply.call, Duration::from_s(20)});
            ASSERT_TRUE(std::holds_alternative<ReceiptReply>(proven)) << text_of(proven);
            const ReplyBody standing = ask(cluster, at(0), AskReputation{});
            for (const ReputationView& agent : std::get<ReputationReply>(standing).agents) {
                EXPECT_EQ(agent.dissented, 0U) << agent.name;
                EXPECT_FALSE(agent.excluded) << agent.name;
            }
        }
    }
}

TEST(NodeInCluster, FindsEachOtherThroughOneAddress) {
    SimOptions options = cluster_of(5);
    options.linking = Linking::dialled;
    SimCluster cluster{options, honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
    for (std::uint32_t node = 0; node < 5; ++node) {
        for (std::uint32_t other = 0; other < 5; ++other) {
            if (node == other) continue;
            EXPECT_TRUE(cluster.connected({at(node), at(other)})) << node << ' ' << other;
        }
    }
    const ReplyBody reply = ask(cluster, at(4), add("final/n", 5, Reading::final));
    EXPECT_TRUE(std::holds_alternative<SubmitReply>(reply)) << text_of(reply);
}

TEST(NodeInCluster, FinalisesUnderEveryAttackOfOneSeat) {
    for (const Attack attack : all_attacks()) {
        SimOptions options = cluster_of(4);
        options.attacks[at(1)] = attack;
        SimCluster cluster{options, honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
        for (int i = 0; i < 5; ++i) {
            const ReplyBody reply = ask(cluster, at(0), add("final/n", 1, Reading::final));
            EXPECT_TRUE(std::holds_alternative<SubmitReply>(reply))
                << to_string(attack) << ": " << text_of(reply);
        }
        EXPECT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
        EXPECT_EQ(value_at(cluster, at(3), "final/n"), "5") << to_string(attack);
    }
}

}  // namespace
}  // namespace creto
