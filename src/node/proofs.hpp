// Proofs: contradictions of others that this node knows; whom it tells, and when it orders them.
//
// Why      A proof that everybody tells everybody is n squared messages for each liar: a thousand nodes with
//          300 liars were busy with nothing else. And an operation of every seat for the same proof fills
//          the lanes with copies. Few of each are enough, if who is among the few is not the liar's choice.
// Source   Rumour spreading (Demers et al., PODC 1987), with blind, bounded pushes.
// Holds    [PROOF-ONCE.1] One proof of a kind against an agent is enough: a second one is neither checked nor
//          handed on. Of agents without a seat seatless_max are known: identities are free, seats are not.
//          [PROOF-SPREAD.1] Up to all_max peers all are told. Of more, told_max that this node draws: then
//          one honest node in two thousand does not hear of it while a third hands nothing on, and it
//          learns of it from the final order, as every node does after a partition.
//          [PROOF-BRING.1] Up to all_max seats each brings a proof to the final order, and again every
//          `again` until it is final. Among more a proof has first_bringers on the mean, drawn by the
//          liar, the kind and the own key; eight times as many with each `again` that passes.
// Errors   None: what has no room is not kept, and is final some day without this node.
// Cost     O(log known) to look; O(open) for due().
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "base/prng.hpp"
#include "base/time.hpp"
#include "model/evidence.hpp"

namespace creto {

class Proofs {
public:
    static constexpr std::size_t all_max = 128;
    static constexpr std::size_t told_max = 12;
    static constexpr std::size_t first_bringers = 8;
    static constexpr std::size_t open_max = 2'048;
    static constexpr std::size_t seatless_max = 1'024;
    static constexpr Duration again = Duration::from_s(10);

    /// A proof that is not agreed yet.
    struct Open {
        Evidence evidence;
        AgentId liar;
        Instant known_at;
        std::uint64_t draw = 0;  ///< Among those that bring it.
        std::optional<Instant> brought_at;
    };

    explicit Proofs(const AgentId& self) : self_{self} {}

    [[nodiscard]] bool knows(const AgentId& liar, const Evidence& evidence) const;
    /// False when it says nothing new, or when there is no room.
    [[nodiscard]] bool add(
        const AgentId& liar, bool has_seat, const Evidence& evidence, Instant now
    );
    /// Whom of these to tell of a proof that `from` told.
    [[nodiscard]] static std::vector<AgentId> to_tell(
        std::vector<AgentId> peers, const std::optional<AgentId>& from, Prng& prng
    );
    /// Whether it is this node's turn to bring it. `seats`: how many there are.
    [[nodiscard]] static bool is_due(const Open& proof, std::size_t seats, Instant now);

    [[nodiscard]] std::vector<Open>& open() { return open_; }

private:
    struct Known {
        AgentId liar;
        std::size_t kind = 0;
        friend auto operator<=>(const Known&, const Known&) = default;
    };

    AgentId self_;
    std::set<Known> known_;
    std::size_t seatless_ = 0;
    std::vector<Open> open_;
};

}  // namespace creto
