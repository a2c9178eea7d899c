#include "runtime/worker_pool.hpp"

namespace creto {

WorkerPool::WorkerPool(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i)
        threads_.emplace_back([this] { run(); });
}

WorkerPool::~WorkerPool() {
    stop();
}

void WorkerPool::post(std::function<void()> task) {
    {
        const std::lock_guard lock{mutex_};
        if (stopping_) return;
        queue_.push_back(std::move(task));
    }
    open_.fetch_add(1, std::memory_order_relaxed);
    wake_.notify_one();
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
    while (true) {
        std::function<void()> task;
        {
            std::unique_lock lock{mutex_};
            wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (stopping_) return;
            task = std::move(queue_.front());
            queue_.pop_front();
        }
        task();
        open_.fetch_sub(1, std::memory_order_relaxed);
    }
}

}  // namespace creto
