// Genesis and roster: who holds which seat, under which failure model, from the first block on.
//
// Why      The chain's id is the hash of its genesis; every signature carries it, so nothing signed
//          for one network is valid on another.
// Holds    Seats strictly increase; keys are distinct; 1 to limits::seats_max members; byzantine
//          mode needs at least 4, so that one liar is tolerated. What is as usual, the lengths of terms
//          and epochs, the distance of checkpoints, no operators, when a seat is set aside, no quotas and
//          votes in lists, is not written, so that such a genesis has the id it had. Operator keys are distinct, and no
//          member has one. A roster of a later epoch is made by the agreed state, from the one before.
//          Its digest binds all that its quorum depends on, the members and how many seats are dormant,
//          [SEAT-DORMANT.4] and the parameters where they are not those of the genesis. [PARAM-DIGEST.1]
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/key_cells.hpp"
#include "model/epochs.hpp"
#include "model/limits.hpp"
#include "model/parameters.hpp"
#include "model/quorum.hpp"

namespace creto {

struct Member {
    Seat seat;
    PublicKey key;
    std::string name;  ///< For people; unique within the roster.

    friend bool operator==(const Member&, const Member&) = default;
};

/// How the votes of a certificate are signed.
enum class VoteForm : std::uint8_t {
    list,    ///< A signature for each of them.
    joined,  ///< One signature for all, put together of theirs.
};

struct Genesis {
    std::string network;  ///< For people.
    QuorumMode mode = QuorumMode::byzantine;
    std::vector<Member> members;  ///< By seat, ascending.
    /// Smallest time between a leader's proposals; 0 up to 16 seats.
    std::uint32_t view_interval_ms = 0;
    /// The first of Parameters::term_views.
    std::uint32_t term_views = 1;
    /// Every so many heights lies a checkpoint: limits::checkpoint_blocks_min to _max.
    std::uint32_t checkpoint_blocks = limits::checkpoint_blocks;
    /// Heights of an epoch: limits::epoch_blocks_min to _max, or 0 for one epoch without end.
    std::uint32_t epoch_blocks = 0;
    /// Keys of people, up to limits::operators_max, that may order changes of the roster without the
    /// consent of a quorum of seats. [SEAT-OPERATORS.1]
    std::vector<PublicKey> operators;
    std::uint32_t operators_needed = 0;  ///< How many of them; 0 exactly where there are none.
    /// The first of Parameters::dead_after_reports. Only with epochs, as those below.
    std::uint32_t dead_after_reports = limits::dead_after_reports;
    std::uint32_t guest_operations = 0;                 ///< The first of the parameter.
    std::uint32_t guests_total = limits::guests_total;  ///< The first of the parameter.
    /// Joined takes a scheme that can join, which Ed25519 is not.
    VoteForm vote_form = VoteForm::list;

    friend bool operator==(const Genesis&, const Genesis&) = default;
};

void encode(Writer& w, const Member& v);
void decode(Reader& r, Member& v);
void encode(Writer& w, const Genesis& v);
void decode(Reader& r, Genesis& v);

/// The parameters of the first epochs, until others are agreed on.
[[nodiscard]] Parameters parameters_of(const Genesis& genesis);

/// Says why a genesis cannot start a chain.
[[nodiscard]] Result<void> validate(const Genesis& genesis);

/// Fewer members than this tolerate no fault at all.
[[nodiscard]] constexpr std::size_t least_members(QuorumMode mode) {
    return mode == QuorumMode::byzantine ? 4 : 1;
}
/// Says why these members cannot be a validator set, while so many seats are dormant.
[[nodiscard]] Result<void> validate(
    const std::vector<Member>& members, QuorumMode mode, std::uint32_t dormant = 0
);

/// Who has a seat in an epoch, and how, as the agreed state says.
struct Seating {
    std::vector<Member> members;     ///< Who votes, by seat.
    std::vector<Member> known;       ///< Everyone who ever had a seat, or is to get one, by seat.
    std::uint32_t dormant = 0;       ///< Seats that are set aside: no vote, but perhaps liars.
    std::vector<Seat> resting = {};  ///< Members that have no turn as leader; at most n - q.
    /// What the order of turns is drawn from; none: by seat, ascending.
    std::optional<Digest> beacon = {};
    std::optional<Parameters> parameters = {};  ///< None: those of the genesis.
};

/// The validator set of an epoch, with the look-ups that everyone needs.
class Roster {
public:
    /// Requires: validate(genesis).
    explicit Roster(const Genesis& genesis);
    /// That of another epoch of the same chain. Requires: validate(seating.members, before.mode(),
    /// seating.dormant); the members are among those known.
    Roster(const Roster& before, Epoch epoch, Seating seating);
    /// The same seats in another epoch.
    [[nodiscard]] Roster in_epoch(Epoch epoch) const;

