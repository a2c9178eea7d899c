#include "sim/byzantine/attack.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/scripted_test_participant.hpp"

namespace creto {
namespace {

using SeenByNode = std::map<std::uint32_t, Seen>;

constexpr NodeIndex liar{0};

Block block_of(std::uint64_t view) {
    Block block;
    block.epoch = Epoch{1};
    block.view = View{view};
    block.parent_view = View{view - 1};
    block.height = Height{view};
    block.proposer = Seat{0};
    block.delta.push_back({LaneId{Seat{1}, {}}, Sequence{1}, Sequence{2}, {}});
    block.cut_root = hash(HashDomain::cut, as_bytes(std::to_string(view)));
    return block;
}

/// Node 0 says by the rules: a proposal in view 1, votes in view 2, a vertex batch, a probe.
/// Node 1 proposes in view 3, so that node 0 hears a proposal.
const Script by_the_rules = [](const ParticipantParts& parts,
                               const Event& event,
                               Instant now,
                               Effects& out) {
    if (std::holds_alternative<Start>(event)) out.add(WakeAt{now + Duration::from_s(1)});
    if (!std::holds_alternative<Woke>(event) || parts.index.value() > 1) return;
    const Roster roster{parts.options.genesis};
    const auto sign = [&](const VoteContent& content) {
        return parts.signer.sign(SignDomain::vote, roster.chain().value(), signing_bytes(content));
    };
    std::vector<AgentId> others;
    for (const Member& member : roster.members())
        if (member.key != parts.signer.public_key()) others.push_back(member.key);
    Block block = block_of(parts.index == liar ? 1 : 3);
    block.proposer = Seat{parts.index.value()};
    const Proposal proposal{block, sign(block.content(VoteKind::notarize))};
    const Ticket ticket = out.persist({}, {encode_bytes(proposal.leader_vote())}, Durable::yes);
    out.send_all(others, proposal, ticket);
    if (parts.index != liar) return;
    for (const VoteKind kind : {VoteKind::notarize, VoteKind::finalize}) {
        const VoteContent content = block_of(2).content(kind);
        out.send_all(others, Vote{content, Seat{0}, sign(content)});
    }
    out.send_all(others, VertexBatch{});
    out.send_all(others, Probe{1, false});
};

/// What node 0 told the node while it attacked, decoded; every vote's signature holds.
std::vector<Message> told_to(std::uint32_t node, std::optional<Attack> attack) {
    SeenByNode seen;
    SimOptions options;
    options.profile = local_profile();
    if (attack) options.attacks[liar] = *attack;
    SimCluster cluster{options, scripted(seen, by_the_rules)};
    if (!attack) cluster.set_byzantine(liar);  // Its votes are not persisted; not the question.
    EXPECT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
    std::vector<Message> told;
    for (const Received& received : seen[node].all<Received>()) {
        if (received.from != cluster.agent(liar)) continue;
        told.push_back(*decode_message(*received.message));
        const auto* vote = std::get_if<Vote>(&told.back());
        if (vote == nullptr) continue;
        const Bytes bytes = signed_bytes(
            SignDomain::vote, cluster.roster().chain().value(), signing_bytes(vote->content)
        );
        EXPECT_TRUE(cluster.scheme().verify(received.from, bytes, vote->signature));
    }
    return told;
}

/// "proposal 1 · notarize 2 · …": kinds and views, in order.
std::string summary(const std::vector<Message>& messages) {
    std::string text;
    for (const Message& message : messages) {
        if (!text.empty()) text += ", ";
        if (const auto* vote = std::get_if<Vote>(&message)) {
            text += to_string(vote->content.kind);
            text += " " + std::to_string(vote->content.view.value());
        } else if (const auto* proposal = std::get_if<Proposal>(&message)) {
            text += "proposal " + std::to_string(proposal->block.view.value());
        } else {
            text += kind_name(message);
        }
    }
    return text;
}

const std::string honest = "proposal 1, notarize 2, finalize 2, ";

std::string data_and_probe() {
    return std::string{kind_name(Message{VertexBatch{}})} + ", " + kind_name(Message{Probe{}});
}

/// Channels overtake each other in nothing here: what waits for the disk comes last.
std::string sorted_summary(std::uint32_t node, std::optional<Attack> attack) {
    std::vector<Message> told = told_to(node, attack);
    std::stable_partition(told.begin(), told.end(), [](const Message& message) {
        return std::holds_alternative<Proposal>(message);
    });
    return summary(told);
}

TEST(Attack, LeavesAnHonestNodeAlone) {
    EXPECT_EQ(sorted_summary(2, std::nullopt), honest + data_and_probe());
}

TEST(Attack, SilenceSaysNothing) {
    EXPECT_EQ(summary(told_to(1, Attack::silence)), "");
    EXPECT_EQ(summary(told_to(3, Attack::silence)), "");
}

TEST(Attack, AlwaysRejectNullifiesInsteadOfVotingOrProposing) {
    EXPECT_EQ(
        summary(told_to(2, Attack::always_reject)), "nullify 2, " + data_and_probe() + ", nullify 1"
    );
}

/// Whole nodes, of which some reject; a write at each honest one.
std::uint64_t heights_with(std::uint32_t rejecting, std::size_t& proven) {
    SimOptions options;
    options.node_count = 7;
    options.profile = local_profile();
    for (std::uint32_t node = 0; node < rejecting; ++node)
        options.attacks[NodeIndex{node}] = Attack::always_reject;
    SimCluster cluster{options, honest_nodes()};
    for (std::uint32_t node = 0; node < rejecting; ++node)
        cluster.set_byzantine(NodeIndex{node});
    if (rejecting > 2) cluster.expect_split();
    for (std::uint32_t node = rejecting; node < 7; ++node)
        static_cast<void>(cluster.submit(
            NodeIndex{node},
            Submit{KeyOperation{KeyOperation::Action::add, "final/n", {}, 1}, Reading::final}
        ));
    EXPECT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();
    proven = cluster.invariants().proven().size();
    return cluster.invariants().counts().heights;
}

TEST(Attack, WhoAlwaysRejectsFinalisesNothingInAnyForm) {
    std::size_t proven = 0;
    EXPECT_EQ(heights_with(3, proven), 0U) << "four of seven are no quorum";
    EXPECT_EQ(proven, 0U) << "a rejection contradicts nothing that it says";
    EXPECT_GT(heights_with(2, proven), 0U);
    EXPECT_EQ(proven, 0U);
}

TEST(Attack, RandomVotingRejectsAboutHalfOfTheViews) {
    SeenByNode seen;
    SimOptions options;
    options.profile = local_profile();
    options.attacks[liar] = Attack::random_voting;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant now, Effects& out) {
            if (std::holds_alternative<Start>(event)) out.add(WakeAt{now + Duration::from_s(1)});
            if (!std::holds_alternative<Woke>(event) || parts.index != liar) return;
            for (std::uint64_t view = 1; view <= 1'000; ++view) {
                const VoteContent content = block_of(view).content(VoteKind::notarize);
                out.send(parts.options.genesis.members[2].key, Vote{content, Seat{0}, {}});
            }
        };
    SimCluster cluster{options, scripted(seen, script)};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(3)));
    int nullified = 0;
    for (const Received& received : seen[2].all<Received>()) {
        const Message message = *decode_message(*received.message);
        nullified += std::get<Vote>(message).content.kind == VoteKind::nullify ? 1 : 0;
    }
    EXPECT_EQ(seen[2].all<Received>().size(), 1'000U);
    EXPECT_NEAR(nullified, 500, 80);
}

