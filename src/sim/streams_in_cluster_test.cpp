// Calls that show pieces, over links that lose messages and with providers that die.
#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"
#include "tools/builtins.hpp"

namespace creto {
namespace {

constexpr std::size_t lines = 300;
constexpr std::size_t line_bytes = 1'000;

using sim_testing::at;

std::string line(std::size_t i) {
    std::string out = std::to_string(i) + " ";
    return out + std::string(line_bytes - out.size() - 1, 'x') + "\n";
}

/// Tells a long story, line by line, and how many lines it had.
Tool story() {
    Contract contract;
    contract.name = "story";
    contract.version = "1.0.0";
    contract.input = Json{true};
    contract.output = Json{true};
    contract.idempotent = true;
    const auto tell = [](const Json& /*none*/, const ToolContext& context) -> Result<Json> {
        for (std::size_t i = 0; i < lines; ++i) {
            if (!context.show(text_piece(line(i)))) return fail(ErrorCode::cancelled, "unheard");
        }
        return Json{static_cast<std::int64_t>(lines)};
    };
    return *Tool::make(contract, "tells a story", tell);
}

/// Nodes 1 to 3 tell the story in three seconds; node 0 asks.
SimOptions story_tellers(std::uint64_t seed, const LinkProfile& profile) {
    SimOptions options;
    options.seed = seed;
    options.node_count = 4;
    options.profile = profile;
    Registry registry;
    EXPECT_TRUE(registry.add(story()));
    for (std::uint32_t node = 1; node < 4; ++node)
        options.tools[at(node)] = {registry.snapshot(), Duration::from_s(3), {}};
    return options;
}

Ticket ask(SimCluster& cluster) {
    return cluster.submit(
        at(0),
        CallTool{
            .tool = "story", .arguments = "{}", .timeout = Duration::from_s(30), .stream = true}
    );
}

struct SeenPieces {
    std::string text;  ///< Of the last attempt.
    std::uint64_t lost = 0;
    int restarts = 0;
};

/// What a watcher makes of it, who forgets what a restart makes worthless.
SeenPieces seen(const SimCommand& command) {
    SeenPieces out;
    std::uint32_t attempt = 1;
    std::uint64_t number = 0;
    for (const ShownPiece& shown : command.shown) {
        if (!shown.piece) {
            EXPECT_GT(shown.attempt, attempt);
            attempt = shown.attempt;
            number = 0;
            out.text.clear();
            ++out.restarts;
            continue;
        }
        EXPECT_EQ(shown.attempt, attempt) << "two attempts are mixed";
        EXPECT_GT(shown.number, number);
        number = shown.number;
        out.text += shown.piece->text;
        out.lost = shown.lost;
    }
    return out;
}

std::string whole_story() {
    std::string out;
    for (std::size_t i = 0; i < lines; ++i)
        out += line(i);
    return out;
}

// [CALL-STREAM.1] [CALL-STREAM.2]
TEST(StreamsInCluster, ArriveWholeAndInOrderBeforeTheAnswerOverLinksThatLose) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        SimCluster cluster{story_tellers(seed, degraded_profile()), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(8))) << cluster.violation();
        const Ticket ticket = ask(cluster);
        ASSERT_TRUE(cluster.run_until(
            [&] { return !cluster.command(ticket).shown.empty(); }, Duration::from_s(20)
        )) << cluster.violation();
        EXPECT_EQ(cluster.reply(ticket), nullptr) << "the answer does not exist yet";
        ASSERT_TRUE(cluster.run_until(
            [&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(30)
        )) << cluster.violation();
        const auto* reply = std::get_if<CallReply>(cluster.reply(ticket));
        ASSERT_NE(reply, nullptr);
        EXPECT_EQ(reply->result, std::to_string(lines));
        const SeenPieces all = seen(cluster.command(ticket));
        EXPECT_EQ(all.restarts, 0);
        if (reply->pieces_lost == 0) {
            EXPECT_EQ(all.text, whole_story()) << "seed " << seed;
        } else {
            EXPECT_LT(all.text.size(), whole_story().size());
        }
        EXPECT_GT(all.text.size(), whole_story().size() / 2) << "seed " << seed;
    }
}

// [CALL-STREAM.4]
TEST(StreamsInCluster, BeginAnewElsewhereWhenTheirProviderDies) {
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
        SimCluster cluster{story_tellers(seed, lan_profile()), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        const Ticket ticket = ask(cluster);
        ASSERT_TRUE(cluster.run_until(
            [&] { return cluster.command(ticket).shown.size() >= 50; }, Duration::from_s(20)
        )) << cluster.violation();
        const AgentId first = cluster.command(ticket).shown.back().provider;
        std::uint32_t dead = 1;
        while (cluster.agent(at(dead)) != first)
            ++dead;
        cluster.crash(at(dead));
        ASSERT_TRUE(cluster.run_until(
            [&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(30)
        )) << cluster.violation();
        const auto* reply = std::get_if<CallReply>(cluster.reply(ticket));
        ASSERT_NE(reply, nullptr);
        EXPECT_EQ(reply->result, std::to_string(lines));
        EXPECT_NE(reply->provider, first);
        EXPECT_EQ(reply->pieces_lost, 0U);
        const SeenPieces all = seen(cluster.command(ticket));
        EXPECT_EQ(all.restarts, 1);
        EXPECT_EQ(all.text, whole_story()) << "seed " << seed;
    }
}

// [CALL-STREAM.1] [CALL-STREAM.3]
TEST(StreamsInCluster, AReaderWhoReadsNothingGetsTheSameAnswerAtTheSameTime) {
    const auto run = [](bool reads) {
        SimOptions options = story_tellers(5, lan_profile());
        options.reads_pieces = reads;
        SimCluster cluster{options, honest_nodes()};
        EXPECT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        const Ticket ticket = ask(cluster);
        EXPECT_TRUE(cluster.run_until(
            [&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(30)
        )) << cluster.violation();
        return cluster.command(ticket);
    };
    const SimCommand reader = run(true);
    const SimCommand idler = run(false);
    const auto& read = std::get<CallReply>(*reader.reply);
    const auto& idle = std::get<CallReply>(*idler.reply);
    EXPECT_EQ(read.result, idle.result);
    EXPECT_EQ(read.pieces_lost, 0U);
    EXPECT_GT(idle.pieces_lost, 100U);
    std::size_t bytes = 0;
    for (const ShownPiece& shown : idler.shown)
        bytes += cost_of(*shown.piece);
    EXPECT_LE(bytes, limits::stream_window_bytes);
    const Duration later = idler.answered - idler.submitted - (reader.answered - reader.submitted);
    EXPECT_LT(later, Duration::from_ms(50)) << "nobody waited for it";
}

}  // namespace
}  // namespace creto
