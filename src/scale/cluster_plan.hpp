// ClusterPlan: what a local cluster is made of: the file cluster.json in its folder, beside the nodes'.
//
// Why      A cluster outlives the command that started it; every later command has to find it again.
// Layout   DIR/cluster.json       this plan
//          DIR/NAME/              one folder a node, as `creto init` makes it
//          DIR/supervisor.lock    held, and with the pid inside, while the cluster is up
//          DIR/control            the supervisor's Unix socket
//          DIR/supervisor.log     what the supervisor had to say
//          DIR/operators/opN.key  keys of the genesis' operators, where it names any
// Holds    A node has one port number in three places: its own loopback address (where it listens), the
//          link shim's address for it (what it tells others), and 127.0.0.1 (its admin port).
// Errors   invalid: what the plan lacks; conflict: the folder or a port is in use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/genesis.hpp"
#include "runtime/link_shim.hpp"
#include "scale/config.hpp"

namespace creto {

struct PlannedNode {
    std::string name;
    std::string agent;   ///< Its id.
    std::string listen;  ///< Where it really listens; only the link shim connects there.
    std::string open;    ///< The shim's address for it: what others dial.
    std::string admin;
};

struct ClusterPlan {
    std::filesystem::path dir;  ///< Absolute.
    std::string network;
    QuorumMode mode = QuorumMode::byzantine;
    std::vector<PlannedNode> nodes;

    [[nodiscard]] std::filesystem::path folder(std::size_t i) const { return dir / nodes[i].name; }
    [[nodiscard]] std::filesystem::path lock() const { return dir / "supervisor.lock"; }
    [[nodiscard]] std::filesystem::path log() const { return dir / "supervisor.log"; }
    [[nodiscard]] std::filesystem::path pid_file(std::size_t i) const { return folder(i) / "pid"; }
    [[nodiscard]] LinkShimOptions links() const;
};

inline constexpr std::size_t cluster_nodes_max = 100;
inline constexpr std::uint16_t cluster_first_port = 7400;

struct NewCluster {
    std::filesystem::path dir;
    std::size_t nodes = 7;
    QuorumMode mode = QuorumMode::byzantine;
    std::uint16_t port =
        0;  ///< Of node 0, the others follow; 0 takes the first free ones from 7400 on.
    std::uint32_t epoch_blocks = 0;  ///< 0: a roster that does not change.
    std::uint32_t dead_after_reports = limits::dead_after_reports;  ///< Only with epochs; 0: never.
    std::uint32_t operators = 0;  ///< Keys that may change it, by more than half of them.
};

/// Makes the plan with a key and a folder for each node. The folder must be new or empty.
[[nodiscard]] Result<ClusterPlan> make_cluster(const NewCluster& wish);
/// not_found: there is no cluster in this folder.
[[nodiscard]] Result<ClusterPlan> read_cluster(const std::filesystem::path& dir);
/// conflict: which port is taken. Nothing of the cluster may run.
[[nodiscard]] Result<void> check_ports(const ClusterPlan& plan);
/// Removes what make_cluster(), the supervisor and the nodes wrote, and the folder if nothing else is in
/// it. Nothing of the cluster may run.
void remove_cluster(const ClusterPlan& plan);

}  // namespace creto
