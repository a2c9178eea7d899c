// StorageReplay: up to four nodes of a simulated run, replayed into real stores on this machine's disk.
//
// Why      The simulator's disks are a model; IOPS, compaction, slowing down and corruption are not. What
//          drawn nodes ask of their disks goes to RocksDB as well, with fsync, as a node does it.
// Holds    The run is the same with and without it; its figures are of real time, and in no trace. One
//          store is asked at a time, in parts of at most 64 MiB of operations, at full speed.
//          At the end each store is closed, checked by fsck, opened again and compared key for key
//          with the simulated disk. Its folder goes away with it.
// Errors   What the disk refuses is an answer: the run goes on, and the figures are absent with that
//          reason. Times and rates are absent, too, when the folder is in memory.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "scale/bench/metrics.hpp"
#include "scale/replay/replayed_store.hpp"
#include "scale/scratch_folder.hpp"

namespace creto {

class StorageReplay {
public:
    static constexpr std::uint32_t stores_max = 4;
    /// What all metrics of a replay begin with.
    static constexpr const char* metric_prefix = "storage_replay_";

    struct Options {
        std::uint64_t seed = 0;
        std::vector<std::uint32_t> nodes;
        std::string under;  ///< Where its folder is made; empty: in $TMPDIR, or /tmp.
        std::size_t log_bytes_max = 64 * 1024 * 1024;
        std::function<bool()> goes_on = [] { return true; };
    };
    explicit StorageReplay(Options options);

    [[nodiscard]] const std::vector<std::uint32_t>& nodes() const { return options_.nodes; }
    /// What the disk of the node is to tell; null when there is no replay of it.
    [[nodiscard]] DiskObserver* observer(std::uint32_t node);
    /// Carries out the rest, closes, checks and compares. Once; a run that ended early is not compared.
    void finish(const std::function<const SimDisk&(std::uint32_t)>& disk_of);
    /// Gives up: the figures are absent with this reason.
    void abandon(const std::string& why);

    /// The figures, or why there are none; the run's measured part is [from, to).
    void measure(Duration from, Duration to, PerformanceMetrics& out) const;
    /// For `details.storage_replay`.
    [[nodiscard]] nlohmann::ordered_json details() const;
    /// For `details.models`: what is no model. Empty when there was no replay.
    [[nodiscard]] std::string text() const;

private:
    void note_failures();
    void measure_speed(Duration from, Duration to, PerformanceMetrics& out) const;

    Options options_;
    std::string failure_;
    std::string place_;
    bool is_memory_ = false;
    std::unique_ptr<ScratchFolder> folder_;
    ReplayFigures figures_;
    std::map<std::uint32_t, std::unique_ptr<ReplayedStore>> stores_;
    std::uint64_t keys_ = 0;
    std::uint64_t differences_ = 0;
    std::uint64_t damage_ = 0;
    std::vector<std::string> found_;  ///< Differences and findings, the first ones.
    bool is_checked_ = false;
};

}  // namespace creto
