#include "sim/life/replay.hpp"

#include "sim/node_participant.hpp"

namespace creto {

void execute_again(
    const Schedule& schedule, SimCluster& cluster, const std::vector<bool>& unreliable
) {
    auto node = static_cast<std::uint32_t>(schedule.seed % schedule.nodes);
    std::uint32_t tried = 0;
    while (unreliable[node] || cluster.node(NodeIndex{node}) == nullptr) {
        if (++tried > schedule.nodes) return;
        node = (node + 1) % schedule.nodes;
    }
    const SimHost& host = cluster.host(NodeIndex{node});
    const SimLogSink silent;
    SimLog log{NodeIndex{node}, silent};
    NodeParticipant again{{NodeIndex{node}, host.boots, host.options, *host.signer, log}};
    const auto restored = again.restore(host.disk, {host.disk.log(), true, {}});
    const StatusReply now = cluster.node(NodeIndex{node})->status();
    const auto differs = [&](const std::string& what) {
        cluster.violate("replay", what, NodeIndex{node});
    };
    if (!restored) return differs(restored.error().message);
    // The newest blocks may still be under way to the disk.
    constexpr std::uint64_t behind_max = 64;
    const StatusReply then = again.node()->status();
    if (then.finalized.value() + behind_max < now.finalized.value())
        return differs("height " + std::to_string(then.finalized.value()) + " is all it gives");
    const auto root = cluster.invariants().state_root(then.finalized);
    if (root && then.state_root != *root)
        differs(
            "executed again, height " + std::to_string(then.finalized.value()) +
            " has another state than it had"
        );
}

}  // namespace creto
