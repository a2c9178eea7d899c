// ReplayedStore: what one simulated node asked of its disk, asked of a real store in a folder.
//
// Why      How much RocksDB carries out, how long a durable write takes when a store has grown, and what
//          compaction costs are questions about a disk; no model answers them.
// Holds    The operations come in the order of the run and through the host's own commit(): journal,
//          vote log, syncs. What the node wrote while, by what the disk really took, a commit was
//          under way shares the next one, as in runtime/disk_writer.hpp; nothing waits for virtual
//          time to pass. At most log_bytes_max of operations wait: then they are carried out, and
//          the run goes on after them. A crash of the node closes the folder and opens it again.
//          After each commit a key that was written some time is read.
//          After the first failure nothing is kept and nothing asked any more.
// Errors   failure(): what the disk said, or that the run was stopped.
// Cost     Real time up to the virtual, and a copy of each operation's keys and votes.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/prng.hpp"
#include "rocks/data_folder.hpp"
#include "scale/replay/store_difference.hpp"
#include "scale/replay/timeline.hpp"
#include "sim/disk_observer.hpp"
#include "sim/run/histogram.hpp"

namespace creto {

/// Of all stores together, where it says nothing else.
struct ReplayFigures {
    std::uint64_t keys_written = 0;
    std::uint64_t keys_read = 0;
    std::uint64_t commits = 0;  ///< Durable ones.
    std::uint64_t restarts = 0;
    Duration busy;  ///< Real time in which a store was asked for something.
    Duration last;  ///< Virtual: the newest operation.
    Timeline writes;
    Timeline reads;
    Histogram write_us;
    Histogram read_ns;
    std::optional<std::uint64_t>
        calls;             ///< Reads and writes of files; none: the system does not say.
    double keys_peak = 0;  ///< Keys in a second of one store.
    double calls_peak = 0;
    std::uint64_t compactions = 0;
    std::uint64_t pending_max = 0;  ///< Bytes that wait for compaction in one store, at most.
    std::optional<Duration> held_back = Duration{};  ///< None: RocksDB does not say.
    std::uint64_t disk_bytes = 0;
};

class ReplayedStore final : public DiskObserver {
public:
    struct Options {
        std::string dir;  ///< Of its own, empty.
        std::uint64_t seed = 0;
        std::size_t log_bytes_max = 64 * 1024 * 1024;
        std::function<bool()> goes_on = [] { return true; };  ///< False: the run is stopped.
    };
    /// The figures outlive it.
    ReplayedStore(Options options, ReplayFigures& figures);

    void on_write(const DiskWrite& write) override;
    void on_load(const Load& load, Instant now) override;
    void on_scan(const Scan& scan, Instant now) override;
    void on_crash(DiskLoss loss) override;
    void on_replaced(const SimDisk& disk) override;

    /// Carries out what waits.
    void catch_up();
    /// The same, then all goes to tables and the folder is closed.
    void close();

    struct Checked {
        StoreDifference difference;
        std::uint64_t damage = 0;  ///< Findings of fsck that are no notes.
        std::vector<std::string> findings;
    };
    /// fsck, then the folder is opened again and compared. After close().
    [[nodiscard]] Checked check(const SimDisk& wanted);

    /// Empty while all is well.
    [[nodiscard]] const std::string& failure() const { return failure_; }
    [[nodiscard]] const std::string& dir() const { return options_.dir; }
    [[nodiscard]] std::size_t waiting_bytes() const { return waiting_bytes_; }

private:
    struct Lost {
        std::vector<KeyWrite> taken_back;
        std::optional<std::vector<Bytes>> log;
        bool restarts = true;
    };
    struct Replaced {
        std::vector<KeyWrite> writes;
        std::vector<Bytes> log;
    };
    struct Waiting {
        Instant at;
        std::size_t bytes = 0;
        std::variant<Persist, Load, Scan, Lost, Replaced> what;
    };
    struct DrawnKey {
        Column column = Column::meta;
        Bytes key;
    };
    /// What was done in at least a second of real time.
    struct Meter {
        Duration busy;
        std::uint64_t keys = 0;
        std::uint64_t calls = 0;
    };

    void push(Instant at, std::size_t bytes, decltype(Waiting::what) what);
    [[nodiscard]] Result<void> open();
    void shut();
    [[nodiscard]] Result<void> carry_out_next();
    [[nodiscard]] Result<void> commit_group();
    [[nodiscard]] Result<void> load(const Load& load, Instant at);
    [[nodiscard]] Result<void> scan(const Scan& scan);
    [[nodiscard]] Result<void> lose(Lost lost);
    [[nodiscard]] Result<void> replace(Replaced replaced);
    [[nodiscard]] Result<void> read_drawn(Instant at);
    [[nodiscard]] Result<bool> read(Column column, ByteView key, Instant at);
    void remember(const std::vector<KeyWrite>& writes);
    void pop();
    void spend(Duration took, std::uint64_t keys);
    void count_calls();
    void end_meter();
    void fail_with(std::string why);
    template <class Work>
    [[nodiscard]] Duration timed(const Work& work) const;

    Options options_;
    ReplayFigures& figures_;
    std::optional<DataFolder> folder_;
    std::deque<Waiting> waiting_;
    std::size_t waiting_bytes_ = 0;
    Instant free_;  ///< Virtual: when the disk has done what it was given.
    Instant last_;
    Prng prng_;
    std::vector<DrawnKey> drawn_;
    std::uint64_t keys_seen_ = 0;
    Meter meter_;
    std::optional<std::uint64_t> calls_at_;
    std::string failure_;
};

}  // namespace creto