TEST(Attack, AlwaysAcceptVotesForWhatItHearsFirst) {
    const std::string told = summary(told_to(2, Attack::always_accept));
    EXPECT_NE(told.find("notarize 3"), std::string::npos) << "node 1 proposed in view 3";
    EXPECT_EQ(told.find("notarize 2"), std::string::npos) << "its own opinion is kept back";
    EXPECT_NE(told.find("finalize 2"), std::string::npos);
}

TEST(Attack, EquivocationTellsTheHalvesDifferentThings) {
    const std::vector<Message> to_even = told_to(2, Attack::equivocation);
    const std::vector<Message> to_odd = told_to(3, Attack::equivocation);
    EXPECT_EQ(summary(to_even), "notarize 2, finalize 2, " + data_and_probe() + ", proposal 1");
    EXPECT_EQ(summary(to_odd), "notarize 2, nullify 2, " + data_and_probe() + ", proposal 1");
    const auto vote = [](const Message& message) { return std::get<Vote>(message).content; };
    EXPECT_TRUE(conflict(vote(to_even[0]), vote(to_odd[0])));
    EXPECT_TRUE(conflict(vote(to_even[1]), vote(to_odd[1])));
    const auto& one = std::get<Proposal>(to_even.back());
    const auto& other = std::get<Proposal>(to_odd.back());
    EXPECT_TRUE(conflict(one.leader_vote().content, other.leader_vote().content));
    EXPECT_TRUE(other.block.delta.empty());
    EXPECT_EQ(other.block.cut_root, Cut{}.root()) << "the parent's cut: here genesis";
}

