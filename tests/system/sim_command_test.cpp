// `creto sim run` with a network of one's choice, and the page of a run or a life.
#include "scale/config.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

TEST(SimCommand, RunsTheSameNetworkFromTheSameSeed) {
    const WorkFolder folder;
    const std::string page = (folder.path() / "run.html").string();
    const CommandWords words{
        "sim",         "run",         "--nodes",    "7",         "--profile",
        "LAN",         "--byzantine", "28.6%",      "--attack",  "equivocation",
        "--workload",  "sine:10-40",  "--duration", "5s",        "--seed",
        "7",           "--decisions", "20",         "--payload", "512",
        "--bandwidth", "100",         "--html",     page,        "--json"};
    const Said first = creto(words);
    ASSERT_EQ(first.exit, 0) << first.out << first.err;
    const Json doc = first.json();
    EXPECT_EQ(doc["status"], "PASSED");
    EXPECT_EQ(doc["configuration"]["node_count"], 7);
    EXPECT_EQ(doc["configuration"]["network_profile"], "lan");
    EXPECT_EQ(doc["configuration"]["byzantine_pattern"], "equivocation");
    EXPECT_EQ(doc["results"]["detection"]["proven"], 2);
    EXPECT_EQ(doc["results"]["detection"]["false_positives"], 0);
    EXPECT_GT(doc["results"]["throughput"]["avg_tps"], 10);
    EXPECT_EQ(doc["results"]["throughput"]["avg_tps"], doc["results"]["throughput"]["offered_tps"]);
    EXPECT_LT(doc["results"]["consensus"]["decisions"], 25 * 20);
    EXPECT_EQ(creto(words).json()["trace_hash"], doc["trace_hash"]);

    const auto text = read_file(page, 5'000'000);
    ASSERT_TRUE(text.has_value());
    EXPECT_NE(text->find(doc["trace_hash"].get<std::string>()), std::string::npos);
    EXPECT_EQ(text->find("://"), std::string::npos);
    EXPECT_NE(first.err.find(page), std::string::npos) << first.err;
}

TEST(SimCommand, SaysWhenMoreDeviateThanItCanBear) {
    const Said said = creto(
        {"sim",
         "run",
         "--nodes",
         "4",
         "--byzantine",
         "0.5",
         "--attack",
         "silence",
         "--duration",
         "2s"}
    );
    EXPECT_EQ(said.exit, 1) << said.out;  // Nothing was decided.
    EXPECT_NE(said.out.find("more than the quorum tolerates"), std::string::npos) << said.out;
    EXPECT_NE(said.out.find("again: creto sim run --nodes 4"), std::string::npos) << said.out;
}

TEST(SimCommand, WritesALifeAsAPageAndMarksWhatBroke) {
    const WorkFolder folder;
    const std::string page = (folder.path() / "life.html").string();
    const Said good = creto({"sim", "replay", "--seed", "17", "--html", page, "--json"});
    EXPECT_EQ(good.exit, 0) << good.out << good.err;
    EXPECT_EQ(good.json()["status"], "PASSED");
    EXPECT_GT(good.json()["details"]["faults"].size(), 0U);
    // The hash of the life that nobody watched.
    const Said plain = creto({"sim", "replay", "--seed", "17", "--json"});
    EXPECT_EQ(plain.json()["trace"], good.json()["trace_hash"]);

    const Said bad =
        creto({"sim", "replay", "--seed", "1", "--plant", "amnesia", "--html", page, "--json"});
    EXPECT_EQ(bad.exit, 1) << bad.out << bad.err;
    const Json broken = bad.json()["details"]["violation"];
    EXPECT_GT(broken["at_s"], 0) << bad.out;
    EXPECT_TRUE(
        read_file(page, 5'000'000)->find(broken["text"].get<std::string>()) != std::string::npos
    );
}

TEST(SimCommand, PlantsEachBugAndFailsWhenOneIsMissed) {
    const CommandWords all{"sim", "fuzz", "--plant", "all", "--json", "--seeds"};
    const auto with_seeds = [&all](const char* seeds) {
        CommandWords words = all;
        words.emplace_back(seeds);
        return creto(words);
    };
    // In one life some bugs have no occasion.
    const Said one = with_seeds("1-1");
    EXPECT_EQ(one.exit, 1) << one.out;
    const Json doc = one.json();
    std::size_t missed = 0;
    for (const Json& row : doc["bugs"]) {
        EXPECT_FALSE(row["checker"].get<std::string>().empty());
        missed += row["noticed"].get<bool>() ? 0 : 1;
    }
    EXPECT_GT(missed, 0U);
    EXPECT_EQ(doc["missed"], missed);
    EXPECT_GT(doc["bugs"].size(), 2 * missed) << "most need no more than one life";
    EXPECT_NE(one.err.find("MISSED"), std::string::npos) << one.err;
}

TEST(SimCommand, AStopInTheMiddleOfTheLivesSaysWhatWasLivedUntilThen) {
    const WorkFolder folder;
    const std::string script =
        "\"$0\" sim fuzz --seeds 1-1000000 --minutes 9 --json 2>\"$1\" & pid=$!; "
        "until grep -q 'lives' \"$1\" 2>/dev/null; do sleep 0.1; done; "
        "kill -INT $pid; wait $pid";
    const Said said =
        run({"/bin/bash", "-c", script, CRETO_PROGRAM, (folder.path() / "err").string()});
    EXPECT_EQ(said.exit, 3) << said.out << said.err;
    const Json doc = said.json();
    EXPECT_EQ(doc["stopped"], true) << said.out;
    EXPECT_GT(doc["lives"], 0);
    EXPECT_EQ(doc["failed"], 0);
}

TEST(SimCommand, RefusesWhatItDoesNotUnderstandAndSaysWhatThereIs) {
    struct Wrong {
        CommandWords words;
        const char* says;
    };
    for (const Wrong& wrong : std::initializer_list<Wrong>{
             {{"--nodes", "3"}, "between 4 and 2048 nodes"},
             {{"--nodes", "2049"}, "between 4 and 2048 nodes"},
             {{"--profile", "moon"}, "local, lan, wan, degraded and regions"},
             {{"--byzantine", "1.1"}, "0.30 or 30%"},
             {{"--byzantine", "x"}, "0.30 or 30%"},
             {{"--attack", "silence"}, "--byzantine"},
             {{"--byzantine", "0.2", "--attack", "laziness"}, "equivocation"},
             {{"--workload", "some"}, "constant:R"},
             {{"--duration", "1"}, "20s"},
             {{"--decisions", "0"}, "a second"},
             {{"--payload", "7"}, "8 to"},
             {{"--bandwidth", "0"}, "Mbit/s"},
             {{"--schedule", "/nonexistent"}, "/nonexistent"},
             {{"--nodes", "4", "--scenario", "S3.2"}, "only --seed fits"},
             {{"--seeds", "0"}, "one seed"}}) {
        CommandWords words{"sim", "run", "--json"};
        words.insert(words.end(), wrong.words.begin(), wrong.words.end());
        const Said said = creto(words);
        EXPECT_EQ(said.exit, 2) << said.out;
        EXPECT_NE(said.err.find(wrong.says), std::string::npos) << said.err;
        EXPECT_EQ(said.json()["ok"], false);
    }
}

}  // namespace
}  // namespace creto::system_test
