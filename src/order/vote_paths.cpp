#include "order/vote_paths.hpp"

#include <algorithm>

#include "base/prng.hpp"

namespace creto::simplex {

VotePaths::VotePaths(const Roster& roster, std::size_t direct_max)
    : roster_{roster}, terms_{roster} {
    const std::uint32_t n = roster.size();
    if (n <= direct_max) return;
    // By a hash of each key that nobody could aim at when it was made.
    Writer turns;
    encode_list(turns, roster.leaders());
    const Digest seed = Hasher{HashDomain::vote_paths}
                            .update(roster.digest())
                            .update_u64(roster.epoch().value())
                            .update(turns.view())
                            .finish();
    std::vector<std::pair<Digest, std::uint32_t>> drawn;
    drawn.reserve(n);
    for (std::uint32_t i = 0; i < n; ++i) {
        const PublicKey& key = roster.members()[i].key;
        drawn.emplace_back(
            Hasher{HashDomain::vote_paths}.update(seed).update(key.view()).finish(), i
        );
    }
    std::sort(drawn.begin(), drawn.end());
    order_.reserve(n);
    for (const auto& [lot, member] : drawn)
        order_.push_back(member);
    std::uint32_t groups = 1;
    while ((groups + 1) * (groups + 1) <= n)
        ++groups;
    group_of_.resize(n);
    for (std::uint32_t g = 0; g <= groups; ++g)
        starts_.push_back(static_cast<std::uint32_t>(std::uint64_t{n} * g / groups));
    for (std::uint32_t g = 0; g < groups; ++g)
        for (const std::uint32_t member : group(g))
            group_of_[member] = g;
}

std::span<const std::uint32_t> VotePaths::group(std::uint32_t group) const {
    return std::span{order_}.subspan(starts_[group], starts_[group + 1] - starts_[group]);
}

std::vector<std::uint32_t> VotePaths::collectors(
    const VoteContent& content, std::uint32_t group, std::uint32_t count
) const {
    const auto members = this->group(group);
    const std::size_t most = std::min<std::size_t>(count, members.size());
    // Anywhere in the group, so that each collects as often as any other, and each kind of vote of a view
    // has others: no count of collectors and no size of a group leaves somebody out.
    const std::uint64_t turn = content.view.value() * 4 + static_cast<std::uint64_t>(content.kind);
    const std::uint64_t first = mix64(turn) % members.size();
    std::vector<std::uint32_t> chosen;
    chosen.reserve(most);
    for (std::size_t i = 0; i < most; ++i)
        chosen.push_back(members[(first + i) % members.size()]);
    return chosen;
}

std::vector<std::uint32_t> VotePaths::roots(const VoteContent& content, std::uint32_t attempt)
    const {
    std::vector<std::uint32_t> chosen;
    const auto add = [&](std::uint32_t member) {
        if (std::find(chosen.begin(), chosen.end(), member) == chosen.end())
            chosen.push_back(member);
    };
    const auto add_leader = [&](View view) { add(*roster_.index_of(leader_of(roster_, view))); };
    View term = content.view;
    if (content.kind == VoteKind::nullify) {
        // Those who would go on; at each attempt others, in case they are as silent.
        for (std::uint32_t i = 0; i <= attempt % roster_.size(); ++i)
            term = terms_.last_of(term).next();
    }
    add_leader(term);
    add_leader(terms_.last_of(term).next());
    const auto kind = static_cast<std::uint64_t>(content.kind);
    std::uint64_t drawn = content.view.value() * 4 + kind + mix64(attempt + 1);
    for (std::uint32_t i = 0; i < (content.kind == VoteKind::nullify ? 3 : 1); ++i) {
        drawn = mix64(drawn);
        add(static_cast<std::uint32_t>(drawn % roster_.size()));
    }
    return chosen;
}

}  // namespace creto::simplex
