// PlantedBug: mistakes that a node must not make, planted to see that the checkers notice.
//
// Why      A checker that never fired proves nothing. Each bug here is a node that counts as honest
//          and is not; a run with it that passes is the failure.
// Use      live(schedule, {.factory = planted(PlantedBug::double_vote)})
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sim/life/schedule.hpp"
#include "sim/participant.hpp"

namespace creto {

/// In brackets the checker that must fire.
enum class PlantedBug : std::uint8_t {
    double_vote,     ///< Tells half of the seats other votes [single-vote].
    hasty_vote,      ///< Sends before what it sends is durable [durable-vote].
    amnesia,         ///< Starts again with its first vote only [halt]: it sees the others in time.
    wrong_state,     ///< Says another state root now and then [agreement].
    skipped_height,  ///< Does not report one height [prefix].
    hollow_answer,   ///< Answers a final write at once, and forgets it [durability].
    altered_write,   ///< Writes another value than it was asked to [integrity].
    write_twice,     ///< Executes a counter write two times [exactly-once].
    thin_certificate,  ///< Hands on certificates without their last signature [certificate].
    deaf_after_start,  ///< Hears nobody once it was restarted [progress].
    slander,           ///< Reports an honest agent as excluded [evidence].
    two_answers,       ///< Answers a command two times [one-reply].
    hasty_read,        ///< Reads a counter one too high [same-reads].
    mute_finality,     ///< Stops telling what is final [catch-up].
    hollow_causal,     ///< Answers a causal write, and forgets it [causal-durability].
    busybody,          ///< Always has a write of its own under way [state].
    hoarder,           ///< Fills its disk with what nobody asked for [resources].
    glutton,           ///< Keeps in memory whatever it hears, and more [resources].
    lost_disk,         ///< Does not start from its own disk [restore].
    torn_graph,        ///< Deletes old vertices from its disk [replay].
    endless_ticket,    ///< Sends after a write that it never makes [persist].
    garbage,           ///< Sends bytes that are no message [message].
    restless,          ///< Wants to be woken at once, for ever [time].
    leaps_back,        ///< Tells a view below the one that it told before [monotonic].
    other_epoch,       ///< Votes for an epoch that there is not [epoch].
    broken_lock,       ///< Notarizes on a parent that nothing allows [justification].
    torn_proof,        ///< Hands on proofs without one of their signatures [proof].
    slow_ears,         ///< Handles what others say ten seconds late [view-sync].
    refuses_some,      ///< Refuses every second final write, when all is calm [recovery].
    blind_eye,         ///< All nodes: look away from a second story [completeness].
    circling,          ///< All nodes: hear of no block that becomes final [livelock].
    two_chains,        ///< All but node 0: lie together, and count as honest [one-outcome].
    dice,              ///< Acts on something that no event says [determinism].
};

[[nodiscard]] const std::vector<PlantedBug>& all_planted_bugs();
[[nodiscard]] const char* to_string(PlantedBug bug);
[[nodiscard]] Result<PlantedBug> parse_planted_bug(std::string_view name);
/// The checker that must notice.
[[nodiscard]] const char* noticed_by(PlantedBug bug);

/// Nodes that keep to the rules, except that node 0, or all, have the bug. For `dice`, the lives
/// with one factory differ.
[[nodiscard]] ParticipantFactory planted(PlantedBug bug);

/// What the bug needs to show: node 0 is reliable, a liar for proofs, a steady load for recovery.
/// None when the schedule does not suit at all.
[[nodiscard]] std::optional<Schedule> schedule_for(PlantedBug bug, Schedule schedule);

}  // namespace creto
