// MemoryStore: a Store in memory that can lose, refuse and damage what it holds, on command.
//
// Why      The simulator's disk: the same rules as RocksDB, with faults that a test decides.
// Holds    Writes are visible at once. crash() takes back what no later durable write covered, like
//          a write-ahead log that was not synced; a durable write makes all earlier ones durable.
//          Values are shared with whoever wrote them.
// Errors   io (injected, read-only, full), corrupt (a key that was damaged). A refused write
// changes
//          nothing.
// Cost     O(log n) per key; what is not durable yet is remembered twice.
#pragma once

#include <array>
#include <map>

#include "store/keys.hpp"
#include "store/store.hpp"

namespace creto {

/// What the simulated disk refuses from now on.
struct StoreFaults {
    std::uint64_t fail_writes = 0;  ///< So many writes fail with io, then they work again.
    bool read_only = false;
    std::size_t capacity_bytes = ~std::size_t{0};  ///< Keys and values; over it the disk is full.
};

class MemoryStore final : public Store {
public:
    MemoryStore() = default;

    [[nodiscard]] Result<std::optional<Bytes>> get(Column column, ByteView key) const override;
    [[nodiscard]] Result<void> scan(
        Column column,
        ByteView from,
        ByteView to,
        const std::function<bool(ByteView key, ByteView value)>& visit
    ) const override;
    [[nodiscard]] Result<void> write(const std::vector<KeyWrite>& writes, Durable durable) override;

    /// Power is lost: of the batches that are not durable only the oldest `keep_batches` remain.
    void crash(std::size_t keep_batches = 0);
    /// The disk is lost: nothing remains. Faults stay as they are.
    void erase();
    /// The system writes everything back on its own.
    void sync() { undo_.clear(); }

    StoreFaults& faults() { return faults_; }
    /// The key's checksum no longer fits: get() and a scan that meets it answer corrupt, until the
    /// key is written again. False: no such key.
    bool damage(Column column, ByteView key);
    /// One byte of the value changes and nothing notices but a hash. False: no such byte.
    bool flip(Column column, ByteView key, std::size_t byte);

    [[nodiscard]] std::size_t size_bytes() const { return bytes_; }
    [[nodiscard]] std::size_t key_count(Column column) const { return columns_[at(column)].size(); }
    /// Batches that a crash would take back.
    [[nodiscard]] std::size_t unsynced_batches() const { return undo_.size(); }

private:
    struct Entry {
        SharedBytes value;
        bool damaged = false;
    };
    using Entries = std::map<Bytes, Entry, KeyOrder>;
    struct Undo {
        Column column = Column::meta;
        Bytes key;
        std::optional<Entry> before;
    };

    [[nodiscard]] static std::size_t at(Column column) { return static_cast<std::size_t>(column); }
    [[nodiscard]] Result<void> admit(const std::vector<KeyWrite>& writes);
    /// Puts the entry (none: removes it) and returns what was there.
    std::optional<Entry> put(Column column, const Bytes& key, std::optional<Entry> entry);

    std::array<Entries, column_count> columns_;
    std::vector<std::vector<Undo>> undo_;  ///< One list for each batch that is not durable.
    std::size_t bytes_ = 0;
    StoreFaults faults_;
};

}  // namespace creto
