// Search: all that can happen to a small network, breadth first, until the bound or the time ends.
//
// Why      Safety of agreement rests on interleavings that no run of a million seeds need meet.
// Source   Explicit-state model checking; the seats are the real OrderingCore.
// Model    Anything that an honest seat ever said can arrive at any seat, at any later time, in any
//          order, any number of times, or never. The liar votes for everything, and proposes, in
//          the views it leads, two blocks on every block that exists. A seat may lose patience in
//          any view, and power at any moment, between or inside the writing of a batch.
// Order    A step of a seat that nobody can see (it says nothing, nothing becomes final) commutes with
//          all steps of others, since what was said stays said. So such steps are taken only right
//          before one that can be seen, and states in between are not kept.
// Checks   After each step, with arithmetic of its own: final chains agree; no two certificates that
//          contradict each other can be made; every certificate held was signed by a quorum; a
//          Notarize has a certified parent and nullified views between, and inside a term the view
//          before for its parent; a Finalize has a notarization; and what Machine watches. From one state in `heal_every`: once messages
//          arrive again and the liar is silent, something new becomes final everywhere.
// Cost     About 1 us for each known state, 30 us for each new step of a seat; 24 bytes a state.
#pragma once

#include <array>
#include <functional>

#include "base/prng.hpp"
#include "model/locals.hpp"

namespace creto::model_check {

struct SearchOptions {
    std::optional<Index> liar;  ///< None: everyone follows the rules.
    WorldOptions world;         ///< What seats there are, terms, epochs.
    std::uint64_t views = 3;    ///< Nothing happens to a seat after so many.
    Height from;                ///< Up to this height nothing goes wrong; it is final everywhere.
    Epoch last{1};              ///< Nor does anything happen to a seat beyond this epoch.
    std::uint64_t views_last = 3;  ///< `views` of the last epoch, where there is more than one.
    bool lazy = false;             ///< Seats execute at any later time; else at once. With epochs.
    bool wipes = false;            ///< A crash may take the store, and leave the vote log.
    std::uint32_t crashes = 1;     ///< Of all seats together.
    std::uint32_t timeouts = 0;    ///< Of all seats together; 0: any number.
    std::uint64_t heal_every = 256;  ///< 0: never.
    std::uint64_t walks_max = ~0ULL;
    std::size_t states_max = 40'000'000;
    std::function<bool()> time_left = [] { return true; };
};

struct SearchResult {
    std::size_t states = 0;
    std::uint64_t steps = 0;       ///< Edges looked at.
    std::size_t locals = 0;        ///< Different states of single seats.
    std::uint64_t core_steps = 0;  ///< Calls of the real core.
    std::uint64_t heals = 0;
    std::uint64_t walks = 0;
    std::uint32_t depth = 0;
    bool exhausted = false;
    std::string violation;           ///< Empty: none.
    std::vector<std::string> trace;  ///< How it came about.
};

class Search {
public:
    explicit Search(const SearchOptions& options);
    /// Breadth first.
    [[nodiscard]] SearchResult run();
    /// At random, each way to its end: deeper than breadth first comes, and never complete.
    [[nodiscard]] SearchResult walk(std::uint64_t seed);

private:
    static constexpr std::size_t seats_max = 5;
    using Tuple = std::array<LocalId, seats_max>;
    struct Node {
        Tuple seats{};
        std::uint32_t from = 0;
    };
    /// All that one seat can come to without help of others.
    struct Reach {
        std::vector<LocalId> unseen;  ///< By steps that nobody sees, itself included.
        std::vector<LocalId> seen;    ///< By one more step, that can be seen.
    };
    struct Left {
        bool power_may_fail = false;
        bool patience_may_end = false;
    };
    using ReachKey = std::pair<std::uint64_t, std::uint64_t>;
    struct Said {
        std::uint32_t content = 0;
        std::uint32_t mask = 0;  ///< Honest seats only.
    };

    [[nodiscard]] std::uint64_t hash(const Tuple& tuple) const;
    bool add(const Tuple& tuple, std::uint32_t from);
    void grow();
    void gather(const Tuple& tuple, std::vector<Said>& said) const;
    void gather_blocks(const Tuple& tuple, std::vector<std::uint32_t>& blocks);
    void forge_on(Epoch epoch, View view, std::uint32_t parent, std::vector<std::uint32_t>& blocks);
    [[nodiscard]] bool is_within(Epoch epoch, View view) const;
    [[nodiscard]] std::uint64_t views_of(Epoch epoch) const;
    /// All seats, where the search begins.
    [[nodiscard]] Tuple begin();
    void begin_events(const Tuple& tuple, std::vector<Event>& events);
    /// What can arrive at one seat, whichever of its states it is in.
    void arrivals(const Tuple& tuple, std::vector<Event>& events);
    const Reach& reach(const Tuple& tuple, std::size_t place, const std::vector<Event>& events);
    template <class Visit>
    void each_step(LocalId from, const std::vector<Event>& events, const Left& left, Visit visit);
    [[nodiscard]] Left left(const Tuple& tuple) const;
    void expand(std::uint32_t at);
    [[nodiscard]] bool can_be_dead(Epoch epoch, View view);
    /// Did a quorum of its epoch finalise this, itself or by an echo?
    [[nodiscard]] bool has_ended(std::uint32_t boundary);
    [[nodiscard]] bool contradict(const VoteContent& a, const VoteContent& b) const;
    [[nodiscard]] std::uint32_t voters(const std::vector<Said>& said, const VoteContent& content);
    /// Who can have signed this, of those that vote in its epoch: the liar signs everything.
    [[nodiscard]] std::uint32_t signers(std::uint32_t content, std::uint32_t honest) const {
        return (honest | liar_mask_) & world_.members(world_.content(content).epoch);
    }
    [[nodiscard]] bool is_quorum(const VoteContent& content, std::uint32_t voters) const {
        return voters >= world_.quorum(content.epoch);
    }
    void arrivals_of(const Said& said, std::vector<Event>& events) const;
    void check(const Tuple& before, const Tuple& after, std::size_t place);
    void check_agreement(const Tuple& tuple, std::size_t place);
    void check_votes(const Local& was, const Local& is);
    void check_vote(std::uint32_t content);
    void check_notarize(std::uint32_t content);
    void check_epoch(const Local& is);
    void check_quorums();
    void heal(const Tuple& from, std::uint64_t seed, bool unseen_too);
    void walk_once(Prng& prng);
    void count();
    void heal_step(Tuple& tuple, bool& moved);
    [[nodiscard]] std::string text(Index seat, const Event& event) const;
    void explain(std::uint32_t at);
    void explain_step(const Tuple& before, const Tuple& after, std::vector<std::string>& lines);
    void blame(std::string what) {
        if (result_.violation.empty()) result_.violation = std::move(what);
    }

    SearchOptions options_;
    World world_;
    Locals locals_;
    std::vector<Index> honest_;
    std::uint32_t liar_mask_ = 0;
    Epoch first_{1};  ///< Where the search begins.
    View first_view_{1};
    std::vector<Node> nodes_;
    std::vector<std::uint32_t> index_;  ///< Place in nodes_ + 1; 0 is free.
    std::map<std::array<std::uint64_t, 4>, std::optional<std::uint32_t>> forged_;
    std::map<ReachKey, Reach> reached_;
    std::vector<Said> said_;
    std::vector<Said> said_after_;
    std::vector<std::uint32_t> blocks_;
    std::vector<Event> events_;
    SearchResult result_;
};

}  // namespace creto::model_check
