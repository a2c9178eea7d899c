// Liars: nodes that follow the rules except in what they say.
//
// Why      Up to t seats may do anything. Each of these does one thing that broke another system; the
//          last one does all of it at random.
#pragma once

#include <utility>
#include <vector>

#include "order/testing/cluster.hpp"

namespace creto::simplex::testing {

class LiarBase : public Liar {
public:
    LiarBase(Cluster& world, Index self) : cluster{world}, me{self} {}

protected:
    [[nodiscard]] bool own(const Proposal& proposal) const {
        return proposal.block.proposer == cluster.seats().seat(me);
    }
    [[nodiscard]] bool own(const Vote& vote) const { return vote.seat == cluster.seats().seat(me); }
    /// Another valid block for the same place: it covers one lane less.
    [[nodiscard]] Proposal twin(const Proposal& proposal) const {
        Block block = proposal.block;
        if (!block.delta.empty()) block.delta.pop_back();
        Cut cut = cluster.cut_after(block.parent);
        creto::apply(cut, block.delta);
        block.cut_root = cut.root();
        return cluster.sign(block);
    }
    /// A vote for another block in the same place.
    [[nodiscard]] Vote twin(const Vote& vote) const {
        VoteContent content = vote.content;
        if (content.kind == VoteKind::nullify) content.kind = VoteKind::finalize;
        content.block = block_id("no such block");
        return cluster.seats().vote(me, content);
    }

    Cluster& cluster;
    Index me;
};

/// Shows one half of the network one block, and the other half another.
class TwoFacedLeader final : public LiarBase {
public:
    using LiarBase::LiarBase;
    std::vector<Message> lie(const Message& message, Index to) override {
        const auto* proposal = std::get_if<Proposal>(&message);
        if (proposal == nullptr || !own(*proposal) || to % 2 == 0) return {message};
        return {twin(*proposal)};
    }
};

/// Votes for everything that anyone could want.
class DoubleVoter final : public LiarBase {
public:
    using LiarBase::LiarBase;
    std::vector<Message> lie(const Message& message, Index /*to*/) override {
        const auto* vote = std::get_if<Vote>(&message);
        if (vote == nullptr || !own(*vote)) return {message};
        const Vote nullify = cluster.seats().vote(me, Seats::nullify(vote->content.view.value()));
        return {message, twin(*vote), nullify};
    }
};

/// Proposes what is structurally wrong.
class WrongProposer final : public LiarBase {
public:
    using LiarBase::LiarBase;
    std::vector<Message> lie(const Message& message, Index /*to*/) override {
        const auto* proposal = std::get_if<Proposal>(&message);
        if (proposal == nullptr || !own(*proposal)) return {message};
        Block block = proposal->block;
        block.cut_root = blake3(as_bytes("wrong"));
        return {cluster.sign(block)};
    }
};

/// Shows its blocks to everyone but one.
class Withholder final : public LiarBase {
public:
    Withholder(Cluster& world, Index self, Index victim) : LiarBase{world, self}, victim_{victim} {}
    std::vector<Message> lie(const Message& message, Index to) override {
        const auto* proposal = std::get_if<Proposal>(&message);
        if (to == victim_ && proposal != nullptr && own(*proposal)) return {};
        return {message};
    }

private:
    Index victim_;
};

/// Everything at once: two faces, double votes, silence, old messages, lies about where it stands,
/// endless requests.
class RandomLiar final : public LiarBase {
public:
    RandomLiar(Cluster& world, Index self, std::uint64_t seed)
        : LiarBase{world, self}, prng_{seed} {}
    std::vector<Message> lie(const Message& message, Index to) override {
        if (past_.size() < 200) past_.push_back(message);
        std::vector<Message> said;
        if (!prng_.chance(1, 4)) said.push_back(message);
        if (const auto* proposal = std::get_if<Proposal>(&message);
            proposal != nullptr && own(*proposal) && (to % 2 == 0 || prng_.chance(1, 8))) {
            said = {twin(*proposal)};
        }
        if (const auto* vote = std::get_if<Vote>(&message); vote != nullptr && own(*vote)) {
            if (prng_.chance(1, 2)) said.push_back(twin(*vote));
            if (prng_.chance(1, 2))
                said.push_back(cluster.seats().vote(me, Seats::nullify(vote->content.view.value()))
                );
            if (prng_.chance(1, 4)) said.push_back(future(vote->content));
        }
        if (prng_.chance(1, 4)) said.push_back(past_[prng_.below(past_.size())]);
        if (prng_.chance(1, 8)) said.push_back(status());
        if (prng_.chance(1, 8)) said.push_back(ChainRequest{Height{prng_.below(9)}, 256});
        if (prng_.chance(1, 8)) said.push_back(BlockRequest{block_id("no such block")});
        if (prng_.chance(1, 8))
            said.push_back(CertificateRequest{Epoch{1}, View{prng_.below(99)}, VoteKind::nullify});
        return said;
    }

private:
    Vote future(VoteContent content) {
        content.view = View{content.view.value() + prng_.below(100)};
        return cluster.seats().vote(me, content);
    }
    OrderStatus status() {
        return {Epoch{1}, View{prng_.next()}, View{prng_.next()}, Height{prng_.next()}};
    }

    Prng prng_;
    std::vector<Message> past_;
};

}  // namespace creto::simplex::testing
