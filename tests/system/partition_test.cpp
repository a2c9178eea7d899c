// Cuts in the links of real processes, which nobody announces: what watchers see, what becomes of writes.
#include <fstream>
#include <set>
#include <thread>

#include "system/support.hpp"

namespace creto::system_test {
namespace {

using Clock = std::chrono::steady_clock;

class Partition : public ClusterTest {
protected:
    /// `creto watch` at a node, from now on.
    class Watch {
    public:
        Watch(const RealCluster& cluster, std::size_t node, const std::filesystem::path& dir)
            : file_{dir / ("watch" + std::to_string(node))} {
            auto started = Process::start(
                {program().string(), "watch", "--json", "--node", cluster.admin_address(node)},
                file_,
                dir / ("watch" + std::to_string(node) + ".err"),
                {{"CRETO_DIR", cluster.folder(node).string()}}
            );
            EXPECT_TRUE(started.has_value());
            if (started) process_ = std::move(*started);
        }
        [[nodiscard]] std::vector<Json> events(const std::string& name) const {
            std::vector<Json> out;
            std::ifstream in{file_};
            for (std::string line; std::getline(in, line);) {
                const Json event = Json::parse(line, nullptr, false);
                if (event.is_object() && event.value("event", "") == name) out.push_back(event);
            }
            return out;
        }
        [[nodiscard]] bool sees_any() const { return std::filesystem::file_size(file_) > 0; }

    private:
        std::filesystem::path file_;
        Process process_;
    };

    void start(std::size_t nodes, QuorumMode mode) {
        ASSERT_NO_FATAL_FAILURE(
            make_and_start({.network = "partition", .mode = mode, .nodes = seats(nodes)})
        );
        for (std::size_t i = 0; i < nodes; ++i)
            ASSERT_TRUE(reaches(i, nodes, seconds{20})) << "node " << i;
        for (std::size_t i = 0; i < nodes; ++i)
            watches_.push_back(std::make_unique<Watch>(*cluster_, i, folder_.path()));
        ASSERT_TRUE(ok(write(0, "final/first", "set", "x")));
        for (const auto& watch : watches_)
            ASSERT_TRUE(eventually([&] { return watch->sees_any(); }, seconds{10}));
    }
    Json write(std::size_t node, const std::string& key, const char* action, const Json& value) {
        Json body{{"key", key}, {"action", action}, {"timeout_ms", 30'000}};
        body[std::string{action} == "add" ? "amount" : "value"] = value;
        return cluster_->ask(node, "write", body);
    }
    /// Waits until the newest partition that the node told has lost these, and says how long it took.
    double told(std::size_t node, const std::set<int>& lost, Clock::time_point since) {
        const bool found = eventually(
            [&] {
                const auto events = watches_[node]->events("partitioned");
                return !events.empty() && events.back()["lost"].get<std::set<int>>() == lost;
            },
            seconds{10}
        );
        EXPECT_TRUE(found) << "node " << node;
        return std::chrono::duration<double>(Clock::now() - since).count();
    }
    bool healed(std::size_t node) {
        return eventually(
            [&] {
                return !watches_[node]->events("healed").empty() &&
                       cluster_->ask(node, "status")["partitioned"] == false;
            },
            seconds{20}
        );
    }
    static std::string message(const Json& reply) {
        return ok(reply) ? "" : reply["error"]["message"].get<std::string>();
    }

    std::vector<std::unique_ptr<Watch>> watches_;
};

// [CUT-SIDES.1] [CUT-PENDING.1] [CUT-HEAL.1]
TEST_F(Partition, BothSidesTellItAndTheMinorityRefusesKeepsAndCatchesUp) {
    ASSERT_NO_FATAL_FAILURE(start(5, QuorumMode::crash));
    cluster_->links().cut({{0, 1, 2}, {3, 4}});
    const auto cut = Clock::now();
    // Taken before node 3 can know.
    const Json caught = write(3, "final/caught", "add", 1);
    EXPECT_EQ(
        message(caught).find("pending: no quorum: 2 of 5 validators reachable, 3 needed; operation "
        ),
        0U
    ) << caught;
    for (const std::size_t node : {3U, 4U})
        EXPECT_LE(told(node, {0, 1, 2}, cut), 4.0);
    for (const std::size_t node : {0U, 1U, 2U})
        EXPECT_LE(told(node, {3, 4}, cut), 4.0);
    EXPECT_EQ(watches_[3]->events("partitioned").back()["quorum"], false);
    EXPECT_EQ(watches_[0]->events("partitioned").back()["quorum"], true);
    EXPECT_EQ(cluster_->ask(4, "status")["lost"], Json::array({0, 1, 2}));

    const std::string word = "operation ";
    const std::string said = message(caught);
    ASSERT_NE(said.find(word), std::string::npos);
    const std::string id = said.substr(said.find(word) + word.size(), 64);
    EXPECT_EQ(cluster_->ask(3, "operation", {{"operation", id}})["state"], "pending");
    const auto asked = Clock::now();
    EXPECT_EQ(
        message(write(4, "final/refused", "add", 1)),
        "no quorum: 2 of 5 validators reachable, 3 needed"
    );
    EXPECT_LT(Clock::now() - asked, seconds{1});
    EXPECT_TRUE(ok(write(3, "causal/minority", "add", 5)));
    EXPECT_TRUE(ok(write(1, "final/majority", "set", "decided")));

    cluster_->links().heal();
    for (std::size_t i = 0; i < 5; ++i)
        EXPECT_TRUE(healed(i)) << "node " << i;
    EXPECT_TRUE(eventually(
        [&] {
            return cluster_->ask(3, "operation", {{"operation", id}})["state"] == "final";
        },
        seconds{20}
    ));
    const auto values = [&](std::size_t node, const char* key) {
        return cluster_->ask(node, "read", {{"key", key}})["values"];
    };
    EXPECT_TRUE(eventually(
        [&] {
            return values(0, "final/caught") == Json::array({"1"}) &&
                   values(4, "final/majority") == Json::array({"decided"}) &&
                   cluster_->ask(0, "read", {{"key", "causal/minority"}})["counter"] == 5;
        },
        seconds{20}
    ));
    EXPECT_EQ(cluster_->ask(0, "read", {{"key", "final/refused"}})["found"], false);
}

// [CUT-BOTH.1] [CUT-SIDES.1]
TEST_F(Partition, CutsOfOneDirectionAndOfOneLinkAreToldByWhomTheyPart) {
    ASSERT_NO_FATAL_FAILURE(start(4, QuorumMode::byzantine));
    cluster_->links().cut_one_way({0, 1}, {2, 3});
    auto cut = Clock::now();
    for (const std::size_t node : {0U, 1U})
        EXPECT_LE(told(node, {2, 3}, cut), 4.0);
    for (const std::size_t node : {2U, 3U})
        EXPECT_LE(told(node, {0, 1}, cut), 4.0);
    EXPECT_EQ(
        message(write(0, "final/x", "add", 1)), "no quorum: 2 of 4 validators reachable, 3 needed"
    );
    cluster_->links().heal();
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_TRUE(healed(i)) << "node " << i;

    cluster_->links().cut_one_way({0}, {1});
    cluster_->links().cut_one_way({1}, {0});
    cut = Clock::now();
    EXPECT_LE(told(0, {1}, cut), 4.0);
    EXPECT_LE(told(1, {0}, cut), 4.0);
    EXPECT_TRUE(ok(write(0, "final/y", "add", 1))) << "three of four are enough";
    EXPECT_EQ(watches_[2]->events("partitioned").size(), 1U) << "it reaches both";
}

}  // namespace
}  // namespace creto::system_test
