#include "runtime/worker_pool.hpp"

#include <algorithm>
#include <chrono>

namespace creto {

WorkerPool::WorkerPool(std::size_t threads) : running_max_{std::max<std::size_t>(threads, 2) - 1} {
    for (std::size_t i = 0; i < threads; ++i)
        threads_.emplace_back([this] { run(); });
}

WorkerPool::~WorkerPool() {
    stop();
}

void WorkerPool::post(const AgentId& caller, Task task, std::uint64_t id, Duration guess) {
    {
        const std::lock_guard lock{mutex_};
        if (stopping_) return;
        queue_.push(caller, static_cast<std::uint64_t>(guess.ns()), {id, guess, std::move(task)});
    }
    open_.fetch_add(1, std::memory_order_relaxed);
    wake_.notify_one();
}

bool WorkerPool::take_back(const AgentId& caller, std::uint64_t id) {
    const std::lock_guard lock{mutex_};
    const auto taken = queue_.take_if(caller, [id](const Entry& entry) { return entry.id == id; });
    open_.fetch_sub(taken.size(), std::memory_order_relaxed);
    return !taken.empty();
}

std::optional<std::uint64_t> WorkerPool::crowd_out(const AgentId& caller) {
    const std::lock_guard lock{mutex_};
    if (queue_.empty()) return std::nullopt;
    const AgentId most = queue_.greediest();
    if (queue_.size_of(caller) >= queue_.size_of(most)) return std::nullopt;
    open_.fetch_sub(1, std::memory_order_relaxed);
    return queue_.take_newest(most).id;
}

std::size_t WorkerPool::waiting() const {
    const std::lock_guard lock{mutex_};
    return queue_.size();
}

void WorkerPool::stop() {
    {
        const std::lock_guard lock{mutex_};
        if (stopping_) return;
        stopping_ = true;
        queue_.clear();
    }
    wake_.notify_all();
    for (std::thread& thread : threads_)
        thread.join();
}

void WorkerPool::run() {
    using Clock = std::chrono::steady_clock;
    const auto may = [this](const AgentId& caller) {
        const auto running = running_.find(caller);
        return running == running_.end() || running->second < running_max_;
    };
    std::unique_lock lock{mutex_};
    while (true) {
        std::optional<FairQueue<AgentId, Entry>::Popped> next;
        wake_.wait(lock, [&] { return stopping_ || (next = queue_.pop(may)).has_value(); });
        if (stopping_) return;
        ++running_[next->key];
        lock.unlock();
        const auto begun = Clock::now();
        next->item.task();
        next->item.task = nullptr;  // What it holds goes before anybody hears that it is done.
        const auto took = std::chrono::nanoseconds{Clock::now() - begun}.count();
        open_.fetch_sub(1, std::memory_order_relaxed);
        lock.lock();
        queue_.charge(next->key, took - next->item.guess.ns());
        const auto running = running_.find(next->key);
        if (--running->second == 0) running_.erase(running);
        wake_.notify_one();  // A task of this caller may have waited for this one to end.
    }
}

}  // namespace creto
