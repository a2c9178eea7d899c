#include "runtime/disk_writer.hpp"

#include "store/commit.hpp"

namespace creto {

DiskWriter::DiskWriter(Store& store, VoteLog& votes, Callbacks callbacks)
    : store_{store}, votes_{votes}, callbacks_{std::move(callbacks)}, thread_{[this] { run(); }} {}

DiskWriter::~DiskWriter() {
    stop();
}

void DiskWriter::write(Persist batch) {
    {
        const std::lock_guard lock{mutex_};
        queue_.push_back(std::move(batch));
    }
    backlog_.fetch_add(1, std::memory_order_relaxed);
    wake_.notify_one();
}

void DiskWriter::stop() {
    {
        const std::lock_guard lock{mutex_};
        if (stopping_) return;
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void DiskWriter::run() {
    bool failed = false;
    while (true) {
        std::vector<Persist> group;
        {
            std::unique_lock lock{mutex_};
            wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            group.swap(queue_);
        }
        backlog_.fetch_sub(group.size(), std::memory_order_relaxed);
        if (failed) continue;
        std::vector<Ticket> tickets;
        tickets.reserve(group.size());
        bool synced = false;
        for (const Persist& batch : group) {
            tickets.push_back(batch.ticket);
            synced = synced || batch.durable == Durable::yes;
        }
        counters_.batches += group.size();
        ++counters_.groups;
        if (synced) ++counters_.synced_groups;
        if (auto done = commit(store_, votes_, std::move(group)); !done) {
            failed = true;
            callbacks_.on_failed(done.error().message);
            continue;
        }
        callbacks_.on_persisted(std::move(tickets));
    }
}

}  // namespace creto
