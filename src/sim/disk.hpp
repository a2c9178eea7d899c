// SimDisk: one node's key-value store and vote log in memory, which lose what was not synced.
//
// Why      "Persist, then speak" is only tested by a disk that forgets. A real one keeps what was
//          written before a finished sync, and of the rest some prefix, or nothing.
// Holds    [DISK-VISIBLE] A write is seen by its node at once.
//          [DISK-DURABLE] A write survives a crash after the instant that write() gave for it;
//          such instants never fall in the order of the writes.
//          [DISK-PREFIX] What a crash leaves is a prefix of the batches written to the store and
//          a prefix of the records written to the log; batches are never split.
//          Syncs are grouped: what is written while one runs shares the next.
// Errors   ErrorCode::io for an injected fault, ErrorCode::limit when the disk is full; the batch
//          then changed nothing.
// Cost     O(log n) a write; memory for the contents and, until synced, what they replaced.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/prng.hpp"
#include "base/result.hpp"
#include "base/ring.hpp"
#include "base/time.hpp"
#include "sim/disk_observer.hpp"
#include "store/store.hpp"

namespace creto {

/// What a crash does to what was not synced.
enum class CrashLoss : std::uint8_t {
    all_unsynced,  ///< Loses all of it.
    torn,          ///< Keeps a drawn prefix of the store's batches, another of the log's records.
};

struct DiskOptions {
    std::uint64_t seed = 0;
    /// How long one sync takes: drawn evenly between the two, by the number of the sync.
    Duration sync_min = Duration::from_us(200);
    Duration sync_max = Duration::from_us(400);
    std::uint64_t capacity_bytes = ~std::uint64_t{0};
};

/// What happened to a disk over all lives of its node.
struct DiskCounters {
    std::uint64_t logs_replaced = 0;
    std::uint64_t logs_put_back = 0;  ///< A crash came before the new log was durable.
    std::uint64_t batches_lost = 0;
    std::uint64_t batches_torn = 0;  ///< Not durable, and kept by a crash.
    std::uint64_t records_lost = 0;
    std::uint64_t reads_failed = 0;
};

/// A key of one column.
class DiskKey {
public:
    DiskKey() : DiskKey{Column{}, {}} {}
    DiskKey(Column column, Bytes bytes);

    [[nodiscard]] Column column() const { return column_; }
    [[nodiscard]] const Bytes& bytes() const { return bytes_; }

    friend bool operator==(const DiskKey&, const DiskKey&) = default;
    /// By column, then by the bytes.
    friend std::strong_ordering operator<=>(const DiskKey& a, const DiskKey& b) {
        if (a.head_ != b.head_) return a.head_ <=> b.head_;
        return a.bytes_ <=> b.bytes_;
    }

private:
    /// The column and 23 bytes, most significant first, zeros behind the end. They decide nearly
    /// always, so that a look-up does not visit the bytes of each key on its way.
    std::array<std::uint64_t, 3> head_;
    Column column_;
    Bytes bytes_;
};

struct DiskImage {
    std::map<DiskKey, SharedBytes> contents;
    std::vector<Bytes> log;
};

class SimDisk final : public StoreView {
public:
    using Key = DiskKey;
    using Contents = std::map<Key, SharedBytes>;

    explicit SimDisk(DiskOptions options);

    /// Applies the batch and says when it is durable: Instant::max() for Durable::no until a later
    /// durable write takes it along. Requires: now never goes back, here and below.
    /// With `log_kept`, or when the log is damaged, the log is replaced by these first, as a whole.
    [[nodiscard]] Result<Instant> write(
        std::vector<KeyWrite> writes,
        std::vector<Bytes> records,
        Durable durable,
        Instant now,
        const std::vector<Bytes>& log_kept = {}
    );

    [[nodiscard]] Result<std::optional<Bytes>> get(Column column, ByteView key) const override;
    [[nodiscard]] Result<void> scan(
        Column column,
        ByteView from,
        ByteView to,
        const std::function<bool(ByteView key, ByteView value)>& visit
    ) const override;
    /// All that the store holds, ordered by (column, key).
    [[nodiscard]] const Contents& contents() const { return contents_; }
    /// The vote log, the oldest record first.
    [[nodiscard]] const std::vector<Bytes>& log() const { return log_; }
    /// How many of the log's records would survive any crash now.
    [[nodiscard]] std::size_t log_durable(Instant now) const;
    /// What any crash now would leave of the log, or of the one that it is about to replace.
    [[nodiscard]] std::span<const Bytes> durable_log(Instant now) const;

