#include "scale/bench/bench_cluster.hpp"

#include <algorithm>

#include "base/prng.hpp"

namespace creto {

VoteForm usual_vote_form(std::uint32_t nodes) {
    return nodes > limits::direct_seats_max ? VoteForm::joined : VoteForm::list;
}

void settle_votes(TestClusterConfig& config) {
    if (!config.vote_form)
        config.vote_form = usual_vote_form(config.node_count + config.spare_count);
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
