#include "sim/cluster.hpp"

#include <gtest/gtest.h>

#include "sim/scripted_test_participant.hpp"
#include "sim/testing/numbers.hpp"
#include "tools/builtins.hpp"

namespace creto {
namespace {

using sim_testing::first;
using sim_testing::second;
using SeenByNode = std::map<std::uint32_t, Seen>;

SimOptions four() {
    SimOptions options;
    options.disk.sync_min = Duration::from_ms(1);
    options.disk.sync_max = Duration::from_ms(1);
    return options;
}

/// Every 10 ms a probe to each connected peer.
Script chatter() {
    auto peers = std::make_shared<std::map<NodeIndex, std::set<AgentId>>>();
    return [peers](const ParticipantParts& parts, const Event& event, Instant now, Effects& out) {
        auto& mine = (*peers)[parts.index];
        if (std::holds_alternative<Start>(event)) {
            mine.clear();
            out.add(WakeAt{now + Duration::from_ms(10)});
        }
        if (const auto* up = std::get_if<PeerUp>(&event)) mine.insert(up->peer);
        if (const auto* down = std::get_if<PeerDown>(&event)) mine.erase(down->peer);
        if (std::holds_alternative<Woke>(event)) {
            out.send_all(mine, Probe{static_cast<std::uint64_t>(now.ns()), false});
            out.add(WakeAt{now + Duration::from_ms(10)});
        }
    };
}

TEST(SimCluster, GivesTheSameTraceForTheSameSeedAndAnotherForAnother) {
    const auto run = [](std::uint64_t seed, bool crashes) {
        SeenByNode seen;
        SimOptions options = four();
        options.seed = seed;
        options.profile = degraded_profile();
        SimCluster cluster{options, scripted(seen, chatter())};
        if (crashes) {
            cluster.at(Instant::from_ns(500'000'000), [&] { cluster.crash(second); });
            cluster.at(Instant::from_ns(900'000'000), [&] {
                EXPECT_TRUE(cluster.start(second).has_value());
            });
        }
        EXPECT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        EXPECT_GT(cluster.network().delivered, 500U);
        return cluster.trace_hash();
    };
    EXPECT_EQ(run(1, false), run(1, false));
    EXPECT_EQ(run(1, true), run(1, true));
    EXPECT_NE(run(1, false), run(1, true));
    EXPECT_NE(run(1, false), run(2, false));
}

TEST(SimCluster, ConnectsAllThatAreUp) {
    SeenByNode seen;
    SimCluster cluster{four(), scripted(seen, idle)};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    for (std::uint32_t node = 0; node < 4; ++node) {
        EXPECT_EQ(seen[node].all<PeerUp>().size(), 3U);
        EXPECT_TRUE(std::holds_alternative<Start>(seen[node].events.front().first));
    }
    // Of two that connect, one dialled.
    EXPECT_TRUE(seen[0].all<PeerUp>()[0].address.empty());
    EXPECT_EQ(seen[3].all<PeerUp>()[0].address.substr(0, 5), "/sim/");
}

TEST(SimCluster, HoldsASendUntilWhatItRestsOnIsDurable) {
    SeenByNode seen;
    Instant persisted_at;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant, Effects& out) {
            if (!std::holds_alternative<PeerUp>(event) || parts.index != first) return;
            const Ticket ticket = out.persist({}, {to_bytes("vote")}, Durable::yes);
            out.send(std::get<PeerUp>(event).peer, Probe{1, false}, ticket);
            out.send(std::get<PeerUp>(event).peer, Probe{2, false});
        };
    SimOptions options = four();
    options.profile = local_profile();
    options.disk.sync_min = options.disk.sync_max = Duration::from_ms(50);
    SimCluster cluster{options, scripted(seen, script)};
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(40)));
    ASSERT_EQ(seen[1].all<Received>().size(), 1U) << "what rests on nothing leaves at once";
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(200)));
    ASSERT_EQ(seen[1].all<Received>().size(), 2U);
    EXPECT_EQ(seen[0].all<Persisted>().size(), 3U);
}

