#include "scale/bench/bench_cluster.hpp"

#include <algorithm>

#include "base/prng.hpp"

namespace creto {

void settle_votes(TestClusterConfig& config) {
    const bool many = config.node_count + config.spare_count > limits::direct_seats_max;
    if (!config.vote_form) config.vote_form = many ? VoteForm::joined : VoteForm::list;
    if (config.vote_form == VoteForm::joined) config.costs = with_joined_votes(config.costs);
}

NodeList drawn(NodeList from, std::uint32_t count, std::uint64_t seed, std::uint64_t stream) {
    const std::size_t wanted = std::min<std::size_t>(count, from.size());
    for (std::size_t i = 0; i < wanted; ++i)
        std::swap(from[i], from[i + scale_to(draw(seed, stream, i), from.size() - i)]);
    from.resize(wanted);
    std::sort(from.begin(), from.end());
    return from;
}

}  // namespace creto
