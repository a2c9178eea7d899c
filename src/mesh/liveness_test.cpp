#include "mesh/liveness.hpp"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <set>

namespace creto {
namespace {

constexpr Duration delay = Duration::from_ms(20);

KeySeed key_seed_of(std::size_t n) {
    std::array<std::uint8_t, 32> bytes{};
    bytes[0] = static_cast<std::uint8_t>(n);
    bytes[1] = static_cast<std::uint8_t>(n >> 8U);
    return KeySeed{bytes};
}

/// Some agents that all know each other, on links of 20 ms.
class World {
public:
    struct Agent {
        explicit Agent(std::unique_ptr<Signer> key, std::size_t n)
            : signer{std::move(key)},
              directory{signer->public_key()},
              dialer{signer->public_key(), {}},
              liveness{{signer->public_key(), *signer, ChainId{}}, directory, dialer, {}, 100 + n} {
        }
        [[nodiscard]] AgentId id() const { return signer->public_key(); }

        std::unique_ptr<Signer> signer;
        Directory directory;
        Dialer dialer;
        Liveness liveness;
        bool up = true;
        std::vector<Liveness::Change> changes;
        std::size_t sent = 0;
    };

    explicit World(std::size_t n) {
        for (std::size_t i = 0; i < n; ++i)
            agents.push_back(std::make_unique<Agent>(scheme->signer(key_seed_of(i + 1)), i));
        for (auto& agent : agents) {
            for (auto& other : agents) {
                agent->directory.accept({record(*other, 10), CheckPass::own()}, now);
                if (other == agent) continue;
                agent->liveness.on_found(other->id(), now);
                agent->dialer.on_peer_up(other->id(), {});
            }
            agent->liveness.set_version(10);
            agent->liveness.start(now);
        }
    }

    static AgentRecord record(const Agent& agent, std::uint64_t version) {
        AgentRecord out{.agent = agent.id(), .version = version, .name = "agent"};
        out.lifetime_ms = limits::record_lifetime_ms_max;
        return out;
    }
    static Alive alive_of(const Agent& agent, std::uint64_t version) {
        return {agent.id(), version, {}};
    }
    std::size_t index_of(const AgentId& id) const {
        for (std::size_t i = 0; i < agents.size(); ++i)
            if (agents[i]->id() == id) return i;
        return agents.size();
    }
    void unlink(std::size_t a, std::size_t b) {
        agents[a]->dialer.on_peer_down(agents[b]->id(), now);
        agents[b]->dialer.on_peer_down(agents[a]->id(), now);
    }

    /// Carries out what an agent wants to send.
    void carry(std::size_t from, Effects& effects) {
        for (Effect& effect : effects.take()) {
            const auto* send = std::get_if<Send>(&effect);
            if (send == nullptr) continue;
            ++agents[from]->sent;
            const std::size_t to = index_of(send->to);
            if (to == agents.size() || !agents[from]->dialer.connected(send->to)) continue;
            if (loses && loses(from, to, *send->message.decoded())) continue;
            under_way.push_back({now + delay, from, to, send->message});
        }
        auto& changes = agents[from]->changes;
        for (const Liveness::Change& change : agents[from]->liveness.take_changes())
            changes.push_back(change);
    }
    void say(std::size_t from, std::size_t to, const Message& message) {
        Agent& agent = *agents[to];
        const AgentId& id = agents[from]->id();
        Effects effects;
        if (!std::holds_alternative<PingAnswer>(message)) agent.liveness.heard(id, now);
        const auto shared = agent.liveness.without_stale(std::make_shared<const Message>(message));
        const CheckPass pass = CheckPass::own();
        if (const auto* ping = std::get_if<Ping>(shared.get()))
            agent.liveness.on_ping(id, {*ping, pass}, now, effects);
        if (const auto* answer = std::get_if<PingAnswer>(shared.get()))
            (void)agent.liveness.on_answer(id, {*answer, pass}, now, effects);
        if (const auto* request = std::get_if<PingRequest>(shared.get()))
            agent.liveness.on_request(id, *request, now, effects);
        if (const auto* report = std::get_if<PingReport>(shared.get()))
            agent.liveness.on_report(id, {*report, pass}, now);
        carry(to, effects);
    }
    void run(std::int64_t ms) {
        const Instant end = now + Duration::from_ms(ms);
        for (; now < end; now = now + Duration::from_ms(5)) {
            while (!under_way.empty() && under_way.front().at <= now) {
                const Under next = under_way.front();
                under_way.pop_front();
                if (agents[next.to]->up) say(next.from, next.to, *next.message.decoded());
            }
            for (std::size_t i = 0; i < agents.size(); ++i) {
                if (!agents[i]->up) continue;
                Effects effects;
                agents[i]->liveness.on_time(now, effects);
                carry(i, effects);
            }
        }
    }
    [[nodiscard]] std::size_t who_say(AgentState state, std::size_t about) const {
        std::size_t count = 0;
        for (const auto& agent : agents)
            if (agent->up && agent->liveness.state(agents[about]->id()) == state) ++count;
        return count;
    }
    [[nodiscard]] std::size_t changes() const {
        std::size_t count = 0;
        for (const auto& agent : agents)
            count += agent->changes.size();
        return count;
    }

