#include "rocks/rocks_store.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "rocks/file.hpp"
#include "rocks/hot_cache.hpp"
#include "rocks/rocks_bytes.hpp"
#include "rocks/rocks_status.hpp"
#include "rocks/rocks_tuning.hpp"
#include "store/keys.hpp"

namespace creto {
namespace {

/// Called on RocksDB's own threads.
class CompactionCount final : public rocksdb::EventListener {
public:
    void OnCompactionCompleted(
        rocksdb::DB* /*db*/, const rocksdb::CompactionJobInfo& /*job*/
    ) override {
        finished.fetch_add(1, std::memory_order_relaxed);
    }
    std::atomic<std::uint64_t> finished{0};
};

}  // namespace

class RocksStore::Impl {
public:
    explicit Impl(const RocksOptions& options) : dir{options.dir}, hot{options.hot_cache_bytes} {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl();

    [[nodiscard]] Result<void> open(const RocksOptions& options);
    [[nodiscard]] Result<void> check_columns(const RocksOptions& options) const;
    [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(Column column) const {
        return handles[static_cast<std::size_t>(column) + 1];
    }
    [[nodiscard]] Error error(const rocksdb::Status& status, const std::string& doing) const {
        return rocks_error(status, dir, doing);
    }
    [[nodiscard]] std::uint64_t sum_of(const char* property) const;
    [[nodiscard]] std::optional<Duration> held_back() const;
    /// Why nothing may be written any more, or ok.
    [[nodiscard]] Result<void> writable() const;
    /// A write failed: remembers it, since what the log holds after it is anybody's guess.
    [[nodiscard]] Result<void> stop_writing(
        const rocksdb::Status& status, const std::string& doing
    );

    std::string dir;
    std::unique_ptr<rocksdb::DB> db;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;  ///< The default's, then one per Column.
    mutable HotCache hot;
    std::shared_ptr<CompactionCount> compactions = std::make_shared<CompactionCount>();

private:
    mutable std::mutex mutex_;
    std::optional<Error> failed_;  ///< The first failed write; nothing is written after it.
};

Result<void> RocksStore::Impl::writable() const {
    const std::lock_guard lock{mutex_};
    if (failed_) return fail(*failed_);
    return {};
}

Result<void> RocksStore::Impl::stop_writing(
    const rocksdb::Status& status, const std::string& doing
) {
    const std::lock_guard lock{mutex_};
    if (!failed_) failed_ = error(status, doing);
    return fail(*failed_);
}

RocksStore::Impl::~Impl() {
    if (!db) return;
    // A clean close loses nothing, whatever was written without a sync. Nobody can be told of a
    // failure here, and nobody was promised success.
    if (writable()) db->SyncWAL().PermitUncheckedError();
    for (rocksdb::ColumnFamilyHandle* handle : handles)
        db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    db->Close().PermitUncheckedError();
}

Result<void> RocksStore::Impl::check_columns(const RocksOptions& options) const {
    if (!file_exists(dir + "/CURRENT")) return {};  // A new store.
    std::vector<std::string> present;
    const auto listed = rocksdb::DB::ListColumnFamilies(database_options(options), dir, &present);
    if (!listed.ok()) return fail(error(listed, "opening"));
    const auto ours = column_families(options);
    for (const std::string& name : present) {
        const bool known = std::any_of(ours.begin(), ours.end(), [&](const auto& family) {
            return family.name == name;
        });
        if (!known) {
            return fail(
                ErrorCode::conflict,
                dir + ": holds \"" + name +
                    "\", which this creto does not know: written by a newer one, or not by "
                    "creto; use that version, or choose another folder"
            );
        }
    }
    return {};
}

Result<void> RocksStore::Impl::open(const RocksOptions& options) {
    std::error_code failed;
    std::filesystem::create_directories(dir, failed);
    if (failed) return fail(system_error(dir, "creating the folder", failed.value()));
    if (auto known = check_columns(options); !known) return known;
    rocksdb::DB* opened = nullptr;
    auto database = database_options(options);
    database.listeners.push_back(compactions);
    const auto status =
        rocksdb::DB::Open(database, dir, column_families(options), &handles, &opened);
    if (!status.ok()) return fail(error(status, "opening"));
    db.reset(opened);
    return sync_folder_of(dir);
}

std::uint64_t RocksStore::Impl::sum_of(const char* property) const {
    std::uint64_t sum = 0;
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
        std::uint64_t value = 0;
        if (db->GetIntProperty(handle, property, &value)) sum += value;
    }
    return sum;
}

/// Of the whole store, as RocksDB counts it.
std::optional<Duration> RocksStore::Impl::held_back() const {
    std::map<std::string, std::string> figures;
    if (!db->GetMapProperty(rocksdb::DB::Properties::kDBStats, &figures)) return std::nullopt;
    const std::string& text = figures["db.user_write_stall_micros"];
    std::int64_t us = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), us);
    return read.ec == std::errc{} ? std::optional{Duration::from_us(us)} : std::nullopt;
}

