// Causal data through whole nodes: every kind, removals, sessions and watching.
#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"

namespace creto {
namespace {

using Action = CrdtOperation::Action;
using Path = std::vector<std::string>;

using sim_testing::at;

class CausalNode : public ::testing::Test {
protected:
    CausalNode() : cluster_{options(), honest_nodes()} {}

    void SetUp() override { ASSERT_TRUE(cluster_.run_for(Duration::from_s(2))); }

    static SimOptions options() {
        SimOptions out;
        out.node_count = 4;
        return out;
    }
    ReplyBody ask(std::uint32_t node, CommandBody body) {
        const Ticket ticket = cluster_.submit(at(node), std::move(body));
        (void)cluster_.run_until(
            [&] { return cluster_.reply(ticket) != nullptr; }, Duration::from_s(60)
        );
        const ReplyBody* reply = cluster_.reply(ticket);
        return reply != nullptr ? *reply
                                : ReplyBody{Error{ErrorCode::timeout, cluster_.violation()}};
    }
    SubmitReply write(std::uint32_t node, CrdtOperation body) {
        const ReplyBody reply = ask(node, Submit{std::move(body), Reading::causal});
        const auto* done = std::get_if<SubmitReply>(&reply);
        EXPECT_NE(done, nullptr) << why(reply);
        return done == nullptr ? SubmitReply{} : *done;
    }
    KeyReply read(std::uint32_t node, const std::string& key, Path path = {}) {
        const ReplyBody reply = ask(node, ReadKey{.key = key, .path = std::move(path)});
        const auto* found = std::get_if<KeyReply>(&reply);
        EXPECT_NE(found, nullptr) << why(reply);
        return found == nullptr ? KeyReply{} : *found;
    }
    static std::string why(const ReplyBody& reply) {
        const auto* error = std::get_if<Error>(&reply);
        return error == nullptr ? "" : error->message;
    }
    void cut_in_halves() {
        const std::vector<std::vector<NodeIndex>> halves{{at(0), at(1)}, {at(2), at(3)}};
        cluster_.cut(halves);
        ASSERT_TRUE(cluster_.run_for(Duration::from_s(3)));
    }

