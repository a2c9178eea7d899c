// CpuPool: the processors that several nodes share when they run on one machine.
//
// Why      A cluster of processes on a laptop has two cores, not two a node: without a pool the
//          simulator of such a cluster is wrong by the number of nodes.
// Source   A queue before c servers (M/G/c): work takes the server that is free first, in the order
//          of arrival. The kernel's time slices and its scheduler's favours are not modelled.
// Holds    Never more than `servers` pieces of work at once.
#pragma once

#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "base/time.hpp"

namespace creto {

class CpuPool {
public:
    /// No servers: everybody has a processor of his own, and waits for nobody.
    explicit CpuPool(std::uint32_t servers) : free_(servers) {}

    /// When work that is ready at `ready` and costs `cost` is done.
    Instant run(Instant ready, Duration cost) {
        if (free_.empty()) return ready + cost;
        const auto server = std::min_element(free_.begin(), free_.end());
        *server = std::max(*server, ready) + cost;
        busy_ = busy_ + cost;
        return *server;
    }
    [[nodiscard]] bool is_shared() const { return !free_.empty(); }
    /// What all servers together have worked.
    [[nodiscard]] Duration busy() const { return busy_; }

private:
    std::vector<Instant> free_;
    Duration busy_;
};

}  // namespace creto
