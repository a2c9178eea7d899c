// The roster as operators change it: with the command line, on real processes.
#include "system/support.hpp"

namespace creto::system_test {
namespace {

class RosterChanges : public ClusterTest {
protected:
    Said roster(std::size_t node, std::vector<std::string> words) {
        words.insert(words.begin(), "roster");
        words.insert(words.end(), {"--node", cluster_->admin_address(node)});
        return creto(std::move(words));
    }
    std::string agent(std::size_t node) { return cluster_->ask(node, "status").value("agent", ""); }
    bool gets_seat(std::size_t node, const Json& seat) {
        return eventually(
            [&] { return cluster_->ask(node, "status").value("seat", Json{}) == seat; }, seconds{30}
        );
    }
    void add_one(std::size_t node, int times) {
        for (int i = 0; i < times; ++i) {
            const Json reply = cluster_->ask(
                node, "write", {{"key", "final/n"}, {"action", "add"}, {"amount", 1}}
            );
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
};

TEST_F(RosterChanges, AFifthGetsASeatAndADeadOneIsReplaced) {
    std::vector<RealNodeOptions> nodes = seats(6);
    nodes[4].has_seat = false;
    nodes[5].has_seat = false;
    ASSERT_NO_FATAL_FAILURE(
        make_and_start({.network = "roster", .nodes = std::move(nodes), .epoch_blocks = 8})
    );
    ASSERT_TRUE(reaches(0, 4, seconds{20}));
    ASSERT_NO_FATAL_FAILURE(add_one(0, 3));

    const Said first = roster(0, {"add", agent(4), "--name", "fifth"});
    EXPECT_EQ(first.exit, 0) << first.err;
    EXPECT_NE(first.out.find("asked for by 1 of 3 seats"), std::string::npos) << first.out;
    const Said again = roster(0, {"add", agent(4), "--name", "fifth"});
    EXPECT_NE(again.exit, 0);
    EXPECT_NE(again.err.find("this seat has asked for it already"), std::string::npos) << again.err;
    EXPECT_EQ(roster(1, {"add", agent(4), "--name", "fifth"}).exit, 0);
    const Said agreed = roster(2, {"add", agent(4), "--name", "fifth"});
    EXPECT_NE(agreed.out.find("agreed"), std::string::npos) << agreed.out << agreed.err;
    ASSERT_TRUE(gets_seat(4, 4)) << roster(0, {}).out;
    ASSERT_NO_FATAL_FAILURE(add_one(4, 3));

    // One machine is lost for good; its seat goes to another key.
    cluster_->kill(1);
    for (const std::size_t node : {0U, 2U, 3U, 4U}) {
        const Said said = roster(node, {"rotate", agent(5), "--seat", "n1"});
        if (said.out.find("agreed") != std::string::npos) break;
        EXPECT_EQ(said.exit, 0) << said.err;
    }
    ASSERT_TRUE(gets_seat(5, 5)) << roster(0, {}).out;
    ASSERT_NO_FATAL_FAILURE(add_one(5, 3));
    // Killed and started again it still has its seat, by its own folder.
    cluster_->kill(5);
    ASSERT_TRUE(cluster_->start(5));
    ASSERT_TRUE(gets_seat(5, 5));
    ASSERT_TRUE(eventually(
        [&] { return cluster_->ask(5, "status").value("reachable", 0) == 5; }, seconds{20}
    ));
    ASSERT_NO_FATAL_FAILURE(add_one(5, 1));
    for (const std::size_t node : {0U, 2U, 3U, 4U, 5U})
        EXPECT_TRUE(reads(node, "10")) << "node " << node;
    // The lost machine comes back: it follows, and has no say.
    ASSERT_TRUE(cluster_->start(1));
    EXPECT_TRUE(reads(1, "10"));
    EXPECT_TRUE(gets_seat(1, nullptr)) << cluster_->ask(1, "status");
    const Said table = roster(1, {});
    EXPECT_NE(table.out.find("ended"), std::string::npos) << table.out;
    // An export shows who voted when: it is checked with nothing but the genesis.
    const std::filesystem::path file = folder_.path() / "chain.json";
    EXPECT_TRUE(cluster_->terminate(3));
    const Said wrote = creto({"export", file.string(), "--node", cluster_->folder(3).string()});
    ASSERT_EQ(wrote.exit, 0) << wrote.err;
    const Said checked = creto(
        {"export",
         "verify",
         file.string(),
         "--genesis",
         (cluster_->folder(0) / "genesis.json").string()}
    );
    EXPECT_EQ(checked.exit, 0) << checked.err;
}

TEST_F(RosterChanges, AreRefusedWithTheReason) {
    ASSERT_NO_FATAL_FAILURE(make_and_start({.network = "fixed", .nodes = seats(4)}));
    ASSERT_TRUE(reaches(0, 4, seconds{20}));
    EXPECT_NE(roster(0, {}).out.find("one epoch without end"), std::string::npos);
    const Said remove = roster(0, {"remove", "n0"});
    EXPECT_NE(remove.exit, 0);
    EXPECT_NE(remove.err.find("epoch_blocks"), std::string::npos) << remove.err;
    const Said unknown = roster(0, {"remove", "n9"});
    EXPECT_NE(unknown.exit, 0);
    EXPECT_NE(unknown.err.find("there is no seat \"n9\""), std::string::npos) << unknown.err;
    const Said key = roster(0, {"add", "12D3Koo", "--name", "x"});
    EXPECT_NE(key.exit, 0);
}

}  // namespace
}  // namespace creto::system_test
