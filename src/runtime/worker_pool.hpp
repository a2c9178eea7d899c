// WorkerPool: a few threads and one queue that is fair between callers, for signature checks and tools.
//
// Holds    Callers are served in turn, by the time that their tasks took [FLOOD-FAIR.1]; the tasks of
//          one caller start in the order they were given. With two threads or more, no caller has all of
//          them: one whose tasks never end leaves the others a thread. stop() drops what has
//          not started and waits for what has. A task must not throw.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/fair_queue.hpp"
#include "base/time.hpp"
#include "model/ids.hpp"

namespace creto {

class WorkerPool {
public:
    using Task = std::function<void()>;

    explicit WorkerPool(std::size_t threads);
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// `id` is for take_back(). `guess` is what the task will probably take.
    void post(
        const AgentId& caller,
        Task task,
        std::uint64_t id = 0,
        Duration guess = Duration::from_us(100)
    );
    /// True when the task had not started: it never will.
    bool take_back(const AgentId& caller, std::uint64_t id);
    /// The newest task of whoever has most that wait, by its id; it will not start. None: nothing waits,
    /// or `caller` has most.
    [[nodiscard]] std::optional<std::uint64_t> crowd_out(const AgentId& caller);
    void stop();
    /// No task waits or runs. Only the one thread that posts can rely on it.
    [[nodiscard]] bool idle() const { return open_.load(std::memory_order_relaxed) == 0; }
    [[nodiscard]] std::size_t waiting() const;

private:
    struct Entry {
        std::uint64_t id = 0;
        Duration guess;
        Task task;
    };
    void run();

    std::size_t running_max_;  ///< Of one caller.
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    FairQueue<AgentId, Entry> queue_;
    std::map<AgentId, std::size_t> running_;
    bool stopping_ = false;
    std::atomic<std::size_t> open_{0};
    std::vector<std::thread> threads_;
};

}  // namespace creto
