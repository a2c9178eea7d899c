// WorkerPool: a few threads and one bounded queue, for signature checks and tools.
//
// Holds    Tasks start in the order they were given. stop() drops what has not started and waits for
//          what has. A task must not throw.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace creto {

class WorkerPool {
public:
    explicit WorkerPool(std::size_t threads);
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    void post(std::function<void()> task);
    void stop();
    /// No task waits or runs. Only the one thread that posts can rely on it.
    [[nodiscard]] bool idle() const { return open_.load(std::memory_order_relaxed) == 0; }

private:
    void run();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;
    bool stopping_ = false;
    std::atomic<std::size_t> open_{0};
    std::vector<std::thread> threads_;
};

}  // namespace creto
