#include "rocks/fsck.hpp"

#include <deque>
#include <filesystem>
#include <memory>

#include <rocksdb/db.h>
#include <rocksdb/sst_file_reader.h>

#include "model/checkpoint.hpp"
#include "rocks/data_folder.hpp"
#include "rocks/rocks_bytes.hpp"
#include "rocks/rocks_status.hpp"
#include "rocks/rocks_tuning.hpp"
#include "store/journal.hpp"
#include "store/keys.hpp"
#include "store/vote_log_format.hpp"

namespace creto {

namespace {

using Severity = Finding::Severity;

constexpr const char* from_peers = "the node fetches it from peers when it needs it";
constexpr const char* restore =
    "restore the folder from a copy, or remove the store and let the node fetch its data from "
    "peers";

class StoreCheck {
public:
    StoreCheck(std::string dir, FsckReport& report) : dir_{std::move(dir)}, report_{report} {
        options_.dir = dir_;
    }
    StoreCheck(const StoreCheck&) = delete;
    StoreCheck& operator=(const StoreCheck&) = delete;
    ~StoreCheck();

    void run();
    /// The node has voted; none when the store does not say.
    [[nodiscard]] bool voted() const { return voted_; }

private:
    [[nodiscard]] bool open();
    void check_tables();
    void check_marks();
    void check_vertex(ByteView key, ByteView value);
    void check_lane_entry(ByteView key, ByteView value);
    void check_checkpoints();
    /// Visits all keys of a column; what cannot be read becomes a finding.
    void each(Column column);
    [[nodiscard]] std::optional<std::string> get(Column column, ByteView key) const;
    [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(Column column) const {
        return handles_[static_cast<std::size_t>(column) + 1];
    }
    void add(Severity severity, const std::string& place, std::string what, std::string remedy) {
        report_.add(severity, dir_ + ": " + place, std::move(what), std::move(remedy));
    }

    std::string dir_;
    RocksOptions options_;
    FsckReport& report_;
    std::unique_ptr<rocksdb::DB> db_;
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    std::optional<keys::LaneEntry> previous_;  ///< The last entry of the lane index.
    bool voted_ = false;
};

StoreCheck::~StoreCheck() {
    if (!db_) return;
    for (rocksdb::ColumnFamilyHandle* handle : handles_)
        db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
}

bool StoreCheck::open() {
    if (!file_exists(dir_ + "/CURRENT")) {
        report_.add(
            Severity::error,
            dir_,
            "there is no store here",
            "name a node's folder; `creto run` creates the store of a new node"
        );
        return false;
    }
    if (const auto owner = lock_owner(dir_ + "/LOCK")) {
        report_.add(
            Severity::note,
            dir_,
            "in use by the process " + std::to_string(*owner) + ": what follows may be out of date",
            "stop the node for an exact answer"
        );
    }
    auto database = database_options(options_);
    database.create_if_missing = false;
    database.create_missing_column_families = false;
    database.info_log = std::make_shared<NoLog>();
    rocksdb::DB* opened = nullptr;
    const auto status =
        rocksdb::DB::OpenForReadOnly(database, dir_, column_families(options_), &handles_, &opened);
    if (!status.ok()) {
        report_.add(Severity::error, dir_, "does not open: " + status.ToString(), restore);
        return false;
    }
    db_.reset(opened);
    return true;
}

void StoreCheck::check_tables() {
    std::vector<rocksdb::LiveFileMetaData> files;
    db_->GetLiveFilesMetaData(&files);
    for (const auto& file : files) {
        rocksdb::Options options;
        options.info_log = std::make_shared<NoLog>();
        rocksdb::SstFileReader reader{options};
        auto status = reader.Open(file.db_path + file.name);
        if (status.ok()) status = reader.VerifyChecksum();
        if (status.ok()) continue;
        report_.add(
            Severity::error,
            file.db_path + file.name,
            "a table of \"" + file.column_family_name + "\", keys " +
                to_hex(view(file.smallestkey)) + " to " + to_hex(view(file.largestkey)) + ": " +
                status.ToString(),
            restore
        );
    }
}

std::optional<std::string> StoreCheck::get(Column column, ByteView key) const {
    std::string value;
    const auto status = db_->Get(rocksdb::ReadOptions{}, handle(column), slice(key), &value);
    if (!status.ok()) return std::nullopt;  // Damage is reported by the pass over that column.
    return value;
}

void StoreCheck::check_marks() {
    const auto format = get(Column::meta, keys::format());
    const auto number = format ? keys::parse_number(as_bytes(*format)) : std::nullopt;
    if (number != keys::format_version) {
        add(Severity::error,
            "format",
            number ? "the store has format " + std::to_string(*number) + ", this creto reads " +
                         std::to_string(keys::format_version)
                   : "the store does not say its format",
            "use the version of creto that wrote it");
    }
    if (const auto chain = get(Column::meta, keys::chain())) {
        const auto digest = keys::parse_digest(as_bytes(*chain));
        if (digest)
            report_.chain = ChainId{*digest};
        else
            add(Severity::error, "chain", "is no chain id", restore);
    }
    voted_ = get(Column::meta, keys::voted()).has_value();
}

void StoreCheck::check_vertex(ByteView key, ByteView value) {
    const std::string place = key_text(Column::vertices, key);
    const auto id = keys::parse_digest(key);
    const auto vertex = SealedVertex::decode(value);
    if (!id) return add(Severity::error, place, "the key is no vertex id", restore);
    if (!vertex) return add(Severity::error, place, vertex.error().message, from_peers);
    if ((*vertex)->id().value() != *id) {
        return add(
            Severity::error,
            place,
            "holds the vertex " + (*vertex)->id().value().hex() + ", which is another",
            from_peers
        );
    }
    ++report_.vertices_good;
    const auto entry = get(Column::lanes, keys::lane_entry((*vertex)->ref()));
    if (!entry || !equal(as_bytes(*entry), id->view())) {
        add(Severity::warning,
            place,
            "the index of lane " + lane_text((*vertex)->header().lane) + " does not name it at " +
                std::to_string((*vertex)->header().sequence.value()),
            from_peers);
    }
}

void StoreCheck::check_lane_entry(ByteView key, ByteView value) {
    const std::string place = key_text(Column::lanes, key);
    const auto entry = keys::parse_lane_entry(key);
    const auto id = keys::parse_digest(value);
    if (!entry) return add(Severity::error, place, "the key is no lane entry", restore);
    const std::string lane =
        "lane " + lane_text(entry->lane) + ", " + std::to_string(entry->sequence.value());
    if (previous_ && previous_->lane == entry->lane &&
        entry->sequence > previous_->sequence.next()) {
        add(Severity::note,
            place,
            lane + ": the vertices after " + std::to_string(previous_->sequence.value()) +
                " are missing",
            from_peers);
    }
    previous_ = entry;
    if (!id || keys::parse_number(id->view().first(8)) != entry->id_prefix) {
        return add(Severity::error, place, "does not hold the id that its key begins", from_peers);
    }
    if (!get(Column::vertices, id->view())) {
        add(Severity::error, place, lane + ": its vertex " + id->hex() + " is not there", from_peers
        );
    }
}

/// The newest two are read at a restart; older ones have no parts.
void StoreCheck::check_checkpoints() {
    constexpr std::size_t entered = 2;
    constexpr const char* replay =
        "the node begins at an older one, or executes the chain from its first block";
    std::deque<Checkpoint> newest;
    const keys::Range span = keys::checkpoints();
    const std::unique_ptr<rocksdb::Iterator> it{
        db_->NewIterator(rocksdb::ReadOptions{}, handle(Column::state))};
    for (it->Seek(slice(span.from)); it->Valid() && span.contains(view(it->key())); it->Next()) {
        auto checkpoint = decode_exact<Checkpoint>(view(it->value()));
        if (!checkpoint || !well_formed(*checkpoint) ||
            !equal(view(it->key()), keys::checkpoint(checkpoint->height()))) {
            add(Severity::warning,
                key_text(Column::state, view(it->key())),
                "is no checkpoint that fits together",
                replay);
            continue;
        }
        newest.push_back(std::move(*checkpoint));
        if (newest.size() > entered) newest.pop_front();
    }
    for (const Checkpoint& checkpoint : newest) {
        for (std::uint32_t i = 0; i < checkpoint.parts.size(); ++i) {
            const auto part = get(Column::state, keys::checkpoint_part(checkpoint.height(), i));
            const bool good =
                part && hash(HashDomain::checkpoint_part, as_bytes(*part)) == checkpoint.parts[i];
            if (good) continue;
            add(Severity::warning,
                "checkpoint at height " + std::to_string(checkpoint.height().value()),
                "part " + std::to_string(i) + " of its state is damaged or missing",
                replay);
        }
    }
}

void StoreCheck::each(Column column) {
    rocksdb::ReadOptions read;
    read.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> it{db_->NewIterator(read, handle(column))};
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
        ++report_.keys[static_cast<std::size_t>(column)];
        report_.value_bytes += it->value().size();
        if (column == Column::vertices) check_vertex(view(it->key()), view(it->value()));
        if (column == Column::lanes) check_lane_entry(view(it->key()), view(it->value()));
    }
    if (it->status().ok()) return;
    add(Severity::error,
        to_string(column),
        "cannot be read to its end: " + it->status().ToString(),
        restore);
}

void StoreCheck::run() {
    if (!open()) return;
    check_tables();
    check_marks();
    for (std::size_t i = 0; i < column_count; ++i)
        each(static_cast<Column>(i));
    check_checkpoints();
}

void check_votes(const std::string& path, bool voted, FsckReport& report) {
    constexpr const char* observe =
        "the node votes again, with a new log, once the other seats have said where they stand and "
        "two "
        "views have passed; restore the newest copy of the log only if the node has not run since";
    if (!file_exists(path)) {
        if (voted) report.add(Severity::error, path, "missing although this node voted", observe);
        return;
    }
    const auto file = File::open(path, File::Mode::read);
    const auto bytes = file ? file->read_all(std::size_t{1} << 30U)
                            : Result<Bytes>{tl::unexpected<Error>(file.error())};
    if (!bytes) {
        return report.add(Severity::error, path, bytes.error().message, "make it readable");
    }
    vote_log::Parsed parsed = vote_log::parse(*bytes);
    journal::drop_batches(parsed.contents);
    report.vote_records = parsed.contents.records.size();
    if (!parsed.contents.intact) {
        report.add(Severity::error, path, parsed.contents.damage, observe);
    } else if (parsed.torn_bytes > 0) {
        report.add(
            Severity::note,
            path,
            std::to_string(parsed.torn_bytes) + " bytes of an append that was never finished",
            "nothing: the node cuts them off when it starts"
        );
    }
}

}  // namespace

const char* to_string(Finding::Severity severity) {
    switch (severity) {
        case Severity::note:
            return "note";
        case Severity::warning:
            return "warning";
        case Severity::error:
            return "error";
    }
    return "unknown";
}

bool FsckReport::clean() const {
    for (const Finding& finding : findings)
        if (finding.severity != Severity::note) return false;
    return unlisted == 0;
}

void FsckReport::add(
    Finding::Severity severity, std::string where, std::string what, std::string remedy
) {
    if (findings.size() == findings_max) {
        ++unlisted;
        return;
    }
    findings.push_back({severity, std::move(where), std::move(what), std::move(remedy)});
}

FsckReport fsck(const std::string& dir) {
    FsckReport report;
    std::error_code ignored;
    if (!std::filesystem::is_directory(dir, ignored)) {
        report.add(Severity::error, dir, "is no folder", "name a node's folder");
        return report;
    }
    StoreCheck store{DataFolder::store_path(dir), report};
    store.run();
    check_votes(DataFolder::votes_path(dir), store.voted(), report);
    return report;
}

}  // namespace creto