    /// Drops records below `count` once they need not be replayed. Requires: they are durable.
    void truncate_log_front(std::size_t count, Instant now);

    /// The node stops at `now`; syncs that were not finished have not happened.
    void crash(Instant now, CrashLoss loss);
    /// Everything is gone, as with a new disk.
    void wipe() { load({}); }
    /// A copy of the files as they are now, and the way back to it: a rolled-back disk.
    [[nodiscard]] DiskImage image() const { return {contents_, log_}; }
    void load(DiskImage image);
    /// A drawn value rots: what is there no longer fits its checksum, so that reading it fails until
    /// it is written again. A misdirected write leaves two such places. False: nothing is stored.
    bool rot(std::uint64_t word);
    /// A record before the log's tail is torn: the next start finds the log damaged, until it is
    /// replaced.
    void damage_log(std::string damage) { log_damage_ = std::move(damage); }
    [[nodiscard]] const std::string& log_damage() const { return log_damage_; }
    /// While true every read fails.
    void fail_reads(bool fails) { reads_fail_ = fails; }
    /// Flips the lowest bit of a stored value's byte; false if there is no such byte.
    bool corrupt(Column column, const Bytes& key, std::size_t offset);

    void fail_next_writes(std::uint32_t count) { failures_left_ = count; }
    void set_capacity(std::uint64_t bytes) { options_.capacity_bytes = bytes; }
    /// Requires: 0 <= least <= most.
    void set_sync_latency(Duration least, Duration most);

    /// Who is told of all writes, crashes and replacements from now on; null: nobody. It outlives the
    /// disk, or is taken away before. Reads are told by whoever carries out the node's own.
    void observe(DiskObserver* observer) { observer_ = observer; }
    [[nodiscard]] DiskObserver* observer() const { return observer_; }

    [[nodiscard]] std::uint64_t used_bytes() const { return used_bytes_; }
    [[nodiscard]] std::uint64_t syncs() const { return syncs_; }
    [[nodiscard]] const DiskCounters& counters() const { return counters_; }

private:
    /// What one key held before a batch that is not durable yet. Nothing when a key was deleted that
    /// was not there.
    struct Undo {
        const Key* key = nullptr;     ///< In contents_: it was set.
        SharedBytes before;           ///< Null: it was not there.
        Contents::node_type deleted;  ///< It was deleted.
    };
    struct PendingBatch {
        Instant durable_at;
        std::size_t steps = 0;  ///< In undo_.
    };
    /// The log before it was replaced; what a crash leaves of it while that is not durable.
    struct LogBefore {
        Instant durable_at;  ///< When the one in its place is.
        std::vector<Bytes> records;
        std::deque<Instant> pending;  ///< When its last records become durable, as promised.
        std::string damage;
    };

    [[nodiscard]] Instant next_sync_end(Instant now);
    void replace_log(const std::vector<Bytes>& kept);
    [[nodiscard]] Result<void> readable(const Key& key) const;
    void cover_unsynced(Instant end);
    void forget_unsynced();
    void settle(Instant now);
    [[nodiscard]] Undo set(Key key, SharedBytes value);
    [[nodiscard]] Undo erase(const Key& key);
    void undo(Undo step);
    /// Adds the write that undoes a step to these.
    static void add_reverse(const Undo& step, std::vector<KeyWrite>& to);
    [[nodiscard]] std::size_t survivors(std::size_t unsynced, CrashLoss loss, std::uint64_t use);

    DiskOptions options_;
    NamedDraws draws_;
    Contents contents_;
    std::vector<Bytes> log_;
    Ring<PendingBatch> pending_;       ///< Batches that are not durable, oldest first.
    Ring<Undo> undo_;                  ///< Of all of them.
    std::deque<Instant> log_pending_;  ///< When the log's last records become durable.
    std::deque<LogBefore> logs_before_;
    std::set<Key> rotten_;
    std::string log_damage_;
    bool reads_fail_ = false;
    std::size_t pending_covered_ = 0;  ///< How many of each were promised an instant.
    std::size_t log_covered_ = 0;
    Instant running_end_;                 ///< End of the sync that runs, or of the last one.
    std::optional<Instant> waiting_end_;  ///< End of the sync that starts after it.
    std::uint64_t used_bytes_ = 0;
    std::uint64_t syncs_ = 0;
    std::uint64_t crashes_ = 0;
    std::uint32_t failures_left_ = 0;
    mutable DiskCounters counters_;  ///< Reads count too.
    DiskObserver* observer_ = nullptr;
};

}  // namespace creto
