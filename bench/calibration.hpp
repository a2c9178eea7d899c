// calibration(): how fast this machine is just now, at the kind of work that a simulation is.
//
// Why      Machines differ and are shared: a bound on messages a second would fail for their sake.
//          Relative to a loop that runs in turn with the measurement, in the same process, most of
//          the machine cancels out.
// Holds    Nothing of the project is called, so that no change of the project moves it.
// Units    Rounds in a second of processor time; a round allocates, copies, mixes and searches.
#pragma once

#include <time.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace creto {

/// Processor time of this process.
[[nodiscard]] inline double cpu_s() {
    timespec spent{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

[[nodiscard]] inline double calibration() {
    constexpr std::size_t held = 4'096;
    constexpr std::uint64_t rounds = 400'000;
    std::vector<std::unique_ptr<std::vector<std::uint64_t>>> blocks(held);
    std::map<std::uint64_t, std::uint64_t> sorted;
    std::array<std::uint64_t, 24> words{};
    std::uint64_t state = 1;
    const double before = cpu_s();
    for (std::uint64_t round = 0; round < rounds; ++round) {
        for (std::uint64_t& word : words) {
            state = (state ^ (state >> 31U)) * 0x9E3779B97F4A7C15ULL + round;
            word ^= state;
        }
        auto& block = blocks[state % held];
        block = std::make_unique<std::vector<std::uint64_t>>(words.begin(), words.end());
        state ^= (*block)[round % words.size()];
        sorted.emplace(state, round);
        if (sorted.size() > 1'024) sorted.erase(sorted.begin());
    }
    const double spent = cpu_s() - before;
    // The result is used, so that nothing above can be left out.
    return static_cast<double>(rounds) / (spent + (state == 0 ? 1.0 : 0.0));
}

}  // namespace creto
