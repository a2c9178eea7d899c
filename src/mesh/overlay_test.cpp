#include "mesh/overlay.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "mesh/test_support.hpp"

namespace creto {
namespace {

using mesh_testing::at_ms;

/// Spread over all keys, so that slices and places are as with real ones.
AgentId spread_agent(std::uint32_t n) {
    std::array<std::uint8_t, 32> key{};
    for (std::size_t i = 0; i < 8; ++i)
        key[i] = static_cast<std::uint8_t>(mix64(n) >> (8 * i));
    return AgentId{key};
}

AgentRecord addressed_record(std::uint32_t n, std::string address = {}) {
    AgentRecord record{.agent = spread_agent(n), .version = 1, .name = "agent"};
    record.addresses = {address.empty() ? "/sim/" + std::to_string(n) : std::move(address)};
    record.lifetime_ms = ~std::uint32_t{0};
    return record;
}

Digest seed_of(std::uint8_t n) {
    std::array<std::uint8_t, 32> bytes{};
    bytes[0] = n;
    return Digest{bytes};
}

/// One agent, number 0, that knows `known` others, 1 to known.
struct OverlayNode {
    explicit OverlayNode(std::uint32_t known, std::uint32_t self = 0, OverlayOptions options = {})
        : directory{spread_agent(self)},
          dialer{spread_agent(self), {}},
          overlay{spread_agent(self), directory, dialer, options, self + 1} {
        for (std::uint32_t n = 0; n <= known; ++n)
            if (n != self) meet(addressed_record(n));
    }
    void meet(const AgentRecord& record) {
        directory.accept({record, CheckPass::own()}, now);
        overlay.on_record(record, now);
    }
    /// Every dial finds who it looks for, but for those that are silent.
    void run(std::int64_t ms, const std::set<AgentId>& silent = {}) {
        const Instant end = now + Duration::from_ms(ms);
        while (now < end) {
            overlay.on_time(now, effects);
            dialer.on_time(now, effects);
            carry_out(silent);
            now = now + Duration::from_ms(100);
        }
    }
    void carry_out(const std::set<AgentId>& silent) {
        // What comes of an effect happens at the same instant.
        for (std::vector<Effect> all = effects.take(); !all.empty(); all = effects.take())
            for (Effect& effect : all)
                carry_out(effect, silent);
    }
    void carry_out(const Effect& effect, const std::set<AgentId>& silent) {
        if (const auto* dial = std::get_if<Dial>(&effect)) {
            ++dials;
            if (silent.count(*dial->peer) == 0) up(*dial->peer, dial->address);
            if (refusing.count(*dial->peer) > 0) down(*dial->peer);
        } else if (const auto* drop = std::get_if<Drop>(&effect)) {
            dropped.insert(drop->peer);
            down(drop->peer);
        } else if (const auto* send = std::get_if<Send>(&effect)) {
            const auto* ping = std::get_if<Ping>(&*send->message.decoded());
            if (ping == nullptr) return;
            overlay.on_answer(send->to, ping->nonce, now + way_to(send->to));
        }
    }
    bool up(const AgentId& peer, const std::string& address, std::string group = {}) {
        if (!overlay.on_peer_up({peer, address, std::move(group)}, now, effects)) return false;
        dialer.on_peer_up(peer, address);
        return true;
    }
    void down(const AgentId& peer) {
        dialer.on_peer_down(peer, now);
        overlay.on_peer_down(peer, now);
    }
    [[nodiscard]] static Duration way_to(const AgentId& agent) {
        return Duration::from_ms(1 + static_cast<std::int64_t>(agent.bytes()[7]));
    }
    Directory directory;
    Dialer dialer;
    Overlay overlay;
    Instant now = at_ms(1);
    Effects effects;
    std::set<AgentId> dropped;
    std::set<AgentId> refusing;  ///< They close each link at once.
    std::size_t dials = 0;
};

// [MESH-FULL.1]
TEST(Overlay, UpToTheBoundEverybodyIsDialled) {
    OverlayNode node{127};  // 128 with itself would be the record of itself.
    node.directory.accept({addressed_record(0), CheckPass::own()}, node.now);
    node.run(3'000);
    EXPECT_FALSE(node.overlay.is_sparse());
    EXPECT_EQ(node.dialer.peers().size(), 127U);
    EXPECT_TRUE(node.dropped.empty());
    node.meet(addressed_record(200));
    node.run(1'000);
    EXPECT_TRUE(node.overlay.is_sparse()) << "one over";
    EXPECT_EQ(node.dialer.wanted().size(), Overlay::candidates_max + Overlay::strays_max);
}

// [MESH-DRAW.1]
TEST(Overlay, AboveItTheDrawDecidesAndEverybodyCanCheckIt) {
    OverlayNode node{1'000};
    node.overlay.set_seed(seed_of(7));
    node.run(5'000);
    ASSERT_EQ(node.overlay.candidates().size(), Overlay::candidates_max);
    EXPECT_LE(node.dials, Overlay::candidates_max + Overlay::strays_max);
    EXPECT_EQ(node.dialer.peers().size(), Overlay::candidates_max + Overlay::strays_max);
    const std::vector<AgentId> chosen = node.overlay.candidates();
    std::size_t rank = 0;
    for (std::uint32_t n = 1; n <= 1'000; ++n) {
        const auto place = std::find(chosen.begin(), chosen.end(), spread_agent(n));
        if (place == chosen.end()) continue;
        OverlayNode other{1'000, n};
        other.overlay.set_seed(seed_of(7));
        rank = other.overlay.rank_here(spread_agent(0));
        EXPECT_EQ(rank, static_cast<std::size_t>(place - chosen.begin())) << n;
    }
    node.overlay.set_seed(seed_of(8));
    node.run(1'000);
    EXPECT_NE(node.overlay.candidates(), chosen) << "another seed, another draw";
}

// [MESH-DRAW.1]
TEST(Overlay, ASeedCountsForWholeEpochsAndManyBlocks) {
    const auto seed_epoch = [](std::uint32_t blocks, std::uint64_t now) {
        return Overlay::seed_epoch(Epochs{blocks}, Epoch{now}).value();
    };
    for (const std::uint64_t now : {1U, 2U, 3U, 1'000U}) {
        EXPECT_EQ(seed_epoch(1'024, now), now) << "each epoch has its own";
        EXPECT_EQ(seed_epoch(65'536, now), now);
    }
    EXPECT_EQ(seed_epoch(1'023, 2), 1U) << "one block less: two epochs share one";
    EXPECT_EQ(seed_epoch(1'023, 3), 3U);
    EXPECT_EQ(seed_epoch(100, 11), 1U) << "11 epochs have 1,024 blocks, 10 have not";
    EXPECT_EQ(seed_epoch(100, 12), 12U);
    EXPECT_EQ(seed_epoch(100, 22), 12U);
}

// [MESH-DRAW.1]
TEST(Overlay, NobodyMakesAKeyForAPlaceUnderASeedThatIsKnown) {
    OverlayNode node{300};
    node.overlay.set_seed(seed_of(7));
    node.run(1'000);
    const std::vector<AgentId> before = node.overlay.candidates();
    // 2,000 keys made now: some of them have better places than all of the others.
    for (std::uint32_t n = 1'000; n < 3'000; ++n)
        node.meet(addressed_record(n));
    node.run(2'000);
    EXPECT_EQ(node.overlay.candidates(), before);
    node.overlay.set_seed(seed_of(8));
    node.run(2'000);
    std::size_t made = 0;
    for (const AgentId& agent : node.overlay.candidates())
        for (std::uint32_t n = 1'000; n < 3'000; ++n)
            made += agent == spread_agent(n) ? 1 : 0;
    EXPECT_GT(made, 0U) << "they count from the next seed on, drawn like all others";
}

TEST(Overlay, ANetworkHasFewCandidatesWhileThereAreOthers) {
    OverlayNode node{200};
    node.overlay.set_seed(seed_of(1));
    for (std::uint32_t n = 1'000; n < 3'000; ++n)
        node.meet(addressed_record(n, "/ip4/203.0.113." + std::to_string(n % 256) + "/tcp/4001"));
    node.overlay.set_seed(seed_of(2));
    node.run(1'000);
    std::size_t of_one = 0;
    for (const AgentId& agent : node.overlay.candidates())
        of_one += node.directory.find(agent)->addresses[0].starts_with("/ip4/") ? 1 : 0;
    EXPECT_EQ(of_one, Overlay::candidates_per_group_max) << "ten of eleven agents are there";
}

// [MESH-PARENTS.1]
TEST(Overlay, TheNearestTwoOfTheCandidatesAreParents) {
    OverlayNode node{500};
    node.run(5'000);
    const std::vector<AgentId> parents = node.overlay.parents();
    ASSERT_EQ(parents.size(), Overlay::parents_max);
    for (const AgentId& parent : parents) {
        EXPECT_EQ(node.overlay.round_trip(parent), OverlayNode::way_to(parent));
        for (const AgentId& other : node.overlay.candidates()) {
            if (std::find(parents.begin(), parents.end(), other) != parents.end()) continue;
            EXPECT_GE(OverlayNode::way_to(other), OverlayNode::way_to(parent) / 4 * 3)
                << "but for a quarter";
        }
    }

    OverlayNode blind{500, 0, {.parents = OverlayOptions::Parents::drawn}};
    blind.run(5'000);
    const std::vector<AgentId>& first = blind.overlay.candidates();
    EXPECT_EQ(blind.overlay.parents(), std::vector<AgentId>(first.begin(), first.begin() + 2));
}

// [MESH-PARENTS.1]
TEST(Overlay, WhoDoesNotComeUpIsPassedOver) {
    OverlayNode node{500};
    OverlayNode reference{500};
    reference.run(1'000);
    const std::vector<AgentId> first = reference.overlay.candidates();
    const std::set<AgentId> silent{first.begin(), first.begin() + 5};
    node.run(20'000, silent);
    EXPECT_EQ(node.overlay.candidates().size(), Overlay::candidates_max);
    for (const AgentId& agent : node.overlay.candidates()) {
        EXPECT_EQ(silent.count(agent), 0U);
        EXPECT_TRUE(node.dialer.connected(agent));
    }
    // The dead are not asked, either; who lives again is.
    const AgentId gone = node.overlay.candidates()[0];
    node.overlay.on_state(gone, AgentState::dead);
    node.run(1'000);
    EXPECT_NE(node.overlay.candidates()[0], gone);
    node.overlay.on_state(gone, AgentState::alive);
    node.run(2'000);
    EXPECT_EQ(node.overlay.candidates()[0], gone);
}

/// Whoever invents agents that nobody can dial does not leave a new agent alone until it found out.
// [MESH-DRAW.1]
TEST(Overlay, WhileSomeDoNotComeUpTheNextAreDialledToo) {
    OverlayNode node{500};
    std::set<AgentId> silent;
    for (std::uint32_t n = 1; n <= 500; ++n)
        if (n % 5 < 3) silent.insert(spread_agent(n));
    node.run(4'000, silent);
    std::size_t linked = 0;
    for (const AgentId& agent : node.overlay.candidates())
        linked += node.dialer.connected(agent) ? 1 : 0;
    EXPECT_EQ(linked, Overlay::candidates_max);
    EXPECT_LE(node.overlay.candidates().size(), Overlay::drawn_max);
    node.run(20'000, silent);
    EXPECT_EQ(node.overlay.candidates().size(), Overlay::candidates_max) << "in the end, no more";
}

// [MESH-PARENTS.1]
TEST(Overlay, WhoClosesEachLinkIsPassedOver) {
    OverlayNode node{500};
    OverlayNode reference{500};
    reference.run(1'000);
    const std::vector<AgentId> first = reference.overlay.candidates();
    node.refusing = {first.begin(), first.begin() + 5};
    node.run(20'000);
    for (const AgentId& agent : node.overlay.candidates())
        EXPECT_EQ(node.refusing.count(agent), 0U);
}

// [MESH-PARENTS.1]
TEST(Overlay, AParentThatBringsNothingIsNone) {
    OverlayNode node{500};
    node.run(5'000);
    const std::vector<AgentId> parents = node.overlay.parents();
    ASSERT_EQ(parents.size(), 2U);
    const auto& all = node.overlay.candidates();
    const AgentId helper = *std::find_if(all.begin(), all.end(), [&](const AgentId& agent) {
        return agent != parents[0] && agent != parents[1];
    });
    for (std::uint32_t n = 1; n <= Overlay::news_to_judge; ++n) {
        EXPECT_EQ(node.overlay.parents(), parents) << n;
        node.overlay.on_news(helper, spread_agent(9'000 + n), 2, node.now);
        node.overlay.on_known(
            parents[1], spread_agent(9'000 + n), 2
        );  // A moment later: that counts.
        node.run(1'500);
    }
    node.run(1'500);
    EXPECT_EQ(
        std::count(node.overlay.parents().begin(), node.overlay.parents().end(), parents[0]), 0
    );
    EXPECT_EQ(
        std::count(node.overlay.parents().begin(), node.overlay.parents().end(), parents[1]), 1
    );
    const auto& now = node.overlay.candidates();
    EXPECT_EQ(std::count(now.begin(), now.end(), parents[0]), 0) << "and no candidate";
}

/// Agents that draw this one early, and others that do not.
std::vector<std::uint32_t> callers(const OverlayNode& node, bool drawn, std::size_t count) {
    std::vector<std::uint32_t> out;
    for (std::uint32_t n = 1; n <= 600 && out.size() < count; ++n) {
        const bool is_child = node.overlay.rank_here(spread_agent(n)) < Overlay::child_rank_max;
        const auto& own = node.dialer.wanted();
        if (is_child == drawn && !std::binary_search(own.begin(), own.end(), spread_agent(n)))
            out.push_back(n);
    }
    return out;
}

// [MESH-SLOTS.1]
TEST(Overlay, AFloodOfStrangersTakesNoPlaceOfADrawnChild) {
    OverlayNode node{600};
    node.run(5'000);
    const auto children = callers(node, true, 20);
    const auto strangers = callers(node, false, 400);
    ASSERT_EQ(children.size(), 20U);
    for (int round = 0; round < 20; ++round) {
        for (const std::uint32_t n : strangers)
            if (!node.dialer.connected(spread_agent(n))) node.up(spread_agent(n), "");
        node.run(500);
    }
    for (const std::uint32_t n : children)
        EXPECT_TRUE(node.up(spread_agent(n), "")) << n;
    node.run(10'000);
    for (const std::uint32_t n : children)
        EXPECT_TRUE(node.dialer.connected(spread_agent(n))) << n;
    EXPECT_EQ(node.overlay.parents().size(), 2U);
    EXPECT_LE(
        node.dialer.peers().size(),
        Overlay::candidates_max + Overlay::strays_max + children.size() + Overlay::strangers_max
    );
}

// [MESH-SLOTS.1]
TEST(Overlay, OfManyChildrenTheBestDrawnStay) {
    OverlayNode node{600};
    node.run(5'000);
    const auto children = callers(node, true, 45);
    ASSERT_EQ(children.size(), 45U);
    for (const std::uint32_t n : children)
        node.up(spread_agent(n), "");
    for (const std::uint32_t n : callers(node, false, Overlay::strangers_max))
        node.up(spread_agent(n), "");
    node.run(5'000);
    std::vector<std::size_t> ranks;
    for (const std::uint32_t n : children)
        ranks.push_back(node.overlay.rank_here(spread_agent(n)));
    std::sort(ranks.begin(), ranks.end());
    const std::size_t worst = ranks[Overlay::children_max - 1];
    for (const std::uint32_t n : children) {
        const bool is_better = node.overlay.rank_here(spread_agent(n)) < worst;
        EXPECT_TRUE(!is_better || node.dialer.connected(spread_agent(n))) << n;
    }
}

// [MESH-SLOTS.1]
TEST(Overlay, StrangersStayForAMomentAndOneNetworkHasFewPlaces) {
    OverlayNode node{600};
    node.run(5'000);
    const auto strangers = callers(node, false, Overlay::strangers_max + 1);
    for (std::size_t i = 0; i < Overlay::strangers_max; ++i)
        EXPECT_TRUE(node.up(spread_agent(strangers[i]), "")) << i;
    EXPECT_FALSE(node.up(spread_agent(strangers.back()), ""))
        << "one over, and none has had its stay";
    node.run(3'000);
    EXPECT_TRUE(node.up(spread_agent(strangers.back()), ""));
    node.run(1'000);
    std::size_t left = 0;
    for (const std::uint32_t n : strangers)
        left += node.dialer.connected(spread_agent(n)) ? 1 : 0;
    EXPECT_EQ(left, Overlay::strangers_max) << "one of the older made room";

    OverlayNode other{600};
    other.run(5'000);
    for (std::size_t i = 0; i < Overlay::per_group_max + 1; ++i)
        EXPECT_TRUE(other.up(spread_agent(strangers[i]), "", "203.0.113.0/24"));
    other.run(3'000);
    std::size_t stayed = 0;
    for (std::size_t i = 0; i < Overlay::per_group_max + 1; ++i)
        stayed += other.dialer.connected(spread_agent(strangers[i])) ? 1 : 0;
    EXPECT_EQ(stayed, Overlay::per_group_max);
}

/// Only who had to make room for somebody waits; whose link was of no use any more may need it again.
// [MESH-SLOTS.1]
TEST(Overlay, WhomItVisitedMayComeBackAtOnce) {
    OverlayNode node{600};
    node.run(5'000);
    const auto strangers = callers(node, false, Overlay::strangers_max + 1);
    const AgentId visited = spread_agent(strangers.back());
    node.overlay.visit(visited, node.effects);
    node.carry_out({});
    node.run(12'000);
    ASSERT_FALSE(node.dialer.connected(visited));
    for (std::size_t i = 0; i < Overlay::strangers_max; ++i)
        EXPECT_TRUE(node.up(spread_agent(strangers[i]), "")) << i;
    node.run(3'000);
    EXPECT_TRUE(node.up(visited, ""));
}

TEST(Overlay, WhomItVisitsItLeavesAgainUnlessTheLinkIsInUse) {
    OverlayNode node{500};
    node.run(5'000);
    const auto others = callers(node, false, 2);
    for (const std::uint32_t n : others) {
        node.overlay.visit(spread_agent(n), node.effects);
        node.carry_out({});
        ASSERT_TRUE(node.dialer.connected(spread_agent(n)));
    }
    node.overlay.keep(spread_agent(others[1]), node.now + Duration::from_s(30));
    node.run(15'000);
    EXPECT_FALSE(node.dialer.connected(spread_agent(others[0])));
    EXPECT_TRUE(node.dialer.connected(spread_agent(others[1])));
}

// [MESH-SLOTS.1]
TEST(Overlay, ASeatHasAPlaceForEachAgentThatItKnows) {
    OverlayNode node{500};
    node.overlay.set_seats({spread_agent(0), spread_agent(1)});
    node.run(5'000);
    for (std::uint32_t n = 1; n <= 500; ++n)
        EXPECT_TRUE(
            node.dialer.connected(spread_agent(n)) || node.up(spread_agent(n), "", "203.0.113.0/24")
        );
    node.run(5'000);
    EXPECT_EQ(node.dialer.peers().size(), 500U);
    std::size_t unknown = 0;
    for (std::uint32_t n = 1'000; n < 1'400; ++n)
        unknown += node.up(spread_agent(n), "") ? 1 : 0;
    EXPECT_LE(unknown, Overlay::strangers_max + Overlay::child_rank_max);
    EXPECT_GE(node.dialer.peers().size(), 500U);
}

TEST(Overlay, SeatsAreLinkedInAnyCase) {
    OverlayNode node{500};
    std::vector<AgentId> seats;
    for (std::uint32_t n = 100; n < 150; ++n)
        seats.push_back(spread_agent(n));
    node.overlay.set_seats(seats);
    node.run(5'000);
    for (const AgentId& seat : seats)
        EXPECT_TRUE(node.dialer.connected(seat));
}

TEST(Overlay, RecordsOfManyAreRenewedSeldom) {
    const Duration few = Duration::from_s(60);
    OverlayNode small{100};
    small.run(1'000);
    EXPECT_EQ(small.overlay.record_lifetime(few), few);
    std::vector<std::int64_t> renewals;  // A million seconds long, of all agents.
    for (const std::uint32_t n : {500U, 1'000U, 2'000U, 4'000U}) {
        OverlayNode node{n};
        node.run(1'000);
        renewals.push_back(
            std::int64_t{n} * 1'000'000'000 / (node.overlay.record_lifetime(few).ms() / 3)
        );
    }
    for (const std::int64_t rate : renewals)
        EXPECT_NEAR(rate, renewals[0], renewals[0] / 50);
    EXPECT_LE(OverlayNode{4'095}.overlay.record_lifetime(few).ms(), limits::record_lifetime_ms_max);
}

TEST(Overlay, GoesBackToLinksWithAllWhenFewAreLeft) {
    OverlayNode node{200};
    node.run(5'000);
    EXPECT_TRUE(node.overlay.is_sparse());
    for (std::uint32_t n = 101; n <= 200; ++n) {
        AgentRecord bye = addressed_record(n);
        bye.version = 2;
        bye.leaving = true;
        node.directory.accept({bye, CheckPass::own()}, node.now);
        node.overlay.on_gone(spread_agent(n));
    }
    node.run(5'000);
    EXPECT_FALSE(node.overlay.is_sparse());
    for (std::uint32_t n = 1; n <= 100; ++n)
        EXPECT_TRUE(node.dialer.connected(spread_agent(n))) << n;
}

}  // namespace
}  // namespace creto
