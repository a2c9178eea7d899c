// What calibration compares: the same three figures of a real cluster and of the simulator's model of
// it, under the same loads.
//
// Why      A simulator that was never held against reality says nothing about it.
// Source   Berger et al. (2022) and Wang et al. (BFTSim) compare the same way: fit on some sizes,
//          predict others, publish the errors.
// Units    Milliseconds; operations a second.
#pragma once

#include <cstdint>
#include <filesystem>

#include "sim/cost.hpp"

namespace creto::calibrate {

/// Open-loop writes of one client at every node in turn, and then as many as there can be.
struct Loads {
    std::uint32_t rate = 40;  ///< Open-loop, a second.
    double seconds = 6;
    std::uint32_t window = 64;  ///< Closed-loop: writes under way at once.
    double saturated_seconds = 4;
    std::size_t payload = 256;
};

struct Figures {
    double p50_ms = 0;
    double p99_ms = 0;
    double saturation = 0;  ///< Operations a second.
};

/// What the machine does that the cost table does not hold.
struct Machine {
    double hop_us = 50;    ///< From a write to a socket until the other process is awake.
    double sync_us = 300;  ///< One sync of its disk.
    std::uint32_t processors = 2;
};

/// Real processes on loopback, without the link shim's latency. Throws scenario::Stop.
[[nodiscard]] Figures measure_real(
    std::uint32_t nodes, const Loads& loads, const std::filesystem::path& dir
);
/// The median time of an fdatasync after 4 KiB in this folder.
[[nodiscard]] double measure_sync_us(const std::filesystem::path& dir);

/// The same nodes in the simulator, all on one machine.
[[nodiscard]] Figures simulate(
    std::uint32_t nodes, const Loads& loads, const CostTable& costs, const Machine& machine
);

}  // namespace creto::calibrate
