// ToolRunner: runs this agent's tools: at once on the caller's thread, or on threads of their own.
//
// Why      A built-in tool costs a microsecond and runs where it is called; a tool of somebody else may
//          be slow or hang and must not hold up the protocol.
// Holds    Every run reports exactly once, with what it took, unless it was cancelled before it started:
//          then it never runs. Callers take turns by the time their runs took, and no caller has all
//          workers [FLOOD-FAIR.1]. At most queue_max runs wait: for one more, the newest of whoever has
//          most goes, as overloaded. A tool that does not return keeps its worker, but its call is
//          answered at the deadline by whoever waits. A tool that throws has failed; the process goes on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
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
        std::size_t workers = 4;
        std::size_t queue_max = 4'096;
    };
    using Done = std::function<void(Executed)>;

    /// `done` is called on a worker, or within execute() for a run that was refused.
    ToolRunner(Options options, Done done);
    ~ToolRunner() { stop(); }
    ToolRunner(const ToolRunner&) = delete;
    ToolRunner& operator=(const ToolRunner&) = delete;

    /// Replaces the tools. `quick` names those that may run on the protocol thread.
    void set_tools(
        std::shared_ptr<const RegistrySnapshot> tools, std::set<std::string, std::less<>> quick
    );
    [[nodiscard]] std::shared_ptr<const RegistrySnapshot> tools() const;

    /// The outcome of a quick tool, at once; none: `done` will be called.
    [[nodiscard]] std::optional<Executed> execute(const Execute& execute);
    void cancel(Ticket ticket);
    /// Runs that were refused because too many waited.
    [[nodiscard]] std::uint64_t overloaded() const;
    void stop();

private:
    [[nodiscard]] bool make_room(const Execute& execute);
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
    std::map<Ticket, AgentId> open_;  ///< Given to workers, not reported: whose they are.
    std::set<Ticket> cancelled_;      ///< Of these, in the middle of their run.
    std::uint64_t overloaded_ = 0;
    WorkerPool workers_;
};

}  // namespace creto
