// rosters: searches all ways in which seats are set aside and come back (roster_search.hpp), and what the
// sides of a partition can make of each other's seats by what they report (side_search.hpp).
//
//     rosters [--seconds N] [--states N]       networks of 3 to 7 seats, with as many liars as they tolerate
//     rosters --seats N [--liars N] [--back N] [--crash 1]     one network, whoever is said to be dead
//     rosters --seats N [--liars N] --reports N [--crash 1] [--walk 1]     one network, cut into sides that
//                                                                         report
//
// Prints one line for each network; on a violation, how it came about, and exits with 1. A search that did
// not end within its bound says so; that is no failure.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "model/roster_search.hpp"
#include "model/side_search.hpp"

namespace {

using creto::QuorumMode;
using creto::model_check::RosterSearch;
using creto::model_check::RosterSearchOptions;
using creto::model_check::RosterSearchResult;
using creto::model_check::SideSearch;
using creto::model_check::SideSearchOptions;
using creto::model_check::SideSearchResult;
using Clock = std::chrono::steady_clock;

struct Network {
    std::uint32_t seats = 7;
    std::uint32_t liars = 2;
    std::uint32_t epochs_back = 1;
    QuorumMode mode = QuorumMode::byzantine;
    std::uint32_t reports = 0;  ///< That make a seat dead; 0: anybody may be said to be.
    bool walk = false;          ///< Random walks in place of all states.
    int parts = 1;              ///< Of the time that is left when its turn comes, one in so many.
};

/// Those that end come first; the last two take what time is left.
constexpr Network suite[] = {
    {4, 1, 3},
    {5, 1, 3},
    {6, 1, 2},
    {7, 2, 1},
    {3, 0, 3, QuorumMode::crash},
    {5, 0, 2, QuorumMode::crash},
    {7, 0, 1, QuorumMode::crash},
    {.seats = 4, .liars = 1, .reports = 8},
    {.seats = 3, .liars = 0, .mode = QuorumMode::crash, .reports = 8},
    {.seats = 5, .liars = 1, .reports = 8, .walk = true, .parts = 6},
    {.seats = 6, .liars = 1, .reports = 8, .walk = true, .parts = 5},
    {.seats = 7, .liars = 2, .reports = 8, .walk = true, .parts = 4},
    {.seats = 7, .liars = 0, .mode = QuorumMode::crash, .reports = 8, .walk = true, .parts = 4},
    {.seats = 5, .liars = 1, .reports = 8, .parts = 3},
    {.seats = 6, .liars = 1, .reports = 8, .parts = 2},
    {7, 2, 2},
};

double since(Clock::time_point begun) {
    return std::chrono::duration<double>(Clock::now() - begun).count();
}

bool search(const Network& network, std::size_t states_max, double seconds) {
    const auto begun = Clock::now();
    RosterSearchOptions options{
        .mode = network.mode,
        .seats = network.seats,
        .liars = network.liars,
        .epochs_back = network.epochs_back,
        .states_max = states_max};
    options.time_left = [&] { return since(begun) < seconds; };
    const RosterSearchResult result = RosterSearch{options}.run();
    const double took = since(begun);
    std::printf(
        "rosters %s seats %2u liars %u back %u: %8zu states, %6zu rosters, %10llu ends of epochs, "
        "fewest that vote %u, halted by silent liars %zu, %5.1f s, %7.0f states/s, %s\n",
        network.mode == QuorumMode::crash ? "crash    " : "byzantine",
        network.seats,
        network.liars,
        network.epochs_back,
        result.states,
        result.rosters,
        static_cast<unsigned long long>(result.decisions),
        result.fewest,
        result.halting,
        took,
        static_cast<double>(result.states) / took,
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

bool search_sides(const Network& network, std::size_t states_max, double seconds) {
    const auto begun = Clock::now();
    SideSearchOptions options{
        .mode = network.mode,
        .seats = network.seats,
        .liars = network.liars,
        .reports = network.reports,
        .states_max = std::min(states_max, SideSearchOptions{}.states_max)};
    options.time_left = [&] { return since(begun) < seconds; };
    SideSearch work{options};
    const SideSearchResult result = network.walk ? work.walk(1) : work.run();
    const double took = since(begun);
    std::printf(
        "%s   %s seats %2u liars %u reports %u: %8zu states, depth %2u, %10llu steps, %llu ends "
        "of "
        "epochs, %llu with seats set aside, fewest that vote %u, %llu heals, %5.1f s, %7.0f "
        "states/s, "
        "%s\n",
        network.walk ? "walks" : "sides",
        network.mode == QuorumMode::crash ? "crash    " : "byzantine",
        network.seats,
        network.liars,
        network.reports,
        result.states,
        result.depth,
        static_cast<unsigned long long>(result.steps),
        static_cast<unsigned long long>(result.ends),
        static_cast<unsigned long long>(result.set_aside),
        result.fewest,
        static_cast<unsigned long long>(result.heals),
        took,
        static_cast<double>(result.states) / took,
        !result.violation.empty() ? "VIOLATION"
        : network.walk            ? (std::to_string(result.walks) + " walks").c_str()
        : result.exhausted        ? "exhausted"
                                  : "not exhausted"
    );
    if (!result.violation.empty()) std::printf("  %s\n", result.violation.c_str());
    for (const std::string& step : result.trace)
        std::printf("    %s\n", step.c_str());
    std::fflush(stdout);
    return result.violation.empty();
}

bool look(const Network& network, std::size_t states_max, double seconds) {
    return network.reports > 0 ? search_sides(network, states_max, seconds)
                               : search(network, states_max, seconds);
}

}  // namespace

int main(int argc, char** argv) {
    double seconds = 10;
    std::size_t states_max = 10'000'000;
    Network one;
    bool is_one = false;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const auto number = static_cast<std::uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
        is_one = is_one || (name != "--seconds" && name != "--states");
        if (name == "--seconds") {
            seconds = number;
        } else if (name == "--states") {
            states_max = number;
        } else if (name == "--walk") {
            one.walk = number != 0;
        } else if (name == "--reports") {
            one.reports = number;
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
    const std::uint32_t most = one.reports > 0 ? 8 : 16;
    if (argc % 2 != 1 || one.seats < least || one.seats > most || one.liars > one.seats ||
        one.epochs_back < 1 || one.epochs_back > 4) {
        std::fprintf(
            stderr,
            "rosters [--seconds N] [--states N] [--seats 4..16] [--liars N] [--back 1..4 or "
            "--reports N] "
            "[--crash 1]\n"
        );
        return 2;
    }
    if (is_one) return look(one, states_max, seconds) ? 0 : 1;
    bool good = true;
    const auto begun = Clock::now();
    for (const Network& network : suite) {
        const double left = std::max(0.5, seconds - since(begun));
        good = look(network, states_max, left / network.parts) && good;
    }
    return good ? 0 : 1;
}
