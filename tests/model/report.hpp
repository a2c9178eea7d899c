// Report: what a search found, as its program prints it.
//
// Why      All programs that search say the same of it: how much was seen, how deep, how fast, and whether
//          that was all. On a violation, how it came about.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "model/search.hpp"

namespace creto::model_check {

inline void print(const std::string& what, const SearchResult& result, double took, bool walk) {
    std::printf(
        "%s %s: %9zu states, depth %2u, %6zu seat states, %8llu core steps, %6llu heals, %5.1f s, "
        "%7.0f states/s, %s\n",
        walk ? "walks " : "search",
        what.c_str(),
        result.states,
        result.depth,
        result.locals,
        static_cast<unsigned long long>(result.core_steps),
        static_cast<unsigned long long>(result.heals),
        took,
        static_cast<double>(result.states) / took,
        !result.violation.empty() ? "VIOLATION"
        : walk                    ? (std::to_string(result.walks) + " walks").c_str()
        : result.exhausted        ? "exhausted"
                                  : "not exhausted"
    );
    if (!result.violation.empty()) std::printf("  %s\n", result.violation.c_str());
    for (const std::string& step : result.trace)
        std::printf("    %s\n", step.c_str());
    std::fflush(stdout);
}

/// One search after the other, each with its part of the time that is left: `run` takes a task and its
/// seconds. The exit code.
template <class Suite, class Run>
int run_suite(const char* program, const Suite& suite, double seconds, const Run& run) {
    const auto begun = std::chrono::steady_clock::now();
    const auto passed = [begun] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    };
    std::size_t states = 0;
    for (const auto& task : suite) {
        const SearchResult result = run(task, std::max(0.5, seconds - passed()) / task.parts);
        states += result.states;
        if (!result.violation.empty()) return 1;
    }
    std::printf("%s: %zu states in %.0f s, no violation\n", program, states, passed());
    return 0;
}

}  // namespace creto::model_check
