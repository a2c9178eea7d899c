// Who is reached: one node and the frames that it is told of, and many nodes over links that are cut,
// lose and stand still, while nobody tells them.
#include "mesh/reachability.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/prng.hpp"
#include "mesh/test_support.hpp"

namespace creto {
namespace {

using mesh_testing::at_ms;

Genesis genesis_of(std::uint32_t n, QuorumMode mode) {
    Genesis genesis{.network = "test", .mode = mode};
    for (std::uint32_t i = 0; i < n; ++i) {
        std::array<std::uint8_t, 32> key{};
        key[0] = static_cast<std::uint8_t>(i + 1);
        genesis.members.push_back({Seat{i}, AgentId{key}, std::to_string(i)});
    }
    return genesis;
}

using Nodes = std::set<std::uint32_t>;

Nodes nodes_of(const std::vector<Seat>& seats) {
    Nodes out;
    for (const Seat seat : seats)
        out.insert(seat.value());
    return out;
}

// --- one node ---

struct Side {
    Side(const Roster& roster, Seat self) : reachability{roster, self, {}} {}
    /// Hears `seats` every 50 ms from `from` to `to`; returns the last notices.
    void run(const std::vector<std::uint32_t>& seats, std::int64_t from, std::int64_t to) {
        for (std::int64_t ms = from; ms <= to; ms += 50) {
            for (const std::uint32_t seat : seats) {
                reachability.heard(Seat{seat}, at_ms(ms));
                if (meet) reachability.summary_met(Seat{seat});
            }
            auto tick = reachability.on_time(at_ms(ms));
            if (tick.partitioned) partitioned = tick.partitioned;
            if (tick.healed) healed = tick.healed;
        }
    }
    Reachability reachability;
    bool meet = true;
    std::optional<Partitioned> partitioned;
    std::optional<Healed> healed;
};

TEST(Reachability, AMinorityKnowsThatItHasNoQuorum) {
    const Roster roster{genesis_of(5, QuorumMode::crash)};
    Side side{roster, Seat{0}};
    side.run({1, 2, 3, 4}, 0, 1000);
    EXPECT_EQ(side.reachability.reachable(), 5U);
    EXPECT_FALSE(side.partitioned.has_value());
    side.run({1}, 1050, 2850);
    ASSERT_TRUE(side.partitioned.has_value());
    EXPECT_EQ(nodes_of(side.partitioned->lost), (Nodes{2, 3, 4}));
    EXPECT_EQ(nodes_of(side.partitioned->reachable), (Nodes{0, 1}));
    EXPECT_FALSE(side.partitioned->quorum);
    EXPECT_EQ(
        side.reachability.no_quorum_message(), "no quorum: 2 of 5 validators reachable, 3 needed"
    );
}

TEST(Reachability, HealsOnlyWhenSummariesHaveMet) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Side side{roster, Seat{0}};
    side.run({1, 2, 3}, 0, 500);
    side.run({1}, 550, 2500);
    ASSERT_TRUE(side.reachability.partitioned());
    side.meet = false;
    side.run({1, 2, 3}, 2550, 3500);
    EXPECT_FALSE(side.healed.has_value());
    EXPECT_TRUE(side.reachability.has_quorum());
    side.meet = true;
    side.run({1, 2, 3}, 3550, 3550);
    EXPECT_TRUE(side.healed.has_value());
    EXPECT_FALSE(side.reachability.partitioned());
}

TEST(Reachability, WhoComesBackIsAskedForItsSummaryUntilItMet) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Side side{roster, Seat{0}};
    side.run({1, 2, 3}, 0, 500);
    side.run({1}, 550, 2500);
    for (const std::uint32_t seat : {1U, 2U, 3U})
        side.reachability.heard(Seat{seat}, at_ms(2600));
    EXPECT_EQ(nodes_of(side.reachability.on_time(at_ms(2600)).summarise), (Nodes{2, 3}));
    EXPECT_TRUE(side.reachability.on_time(at_ms(2700)).summarise.empty());
    side.reachability.summary_met(Seat{2});
    EXPECT_EQ(nodes_of(side.reachability.on_time(at_ms(3100)).summarise), (Nodes{3}));
}

