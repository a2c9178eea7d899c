#include "scale/replay/storage_replay.hpp"

#include <array>
#include <cmath>

#include "scale/numbers.hpp"

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;

/// Of real time: a folder in memory says nothing about them.
constexpr std::array speeds{
    "storage_replay_ops_mean",
    "storage_replay_ops_peak",
    "storage_replay_iops_mean",
    "storage_replay_iops_peak",
    "storage_replay_write_us",
    "storage_replay_write_p99_us",
    "storage_replay_read_us",
    "storage_replay_write_slowdown",
    "storage_replay_read_slowdown",
    "storage_replay_stall_s",
    "storage_replay_stall_percent"};

void miss_all(PerformanceMetrics& out, const std::string& why) {
    out.miss("rocksdb_read_ops_total", why);
    for (const MetricName& one : metric_names())
        if (std::string_view{one.name}.starts_with(StorageReplay::metric_prefix))
            out.miss(one.name, why);
}

}  // namespace

StorageReplay::StorageReplay(Options options) : options_{std::move(options)} {
    auto folder = ScratchFolder::make(options_.under);
    if (!folder) {
        failure_ = folder.error().message;
        return;
    }
    folder_ = std::move(*folder);
    place_ = folder_->path().substr(0, folder_->path().rfind('/'));
    is_memory_ = folder_->is_memory();
    for (const std::uint32_t node : options_.nodes) {
        ReplayedStore::Options store;
        store.dir = folder_->path() + "/node-" + std::to_string(node);
        store.seed = mix64(options_.seed ^ node);
        store.log_bytes_max = options_.log_bytes_max;
        store.goes_on = options_.goes_on;
        stores_[node] = std::make_unique<ReplayedStore>(std::move(store), figures_);
    }
}

DiskObserver* StorageReplay::observer(std::uint32_t node) {
    const auto found = stores_.find(node);
    return found == stores_.end() ? nullptr : found->second.get();
}

void StorageReplay::note_failures() {
    for (const auto& [node, store] : stores_)
        if (failure_.empty() && !store->failure().empty())
            failure_ = "the store of node " + std::to_string(node) + ": " + store->failure();
}

void StorageReplay::finish(const std::function<const SimDisk&(std::uint32_t)>& disk_of) {
    for (const auto& [node, store] : stores_) {
        note_failures();
        if (!failure_.empty()) break;
        store->close();
    }
    for (const auto& [node, store] : stores_) {
        note_failures();
        if (!failure_.empty()) break;
        const ReplayedStore::Checked checked = store->check(disk_of(node));
        keys_ += checked.difference.keys;
        differences_ += checked.difference.count;
        damage_ += checked.damage;
        const std::string name = "node " + std::to_string(node) + ": ";
        for (const auto* texts : {&checked.findings, &checked.difference.texts})
            for (const std::string& text : *texts)
                found_.push_back(name + text);
    }
    note_failures();
    is_checked_ = failure_.empty();
    stores_.clear();
    folder_.reset();
}

void StorageReplay::abandon(const std::string& why) {
    note_failures();
    if (failure_.empty()) failure_ = why;
    stores_.clear();
    folder_.reset();
}

void StorageReplay::measure(Duration from, Duration to, PerformanceMetrics& out) const {
    if (!failure_.empty()) return miss_all(out, "the replay has failed: " + failure_);
    out.set("rocksdb_read_ops_total", static_cast<double>(figures_.keys_read));
    out.set("storage_replay_seconds", seconds_of(figures_.last));
    out.set("storage_replay_writes", static_cast<double>(figures_.keys_written));
    out.set("storage_replay_syncs", static_cast<double>(figures_.commits));
    out.set("storage_replay_compactions", static_cast<double>(figures_.compactions));
    out.set("storage_replay_pending_mb", static_cast<double>(figures_.pending_max) / 1e6);
    if (is_checked_) {
        out.set("storage_replay_damage", static_cast<double>(damage_));
        out.set("storage_replay_differences", static_cast<double>(differences_));
    }
    if (!is_memory_) return measure_speed(from, to, out);
    for (const char* name : speeds)
        out.miss(name, place_ + " is in memory; name a folder on a disk by TMPDIR");
}

void StorageReplay::measure_speed(Duration from, Duration to, PerformanceMetrics& out) const {
    const double busy_s = seconds_of(figures_.busy);
    if (busy_s <= 0) return;
    const auto keys = static_cast<double>(figures_.keys_written + figures_.keys_read);
    out.set("storage_replay_ops_mean", keys / busy_s);
    out.set("storage_replay_ops_peak", figures_.keys_peak);
    if (figures_.calls) {
        out.set("storage_replay_iops_mean", static_cast<double>(*figures_.calls) / busy_s);
        out.set("storage_replay_iops_peak", figures_.calls_peak);
    } else {
        for (const char* name : {"storage_replay_iops_mean", "storage_replay_iops_peak"})
            out.miss(name, "the system does not say it: no /proc/self/io");
    }
    if (figures_.write_us.count() > 0) {
        out.set("storage_replay_write_us", static_cast<double>(figures_.write_us.mean()));
        out.set("storage_replay_write_p99_us", static_cast<double>(figures_.write_us.at(990)));
    }
    if (figures_.read_ns.count() > 0)
        out.set("storage_replay_read_us", static_cast<double>(figures_.read_ns.mean()) / 1e3);
    if (const auto slower = figures_.writes.slowdown(from, to))
        out.set("storage_replay_write_slowdown", *slower);
    if (const auto slower = figures_.reads.slowdown(from, to))
        out.set("storage_replay_read_slowdown", *slower);
    if (!figures_.held_back) return;
    out.set("storage_replay_stall_s", seconds_of(*figures_.held_back));
    out.set("storage_replay_stall_percent", 100 * seconds_of(*figures_.held_back) / busy_s);
}

Doc StorageReplay::details() const {
    Doc out = Doc::object();
    out["says"] = "measured on this machine's disk, in real time; the rest of the run is simulated";
    out["nodes"] = options_.nodes;
    out["folder"] = place_;
    if (!failure_.empty()) {
        out["not_replayed"] = failure_;
        return out;
    }
    out["in_memory"] = is_memory_;
    out["virtual_s"] = std::round(seconds_of(figures_.last) * 1e3) / 1e3;
    out["keys_written"] = figures_.keys_written;
    out["keys_read"] = figures_.keys_read;
    out["durable_commits"] = figures_.commits;
    out["restarts"] = figures_.restarts;
    out["busy_s"] = std::round(seconds_of(figures_.busy) * 1e3) / 1e3;
    out["store_bytes"] = figures_.disk_bytes;
    out["keys_compared"] = keys_;
    out["found"] = found_;
    return out;
}

std::string StorageReplay::text() const {
    if (!failure_.empty()) return "";
    std::string names;
    for (const std::uint32_t node : options_.nodes)
        names += (names.empty() ? "" : ", ") + std::to_string(node);
    return "no model: storage_replay_*, what the disks of nodes " + names +
           " were asked, replayed into RocksDB under " + place_ + " in real time";
}

}  // namespace creto
