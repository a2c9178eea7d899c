#include "runtime/disk_writer.hpp"

#include <iterator>

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
        for (const Persist& batch : group)
            tickets.push_back(batch.ticket);
        if (auto done = commit(group); !done) {
            failed = true;
            callbacks_.on_failed(done.error().message);
            continue;
        }
        callbacks_.on_persisted(std::move(tickets));
    }
}

Result<void> DiskWriter::commit(std::vector<Persist>& group) {
    std::vector<KeyWrite> writes;
    std::vector<Bytes> votes;
    Durable durable = Durable::no;
    for (Persist& batch : group) {
        std::move(batch.writes.begin(), batch.writes.end(), std::back_inserter(writes));
        std::move(batch.votes.begin(), batch.votes.end(), std::back_inserter(votes));
        if (batch.durable == Durable::yes) durable = Durable::yes;
    }
    counters_.batches += group.size();
    ++counters_.groups;
    if (durable == Durable::yes) ++counters_.synced_groups;
    // Even an empty durable batch syncs what earlier batches wrote without a sync.
    if (!writes.empty() || durable == Durable::yes) {
        if (auto written = store_.write(writes, durable); !written) return written;
    }
    return votes.empty() ? Result<void>{} : votes_.append(votes);
}

}  // namespace creto