TEST(Reachability, ALinkThatSaysGoodbyeIsNoPartition) {
    const Roster roster{genesis_of(7, QuorumMode::byzantine)};
    Side side{roster, Seat{0}};
    side.run({1, 2, 3, 4, 5, 6}, 0, 500);
    side.reachability.link_down(Seat{6}, at_ms(510));
    side.run({1, 2, 3, 4, 5}, 550, 5'000);
    EXPECT_FALSE(side.partitioned.has_value());
    EXPECT_EQ(side.reachability.reachable(), 6U);
    // A second one: what takes two away is not the end of a process.
    side.reachability.link_down(Seat{5}, at_ms(5'010));
    side.run({1, 2, 3, 4}, 5'050, 6'100);
    ASSERT_TRUE(side.partitioned.has_value());
    EXPECT_EQ(nodes_of(side.partitioned->lost), (Nodes{5, 6}));
    EXPECT_TRUE(side.partitioned->quorum);
}

TEST(Reachability, WithoutALinkNobodyIsReached) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Side side{roster, Seat{0}};
    side.run({1, 2, 3}, 0, 500);
    side.reachability.link_down(Seat{2}, at_ms(510));
    side.reachability.link_down(Seat{3}, at_ms(510));
    (void)side.reachability.on_time(at_ms(759));
    EXPECT_TRUE(side.reachability.has_quorum()) << "another link may replace it";
    (void)side.reachability.on_time(at_ms(760));
    EXPECT_FALSE(side.reachability.has_quorum());
}

// The roster changes under it: who stays keeps what is known, who is new gets time, and what was said
// by places in another roster says nothing.
TEST(Reachability, AnotherRosterKeepsWhatIsKnownOfThoseThatStay) {
    Genesis before = genesis_of(4, QuorumMode::byzantine);
    Genesis after = genesis_of(5, QuorumMode::byzantine);
    after.members.erase(after.members.begin() + 1);
    const Roster four{before};
    const Roster others{after};  // Seats 0, 2, 3, 4.
    Side side{four, Seat{0}};
    side.run({1, 2, 3}, 0, 500);
    side.reachability.set_roster(others, Seat{0}, at_ms(500));
    EXPECT_EQ(side.reachability.reachable(), 3U) << "the new one was not heard yet";
    EXPECT_TRUE(side.reachability.has_quorum());
    EXPECT_FALSE(side.reachability.is_reachable(Seat{1})) << "it has no seat any more";
    Hearing old{.roster = four.digest().prefix(), .heard = {}, .lately = {}};
    side.reachability.said(Seat{2}, old, at_ms(510));
    EXPECT_EQ(side.reachability.reachable(), 3U);
    side.run({2, 3}, 520, 9'000);
    EXPECT_FALSE(side.partitioned.has_value()) << "it may still be on its way";
    side.run({2, 3, 4}, 9'000, 9'200);
    EXPECT_EQ(side.reachability.reachable(), 4U);
    old.roster = others.digest().prefix();
    side.reachability.said(Seat{2}, old, at_ms(9'200));
    EXPECT_EQ(side.reachability.reachable(), 3U) << "now its places are ours";
}

// Found by lives 7001540 and 7005789: it had been told that it was not heard, lost its seat, and was never
// told again.
TEST(Reachability, WhoLosesItsSeatReachesWhomItHears) {
    const Roster before{genesis_of(5, QuorumMode::byzantine)};
    Genesis without = genesis_of(5, QuorumMode::byzantine);
    without.members.erase(without.members.begin());
    const Roster after{without};
    Side side{before, Seat{0}};
    side.run({1, 2, 3, 4}, 0, 500);
    Hearing deaf{.roster = before.digest().prefix(), .heard = {}, .lately = {}};
    for (const std::uint32_t seat : {1U, 2U, 3U})
        side.reachability.said(Seat{seat}, deaf, at_ms(500));
    EXPECT_FALSE(side.reachability.has_quorum());
    side.reachability.set_roster(after, std::nullopt, at_ms(510));
    side.run({1, 2, 3, 4}, 520, 700);
    EXPECT_TRUE(side.reachability.has_quorum());
    EXPECT_EQ(side.reachability.reachable(), 4U);
}

TEST(Reachability, ASeatThatDoesNotHearUsIsNotReached) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Side side{roster, Seat{0}};
    side.run({1, 2, 3}, 0, 500);
    Hearing deaf{.roster = roster.digest().prefix(), .heard = {}, .lately = {}};
    deaf.heard.insert(1);
    side.reachability.said(Seat{2}, deaf, at_ms(500));
    side.reachability.said(Seat{3}, deaf, at_ms(500));
    EXPECT_EQ(side.reachability.reachable(), 2U);
    EXPECT_FALSE(side.reachability.has_quorum());
    EXPECT_FALSE(side.reachability.hears_us(Seat{2}));
    side.run({1, 2, 3}, 550, 1'300);
    ASSERT_TRUE(side.partitioned.has_value()) << "it is heard all the time";
    EXPECT_EQ(nodes_of(side.partitioned->lost), (Nodes{2, 3}));
    deaf.heard.insert(0);
    side.reachability.said(Seat{2}, deaf, at_ms(1'350));
    EXPECT_TRUE(side.reachability.has_quorum());
}

TEST(Reachability, WhoWasAsleepBlamesNobody) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Side side{roster, Seat{0}};
    side.run({1, 2, 3}, 0, 500);
    // Nothing was handled for five seconds; what arrived meanwhile comes after the timer.
    (void)side.reachability.on_time(at_ms(5'500));
    EXPECT_TRUE(side.reachability.has_quorum());
    side.run({1, 2, 3}, 5'550, 7'000);
    EXPECT_FALSE(side.partitioned.has_value());
    // It is no excuse for ever.
    side.run({1}, 7'050, 8'800);
    EXPECT_TRUE(side.partitioned.has_value());
}

TEST(Reachability, ANodeThatNeverMetAQuorumSaysSoAfterSomePatience) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Side side{roster, Seat{0}};
    side.run({1}, 0, 9'950);
    EXPECT_FALSE(side.partitioned.has_value());
    side.run({1}, 10'000, 10'000);
    ASSERT_TRUE(side.partitioned.has_value());
    EXPECT_EQ(nodes_of(side.partitioned->lost), (Nodes{2, 3}));
}

TEST(Reachability, OfTwoSilentSeatsTheFirstAsksFirst) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Reachability first{roster, Seat{0}, {}};
    Reachability last{roster, Seat{3}, {}};
    for (std::uint32_t other = 0; other < 4; ++other) {
        first.heard(Seat{other}, at_ms(1000));
        last.heard(Seat{other}, at_ms(1000));
    }
    (void)first.on_time(at_ms(1000));  // Tells them that they are heard.
    (void)last.on_time(at_ms(1000));
    EXPECT_EQ(first.on_time(at_ms(1250)).probe.size(), 3U);
    EXPECT_TRUE(last.on_time(at_ms(1499)).probe.empty());
    EXPECT_EQ(last.on_time(at_ms(1500)).probe.size(), 3U);
}

TEST(Reachability, SilentSeatsAreProbedButNotInEveryTick) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Reachability reachability{roster, Seat{0}, {}};
    EXPECT_EQ(reachability.on_time(at_ms(1000)).probe.size(), 3U);
    EXPECT_TRUE(reachability.on_time(at_ms(1100)).probe.empty());
    reachability.heard(Seat{1}, at_ms(1150));
    (void)reachability.on_time(at_ms(1150));
    EXPECT_EQ(reachability.on_time(at_ms(1250)).probe.size(), 2U);
}

// --- many nodes ---

/// Nodes that only look around, over links of which the test decides everything.
class Net {
public:
    struct Shape {
        std::uint32_t nodes = 4;
        QuorumMode mode = QuorumMode::byzantine;
        std::int64_t latency_min = 1;  ///< Of one way, in milliseconds.
        std::int64_t latency_max = 10;
        std::uint32_t loss_percent = 0;
        std::uint32_t slow = 0;    ///< So many, the last, stand still one second in three.
        std::int64_t chatter = 0;  ///< Everybody says something to all so often; 0: never.
    };
    Net(const Shape& shape, std::uint64_t seed)
        : shape_{shape}, roster_{genesis_of(shape.nodes, shape.mode)}, prng_{seed} {
        for (std::uint32_t i = 0; i < shape.nodes; ++i) {
            sides_.emplace_back(roster_, Seat{i}, ReachabilityOptions{});
            phase_.push_back(static_cast<std::int64_t>(prng_.below(3'000)));
        }
        told.resize(shape.nodes);
        for (std::uint32_t i = 0; i < shape.nodes; ++i)
            for (std::uint32_t j = 0; j < shape.nodes; ++j)
                if (i != j) sides_[i].link_up(Seat{j}, at_ms(0));
    }

    struct Told {
        std::int64_t at = 0;
        bool partitioned = false;  ///< Healed otherwise.
        Nodes reachable;
        Nodes lost;
    };
    std::vector<std::vector<Told>> told;
    std::set<std::pair<std::uint32_t, std::uint32_t>> blocked;  ///< From, to.

    [[nodiscard]] std::int64_t now() const { return now_; }
    /// For a failure: what this node told, and how the network was.
    [[nodiscard]] std::string story(std::uint32_t i) const {
        std::string out = "node " + std::to_string(i) + " of " + std::to_string(shape_.nodes) +
                          ", latency " + std::to_string(shape_.latency_max) + ", chatter " +
                          std::to_string(shape_.chatter) + ":";
        for (const Told& one : told[i]) {
            out += " " + std::to_string(one.at) + (one.partitioned ? " lost" : " healed");
            for (const std::uint32_t seat : one.lost)
                out += " " + std::to_string(seat);
            out += ";";
        }
        return out;
    }
    [[nodiscard]] const Reachability& side(std::uint32_t i) const { return sides_[i]; }
    void one_way(const Nodes& from, const Nodes& to) {
        for (const std::uint32_t i : from)
            for (const std::uint32_t j : to)
                blocked.insert({i, j});
    }
    void cut(const Nodes& a, const Nodes& b) {
        one_way(a, b);
        one_way(b, a);
    }
    void run(std::int64_t ms) {
        for (const std::int64_t end = now_ + ms; now_ < end; now_ += step) {
            for (std::uint32_t i = 0; i < shape_.nodes; ++i)
                if (!stands_still(i)) turn(i);
        }
    }

private:
    static constexpr std::int64_t step = 5;
    enum class Kind : std::uint8_t { chatter, probe, answer, summary, summary_answer };
    struct Frame {
        std::uint32_t from = 0;
        Kind kind = Kind::chatter;
        Hearing hearing;
        std::int64_t sent = 0;  ///< Of the probe that it answers.
    };

    [[nodiscard]] bool stands_still(std::uint32_t i) const {
        return i >= shape_.nodes - shape_.slow && (now_ + phase_[i]) % 3'000 < 1'000;
    }
    void send(std::uint32_t from, std::uint32_t to, Kind kind, std::int64_t sent) {
        if (blocked.contains({from, to}) || prng_.below(100) < shape_.loss_percent) return;
        const auto span = static_cast<std::uint64_t>(shape_.latency_max - shape_.latency_min + 1);
        const std::int64_t takes =
            shape_.latency_min + static_cast<std::int64_t>(prng_.below(span));
        arrivals_[to].emplace(
            now_ + takes, Frame{from, kind, sides_[from].hearing(at_ms(now_)), sent}
        );
    }
    void turn(std::uint32_t i) {
        auto& inbox = arrivals_[i];
        while (!inbox.empty() && inbox.begin()->first <= now_) {
            const Frame frame = inbox.begin()->second;
            inbox.erase(inbox.begin());
            // What was on its way when the link was cut is gone.
            if (!blocked.contains({frame.from, i})) take(i, frame);
        }
        if (shape_.chatter > 0 && (now_ + phase_[i]) % shape_.chatter < step)
            for (std::uint32_t j = 0; j < shape_.nodes; ++j)
                if (j != i) send(i, j, Kind::chatter, 0);
        if (at_ms(now_) < sides_[i].next_tick()) return;
        const Reachability::Tick tick = sides_[i].on_time(at_ms(now_));
        for (const Seat seat : tick.probe)
            send(i, seat.value(), Kind::probe, now_);
        for (const Seat seat : tick.summarise)
            send(i, seat.value(), Kind::summary, now_);
        if (tick.partitioned)
            told[i].push_back(
                {now_,
                 true,
                 nodes_of(tick.partitioned->reachable),
                 nodes_of(tick.partitioned->lost)}
            );
        if (tick.healed) told[i].push_back({now_, false, nodes_of(tick.healed->returned), {}});
    }
    void take(std::uint32_t i, const Frame& frame) {
        Reachability& side = sides_[i];
        const Seat from{frame.from};
        side.heard(from, at_ms(now_));
        if (frame.kind == Kind::probe || frame.kind == Kind::answer)
            side.said(from, frame.hearing, at_ms(now_));
        if (frame.kind == Kind::probe) send(i, frame.from, Kind::answer, frame.sent);
        if (frame.kind == Kind::answer) side.round_trip(from, at_ms(frame.sent), at_ms(now_));
        if (frame.kind == Kind::summary) send(i, frame.from, Kind::summary_answer, 0);
        if (frame.kind == Kind::summary || frame.kind == Kind::summary_answer)
            side.summary_met(from);
    }

    Shape shape_;
    Roster roster_;
    Prng prng_;
    std::int64_t now_ = 0;
    std::vector<Reachability> sides_;
    std::vector<std::int64_t> phase_;
    std::map<std::uint32_t, std::multimap<std::int64_t, Frame>> arrivals_;
};

constexpr std::int64_t lan_bound = 2'000;
/// Four round trips of 400 ms, sure_after, and the word's way.
constexpr std::int64_t wan_bound = 2'800;

Nodes range(std::uint32_t from, std::uint32_t to) {
    Nodes out;
    for (std::uint32_t i = from; i < to; ++i)
        out.insert(out.end(), i);
    return out;
}

Nodes without(Nodes all, const Nodes& some) {
    for (const std::uint32_t i : some)
        all.erase(i);
    return all;
}

/// Cuts, and expects that each node tells exactly what `lost` says of it, once, in time; then heals.
void expect_told(
    const Net::Shape& shape,
    std::uint64_t seed,
    const std::function<void(Net&)>& cut,
    const std::function<Nodes(std::uint32_t)>& lost,
    std::int64_t bound = lan_bound
) {
    Net net{shape, seed};
    net.run(4'000 + static_cast<std::int64_t>(seed * 37 % 500));
    const std::int64_t begin = net.now();
    cut(net);
    net.run(bound + 4'000);
    for (std::uint32_t i = 0; i < shape.nodes; ++i) {
        const Nodes missing = lost(i);
        ASSERT_EQ(net.told[i].empty(), missing.empty()) << "seed " << seed << ", " << net.story(i);
        if (missing.empty()) continue;
        // Far away ones may be found out one after the other.
        EXPECT_LE(net.told[i].size(), shape.latency_max > 10 ? 2U : 1U)
            << "seed " << seed << ", " << net.story(i);
        const Net::Told& told = net.told[i].back();
        EXPECT_LE(told.at - begin, bound) << "seed " << seed << ", " << net.story(i);
        EXPECT_EQ(told.lost, missing) << "seed " << seed << ", " << net.story(i);
        EXPECT_EQ(told.reachable, without(range(0, shape.nodes), missing));
    }
    net.blocked.clear();
    net.run(bound);
    for (std::uint32_t i = 0; i < shape.nodes; ++i) {
        EXPECT_FALSE(net.side(i).partitioned()) << "seed " << seed << ", " << net.story(i);
        EXPECT_EQ(net.side(i).reachable(), shape.nodes);
        const bool is_last_healed = net.told[i].empty() || !net.told[i].back().partitioned;
        EXPECT_TRUE(is_last_healed) << "seed " << seed << ", " << net.story(i);
    }
}

/// Idle nodes and talking ones; near, and far apart.
std::vector<Net::Shape> shapes(std::uint32_t nodes, QuorumMode mode) {
    return {
        {.nodes = nodes, .mode = mode},
        {.nodes = nodes, .mode = mode, .chatter = 100},
        {.nodes = nodes, .mode = mode, .latency_min = 50, .latency_max = 200},
        {.nodes = nodes, .mode = mode, .latency_min = 50, .latency_max = 200, .chatter = 100}};
}

std::int64_t bound_of(const Net::Shape& shape) {
    return shape.latency_max > 10 ? wan_bound : lan_bound;
}

// [CUT-SIDES.1]
TEST(ReachabilityNet, BothSidesOfAWholeCutTellBothSets) {
    struct Case {
        std::uint32_t nodes;
        std::uint32_t first;
        QuorumMode mode;
    };
    const std::vector<Case> cases{
        {4, 2, QuorumMode::byzantine},
        {4, 3, QuorumMode::byzantine},
        {6, 3, QuorumMode::byzantine},
        {5, 3, QuorumMode::crash},
        {7, 6, QuorumMode::byzantine},
        {31, 16, QuorumMode::byzantine},
        {31, 27, QuorumMode::byzantine}};
    for (const Case& c : cases) {
        const Nodes west = range(0, c.first);
        const Nodes east = range(c.first, c.nodes);
        for (const Net::Shape& shape : shapes(c.nodes, c.mode))
            for (std::uint64_t seed = 1; seed <= (c.nodes > 10 ? 1U : 20U); ++seed)
                expect_told(
                    shape,
                    seed,
                    [&](Net& net) { net.cut(west, east); },
                    [&](std::uint32_t i) { return i < c.first ? east : west; },
                    bound_of(shape)
                );
    }
}

// [CUT-BOTH.1]
TEST(ReachabilityNet, BothSidesOfAOneWayCutTell) {
    for (const Net::Shape& shape : shapes(4, QuorumMode::byzantine))
        for (std::uint64_t seed = 1; seed <= 20; ++seed)
            expect_told(
                shape,
                seed,
                [](Net& net) {
                    net.one_way({0, 1}, {2, 3});
                },
                [](std::uint32_t i) {
                    return i < 2 ? Nodes{2, 3} : Nodes{0, 1};
                },
                bound_of(shape)
            );
}

// [CUT-SIDES.1]
TEST(ReachabilityNet, APartialCutIsToldByTheTwoThatItParts) {
    for (const std::uint32_t nodes : {3U, 4U, 31U}) {
        const QuorumMode mode = nodes == 3 ? QuorumMode::crash : QuorumMode::byzantine;
        for (const bool both_ways : {true, false})
            for (const Net::Shape& shape : shapes(nodes, mode))
                for (std::uint64_t seed = 1; seed <= (nodes > 10 ? 1U : 20U); ++seed)
                    expect_told(
                        shape,
                        seed,
                        [&](Net& net) {
                            net.one_way({0}, {1});
                            if (both_ways) net.one_way({1}, {0});
                        },
                        [](std::uint32_t i) {
                            return i > 1 ? Nodes{} : i == 0 ? Nodes{1} : Nodes{0};
                        },
                        bound_of(shape)
                    );
    }
}

TEST(ReachabilityNet, ACutThatMovesIsToldAnew) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Net net{{.nodes = 6}, seed};
        net.run(4'000);
        net.cut({0, 1, 2}, {3, 4, 5});
        net.run(4'000);
        net.blocked.clear();
        net.cut({0, 1, 5}, {2, 3, 4});
        const std::int64_t moved = net.now();
        net.run(4'000);
        for (std::uint32_t i = 0; i < 6; ++i) {
            const Nodes other = i < 2 || i == 5 ? Nodes{2, 3, 4} : Nodes{0, 1, 5};
            ASSERT_GE(net.told[i].size(), 2U) << "seed " << seed;
            EXPECT_TRUE(net.told[i].back().partitioned);
            EXPECT_EQ(net.told[i].back().lost, other) << "seed " << seed << ", " << net.story(i);
            EXPECT_LE(net.told[i].back().at - moved, 2'500)
                << "seed " << seed << ", " << net.story(i);
        }
    }
}

/// A node that fell silent is lost to all, and nobody vouches for it: of many, it is one that died.
TEST(ReachabilityNet, OneSilentSeatOfManyIsNoPartition) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        Net net{{.nodes = 31, .chatter = 100}, seed};
        net.run(4'000);
        net.cut({30}, range(0, 30));
        net.run(10'000);
        for (std::uint32_t i = 0; i < 30; ++i) {
            EXPECT_TRUE(net.told[i].empty()) << "seed " << seed << ", " << net.story(i);
            EXPECT_EQ(net.side(i).reachable(), 30U);
        }
        EXPECT_EQ(net.told[30].size(), 1U);
    }
}

// [CUT-CALM.1]
TEST(ReachabilityNet, LossAndSlowNodesAreNoPartition) {
    for (const std::uint32_t nodes : {4U, 10U, 20U, 31U})
        for (Net::Shape shape : shapes(nodes, QuorumMode::byzantine)) {
            shape.loss_percent = 5;
            shape.slow = std::max(1U, nodes / 10);
            for (std::uint64_t seed = 1; seed <= (nodes > 10 ? 1U : 10U); ++seed) {
                Net net{shape, seed};
                net.run(60'000);
                for (std::uint32_t i = 0; i < nodes; ++i)
                    EXPECT_TRUE(net.told[i].empty()) << "seed " << seed << ", " << net.story(i);
            }
        }
}

// [CUT-CALM.1]
TEST(ReachabilityNet, LinksThatFlapAreNoPartition) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Net net{{.nodes = 7, .loss_percent = 5}, seed};
        Prng prng{seed};
        net.run(4'000);
        for (int i = 0; i < 40; ++i) {
            Nodes some;
            for (std::uint32_t node = 0; node < 7; ++node)
                if (prng.below(2) == 0) some.insert(node);
            net.cut(some, without(range(0, 7), some));
            net.run(100 + static_cast<std::int64_t>(prng.below(600)));
            net.blocked.clear();
            net.run(500 + static_cast<std::int64_t>(prng.below(600)));
        }
        for (std::uint32_t i = 0; i < 7; ++i)
            EXPECT_TRUE(net.told[i].empty()) << "seed " << seed << ", " << net.story(i);
    }
}

}  // namespace
}  // namespace creto
