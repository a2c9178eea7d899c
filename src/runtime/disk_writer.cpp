#include "runtime/disk_writer.hpp"

#include <chrono>
#include <utility>

#include "store/commit.hpp"

namespace creto {

namespace {

/// A turn that is written at once must not hold up what else this thread has to do.
constexpr std::int64_t quick_us = 400;
constexpr std::size_t small_bytes = 16 * 1024;

std::size_t bytes_of(const std::vector<Persist>& turn) {
    std::size_t bytes = 0;
    for (const Persist& batch : turn) {
        for (const KeyWrite& write : batch.writes)
            bytes += write.key.size() + (write.value ? (*write.value)->size() : 0);
        for (const Bytes& vote : batch.votes)
            bytes += vote.size();
        for (const Bytes& vote : batch.votes_kept)
            bytes += vote.size();
    }
    return bytes;
}

}  // namespace

DiskWriter::DiskWriter(Store& store, VoteLog& votes, EventTrace& trace, Callbacks callbacks)
    : store_{store},
      votes_{votes},
      trace_{trace},
      callbacks_{std::move(callbacks)},
      thread_{[this] { run(); }} {}

DiskWriter::~DiskWriter() {
    stop();
}

void DiskWriter::write(std::vector<Persist> turn) {
    if (turn.empty()) return;
    backlog_.fetch_add(turn.size(), std::memory_order_relaxed);
    {
        const std::lock_guard lock{mutex_};
        if (queue_.empty()) {
            queue_.swap(turn);
        } else {
            std::move(turn.begin(), turn.end(), std::back_inserter(queue_));
        }
    }
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
    while (true) {
        std::vector<Persist> group;
        {
            std::unique_lock lock{mutex_};
            writing_ = false;
            wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            group.swap(queue_);
            writing_ = true;
        }
        backlog_.fetch_sub(group.size(), std::memory_order_relaxed);
        if (auto tickets = commit_group(std::move(group)))
            callbacks_.on_persisted(std::move(*tickets));
    }
}

std::optional<std::vector<Ticket>> DiskWriter::write_at_once(std::vector<Persist>& turn) {
    if (sync_us_.load(std::memory_order_relaxed) > quick_us || bytes_of(turn) > small_bytes)
        return std::nullopt;
    {
        // Nobody else hands over work, so what is idle now stays so.
        const std::lock_guard lock{mutex_};
        if (stopping_ || writing_ || !queue_.empty()) return std::nullopt;
    }
    auto tickets = commit_group(std::exchange(turn, {}));
    return tickets ? std::move(tickets) : std::vector<Ticket>{};
}

/// The tickets of the group; none once the disk has failed.
std::optional<std::vector<Ticket>> DiskWriter::commit_group(std::vector<Persist> group) {
    if (failed_) return std::nullopt;
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
    const bool small = bytes_of(group) <= small_bytes;
    const std::string last = std::to_string(tickets.back().value());
    trace_.note("disk begins", last);
    const auto begin = std::chrono::steady_clock::now();
    if (auto done = commit(store_, votes_, std::move(group)); !done) {
        failed_ = true;
        callbacks_.on_failed(done.error().message);
        return std::nullopt;
    }
    trace_.note("disk done", last);
    const std::int64_t took = std::chrono::duration_cast<std::chrono::microseconds>(
                                  std::chrono::steady_clock::now() - begin
    )
                                  .count();
    if (synced) counters_.synced_us += static_cast<std::uint64_t>(took);
    if (synced && small) {
        const std::int64_t mean = sync_us_.load(std::memory_order_relaxed);
        sync_us_.store(mean + (took - mean) / 8, std::memory_order_relaxed);
    }
    return tickets;
}

}  // namespace creto
