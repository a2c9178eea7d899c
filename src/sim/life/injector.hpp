// Injector: carries out a schedule's faults on a cluster, and takes them all back.
//
// Why      Faults overlap: a node that one fault stopped must not be started by the end of another,
//          and a pair that two cuts part is joined when both are over.
// Holds    After calm() nothing that a fault did is left, except what disks have lost. After pause()
//          neither, and changes of the roster go on; what the schedule says next comes later by as
//          much as go_on() did.
//          Whoever runs under a memory budget is looked at every 10 ms, and killed over it: what is
//          counted is sim/memory.hpp's.
// Errors   A reliable node that is killed under a fair budget is a violation, "resources". A node
//          that does not start from its own disk is a violation, "restore", unless that disk
//          cannot be read now, or rots and the node says so.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "sim/cluster.hpp"
#include "sim/life/roster_asks.hpp"
#include "sim/life/schedule.hpp"

namespace creto {

class Injector {
public:
    /// Both outlive it. Plans everything up to the first calm; run the cluster to see it happen.
    Injector(const Schedule& schedule, SimCluster& cluster);

    /// Plans the faults that were appended to the schedule since; their instants are not past.
    /// Ignores the schedule's calm: who adds faults says when it is calm.
    void add_new();
    /// Ends this fault now if it acts, or before it has begun.
    void end(std::size_t index);
    /// Ends every fault and starts every node that is down.
    void pause();
    /// Plans what the schedule says between the calm that is over now and the next one.
    void go_on();
    /// For good.
    void calm();
    /// Faults that changed something, by kind.
    [[nodiscard]] const std::array<std::uint64_t, fault_kinds>& fired() const { return fired_; }
    [[nodiscard]] std::uint64_t restarts() const { return restarts_; }

private:
    using FaultIndex = std::size_t;

    [[nodiscard]] Duration phase_end(std::size_t phase) const;
    void plan_phase(Duration late);
    void plan(FaultIndex index, Duration late, Duration until);
    void begin(FaultIndex index);
    void stop(std::uint32_t node, FaultIndex index, CrashLoss loss, StopNotice notice);
    void start(std::uint32_t node);
    void restart(std::uint32_t node);
    void look_at_memory(FaultIndex index);
    void flood(FaultIndex index);
    [[nodiscard]] bool reads(std::uint32_t node) const;
    /// Adds the pair to `changed` if it is parted, or together, only now.
    void part(NodePair pair, int change, std::vector<NodePair>& changed);
    void part_all(const Fault& fault, int change);
    void refresh_links();
    void refresh_node(std::uint32_t node);

    const Schedule& schedule_;
    SimCluster& cluster_;
    std::vector<bool> active_;
    std::vector<bool> is_over_;
    std::vector<std::optional<FaultIndex>> stopped_by_;
    std::vector<bool> unreadable_;  ///< Could not start, because its disk read nothing.
    std::vector<bool> may_rot_;
    std::vector<bool> unreliable_;
    RosterAsks asks_;
    std::size_t phase_ = 0;  ///< Calms that are over.
    std::map<NodePair, int> parted_;
    std::map<FaultIndex, std::map<std::uint32_t, DiskImage>> images_;
    std::array<std::uint64_t, fault_kinds> fired_{};
    std::uint64_t restarts_ = 0;
    bool is_calm_ = false;
};

}  // namespace creto