TEST(Attack, WithheldDataKeepsTheVertices) {
    EXPECT_EQ(sorted_summary(2, Attack::withheld_data), honest + kind_name(Message{Probe{}}));
}

TEST(Attack, CollusionGivesEachHalfItsBlockAndVotesForIt) {
    // The liar leads view 1; what it says of view 2 stays, as it never saw that block.
    const std::vector<Message> to_even = told_to(2, Attack::collusion);
    const std::vector<Message> to_odd = told_to(3, Attack::collusion);
    const auto& one = std::get<Proposal>(to_even.back());
    const auto& other = std::get<Proposal>(to_odd.back());
    EXPECT_FALSE(one.block.delta.empty());
    EXPECT_TRUE(other.block.delta.empty());
    EXPECT_TRUE(conflict(one.leader_vote().content, other.leader_vote().content));
}

TEST(Attack, SlowWalkComesLateAndSelectiveDelayToSome) {
    // What is held back leaves at the next event, and this script has none: nothing of the order.
    const std::string others = data_and_probe();
    EXPECT_EQ(sorted_summary(2, Attack::slow_walk), others);
    EXPECT_EQ(sorted_summary(2, Attack::selective_delay), honest + others);
    EXPECT_EQ(sorted_summary(3, Attack::selective_delay), others);
}

TEST(Attack, SpamIsAddedToWhatTheRulesSay) {
    for (const Attack attack : {Attack::future_spam, Attack::forged_evidence, Attack::sybil}) {
        SeenByNode seen;
        SimOptions options;
        options.profile = local_profile();
        options.attacks[liar] = attack;
        SimCluster cluster{options, scripted(seen, by_the_rules)};
        EXPECT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        std::map<std::string, int> told;
        for (const auto& [node, events] : seen) {
            for (const Received& received : events.all<Received>()) {
                if (received.from == cluster.agent(liar))
                    ++told[kind_name(*decode_message(*received.message))];
            }
        }
        // 15 messages by the rules to three seats, and one more for each fourth of them.
        int all = 0;
        for (const auto& [kind, count] : told)
            all += count;
        EXPECT_GE(all, 16) << to_string(attack);
        if (attack == Attack::forged_evidence) {
            EXPECT_GT(told[kind_name(Message{EvidenceNotice{}})], 0);
        }
    }
}

TEST(Attack, HasNamesThatParse) {
    EXPECT_EQ(all_attacks().size(), 15U);
    for (const Attack attack : all_attacks())
        EXPECT_EQ(*parse_attack(to_string(attack)), attack);
    EXPECT_NE(parse_attack("sabotage").error().message.find("silence"), std::string::npos);
}

}  // namespace
}  // namespace creto
