// `creto scale run --real`: a scenario on processes, a stop in the middle, and what is refused.
#include <csignal>

#include "scale/config.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

/// Four processes; one dies, then they fall into halves, and a clock cannot be moved.
constexpr const char* disturbed = R"(
name = "disturbed"
category = "chaos"
about = "One of four dies and comes back, then no side has a quorum."

[network]
nodes = 4
profile = "local"

[load]
workload = "constant:20"
duration = "22s"

[[step]]
name = "death"
kind = "kill"
nodes = 1
at = "1s"
lasts = "5s"

[[step]]
name = "cut"
kind = "partition"
groups = [2, 2]
at = "10s"
lasts = "6s"

[[step]]
name = "skew"
kind = "clock"
nodes = 2
ms = 100
at = "1s"
lasts = "5s"

[[criterion]]
name = "three of four"
metric = "running_nodes"
during = "death"
equals = 3

[[criterion]]
name = "goes on with three"
metric = "final_operations"
during = "death"
min = 1

[[criterion]]
name = "two sides"
metric = "partitions_seen"
during = "cut"
equals = 2

[[criterion]]
name = "nothing is final without a quorum"
metric = "final_blocks"
during = "cut"
max = 0

[[criterion]]
name = "whole again"
metric = "partitions_left"
after = "cut"
max = 0

[[criterion]]
name = "in spite of the clock"
metric = "final_blocks"
during = "skew"
min = 0
)";

/// The environment of a run whose temporary folders are in a folder of the test.
std::map<std::string, std::string> within(const std::filesystem::path& folder) {
    return {{"TMPDIR", folder.string()}};
}

void expect_nothing_left(const Json& doc, const std::filesystem::path& temporary) {
    const Json& pids = doc["details"]["pids"];
    EXPECT_EQ(pids.size(), 4U);
    for (const Json& pid : pids)
        EXPECT_NE(::kill(pid.get<pid_t>(), 0), 0) << "process " << pid << " lives on";
    EXPECT_TRUE(std::filesystem::is_empty(temporary));
}

TEST(ScaleReal, KillsAndCutsRealProcessesAndSaysWhatItCannotInject) {
    const WorkFolder folder;
    const std::filesystem::path temporary = folder.path() / "tmp";
    std::filesystem::create_directories(temporary);
    ASSERT_TRUE(write_file(folder.path() / "disturbed.toml", disturbed).has_value());
    const Said said = creto(
        {"scale", "run", "disturbed", "--real", "--scenarios", folder.path().string(), "--json"},
        within(temporary),
        seconds{300}
    );
    const Json doc = said.json();
    ASSERT_TRUE(doc.is_object()) << said.out << said.err;
    EXPECT_EQ(doc["status"], "PARTIAL") << said.err;
    EXPECT_EQ(said.exit, 3);
    // Said before the run, and in the result.
    EXPECT_EQ(said.err.find("disturbed: not injected: skew (clock), because all processes"), 0U)
        << said.err;
    const Json& details = doc["details"];
    ASSERT_EQ(details["not_injected"].size(), 1U);
    EXPECT_EQ(details["not_injected"][0]["step"], "skew");
    const Json& criteria = doc["acceptance_criteria"];
    for (const char* name :
         {"three of four",
          "goes on with three",
          "two sides",
          "nothing is final without a quorum",
          "whole again",
          "agreement",
          "nodes stay up",
          "decisions",
          "progress",
          "convergence",
          "no honest node accused"})
        EXPECT_EQ(criteria[name]["passed"], true) << name << ": " << criteria[name];
    EXPECT_EQ(criteria["in spite of the clock"]["passed"], nullptr);
    EXPECT_EQ(criteria["all faults injected"]["passed"], nullptr);
    EXPECT_EQ(criteria.size(), 13U);
    // It is real, and rests on no model.
    EXPECT_EQ(details["host"], "real");
    EXPECT_GT(details["cores"], 0);
    EXPECT_EQ(doc["configuration"]["signature_scheme"], "ed25519");
    EXPECT_FALSE(doc["configuration"].contains("cost_table"));
    EXPECT_FALSE(details.contains("models"));
    EXPECT_FALSE(doc.contains("trace_hash"));
    EXPECT_EQ(details["metrics"]["schema_valid"], 1) << details.value("schema_says", "");
    EXPECT_GT(details["metrics"]["avg_tps"], 0);
    EXPECT_GT(details["metrics"]["latency_p50_ms"], 0);
    EXPECT_GT(details["metrics"]["avg_cpu_percent"], 0);
    EXPECT_GT(details["metrics"]["avg_memory_mb"], 5);
    EXPECT_GT(details["metrics"]["network_bytes_sent_total"], 0);
    EXPECT_GT(details["metrics"]["rocksdb_write_ops_total"], 0);
    EXPECT_FALSE(details["metrics"].contains("dag_depth"));
    EXPECT_EQ(details["faults"].size(), 2U);
    expect_nothing_left(doc, temporary);
}

