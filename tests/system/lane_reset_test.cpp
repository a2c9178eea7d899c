// A validator whose disk is lost, and a second machine with the same key, on real processes.
#include <set>

#include "scale/config.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

class LaneResets : public ClusterTest {
protected:
    /// What a machine has that gets a new disk: its settings, its key, and the genesis.
    void lose_disk(std::size_t node) {
        const std::set<std::string> kept{"creto.toml", "key", "genesis.json"};
        std::vector<std::filesystem::path> gone;
        for (const auto& entry : std::filesystem::directory_iterator(cluster_->folder(node))) {
            if (!kept.contains(entry.path().filename().string())) gone.push_back(entry.path());
        }
        for (const std::filesystem::path& path : gone)
            std::filesystem::remove_all(path);
    }
    Json add_one(std::size_t node) {
        return cluster_->ask(node, "write", {{"key", "final/n"}, {"action", "add"}, {"amount", 1}});
    }
    void add(std::size_t node, int times) {
        for (int i = 0; i < times; ++i) {
            const Json reply = add_one(node);
            ASSERT_TRUE(ok(reply)) << reply;
        }
    }
    bool reads(std::size_t node, const std::string& value) {
        return eventually(
            [&] {
                return cluster_->ask(node, "read", {{"key", "final/n"}})
                           .dump()
                           .find('"' + value + '"') != std::string::npos;
            },
            seconds{20}
        );
    }
    std::string lane_of(std::size_t node, std::size_t seat) {
        const Json roster = cluster_->ask(node, "roster");
        return roster.contains("seats") ? roster["seats"][seat].value("lane", "") : roster.dump();
    }
    bool is_excluded(std::size_t node, std::size_t whose) {
        const Json reply = cluster_->ask(node, "reputation");
        if (!reply.contains("agents")) return false;
        for (const Json& agent : reply["agents"]) {
            if (agent.value("agent", "") == agent_text(cluster_->agent(whose)))
                return agent.value("excluded", false);
        }
        return false;
    }
    std::string log(std::size_t node) {
        auto text = read_file(cluster_->folder(node) / "stderr", 16U << 20U);
        return text ? *text : std::string{};
    }
};

// [LANE-RESET.1] [LANE-RESET.2]
TEST_F(LaneResets, AWipedValidatorVotesAndWritesAgain) {
    for (const std::uint32_t epoch_blocks : {0U, 64U}) {
        ASSERT_NO_FATAL_FAILURE(
            make_and_start({.network = "wiped", .nodes = seats(4), .epoch_blocks = epoch_blocks})
        );
        ASSERT_TRUE(reaches(0, 4, seconds{20}));
        ASSERT_TRUE(reaches(3, 4, seconds{20}));
        ASSERT_NO_FATAL_FAILURE(add(3, 5));
        cluster_->kill(3);
        ASSERT_NO_FATAL_FAILURE(add(0, 2));
        lose_disk(3);
        ASSERT_TRUE(cluster_->start(3));
        ASSERT_TRUE(eventually([&] { return lane_of(0, 3) == "3.1"; }, seconds{40})) << log(3);
        ASSERT_TRUE(eventually([&] { return ok(add_one(3)); }, seconds{20})) << log(3);
        ASSERT_NO_FATAL_FAILURE(add(3, 4));
        // Its vote is needed now.
        cluster_->kill(1);
        ASSERT_NO_FATAL_FAILURE(add(3, 2));
        for (const std::size_t node : {0U, 2U, 3U}) {
            EXPECT_TRUE(reads(node, "14")) << node;
            EXPECT_FALSE(is_excluded(node, 3)) << node;
        }
        EXPECT_NE(log(3).find("asking for lane 3.1"), std::string::npos) << log(3);
        EXPECT_NE(log(0).find("had lost its lane and writes lane 3.1"), std::string::npos)
            << log(0);
        // The new folder is a whole one.
        cluster_->kill(3);
        ASSERT_TRUE(cluster_->start(3));
        ASSERT_TRUE(eventually([&] { return ok(add_one(3)); }, seconds{30})) << log(3);
        EXPECT_TRUE(reads(0, "15"));
        EXPECT_EQ(lane_of(0, 3), "3.1");
        cluster_.reset();
    }
}

// It finds the one that is at work, and looks on: neither takes its lane nor makes a liar of it.
// [LANE-RESET.2]
TEST_F(LaneResets, ASecondMachineWithTheSameKeyLooksOn) {
    std::vector<RealNodeOptions> nodes = seats(5);
    nodes[4].has_seat = false;
    ASSERT_NO_FATAL_FAILURE(make_and_start({.network = "twins", .nodes = std::move(nodes)}));
    ASSERT_TRUE(reaches(3, 4, seconds{20}));
    ASSERT_NO_FATAL_FAILURE(add(3, 5));
    EXPECT_TRUE(cluster_->terminate(4));
    lose_disk(4);
    const auto key = read_key(cluster_->folder(3) / "key");
    ASSERT_TRUE(key.has_value());
    std::filesystem::remove(cluster_->folder(4) / "key");
    ASSERT_TRUE(write_key(cluster_->folder(4) / "key", *key).has_value());
    ASSERT_TRUE(cluster_->start(4));
    int written = 0;
    const auto has_seen_the_other = [&] {
        written += ok(add_one(3)) ? 1 : 0;
        return log(4).find("another process") != std::string::npos;
    };
    EXPECT_TRUE(eventually(has_seen_the_other, seconds{30})) << log(4);
    EXPECT_GT(written, 0);
    ASSERT_TRUE(eventually([&] { return ok(add_one(3)); }, seconds{30})) << log(3);
    EXPECT_EQ(lane_of(0, 3), "3") << log(4);
    for (const std::size_t node : {0U, 1U, 2U})
        EXPECT_FALSE(is_excluded(node, 3)) << node;
    cluster_->kill(4);
    ASSERT_TRUE(eventually([&] { return ok(add_one(3)); }, seconds{30})) << log(3);
    EXPECT_EQ(lane_of(0, 3), "3");
}

}  // namespace
}  // namespace creto::system_test
