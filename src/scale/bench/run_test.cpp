#include "scale/bench/run.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <map>

#include "rocks/test_support.hpp"
#include "scale/bench/catalogue.hpp"
#include "scale/bench/folder.hpp"
#include "scale/config.hpp"
#include "scale/report/page_files.hpp"
#include "tools/json_parse.hpp"
#include "tools/schema.hpp"

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;

const Catalogue& catalogue() {
    static const Catalogue loaded = Catalogue::load().value();
    return loaded;
}

std::string why_no_result(const Doc& doc) {
    constexpr JsonLimits big{32'000'000, 64, 4'000'000};
    static const Schema schema =
        Schema::compile(parse_json(std::string{embedded::result_schema_json()}, big).value())
            .value();
    const auto parsed = parse_json(doc.dump(), big);
    if (!parsed) return parsed.error().message;
    const auto checked = schema.check(*parsed);
    return checked ? "" : checked.error().message;
}

ScenarioResult run(const std::string& name, std::optional<std::uint32_t> nodes = 4) {
    BenchOptions options;
    options.smoke = true;
    options.nodes = nodes;
    options.repro = "creto scale run " + name;
    auto result = run_scenario(*catalogue().find(name).value(), options);
    EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
    if (!result) return {};
    EXPECT_EQ(why_no_result(to_json(*result)), "") << name;
    return std::move(*result);
}

std::optional<bool> passed(const ScenarioResult& result, const std::string& name) {
    for (const Criterion& one : result.criteria)
        if (one.name == name) return one.passed;
    ADD_FAILURE() << "no criterion " << name;
    return std::nullopt;
}

TEST(RunScenario, WhatNeedsMoreSeatsThanARosterHoldsIsNotRun) {
    const ScenarioResult result = run("5000_nodes_throughput", std::nullopt);
    EXPECT_EQ(result.status(), std::string{"FAILED"});
    EXPECT_EQ(passed(result, "run"), false);
    EXPECT_EQ(passed(result, "avg_tps"), std::nullopt);
    const Doc doc = to_json(result);
    EXPECT_EQ(doc["configuration"]["node_count"], 5000);
    EXPECT_NE(
        doc["details"]["not_run"].get<std::string>().find("a roster holds at most 2048"),
        std::string::npos
    );
    EXPECT_FALSE(doc.contains("trace_hash"));
}

TEST(RunScenario, AnotherNodeCountIsNeverPassed) {
    const ScenarioResult result = run("1000_nodes_lan_network");
    EXPECT_EQ(passed(result, "avg_tps"), true);
    EXPECT_EQ(passed(result, "invariants"), true);
    EXPECT_EQ(passed(result, "node count"), std::nullopt);
    EXPECT_EQ(result.status(), std::string{"PARTIAL"});
    const Doc doc = to_json(result);
    EXPECT_EQ(doc["configuration"]["node_count"], 4);
    EXPECT_EQ(doc["details"]["node_count_required"], 1000);
    EXPECT_EQ(doc["results"]["cost"]["virtual_required_s"], 305);
    EXPECT_LT(doc["results"]["cost"]["virtual_s"], 100);
    BenchOptions wrong;
    wrong.nodes = 0;
    EXPECT_FALSE(run_scenario(*catalogue().find("ci_smoke_test").value(), wrong).has_value());
}

TEST(RunScenario, SmallScenariosPassAsTheyStand) {
    for (const char* name :
         {"creates_cluster",
          "lifecycle_management",
          "result_export",
          "performance_report_generation"}) {
        const ScenarioResult result = run(name, std::nullopt);
        EXPECT_EQ(result.status(), std::string{"PASSED"}) << to_lines(result);
    }
}

/// Four nodes on a LAN, few operations: cheap with sanitizers.
ScenarioResult run_text(const std::string& rest) {
    const std::string head =
        "name = \"own\"\ncategory = \"chaos\"\n[network]\nnodes = 4\nprofile = \"lan\"\n"
        "[load]\nworkload = \"constant:10\"\nduration = \"14s\"\nsmoke = \"14s\"\n";
    const auto scenario = parse_scenario(head + rest, "own.toml");
    EXPECT_TRUE(scenario.has_value()) << (scenario ? "" : scenario.error().message);
    auto result = run_scenario(scenario.value(), {});
    EXPECT_EQ(why_no_result(to_json(*result)), "");
    return std::move(*result);
}

