// twins: runs cases of two seats with one key, on as many processes as asked for.
//
//     twins [--cases N] [--seed S] [--processes N] [--case I] [--term VIEWS]
//
// Prints figures; on a broken promise the case's number and phases, and exits with 1.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/wait.h>

#include "model/twins.hpp"

namespace {

using namespace creto::model_check;  // NOLINT(google-build-using-namespace)

struct Options {
    std::uint64_t cases = 20'000;
    std::uint64_t seed = 1;
    std::uint64_t processes = 2;
    std::uint32_t term = 1;
    std::optional<std::uint64_t> one;
};

bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
        if (name == "--cases") {
            options.cases = value;
        } else if (name == "--seed") {
            options.seed = value;
        } else if (name == "--processes") {
            options.processes = std::max<std::uint64_t>(1, value);
        } else if (name == "--term") {
            options.term = static_cast<std::uint32_t>(value);
        } else if (name == "--case") {
            options.one = value;
        } else {
            return false;
        }
    }
    return argc % 2 == 1;
}

void print(const TwinCases& cases, std::uint64_t number, const std::string& broken) {
    const TwinCase wanted = cases.at(number);
    std::printf(
        "case %llu VIOLATION %s\n  twins: machines %u and 4\n",
        static_cast<unsigned long long>(number),
        broken.c_str(),
        wanted.twin
    );
    for (const TwinPhase& phase : wanted.phases) {
        std::printf("  groups");
        for (const std::uint8_t group : cases.partition(wanted.twin, phase.cut))
            std::printf(" %u", group);
        std::printf(
            ", %u hops%s%s\n",
            phase.hops,
            phase.patience_ends ? ", patience ends" : "",
            phase.late ? ", what was cut off comes later" : ""
        );
    }
    std::fflush(stdout);
}

/// Every processes-th case from `first` on.
int run(const Options& options, std::uint64_t first) {
    World world{4, options.term};
    const TwinCases cases{options.seed};
    std::uint64_t deliveries = 0;
    std::uint64_t equivocations = 0;
    std::uint64_t done = 0;
    for (std::uint64_t i = first; i < options.cases; i += options.processes) {
        const std::uint64_t number = options.one.value_or(i);
        const TwinCase wanted = cases.at(number);
        TwinRun work{world, cases, wanted};
        const std::string broken = work.run();
        ++done;
        deliveries += work.deliveries();
        equivocations += work.equivocated() ? 1 : 0;
        if (!broken.empty()) {
            print(cases, number, broken);
            return 1;
        }
        if (options.one) break;
    }
    std::printf(
        "process %llu: %llu cases, in %llu the twins contradicted each other, %llu deliveries a "
        "case\n",
        static_cast<unsigned long long>(first),
        static_cast<unsigned long long>(done),
        static_cast<unsigned long long>(equivocations),
        static_cast<unsigned long long>(deliveries / std::max<std::uint64_t>(1, done))
    );
    std::fflush(stdout);
    // A run in which the twins never lie shows nothing.
    return done < 100 || equivocations > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (!parse(argc, argv, options)) {
        std::fprintf(stderr, "usage: see the head of tests/model/twins_main.cpp\n");
        return 2;
    }
    if (options.one) return run(options, 0);
    const auto begun = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < options.processes; ++i) {
        if (fork() == 0) _exit(run(options, i));
    }
    int worst = 0;
    for (std::uint64_t i = 0; i < options.processes; ++i) {
        int status = 0;
        wait(&status);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) worst = 1;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    const TwinCases cases{options.seed};
    std::printf(
        "twins: %llu cases (%llu there are of two phases), seed %llu, %.1f s, %.0f cases/s: %s\n",
        static_cast<unsigned long long>(options.cases),
        static_cast<unsigned long long>(cases.enumerated()),
        static_cast<unsigned long long>(options.seed),
        took.count(),
        static_cast<double>(options.cases) / took.count(),
        worst == 0 ? "no violation" : "FAILED"
    );
    return worst;
}
