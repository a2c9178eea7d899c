#include "scale/bench/scenario_file.hpp"

#include <gtest/gtest.h>

#include "model/limits.hpp"
#include "scale/pace.hpp"

namespace creto {
namespace {

const std::string head = "name = \"x\"\ncategory = \"chaos\"\nabout = \"a\"\n";
const std::string network = "[network]\nnodes = 100\nprofile = \"lan\"\n";
const std::string load_table =
    "[load]\nworkload = \"constant:10\"\nduration = \"10m\"\nsmoke = \"20s\"\n";
const std::string replayed = "[[criterion]]\nmetric = \"storage_replay_writes\"\nmin = 1\n";
const std::string criterion = "[[criterion]]\nmetric = \"avg_tps\"\nmin = 10\n";

ScaleScenario good(const std::string& text) {
    auto parsed = parse_scenario(text, "x.toml");
    EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
    return parsed ? *parsed : ScaleScenario{};
}

std::string refusal(const std::string& text) {
    const auto parsed = parse_scenario(text, "x.toml");
    return parsed ? "accepted" : parsed.error().message;
}

TEST(ScenarioFile, ReadsWhatAFileSays) {
    const ScaleScenario scenario = good(
        head + network + "byzantine = \"20%\"\nattack = \"collusion\"\nview_interval = \"5ms\"\n" +
        load_table +
        "[[step]]\nname = \"cut\"\nkind = \"partition\"\ngroups = [60, 40]\nat = \"1m\"\n"
        "lasts = \"2m\"\n" +
        criterion + "during = \"cut\"\nneeds_full = true\n"
    );
    EXPECT_EQ(scenario.alias(), "test_x");
    EXPECT_EQ(scenario.network.byzantine_ppm, 200'000U);
    EXPECT_EQ(scenario.network.attack, Attack::collusion);
    EXPECT_EQ(scenario.network.view_interval, Duration::from_ms(5));
    ASSERT_EQ(scenario.steps.size(), 1U);
    EXPECT_EQ(scenario.steps[0].groups, (std::vector<std::uint32_t>{60, 40}));
    EXPECT_EQ(scenario.steps[0].lasts, Duration::from_s(120));
    ASSERT_EQ(scenario.criteria.size(), 1U);
    EXPECT_EQ(scenario.criteria[0].window, Window::during);
    EXPECT_TRUE(scenario.criteria[0].needs_full);
    EXPECT_EQ(scenario.too_big(), "");
}

TEST(ScenarioFile, SaysHowManyStoresAreReplayed) {
    EXPECT_EQ(good(head + network + criterion).replayed_stores, 0U);
    EXPECT_EQ(good(head + "[storage]\nreplay = 4\n" + replayed).replayed_stores, 4U);
    const ScaleScenario fewer =
        with_nodes(good(head + network + "[storage]\nreplay = 4\n" + replayed), 4).value();
    EXPECT_EQ(fewer.replayed_stores, 4U);
}

struct Wrong {
    std::string text;
    std::string says;
};

TEST(ScenarioFile, NamesEachKindOfMistakeWithItsLine) {
    const std::string step = "[[step]]\nkind = \"kill\"\nat = \"1m\"\n";
    const std::vector<Wrong> all{
        {head + network + "profil = \"lan\"\n" + criterion,
         "x.toml:7: [network] has no key \"profil\"; did you mean \"profile\"?"},
        {head + "[netwrok]\n" + criterion, "did you mean \"network\"?"},
        {head + "[network]\nnodes = 0\n" + criterion,
         "x.toml:5: [network] nodes: must be a whole number from 4 to 10000"},
        {head + network + "view_interval = \"61s\"\n" + criterion, "view_interval: at most 60s"},
        {head + "[network]\nnodes = \"many\"\n" + criterion, "must be a whole number"},
        {head + "[network]\nbyzantine = \"200%\"\n" + criterion,
         "[network] byzantine: is a share from 0% to 100%"},
        {head + "[network]\nbyzantine = \"some\"\n" + criterion, "is a share"},
        {head + "[network]\nprofile = \"wam\"\n" + criterion, "did you mean \"wan\"?"},
        {head + "[network]\nattack = \"colusion\"\n" + criterion, "did you mean \"collusion\"?"},
        {head + "[load]\nworkload = \"steady\"\n" + criterion, "no workload \"steady\""},
        {head + "[load]\nduration = \"long\"\n" + criterion, "no duration \"long\""},
        {head + "[load]\npayload = 7\n" + criterion, "must be a whole number from 8"},
        {head + "[load]\nduration = \"60s\"\nsmoke = \"4s\"\n" + criterion, "at least 5s"},
        {head + network + load_table + step + "nodes = 100\n" + criterion, "from 1 to 99"},
        {head + network + load_table + step + criterion, "a step kill needs it"},
        {head + network + load_table + "[[step]]\nkind = \"kil\"\n" + criterion,
         "did you mean \"kill\"?"},
        {head + network + load_table + "[[step]]\nkind = \"partition\"\ngroups = [60, 60]\n" +
             criterion,
         "at least two sides that have all 100 nodes together; these have 120"},
        {head + network + load_table + "[[step]]\nkind = \"loss\"\npercent = 51\n" + criterion,
         "must be a number from 0.001 to 50"},
        {head + network + load_table + "[[step]]\nkind = \"restart-all\"\nat = \"10m\"\n" +
             criterion,
         "is after the load has ended"},
        {head + network + load_table +
             "[[step]]\nkind = \"restart-all\"\nevery = \"1m\"\nlasts = \"2m\"\n" + criterion,
         "ends before it comes again"},
        {head + "[[criterion]]\nmetric = \"avg_tsp\"\nmin = 1\n",
         "there is no metric \"avg_tsp\"; did you mean \"avg_tps\"?"},
        {head + "[[criterion]]\nmetric = \"avg_tps\"\n", "needs min, max or equals"},
        {head + criterion + "during = \"cut\"\n", "there is no \"cut\""},
        {head + criterion + criterion, "another criterion is called so"},
        {head, "a scenario has at least one [[criterion]]"},
        {head + "[storage]\nreplay = 5\n" + criterion,
         "[storage] replay: must be a whole number from 0 to 4"},
        {head + "[storage]\nreplays = 1\n" + criterion, "did you mean \"replay\"?"},
        {head + replayed, "metric: needs [storage] with replay = 1 to 4"},
        {head + "[storage]\nreplay = 0\n" + replayed, "needs [storage] with replay = 1 to 4"},
        {head + network + load_table + step + "nodes = 1\nname = \"cut\"\n[storage]\nreplay = 1\n" +
             replayed + "during = \"cut\"\n",
         "is of the whole run only"},
        {"category = \"chaos\"\n" + criterion, "a scenario has a name"},
        {"name = \"x\"\ncategory = \"chaso\"\n" + criterion, "did you mean \"chaos\"?"},
        {"name = ", "x.toml:1: "},
        {std::string(limits::scenario_file_bytes_max + 1, ' '), "longer than 65536 bytes"},
    };
    for (const Wrong& one : all)
        EXPECT_NE(refusal(one.text).find(one.says), std::string::npos)
            << refusal(one.text) << "\nnot: " << one.says;
}

TEST(ScenarioFile, WhoDoesNotNameAPaceGetsTheOneOfItsSize) {
    EXPECT_FALSE(good(head + network + load_table + criterion).network.view_interval.has_value());
    EXPECT_EQ(usual_view_interval(16), Duration{});
    EXPECT_EQ(usual_view_interval(17), Duration::from_ms(25));
    EXPECT_EQ(usual_view_interval(4'999), Duration::from_ms(25));
    EXPECT_EQ(usual_view_interval(5'000), Duration::from_ms(100));
}

TEST(ScenarioFile, HasAtMostSoManySteps) {
    std::string steps;
    for (std::size_t i = 0; i < limits::scenario_steps_max; ++i)
        steps += "[[step]]\nkind = \"restart-all\"\nat = \"1m\"\n";
    EXPECT_EQ(refusal(head + network + load_table + steps + criterion), "accepted");
    steps += "[[step]]\nkind = \"restart-all\"\n";
    EXPECT_NE(
        refusal(head + network + load_table + steps + criterion).find("at most 64"),
        std::string::npos
    );
}

TEST(ScenarioFile, MoreNodesThanARosterHoldsAreSaidToBeTooMany) {
    const std::string at = head + "[network]\nnodes = " + std::to_string(limits::seats_max) + "\n";
    EXPECT_EQ(good(at + criterion).too_big(), "");
    const std::string over =
        head + "[network]\nnodes = " + std::to_string(limits::seats_max + 1) + "\n";
    EXPECT_NE(
        good(over + criterion).too_big().find("a roster holds at most 2048"), std::string::npos
    );
}

TEST(ScenarioFile, WithFewerNodesCountsShrinkAndSharesStay) {
    const ScaleScenario whole = good(
        head + "[network]\nnodes = 1000\nbyzantine = \"20%\"\n" + load_table +
        "[[step]]\nname = \"a\"\nkind = \"kill-until\"\nnodes = 315\nat = \"1m\"\n"
        "[[step]]\nname = \"b\"\nkind = \"kill-until\"\nnodes = 335\nat = \"2m\"\n"
        "[[step]]\nkind = \"partition\"\ngroups = [400, 400, 200]\nat = \"3m\"\nlasts = \"1m\"\n" +
        criterion
    );
    const ScaleScenario fewer = with_nodes(whole, 31).value();
    EXPECT_EQ(fewer.network.nodes, 31U);
    EXPECT_EQ(fewer.network.byzantine_ppm, 200'000U);
    // Ten of 31 may be missing: what was tolerated still is, what was not still is not.
    EXPECT_EQ(fewer.steps[0].nodes, 9U);
    EXPECT_EQ(fewer.steps[1].nodes, 11U);
    EXPECT_EQ(fewer.steps[2].groups, (std::vector<std::uint32_t>{13, 12, 6}));
    EXPECT_FALSE(with_nodes(whole, 0).has_value());
    EXPECT_FALSE(with_nodes(whole, limits::seats_max + 1).has_value());
    EXPECT_TRUE(with_nodes(whole, limits::seats_max).has_value());
}

TEST(ScenarioFile, ShortenedKeepsFaultsAndShortensTime) {
    const ScaleScenario whole = good(
        head + network + load_table +
        "[[step]]\nkind = \"kill\"\nnodes = 10\nat = \"5m\"\nlasts = \"1m\"\nevery = \"2m\"\n" +
        criterion
    );
    const ScaleScenario shorter = shortened(whole);
    EXPECT_EQ(shorter.duration, Duration::from_s(20));
    EXPECT_EQ(shorter.network.nodes, 100U);
    ASSERT_EQ(shorter.steps.size(), 1U);
    EXPECT_EQ(shorter.steps[0].nodes, 10U);
    EXPECT_EQ(shorter.steps[0].at, Duration::from_s(10));
    EXPECT_EQ(shorter.steps[0].lasts, Duration::from_s(5));
    EXPECT_EQ(shorter.steps[0].every, Duration::from_s(10));
}

}  // namespace
}  // namespace creto
