// RocksStatus: what RocksDB answers, as our errors for people.
//
// Why      "IO error: No space left on device: While appending to file" says neither which node nor
//          what to do.
// Holds    Corruption becomes corrupt, a lock held elsewhere conflict, all else io.
#pragma once

#include <optional>
#include <string>

#include <rocksdb/status.h>

#include "base/result.hpp"

namespace creto {

/// `dir`: the store's folder. `doing`: "writing", "reading vertices/ab12…".
[[nodiscard]] Error rocks_error(
    const rocksdb::Status& status, const std::string& dir, const std::string& doing
);

/// The process that holds a POSIX lock on `path`, as the kernel says; none if nobody does or the
/// kernel does not say. Never opens the file: closing it would give up our own lock.
[[nodiscard]] std::optional<int> lock_owner(const std::string& path);

}  // namespace creto
