// model: searches small networks of the real ordering core for a broken promise.
//
//     model [--seconds N] [--seed S]          the suite: what it searches is in `suite` below
//     model --views N [--term N] [--liar 0..3|none] [--crashes N] [--timeouts N] [--walk 1]
//           [--states-max N]
//
// Prints one line for each search; on a violation, how it came about, and exits with 1. A search that
// did not end within its bound says so; that is no failure.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "model/report.hpp"

namespace {

using creto::model_check::print;
using creto::model_check::run_suite;
using creto::model_check::Search;
using creto::model_check::SearchOptions;
using creto::model_check::SearchResult;
using creto::simplex::testing::Index;
using Clock = std::chrono::steady_clock;

constexpr int nobody = -1;

/// One search, with its part of the time.
struct Task {
    int liar = nobody;
    std::uint64_t views = 3;
    std::uint32_t crashes = 0;
    std::uint32_t timeouts = 0;
    bool walk = false;
    int parts = 1;  ///< Of the time that is left when its turn comes, one in so many.
    std::uint32_t term = 1;
};

/// Small ones end whatever the machine; the walks at the end take what time is left.
constexpr Task suite[] = {
    {.liar = nobody, .views = 1, .crashes = 1},
    {.liar = 0, .views = 1, .crashes = 1},
    {.liar = 1, .views = 1, .crashes = 1},
    {.liar = 2, .views = 1, .crashes = 1},
    {.liar = 2, .views = 2, .timeouts = 2},
    {.liar = 3, .views = 2, .timeouts = 2},
    {.liar = 1, .views = 2, .timeouts = 2, .term = 2},
    {.liar = 3, .views = 2, .timeouts = 2, .term = 2},
    {.liar = 3, .views = 2, .crashes = 1, .timeouts = 1, .parts = 2},
    {.liar = 0, .views = 2, .timeouts = 2, .parts = 2},
    {.liar = nobody, .views = 4, .crashes = 2, .walk = true, .parts = 9},
    {.liar = 0, .views = 4, .crashes = 1, .walk = true, .parts = 7, .term = 2},
    {.liar = 0, .views = 4, .crashes = 2, .walk = true, .parts = 6},
    {.liar = 1, .views = 4, .crashes = 1, .walk = true, .parts = 5},
    {.liar = 2, .views = 4, .crashes = 1, .walk = true, .parts = 4},
    {.liar = 3, .views = 4, .crashes = 1, .walk = true, .parts = 3},
    {.liar = 1, .views = 2, .timeouts = 2, .parts = 2},
    {.liar = 2, .views = 3, .timeouts = 1, .parts = 1},
};

struct Options {
    double seconds = 60;
    std::uint64_t seed = 1;
    std::uint64_t heal_every = 256;
    std::size_t states_max = 40'000'000;
    std::optional<Task> one;
};

bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const std::string value = argv[i + 1];
        const auto number = static_cast<std::uint64_t>(std::strtoull(value.c_str(), nullptr, 10));
        const auto one = [&options]() -> Task& {
            return options.one ? *options.one : options.one.emplace();
        };
        if (name == "--seconds") {
            options.seconds = static_cast<double>(number);
        } else if (name == "--seed") {
            options.seed = number;
        } else if (name == "--heal-every") {
            options.heal_every = number;
        } else if (name == "--states-max") {
            options.states_max = number;
        } else if (name == "--views") {
            one().views = number;
        } else if (name == "--term") {
            one().term = static_cast<std::uint32_t>(number);
        } else if (name == "--crashes") {
            one().crashes = static_cast<std::uint32_t>(number);
        } else if (name == "--timeouts") {
            one().timeouts = static_cast<std::uint32_t>(number);
        } else if (name == "--walk") {
            one().walk = number != 0;
        } else if (name == "--liar") {
            one().liar = value == "none" ? nobody : static_cast<int>(number);
        } else {
            return false;
        }
    }
    return argc % 2 == 1;
}

std::string head_of(const Task& task) {
    char text[128];
    const std::string liar = task.liar == nobody ? "none" : std::to_string(task.liar);
    const std::string timeouts = task.timeouts == 0 ? "any" : std::to_string(task.timeouts);
    std::snprintf(
        text,
        sizeof text,
        "liar %-4s term %u views %llu crashes %u timeouts %-3s",
        liar.c_str(),
        task.term,
        static_cast<unsigned long long>(task.views),
        task.crashes,
        timeouts.c_str()
    );
    return text;
}

double since(Clock::time_point begun) {
    return std::chrono::duration<double>(Clock::now() - begun).count();
}

SearchResult run(const Task& task, const Options& options, double seconds) {
    const auto begun = Clock::now();
    SearchOptions search;
    if (task.liar != nobody) search.liar = static_cast<Index>(task.liar);
    search.views = task.views;
    search.world.term_views = task.term;
    search.crashes = task.crashes;
    search.timeouts = task.timeouts;
    search.heal_every = options.heal_every;
    search.states_max = options.states_max;
    search.time_left = [begun, seconds] { return since(begun) < seconds; };
    Search work{search};
    SearchResult result = task.walk ? work.walk(options.seed) : work.run();
    print(head_of(task), result, since(begun), task.walk);
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (!parse(argc, argv, options)) {
        std::fprintf(stderr, "usage: see the head of tests/model/model_main.cpp\n");
        return 2;
    }
    if (options.one) return run(*options.one, options, options.seconds).violation.empty() ? 0 : 1;
    return run_suite("model", suite, options.seconds, [&](const Task& task, double seconds) {
        return run(task, options, seconds);
    });
}
