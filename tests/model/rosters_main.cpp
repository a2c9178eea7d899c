// rosters: searches all ways in which seats are set aside and come back (roster_search.hpp).
//
//     rosters [--seconds N]       networks of 3 to 7 seats, with as many liars as they tolerate
//     rosters --seats N [--liars N] [--back N] [--crash 1]     one network
//
// Prints one line for each network; on a violation, how it came about, and exits with 1. A search that did
// not end within its bound says so; that is no failure.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "model/roster_search.hpp"

namespace {

using creto::QuorumMode;
using creto::model_check::RosterSearch;
using creto::model_check::RosterSearchOptions;
using creto::model_check::RosterSearchResult;
using Clock = std::chrono::steady_clock;

struct Network {
    std::uint32_t seats = 7;
    std::uint32_t liars = 2;
    std::uint32_t epochs_back = 1;
    QuorumMode mode = QuorumMode::byzantine;
};

constexpr Network suite[] = {
    {4, 1, 3},
    {5, 1, 3},
    {6, 1, 2},
    {7, 2, 1},
    {3, 0, 3, QuorumMode::crash},
    {5, 0, 2, QuorumMode::crash},
    {7, 0, 1, QuorumMode::crash},
    {7, 2, 2},
};

double since(Clock::time_point begun) {
    return std::chrono::duration<double>(Clock::now() - begun).count();
}

bool search(const Network& network, double seconds) {
    const auto begun = Clock::now();
    RosterSearchOptions options{
        .mode = network.mode,
        .seats = network.seats,
        .liars = network.liars,
        .epochs_back = network.epochs_back};
    options.time_left = [&] { return since(begun) < seconds; };
    const RosterSearchResult result = RosterSearch{options}.run();
    std::printf(
        "rosters %s seats %2u liars %u back %u: %8zu states, %6zu rosters, %10llu ends of epochs, "
        "fewest "
        "that "
        "vote %u, halted by silent liars %zu, %5.1f s, %s\n",
        network.mode == QuorumMode::crash ? "crash    " : "byzantine",
        network.seats,
        network.liars,
        network.epochs_back,
        result.states,
        result.rosters,
        static_cast<unsigned long long>(result.decisions),
        result.fewest,
        result.halting,
        since(begun),
        !result.violation.empty() ? "VIOLATION"
        : result.exhausted        ? "exhausted"
                                  : "not exhausted"
    );
    if (!result.violation.empty()) std::printf("  %s\n", result.violation.c_str());
    for (const std::string& step : result.trace)
        std::printf("    %s\n", step.c_str());
    std::fflush(stdout);
    return result.violation.empty();
}

}  // namespace

int main(int argc, char** argv) {
    double seconds = 10;
    Network one;
    bool is_one = false;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const auto number = static_cast<std::uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
        is_one = is_one || name != "--seconds";
        if (name == "--seconds") {
            seconds = number;
        } else if (name == "--seats") {
            one.seats = number;
        } else if (name == "--liars") {
            one.liars = number;
        } else if (name == "--back") {
            one.epochs_back = number;
        } else if (name == "--crash") {
            one.mode = number != 0 ? QuorumMode::crash : QuorumMode::byzantine;
        } else {
            argc = 0;
        }
    }
    const std::uint32_t least = one.mode == QuorumMode::crash ? 1 : 4;
    if (argc % 2 != 1 || one.seats < least || one.seats > 16 || one.liars > one.seats ||
        one.epochs_back < 1 || one.epochs_back > 4) {
        std::fprintf(
            stderr, "rosters [--seconds N] [--seats 4..16] [--liars N] [--back 1..4] [--crash 1]\n"
        );
        return 2;
    }
    if (is_one) return search(one, seconds) ? 0 : 1;
    bool good = true;
    const auto begun = Clock::now();
    for (const Network& network : suite)
        good = search(network, seconds - since(begun)) && good;
    return good ? 0 : 1;
}
