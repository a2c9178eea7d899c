// `creto cluster`: a local cluster of real processes that outlives the command which started it.
//
// Why      To try what happens to a network when nodes die and links are cut, with the program itself.
// Holds    Cuts are made in links, never told to nodes. `down` leaves nothing: no process, port or file.
//          Each command notices a supervisor that was killed, clears what it left and says so.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/output.hpp"
#include "model/limits.hpp"

namespace creto {

struct ClusterUpOptions {
    std::filesystem::path dir;
    std::uint64_t nodes = 0;  ///< 0: as many as there are in the folder, else 7.
    std::string quorum;       ///< byzantine or crash; empty: as in the folder, else byzantine.
    std::uint64_t port = 0;
    std::uint64_t timeout_ms = 60'000;
    std::uint32_t epoch_blocks = 0;  ///< Of a new cluster; 0: its roster does not change.
    std::uint32_t dead_after_reports = limits::dead_after_reports;  ///< Of a new cluster.
    std::uint32_t operators = 0;  ///< Of a new cluster: keys that may change the roster.
};
int command_cluster_up(const ClusterUpOptions& options, const Output& output);
int command_cluster_status(const std::filesystem::path& dir, const Output& output);
/// `what`: "kill" or "start".
int command_cluster_node(
    const std::filesystem::path& dir,
    const std::string& what,
    const std::vector<std::uint64_t>& nodes,
    const Output& output
);
/// Groups like "0,1,2"; nodes that no group names form one more. None: heal.
int command_cluster_links(
    const std::filesystem::path& dir, const std::vector<std::string>& groups, const Output& output
);
int command_cluster_down(const std::filesystem::path& dir, bool keep, const Output& output);
/// The supervisor itself; `up` starts it.
int command_cluster_supervise(const std::filesystem::path& dir, const Output& output);

}  // namespace creto
