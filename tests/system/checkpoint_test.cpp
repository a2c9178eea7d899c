// Checkpoints as an operator meets them: a node that was away too long comes back, and a folder that
// does not hold everything says so.
#include "system/support.hpp"

namespace creto::system_test {
namespace {

class Checkpoint : public ClusterTest {
protected:
    /// Makes so many values of 8 KiB final, one after the other.
    void write(std::size_t node, int count) {
        for (int i = 0; i < count; ++i) {
            const Json reply = cluster_->ask(
                node,
                "write",
                {{"key", "final/" + std::to_string(i % 4)},
                 {"value", std::string(8 * 1024, static_cast<char>('a' + i % 26))}}
            );
            ASSERT_TRUE(ok(reply)) << reply;
        }
    }
    std::uint64_t number(std::size_t node, const char* field) {
        const Json status = cluster_->ask(node, "status");
        return status.value(field, std::uint64_t{0});
    }
    bool catches_up(std::size_t node, std::size_t with) {
        return eventually(
            [&] {
                const Json mine = cluster_->ask(node, "status");
                return ok(mine) && mine["finalized"] >= number(with, "finalized") &&
                       mine["reachable"] == 4;
            },
            seconds{60}
        );
    }
};

TEST_F(Checkpoint, ANodeThatWasAwayTakesTheStateOverAndARestartBeginsThere) {
    ASSERT_NO_FATAL_FAILURE(make_and_start(
        {.network = "checkpoint", .nodes = seats(4), .checkpoint_blocks = 8, .keep_blocks = 10}
    ));
    ASSERT_TRUE(reaches(0, 4, seconds{20}));
    ASSERT_NO_FATAL_FAILURE(write(0, 20));
    cluster_->kill(3);
    const std::uint64_t left_at = number(0, "finalized");
    ASSERT_NO_FATAL_FAILURE(write(0, 80));
    ASSERT_TRUE(eventually([&] { return number(0, "kept_from") > left_at + 8; }, seconds{20}))
        << cluster_->ask(0, "status");

    ASSERT_TRUE(cluster_->start(3));
    ASSERT_TRUE(catches_up(3, 0)) << cluster_->ask(3, "status");
    const Json back = cluster_->ask(3, "status");
    EXPECT_EQ(back["counters"]["checkpoints_adopted"], 1) << back;
    EXPECT_GT(back["kept_from"], left_at) << back;
    ASSERT_NO_FATAL_FAILURE(write(3, 5));  // Its own lane goes on.
    for (const char* key : {"final/0", "final/1", "final/2", "final/3"}) {
        // What node 3 was answered, node 0 may learn a moment later.
        EXPECT_TRUE(eventually(
            [&] {
                const Json here = cluster_->ask(0, "read", {{"key", key}});
                return ok(here) &&
                       cluster_->ask(3, "read", {{"key", key}})["values"] == here["values"];
            },
            seconds{10}
        )) << key;
    }

    // kill -9, and a start that executes no more than lies above the checkpoint.
    cluster_->kill(0);
    ASSERT_TRUE(cluster_->start(0));
    ASSERT_TRUE(catches_up(0, 1)) << cluster_->ask(0, "status");
    EXPECT_GE(number(0, "checkpoint"), number(0, "kept_from"));
    EXPECT_EQ(number(0, "operations_final"), number(1, "operations_final"));

    const std::string dir = cluster_->folder(0).string();
    EXPECT_TRUE(cluster_->terminate(0));
    const Said checked = creto({"fsck", dir, "--json"});
    EXPECT_EQ(checked.exit, 0) << checked.out << checked.err;
    const Said whole = creto({"export", dir + "/all.json", "--node", dir, "--json"});
    EXPECT_NE(whole.exit, 0) << whole.out;
    EXPECT_NE((whole.out + whole.err).find("keeps blocks from height "), std::string::npos)
        << whole.out << whole.err;
}

}  // namespace
}  // namespace creto::system_test
