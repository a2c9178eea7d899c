// What every reader of a store says to RocksDB in the same way.
//
// Why      RocksStore, ReadOnlyStore and fsck each open one folder with the same library.
// Holds    Nothing is copied: a slice or view is as long-lived as the bytes that it was made from.
#pragma once

#include <cstdint>

#include <rocksdb/env.h>
#include <rocksdb/slice.h>

#include "base/bytes.hpp"

namespace creto {

/// RocksDB writes a log file even beside a store that it only reads; whoever only reads must not.
class NoLog final : public rocksdb::Logger {
public:
    using rocksdb::Logger::Logv;
    void Logv(const char* /*format*/, va_list /*words*/) override {}
};

[[nodiscard]] inline rocksdb::Slice slice(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline ByteView view(const rocksdb::Slice& slice) {
    return {reinterpret_cast<const std::uint8_t*>(slice.data()), slice.size()};
}

}  // namespace creto
