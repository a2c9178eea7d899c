#include "sim/disk.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace creto {
namespace {

enum class Draw : std::uint64_t { sync = 1, store_tail = 2, log_tail = 3 };

constexpr std::uint64_t disk_stream = 0x21;

std::uint64_t bytes_of(const SimDisk::Key& key, const Bytes& value) {
    return 1 + key.second.size() + value.size();
}

}  // namespace

SimDisk::SimDisk(DiskOptions options) : options_{options}, draws_{options.seed, disk_stream} {
    set_sync_latency(options.sync_min, options.sync_max);
}

Result<Instant> SimDisk::write(DiskBatch batch, Durable durable, Instant now) {
    settle(now);
    if (failures_left_ > 0) {
        --failures_left_;
        return fail(ErrorCode::io, "disk: the write failed (injected)");
    }
    if (used_bytes_ + growth_of(batch) > options_.capacity_bytes)
        return fail(ErrorCode::limit, "disk: full");

    if (!batch.writes.empty()) {
        PendingBatch pending{Instant::max(), {}};
        for (DiskWrite& write : batch.writes) {
            const Key key{write.column, std::move(write.key)};
            const auto found = contents_.find(key);
            pending.undo.push_back(
                {key, found == contents_.end() ? std::nullopt : std::optional{found->second}}
            );
            put(key, std::move(write.value));
        }
        pending_.push_back(std::move(pending));
    }
    for (Bytes& record : batch.log_records) {
        used_bytes_ += record.size();
        log_.push_back(std::move(record));
        log_pending_.push_back(Instant::max());
    }
    if (durable == Durable::no) return Instant::max();
    const Instant end = next_sync_end(now);
    cover_unsynced(end);
    return end;
}

/// Counts what a batch adds and nothing that it frees: a full disk must have room for both.
std::uint64_t SimDisk::growth_of(const DiskBatch& batch) const {
    std::uint64_t bytes = 0;
    for (const DiskWrite& write : batch.writes)
        if (write.value) bytes += 1 + write.key.size() + write.value->size();
    for (const Bytes& record : batch.log_records)
        bytes += record.size();
    return bytes;
}

/// One sync runs at a time; whoever comes while it runs shares the one after it.
Instant SimDisk::next_sync_end(Instant now) {
    const auto duration = [&] {
        const auto span = static_cast<std::uint64_t>((options_.sync_max - options_.sync_min).ns());
        const std::uint64_t word = draws_(static_cast<std::uint64_t>(Draw::sync), syncs_++);
        return options_.sync_min +
               Duration::from_ns(static_cast<std::int64_t>(scale_to(word, span + 1)));
    };
    if (waiting_end_ && running_end_ <= now) {
        running_end_ = *waiting_end_;
        waiting_end_.reset();
    }
    if (running_end_ <= now) {
        running_end_ = now + duration();
        return running_end_;
    }
    if (!waiting_end_) waiting_end_ = running_end_ + duration();
    return *waiting_end_;
}

void SimDisk::cover_unsynced(Instant end) {
    for (; pending_covered_ < pending_.size(); ++pending_covered_)
        pending_[pending_covered_].durable_at = end;
    for (; log_covered_ < log_pending_.size(); ++log_covered_)
        log_pending_[log_covered_] = end;
}

/// Forgets how to undo what is durable by now.
void SimDisk::settle(Instant now) {
    while (!pending_.empty() && pending_.front().durable_at <= now) {
        pending_.pop_front();
        --pending_covered_;
    }
    while (!log_pending_.empty() && log_pending_.front() <= now) {
        log_pending_.pop_front();
        --log_covered_;
    }
}

void SimDisk::put(const Key& key, std::optional<Bytes> value) {
    const auto found = contents_.find(key);
    if (found != contents_.end()) {
        used_bytes_ -= bytes_of(key, found->second);
        if (!value) {
            contents_.erase(found);
            return;
        }
        found->second = std::move(*value);
        used_bytes_ += bytes_of(key, found->second);
    } else if (value) {
        const auto added = contents_.emplace(key, std::move(*value)).first;
        used_bytes_ += bytes_of(key, added->second);
    }
}

const Bytes* SimDisk::get(std::uint8_t column, const Bytes& key) const {
    const auto found = contents_.find({column, key});
    return found == contents_.end() ? nullptr : &found->second;
}

std::size_t SimDisk::log_durable(Instant now) const {
    const auto unsynced = std::partition_point(
        log_pending_.begin(), log_pending_.end(), [&](Instant at) { return at <= now; }
    );
    return log_.size() - static_cast<std::size_t>(log_pending_.end() - unsynced);
}

void SimDisk::truncate_log_front(std::size_t count, Instant now) {
    CRETO_ASSERT(count <= log_durable(now));
    settle(now);
    const auto end = log_.begin() + static_cast<std::ptrdiff_t>(count);
    for (auto record = log_.begin(); record != end; ++record)
        used_bytes_ -= record->size();
    log_.erase(log_.begin(), end);
}

void SimDisk::crash(Instant now, CrashLoss loss) {
    settle(now);
    const std::size_t batches = survivors(pending_.size(), loss, std::uint64_t(Draw::store_tail));
    while (pending_.size() > batches) {
        auto& undo = pending_.back().undo;
        for (auto step = undo.rbegin(); step != undo.rend(); ++step)
            put(step->key, std::move(step->before));
        pending_.pop_back();
    }
    const std::size_t records = survivors(log_pending_.size(), loss, std::uint64_t(Draw::log_tail));
    for (; log_pending_.size() > records; log_pending_.pop_back()) {
        used_bytes_ -= log_.back().size();
        log_.pop_back();
    }
    // What the next start finds is what the disk holds.
    pending_.clear();
    log_pending_.clear();
    pending_covered_ = 0;
    log_covered_ = 0;
    running_end_ = now;
    waiting_end_.reset();
    ++crashes_;
}

std::size_t SimDisk::survivors(std::size_t unsynced, CrashLoss loss, std::uint64_t use) {
    if (loss == CrashLoss::all_unsynced) return 0;
    return static_cast<std::size_t>(scale_to(draws_(use, crashes_), unsynced + 1));
}

void SimDisk::wipe() {
    contents_.clear();
    log_.clear();
    pending_.clear();
    log_pending_.clear();
    pending_covered_ = 0;
    log_covered_ = 0;
    waiting_end_.reset();
    used_bytes_ = 0;
}

bool SimDisk::corrupt(std::uint8_t column, const Bytes& key, std::size_t offset) {
    const auto found = contents_.find({column, key});
    if (found == contents_.end() || offset >= found->second.size()) return false;
    found->second[offset] ^= 1U;
    return true;
}

void SimDisk::set_sync_latency(Duration least, Duration most) {
    CRETO_ASSERT(Duration{} <= least && least <= most);
    options_.sync_min = least;
    options_.sync_max = most;
}

}  // namespace creto