TEST(SimCluster, NeverSendsWhatACrashUnmade) {
    SeenByNode seen;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant, Effects& out) {
            if (!std::holds_alternative<PeerUp>(event) || parts.index != first || parts.boot > 0)
                return;
            const Ticket ticket = out.persist({}, {to_bytes("vote")}, Durable::yes);
            out.send(std::get<PeerUp>(event).peer, Probe{1, false}, ticket);
        };
    SimOptions options = four();
    options.profile = local_profile();
    options.disk.sync_min = options.disk.sync_max = Duration::from_ms(50);
    SimCluster cluster{options, scripted(seen, script)};
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(40)));
    cluster.crash(first);
    ASSERT_TRUE(cluster.start(first).has_value());
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5)));
    EXPECT_TRUE(seen[1].all<Received>().empty());
    EXPECT_TRUE(seen[0].all<Persisted>().empty());
    EXPECT_TRUE(seen[0].restored.at(1).empty());
}

TEST(SimCluster, RestoresFromWhatTheDiskKept) {
    SeenByNode seen;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant, Effects& out) {
            if (std::holds_alternative<Start>(event) && parts.boot == 0)
                out.persist({}, {to_bytes("one"), to_bytes("two")}, Durable::yes);
        };
    SimCluster cluster{four(), scripted(seen, script)};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    cluster.crash(first);
    EXPECT_FALSE(cluster.is_up(first));
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    ASSERT_TRUE(cluster.start(first).has_value());
    EXPECT_EQ(seen[0].restored.at(1), (std::vector<Bytes>{to_bytes("one"), to_bytes("two")}));
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(1)));
    const auto& [event, at] = seen[0].events.back();
    EXPECT_TRUE(std::holds_alternative<Start>(event));
    EXPECT_EQ(at, Instant{}) << "a node's time counts from its own start";

    cluster.crash(first);
    cluster.damage_vote_log(first, "record 1 has a wrong checksum");
    const auto started = cluster.start(first);
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().code, ErrorCode::corrupt);
    EXPECT_FALSE(cluster.is_up(first));
}

TEST(SimCluster, TellsTheNodeThatTheStoreFailedAndSendsNothingMore) {
    SeenByNode seen;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant, Effects& out) {
            if (!std::holds_alternative<PeerUp>(event) || parts.index != first) return;
            const Ticket ticket = out.persist({}, {to_bytes("vote")}, Durable::yes);
            out.send(std::get<PeerUp>(event).peer, Probe{1, false}, ticket);
        };
    SimCluster cluster{four(), scripted(seen, script)};
    cluster.disk(first).fail_next_writes(1);
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    ASSERT_EQ(seen[0].all<StoreFailed>().size(), 1U);
    EXPECT_TRUE(seen[0].all<Persisted>().empty());
    for (std::uint32_t node = 1; node < 4; ++node)
        EXPECT_TRUE(seen[node].all<Received>().empty());
}

TEST(SimCluster, CatchesASendThatWaitsForNothing) {
    SeenByNode seen;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant, Effects& out) {
            if (std::holds_alternative<PeerUp>(event) && parts.index == first)
                out.send(std::get<PeerUp>(event).peer, Probe{1, false}, Ticket{99});
        };
    SimOptions options = four();
    options.seed = 77;
    SimCluster cluster{options, scripted(seen, script)};
    EXPECT_FALSE(cluster.run_for(Duration::from_s(1)));
    EXPECT_NE(cluster.violation().find("seed 77"), std::string::npos);
    EXPECT_NE(cluster.violation().find("node 0: persist"), std::string::npos);
}

TEST(SimCluster, WakesANodeOnceAtTheLastInstantThatItNamed) {
    SeenByNode seen;
    const Script script = [](const ParticipantParts&, const Event& event, Instant now, Effects& out
                          ) {
        if (!std::holds_alternative<Start>(event)) return;
        for (const int ms : {50, 10, 30})
            out.add(WakeAt{now + Duration::from_ms(ms)});
    };
    SimOptions options = four();
    SimCluster cluster{options, scripted(seen, script)};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    for (std::uint32_t node = 0; node < 4; ++node) {
        std::vector<Instant> woken;
        for (const auto& [event, at] : seen[node].events)
            if (std::holds_alternative<Woke>(event)) woken.push_back(at);
        EXPECT_EQ(woken, std::vector<Instant>{Instant::from_ns(30'000'000)});
    }
}