TEST(RunScenario, StepsHappenAndCriteriaLookAtTheirParts) {
    const ScenarioResult result = run_text(
        "[[step]]\nname = \"cut\"\nkind = \"partition\"\ngroups = [2, 2]\nat = \"2s\"\n"
        "lasts = \"4s\"\n"
        "[[step]]\nname = \"one dead\"\nkind = \"kill-until\"\nnodes = 1\nat = \"8s\"\n"
        "[[step]]\nname = \"two dead\"\nkind = \"kill-until\"\nnodes = 2\nat = \"11s\"\n"
        "[[criterion]]\nname = \"stalls\"\nmetric = \"final_blocks\"\nduring = \"cut\"\nequals = "
        "0\n"
        "[[criterion]]\nname = \"all know\"\nmetric = \"no_quorum_percent\"\nduring = \"cut\"\n"
        "min = 100\n"
        "[[criterion]]\nname = \"goes on\"\nmetric = \"final_blocks\"\nduring = \"one dead\"\n"
        "until = \"two dead\"\nmin = 1\n"
        "[[criterion]]\nname = \"stops\"\nmetric = \"final_blocks\"\nduring = \"two dead\"\n"
        "equals = 0\n"
        "[[criterion]]\nname = \"before\"\nmetric = \"final_blocks\"\nbefore = \"cut\"\nmin = 1\n"
        "[[criterion]]\nname = \"never\"\nmetric = \"running_nodes\"\nequals = 4\n"
    );
    for (const char* name : {"stalls", "all know", "goes on", "stops", "before"})
        EXPECT_EQ(passed(result, name), true) << name << "\n" << to_lines(result);
    EXPECT_EQ(passed(result, "never"), false);
    EXPECT_EQ(result.status(), std::string{"FAILED"});
}

TEST(RunScenario, VariantsAreComparedWithEachOther) {
    const ScenarioResult result = run_text(
        "[[variant]]\nname = \"few\"\n[[variant]]\nname = \"many\"\nnodes = 6\n"
        "[[criterion]]\nmetric = \"avg_tps\"\nmin = 10\n"
        "[[criterion]]\nname = \"more nodes\"\nmetric = \"created_nodes\"\nvariant = \"many\"\n"
        "relative_to = \"few\"\nequals = 1.5\n"
    );
    const Doc doc = to_json(result);
    ASSERT_EQ(doc["details"]["variants"].size(), 2U);
    EXPECT_EQ(doc["details"]["variants"][1]["node_count"], 6);
    EXPECT_EQ(passed(result, "avg_tps"), true) << to_lines(result);
    EXPECT_EQ(passed(result, "more nodes"), true) << to_lines(result);
    EXPECT_EQ(passed(result, "invariants (many)"), true);
    EXPECT_EQ(result.status(), std::string{"PASSED"}) << to_lines(result);
}

TEST(RunScenario, WithoutALiarNothingIsDecidedAboutLiars) {
    BenchOptions options;
    options.smoke = true;
    options.nodes = 4;
    const auto* const scenario = catalogue().find("1000_nodes_20percent_always_reject").value();
    const ScenarioResult result = run_scenario(*scenario, options).value();
    std::size_t undecided = 0;
    for (const ScenarioCriterion& criterion : scenario->criteria) {
        const auto found =
            std::find_if(result.criteria.begin(), result.criteria.end(), [&](const Criterion& one) {
                return one.name == criterion.name;
            });
        if (found == result.criteria.end()) continue;  // A wish.
        EXPECT_EQ(found->passed, std::nullopt) << criterion.name;
        EXPECT_EQ(found->reason, "of so few nodes none is a liar");
        ++undecided;
    }
    EXPECT_GT(undecided, 0U);
    EXPECT_EQ(passed(result, "invariants"), true) << to_lines(result);
}

TEST(RunScenario, IsTheSameFromTheSameSeed) {
    const std::string text =
        "[[step]]\nkind = \"latency\"\nms = 100\nat = \"1s\"\nlasts = \"1s\"\nevery = \"2s\"\n"
        "[[criterion]]\nmetric = \"avg_tps\"\nmin = 1\n";
    EXPECT_EQ(run_text(text).trace_hash, run_text(text).trace_hash);
}

