// Seats: a roster whose keys the test holds, so that it can sign for anyone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/leader.hpp"
#include "model/vote.hpp"

namespace creto::simplex::testing {

using Index = std::uint32_t;

inline BlockId block_id(const std::string& text) {
    return BlockId{blake3(as_bytes(text))};
}

class Seats {
public:
    /// `more` signers beyond the roster's: agents without a seat; after them `twins` signers with
    /// the keys of the first seats.
    explicit Seats(
        Index n,
        QuorumMode mode = QuorumMode::byzantine,
        Index more = 0,
        Index twins = 0,
        std::uint32_t term_views = 1,
        std::uint32_t checkpoint_blocks = limits::checkpoint_blocks,
        std::uint32_t epoch_blocks = 0,
        VoteForm vote_form = VoteForm::list
    )
        : genesis{make(n, mode, more, term_views, checkpoint_blocks, epoch_blocks, vote_form)},
          roster{genesis},
          more_{more} {
        for (Index i = 0; i < twins; ++i)
            signers.push_back(scheme.signer(key_seed(i)));
    }

    /// Seats are not 0 to n-1: a place in the roster is not a seat. Those without one may get this.
    [[nodiscard]] static Seat seat(Index i) { return Seat{2 * i + 3}; }
    [[nodiscard]] Member member(Index i) const {
        return {seat(i), agent(i), "node-" + std::to_string(i)};
    }
    [[nodiscard]] AgentId agent(Index i) const { return signers[i]->public_key(); }
    [[nodiscard]] Vote vote(Index i, const VoteContent& content) const {
        return {
            content,
            seat(i),
            signers[i]->sign(SignDomain::vote, roster.chain().value(), signing_bytes(content))};
    }
    /// All that may get a seat.
    [[nodiscard]] std::vector<Member> everyone() const {
        std::vector<Member> all = genesis.members;
        for (Index i = roster.size(); i < genesis.members.size() + more_; ++i)
            all.push_back(member(i));
        return all;
    }
    /// By members first to last, at least a quorum of them.
    [[nodiscard]] Certificate certificate(
        const VoteContent& content, Index first = 0, Index last = ~0U
    ) const {
        std::vector<Vote> votes;
        for (Index i = first; i <= last && i < roster.size(); ++i)
            votes.push_back(vote(i, content));
        return make_certificate(votes, roster, signers[0].get());
    }
    /// Those of these members, as one who collects them passes them on.
    [[nodiscard]] PartialCertificate partial(
        const VoteContent& content, const std::vector<Index>& members
    ) const {
        std::vector<Vote> votes;
        for (const Index i : members)
            votes.push_back(vote(i, content));
        return {make_certificate(votes, roster, signers[0].get())};
    }
    [[nodiscard]] Certificate nullification(std::uint64_t view) const {
        return certificate(nullify(view));
    }
    [[nodiscard]] static VoteContent nullify(std::uint64_t view) {
        return {.kind = VoteKind::nullify, .epoch = Epoch{1}, .view = View{view}};
    }
    [[nodiscard]] static VoteContent content(
        VoteKind kind, std::uint64_t view, std::uint64_t parent, const BlockId& block
    ) {
        return {kind, Epoch{1}, View{view}, View{parent}, block};
    }

    TagScheme scheme;
    std::vector<std::unique_ptr<Signer>> signers;
    Genesis genesis;
    Roster roster;

private:
    Index more_;  ///< Beyond the roster's, without twins.
    static KeySeed key_seed(Index i) {
        std::array<std::uint8_t, 32> seed{};
        seed[0] = static_cast<std::uint8_t>(i + 1);
        return KeySeed{seed};
    }
    Genesis make(
        Index n,
        QuorumMode mode,
        Index more,
        std::uint32_t term_views,
        std::uint32_t checkpoint_blocks,
        std::uint32_t epoch_blocks,
        VoteForm vote_form
    ) {
        Genesis made;
        made.vote_form = vote_form;
        made.network = "seats";
        made.mode = mode;
        made.term_views = term_views;
        made.checkpoint_blocks = checkpoint_blocks;
        made.epoch_blocks = epoch_blocks;
        for (Index i = 0; i < n + more; ++i) {
            signers.push_back(scheme.signer(key_seed(i)));
            if (i < n) made.members.push_back(member(i));
        }
        return made;
    }
};

}  // namespace creto::simplex::testing
