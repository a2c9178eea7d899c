// ToolRunner: runs this agent's tools: at once on the caller's thread, or on threads of their own.
//
// Why      A built-in tool costs a microsecond and runs where it is called; a tool of somebody else may
//          be slow or hang and must not hold up the protocol.
// Holds    Every run reports exactly once unless it was cancelled. A tool that does not return keeps its
//          worker, but its call is answered at the deadline by whoever waits; with all workers stuck,
//          further runs are refused as overloaded. A tool that throws has failed; the process goes on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "model/effect.hpp"
#include "model/event.hpp"
#include "runtime/worker_pool.hpp"
#include "tools/registry.hpp"

namespace creto {

class ToolRunner {
public:
    struct Options {
        std::size_t workers = 2;
        std::size_t queue_max = 4'096;
    };
    using Done = std::function<void(Executed)>;

    /// `done` is called on the caller's thread for quick tools, else on a worker.
    ToolRunner(Options options, Done done);
    ~ToolRunner() { stop(); }
    ToolRunner(const ToolRunner&) = delete;
    ToolRunner& operator=(const ToolRunner&) = delete;

    /// Replaces the tools. `quick` names those that may run on the protocol thread.
    void set_tools(
        std::shared_ptr<const RegistrySnapshot> tools, std::set<std::string, std::less<>> quick
    );
    [[nodiscard]] std::shared_ptr<const RegistrySnapshot> tools() const;

    void execute(const Execute& execute);
    void cancel(Ticket ticket);
    void stop();

private:
    [[nodiscard]] static Executed run(
        const RegistrySnapshot& tools,
        Ticket ticket,
        const std::string& tool,
        const ContractId& contract,
        const std::string& arguments
    );

    Options options_;
    Done done_;
    mutable std::mutex mutex_;
    std::shared_ptr<const RegistrySnapshot> tools_;
    std::set<std::string, std::less<>> quick_;
    std::set<Ticket> waiting_;  ///< Given to workers, not reported.
    WorkerPool workers_;
};

}  // namespace creto