RocksStore::RocksStore(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
RocksStore::~RocksStore() = default;

namespace {

/// A new store is marked; an old one must carry our format and, if one is asked for, the chain.
Result<void> check_marks(Store& store, const RocksOptions& options) {
    const auto format = store.get(Column::meta, keys::format());
    if (!format) return tl::unexpected<Error>(format.error());
    std::vector<KeyWrite> marks;
    if (!*format) {
        marks.push_back({Column::meta, keys::format(), share(keys::number(keys::format_version))});
    } else if (**format != keys::number(keys::format_version)) {
        const auto found = keys::parse_number(**format);
        return fail(
            ErrorCode::conflict,
            options.dir + ": the store has format " +
                (found ? std::to_string(*found) : "\"" + to_hex(**format) + "\"") +
                ", this creto reads format " + std::to_string(keys::format_version) +
                "; use the version that wrote it, or choose another folder"
        );
    }
    if (options.chain) {
        const Bytes wanted = keys::digest(options.chain->value());
        const auto chain = store.get(Column::meta, keys::chain());
        if (!chain) return tl::unexpected<Error>(chain.error());
        if (*chain && **chain != wanted) {
            return fail(
                ErrorCode::conflict,
                options.dir + ": the store belongs to the network " + to_hex(**chain) +
                    ", not to " + to_hex(wanted) + "; choose another folder or another genesis"
            );
        }
        if (!*chain) marks.push_back({Column::meta, keys::chain(), share(wanted)});
    }
    if (marks.empty()) return {};
    return store.write(marks, Durable::yes);
}

}  // namespace

Result<std::unique_ptr<RocksStore>> RocksStore::open(const RocksOptions& options) {
    auto impl = std::make_unique<Impl>(options);
    if (auto opened = impl->open(options); !opened) return tl::unexpected<Error>(opened.error());
    std::unique_ptr<RocksStore> store{new RocksStore{std::move(impl)}};
    if (auto checked = check_marks(*store, options); !checked)
        return tl::unexpected<Error>(checked.error());
    return store;
}

Result<std::optional<Bytes>> RocksStore::get(Column column, ByteView key) const {
    const auto hot = impl_->hot.find(column, key);
    if (const auto* value = std::get_if<SharedBytes>(&hot)) return **value;
    rocksdb::PinnableSlice found;
    const auto status =
        impl_->db->Get(rocksdb::ReadOptions{}, impl_->handle(column), slice(key), &found);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) {
        return creto::fail(impl_->error(status, "reading " + key_text(column, key)));
    }
    const ByteView bytes = view(found);
    if (bytes.size() <= HotCache::value_bytes_max) {
        const SharedBytes value = share(Bytes(bytes.begin(), bytes.end()));
        impl_->hot.fill(column, key, value, std::get<HotCache::Miss>(hot));
    }
    return Bytes(bytes.begin(), bytes.end());
}

