// The roster as operators change it: with the command line, on real processes.
#include "scale/config.hpp"
#include "state/final_receipt.hpp"
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
    /// What the machine that wants a seat hands to those who run validators.
    std::string grant(std::size_t node, const std::string& name) {
        const std::filesystem::path file =
            folder_.path() / ("grant-" + std::to_string(node) + ".json");
        std::vector<std::string> words{
            "roster",
            "grant",
            "--request",
            "--dir",
            cluster_->folder(node).string(),
            "--file",
            file.string()};
        if (!name.empty()) words.insert(words.end(), {"--name", name});
        const Said said = creto(std::move(words));
        EXPECT_EQ(said.exit, 0) << said.err;
        return file.string();
    }
    std::string genesis(std::size_t node) {
        return (cluster_->folder(node) / "genesis.json").string();
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

    const std::string wish = grant(4, "fifth");
    const Said first = roster(0, {"add", "--grant", wish});
    EXPECT_EQ(first.exit, 0) << first.err;
    EXPECT_NE(first.out.find("asked for by 1 of 3 seats"), std::string::npos) << first.out;
    const Said again = roster(0, {"add", "--grant", wish});
    EXPECT_NE(again.exit, 0);
    EXPECT_NE(again.err.find("this seat has asked for it already"), std::string::npos) << again.err;
    EXPECT_EQ(roster(1, {"add", "--grant", wish}).exit, 0);
    const Said agreed = roster(2, {"add", "--grant", wish});
    EXPECT_NE(agreed.out.find("agreed"), std::string::npos) << agreed.out << agreed.err;
    ASSERT_TRUE(gets_seat(4, 4)) << roster(0, {}).out;
    ASSERT_NO_FATAL_FAILURE(add_one(4, 3));

    // One machine is lost for good; its seat goes to another key.
    cluster_->kill(1);
    const std::string spare = grant(5, "");
    for (const std::size_t node : {0U, 2U, 3U, 4U}) {
        const Said said = roster(node, {"rotate", "--grant", spare, "--seat", "n1"});
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
    // A verdict of the new roster is shown offline by the genesis alone.
    const std::filesystem::path receipt = folder_.path() / "receipt.json";
    Said called;
    EXPECT_TRUE(eventually(
        [&] {
            called = creto(
                {"call",
                 "multiply",
                 R"({"a": 3, "b": 10})",
                 "--verify",
                 "--final",
                 "--receipt",
                 receipt.string(),
                 "--node",
                 cluster_->admin_address(5)}
            );
            return called.exit == 0;
        },
        seconds{30}
    )) << called.err;
    const auto verify = [&] {
        return creto({"receipt", "verify", receipt.string(), "--genesis", genesis(0), "--json"});
    };
    const Said shown = verify();
    ASSERT_EQ(shown.exit, 0) << shown.out << shown.err;
    EXPECT_EQ(shown.json()["final"]["validators"], 5) << shown.out;
    EXPECT_GE(shown.json()["final"]["epoch"], 3) << shown.out;
    // Without its links it shows nothing: the genesis knows neither n4 nor n5.
    auto held = read_file(receipt, 16U << 20U);
    ASSERT_TRUE(held.has_value());
    Json doc = Json::parse(*held);
    const auto bytes = from_hex(doc["final_receipt"].get<std::string>());
    ASSERT_TRUE(bytes.has_value());
    auto final_receipt = decode_exact<FinalReceipt>(*bytes);
    ASSERT_TRUE(final_receipt.has_value());
    EXPECT_EQ(final_receipt->links.size(), 2U);
    final_receipt->links.erase(final_receipt->links.begin());
    doc["final_receipt"] = to_hex(encode_bytes(*final_receipt));
    ASSERT_TRUE(write_file(receipt, doc.dump()).has_value());
    const Said refuted = verify();
    EXPECT_EQ(refuted.exit, 11) << refuted.out << refuted.err;
    EXPECT_NE(refuted.err.find("a link may be missing"), std::string::npos) << refuted.err;
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
}

TEST_F(RosterChanges, AGrantThatIsNoneIsRefusedWithTheReason) {
    std::vector<RealNodeOptions> nodes = seats(5);
    nodes[4].has_seat = false;
    ASSERT_NO_FATAL_FAILURE(
        make_and_start({.network = "grants", .nodes = std::move(nodes), .epoch_blocks = 64})
    );
    ASSERT_TRUE(reaches(0, 4, seconds{20}));
    const std::string good = grant(4, "fifth");
    auto text = read_file(good, 64U << 10U);
    ASSERT_TRUE(text.has_value());
    const std::filesystem::path file = folder_.path() / "bad.json";
    const auto says = [&](const std::string& content, const std::string& reason) {
        ASSERT_TRUE(write_file(file, content).has_value());
        const Said said = roster(0, {"add", "--grant", file.string()});
        EXPECT_EQ(said.exit, 2) << said.out << said.err;
        EXPECT_NE(said.err.find(reason), std::string::npos) << said.err;
    };
    const Said none = roster(0, {"add", "--grant", (folder_.path() / "none").string()});
    EXPECT_EQ(none.exit, 2);
    EXPECT_NE(none.err.find("creto roster grant --request"), std::string::npos) << none.err;
    says("{", "it is not JSON");
    says("{}", "it is no grant");
    says(std::string(70'000, ' '), "bad.json");
    const auto changed = [&](const char* field, const Json& value) {
        Json doc = Json::parse(*text);
        doc[field] = value;
        return doc.dump();
    };
    says(changed("agent", "12D3Koo"), "bad.json");
    says(changed("name", "another"), "has not signed it for this network and this name");
    says(changed("agent", agent(0)), "has not signed it");
    says(changed("possession", "00"), "has not signed it");
    says(changed("chain", std::string(64, '0')), "has not signed it");
    says(changed("chain", "x"), "64 hexadecimal digits");
    says(changed("approvals", 1), "is no list");
    says(changed("approvals", Json::array({"0:00"})), "not the change that they are of");
    EXPECT_NE(roster(0, {"add", "--grant", grant(4, "")}).err.find("--name"), std::string::npos);
    const Said op = roster(
        0,
        {"recover",
         "--seat",
         "n1",
         "--grant",
         good,
         "--operator-key",
         (cluster_->folder(4) / "key").string()}
    );
    EXPECT_NE(op.exit, 0);
    EXPECT_NE(op.err.find("its genesis names none"), std::string::npos) << op.err;
}

// Two of three people replace a lost machine, without the consent of a quorum of validators, and through
// any node. One of them signs where there is no network.
// [SEAT-OPERATORS.1]
TEST_F(RosterChanges, OperatorsReplaceALostMachine) {
    std::vector<RealNodeOptions> nodes = seats(5);
    nodes[4].has_seat = false;
    RealClusterOptions options{
        .network = "operators", .nodes = std::move(nodes), .epoch_blocks = 8};
    std::vector<std::string> keys;
    for (int i = 0; i < 3; ++i) {
        const KeySeed seed = random_key();
        const std::filesystem::path file = folder_.path() / ("op" + std::to_string(i));
        ASSERT_TRUE(write_key(file, seed).has_value());
        keys.push_back(file.string());
        options.operators.push_back(ed25519_public_key(seed));
    }
    options.operators_needed = 2;
    ASSERT_NO_FATAL_FAILURE(make_and_start(std::move(options)));
    ASSERT_TRUE(reaches(0, 4, seconds{20}));
    ASSERT_NO_FATAL_FAILURE(add_one(0, 3));
    cluster_->kill(1);
    const std::string wish = grant(4, "");
    const Said early =
        roster(0, {"recover", "--seat", "n1", "--grant", wish, "--operator-key", keys[0]});
    EXPECT_EQ(early.exit, 6) << early.out << early.err;
    EXPECT_NE(early.err.find("1 of 2 operators have signed it"), std::string::npos) << early.err;
    const auto approve = [&](const std::string& seat, const std::string& key) {
        return creto(
            {"roster",
             "grant",
             "--file",
             wish,
             "--genesis",
             genesis(0),
             "--approve",
             "replace",
             "--seat",
             seat,
             "--operator-key",
             key}
        );
    };
    const Said stranger = approve("1", (cluster_->folder(4) / "key").string());
    EXPECT_NE(stranger.err.find("is not the key of an operator"), std::string::npos);
    const Said offline = approve("1", keys[2]);
    EXPECT_EQ(offline.exit, 0) << offline.err;
    EXPECT_NE(offline.out.find("1 of 2 operators have signed it"), std::string::npos);
    const Said other =
        roster(0, {"recover", "--seat", "n2", "--grant", wish, "--operator-key", keys[0]});
    EXPECT_NE(other.err.find("signed another change"), std::string::npos) << other.err;
    // Through a node without a seat.
    const Said agreed =
        roster(4, {"recover", "--seat", "n1", "--grant", wish, "--operator-key", keys[0]});
    EXPECT_EQ(agreed.exit, 0) << agreed.err;
    EXPECT_NE(agreed.out.find("agreed"), std::string::npos) << agreed.out;
    ASSERT_TRUE(gets_seat(4, 4)) << roster(0, {}).out;
    ASSERT_NO_FATAL_FAILURE(add_one(4, 2));
    EXPECT_TRUE(reads(0, "5"));
    EXPECT_NE(roster(0, {}).out.find("2 of 3 operators"), std::string::npos);
}

}  // namespace
}  // namespace creto::system_test
