// What a process, and the machine, have used so far: as the kernel counts it in /proc.
//
// Units    Processor time sums all threads; bytes are resident.
// Errors   None of a process: it is no more. None of a machine: /proc is not there.
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>

#include "base/time.hpp"

namespace creto {

struct ProcessUsage {
    Duration cpu;
    std::uint64_t resident_bytes = 0;
};
[[nodiscard]] std::optional<ProcessUsage> process_usage(pid_t pid);

struct MachineUsage {
    Duration busy;  ///< Over all processors.
    Duration all;
};
[[nodiscard]] std::optional<MachineUsage> machine_usage();

}  // namespace creto