    [[nodiscard]] const ChainId& chain() const { return chain_; }
    [[nodiscard]] Epoch epoch() const { return epoch_; }
    [[nodiscard]] const Epochs& epochs() const { return epochs_; }
    [[nodiscard]] QuorumMode mode() const { return mode_; }
    [[nodiscard]] const Quorum& quorum() const { return quorum_; }
    [[nodiscard]] std::uint32_t size() const { return quorum_.n; }
    /// Seats that are set aside: they count for what may lie, and for nothing else.
    [[nodiscard]] std::uint32_t dormant() const { return dormant_; }
    /// What is in force in this epoch. [PARAM-LATER.1]
    [[nodiscard]] const Parameters& parameters() const { return parameters_; }
    /// None where they are those of the genesis.
    [[nodiscard]] std::optional<Parameters> changed_parameters() const;
    [[nodiscard]] std::uint32_t dead_after_reports() const {
        return parameters_.dead_after_reports;
    }
    [[nodiscard]] std::uint32_t term_views() const { return parameters_.term_views; }
    /// Of the genesis, whatever the epoch, as what follows.
    [[nodiscard]] std::uint32_t checkpoint_blocks() const { return checkpoint_blocks_; }
    [[nodiscard]] VoteForm vote_form() const { return vote_form_; }
    /// The keys of members(), for votes that are joined; null where none are.
    [[nodiscard]] const std::shared_ptr<const KeyList>& keys() const { return keys_; }
    [[nodiscard]] const std::vector<PublicKey>& operators() const { return operators_; }
    [[nodiscard]] std::uint32_t operators_needed() const { return operators_needed_; }
    /// By seat, ascending; a member's place in this list is its bit in a certificate's bitmap.
    [[nodiscard]] const std::vector<Member>& members() const { return members_; }
    /// Who takes turns, in the order of their turns: all members but those that rest, drawn from the
    /// beacon where the epoch has one for that. [STAND-REST.1] [BEACON-TURNS.1]
    [[nodiscard]] const std::vector<Seat>& leaders() const { return leaders_; }
    /// Of its members, how many are dormant, and parameters that are not those of the genesis, whatever
    /// the epoch: a boundary block names the next roster by it.
    [[nodiscard]] const Digest& digest() const { return digest_; }

    /// Whose seat this is, was or will be: a seat has one key for ever.
    [[nodiscard]] const Member* known(Seat seat) const;
    [[nodiscard]] const std::vector<Member>& known() const { return known_; }

    [[nodiscard]] const Member* find(Seat seat) const;
    [[nodiscard]] const Member* find(const PublicKey& key) const;
    /// The member's place in members(); none for an unknown seat.
    [[nodiscard]] std::optional<std::uint32_t> index_of(Seat seat) const;

private:
    void index(const std::vector<Seat>& resting, const std::optional<Digest>& beacon);

    ChainId chain_;
    Epoch epoch_{1};
    Epochs epochs_;
    QuorumMode mode_;
    Quorum quorum_;
    std::uint32_t dormant_ = 0;
    Parameters first_;  ///< Of the genesis.
    Parameters parameters_;
    std::uint32_t checkpoint_blocks_;
    VoteForm vote_form_;
    std::shared_ptr<const KeyList> keys_;
    std::vector<PublicKey> operators_;
    std::uint32_t operators_needed_ = 0;
    std::vector<Member> members_;
    std::vector<Member> known_;
    std::vector<Seat> leaders_;
    KeyCells<std::uint32_t> by_key_;  ///< Places in members_, from 1.
    Digest digest_;
};

}  // namespace creto
