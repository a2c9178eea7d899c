// Journal: a turn's small writes as a record of the vote log, so that one sync makes them durable with
// its votes.
//
// Why      A vote must not outlive the data that it rests on. Store and log are two files, hence two
//          syncs one after the other, three times in every final write. In one frame of one file data
//          and votes are durable together; the store takes the same writes without a sync.
// Holds    [JOURNAL-REPLAY.1] After a crash the store has lost at most a few of the newest batches, and
//          replay() applies them again, in order, before anybody reads. Numbers rise by one. In the
//          batch itself the store notes the number, and in one of `slots` places which batches it has:
//          so a batch that is missing below a newer one is found, too. Each `sync_every`-th batch is
//          synced into the store, which is more often than the places come round.
//          Replay stops at a gap in the numbers: a log that is older or newer than its store mends
//          nothing by half.
// Format   kind 16, number u64, count, and for each write: column, key, whether there is a value, value.
// Cost     The writes are written twice; at most `batch_bytes_max`, and none in a log over
//          `log_bytes_max`.
#pragma once

#include <optional>
#include <vector>

#include "store/store.hpp"

namespace creto::journal {

inline constexpr std::size_t batch_bytes_max = 16 * 1024;
inline constexpr std::size_t log_bytes_max = 64 * 1024 * 1024;
inline constexpr std::uint64_t slots = 64;
inline constexpr std::uint64_t sync_every = 32;

struct Batch {
    std::uint64_t number = 0;
    std::vector<KeyWrite> writes;
};

/// What the writes weigh, to compare with batch_bytes_max.
[[nodiscard]] std::size_t size_of(const std::vector<KeyWrite>& writes);
[[nodiscard]] Bytes encode(std::uint64_t number, const std::vector<KeyWrite>& writes);
/// None: the record is no batch (a vote). Errors: corrupt.
[[nodiscard]] Result<std::optional<Batch>> decode(ByteView record);

/// The number of the last batch that the store has taken; 0 for none.
[[nodiscard]] Result<std::uint64_t> last_number(const StoreView& store);
/// Whether a key of Column::meta is one that mark() writes.
[[nodiscard]] bool is_mark(ByteView key);
/// Adds to the writes of batch `number` what replay() will look for.
void mark(std::uint64_t number, std::vector<KeyWrite>& writes);

/// Applies what the store lacks of the log's batches, durably. How many. Once, before the store is used.
[[nodiscard]] Result<std::size_t> replay(Store& store, const VoteLogContents& log);
/// Leaves the votes.
void drop_batches(VoteLogContents& log);

}  // namespace creto::journal
