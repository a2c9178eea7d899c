// The supervisor of a local cluster: the process that owns the link shim and the nodes of a ClusterPlan.
//
// Why      The cluster outlives the command that started it; cuts are made in links, so somebody has to
//          hold the links; and a process needs a parent that knows how it ended.
// Holds    One supervisor a folder (a lock). When it dies, however that happens, the kernel ends its
//          nodes; recover_cluster() makes sure of it and clears what it left. Only who may read the
//          folder may use its socket (mode 0600).
// Protocol One JSON document a line, one answer a connection: {"do": "status"}, {"do": "kill", "node": 3},
//          {"do": "start", "node": 3}, {"do": "partition", "groups": [[0, 1], [2]]}, {"do": "heal"},
//          {"do": "down"}. The answer has "ok", and "error" {"code", "message"} when that is false.
// Errors   unavailable: no supervisor answers there.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <sys/types.h>

#include "scale/cluster_plan.hpp"

namespace creto {

/// Runs until a "down" or SIGTERM; `ready` is called once the nodes are started.
[[nodiscard]] Result<void> supervise(
    const ClusterPlan& plan,
    const std::filesystem::path& program,
    const std::function<void()>& ready
);

/// Starts a supervisor of its own session for the plan and waits until it is ready.
[[nodiscard]] Result<pid_t> start_supervisor(
    const ClusterPlan& plan, const std::filesystem::path& program
);

[[nodiscard]] Result<nlohmann::ordered_json> ask_supervisor(
    const ClusterPlan& plan,
    const nlohmann::ordered_json& request,
    std::chrono::milliseconds timeout
);

enum class ClusterState {
    down,
    up,
    left,  ///< The supervisor died without taking leave.
};
struct SupervisorState {
    ClusterState state = ClusterState::down;
    pid_t pid = 0;  ///< Of the supervisor that runs, or that died.
};
[[nodiscard]] SupervisorState supervisor_state(const ClusterPlan& plan);
/// Ends what a dead supervisor's nodes may still do and removes its socket and lock. Returns how many
/// nodes still ran. Requires: state `left`.
std::size_t recover_cluster(const ClusterPlan& plan);

}  // namespace creto
