// RealCluster: a network of real processes on this machine, with the link shim between them.
//
// Holds    Each node is its own process, key, folder and address. Only links are cut; nothing tells a
//          node. The destructor ends every process and removes the folders, unless keep_folders() said
//          otherwise.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/genesis.hpp"
#include "runtime/link_shim.hpp"
#include "scale/client.hpp"
#include "scale/config.hpp"
#include "scale/process.hpp"

namespace creto {

struct RealNodeOptions {
    std::string name;
    std::vector<std::string> tools = {"all"};
    std::string drill;  ///< A deviation of its tools.
    bool has_seat = true;
    std::map<std::string, std::string> environment;  ///< CRETO_SECTION_KEY, over its creto.toml.
};

/// A seat whose agent is no process of this cluster: a test holds its key.
struct ForeignSeat {
    std::string name;
    AgentId agent;
};

struct RealClusterOptions {
    std::string network = "demo";
    QuorumMode mode = QuorumMode::byzantine;
    std::vector<RealNodeOptions> nodes;
    std::vector<ForeignSeat> foreign_seats;  ///< They get the seats after the nodes'.
    std::filesystem::path program;           ///< The creto binary.
    std::filesystem::path dir;               ///< Made, and removed at the end.
    std::uint64_t calls_per_s = 500;
    std::uint64_t calls_burst = 500;
    std::uint32_t checkpoint_blocks = limits::checkpoint_blocks;
    std::uint32_t epoch_blocks = 0;
    std::uint32_t view_interval_ms = 0;
    std::vector<AgentId> operators;
    std::uint32_t operators_needed = 0;
    std::uint64_t keep_blocks = 0;
    LinkProfile profile;
    std::uint64_t seed = 1;  ///< Of what the links draw.
    /// Nodes speak to each other without a shim between them: loopback as it is, no cuts.
    bool direct = false;
};

class RealCluster {
public:
    /// Makes the folders and the shim; starts nothing yet.
    [[nodiscard]] static Result<std::unique_ptr<RealCluster>> make(RealClusterOptions options);
    ~RealCluster();
    RealCluster(const RealCluster&) = delete;
    RealCluster& operator=(const RealCluster&) = delete;

    /// Starts the process; await_ready() says when it answers on its admin port.
    [[nodiscard]] Result<void> launch(std::size_t i);
    [[nodiscard]] Result<void> await_ready(std::size_t i);
    [[nodiscard]] Result<void> start(std::size_t i);
    /// Starts all and waits until each answers on its admin port.
    [[nodiscard]] Result<void> start_all();
    /// A launched node answers on its admin port by now. Errors: unavailable, when it has ended.
    [[nodiscard]] Result<bool> is_ready(std::size_t i);
    /// Ends all in good order: SIGTERM, and SIGKILL to whoever is there after five seconds.
    void stop_all();
    /// Rewrites the settings of a node; a later launch reads them.
    [[nodiscard]] Result<void> reconfigure(
        std::size_t i, const std::function<void(Config&)>& change
    );
    /// Empties the disk of a node that does not run: its key and settings stay.
    [[nodiscard]] Result<void> wipe(std::size_t i);
    /// The folders stay when the cluster ends: somebody will want to look.
    void keep_folders() { keep_ = true; }
    void kill(std::size_t i) { nodes_[i].process.kill(); }
    bool terminate(std::size_t i) { return nodes_[i].process.terminate(std::chrono::seconds{5}); }
    [[nodiscard]] bool running(std::size_t i) { return nodes_[i].process.running(); }
    /// Changes the tools that a running node offers (it re-reads its settings).
    [[nodiscard]] Result<void> set_tools(std::size_t i, const std::vector<std::string>& tools);

    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] const std::filesystem::path& folder(std::size_t i) const {
        return nodes_[i].config.dir;
    }
    [[nodiscard]] const std::string& name(std::size_t i) const { return options_.nodes[i].name; }
    [[nodiscard]] const AgentId& agent(std::size_t i) const { return nodes_[i].agent; }
    [[nodiscard]] pid_t pid(std::size_t i) const { return nodes_[i].process.pid(); }
    [[nodiscard]] std::vector<std::uint32_t> pids() const;
    [[nodiscard]] const Genesis& genesis() const { return genesis_; }
    /// Requires: not `direct`.
    [[nodiscard]] LinkShim& links() { return *shim_; }
    /// Where a foreign agent may connect to node i without passing the shim.
    [[nodiscard]] std::string direct_address(std::size_t i) const {
        return nodes_[i].config.listen;
    }

    /// The admin port of node i, known once it runs.
    [[nodiscard]] const std::string& admin_address(std::size_t i) const { return nodes_[i].admin; }
    /// A command at node i; an error document has "ok": false.
    [[nodiscard]] nlohmann::ordered_json ask(
        std::size_t i,
        const std::string& command,
        const nlohmann::ordered_json& body = nlohmann::ordered_json::object(),
        std::chrono::milliseconds timeout = std::chrono::seconds{35}
    );
    /// Waits until the condition holds; false when `timeout` passed first.
    static bool wait_until(
        const std::function<bool()>& condition, std::chrono::milliseconds timeout
    );

private:
    struct Node {
        Config config;
        AgentId agent;
        Process process;
        std::string admin;  ///< Known once it runs.
    };
    explicit RealCluster(RealClusterOptions options) : options_{std::move(options)} {}
    [[nodiscard]] Result<void> prepare();
    [[nodiscard]] Error not_started(std::size_t i) const;

    RealClusterOptions options_;
    Genesis genesis_;
    std::vector<Node> nodes_;
    std::unique_ptr<LinkShim> shim_;
    bool keep_ = false;
};

}  // namespace creto
