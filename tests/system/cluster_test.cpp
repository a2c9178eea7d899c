// `creto cluster`: a local cluster of real processes, as a user starts, hurts and ends it.
#include <algorithm>
#include <csignal>
#include <set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "runtime/address.hpp"
#include "scale/config.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

bool lives(pid_t pid) {
    return std::filesystem::exists("/proc/" + std::to_string(pid) + "/exe");
}

/// Whether somebody can listen there now.
bool is_free(const std::string& address) {
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor acceptor{io};
    boost::system::error_code error;
    const auto endpoint = parse_address(address).value();
    acceptor.open(endpoint.protocol(), error);
    acceptor.set_option(boost::asio::ip::tcp::acceptor::reuse_address{true}, error);
    acceptor.bind(endpoint, error);
    return !error;
}

class LocalCluster : public ::testing::Test {
protected:
    void TearDown() override {
        if (std::filesystem::exists(dir_)) static_cast<void>(cluster({"down"}));
    }
    Said cluster(CommandWords words) {
        words.insert(words.begin(), "cluster");
        words.insert(words.end(), {"--json", "--dir", dir_.string()});
        return creto(words, {}, seconds{120});
    }
    Json expect(int exit, const CommandWords& words) {
        const Said said = cluster(words);
        EXPECT_EQ(said.exit, exit) << words.front() << "\n" << said.out << said.err;
        Json doc = said.json();
        EXPECT_TRUE(doc.is_object()) << words.front() << " said\n" << said.out;
        if (doc.is_object()) {
            EXPECT_EQ(doc.value("ok", false), exit == 0) << said.out;
        }
        return doc;
    }
    std::string refused(int exit, const CommandWords& words) {
        const Json doc = expect(exit, words);
        return doc.is_object() && doc.contains("error") ? doc["error"].value("message", "") : "";
    }
    Said node(std::size_t i, CommandWords words) {
        words.insert(
            words.end(), {"--json", "--node", (dir_ / ("n" + std::to_string(i))).string()}
        );
        return creto(words);
    }
    /// Waits until the status shows this of each of these nodes.
    bool shows(const std::vector<std::size_t>& nodes, const char* field, const Json& value) {
        return eventually(
            [&] {
                const Json doc = cluster({"status"}).json();
                return ok(doc) && std::all_of(nodes.begin(), nodes.end(), [&](std::size_t i) {
                           return doc["nodes"][i][field] == value;
                       });
            },
            seconds{60}
        );
    }
    void expect_nothing_left(const Json& doc) {
        EXPECT_FALSE(std::filesystem::exists(dir_));
        EXPECT_FALSE(lives(doc["supervisor"].get<pid_t>()));
        for (const Json& node : doc["nodes"]) {
            EXPECT_FALSE(lives(node["pid"].get<pid_t>())) << node;
            for (const char* where : {"address", "admin", "listen"})
                EXPECT_TRUE(is_free(node[where].get<std::string>())) << node[where];
        }
    }

    WorkFolder folder_;
    // Longer than the address of a Unix socket may be.
    std::filesystem::path dir_ = folder_.path() / std::string(120, 'd') / "mesh";
};

