// SimHost: what surrounds one simulated node: its disk, its timer, what waits for what.
//
// Why      Kept apart from the cluster so that what a crash loses is plain to see: Life is lost,
//          the rest of the host stays.
// Holds    One armed timer event at a time (or a stale one that is ignored).
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/boxed.hpp"
#include "base/log.hpp"
#include "base/ring.hpp"
#include "node/inbound.hpp"
#include "sim/check_queue.hpp"
#include "sim/disk.hpp"
#include "sim/host_clock.hpp"
#include "sim/participant.hpp"

namespace creto {

/// A notice with the instant at which its node published it.
struct SimNotice {
    Instant at;
    Boxed<Notice> notice;
};

/// Where a simulated node's lines go; the host adds the time and the node.
using SimLogSink = std::function<void(NodeIndex, LogLevel, std::string_view)>;

class SimLog final : public Log {
public:
    SimLog(NodeIndex node, const SimLogSink& sink) : node_{node}, sink_{sink} {}
    [[nodiscard]] bool enabled(LogLevel /*level*/) const override { return bool{sink_}; }
    void write(LogLevel level, std::string_view line) override {
        if (sink_) sink_(node_, level, line);
    }

private:
    NodeIndex node_;
    const SimLogSink& sink_;
};

/// What a host's processors and disk did, for reports.
struct HostSpending {
    Duration protocol;  ///< Charged to the protocol thread.
    Duration crypto;    ///< Charged to the checking thread.
    Duration queued;    ///< From an event's arrival to its turn.
    Duration checking;  ///< From asking for a check to its answer.
    Duration syncing;   ///< From a durable write to its end.
    std::uint64_t checks = 0;
    std::uint64_t syncs = 0;
};

/// An event that waits for its turn.
struct WaitingEvent {
    Event event;
    std::uint64_t fingerprint = 0;
    Instant since;
};

/// What the host did with its node's effects and events, over all lives.
struct HostCounters {
    std::uint64_t sends_held = 0;      ///< For a sync.
    std::uint64_t events_stale = 0;    ///< Of an earlier life.
    std::uint64_t events_waited = 0;   ///< While the node was paused or busy.
    std::uint64_t writes_refused = 0;  ///< By the disk.
    std::uint64_t tools_cancelled = 0;
};

struct SimHost {
    /// From a start to the crash after it; nothing of it survives.
    struct Life {
        std::unique_ptr<Participant> participant;
        Instant started;  ///< By the host's own clock.
        // While busy or paused; as in the real host, see node/inbound.hpp.
        Ring<WaitingEvent> inbox;       ///< What the host itself has to say.
        Inbound<WaitingEvent> inbound;  ///< What peers said.
        std::uint32_t inbox_in_a_row = 0;
        [[nodiscard]] bool has_waiting() const { return !inbox.empty() || !inbound.empty(); }
        [[nodiscard]] WaitingEvent next_waiting();
        bool is_busy = false;
        bool is_store_failed = false;
        Instant wake = Instant::max();   ///< When the node wants to be woken, by its clock.
        Instant armed = Instant::max();  ///< When the queue will remind us.
        std::vector<Ticket> unsynced;    ///< Persists that are not durable yet, ascending.
        std::vector<Send> held;          ///< Messages that wait for one of them, oldest first.
        Ticket last_persist;
        std::set<Ticket> executing;
        Instant checker_free;      ///< Where each signature is checked alone.
        CheckQueue checks;         ///< Where votes can be joined.
        WireMessage last_message;  ///< Fingerprinted once for all its receivers.
        std::uint64_t last_fingerprint = 0;
    };

    void wait(WaitingEvent event);

    SimHost(NodeIndex index_in, DiskOptions disk_options, const SimLogSink& sink)
        : index{index_in}, disk{disk_options}, log{index_in, sink} {}

    NodeIndex index;
    AgentId agent;
    std::unique_ptr<Signer> signer;
    NodeOptions options;
    SimDisk disk;
    SimLog log;
    HostClock clock;
    std::optional<Life> life;  ///< None while the node is down.
    std::uint32_t boots = 0;   ///< Starts so far; events of an earlier life are dropped.
    bool is_paused = false;
    std::uint32_t cpu_percent = 100;
    std::deque<SimNotice> notices;
    std::uint64_t notices_dropped = 0;
    std::uint64_t events = 0;
    HostSpending spent;
    HostCounters counters;
};

}  // namespace creto
