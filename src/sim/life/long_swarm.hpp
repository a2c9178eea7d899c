// Long swarm: the schedule of a long life from a seed: 7 to 100 nodes, minutes, several storms.
//
// Why      What goes wrong after the third epoch, in the second partition, or once a seat has been
//          given, lost and set aside, a life of half a minute does not see.
// Holds    Apart from make_schedule(): the same seed gives each its own draws. As there, each draw
//          has a name, and no more nodes lie or lose synced data together than the roster bears when
//          all seats that are to end have ended.
//          Each life mixes several of the ingredients; between two storms lies a calm.
//          Where seats may be set aside, fewer lie: those that vote must do without them
//          (docs/decisions/0030-dormant-seats.md, Consequences).
#pragma once

#include <string>

#include "sim/life/schedule.hpp"

namespace creto {

[[nodiscard]] Schedule make_long_schedule(std::uint64_t seed);

/// The greatest number of seats that may say nothing, ever, of a roster of `n`, whoever else is set
/// aside and comes back.
[[nodiscard]] std::uint32_t silent_max_with_dormant(QuorumMode mode, std::uint32_t n);

/// What a schedule has of all that long lives are made of, by name: "flood", "partition", …
[[nodiscard]] std::vector<std::string> ingredients(const Schedule& schedule);

}  // namespace creto
