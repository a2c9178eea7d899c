// AgentClient: an agent without a seat inside this process: connects to real nodes and calls their tools.
//
// Why      Scenarios and load drivers use the mesh as any agent does, encrypted and over the network.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/node_host.hpp"
#include "store/memory_store.hpp"
#include "store/memory_vote_log.hpp"

namespace creto {

class AgentClient {
public:
    /// Connects to these addresses; returns when all of them are peers with known tools.
    [[nodiscard]] static Result<std::unique_ptr<AgentClient>> connect(
        const Genesis& genesis, const std::string& name, const std::vector<std::string>& addresses
    );
    ~AgentClient();
    AgentClient(const AgentClient&) = delete;
    AgentClient& operator=(const AgentClient&) = delete;

    /// Any command; waits for its reply.
    [[nodiscard]] ReplyBody ask(CommandBody command);
    Ticket send(CommandBody command, NodeHost::ReplyHandler handler) {
        return host_->command(std::move(command), std::move(handler));
    }
    struct Load {
        std::vector<double> latencies_us;  ///< Of calls that returned a result, unordered.
        std::uint64_t results = 0;
        std::uint64_t wrong = 0;
        std::uint64_t rate_limited = 0;
        std::uint64_t failed = 0;
        std::string error;  ///< What the last refused or failed call said.
        double seconds = 0;
    };
    /// `total` calls, plain or verified, with at most `window` outstanding; each result must equal
    /// `expected`.
    [[nodiscard]] Load load(
        const CommandBody& call, const std::string& expected, std::size_t total, std::size_t window
    );

private:
    AgentClient() = default;
    SilentLog log_;
    MemoryStore store_;
    MemoryVoteLog votes_;
    std::unique_ptr<NodeHost> host_;
    std::thread thread_;
};

/// The p-th percentile (0 to 100); 0 for none.
[[nodiscard]] double percentile(std::vector<double> values, double p);

}  // namespace creto
