// PlantedBug: mistakes that a node must not make, planted to see that the checkers notice.
//
// Why      A checker that never fired proves nothing. Each bug here is a node that counts as honest
//          and is not; a run with it that passes is the failure.
// Use      live(schedule, {.factory = planted(PlantedBug::double_vote)})
#pragma once

#include <string_view>
#include <vector>

#include "sim/participant.hpp"

namespace creto {

/// In brackets the checker that must fire.
enum class PlantedBug : std::uint8_t {
    double_vote,       ///< Tells half of the seats other votes [single-vote].
    hasty_vote,        ///< Sends before what it sends is durable [durable-vote].
    amnesia,           ///< Starts again without its vote log [halt]: it sees its own votes in time.
    wrong_state,       ///< Says another state root now and then [agreement].
    skipped_height,    ///< Does not report one height [prefix].
    hollow_answer,     ///< Answers a final write at once, and forgets it [durability].
    altered_write,     ///< Writes another value than it was asked to [integrity].
    write_twice,       ///< Executes a counter write two times [exactly-once].
    thin_certificate,  ///< Hands on certificates without their last signature [certificate].
    deaf_after_start,  ///< Hears nobody once it was restarted [progress].
    slander,           ///< Reports an honest agent as excluded [evidence].
    two_answers,       ///< Answers a command two times [one-reply].
};

[[nodiscard]] const std::vector<PlantedBug>& all_planted_bugs();
[[nodiscard]] const char* to_string(PlantedBug bug);
[[nodiscard]] Result<PlantedBug> parse_planted_bug(std::string_view name);
/// The checker that must notice.
[[nodiscard]] const char* noticed_by(PlantedBug bug);

/// Nodes that keep to the rules, except that node 0 has the bug.
[[nodiscard]] ParticipantFactory planted(PlantedBug bug);

}  // namespace creto
