#include "sim/disk.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "store/keys.hpp"

namespace creto {
namespace {

enum class DiskDraw : std::uint64_t { sync = 1, store_tail = 2, log_tail = 3 };

constexpr std::uint64_t disk_stream = 0x21;

std::uint64_t bytes_of(std::size_t key_bytes, const Bytes& value) {
    return 1 + key_bytes + value.size();
}

/// Counts what a batch adds and nothing that it frees: a full disk must have room for both.
std::uint64_t growth_of(const std::vector<KeyWrite>& writes, const std::vector<Bytes>& records) {
    std::uint64_t bytes = 0;
    for (const KeyWrite& write : writes)
        if (write.value) bytes += bytes_of(write.key.size(), **write.value);
    for (const Bytes& record : records)
        bytes += record.size();
    return bytes;
}

/// So many bytes from a place on as a number, zeros behind the end.
std::uint64_t number_at(const Bytes& bytes, std::size_t from, std::size_t count) {
    std::uint64_t number = 0;
    for (std::size_t i = from; i < from + count; ++i)
        number = number << 8U | (i < bytes.size() ? bytes[i] : 0U);
    return number;
}

/// How many of so many records are durable, when the last ones become so at these instants.
std::size_t durable_of(std::size_t records, const std::deque<Instant>& pending, Instant now) {
    const auto unsynced =
        std::partition_point(pending.begin(), pending.end(), [&](Instant at) { return at <= now; });
    return records - static_cast<std::size_t>(pending.end() - unsynced);
}

}  // namespace

DiskKey::DiskKey(Column column, Bytes bytes)
    : head_{number_at(bytes, 0, 7), number_at(bytes, 7, 8), number_at(bytes, 15, 8)},
      column_{column},
      bytes_{std::move(bytes)} {
    head_[0] |= std::uint64_t{static_cast<std::uint8_t>(column)} << 56U;
}

SimDisk::SimDisk(DiskOptions options) : options_{options}, draws_{options.seed, disk_stream} {
    set_sync_latency(options.sync_min, options.sync_max);
}

Result<Instant> SimDisk::write(
    std::vector<KeyWrite> writes,
    std::vector<Bytes> records,
    Durable durable,
    Instant now,
    const std::vector<Bytes>& log_kept
) {
    settle(now);
    if (failures_left_ > 0) {
        --failures_left_;
        return fail(ErrorCode::io, "disk: the write failed (injected)");
    }
    if (used_bytes_ + growth_of(writes, records) > options_.capacity_bytes)
        return fail(ErrorCode::limit, "disk: full");
    const bool replaces_log = !log_kept.empty() || (!log_damage_.empty() && !records.empty());
    if (observer_ != nullptr)
        observer_->on_write({writes, records, log_kept, replaces_log, durable, now});

    if (!writes.empty()) {
        for (KeyWrite& write : writes) {
            Key key{write.column, std::move(write.key)};
            undo_.push_back(
                write.value ? set(std::move(key), std::move(*write.value)) : erase(key)
            );
        }
        pending_.push_back({Instant::max(), writes.size()});
    }
    if (replaces_log) replace_log(log_kept);
    for (Bytes& record : records) {
        used_bytes_ += record.size();
        log_.push_back(std::move(record));
        log_pending_.push_back(Instant::max());
    }
    if (durable == Durable::no) return Instant::max();
    const Instant end = next_sync_end(now);
    cover_unsynced(end);
    return end;
}

/// A new file beside the old one, which takes its place when it is durable.
void SimDisk::replace_log(const std::vector<Bytes>& kept) {
    ++counters_.logs_replaced;
    for (const Bytes& record : log_)
        used_bytes_ -= record.size();
    for (const Bytes& record : kept)
        used_bytes_ += record.size();
    logs_before_.push_back(
        {Instant::max(), std::move(log_), log_pending_, std::exchange(log_damage_, {})}
    );
    log_ = kept;
    log_pending_.assign(kept.size(), Instant::max());
    log_covered_ = 0;
}

/// One sync runs at a time; whoever comes while it runs shares the one after it.
Instant SimDisk::next_sync_end(Instant now) {
    const auto duration = [&] {
        const auto span = static_cast<std::uint64_t>((options_.sync_max - options_.sync_min).ns());
        const std::uint64_t word = draws_(static_cast<std::uint64_t>(DiskDraw::sync), syncs_++);
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
    for (LogBefore& before : logs_before_) {
        before.durable_at = std::min(before.durable_at, end);
        for (Instant& at : before.pending)
            at = std::min(at, end);
    }
}

/// Forgets how to undo what is durable by now.
void SimDisk::settle(Instant now) {
    while (!pending_.empty() && pending_.front().durable_at <= now) {
        for (std::size_t i = 0; i < pending_.front().steps; ++i)
            undo_.pop_front();
        pending_.pop_front();
        --pending_covered_;
    }
    while (!log_pending_.empty() && log_pending_.front() <= now) {
        log_pending_.pop_front();
        --log_covered_;
    }
    while (!logs_before_.empty() && logs_before_.front().durable_at <= now)
        logs_before_.pop_front();
}

SimDisk::Undo SimDisk::set(Key key, SharedBytes value) {
    if (!rotten_.empty()) rotten_.erase(key);
    const std::size_t key_bytes = key.bytes().size();
    used_bytes_ += bytes_of(key_bytes, *value);
    const auto at = contents_.try_emplace(std::move(key)).first;
    SharedBytes before = std::exchange(at->second, std::move(value));
    if (before) used_bytes_ -= bytes_of(key_bytes, *before);
    return {&at->first, std::move(before), {}};
}

SimDisk::Undo SimDisk::erase(const Key& key) {
    const auto at = contents_.find(key);
    if (at == contents_.end()) return {};
    if (!rotten_.empty()) rotten_.erase(key);
    used_bytes_ -= bytes_of(key.bytes().size(), *at->second);
    return {nullptr, nullptr, contents_.extract(at)};
}

/// Requires: all later steps are undone, so that the key stands where this one left it.
void SimDisk::undo(Undo step) {
    if (!step.deleted.empty()) {
        used_bytes_ += bytes_of(step.deleted.key().bytes().size(), *step.deleted.mapped());
        contents_.insert(std::move(step.deleted));
    }
    if (step.key == nullptr) return;
    if (!rotten_.empty()) rotten_.erase(*step.key);
    const std::size_t key_bytes = step.key->bytes().size();
    const auto at = contents_.find(*step.key);
    used_bytes_ -= bytes_of(key_bytes, *at->second);
    if (step.before) {
        used_bytes_ += bytes_of(key_bytes, *step.before);
        at->second = std::move(step.before);  // In its place: earlier steps name this key.
    } else {
        contents_.erase(at);
    }
}

void SimDisk::add_reverse(const Undo& step, std::vector<KeyWrite>& to) {
    if (!step.deleted.empty()) {
        const Key& key = step.deleted.key();
        to.push_back({key.column(), key.bytes(), step.deleted.mapped()});
    }
    if (step.key == nullptr) return;
    to.push_back({step.key->column(), step.key->bytes(), {}});
    if (step.before) to.back().value = step.before;
}

Result<void> SimDisk::readable(const Key& key) const {
    if (!reads_fail_ && !rotten_.contains(key)) return {};
    ++counters_.reads_failed;
    if (reads_fail_) return fail(ErrorCode::io, "disk: the read failed (injected)");
    return fail(
        ErrorCode::corrupt,
        std::string{"disk: a value of "} + to_string(key.column()) +
            " does not fit its checksum (injected)"
    );
}

Result<std::optional<Bytes>> SimDisk::get(Column column, ByteView key) const {
    const Key wanted{column, Bytes{key.begin(), key.end()}};
    if (auto good = readable(wanted); !good) return tl::unexpected<Error>(good.error());
    const auto found = contents_.find(wanted);
    if (found == contents_.end()) return std::optional<Bytes>{};
    return std::optional<Bytes>{*found->second};
}

Result<void> SimDisk::scan(
    Column column,
    ByteView from,
    ByteView to,
    const std::function<bool(ByteView key, ByteView value)>& visit
) const {
    const Key end{column, Bytes{to.begin(), to.end()}};
    auto entry = contents_.lower_bound({column, Bytes{from.begin(), from.end()}});
    if (reads_fail_) return readable({});
    for (; entry != contents_.end() && entry->first.column() == column; ++entry) {
        if (!to.empty() && !(entry->first < end)) break;
        if (!rotten_.empty())
            if (auto good = readable(entry->first); !good) return good;
        if (!visit(entry->first.bytes(), *entry->second)) break;
    }
    return {};
}

std::size_t SimDisk::log_durable(Instant now) const {
    return durable_of(log_.size(), log_pending_, now);
}

std::span<const Bytes> SimDisk::durable_log(Instant now) const {
    for (const LogBefore& before : logs_before_) {
        if (before.durable_at > now)
            return std::span{before.records}.first(
                durable_of(before.records.size(), before.pending, now)
            );
    }
    return std::span{log_}.first(log_durable(now));
}

void SimDisk::truncate_log_front(std::size_t count, Instant now) {
    CRETO_ASSERT(count <= log_durable(now));
    CRETO_ASSERT(observer_ == nullptr);  // No node asks for it, so nobody is told.
    settle(now);
    const auto end = log_.begin() + static_cast<std::ptrdiff_t>(count);
    for (auto record = log_.begin(); record != end; ++record)
        used_bytes_ -= record->size();
    log_.erase(log_.begin(), end);
}

void SimDisk::crash(Instant now, CrashLoss loss) {
    settle(now);
    DiskLoss loss_told{{}, nullptr, now};
    const std::size_t batches =
        survivors(pending_.size(), loss, std::uint64_t(DiskDraw::store_tail));
    counters_.batches_torn += batches;
    counters_.batches_lost += pending_.size() - batches;
    while (pending_.size() > batches) {
        for (std::size_t i = 0; i < pending_.back().steps; ++i) {
            if (observer_ != nullptr) add_reverse(undo_.back(), loss_told.taken_back);
            undo(std::move(undo_.back()));
            undo_.pop_back();
        }
        pending_.pop_back();
    }
    if (!logs_before_.empty()) {
        for (const Bytes& record : log_)
            used_bytes_ -= record.size();
        ++counters_.logs_put_back;
        LogBefore& before = logs_before_.front();
        before.records.resize(durable_of(before.records.size(), before.pending, now));
        log_ = std::move(before.records);
        for (const Bytes& record : log_)
            used_bytes_ += record.size();
        log_damage_ = std::move(before.damage);
        log_pending_.clear();
        loss_told.log = &log_;
    }
    const std::size_t records =
        survivors(log_pending_.size(), loss, std::uint64_t(DiskDraw::log_tail));
    counters_.records_lost += log_pending_.size() - records;
    if (records < log_pending_.size()) loss_told.log = &log_;
    for (; log_pending_.size() > records; log_pending_.pop_back()) {
        used_bytes_ -= log_.back().size();
        log_.pop_back();
    }
    // What the next start finds is what the disk holds.
    forget_unsynced();
    running_end_ = now;
    ++crashes_;
    if (observer_ != nullptr) observer_->on_crash(std::move(loss_told));
}

void SimDisk::forget_unsynced() {
    pending_.clear();
    undo_.clear();
    log_pending_.clear();
    logs_before_.clear();
    pending_covered_ = 0;
    log_covered_ = 0;
    waiting_end_.reset();
}

std::size_t SimDisk::survivors(std::size_t unsynced, CrashLoss loss, std::uint64_t use) {
    if (loss == CrashLoss::all_unsynced) return 0;
    return static_cast<std::size_t>(scale_to(draws_(use, crashes_), unsynced + 1));
}

void SimDisk::load(DiskImage image) {
    contents_ = std::move(image.contents);
    log_ = std::move(image.log);
    rotten_.clear();
    log_damage_.clear();
    forget_unsynced();
    used_bytes_ = 0;
    for (const auto& [key, value] : contents_)
        used_bytes_ += bytes_of(key.bytes().size(), *value);
    for (const Bytes& record : log_)
        used_bytes_ += record.size();
    if (observer_ != nullptr) observer_->on_replaced(*this);
}

bool SimDisk::rot(std::uint64_t word) {
    if (contents_.empty()) return false;
    auto found = contents_.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(scale_to(word, contents_.size())));
    rotten_.insert(found->first);
    return true;
}

bool SimDisk::corrupt(Column column, const Bytes& key, std::size_t offset) {
    const auto found = contents_.find({column, key});
    if (found == contents_.end() || offset >= found->second->size()) return false;
    Bytes changed = *found->second;
    changed[offset] ^= 1U;
    found->second = share(std::move(changed));  // Others may hold the old bytes.
    return true;
}

void SimDisk::set_sync_latency(Duration least, Duration most) {
    CRETO_ASSERT(Duration{} <= least && least <= most);
    options_.sync_min = least;
    options_.sync_max = most;
}

}  // namespace creto
