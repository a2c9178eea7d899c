// DataFolder: where a node's files lie, and opening them together.
//
// Layout   DIR/store  RocksDB;  DIR/votes.log  the vote log, with votes.log.lock beside it
// Holds    The store is opened first: its mark says whether a missing vote log is a loss. What the store
//          lost of the writes that went to the log with their votes is replayed. [JOURNAL-REPLAY.1]
// Errors   Those of RocksStore::open and FileVoteLog::open.
#pragma once

#include <memory>
#include <string>

#include "rocks/file_vote_log.hpp"
#include "rocks/rocks_store.hpp"

namespace creto {

struct DataFolder {
    std::unique_ptr<RocksStore> store;
    std::unique_ptr<FileVoteLog> votes;

    /// Opens or creates. `options.dir` is the node's folder.
    [[nodiscard]] static Result<DataFolder> open(const RocksOptions& options);

    [[nodiscard]] static std::string store_path(const std::string& dir) { return dir + "/store"; }
    [[nodiscard]] static std::string votes_path(const std::string& dir) {
        return dir + "/votes.log";
    }
};

}  // namespace creto