TEST_F(LocalCluster, IsStartedHurtHealedAndEnded) {
    expect(0, {"up", "-n", "4"});
    const Json whole = expect(0, {"status"});
    ASSERT_EQ(whole["nodes"].size(), 4U);
    std::set<int> pids;
    for (const Json& one : whole["nodes"]) {
        EXPECT_TRUE(lives(one["pid"].get<pid_t>()));
        pids.insert(one["pid"].get<int>());
        EXPECT_EQ(one["reachable"], 4);
        EXPECT_EQ(one["partitioned"], false);
        EXPECT_TRUE(std::filesystem::exists(dir_ / one["name"].get<std::string>() / "key"));
    }
    EXPECT_EQ(pids.size(), 4U);
    EXPECT_NE(refused(1, {"up"}).find("is up (supervisor "), std::string::npos);
    EXPECT_EQ(node(2, {"state", "set", "final/k", "one"}).exit, 0);

    // A node dies and comes back with what it had.
    const Json killed = expect(0, {"kill", "1"});
    EXPECT_EQ(killed["nodes"][1]["alive"], false);
    EXPECT_EQ(killed["nodes"][1]["exit"], 128 + SIGKILL);
    EXPECT_FALSE(lives(whole["nodes"][1]["pid"].get<pid_t>()));
    EXPECT_EQ(refused(1, {"kill", "1"}), "node 1 does not run");
    EXPECT_EQ(refused(1, {"start", "0"}), "node 0 runs already");
    EXPECT_EQ(refused(2, {"kill", "4"}), "there is no node 4; there are 0 to 3");
    EXPECT_TRUE(shows({0, 2, 3}, "reachable", 3));
    expect(0, {"start", "1"});
    EXPECT_TRUE(shows({0, 1, 2, 3}, "reachable", 4));

    // The same by somebody else's hand.
    ASSERT_EQ(::kill(whole["nodes"][3]["pid"].get<pid_t>(), SIGKILL), 0);
    EXPECT_TRUE(shows({3}, "alive", false));
    expect(0, {"start", "3"});
    EXPECT_TRUE(shows({0, 1, 2, 3}, "reachable", 4));

    // A cut is made in links; the nodes find out, and go on when it heals.
    EXPECT_EQ(
        refused(2, {"partition", "0,x"}),
        "\"0,x\" is no group; write node numbers with commas: 0,1,2"
    );
    EXPECT_EQ(refused(2, {"partition", "0,1", "1,2"}), "node 1 is named twice");
    EXPECT_EQ(refused(2, {"partition", "0,1,2,3"}), "one group with every node in it cuts nothing");
    EXPECT_EQ(expect(0, {"partition", "0,1"})["cut_into"], Json::parse("[[0,1],[2,3]]"));
    EXPECT_TRUE(shows({0, 1, 2, 3}, "partitioned", true));
    EXPECT_EQ(node(0, {"state", "set", "final/k", "two"}).exit, 10);
    EXPECT_EQ(expect(0, {"heal"})["cut_into"], Json::array());
    EXPECT_TRUE(shows({0, 1, 2, 3}, "partitioned", false));
    EXPECT_EQ(node(0, {"state", "set", "final/k", "three"}).exit, 0);

    const Json last = expect(0, {"status"});
    expect(0, {"down"});
    expect_nothing_left(last);
    EXPECT_NE(refused(4, {"status"}).find("there is no cluster in"), std::string::npos);
}

TEST_F(LocalCluster, AKilledSupervisorTakesItsNodesAlongAndIsCleanedUp) {
    const Json before = expect(0, {"up", "-n", "3", "--quorum", "crash"});
    EXPECT_EQ(before["quorum"], 2);
    EXPECT_EQ(node(0, {"state", "set", "final/k", "kept"}).exit, 0);
    const auto supervisor = before["supervisor"].get<pid_t>();
    ASSERT_EQ(::kill(supervisor, SIGKILL), 0);
    const bool gone = eventually(
        [&] {
            return std::none_of(
                before["nodes"].begin(),
                before["nodes"].end(),
                [](const Json& one) { return lives(one["pid"].get<pid_t>()); }
            );
        },
        seconds{10}
    );
    EXPECT_TRUE(gone) << "the nodes outlive their supervisor";
    const std::string said = refused(4, {"status"});
    EXPECT_NE(
        said.find("(process " + std::to_string(supervisor) + ") was killed, and its nodes with it"),
        std::string::npos
    ) << said;
    EXPECT_NE(said.find("creto cluster up --dir " + dir_.string()), std::string::npos) << said;
    EXPECT_FALSE(std::filesystem::exists(dir_ / "control"));
    EXPECT_NE(refused(4, {"heal"}).find("is down, its data is kept"), std::string::npos);

    EXPECT_NE(refused(1, {"up", "-n", "5"}).find("holds a cluster of 3"), std::string::npos);
    expect(0, {"up"});
    EXPECT_EQ(node(2, {"state", "get", "final/k"}).json()["values"], Json::array({"kept"}));
    // Down with its data kept, and up again.
    expect(0, {"down", "--keep"});
    const Json again = expect(0, {"up"});
    EXPECT_EQ(node(1, {"state", "get", "final/k"}).json()["values"], Json::array({"kept"}));
    expect(0, {"down"});
    expect_nothing_left(again);
}

TEST_F(LocalCluster, PortsAndFoldersThatAreTaken) {
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor taken{
        io, boost::asio::ip::tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0}};
    const std::string port = std::to_string(taken.local_endpoint().port());
    const std::string said = refused(1, {"up", "-n", "4", "--port", port});
    EXPECT_NE(said.find("port " + port + " of 127.0.0.1 cannot be used"), std::string::npos)
        << said;
    EXPECT_NE(said.find("--port PORT"), std::string::npos) << said;
    EXPECT_FALSE(std::filesystem::exists(dir_ / "cluster.json"));
    EXPECT_NE(refused(2, {"up", "-n", "3"}).find("fewer than 4"), std::string::npos);
    EXPECT_NE(refused(2, {"up", "-n", "101"}).find("1 to 100"), std::string::npos);
    std::filesystem::create_directories(dir_);
    ASSERT_TRUE(write_file(dir_ / "letter", "mine"));
    EXPECT_NE(refused(1, {"up"}).find("is not empty"), std::string::npos);
    EXPECT_TRUE(std::filesystem::exists(dir_ / "letter"));
}

}  // namespace
}  // namespace creto::system_test