TEST(SimCluster, LeavesATimerThatWasCalledOff) {
    SeenByNode seen;
    const Script script = [](const ParticipantParts&, const Event& event, Instant now, Effects& out
                          ) {
        if (!std::holds_alternative<Start>(event)) return;
        out.add(WakeAt{now + Duration::from_ms(5)});
        out.add(WakeAt{Instant::max()});
    };
    SimCluster cluster{four(), scripted(seen, script)};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    EXPECT_TRUE(seen[0].all<Woke>().empty());
}

TEST(SimCluster, AnswersEveryCommandOnceAlsoWhenTheNodeStops) {
    SeenByNode seen;
    const Script script = [](const ParticipantParts&, const Event& event, Instant, Effects& out) {
        const auto* command = std::get_if<Command>(&event);
        if (command != nullptr && std::holds_alternative<Drain>(command->body))
            out.add(Reply{command->ticket, Done{}});
    };
    SimCluster cluster{four(), scripted(seen, script)};
    const Ticket answered = cluster.submit(first, Drain{});
    const Ticket left_open = cluster.submit(first, AskStatus{});
    EXPECT_EQ(cluster.reply(answered), nullptr);
    EXPECT_TRUE(
        cluster.run_until([&] { return cluster.reply(answered) != nullptr; }, Duration::from_s(1))
    );
    EXPECT_TRUE(std::holds_alternative<Done>(*cluster.reply(answered)));
    EXPECT_EQ(cluster.reply(left_open), nullptr);
    cluster.crash(first);
    ASSERT_NE(cluster.reply(left_open), nullptr);
    EXPECT_EQ(std::get<Error>(*cluster.reply(left_open)).code, ErrorCode::unavailable);
    const Ticket late = cluster.submit(first, AskStatus{});
    EXPECT_TRUE(std::holds_alternative<Error>(*cluster.reply(late)));
}

TEST(SimCluster, CatchesASecondReply) {
    SeenByNode seen;
    const Script script = [](const ParticipantParts&, const Event& event, Instant, Effects& out) {
        if (const auto* command = std::get_if<Command>(&event)) {
            out.add(Reply{command->ticket, Done{}});
            out.add(Reply{command->ticket, Done{}});
        }
    };
    SimCluster cluster{four(), scripted(seen, script)};
    (void)cluster.submit(second, AskStatus{});
    EXPECT_FALSE(cluster.run_for(Duration::from_s(1)));
    EXPECT_NE(cluster.violation().find("one-reply"), std::string::npos);
}

TEST(SimCluster, CatchesALoopInOneInstant) {
    SeenByNode seen;
    const Script script = [](const ParticipantParts&, const Event&, Instant now, Effects& out) {
        out.add(WakeAt{now});
    };
    SimOptions options = four();
    options.events_per_instant_max = 1'000;
    SimCluster cluster{options, scripted(seen, script)};
    EXPECT_FALSE(cluster.run_for(Duration::from_s(1)));
    EXPECT_NE(cluster.violation().find("time"), std::string::npos);
}

TEST(SimCluster, RunsToolsInVirtualTimeWithTheirDeadlines) {
    SeenByNode seen;
    const Script script = [](const ParticipantParts&, const Event& event, Instant, Effects& out) {
        if (const auto* command = std::get_if<Command>(&event))
            out.add(Reply{command->ticket, Done{}});
        if (!std::holds_alternative<Start>(event)) return;
        for (const char* tool : {"add", "multiply", "subtract", "no such tool"}) {
            const Ticket ticket = out.new_ticket();
            out.add(Execute{ticket, tool, {}, R"({"a":10,"b":30})", Duration::from_ms(100)});
            if (tool == std::string_view{"subtract"}) out.add(CancelExecute{ticket});
        }
    };
    SimOptions options = four();
    options.tools[first] = {
        builtin_registry().snapshot(),
        Duration::from_ms(20),
        {{"multiply", Duration::from_ms(500)}}};
    SimCluster cluster{options, scripted(seen, script)};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    const auto executed = seen[0].all<Executed>();
    ASSERT_EQ(executed.size(), 3U) << "the cancelled one answers nothing";
    EXPECT_EQ(executed[0].text, "40");
    EXPECT_EQ(executed[1].status, CallAnswer::Status::unknown_tool);
    EXPECT_EQ(executed[2].status, CallAnswer::Status::timeout);
    const auto offered = seen[0].all<Command>();
    ASSERT_EQ(offered.size(), 1U);
    EXPECT_GE(std::get<ToolsChanged>(offered[0].body).tools.size(), 15U);
    EXPECT_TRUE(seen[1].all<Command>().empty());
    EXPECT_EQ(seen[1].all<Executed>().at(0).status, CallAnswer::Status::unknown_tool);

    cluster.set_tools(second, {std::make_shared<const RegistrySnapshot>(), {}, {}});
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    EXPECT_EQ(seen[1].all<Command>().size(), 1U);
}

