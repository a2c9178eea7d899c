#include "scale/report/page.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "scale/report/trial_result.hpp"
#include "sim/life/swarm.hpp"
#include "tools/json_parse.hpp"
#include "tools/schema.hpp"

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;

constexpr JsonLimits big{8'000'000, 64, 1'000'000};

const Schema& schema() {
    static const Schema compiled = [] {
        std::ifstream file{std::string{CRETO_SOURCE_DIR} + "/docs/result.schema.json"};
        std::ostringstream text;
        text << file.rdbuf();
        return Schema::compile(parse_json(text.str(), big).value()).value();
    }();
    return compiled;
}

std::string why_invalid(const Doc& doc) {
    const auto parsed = parse_json(doc.dump(), big);
    if (!parsed) return parsed.error().message;
    const auto checked = schema().check(*parsed);
    return checked ? "" : checked.error().message;
}

ScenarioResult trial(
    std::uint64_t seed,
    const std::string& repro = "creto sim run --nodes 4",
    const CostTable& costs = ed25519_costs()
) {
    TrialPlan plan;
    plan.costs = costs;
    plan.base.seed = seed;
    plan.base.profile = "local";
    plan.duration = Duration::from_s(2);
    ScenarioResult result = trial_result(plan, run_trial(plan), repro);
    result.nodes = 4;
    result.start_time = result.end_time = utc_now();
    return result;
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
    const std::size_t begin = text.find(from);
    if (begin == std::string::npos) return {};
    const std::size_t end = text.find(to, begin + from.size());
    return text.substr(begin + from.size(), end - begin - from.size());
}

Doc document_in(const std::string& page) {
    return Doc::parse(between(page, "id=\"result\">", "</script>"), nullptr, false);
}

TEST(Result, OfATrialALifeAndAScenarioFitsTheSchema) {
    const ScenarioResult run = trial(1);
    EXPECT_EQ(run.status(), std::string{"PASSED"});
    EXPECT_EQ(why_invalid(to_json(run)), "");

    const Doc joined = to_json(trial(1, "creto scale run", with_joined_votes(ed25519_costs())));
    EXPECT_EQ(joined["configuration"]["signature_scheme"], "tag, votes joined");
    EXPECT_EQ(why_invalid(joined), "");

    LifeOptions options;
    options.is_recorded = true;
    const Schedule schedule = make_schedule(17);
    ScenarioResult life =
        life_result(schedule, live(schedule, options), "creto sim replay --seed 17");
    life.nodes = schedule.nodes;
    life.start_time = life.end_time = utc_now();
    EXPECT_EQ(why_invalid(to_json(life)), "");

    const SimScenario& scenario = sim_scenarios().front();
    ScenarioResult system =
        system_result(scenario, scenario.run(1), "creto sim run --scenario S1.1");
    system.start_time = system.end_time = utc_now();
    EXPECT_EQ(why_invalid(to_json(system)), "");
    EXPECT_EQ(why_invalid(to_json(std::vector<ScenarioResult>{run, life, system})), "");
}

TEST(Result, OfRealProcessesFitsTheSchema) {
    ScenarioResult result;
    result.id = "S2.1";
    result.title = "malicious_tool";
    result.nodes = 4;
    result.pids = {17, 18};
    result.start_time = result.end_time = utc_now();
    result.require("named", "yes", "yes", true);
    EXPECT_EQ(why_invalid(to_json(result)), "");
}

TEST(Result, TheSchemaRefusesWhatIsNone) {
    const Doc good = to_json(trial(1));
    const auto without = [&](const char* pointer) {
        Doc doc = good;
        const nlohmann::ordered_json::json_pointer place{pointer};
        doc[place.parent_pointer()].erase(place.back());
        return why_invalid(doc);
    };
    EXPECT_NE(without("/status"), "");
    EXPECT_NE(without("/trace_hash"), "");
    EXPECT_NE(without("/details/models"), "");
    EXPECT_NE(without("/details/bottleneck"), "");
    EXPECT_NE(without("/results/consensus/decisions"), "");
    Doc doc = good;
    doc["status"] = "GOOD";
    EXPECT_NE(why_invalid(doc), "");
    doc = good;
    doc["acceptance_criteria"]["invariants"]["passed"] = nullptr;  // Without a reason.
    EXPECT_NE(why_invalid(doc), "");
}

TEST(Result, IsPartialWhenMoreDeviateThanTheQuorumTolerates) {
    TrialPlan plan;
    plan.base.profile = "local";
    plan.duration = Duration::from_s(2);
    draw_liars(plan.base, 500'000, Attack::silence);
    ScenarioResult result = trial_result(plan, run_trial(plan), "creto sim run");
    result.nodes = 4;
    result.start_time = result.end_time = utc_now();
    const Doc doc = to_json(result);
    EXPECT_EQ(why_invalid(doc), "");
    EXPECT_TRUE(doc["acceptance_criteria"]["progress"]["passed"].is_null());
    EXPECT_EQ(doc["configuration"]["byzantine_percentage"], 50.0);
    EXPECT_EQ(doc["configuration"]["byzantine_pattern"], "silence");
}

TEST(Page, HoldsTheWholeResultAndNothingFromElsewhere) {
    const Doc doc = to_json(trial(3));
    const std::string page = report_page(doc);
    EXPECT_EQ(document_in(page), doc);
    for (const char* outside : {"://", "src=", "href=", "@import", "url(", "fetch(", "import("})
        EXPECT_EQ(page.find(outside), std::string::npos) << outside;
    EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
    EXPECT_LT(page.size(), 5'000'000U);
    for (const char* element : {"html", "head", "body", "style", "title", "main"}) {
        EXPECT_NE(page.find(std::string{"<"} + element), std::string::npos) << element;
        EXPECT_NE(page.find(std::string{"</"} + element + ">"), std::string::npos) << element;
    }
}

TEST(Page, KeepsTextText) {
    const std::string hostile = "</script><script>alert(1)</script><!--";
    ScenarioResult result = trial(3, hostile);
    result.title = hostile;
    const Doc doc = to_json(result);
    const std::string page = report_page(doc);
    EXPECT_EQ(document_in(page), doc);
    EXPECT_EQ(page.find("<script>alert"), std::string::npos);
}

TEST(Page, StaysBelowItsSizeWithManyNodesAndSeeds) {
    TrialPlan plan;
    plan.base.profile = "local";
    plan.duration = Duration::from_s(1);
    TrialReport report = run_trial(plan);
    // As large as a record becomes: 128 nodes, 240 cells, 3,000 points.
    NodeCell cell{1'234'567, 12'345, NodeState::up};
    report.record.rows.assign(128, std::vector<NodeCell>(240, cell));
    report.record.roles.assign(128, "honest");
    report.record.cells.assign(240, RunCell{1'000, 1'000, 10, 20, 1'234'567, 123'456, 1'234'567});
    report.record.points.assign(3'000, LatencyPoint{123'456'789, 1'234'567, 127});
    const ScenarioResult result = trial_result(plan, report, "creto sim run");
    EXPECT_LT(report_page(to_json(result)).size(), 1'000'000U);
    EXPECT_LT(report_page(to_json(std::vector<ScenarioResult>(5, result))).size(), 5'000'000U);
}

TEST(Page, SaysWhichFileItCannotWrite) {
    const auto written = write_report_page(to_json(trial(3)), "/nonexistent/report.html");
    ASSERT_FALSE(written.has_value());
    EXPECT_NE(written.error().message.find("/nonexistent/report.html"), std::string::npos);
}

}  // namespace
}  // namespace creto
