// `creto scale`: the words, the exit codes, the folder, and a stop in the middle.

#include "scale/config.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

TEST(ScaleCommand, ListsTheSeventyNine) {
    const Said said = creto({"scale", "list", "--json"});
    ASSERT_EQ(said.exit, 0) << said.err;
    const Json doc = said.json();
    EXPECT_EQ(doc["scenarios"].size(), 79U);
    std::size_t runnable = 0;
    for (const Json& one : doc["scenarios"]) {
        runnable += one["can_run"].get<bool>() ? 1 : 0;
        EXPECT_EQ(one["can_run"].get<bool>(), !one.contains("reason")) << one["name"];
    }
    EXPECT_EQ(runnable, 73U);
    EXPECT_NE(
        creto({"scale", "list", "--category", "chaos"}).out.find("11 scenarios"), std::string::npos
    );
}

TEST(ScaleCommand, SaysWhatIsWrongWithTheWords) {
    struct Wrong {
        CommandWords words;
        std::string says;
    };
    const std::vector<Wrong> all{
        {{"scale", "run"}, "say which"},
        {{"scale", "run", "creates_clutser"}, "did you mean creates_cluster?"},
        {{"scale", "run", "--category", "chaoss"}, "did you mean chaos?"},
        {{"scale", "run", "creates_cluster", "--nodes", "0"}, "between 4 and 2048"},
        {{"scale", "run", "creates_cluster", "--nodes", "2049"}, "between 4 and 2048"},
        {{"scale", "run", "creates_cluster", "--all"}, "say which"},
        {{"scale", "run", "creates_cluster", "--jobs", "0"}, "between 1 and 64 jobs"},
        {{"scale", "run", "creates_cluster", "--real", "--jobs", "2"}, "one scenario at a time"},
        {{"scale", "run", "creates_cluster", "--up-to", "9"}, "none is left to run"},
        {{"scale", "run", "creates_cluster", "--resume"}, "--out DIR"},
        {{"scale", "run", "creates_cluster", "--out", "/proc/x"}, "cannot make the folder"},
        {{"scale", "run", "creates_cluster", "--scenarios", "/none"}, "cannot read the folder"},
        {{"scale", "report", "/none"}, "cannot read /none"},
    };
    for (const Wrong& one : all) {
        const Said said = creto(one.words);
        EXPECT_EQ(said.exit, 2) << said.out << said.err;
        EXPECT_NE(said.err.find(one.says), std::string::npos) << said.err;
    }
}

TEST(ScaleCommand, AFileWithATypoNamesTheKey) {
    const WorkFolder folder;
    const std::string text =
        "name = \"mine\"\ncategory = \"load\"\n[network]\nnods = 4\n[[criterion]]\n"
        "metric = \"avg_tps\"\nmin = 1\n";
    ASSERT_TRUE(write_file(folder.path() / "mine.toml", text).has_value());
    const Said said = creto({"scale", "run", "mine", "--scenarios", folder.path().string()});
    EXPECT_EQ(said.exit, 2);
    EXPECT_NE(
        said.err.find("mine.toml:4: [network] has no key \"nods\"; did you mean \"nodes\"?"),
        std::string::npos
    ) << said.err;
}

// What is a model stands beside what is not.
TEST(ScaleCommand, BothSignatureSchemesAreRowsOfOneCommand) {
    const WorkFolder folder;
    const std::string text =
        "name = \"mine\"\ncategory = \"load\"\nabout = \"Mine.\"\n[network]\nnodes = 4\n"
        "votes = \"joined\"\n[load]\nworkload = \"constant:20\"\nduration = \"10s\"\nsmoke = "
        "\"10s\"\n"
        "[[criterion]]\nmetric = \"avg_tps\"\nmin = 1\n";
    ASSERT_TRUE(write_file(folder.path() / "mine.toml", text).has_value());
    CommandWords words{"scale", "run", "mine", "--smoke", "--json", "--votes", "both"};
    for (const std::string& more : CommandWords{"--scenarios", folder.path().string()})
        words.push_back(more);
    const Said both = creto(words);
    EXPECT_EQ(both.exit, 0) << both.err;
    const Json runs = both.json()["runs"];
    ASSERT_EQ(runs.size(), 2U) << both.out;
    EXPECT_EQ(runs[0]["scenario_id"], "mine");
    EXPECT_EQ(runs[1]["scenario_id"], "mine.list");
    EXPECT_NE(runs[0]["configuration"]["cost_table"], runs[1]["configuration"]["cost_table"]);
    const std::string again = runs[1]["details"]["repro"];
    EXPECT_NE(again.find("creto scale run mine --votes list --smoke"), std::string::npos) << again;
    words[6] = "rings";
    EXPECT_EQ(creto(words).exit, 2);
}

TEST(ScaleCommand, RunsIntoAFolderGoesOnThereAndReportsIt) {
    const WorkFolder folder;
    const std::string out = (folder.path() / "results").string();
    CommandWords words{
        "scale", "run", "creates_cluster", "test_5000_nodes_throughput", "--smoke", "--out", out};
    const Said first = creto(words);
    EXPECT_EQ(first.exit, 1) << first.out << first.err;
    EXPECT_NE(first.out.find("1 passed, 1 failed\n"), std::string::npos) << first.out;
    EXPECT_NE(first.out.find("a roster holds at most 2048"), std::string::npos) << first.out;
    words.emplace_back("--resume");
    words.emplace_back("--json");
    const Said again = creto(words);
    EXPECT_NE(again.err.find("creates_cluster: PASSED, kept from before"), std::string::npos)
        << again.err;
    EXPECT_EQ(again.json()["runs"].size(), 2U);
    EXPECT_EQ(again.json()["status"], "FAILED");
    const Said report = creto({"scale", "report", out, "--json"});
    EXPECT_EQ(report.exit, 1) << report.err;
    EXPECT_EQ(report.json()["passed"], 1);
    const auto page = read_file(report.json()["page"].get<std::string>(), 8'000'000);
    ASSERT_TRUE(page.has_value());
    EXPECT_NE(page->find("creates_cluster"), std::string::npos);
}