TEST(RunScenario, AStoppedRunIsPartialWithWhatItHas) {
    BenchOptions options;
    int ticks = 0;
    options.tell = [&](const BenchProgress&) { return ++ticks < 8; };
    const auto result = run_scenario(*catalogue().find("workload_execution").value(), [&] {
        options.nodes = 4;
        return options;
    }());
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->status(), std::string{"PARTIAL"});
    EXPECT_EQ(passed(*result, "completed"), std::nullopt);
    EXPECT_EQ(passed(*result, "invariants"), true);
    EXPECT_EQ(why_no_result(to_json(*result)), "");
}

// --- real stores ---

/// Seven nodes, of which two have their storage replayed.
ScaleScenario replaying(const std::string& workload, const std::string& rest = "") {
    const auto scenario = parse_scenario(
        "name = \"own\"\ncategory = \"stress\"\n[network]\nnodes = 7\nprofile = \"lan\"\n"
        "view_interval = \"100ms\"\n[load]\nworkload = \"" +
            workload + "\"\nduration = \"8s\"\n[storage]\nreplay = 2\n" + rest +
            "[[criterion]]\nmetric = \"storage_replay_writes\"\nmin = 1\n"
            "[[criterion]]\nmetric = \"storage_replay_differences\"\nequals = 0\n"
            "[[criterion]]\nmetric = \"storage_replay_damage\"\nequals = 0\n"
            "[[criterion]]\nmetric = \"storage_replay_iops_peak\"\nmin = 1\n",
        "own.toml"
    );
    EXPECT_TRUE(scenario.has_value()) << (scenario ? "" : scenario.error().message);
    return scenario.value();
}

double metric(const ScenarioResult& result, const std::string& name) {
    const Doc& all = result.details["metrics"];
    EXPECT_TRUE(all.contains(name)) << name;
    return all.contains(name) ? all[name].get<double>() : -1;
}

