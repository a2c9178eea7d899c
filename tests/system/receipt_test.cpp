// Receipts of verified calls, checked offline by the command line.
#include <algorithm>
#include <set>

#include "scale/config.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

/// Five nodes of which the second one's tools lie.
class Receipts : public ClusterTest {
protected:
    void SetUp() override {
        std::vector<RealNodeOptions> nodes = seats(5);
        nodes[1].drill = "times:10";
        ASSERT_NO_FATAL_FAILURE(make_and_start({.network = "receipts", .nodes = std::move(nodes)}));
        ASSERT_TRUE(knows_tools_of(5, seconds{20})) << "the nodes do not find each other";
    }
    /// Calls the tool, until the liar, too, is in the receipt: whoever decides before need not wait.
    Json call(const std::string& tool, const std::string& arguments, bool with_liar = true) {
        Json doc;
        eventually(
            [&] {
                const Said said = creto(
                    {"call",
                     tool,
                     arguments,
                     "--verify",
                     "--receipt",
                     file_.string(),
                     "--json",
                     "--node",
                     cluster_->admin_address(0)}
                );
                doc = said.json();
                EXPECT_EQ(said.exit, 0) << said.out << said.err;
                return said.exit != 0 || !with_liar || !doc["dissenting"].empty();
            },
            seconds{20}
        );
        return doc;
    }
    Json verify(int exit) {
        const Said said = creto(
            {"receipt",
             "verify",
             file_.string(),
             "--json",
             "--genesis",
             (cluster_->folder(1) / "genesis.json").string()}
        );
        EXPECT_EQ(said.exit, exit) << said.out << said.err;
        return said.json();
    }
    void expect_refuted(Json doc, const std::string& why) {
        ASSERT_TRUE(write_file(file_, doc.dump()));
        const std::string said = verify(11)["error"].value("message", "");
        EXPECT_NE(said.find(why), std::string::npos) << said;
    }

    std::filesystem::path file_ = folder_.path() / "receipt.json";
};

TEST_F(Receipts, HoldOfflineUnderEveryRuleAndNotWhenChanged) {
    const std::string liar = agent_text(cluster_->agent(1));
    // No call is decided without the last one's answer. Were the liar's late instead, its dissent would join the
    // records unseen, and three of those leave it out of every later panel.
    cluster_->links().set_extra_latency(4, Duration::from_ms(500));
    // No two clocks answer alike; four within the tolerance decide against one tenfold.
    const Json clock = call("clock", "{}");
    Json checked = verify(0);
    EXPECT_EQ(checked["rule"], "numbers within 5000 of the lower median");
    EXPECT_EQ(checked["dissenting"], Json::array({liar}));
    EXPECT_EQ(checked["agreeing"], 4);
    Json forged = clock;
    forged["shown"][0]["text"] = "1";
    expect_refuted(forged, "is not the one that it signed");
    forged = clock;
    forged["shown"].erase(0);
    expect_refuted(forged, "answers are shown");
    forged = clock;
    forged["result"] = "1";
    expect_refuted(forged, "not the one that the answers decide");
    forged = clock;
    std::string contract = clock["contract"];
    contract.replace(contract.find("5000"), 4, "5001");
    forged["contract"] = contract;
    expect_refuted(forged, "not the one that was asked for");
    forged = clock;
    forged.erase("contract");
    expect_refuted(forged, "the contract and the answers in clear are needed");

    // The digest is compared, the time beside it is not.
    const Json stamp = call("stamp", R"({"text":"x"})", false);
    ASSERT_TRUE(write_file(file_, stamp.dump()));
    checked = verify(0);
    EXPECT_EQ(checked["rule"], "equal values at /digest");
    EXPECT_EQ(checked["agreeing"], 4);
    std::multiset<std::string> digests;  // What the liar makes of a stamp is none.
    for (const Json& shown : stamp["shown"]) {
        const Json value = Json::parse(shown["text"].get<std::string>(), nullptr, false);
        if (value.is_object() && value.contains("digest")) digests.insert(value["digest"]);
    }
    EXPECT_EQ(digests.count(*digests.begin()), 4U);

    // Last, since it costs the liar its standing.
    const Json exact = call("add", R"({"a":20,"b":22})");
    EXPECT_EQ(exact["result"], "42");
    checked = verify(0);
    EXPECT_EQ(checked["rule"], "equal values");
    EXPECT_EQ(checked["dissenting"], Json::array({liar}));
    forged = exact;
    forged["result"] = "43";
    expect_refuted(forged, "not the one that was signed");
}

/// Five nodes: two greet louder than the others, and one greets twice and cannot judge.
class Judged : public Receipts {
protected:
    void SetUp() override {
        std::vector<RealNodeOptions> nodes = seats(5);
        nodes[1].drill = "times:2";
        nodes[2].drill = "reword";
        nodes[3].drill = "reword";
        ASSERT_NO_FATAL_FAILURE(make_and_start({.network = "judged", .nodes = std::move(nodes)}));
        ASSERT_TRUE(knows_tools_of(5, seconds{20})) << "the nodes do not find each other";
    }
};

// [CALL-JUDGE.3]
TEST_F(Judged, AnswersInOtherWordsAreDecidedAndTheJudgementHoldsOffline) {
    const Json good = call("greet", R"({"name":"Ann"})", false);
    EXPECT_EQ(good["result"], R"("HELLO, ANN!")");
    EXPECT_EQ(good["agreeing"], 4);
    ASSERT_TRUE(good.contains("judgement")) << good.dump(2);
    ASSERT_TRUE(write_file(file_, good.dump()));
    const Json checked = verify(0);
    EXPECT_EQ(checked["agreeing"], 4);
    EXPECT_EQ(checked["judges"]["panel"], 5);
    EXPECT_EQ(checked["judges"]["bar"], 4);
    EXPECT_EQ(checked["rule"].get<std::string>().rfind("the judge same_text", 0), 0U);
    Json forged = good;
    forged.erase("judgement");
    expect_refuted(forged, "says of them is missing");
    forged = good;
    forged["judgement"]["result"] = R"({"groups":[[0,1,2]]})";
    expect_refuted(forged, "not what the judges signed");
    forged = good;
    std::string receipt = good["judgement"]["receipt"];
    receipt.back() = receipt.back() == '0' ? '1' : '0';  // Of the last signature.
    forged["judgement"]["receipt"] = receipt;
    expect_refuted(forged, "a signature does not hold");
    // What the judges said of other answers.
    const Json other = call("greet", R"({"name":"Bob"})", false);
    forged = good;
    forged["judgement"] = other["judgement"];
    expect_refuted(forged, "asked about other answers");
}

}  // namespace
}  // namespace creto::system_test
