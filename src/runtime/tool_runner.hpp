// ToolRunner: runs this agent's tools: at once on the caller's thread, or on threads of their own.
//
// Why      A built-in tool costs a microsecond and runs where it is called; a tool of somebody else may
//          be slow or hang and must not hold up the protocol.
// Holds    Every run reports exactly once, with what it took, unless it was cancelled before it started:
//          then it never runs. Callers take turns by the time their runs took, and no caller has all
//          workers [FLOOD-FAIR.1]. At most queue_max runs wait: for one more, the newest of whoever has
//          most goes, as overloaded. A tool that does not return keeps its worker, but its call is
//          answered at the deadline by whoever waits. A tool that throws has failed; the process goes on.
//          [CALL-STREAM.3] What a run shows waits here in at most limits::stream_held_bytes until it is
//          taken; all of it is offered before the run is reported. A run that was cancelled is told so
//          when it shows something. Quick tools have nothing to show.
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
    /// What a run has shown since it was last taken.
    using TakePieces = std::function<Emitted()>;
    using OnPieces = std::function<void(TakePieces)>;

    /// `done` is called on a worker, or within execute() for a run that was refused. `on_pieces`, on a
    /// worker, says that there is something to take, and says it again only when that was taken.
    ToolRunner(Options options, Done done, OnPieces on_pieces = {});
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
    class Shown;
    [[nodiscard]] bool make_room(const Execute& execute, std::shared_ptr<Shown> shown);
    [[nodiscard]] static Executed run(
        const RegistrySnapshot& tools,
        Ticket ticket,
        const std::string& tool,
        const ContractId& contract,
        const std::string& arguments,
        PieceSink* pieces
    );

    Options options_;
    Done done_;
    OnPieces on_pieces_;
    mutable std::mutex mutex_;
    std::shared_ptr<const RegistrySnapshot> tools_;
    std::set<std::string, std::less<>> quick_;
    /// Given to workers, not reported: whose they are, and what they show.
    struct Open {
        AgentId caller;
        std::shared_ptr<Shown> shown;
    };
    std::map<Ticket, Open> open_;
    std::set<Ticket> cancelled_;  ///< Of these, in the middle of their run.
    std::uint64_t overloaded_ = 0;
    WorkerPool workers_;
};

}  // namespace creto