TEST(ScaleCommand, AStopInTheMiddleKeepsWhatWasMeasured) {
    const WorkFolder folder;
    const std::string out = (folder.path() / "results").string();
    // The child's own: it stops itself as soon as it has told that it is under way.
    const std::string script =
        "\"$0\" scale run no_memory_leaks workload_execution --nodes 4 --out \"$1\" --json "
        "2>\"$1.err\" & pid=$!; "
        "until grep -q 'virtual s' \"$1.err\" 2>/dev/null; do sleep 0.1; done; "
        "kill -INT $pid; wait $pid";
    const Said said = run({"/bin/bash", "-c", script, CRETO_PROGRAM, out});
    EXPECT_EQ(said.exit, 3) << said.out << said.err;
    const auto text = read_file(out + "/no_memory_leaks.json", 8'000'000);
    ASSERT_TRUE(text.has_value()) << said.out;
    const Json doc = Json::parse(*text);
    EXPECT_EQ(doc["status"], "PARTIAL");
    EXPECT_EQ(doc["acceptance_criteria"]["completed"]["passed"], nullptr);
    EXPECT_EQ(doc["acceptance_criteria"]["invariants"]["passed"], true);
}

/// Runs a script with the program as $0 and `out` as $1.
Said run_script(const std::string& script, const std::string& out) {
    return run({"/bin/bash", "-c", script, CRETO_PROGRAM, out});
}

Json result_in(const std::string& folder, const std::string& scenario) {
    const auto text = read_file(folder + "/" + scenario + ".json", 8'000'000);
    EXPECT_TRUE(text.has_value()) << scenario;
    return text ? Json::parse(*text) : Json::object();
}

TEST(ScaleCommand, SideBySideGivesTheSameResults) {
    const WorkFolder folder;
    const std::string alone = (folder.path() / "alone").string();
    const std::string beside = (folder.path() / "beside").string();
    CommandWords words{
        "scale",
        "run",
        "creates_cluster",
        "lifecycle_management",
        "result_export",
        "--smoke",
        "--nodes",
        "4",
        "--out",
        alone};
    EXPECT_EQ(creto(words).exit, 3);
    words.back() = beside;
    for (const char* word : {"--jobs", "2", "--up-to", "10"})
        words.emplace_back(word);
    const Said said = creto(words);
    EXPECT_EQ(said.exit, 3) << said.out << said.err;
    EXPECT_NE(said.out.find("0 passed, 0 failed, 3 partial\n"), std::string::npos) << said.out;
    EXPECT_TRUE(result_in(alone, "creates_cluster")["trace_hash"].is_string());
    for (const char* name : {"creates_cluster", "lifecycle_management", "result_export"})
        EXPECT_EQ(result_in(alone, name)["trace_hash"], result_in(beside, name)["trace_hash"])
            << name;
}

TEST(ScaleCommand, SideBySideAStopKeepsBothAndADeathIsAFailure) {
    const std::string begin =
        "\"$0\" scale run no_memory_leaks workload_execution --nodes 4 --jobs 2 --out \"$1\" "
        "2>\"$1.err\" & pid=$!; "
        "until grep -q 'no_memory_leaks.*workload_execution' \"$1.err\" 2>/dev/null; do sleep 0.1; "
        "done; ";
    const WorkFolder folder;
    const std::string stopped = (folder.path() / "stopped").string();
    const Said said = run_script(begin + "kill -INT $pid; wait $pid", stopped);
    EXPECT_EQ(said.exit, 3) << said.out << said.err;
    for (const char* name : {"no_memory_leaks", "workload_execution"}) {
        const Json doc = result_in(stopped, name);
        EXPECT_EQ(doc["status"], "PARTIAL");
        EXPECT_EQ(doc["acceptance_criteria"]["completed"]["passed"], nullptr) << name;
    }
    const std::string killed = (folder.path() / "killed").string();
    const Said dead =
        run_script(begin + "kill -KILL $(cat /proc/$pid/task/$pid/children); wait $pid", killed);
    EXPECT_EQ(dead.exit, 1) << dead.out << dead.err;
    EXPECT_NE(dead.out.find("0 passed, 2 failed\n"), std::string::npos) << dead.out;
    EXPECT_NE(dead.out.find("its process ended with signal 9"), std::string::npos) << dead.out;
    // Who is not there any more leaves nobody behind.
    const Said gone = run_script(
        begin +
            "all=$(cat /proc/$pid/task/$pid/children); kill -KILL $pid; wait $pid; "
            "for one in $all; do for i in $(seq 100); do kill -0 $one 2>/dev/null || break; "
            "sleep 0.1; done; kill -0 $one 2>/dev/null && exit 7; done; test -n \"$all\"",
        (folder.path() / "gone").string()
    );
    EXPECT_EQ(gone.exit, 0) << gone.err;
}

}  // namespace
}  // namespace creto::system_test