    struct Under {
        Instant at;
        std::size_t from;
        std::size_t to;
        WireMessage message;
    };
    std::unique_ptr<SignatureScheme> scheme = std::make_unique<TagScheme>();
    Instant now;
    std::vector<std::unique_ptr<Agent>> agents;
    std::deque<Under> under_way;
    std::function<bool(std::size_t, std::size_t, const Message&)> loses;
};

TEST(Liveness, WhileAllAnswerNothingIsHeldAndLittleIsSaid) {
    World world{10};
    world.run(120'000);
    EXPECT_EQ(world.changes(), 0U);
    for (const auto& agent : world.agents) {
        EXPECT_EQ(agent->liveness.deviations(), 0U);
        // A ping of its own and an answer to one of another's, each interval.
        EXPECT_LE(agent->sent, 2U * 120U + 20U);
        EXPECT_GE(agent->sent, 200U);
    }
}

TEST(Liveness, ACrashedAgentIsSuspectThenDeadEverywhereAndNobodyElseIs) {
    World world{10};
    world.run(10'000);
    world.agents[3]->up = false;
    while (world.who_say(AgentState::suspect, 3) == 0)
        world.run(5);
    world.run(3'500);
    EXPECT_EQ(world.who_say(AgentState::dead, 3), 0U) << "a suspect has time to answer";
    world.run(30'000);
    EXPECT_EQ(world.who_say(AgentState::dead, 3), 9U);
    EXPECT_EQ(world.changes(), 2U * 9U);
    EXPECT_EQ(world.agents[0]->liveness.deviations(), 1U);
}

TEST(Liveness, ADeadAgentThatSpeaksAgainIsAlive) {
    World world{6};
    world.run(10'000);
    world.agents[3]->up = false;
    world.run(40'000);
    ASSERT_EQ(world.who_say(AgentState::dead, 3), 5U);
    world.agents[3]->up = true;
    world.run(15'000);
    EXPECT_EQ(world.who_say(AgentState::alive, 3), 6U);
    EXPECT_EQ(world.agents[0]->liveness.counters().revived, 1U);
}

TEST(Liveness, AnAgentOnWhoseLinkNothingComesIsAskedThroughOthers) {
    World world{8};
    world.loses = [](std::size_t from, std::size_t to, const Message& /*m*/) {
        return (from == 0 && to == 1) || (from == 1 && to == 0);
    };
    world.run(60'000);
    EXPECT_EQ(world.changes(), 0U);
    EXPECT_GT(world.agents[1]->liveness.counters().statements, 0U);
}

TEST(Liveness, AnAgentWithoutALinkIsAskedThroughOthers) {
    World world{8};
    world.unlink(0, 1);
    world.run(60'000);
    EXPECT_EQ(world.changes(), 0U);
}

TEST(Liveness, ASuspectIsToldFirstAndRefutesAtOnce) {
    World world{8};
    bool muted = true;
    world.loses = [&](std::size_t from, std::size_t to, const Message& /*m*/) {
        return muted && (from == 5 || to == 5);
    };
    world.run(5'000);
    while (world.who_say(AgentState::suspect, 5) == 0)
        world.run(5);
    muted = false;
    world.run(3'000);
    EXPECT_EQ(world.who_say(AgentState::alive, 5), 8U);
    for (const auto& agent : world.agents)
        EXPECT_EQ(agent->liveness.counters().died, 0U);
}

TEST(Liveness, WhoIsMutedForGoodByOneAgentAloneIsAliveForAllOthers) {
    World world{8};
    // Agent 0 hears neither 5 nor anybody's report about it: its own trouble.
    world.loses = [](std::size_t from, std::size_t to, const Message& message) {
        const bool is_report = std::holds_alternative<PingReport>(message);
        return (from == 5 && to == 0) || (is_report && to == 0);
    };
    world.run(60'000);
    for (std::size_t i = 1; i < 8; ++i)
        EXPECT_TRUE(world.agents[i]->changes.empty()) << "its word is not believed";
}

// [LIVE-OWN.1]: what others say makes a node look; it never believes.
TEST(Liveness, AMemberThatDeclaresEverybodySilentChangesNothing) {
    World world{20};
    world.run(6'000);
    for (int second = 0; second < 60; ++second) {
        for (int repeat = 0; repeat < 20; ++repeat) {
            for (std::size_t to = 1; to < 20; ++to) {
                Ping lie{7, std::nullopt, {}};
                for (std::size_t victim = 0; victim < 8; ++victim)
                    lie.rumours.suspicions.push_back(
                        {world.agents[1 + (victim + to + 8U * repeat) % 19]->id(),
                         ~std::uint64_t{0}}
                    );
                world.say(0, to, lie);
            }
        }
        world.run(1'000);
    }
    EXPECT_EQ(world.changes(), 0U);
    for (std::size_t i = 1; i < 20; ++i) {
        const LivenessCounters& counters = world.agents[i]->liveness.counters();
        // [LIVE-BOUND.1]: its own looks, one a second, and at most eight once in ten seconds.
        EXPECT_LE(counters.looks, 66U + 8U * 8U);
        EXPECT_LE(counters.statements, 2U * 70U);
        EXPECT_GT(counters.unheeded, 1'000U);
    }
}

// [LIVE-PROOF.1]: a version that was seen before shows nothing.
TEST(Liveness, AReplayedAliveDoesNotHideADeath) {
    World world{8};
    world.run(10'000);
    world.say(1, 0, PingAnswer{0, {{}, {World::alive_of(*world.agents[5], 40)}}});
    EXPECT_EQ(world.agents[0]->liveness.deviations(), 1U);
    world.agents[5]->up = false;
    for (int i = 0; i < 400; ++i) {
        world.run(100);
        for (const std::uint64_t version : {9U, 10U, 40U}) {
            world.say(
                1, 0, Ping{0, std::nullopt, {{}, {World::alive_of(*world.agents[5], version)}}}
            );
            world.say(1, 0, PingReport{1, World::alive_of(*world.agents[5], version)});
        }
    }
    EXPECT_EQ(world.agents[0]->liveness.state(world.agents[5]->id()), AgentState::dead);
    world.say(1, 0, Ping{0, std::nullopt, {{}, {World::alive_of(*world.agents[5], 41)}}});
    EXPECT_EQ(world.agents[0]->liveness.state(world.agents[5]->id()), AgentState::alive);
}

TEST(Liveness, ANewerRecordShowsLifeAndClearsTheEntry) {
    World world{8};
    world.run(10'000);
    world.agents[5]->up = false;
    world.run(40'000);
    auto& first = *world.agents[0];
    ASSERT_EQ(first.liveness.state(world.agents[5]->id()), AgentState::dead);
    first.directory.accept({World::record(*world.agents[5], 11), CheckPass::own()}, world.now);
    first.liveness.on_record(world.agents[5]->id(), world.now);
    EXPECT_EQ(first.liveness.state(world.agents[5]->id()), AgentState::alive);
    EXPECT_EQ(first.liveness.deviations(), 0U);
}

TEST(Liveness, RumoursOfUnknownAgentsTakeNoMemory) {
    World world{4};
    world.run(6'000);
    for (std::size_t i = 0; i < 1'000; ++i) {
        const auto stranger = world.scheme->signer(key_seed_of(10'000 + i))->public_key();
        world.say(1, 0, Ping{i, std::nullopt, {{{stranger, 1}}, {{stranger, i, {}}}}});
        world.say(1, 0, PingReport{i, Alive{stranger, i, {}}});
        world.say(1, 0, PingRequest{i, stranger, i});
    }
    EXPECT_EQ(world.agents[0]->liveness.deviations(), 0U);
    EXPECT_EQ(world.agents[0]->liveness.counters().looks, 1U);
    world.run(10'000);
    EXPECT_EQ(world.changes(), 0U);
}

// [LIVE-BOUND.1]
TEST(Liveness, OnePeerHasFewPingsMadeForIt) {
    World world{6};
    world.run(6'000);
    const std::size_t before = world.agents[0]->sent;
    for (std::size_t i = 0; i < 100; ++i)
        world.say(1, 0, PingRequest{i, world.agents[2 + i % 4]->id(), i});
    std::size_t pings = 0;
    for (const World::Under& under : world.under_way)
        if (std::holds_alternative<Ping>(*under.message.decoded()) && under.from == 0) ++pings;
    EXPECT_LE(pings, Liveness::relays_per_peer_max + 1);
    EXPECT_EQ(world.agents[0]->sent - before, 100U) << "the others are told so at once";
}

TEST(Liveness, WhoOversleptBlamesNobody) {
    World world{6};
    world.run(10'000);
    auto& sleeper = *world.agents[0];
    const std::int64_t score = sleeper.liveness.health().score();
    const auto has_pinged = [&] {
        return std::any_of(world.under_way.begin(), world.under_way.end(), [](const auto& under) {
            return under.from == 0 && std::holds_alternative<Ping>(*under.message.decoded());
        });
    };
    while (!has_pinged())
        world.run(5);
    // Agent 0 stands still while its ping is answered: the answer waits behind the timer.
    std::vector<std::pair<std::size_t, Message>> inbox;
    sleeper.up = false;
    world.loses = [&](std::size_t from, std::size_t to, const Message& message) {
        if (to == 0) inbox.emplace_back(from, message);
        return to == 0;
    };
    world.run(3'000);
    world.loses = nullptr;
    sleeper.up = true;
    Effects effects;
    sleeper.liveness.on_time(world.now, effects);
    world.carry(0, effects);
    EXPECT_TRUE(sleeper.changes.empty());
    EXPECT_GT(sleeper.liveness.health().score(), score);
    for (const auto& [from, message] : inbox)
        world.say(from, 0, message);
    world.run(5'000);
    EXPECT_TRUE(sleeper.changes.empty());
}

TEST(Liveness, WithoutALinkNothingIsSaidOfAnybody) {
    World world{5};
    for (std::size_t other = 1; other < 5; ++other)
        world.unlink(0, other);
    world.run(60'000);
    EXPECT_TRUE(world.agents[0]->changes.empty());
}

TEST(Liveness, ALostLinkIsLookedAtAtOnce) {
    World world{8};
    world.run(10'000);
    world.agents[3]->up = false;
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == 3) continue;
        Effects effects;
        world.agents[i]->dialer.on_peer_down(world.agents[3]->id(), world.now);
        world.agents[i]->liveness.on_link_lost(world.agents[3]->id(), world.now, effects);
        world.carry(i, effects);
    }
    world.run(2'100);
    EXPECT_EQ(world.who_say(AgentState::suspect, 3), 7U);
    world.run(8'000);
    EXPECT_EQ(world.who_say(AgentState::dead, 3), 7U);
}

TEST(Liveness, EachIsPingedInTwoRoundsWhateverTheLot) {
    World world{12};
    std::set<std::size_t> pinged;
    world.loses = [&](std::size_t from, std::size_t to, const Message& message) {
        if (from == 0 && std::holds_alternative<Ping>(message)) pinged.insert(to);
        return false;
    };
    world.run(5'000 + 2 * 12 * 1'000 + 1'000);
    EXPECT_EQ(pinged.size(), 11U);
}

}  // namespace
}  // namespace creto
