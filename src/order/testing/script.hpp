// Script: one node under test, and a test that speaks for all the other seats.
//
// Why      What a node says in a given situation is seen best when nobody else decides anything.
#pragma once

#include "order/testing/blocks.hpp"
#include "order/testing/cluster.hpp"

namespace creto::simplex::testing {

class Script {
public:
    explicit Script(Index under_test, ClusterOptions options = {})
        : cluster{std::move(options)}, node{under_test} {
        cluster.sent = [this](Index from, Index to, const Message& message) {
            if (from == node) said.push_back({to, message});
        };
        cluster.start(node);
        cluster.connect_all(node);
        pass(Duration::from_ms(20));
    }

    /// Says something to the node and lets its disk finish.
    void tell(Index from, const Message& message) {
        cluster.deliver(from, node, message);
        cluster.settle(node);
        pass(Duration::from_ms(5));
    }
    void pass(Duration span) { cluster.run_for(span); }
    /// The node loses its power and comes back among the same peers.
    void restart() {
        cluster.crash(node);
        cluster.start(node);
        cluster.connect_all(node);
        pass(Duration::from_ms(20));
    }

    [[nodiscard]] BranchTip genesis() const {
        BranchTip tip = genesis_tip();
        tip.id = genesis_block_id(cluster.roster().chain());
        return tip;
    }
    /// A block of the view's leader on a branch.
    [[nodiscard]] Block block(const BranchTip& parent, std::uint64_t view, std::uint64_t more = 0)
        const {
        Block made = block_on(parent, view, more);
        made.proposer = leader_of(cluster.roster(), View{view});
        return made;
    }
    [[nodiscard]] Index leader(std::uint64_t view) const {
        return *cluster.roster().index_of(leader_of(cluster.roster(), View{view}));
    }
    [[nodiscard]] Certificate certificate(VoteKind kind, const Block& block) const {
        return signed_by_others(block.content(kind));
    }
    [[nodiscard]] Certificate nullification(std::uint64_t view) const {
        return signed_by_others(Seats::nullify(view));
    }
    [[nodiscard]] Ordering& ordering() { return cluster.ordering(node); }
    [[nodiscard]] std::string words(std::uint64_t view) const { return cluster.words(node, view); }
    /// How often the node said exactly this, to anyone.
    [[nodiscard]] std::size_t times(const Message& message) const {
        return static_cast<std::size_t>(std::count_if(said.begin(), said.end(), [&](const auto& s) {
            return encode_bytes_of(s.second) == encode_bytes_of(message);
        }));
    }

    Cluster cluster;
    Index node;
    std::vector<std::pair<Index, Message>> said;

private:
    static Bytes encode_bytes_of(const Message& message) { return *encode_message(message); }
    /// By a quorum without the node under test.
    [[nodiscard]] Certificate signed_by_others(const VoteContent& content) const {
        std::vector<Vote> votes;
        for (Index i = 0; i < cluster.roster().size(); ++i) {
            if (i != node) votes.push_back(cluster.seats().vote(i, content));
        }
        votes.resize(cluster.roster().quorum().q);
        return make_certificate(votes, cluster.roster());
    }
};

}  // namespace creto::simplex::testing
