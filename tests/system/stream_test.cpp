// What a tool shows while it works, from one real process to another and out to the command line.
#include <fstream>
#include <sstream>

#include "scale/client.hpp"
#include "system/support.hpp"

namespace creto::system_test {
namespace {

constexpr auto stream_patience = seconds{60};
constexpr const char* many = R"({"below":100000000})";
constexpr const char* more_than_many = R"({"below":1000000000})";

std::string content(const std::filesystem::path& file) {
    std::ifstream in{file};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

/// Four nodes, of which the first offers no primes.
class Streams : public ClusterTest {
protected:
    void SetUp() override {
        std::vector<RealNodeOptions> nodes = seats(4);
        nodes[0].tools = {"add"};
        ASSERT_NO_FATAL_FAILURE(make_and_start({.network = "streams", .nodes = std::move(nodes)}));
        ASSERT_TRUE(knows_tools_of(4, seconds{20})) << "the nodes do not find each other";
    }
    [[nodiscard]] std::size_t node_of(const std::string& agent) const {
        std::size_t i = 0;
        while (i < cluster_->size() && agent_text(cluster_->agent(i)) != agent)
            ++i;
        return i;
    }
    [[nodiscard]] std::uint64_t counter(std::size_t node, const char* name) {
        return cluster_->ask(node, "status")["counters"].value(name, std::uint64_t{0});
    }
    [[nodiscard]] std::uint64_t cancelled() {
        std::uint64_t out = 0;
        for (std::size_t i = 1; i < 4; ++i)
            out += counter(i, "calls_cancelled");
        return out;
    }
    static Json body() { return {{"tool", "primes"}, {"arguments", many}, {"timeout_ms", 60'000}}; }
};

// [CALL-STREAM.1]
TEST_F(Streams, TheFirstPieceComesBeforeThereIsAnAnswer) {
    const Client client{cluster_->admin_address(0)};
    Json streamed = body();
    streamed["stream"] = true;
    std::size_t pieces = 0;
    std::uint64_t answered = 1;
    std::string provider;
    const auto reply = client.stream(
        "call",
        streamed,
        [&](const Json& event) {
            EXPECT_EQ(event["event"], "piece");
            EXPECT_EQ(event["provider"], provider.empty() ? event["provider"] : Json(provider));
            provider = event["provider"];
            // The provider says itself that it still works, after it showed the first one.
            if (pieces++ == 0) answered = counter(node_of(provider), "calls_served");
        },
        stream_patience
    );
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ((*reply)["result"], R"({"below":100000000,"count":5761455,"greatest":99999989})");
    EXPECT_EQ((*reply)["provider"], provider);
    EXPECT_EQ(answered, 0U);
    EXPECT_GT(pieces, 50U);
    // The same without pieces.
    const Json plain = cluster_->ask(0, "call", body(), stream_patience);
    EXPECT_EQ(plain["result"], (*reply)["result"]);
    // What is wrong is said as without.
    streamed["tool"] = "no such";
    const auto none = client.stream(
        "call", streamed, [](const Json&) {}, stream_patience
    );
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::not_found);
}

// [CALL-STREAM.4]
TEST_F(Streams, AProviderThatDiesIsReplacedAndTheWatcherIsTold) {
    const Client client{cluster_->admin_address(0)};
    Json streamed = body();
    streamed["stream"] = true;
    std::string first;
    std::string last;
    std::size_t restarts = 0;
    const auto reply = client.stream(
        "call",
        streamed,
        [&](const Json& event) {
            if (event["event"] == "restarted") ++restarts;
            last = event["provider"];
            if (!first.empty()) return;
            first = last;
            cluster_->kill(node_of(first));
        },
        stream_patience
    );
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(restarts, 1U);
    EXPECT_NE(last, first);
    EXPECT_EQ((*reply)["provider"], last);
    EXPECT_EQ((*reply)["result"], R"({"below":100000000,"count":5761455,"greatest":99999989})");
}

TEST_F(Streams, AWatcherWhoGoesAwayEndsTheCall) {
    const auto out = folder_.path() / "out";
    const auto err = folder_.path() / "err";
    auto watcher = Process::start(
        {program().string(),
         "call",
         "primes",
         more_than_many,
         "--stream",
         "--timeout",
         "60000",
         "--node",
         cluster_->admin_address(0)},
        out,
        err
    );
    ASSERT_TRUE(watcher) << watcher.error().message;
    ASSERT_TRUE(eventually([&] { return !content(out).empty(); }, stream_patience)) << content(err);
    EXPECT_TRUE(watcher->running());
    EXPECT_EQ(cancelled(), 0U);
    watcher->kill();
    EXPECT_TRUE(eventually([&] { return cancelled() == 1; }, stream_patience));
    EXPECT_EQ(cluster_->ask(0, "status")["pending_calls"], 0);
}

TEST_F(Streams, TheCommandLineSaysThemAsTheyComeOrAsOneDocument) {
    const auto call = [&](std::vector<std::string> more) {
        std::vector<std::string> words{
            "call", "primes", R"({"below":3000000})", "--node", cluster_->admin_address(0)};
        words.insert(words.end(), more.begin(), more.end());
        return creto(words);
    };
    const std::string result = R"({"below":3000000,"count":216816,"greatest":2999999})";
    const Said lines = call({"--stream"});
    EXPECT_EQ(lines.exit, 0) << lines.err;
    EXPECT_NE(lines.out.find("{\"below\":1000003,"), std::string::npos) << lines.out;
    EXPECT_EQ(lines.out.substr(lines.out.size() - result.size() - 1), result + "\n");
    EXPECT_NE(lines.err.find("creto: 3000000 of 3000000 sieving"), std::string::npos) << lines.err;
    const Said document = call({"--stream", "--json"});
    EXPECT_EQ(document.exit, 0);
    const Json doc = document.json();
    EXPECT_EQ(doc["result"], result);
    ASSERT_GE(doc["pieces"].size(), 3U) << document.out;
    EXPECT_EQ(doc["pieces"][0]["kind"], "json");
    EXPECT_EQ(doc["pieces"][0]["number"], 1);
    EXPECT_EQ(call({}).out, result + "\n");
    EXPECT_EQ(call({"--stream", "--verify"}).exit, 2) << "nobody has agreed on a piece";
}

}  // namespace
}  // namespace creto::system_test
