// DiskWriter: makes batches durable on a thread of its own, many with one sync.
//
// Why      A sync costs 0.3 ms; what arrives while one runs shares the next (group commit). Where it costs
//          less than to wake another thread twice and a little, a small turn is written at once instead.
// Holds    Batches are applied in the order they were given. A ticket is reported only after its batch
//          is durable (or applied, when it did not ask for that), store first, then votes: a vote on
//          disk never lacks the data it rests on. After the first failure nothing more is written and
//          no further ticket is reported.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "model/effect.hpp"
#include "runtime/event_trace.hpp"
#include "store/store.hpp"

namespace creto {

class DiskWriter {
public:
    struct Callbacks {
        /// Called on the writer's thread; hand over to your own.
        std::function<void(std::vector<Ticket>)> on_persisted;
        std::function<void(std::string)> on_failed;
    };
    struct Counters {
        std::atomic<std::uint64_t> batches{0};
        std::atomic<std::uint64_t> groups{0};  ///< Writes to the store: batches share them.
        std::atomic<std::uint64_t> synced_groups{0};
        std::atomic<std::uint64_t> synced_us{0};  ///< What those took together.
    };

    /// Store, log and trace outlive the writer and are used by nobody else for writing.
    DiskWriter(Store& store, VoteLog& votes, EventTrace& trace, Callbacks callbacks);
    ~DiskWriter();
    DiskWriter(const DiskWriter&) = delete;
    DiskWriter& operator=(const DiskWriter&) = delete;

    /// All that one turn asks for, handed over at once: so it shares a sync.
    void write(std::vector<Persist> turn);
    /// Writes the turn on the caller's thread and gives its tickets, all durable then; or none, and the
    /// turn as it was: it is large, something else is being written, or syncs have been slow lately.
    /// From the thread that calls write().
    [[nodiscard]] std::optional<std::vector<Ticket>> write_at_once(std::vector<Persist>& turn);
    /// Finishes what was given and stops.
    void stop();
    [[nodiscard]] std::size_t backlog() const { return backlog_.load(std::memory_order_relaxed); }
    [[nodiscard]] const Counters& counters() const { return counters_; }

private:
    void run();
    [[nodiscard]] std::optional<std::vector<Ticket>> commit_group(std::vector<Persist> group);

    Store& store_;
    VoteLog& votes_;
    EventTrace& trace_;
    Callbacks callbacks_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Persist> queue_;
    bool stopping_ = false;
    bool writing_ = false;  ///< The thread has a group in hand.
    std::atomic<bool> failed_{false};
    /// What small synced groups took lately, a moving mean. Slow until shown otherwise.
    std::atomic<std::int64_t> sync_us_{1'000};
    std::atomic<std::size_t> backlog_{0};
    Counters counters_;
    std::thread thread_;
};

}  // namespace creto
