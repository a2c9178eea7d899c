#include "rocks/read_only_store.hpp"

#include <rocksdb/db.h>

#include "rocks/data_folder.hpp"
#include "rocks/file.hpp"
#include "rocks/rocks_bytes.hpp"
#include "rocks/rocks_status.hpp"
#include "rocks/rocks_tuning.hpp"

namespace creto {

class ReadOnlyStore::Impl {
public:
    explicit Impl(std::string dir) : dir_{std::move(dir)} {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        if (!db_) return;
        for (rocksdb::ColumnFamilyHandle* handle : handles_)
            db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    }

    Result<void> open() {
        if (!file_exists(dir_ + "/CURRENT")) {
            return fail(
                ErrorCode::not_found, dir_ + ": there is no store here; name a node's folder"
            );
        }
        RocksOptions options;
        options.dir = dir_;
        auto database = database_options(options);
        database.create_if_missing = false;
        database.create_missing_column_families = false;
        database.info_log = std::make_shared<NoLog>();
        rocksdb::DB* opened = nullptr;
        const auto status = rocksdb::DB::OpenForReadOnly(
            database, dir_, column_families(options), &handles_, &opened
        );
        if (!status.ok()) return creto::fail(rocks_error(status, dir_, "opening"));
        db_.reset(opened);
        return {};
    }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(Column column) const {
        return handles_[static_cast<std::size_t>(column) + 1];
    }
    [[nodiscard]] rocksdb::DB& db() const { return *db_; }
    [[nodiscard]] const std::string& dir() const { return dir_; }

private:
    std::string dir_;
    std::unique_ptr<rocksdb::DB> db_;
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

ReadOnlyStore::ReadOnlyStore(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
ReadOnlyStore::~ReadOnlyStore() = default;

Result<std::unique_ptr<ReadOnlyStore>> ReadOnlyStore::open(const std::string& dir) {
    auto impl = std::make_unique<Impl>(DataFolder::store_path(dir));
    if (auto opened = impl->open(); !opened) return tl::unexpected<Error>(opened.error());
    return std::unique_ptr<ReadOnlyStore>{new ReadOnlyStore{std::move(impl)}};
}

Result<std::optional<Bytes>> ReadOnlyStore::get(Column column, ByteView key) const {
    rocksdb::PinnableSlice found;
    const auto status =
        impl_->db().Get(rocksdb::ReadOptions{}, impl_->handle(column), slice(key), &found);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) {
        return creto::fail(rocks_error(status, impl_->dir(), "reading " + key_text(column, key)));
    }
    const ByteView bytes = view(found);
    return Bytes(bytes.begin(), bytes.end());
}

Result<void> ReadOnlyStore::scan(
    Column column,
    ByteView from,
    ByteView to,
    const std::function<bool(ByteView key, ByteView value)>& visit
) const {
    rocksdb::ReadOptions options;
    const rocksdb::Slice end = slice(to);
    if (!to.empty()) options.iterate_upper_bound = &end;
    const std::unique_ptr<rocksdb::Iterator> it{
        impl_->db().NewIterator(options, impl_->handle(column))};
    for (it->Seek(slice(from)); it->Valid(); it->Next()) {
        if (!visit(view(it->key()), view(it->value()))) return {};
    }
    if (it->status().ok()) return {};
    return creto::fail(rocks_error(it->status(), impl_->dir(), "reading"));
}

}  // namespace creto
