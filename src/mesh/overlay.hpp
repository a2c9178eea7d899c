// Overlay: with whom an agent keeps links when there are too many agents to keep one with each.
//
// Why      A link with every agent costs what grows with the mesh. A few links do as well, if what is
//          new travels by short ways and if nobody can choose whose links he gets.
// Source   Ranks by a hash for each pair (Thaler, Ravishankar 1998) under a seed that is younger than
//          the identities. Parents push, others announce, as eager and lazy links in Plumtree
//          (Leitao, Pereira, Rodrigues 2007); differs: the eager ones are the nearest of those drawn.
// Holds    [MESH-FULL.1] Up to full_mesh_max known agents everybody is connected to everybody.
//          [MESH-DRAW.1] Above that a node dials the seats, the first `candidates_max` of all agents by
//          H(seed, own id, their id), the next ones too while some of these have no link, and
//          `strays_max` that its own generator draws. Under a seed only those count that were known
//          before it, so that no identity can be made for a place.
//          [MESH-PARENTS.1] Parents are the two candidates with the shortest measured round trips.
//          Whoever does not come up, dies, or brings nothing of what others bring is passed over.
//          [MESH-SLOTS.1] Of links that others dial those with the best draw stay, children_max of
//          them, and strangers_max more; the oldest stranger makes room, after its stay.
// Units    Memory: one place for each known agent, one entry for each link.
// Cost     A hash for each agent and seed; a hash for each agent that is known for each link that comes
//          up. O(candidates) a tick, and a tick every half second.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/key_cells.hpp"
#include "base/prng.hpp"
#include "crypto/digest.hpp"
#include "mesh/dialer.hpp"
#include "mesh/directory.hpp"
#include "model/epochs.hpp"
#include "model/event.hpp"
#include "model/message.hpp"

namespace creto {

struct OverlayOptions {
    std::size_t full_mesh_max = 128;
    /// `drawn`: the first of the candidates that are there, whatever their round trips; to compare with.
    enum class Parents : std::uint8_t { nearest, drawn } parents = Parents::nearest;
};

class Overlay {
public:
    static constexpr std::size_t candidates_max = 8;
    static constexpr std::size_t drawn_max = 24;  ///< Candidates while some do not come up.
    static constexpr std::size_t parents_max = 2;
    static constexpr std::size_t strays_max = 2;
    static constexpr std::size_t candidates_per_group_max = 2;  ///< While there are others.
    static constexpr std::size_t children_max = 32;
    static constexpr std::size_t strangers_max = 64;
    static constexpr std::size_t per_group_max = 8;  ///< Of children, and of strangers.
    /// Whoever has this node among its first so many is its child: some candidates are passed over.
    static constexpr std::size_t child_rank_max = 64;
    static constexpr std::size_t barred_max = 1'024;
    /// With so many old acquaintances the young ones wait for the next seed.
    static constexpr std::size_t acquaintances_min = 64;
    /// A seed counts for whole epochs, and for so many blocks at least: a new draw moves most links.
    static constexpr std::uint64_t seed_blocks = 1'024;
    static constexpr std::size_t news_max = 64;       ///< Watched at once, for who brings them.
    static constexpr std::size_t news_to_judge = 16;  ///< A parent that brought none of these goes.

    /// Directory and dialer outlive this.
    Overlay(
        const AgentId& self,
        const Directory& directory,
        Dialer& dialer,
        OverlayOptions options,
        std::uint64_t seed
    );

    // Who there is.
    /// The directory took a record of this agent.
    void on_record(const AgentRecord& record, Instant now);
    void on_gone(const AgentId& agent);
    void on_state(const AgentId& agent, AgentState state);
    /// Whose beacon is the seed in an epoch. Requires: epochs end.
    [[nodiscard]] static Epoch seed_epoch(const Epochs& epochs, Epoch now);
    /// What the next draws are made with; nobody knew it when the agents that are known now made
    /// their keys.
    void set_seed(const Digest& seed);
    /// With whom there is a link in any case.
    void set_seats(std::vector<AgentId> seats);

    // Links.
    /// False: there is no place for it; the link is closed and nothing else is to be done.
    [[nodiscard]] bool on_peer_up(const PeerUp& up, Instant now, Effects& effects);
    /// True when that is a surprise: the other end may be dead.
    bool on_peer_down(const AgentId& peer, Instant now);
    /// An answer to a ping. None: not to one of ours.
    std::optional<Duration> on_answer(const AgentId& from, std::uint64_t nonce, Instant now);
    /// Opens a link for a while.
    void visit(const AgentId& agent, Effects& effects) const;
    /// This node uses the link until then: it stays.
    void keep(const AgentId& peer, Instant until);
    void on_time(Instant now, Effects& effects);
    [[nodiscard]] Instant next_wake() const { return next_tick_; }