TEST(StorageReplay, FiguresComeFromRealStoresThatEndAsTheSimulatedOnes) {
    const testing_support::TestFolder scratch;
    BenchOptions options;
    options.scratch = scratch.path();
    const ScenarioResult slow = run_scenario(replaying("constant:20"), options).value();
    const ScenarioResult fast = run_scenario(replaying("constant:40"), options).value();
    for (const ScenarioResult* one : {&slow, &fast}) {
        EXPECT_EQ(why_no_result(to_json(*one)), "");
        EXPECT_EQ(passed(*one, "storage_replay_differences"), true) << to_lines(*one);
        EXPECT_EQ(passed(*one, "storage_replay_damage"), true) << to_lines(*one);
        for (const char* name :
             {"rocksdb_read_ops_total", "storage_replay_writes", "storage_replay_syncs"})
            EXPECT_GT(metric(*one, name), 0) << name;
        EXPECT_GE(metric(*one, "storage_replay_seconds"), 12);
        const Doc& details = one->details["storage_replay"];
        EXPECT_EQ(details["nodes"].size(), 2U);
        EXPECT_GT(details["keys_compared"], 100);
        if (details["in_memory"].get<bool>()) continue;  // No disk is measured there.
        EXPECT_EQ(passed(*one, "storage_replay_iops_peak"), true) << to_lines(*one);
        for (const char* name :
             {"storage_replay_ops_mean",
              "storage_replay_ops_peak",
              "storage_replay_iops_mean",
              "storage_replay_write_us",
              "storage_replay_write_p99_us",
              "storage_replay_read_us",
              "storage_replay_write_slowdown",
              "storage_replay_read_slowdown"})
            EXPECT_GT(metric(*one, name), 0) << name;
    }
    EXPECT_GT(metric(fast, "storage_replay_writes"), 1.2 * metric(slow, "storage_replay_writes"));
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(StorageReplay, ChangesNothingOfTheRun) {
    const testing_support::TestFolder scratch;
    BenchOptions options;
    options.scratch = scratch.path();
    const std::string deaths =
        "[[step]]\nkind = \"kill\"\nnodes = 2\nat = \"2s\"\nlasts = \"1s\"\nevery = \"2s\"\n";
    const ScenarioResult with = run_scenario(replaying("constant:20", deaths), options).value();
    ScaleScenario without = replaying("constant:20", deaths);
    without.replayed_stores = 0;
    EXPECT_EQ(with.trace_hash, run_scenario(without, options).value().trace_hash);
    EXPECT_EQ(passed(with, "storage_replay_differences"), true) << to_lines(with);
}

TEST(StorageReplay, ADiskThatRefusesIsAReasonAndTheRunGoesOn) {
    BenchOptions options;
    options.scratch = "/proc/creto-nowhere";
    const ScenarioResult result = run_scenario(replaying("constant:20"), options).value();
    for (const Criterion& one : result.criteria) {
        if (!one.name.starts_with("storage_replay_")) continue;
        EXPECT_FALSE(one.passed.has_value()) << one.name;
        EXPECT_NE(one.reason.find("/proc/creto-nowhere"), std::string::npos) << one.reason;
    }
    EXPECT_EQ(passed(result, "invariants"), true);
    EXPECT_EQ(result.status(), std::string{"PARTIAL"});
    EXPECT_TRUE(result.details["storage_replay"].contains("not_replayed"));
    EXPECT_EQ(why_no_result(to_json(result)), "");
}

TEST(StorageReplay, AStoppedRunLeavesNoFolder) {
    const testing_support::TestFolder scratch;
    BenchOptions options;
    options.scratch = scratch.path();
    int ticks = 0;
    bool was_there = false;
    options.tell = [&](const BenchProgress&) {
        was_there = was_there || !std::filesystem::is_empty(scratch.path());
        return ++ticks < 8;
    };
    const ScenarioResult result = run_scenario(replaying("constant:20"), options).value();
    EXPECT_TRUE(was_there);
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
    EXPECT_EQ(result.status(), std::string{"PARTIAL"});
    EXPECT_EQ(passed(result, "storage_replay_differences"), std::nullopt);
    EXPECT_EQ(result.details["storage_replay"]["not_replayed"], "the run was stopped");
}

TEST(ResultFolder, KeepsEachResultAndSaysWhatIsThere) {
    const auto dir = (std::filesystem::temp_directory_path() / "creto-folder-test").string();
    std::filesystem::remove_all(dir);
    auto folder = ResultFolder::open(dir);
    ASSERT_TRUE(folder.has_value());
    const Doc big = to_json(run("5000_nodes_throughput", std::nullopt));
    const Doc small = to_json(run("creates_cluster", std::nullopt));
    ASSERT_TRUE(folder->add(big).has_value());
    ASSERT_TRUE(folder->add(small).has_value());
    ASSERT_TRUE(folder->add(small).has_value());
    const auto again = ResultFolder::read(dir);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->count().line(), "1 passed, 1 failed");
    EXPECT_EQ(std::string{again->count().status()}, "FAILED");
    BenchOptions options;
    options.smoke = true;
    EXPECT_NE(again->find("creates_cluster", options), nullptr);
    options.seed = 2;
    EXPECT_EQ(again->find("creates_cluster", options), nullptr);
    const auto page = again->write_page();
    ASSERT_TRUE(page.has_value());
    EXPECT_NE(read_file(*page, 8'000'000)->find("5000_nodes_throughput"), std::string::npos);
    ASSERT_TRUE(write_file(std::filesystem::path{dir} / "x.json", "{}").has_value());
    EXPECT_NE(ResultFolder::read(dir).error().message.find("is no result"), std::string::npos);
    std::filesystem::remove_all(dir);
    EXPECT_EQ(ResultFolder::read(dir).error().code, ErrorCode::not_found);
    ASSERT_TRUE(write_file(dir, "a file").has_value());
    EXPECT_EQ(ResultFolder::open(dir).error().code, ErrorCode::io);
    std::filesystem::remove(dir);
}

TEST(ResultFolder, AFolderThatTakesNoFileIsAnAnswer) {
    auto folder = ResultFolder::open("/proc/self/task");  // Not even root's.
    ASSERT_TRUE(folder.has_value()) << folder.error().message;
    const auto kept = folder->add(to_json(run("5000_nodes_throughput", std::nullopt)));
    ASSERT_FALSE(kept.has_value());
    EXPECT_NE(kept.error().message.find("the results before it are kept"), std::string::npos);
}

}  // namespace
}  // namespace creto
