// Store and VoteLog: where a node's acknowledged data lives, as the hosts see it.
//
// Why      RocksDB and a file of its own in real processes, memory with injectable faults in the
//          simulator; both behind the same interface, checked by the same tests.
// Holds    write(): the batch is applied as a whole or not at all, and visible at once; with
//          Durable::yes it and all earlier batches survive any crash once the call has returned.
//          VoteLog::append(): the same, in order, checksummed.
// Errors   io (disk full, read-only), corrupt (checksums). After a failed write the host stops the
//          node.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/effect.hpp"

namespace creto {

class StoreView {
public:
    StoreView() = default;
    StoreView(const StoreView&) = delete;
    StoreView& operator=(const StoreView&) = delete;
    virtual ~StoreView() = default;

    [[nodiscard]] virtual Result<std::optional<Bytes>> get(Column column, ByteView key) const = 0;
    /// Visits keys in [from, to) in ascending byte order until the visitor returns false. An empty
    /// `to` means the end of the column.
    [[nodiscard]] virtual Result<void> scan(
        Column column,
        ByteView from,
        ByteView to,
        const std::function<bool(ByteView key, ByteView value)>& visit
    ) const = 0;
};

class Store : public StoreView {
public:
    [[nodiscard]] virtual Result<void> write(
        const std::vector<KeyWrite>& writes, Durable durable
    ) = 0;
};

/// What reading a vote log gave.
struct VoteLogContents {
    std::vector<Bytes> records;  ///< In append order.
    /// False when a record before the tail is damaged or the log is missing although this node has
    /// voted: the node then observes and must not vote.
    bool intact = true;
    std::string damage;  ///< For people, when not intact.
};

class VoteLog {
public:
    VoteLog() = default;
    VoteLog(const VoteLog&) = delete;
    VoteLog& operator=(const VoteLog&) = delete;
    virtual ~VoteLog() = default;

    /// Durable when it returns, as a whole or not at all. On a log that is not intact it begins a
    /// new one (the old bytes are set aside), so whoever observes because of damage appends again
    /// only once its earlier votes can no longer count.
    [[nodiscard]] virtual Result<void> append(const std::vector<Bytes>& records) = 0;
    [[nodiscard]] virtual Result<VoteLogContents> read() const = 0;
    /// Replaces the whole content by `keep`, durably and as a whole; afterwards the log is intact.
    [[nodiscard]] virtual Result<void> compact(const std::vector<Bytes>& keep) = 0;
    /// Bytes that the log takes, so that the host knows when to compact.
    [[nodiscard]] virtual std::size_t size_bytes() const = 0;
};

}  // namespace creto