    SimCluster cluster_;
};

CrdtOperation add(const std::string& key, std::int64_t amount, Path path = {}) {
    return {.key = key, .amount = amount, .path = std::move(path)};
}
CrdtOperation put(Action action, const std::string& key, const std::string& value, Path path = {}) {
    return {.action = action, .key = key, .value = to_bytes(value), .path = std::move(path)};
}
std::vector<Bytes> list(const std::vector<std::string>& texts) {
    std::vector<Bytes> out;
    for (const std::string& text : texts)
        out.push_back(to_bytes(text));
    return out;
}

TEST_F(CausalNode, EveryKindMeetsAfterAPartition) {
    cut_in_halves();
    for (const std::uint32_t node : {0U, 2U}) {
        const std::string n = std::to_string(node);
        write(node, add("causal/n", 10 + node));
        write(node, put(Action::register_set, "causal/r", n));
        write(node, put(Action::last_set, "causal/w", n));
        write(node, put(Action::set_add, "causal/s", n));
        write(node, put(Action::set_add, "causal/s", "both"));
        write(node, put(Action::list_append, "causal/l", n + "a"));
        write(node, put(Action::list_append, "causal/l", n + "b"));
        write(node, add("causal/m", 1, {"of " + n, "count"}));
        write(node, add("causal/m", 1, {"shared"}));
    }
    cluster_.heal();
    ASSERT_TRUE(cluster_.run_for(Duration::from_s(10))) << cluster_.violation();
    std::set<std::optional<Bytes>> lasts;
    std::set<std::vector<Bytes>> lists;
    for (std::uint32_t node = 0; node < 4; ++node) {
        EXPECT_EQ(read(node, "causal/n").counter, 22);
        EXPECT_EQ(read(node, "causal/r").values, list({"0", "2"}));
        lasts.insert(read(node, "causal/w").last);
        EXPECT_EQ(read(node, "causal/s").elements, list({"0", "2", "both"}));
        lists.insert(read(node, "causal/l").items);
        EXPECT_EQ(read(node, "causal/m").fields, (Path{"of 0", "of 2", "shared"}));
        EXPECT_EQ(read(node, "causal/m", {"of 2"}).fields, (Path{"count"}));
        EXPECT_EQ(read(node, "causal/m", {"of 2", "count"}).counter, 1);
        EXPECT_EQ(read(node, "causal/m", {"shared"}).counter, 2);
    }
    ASSERT_EQ(lasts.size(), 1U);
    EXPECT_TRUE(*lasts.begin() == to_bytes("0") || *lasts.begin() == to_bytes("2"));
    ASSERT_EQ(lists.size(), 1U);
    EXPECT_EQ(lists.begin()->size(), 4U);
}

// [CRDT-KIND.1]
TEST_F(CausalNode, RefusesAnotherKindWhereItReadsOne) {
    write(0, add("causal/n", 1));
    ReplyBody refused = ask(0, Submit{put(Action::register_set, "causal/n", "x"), Reading::causal});
    EXPECT_EQ(why(refused).rfind("causal/n is a counter, not a register", 0), 0U) << why(refused);
    // Across a cut nobody knows; both are kept, and shown until somebody removes one.
    cut_in_halves();
    write(0, add("causal/k", 1));
    write(2, put(Action::set_add, "causal/k", "x"));
    cluster_.heal();
    ASSERT_TRUE(cluster_.run_for(Duration::from_s(10))) << cluster_.violation();
    EXPECT_EQ(read(1, "causal/k").counter, 1);
    EXPECT_EQ(read(1, "causal/k").elements, list({"x"}));
}

// [CRDT-MAP.1]
TEST_F(CausalNode, RemovesAPlaceWithAllBelowIt) {
    for (const char* field : {"a", "b"}) {
        write(0, add("causal/m", 1, {field, "count"}));
        write(0, put(Action::set_add, "causal/m", "x", {field, "tags"}));
    }
    const ReplyBody removed = ask(0, RemoveCausal{"causal/m", {"a"}});
    EXPECT_TRUE(std::holds_alternative<SubmitReply>(removed)) << why(removed);
    EXPECT_EQ(read(0, "causal/m").fields, (Path{"b"}));
    EXPECT_NE(
        why(ask(0, RemoveCausal{"causal/m", {"a"}})).find("holds nothing"), std::string::npos
    );
    ASSERT_TRUE(cluster_.run_for(Duration::from_s(5))) << cluster_.violation();
    EXPECT_EQ(read(3, "causal/m").fields, (Path{"b"}));
}

// [SESSION.1]
TEST_F(CausalNode, ASessionReadsItsWritesAtAnotherNode) {
    for (int i = 1; i <= 20; ++i) {
        const SubmitReply written = write(0, add("causal/n", 1));
        const ReplyBody reply = ask(3, ReadKey{.key = "causal/n", .session = written.session});
        ASSERT_TRUE(std::holds_alternative<KeyReply>(reply)) << why(reply);
        EXPECT_EQ(std::get<KeyReply>(reply).counter, i);
        const KeyOperation set{KeyOperation::Action::add, "final/n", {}, 1};
        const ReplyBody agreed = ask(1, Submit{set});
        ASSERT_TRUE(std::holds_alternative<SubmitReply>(agreed)) << why(agreed);
        const ReplyBody shown =
            ask(2, ReadKey{.key = "final/n", .session = std::get<SubmitReply>(agreed).session});
        ASSERT_TRUE(std::holds_alternative<KeyReply>(shown)) << why(shown);
        EXPECT_EQ(std::get<KeyReply>(shown).values, list({std::to_string(i)}));
    }
}

// [SESSION.1]
TEST_F(CausalNode, ASessionThatCannotBeReachedIsRefused) {
    cut_in_halves();
    const SessionToken session = write(0, add("causal/n", 1)).session;
    const auto ask_for = [&](std::uint32_t node, const SessionToken& token) {
        return ask(
            node, ReadKey{.key = "causal/n", .session = token, .timeout = Duration::from_s(2)}
        );
    };
    const Instant asked = cluster_.now();
    const ReplyBody late = ask_for(3, session);
    EXPECT_EQ(why(late).rfind("this node has not come as far as the session", 0), 0U) << why(late);
    EXPECT_GE(cluster_.now() - asked, Duration::from_s(2));
    EXPECT_LE(cluster_.now() - asked, Duration::from_s(3));
    EXPECT_TRUE(std::holds_alternative<KeyReply>(ask_for(1, session)));
    SessionToken other = session;
    other.tip->id = VertexId{blake3(as_bytes("another branch"))};
    EXPECT_NE(why(ask_for(1, other)).find("does not count here"), std::string::npos);
    other.tip->lane.seat = Seat{77};
    EXPECT_NE(why(ask_for(1, other)).find("another network"), std::string::npos);
    // Who waits when the cut heals is answered then.
    const Ticket waiting = cluster_.submit(
        at(3), ReadKey{.key = "causal/n", .session = session, .timeout = Duration::from_s(60)}
    );
    ASSERT_TRUE(cluster_.run_for(Duration::from_s(1)));
    EXPECT_EQ(cluster_.reply(waiting), nullptr);
    cluster_.heal();
    ASSERT_TRUE(cluster_.run_for(Duration::from_s(10))) << cluster_.violation();
    const ReplyBody* answer = cluster_.reply(waiting);
    ASSERT_NE(answer, nullptr);
    ASSERT_TRUE(std::holds_alternative<KeyReply>(*answer)) << why(*answer);
    EXPECT_EQ(std::get<KeyReply>(*answer).counter, 1);
}

TEST_F(CausalNode, OneReadOverTheLimitDoesNotWait) {
    SessionToken future{Height{1'000'000}, std::nullopt};
    std::vector<Ticket> waiting;
    for (std::size_t i = 0; i <= limits::session_reads_max; ++i) {
        waiting.push_back(cluster_.submit(
            at(0), ReadKey{.key = "final/k", .session = future, .timeout = Duration::from_s(30)}
        ));
    }
    ASSERT_TRUE(cluster_.run_for(Duration::from_s(1)));
    EXPECT_EQ(cluster_.reply(waiting.front()), nullptr);
    const ReplyBody* last = cluster_.reply(waiting.back());
    ASSERT_NE(last, nullptr);
    EXPECT_EQ(why(*last), "too many reads wait for their session");
}

TEST_F(CausalNode, TellsWatchersWhatChanged) {
    ASSERT_TRUE(std::holds_alternative<Done>(ask(3, WatchKeys{{"causal/a", "final/a"}})));
    const auto changes = [&] {
        std::vector<KeyChanged> out;
        for (const SimNotice& notice : cluster_.notices(at(3))) {
            if (const auto* change = std::get_if<KeyChanged>(&*notice.notice))
                out.push_back(*change);
        }
        return out;
    };
    write(0, add("causal/a", 5, {"f"}));
    write(0, add("causal/b", 5));
    (void)ask(0, Submit{KeyOperation{KeyOperation::Action::set, "final/ab", to_bytes("v"), 0}});
    (void)ask(0, Submit{KeyOperation{KeyOperation::Action::set, "final/b", to_bytes("v"), 0}});
    ASSERT_TRUE(cluster_.run_for(Duration::from_s(5))) << cluster_.violation();
    const std::vector<KeyChanged> seen = changes();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].key, "causal/a");
    EXPECT_EQ(seen[0].path, (Path{"f"}));
    EXPECT_EQ(seen[0].value.counter, 5);
    EXPECT_EQ(seen[1].key, "final/ab");
    EXPECT_EQ(seen[1].value.values, list({"v"}));
    std::vector<std::string> prefixes(limits::watched_prefixes_max, "causal/");
    EXPECT_TRUE(std::holds_alternative<Done>(ask(3, WatchKeys{prefixes})));
    prefixes.emplace_back("causal/");
    EXPECT_TRUE(std::holds_alternative<Error>(ask(3, WatchKeys{prefixes})));
}

TEST_F(CausalNode, TellsHowManyChangesWereTooManyAtOnce) {
    ASSERT_TRUE(std::holds_alternative<Done>(ask(0, WatchKeys{{"causal/"}})));
    ASSERT_TRUE(std::holds_alternative<Done>(ask(3, WatchKeys{{"causal/"}})));
    std::uint64_t told = 0;
    std::uint64_t lost = 0;
    constexpr std::size_t many = limits::changes_per_event_max + 20;
    for (std::size_t i = 0; i < many; ++i) {
        (void
        )cluster_.submit(at(0), Submit{add("causal/" + std::to_string(i), 1), Reading::causal});
    }
    ASSERT_TRUE(cluster_.run_for(Duration::from_s(5))) << cluster_.violation();
    for (const SimNotice& notice : cluster_.notices(at(3))) {
        told += std::holds_alternative<KeyChanged>(*notice.notice) ? 1 : 0;
        if (const auto* some = std::get_if<ChangesLost>(&*notice.notice)) lost += some->count;
    }
    EXPECT_EQ(told + lost, many);
    EXPECT_GT(told, 0U);
}

}  // namespace
}  // namespace creto