TEST(SimCluster, LoadsAndChecks) {
    SeenByNode seen;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant, Effects& out) {
            if (!std::holds_alternative<Start>(event) || parts.index != first) return;
            out.persist({{Column::state, to_bytes("k"), share(to_bytes("v"))}}, {}, Durable::no);
            out.add(Load{out.new_ticket(), Column::state, {to_bytes("k"), to_bytes("x")}});
            out.add(Scan{out.new_ticket(), Column::state, {}, {}, 5});
            const Bytes good = signed_bytes(SignDomain::vote, {}, as_bytes("a"));
            const Signature signature = parts.signer.sign(SignDomain::vote, {}, as_bytes("a"));
            const PublicKey& key = parts.signer.public_key();
            const Bytes bad = signed_bytes(SignDomain::vote, {}, as_bytes("b"));
            out.add(Check{out.new_ticket(), {{key, good, signature}, {key, bad, signature}}});
        };
    for (const auto signatures : {SimSignatures::tag, SimSignatures::ed25519}) {
        seen.clear();
        SimOptions options = four();
        options.signatures = signatures;
        SimCluster cluster{options, scripted(seen, script)};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        EXPECT_EQ(seen[0].all<CheckDone>().at(0).good, 1U);
        const auto loaded = seen[0].all<Loaded>();
        ASSERT_EQ(loaded.size(), 2U);
        EXPECT_EQ(
            loaded[0].values, (std::vector<std::optional<Bytes>>{to_bytes("v"), std::nullopt})
        );
        EXPECT_EQ(loaded[1].values, (std::vector<std::optional<Bytes>>{to_bytes("v")}));
        EXPECT_EQ(seen[0].all<Persisted>().size(), 1U);
    }
}

TEST(SimCluster, PausesANodeAndLetsItCatchUp) {
    SeenByNode seen;
    SimCluster cluster{four(), scripted(seen, chatter())};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    cluster.pause(second);
    const std::size_t before = seen[1].events.size();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    EXPECT_EQ(seen[1].events.size(), before);
    EXPECT_TRUE(cluster.connected({first, second}));
    cluster.resume(second);
    EXPECT_GT(seen[1].events.size(), before + 200);
}

TEST(SimCluster, ChargesTheProcessorAndKeepsTheOrder) {
    SeenByNode seen;
    SimOptions options = four();
    options.profile = local_profile();
    options.costs = ed25519_costs();
    options.costs.event_ns = 5'000'000;  // A machine that takes 5 ms to do anything.
    SimCluster cluster{options, scripted(seen, chatter())};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    for (std::uint32_t node = 0; node < 4; ++node) {
        const auto& events = seen[node].events;
        for (std::size_t i = 1; i < events.size(); ++i)
            ASSERT_GE(events[i].second - events[i - 1].second, Duration::from_ms(5));
        EXPECT_GT(events.size(), 200U);
        EXPECT_GT(cluster.host(NodeIndex{node}).spent.protocol, Duration::from_ms(1'900));
    }
}

TEST(SimAddress, RoundTripsAndRefusesOthers) {
    EXPECT_EQ(parse_sim_address(sim_address(NodeIndex{120})), NodeIndex{120});
    for (const char* text : {"", "/sim/", "/sim/x", "/ip4/127.0.0.1/tcp/1", "/sim/1234567890123"})
        EXPECT_EQ(parse_sim_address(text), std::nullopt) << text;
}

}  // namespace
}  // namespace creto
