// RosterAsks: the seats of a life ask for changes of the roster and of parameters, one after the other.
//
// Why      A change takes a quorum that asks for it, an epoch that ends and another one. Seats that
//          are down or cut off have not asked; so all ask again and again until it is in force.
// Holds    What was added is in force before the next is asked for: seats are numbered as nodes are.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "sim/cluster.hpp"
#include "sim/life/schedule.hpp"

namespace creto {

class RosterAsks {
public:
    /// All outlive it.
    RosterAsks(const Schedule& schedule, SimCluster& cluster, const std::vector<bool>& unreliable);

    /// Asks for what a fault says, once what was added before is in force.
    void add(const Fault& fault);
    /// Nobody asks any more.
    void stop() { is_stopped_ = true; }

private:
    void ask();
    [[nodiscard]] RosterOperation change() const;
    [[nodiscard]] bool asks(std::uint32_t node) const;
    [[nodiscard]] static bool is_in_force(const RosterOperation& change, const Node& node);
    [[nodiscard]] bool is_in_force(const RosterOperation& change) const;
    void next();

    const Schedule& schedule_;
    SimCluster& cluster_;
    const std::vector<bool>& unreliable_;
    std::deque<Fault> waiting_;
    std::uint32_t next_spare_;
    std::array<std::uint32_t, all_parameters.size()> changed_{};  ///< How often, by parameter.
    bool has_asked_ = false;                                      ///< For the first that waits.
    bool is_stopped_ = false;
};

}  // namespace creto
