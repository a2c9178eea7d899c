// sim_traces FIRST LAST: the trace hash of each life of these seeds, a line each.
//
// Why      The same seed must give the same run in every build: tools/same_traces.sh compares what
//          this prints between compilers and build types.
#include <charconv>
#include <iostream>
#include <string_view>

#include "sim/life/life.hpp"
#include "sim/life/swarm.hpp"

int main(int argc, char** argv) {
    std::uint64_t first = 1;
    std::uint64_t last = 0;
    const auto read = [argv](int at, std::uint64_t& into) {
        const std::string_view text = argv[at];
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
        return error == std::errc{} && end == text.data() + text.size();
    };
    if (argc != 3 || !read(1, first) || !read(2, last)) {
        std::cerr << "sim_traces FIRST LAST\n";
        return 2;
    }
    bool passed = true;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        const creto::Schedule schedule = creto::make_schedule(seed);
        const creto::LifeReport report = creto::live(schedule);
        std::cout << seed << " " << report.trace_hash.hex() << " " << report.events << "\n";
        if (report.passed()) continue;
        std::cerr << report.text << "\n";
        passed = false;
    }
    return passed ? 0 : 1;
}