    /// True above full_mesh_max; back below seven eighths of it.
    [[nodiscard]] bool is_sparse() const { return is_sparse_; }
    [[nodiscard]] const std::vector<AgentId>& candidates() const { return candidates_; }
    [[nodiscard]] const std::vector<AgentId>& parents() const { return parents_; }
    [[nodiscard]] std::optional<Duration> round_trip(const AgentId& peer) const;
    /// Candidates, strays and children: not the seats, and no strangers.
    [[nodiscard]] std::vector<AgentId> neighbours() const;
    [[nodiscard]] bool is_neighbour(const AgentId& peer) const;
    /// How many come before this node when `child` draws, as far as is known here.
    [[nodiscard]] std::size_t rank_here(const AgentId& child) const;

    // Who brings what is new.
    /// Something that was not known came from `from`; the same came again. `id` names it.
    void on_news(const AgentId& from, const AgentId& about, std::uint64_t version, Instant now);
    void on_known(const AgentId& from, const AgentId& about, std::uint64_t version);

    /// A record has to be renewed at a rate that does not grow with the mesh: the more agents, the
    /// longer it counts.
    [[nodiscard]] Duration record_lifetime(Duration of_few) const;

private:
    enum class Kind : std::uint8_t { wanted, child, stranger };
    struct Link {
        std::string group;
        Instant since;
        Instant in_use_until;
        std::size_t rank = 0;  ///< rank_of().
        bool is_dialled = false;
        bool is_closing = false;  ///< This node closes it.
        Duration round_trip;      ///< 0: not measured.
        std::uint64_t ping = 0;   ///< The nonce that is not answered yet.
        Instant pinged;
    };
    struct News {
        AgentId about;
        std::uint64_t version = 0;
        Instant at;
        std::vector<AgentId> parents;  ///< Of that time.
        std::vector<AgentId> brought;  ///< By which of them.
    };
    struct Service {
        std::size_t judged = 0;
        std::size_t brought = 0;
    };

    void tick(Instant now, Effects& effects);
    void look_at_size(Instant now);
    void draw_candidates(Instant now);
    void draw_strays(Instant now);
    void dial_wanted(Instant now);
    void choose_parents();
    void judge(Instant now);
    /// `yes`: whoever has to go makes room for somebody, and comes back later.
    enum class Barred : std::uint8_t { no, yes };
    void close_surplus(Instant now, Effects& effects, Barred barred);
    [[nodiscard]] std::vector<AgentId> surplus(Instant now) const;
    void ping(const AgentId& peer, Link& link, Instant now, Effects& effects);
    void pass_over(const AgentId& agent, Instant until);
    void bar(const AgentId& agent, Instant until);
    [[nodiscard]] bool is_hopeful(const AgentId& agent, Instant now) const;
    [[nodiscard]] bool may_draw(const AgentId& agent, Instant now) const;
    [[nodiscard]] std::uint64_t place(const AgentId& child, const AgentId& agent) const;
    [[nodiscard]] bool takes_place(const AgentId& peer, const Link& link) const;
    [[nodiscard]] Kind kind_of(const AgentId& peer, const Link& link) const;
    [[nodiscard]] bool is_wanted(const AgentId& agent) const;
    [[nodiscard]] bool is_seat(const AgentId& agent) const;
    [[nodiscard]] std::size_t rank_of(const AgentId& peer) const;

    AgentId self_;
    const Directory& directory_;
    Dialer& dialer_;
    OverlayOptions options_;
    Prng prng_;
    Digest seed_;
    bool is_sparse_ = false;
    bool young_wait_ = false;  ///< There are enough that were known before the seed.
    bool is_seat_ = false;     ///< This node has a seat.
    bool is_due_ = false;      ///< Something changed: draw and choose again.

    std::set<std::pair<std::uint64_t, AgentId>> places_;  ///< All that are known, by their place.
    std::set<AgentId> young_;                             ///< Known since the seed, or later.
    std::set<AgentId> dead_;
    std::vector<AgentId> seats_;              ///< Sorted.
    KeyCells<std::uint32_t> seat_places_;     ///< In seats_, from 1.
    std::map<AgentId, Instant> passed_over_;  ///< Until when.
    std::vector<AgentId> candidates_;         ///< By place.
    std::vector<AgentId> strays_;
    Instant strays_until_;
    std::map<AgentId, Instant> wanted_;  ///< Since when there is no steady link.
    std::vector<AgentId> parents_;
    KeyMap<AgentId, Link> links_;
    std::set<AgentId> others_;  ///< Those of them that are no seats.
    std::map<AgentId, Instant> barred_;
    std::deque<News> news_;
    std::map<AgentId, Service> service_;                  ///< Of parents.
    std::uint64_t next_nonce_ = std::uint64_t{1} << 63U;  ///< Apart from Liveness's.
    Instant next_tick_ = Instant::max();
};

}  // namespace creto