Result<void> RocksStore::scan(
    Column column,
    ByteView from,
    ByteView to,
    const std::function<bool(ByteView key, ByteView value)>& visit
) const {
    rocksdb::ReadOptions options;
    options.fill_cache = false;  // A scan of everything must not push out what is in use.
    const rocksdb::Slice end = slice(to);
    if (!to.empty()) options.iterate_upper_bound = &end;
    const std::unique_ptr<rocksdb::Iterator> it{
        impl_->db->NewIterator(options, impl_->handle(column))};
    Bytes last(from.begin(), from.end());
    for (it->Seek(slice(from)); it->Valid(); it->Next()) {
        if (!visit(view(it->key()), view(it->value()))) return {};
        last.assign(view(it->key()).begin(), view(it->key()).end());
    }
    if (it->status().ok()) return {};
    return creto::fail(impl_->error(it->status(), "reading after " + key_text(column, last)));
}

Result<void> RocksStore::write(const std::vector<KeyWrite>& writes, Durable durable) {
    constexpr std::size_t record_overhead = 16;
    std::size_t size = record_overhead;
    for (const KeyWrite& write : writes)
        size += write.key.size() + (write.value ? (*write.value)->size() : 0) + record_overhead;
    rocksdb::WriteBatch batch{size};
    for (const KeyWrite& write : writes) {
        rocksdb::ColumnFamilyHandle* handle = impl_->handle(write.column);
        const auto added = write.value ? batch.Put(handle, slice(write.key), slice(**write.value))
                                       : batch.Delete(handle, slice(write.key));
        if (!added.ok())
            return creto::fail(impl_->error(added, "writing " + key_text(write.column, write.key)));
    }
    if (auto open = impl_->writable(); !open) return open;
    rocksdb::WriteOptions options;
    options.sync = durable == Durable::yes;
    const auto status = impl_->db->Write(options, &batch);
    if (!status.ok()) return impl_->stop_writing(status, "writing");
    impl_->hot.written(writes);
    return {};
}

Result<void> RocksStore::flush() {
    if (auto open = impl_->writable(); !open) return open;
    const auto status = impl_->db->Flush(rocksdb::FlushOptions{}, impl_->handles);
    if (!status.ok()) return impl_->stop_writing(status, "flushing");
    return {};
}

Result<void> RocksStore::compact(Column column) {
    if (auto open = impl_->writable(); !open) return open;
    const auto status = impl_->db->CompactRange(
        rocksdb::CompactRangeOptions{}, impl_->handle(column), nullptr, nullptr
    );
    if (!status.ok()) return fail(impl_->error(status, "compacting"));
    return {};
}

RocksStore::Usage RocksStore::usage() const {
    using Properties = rocksdb::DB::Properties;
    Usage usage;
    usage.disk_bytes = impl_->sum_of(Properties::kTotalSstFilesSize.c_str()) +
                       impl_->sum_of(Properties::kTotalBlobFileSize.c_str());
    usage.memory_bytes = impl_->sum_of(Properties::kSizeAllMemTables.c_str()) +
                         impl_->sum_of(Properties::kEstimateTableReadersMem.c_str()) +
                         impl_->hot.bytes();
    std::uint64_t shared = 0;  // One cache for all columns: ask once.
    if (impl_->db->GetIntProperty(impl_->handles.front(), Properties::kBlockCacheUsage, &shared))
        usage.memory_bytes += shared;
    usage.pending_compaction_bytes =
        impl_->sum_of(Properties::kEstimatePendingCompactionBytes.c_str());
    usage.compactions = impl_->compactions->finished.load(std::memory_order_relaxed);
    usage.held_back = impl_->held_back();
    usage.writes_stalled = impl_->sum_of(Properties::kIsWriteStopped.c_str()) > 0;
    return usage;
}

}  // namespace creto
