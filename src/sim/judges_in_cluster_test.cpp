// Verified calls whose answers differ in words, judged by other agents, of which some lie.
#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"
#include "tools/builtins.hpp"
#include "tools/json_parse.hpp"
#include "tools/rule_decision.hpp"

namespace creto {
namespace {

using sim_testing::at;
using sim_testing::text_of;

ReplyBody ask(SimCluster& cluster, CommandBody body) {
    return sim_testing::ask(cluster, at(0), std::move(body));
}

CallVerified greeting() {
    return {.tool = "greet", .arguments = R"({"name":"Ann"})", .timeout = Duration::from_s(10)};
}

/// Seven nodes; some shout their greetings, and the last lies whatever it is asked.
class JudgesInCluster : public ::testing::Test {
protected:
    static constexpr std::uint32_t count = 7;
    static constexpr std::uint32_t liar = 6;

    void make(std::uint64_t seed, const LinkProfile& profile, std::uint32_t judges = count) {
        SimOptions options;
        options.seed = seed;
        options.node_count = count;
        options.profile = profile;
        for (std::uint32_t node = 0; node < count; ++node) {
            Registry registry = builtin_registry();
            if (node >= judges) registry.remove("same_text");
            if (node >= 3 && node != liar) says(registry, "greet", R"("HELLO,  ANN!")");
            if (node == liar) says(registry, "greet", R"("Go away")");
            if (node == liar && node < judges)
                says(registry, "same_text", R"({"groups":[[0],[1],[2]]})");
            options.tools[at(node)] = {registry.snapshot(), Duration::from_us(50), {}};
        }
        cluster_.emplace(options, honest_nodes());
        cluster_->set_lying_provider(at(liar));
        ASSERT_TRUE(cluster_->run_for(Duration::from_s(8))) << cluster_->violation();
    }
    /// The tool answers this, whatever it is asked.
    static void says(Registry& registry, const std::string& tool, const std::string& text) {
        const auto answer = [text](const Json&, const ToolContext&) { return parse_json(text); };
        const Contract contract = registry.snapshot()->find(tool)->contract();
        ASSERT_TRUE(registry.replace(*Tool::make(contract, "", answer)));
    }

    std::optional<SimCluster> cluster_;
};

// [CALL-JUDGE.3] [CALL-JUDGE.4]
TEST_F(JudgesInCluster, TakeForTheSameWhatSaysTheSameAndNameWhoLies) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        make(seed, seed == 3 ? degraded_profile() : lan_profile());
        const ReplyBody said = ask(*cluster_, greeting());
        const auto* reply = std::get_if<VerifiedReply>(&said);
        ASSERT_NE(reply, nullptr) << text_of(said);
        EXPECT_EQ(reply->result, R"("HELLO,  ANN!")");
        ASSERT_TRUE(reply->judgement);
        const auto contract = Contract::parse(reply->definition);
        const auto decided = decide_shown(
            reply->receipt,
            *contract,
            reply->salt,
            reply->shown,
            reply->judgement,
            cluster_->roster().chain()
        );
        ASSERT_TRUE(decided) << decided.error().message;
        EXPECT_EQ(decided->result, reply->result);
        for (const AgentId& dissenting : reply->dissenting)
            EXPECT_EQ(dissenting, cluster_->agent(at(liar)));
        // Both calls become final; only the judges' names somebody.
        const CallId judges = reply->judgement->receipt.request.id(cluster_->roster().chain());
        for (const CallId& call : {reply->call, judges}) {
            const ReplyBody proof = ask(*cluster_, AskReceipt{call, Duration::from_s(20)});
            ASSERT_TRUE(std::holds_alternative<ReceiptReply>(proof)) << text_of(proof);
        }
        const ReplyBody asked = ask(*cluster_, AskVerdicts{});
        std::size_t seen = 0;
        for (const VerdictView& verdict : std::get<VerdictsReply>(asked).verdicts) {
            if (verdict.call == reply->call) {
                ++seen;
                EXPECT_FALSE(verdict.decided) << "digests do not show that they are the same";
                EXPECT_TRUE(verdict.dissenting.empty());
            } else if (verdict.call == judges) {
                ++seen;
                EXPECT_TRUE(verdict.decided);
                for (const AgentId& dissenting : verdict.dissenting)
                    EXPECT_EQ(dissenting, cluster_->agent(at(liar)));
            }
        }
        EXPECT_EQ(seen, 2U);
    }
}

// [CALL-JUDGE.2] [CALL-JUDGE.4]
TEST_F(JudgesInCluster, WhoseNumberDoesNotDoLeaveTheCallUndecided) {
    make(1, lan_profile(), 3);
    const ReplyBody said = ask(*cluster_, greeting());
    EXPECT_EQ(
        text_of(said),
        "undecided: the judge same_text: 3 agents offer it as the contract names it, 4 are needed"
    );
}

TEST_F(JudgesInCluster, ThatDoNotAnswerLeaveTheCallUndecidedAtItsDeadline) {
    make(1, lan_profile());
    for (std::uint32_t node = 1; node < count; ++node) {
        const Registry registry = builtin_registry();
        ToolBox box{registry.snapshot(), Duration::from_us(50), {}};
        if (node >= 3) {
            Registry louder = builtin_registry();
            says(louder, "greet", R"("HELLO,  ANN!")");
            box.tools = louder.snapshot();
        }
        box.took_by_name["same_text"] = Duration::from_s(3'600);
        cluster_->set_tools(at(node), box);
    }
    ASSERT_TRUE(cluster_->run_for(Duration::from_s(3))) << cluster_->violation();
    const Instant asked = cluster_->now();
    const ReplyBody said = ask(*cluster_, greeting());
    EXPECT_EQ(text_of(said).rfind("undecided: the judge same_text", 0), 0U) << text_of(said);
    EXPECT_LE(cluster_->now() - asked, Duration::from_ms(10'100));
    // Nothing of it is left.
    ASSERT_TRUE(cluster_->run_for(Duration::from_s(2))) << cluster_->violation();
    const ReplyBody status = ask(*cluster_, AskStatus{});
    EXPECT_EQ(std::get<StatusReply>(status).pending_calls, 0U);
}

TEST_F(JudgesInCluster, AreDismissedWithACallThatIsCancelled) {
    make(1, lan_profile());
    for (std::uint32_t node = 0; node < count; ++node) {
        Registry registry = builtin_registry();
        if (node >= 3) says(registry, "greet", R"("HELLO,  ANN!")");
        ToolBox box{registry.snapshot(), Duration::from_us(50), {}};
        box.took_by_name["same_text"] = Duration::from_s(5);
        cluster_->set_tools(at(node), box);
    }
    ASSERT_TRUE(cluster_->run_for(Duration::from_s(3))) << cluster_->violation();
    const Ticket call = cluster_->submit(at(0), greeting());
    ASSERT_TRUE(cluster_->run_for(Duration::from_s(2))) << cluster_->violation();
    ASSERT_EQ(cluster_->reply(call), nullptr);
    (void)ask(*cluster_, Cancel{call});
    ASSERT_NE(cluster_->reply(call), nullptr);
    EXPECT_EQ(text_of(*cluster_->reply(call)), "cancelled by the caller");
    ASSERT_TRUE(cluster_->run_for(Duration::from_s(1))) << cluster_->violation();
    const ReplyBody status = ask(*cluster_, AskStatus{});
    EXPECT_EQ(std::get<StatusReply>(status).pending_calls, 0U);
}

}  // namespace
}  // namespace creto