TEST(ScaleReal, AStopInTheMiddleLeavesNoProcessAndKeepsWhatWasMeasured) {
    const WorkFolder folder;
    const std::filesystem::path temporary = folder.path() / "tmp";
    std::filesystem::create_directories(temporary);
    const std::string out = (folder.path() / "results").string();
    const std::string script =
        "\"$0\" scale run no_memory_leaks --real --nodes 4 --out \"$1\" --json "
        "2>\"$1.err\" & pid=$!; "
        "until grep -q ' s, [1-9][0-9]* final' \"$1.err\" 2>/dev/null; do sleep 0.1; done; "
        "kill -INT $pid; wait $pid";
    const Said said =
        run({"/bin/bash", "-c", script, CRETO_PROGRAM, out}, within(temporary), seconds{300});
    EXPECT_EQ(said.exit, 3) << said.out << said.err;
    const auto text = read_file(out + "/no_memory_leaks.json", 8'000'000);
    ASSERT_TRUE(text.has_value()) << said.out;
    const Json doc = Json::parse(*text);
    EXPECT_EQ(doc["status"], "PARTIAL");
    EXPECT_EQ(doc["acceptance_criteria"]["completed"]["passed"], nullptr);
    EXPECT_EQ(doc["acceptance_criteria"]["agreement"]["passed"], true);
    EXPECT_EQ(doc["details"]["host"], "real");
    expect_nothing_left(doc, temporary);
}

TEST(ScaleReal, RefusesWhatTheMachineCannotBe) {
    const WorkFolder folder;
    const std::string joined =
        "name = \"joined\"\ncategory = \"load\"\n[network]\nnodes = 4\nvotes = \"joined\"\n"
        "[[criterion]]\nmetric = \"avg_tps\"\nmin = 1\n";
    ASSERT_TRUE(write_file(folder.path() / "joined.toml", joined).has_value());
    struct Wrong {
        std::vector<std::string> words;
        std::string says;
    };
    const std::vector<Wrong> all{
        {{"network_partition"}, "it has 100 nodes, and one machine carries up to 50"},
        {{"network_partition"}, "--nodes 16"},
        {{"network_partition", "--nodes", "51"}, "it has 51 nodes"},
        {{"creates_cluster", "network_partition"}, "network_partition cannot run on real"},
        {{"hashing_performance_regression"}, "leave --real out"},
        {{"joined", "--scenarios", folder.path().string()}, "its votes are joined"},
    };
    for (const Wrong& one : all) {
        std::vector<std::string> words{"scale", "run", "--real", "--smoke"};
        words.insert(words.end(), one.words.begin(), one.words.end());
        const Said said = creto(words);
        EXPECT_EQ(said.exit, 2) << said.out << said.err;
        EXPECT_NE(said.err.find(one.says), std::string::npos) << said.err;
        EXPECT_EQ(said.out, "");
    }
    const Said nowhere =
        creto({"scale", "run", "creates_cluster", "--real", "--smoke"}, within("/none"));
    EXPECT_EQ(nowhere.exit, 1) << nowhere.err;
    EXPECT_NE(nowhere.out.find("not run: /none: "), std::string::npos) << nowhere.out;
    EXPECT_NE(nowhere.out.find("by TMPDIR"), std::string::npos) << nowhere.out;
}

}  // namespace
}  // namespace creto::system_test
