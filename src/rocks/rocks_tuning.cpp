#include "rocks/rocks_tuning.hpp"

#include <algorithm>
#include <memory>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include "store/keys.hpp"

namespace creto {

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

/// After a failed write the store stays as it is until it is opened again. RocksDB would try to go on by
/// itself, every few seconds, with a log whose last record may be half written; its own check of that
/// (an assertion, on in Debian's build) then ends the process.
class NoRecoveryUnasked final : public rocksdb::EventListener {
public:
    void OnErrorRecoveryBegin(
        rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status error, bool* auto_recovery
    ) override {
        error.PermitUncheckedError();
        *auto_recovery = false;
    }
};

rocksdb::CompressionType compression() {
    const auto all = rocksdb::GetSupportedCompressions();
    const bool lz4 = std::find(all.begin(), all.end(), rocksdb::kLZ4Compression) != all.end();
    return lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

}  // namespace

rocksdb::DBOptions database_options(const RocksOptions& options) {
    rocksdb::DBOptions db;
    db.create_if_missing = true;
    db.create_missing_column_families = true;
    db.paranoid_checks = true;
    // A torn tail of the write-ahead log was never acknowledged; anything else wrong in it is an
    // error, since it may have been.
    db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    db.track_and_verify_wals_in_manifest = true;
    db.max_total_wal_size = 4 * options.write_buffer_bytes;
    db.db_write_buffer_size = options.write_buffer_bytes;
    db.max_open_files = static_cast<int>(options.open_files_max);
    db.max_file_opening_threads = 1;
    db.max_background_jobs = 2;
    db.bytes_per_sync = mebibyte;
    db.max_manifest_file_size = 4 * mebibyte;
    db.keep_log_file_num = 2;
    db.max_log_file_size = mebibyte;
    db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    db.max_bgerror_resume_count = 0;
    db.listeners.push_back(std::make_shared<NoRecoveryUnasked>());
    // No periodic work: a node at rest sleeps.
    db.stats_dump_period_sec = 0;
    db.stats_persist_period_sec = 0;
    db.skip_stats_update_on_db_open = true;
    return db;
}

std::vector<rocksdb::ColumnFamilyDescriptor> column_families(const RocksOptions& options) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, 2);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
    // Index and filter blocks count as cache, so that memory does not grow with the disk.
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.format_version = 5;

    rocksdb::ColumnFamilyOptions family;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    family.compression = compression();
    family.level_compaction_dynamic_level_bytes = true;
    family.write_buffer_size = std::max<std::size_t>(options.write_buffer_bytes / 2, mebibyte);
    family.max_write_buffer_number = 3;
    family.arena_block_size = 64 * 1024;
    // Many small tables at level 0 before they are merged: the write buffers are small.
    family.level0_file_num_compaction_trigger = 8;
    family.level0_slowdown_writes_trigger = 40;
    family.level0_stop_writes_trigger = 64;
    family.target_file_size_base = 16 * mebibyte;
    family.max_bytes_for_level_base = 128 * mebibyte;

    std::vector<rocksdb::ColumnFamilyDescriptor> all;
    all.emplace_back(rocksdb::kDefaultColumnFamilyName, family);
    for (std::size_t i = 0; i < column_count; ++i) {
        const auto column = static_cast<Column>(i);
        rocksdb::ColumnFamilyOptions own = family;
        if (column == Column::vertices && options.large_vertex_bytes > 0) {
            own.enable_blob_files = true;
            own.min_blob_size = options.large_vertex_bytes;
            own.enable_blob_garbage_collection = true;
            own.blob_file_size = 64 * mebibyte;
        }
        all.emplace_back(to_string(column), own);
    }
    return all;
}

std::string key_text(Column column, ByteView key) {
    constexpr std::size_t shown_max = 40;
    std::string text =
        std::string{to_string(column)} + "/" + to_hex(key.first(std::min(key.size(), shown_max)));
    if (key.size() > shown_max) text += "…";
    return text;
}

}  // namespace creto
