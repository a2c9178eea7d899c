// CutPlan: what parts a network, and what every node should then say.
//
// Why      Trials, tests and the command line speak of the same cuts.
// Source   "2+2": the first two nodes and the next two. "one-way": nothing goes from the first half to
//          the second. "partial": nodes 0 and 1 do not reach each other, all others reach both.
//          "moving": halves, and after half of the time other halves. "flapping": some links, drawn, go
//          for at most 400 ms at a time. "none": nothing is cut.
// Errors   invalid, with the forms that there are.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "link/profile.hpp"
#include "model/quorum.hpp"

namespace creto {

struct CutShape {
    enum class Kind : std::uint8_t { whole, one_way, partial, moving, flapping, none };
    Kind kind = Kind::whole;
    std::vector<std::uint32_t> groups;  ///< Sizes, of a whole cut.
};

/// For a network of so many nodes.
[[nodiscard]] Result<CutShape> parse_cut(std::string_view text, std::uint32_t nodes);

/// The groups of a division; the second one of a moving cut when `moved`.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> groups_of(
    const CutShape& shape, std::uint32_t nodes, bool moved
);
/// Whom this node loses, in the end.
[[nodiscard]] std::set<std::uint32_t> lost_to(
    const CutShape& shape, std::uint32_t nodes, std::uint32_t node
);

struct CutPlan {
    std::uint64_t seed = 1;
    std::uint32_t nodes = 4;
    QuorumMode mode = QuorumMode::byzantine;
    LinkProfile links = lan_profile();
    CutShape cut{CutShape::Kind::whole, {2, 2}};
    Duration cut_for = Duration::from_s(10);
    /// How long the load goes on when the cut is over.
    Duration after = Duration::from_s(30);
    /// One final and one causal write of each node, so often.
    Duration write_every = Duration::from_ms(100);
    /// From a cut until the transport gives a link up. What a simulated link has swallowed is lost, so
    /// that it heals only by being given up: shorter than a cut, or than the pause between two.
    Duration link_notice = Duration::from_s(3);
    std::uint32_t slow = 0;  ///< So many of the last nodes stand still one second in three.
};

/// Requires of `run_cut_trial`. Errors: invalid.
[[nodiscard]] Result<void> check(const CutPlan& plan);

}  // namespace creto
