// RocksTuning: how RocksDB is set up, in one place; for the store, fsck and the benchmarks.
#pragma once

#include <string>
#include <vector>

#include <rocksdb/db.h>

#include "rocks/rocks_store.hpp"

namespace creto {

[[nodiscard]] rocksdb::DBOptions database_options(const RocksOptions& options);
/// RocksDB's own "default" first (empty, but it insists), then ours in the order of Column.
[[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor> column_families(
    const RocksOptions& options
);

/// "vertices/00ab…": a key in messages, at most its first 40 bytes.
[[nodiscard]] std::string key_text(Column column, ByteView key);

}  // namespace creto
