// RocksStore: the Store of a real node, on RocksDB.
//
// Why      A log-structured store whose write-ahead log makes a group of batches durable by one
//          sync; the only place that knows RocksDB.
// Holds    As Store says. A durable write makes all earlier ones durable. The format version and
//          the chain are checked at open, so that a folder of another network or of a newer creto
//          is refused, not misread. Damage in the write-ahead log before its tail is an error at
//          open, never a silent loss. A clean close makes everything durable.
//          After a failed write nothing is written until the store is opened again: what was
//          acknowledged stays readable, and each later write gets the first failure as its answer.
//          Bounded memory: the block cache, all write buffers together, our own cache of hot
//          values, and open files each have a limit.
//          Safe to use from several threads.
// Errors   io with what to do, corrupt with the key, conflict (another process, another chain,
//          another format).
// Cost     A get from our cache 100 to 300 ns, from RocksDB's 2 us, from disk a read; a synced
// write
//          one fdatasync, whatever it holds.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "model/ids.hpp"
#include "store/store.hpp"

namespace creto {

struct RocksOptions {
    std::string dir;
    /// What the store must belong to; a new store is marked with it. None: not checked.
    std::optional<ChainId> chain;
    std::size_t block_cache_bytes = 8 * 1024 * 1024;
    std::size_t write_buffer_bytes = 16 * 1024 * 1024;  ///< All columns together.
    std::size_t hot_cache_bytes = 4 * 1024 * 1024;
    std::size_t open_files_max = 128;
    /// Vertices of at least this size lie in files of their own, which compaction does not rewrite.
    /// 0: never.
    std::size_t large_vertex_bytes = 64 * 1024;
};

class RocksStore final : public Store {
public:
    /// Opens the store, or creates it (the folder and those above it too).
    [[nodiscard]] static Result<std::unique_ptr<RocksStore>> open(const RocksOptions& options);
    ~RocksStore() override;

    [[nodiscard]] Result<std::optional<Bytes>> get(Column column, ByteView key) const override;
    [[nodiscard]] Result<void> scan(
        Column column,
        ByteView from,
        ByteView to,
        const std::function<bool(ByteView key, ByteView value)>& visit
    ) const override;
    [[nodiscard]] Result<void> write(const std::vector<KeyWrite>& writes, Durable durable) override;

    /// Moves what is in memory into table files; for tests, backups and benchmarks.
    [[nodiscard]] Result<void> flush();
    /// Rewrites the tables of one column without what was deleted.
    [[nodiscard]] Result<void> compact(Column column);

    /// For metrics, in bytes and numbers.
    struct Usage {
        std::uint64_t disk_bytes = 0;
        std::uint64_t memory_bytes = 0;  ///< Write buffers, block cache, table readers, hot values.
        std::uint64_t pending_compaction_bytes = 0;
        bool writes_stalled = false;
        std::uint64_t compactions = 0;  ///< Finished since it was opened.
        /// Writes were slowed or stopped for so long, since it was opened; none: RocksDB does not say.
        std::optional<Duration> held_back;
    };
    [[nodiscard]] Usage usage() const;

private:
    class Impl;
    explicit RocksStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace creto
