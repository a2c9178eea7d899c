// epochs: searches small networks of the real ordering around the end of an epoch for a broken promise.
//
//     epochs [--seconds N] [--states N] [--seed S]    the suite: what it searches is in `suite` below
//     epochs --change none|added|left|replaced|dormant [--crash-mode 1] [--seats N] [--who N]
//            [--liar N|none] [--blocks N] [--from HEIGHT] [--last N] [--views N] [--views-last N]
//            [--crashes N] [--timeouts N] [--lazy 1] [--wipes 1] [--walk 1]       one search
//
// Prints one line for each search; on a violation, how it came about, and exits with 1. A search that
// did not end within its bound says so; that is no failure.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <vector>

#include "model/report.hpp"

namespace {

using creto::Epoch;
using creto::QuorumMode;
using creto::model_check::Change;
using creto::model_check::print;
using creto::model_check::run_suite;
using creto::model_check::Search;
using creto::model_check::SearchOptions;
using creto::model_check::SearchResult;
using creto::model_check::to_string;
using creto::simplex::testing::Index;
using Clock = std::chrono::steady_clock;

constexpr int nobody = -1;

/// One search, with its part of the time.
struct Task {
    Change change = Change::none;
    int liar = nobody;
    Index seats = 4;
    Index who = 3;
    std::uint32_t blocks = 3;  ///< Of an epoch.
    std::uint64_t from = 5;    ///< Heights that are final when it begins.
    std::uint64_t last = 3;    ///< Epoch.
    std::uint64_t views = 2;
    std::uint64_t views_last = 1;
    std::uint32_t crashes = 0;
    std::uint32_t timeouts = 1;
    bool lazy = false;
    bool wipes = false;
    bool walk = false;
    QuorumMode mode = QuorumMode::byzantine;
    int parts = 1;  ///< Of the time that is left when its turn comes, one in so many.
};

/// Epoch 3 is the first that the state can change. Those that end come first; the rest takes what time is
/// left.
constexpr Task suite[] = {
    {.change = Change::none, .views = 1},
    {.change = Change::added, .views = 1},
    {.change = Change::replaced, .views = 1},
    {.change = Change::left, .seats = 5, .who = 4, .views = 1},
    {.change = Change::dormant, .seats = 5, .who = 4, .views = 1},
    {.change = Change::replaced, .liar = 0, .views = 1},
    {.change = Change::replaced, .liar = 1, .views = 1},
    {.change = Change::replaced, .liar = 2, .views = 1},
    {.change = Change::replaced, .liar = 0},
    {.change = Change::replaced, .liar = 3},
    {.change = Change::replaced, .views = 1, .crashes = 1, .wipes = true, .parts = 6},
    {.change = Change::added, .views = 1, .crashes = 1, .wipes = true, .parts = 5},
    {.change = Change::replaced, .views = 1, .crashes = 1, .parts = 4},
    {.change = Change::added, .liar = 2, .lazy = true, .parts = 3},
    {.change = Change::dormant, .liar = 2, .seats = 5, .who = 4, .parts = 2},
    {.change = Change::replaced, .liar = 2},
};

struct Options {
    double seconds = 20;
    std::uint64_t seed = 1;
    std::size_t states_max = 40'000'000;
    std::optional<Task> one;
};

std::optional<Change> change_of(const std::string& name) {
    for (const Change change :
         {Change::none, Change::added, Change::left, Change::replaced, Change::dormant}) {
        if (name == to_string(change)) return change;
    }
    return std::nullopt;
}

bool parse(int argc, char** argv, Options& options) {
    Task task;
    const auto into = [](auto& where) {
        return [&where](std::uint64_t n) { where = static_cast<std::decay_t<decltype(where)>>(n); };
    };
    const std::map<std::string, std::function<void(std::uint64_t)>> numbers{
        {"--liar", into(task.liar)},
        {"--seats", into(task.seats)},
        {"--who", into(task.who)},
        {"--blocks", into(task.blocks)},
        {"--from", into(task.from)},
        {"--last", into(task.last)},
        {"--views", into(task.views)},
        {"--views-last", into(task.views_last)},
        {"--crashes", into(task.crashes)},
        {"--timeouts", into(task.timeouts)},
        {"--lazy", into(task.lazy)},
        {"--wipes", into(task.wipes)},
        {"--walk", into(task.walk)}};
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const std::string value = argv[i + 1];
        const auto number = static_cast<std::uint64_t>(std::strtoull(value.c_str(), nullptr, 10));
        if (name == "--seconds") {
            options.seconds = static_cast<double>(number);
        } else if (name == "--seed") {
            options.seed = number;
        } else if (name == "--states") {
            options.states_max = number;
        } else if (name == "--change") {
            const auto change = change_of(value);
            if (!change) return false;
            task.change = *change;
            options.one = task;
        } else if (name == "--crash-mode") {
            task.mode = number != 0 ? QuorumMode::crash : QuorumMode::byzantine;
        } else if (name == "--liar" && value == "none") {
            task.liar = nobody;
            options.one = task;
        } else if (const auto found = numbers.find(name); found != numbers.end()) {
            found->second(number);
            options.one = task;
        } else {
            return false;
        }
    }
    const bool good = task.seats >= (task.mode == QuorumMode::crash ? 3U : 4U) && task.seats <= 5 &&
                      task.who < task.seats && task.blocks >= 3 && task.blocks <= 8 &&
                      task.from < task.last * task.blocks && task.last <= 5;
    if (options.one) options.one = task;
    return argc % 2 == 1 && good;
}

std::string head_of(const Task& task) {
    char text[160];
    const std::string liar = task.liar == nobody ? "none" : std::to_string(task.liar);
    const std::string timeouts = task.timeouts == 0 ? "any" : std::to_string(task.timeouts);
    std::snprintf(
        text,
        sizeof text,
        "%u seats, %-8s liar %-4s from height %llu to epoch %llu of %u blocks, views %llu+%llu "
        "crashes %u%s timeouts "
        "%-3s%s",
        task.seats,
        to_string(task.change),
        liar.c_str(),
        static_cast<unsigned long long>(task.from + 1),
        static_cast<unsigned long long>(task.last),
        task.blocks,
        static_cast<unsigned long long>(task.views),
        static_cast<unsigned long long>(task.views_last),
        task.crashes,
        task.wipes ? "w" : " ",
        timeouts.c_str(),
        task.lazy ? " lazy" : "     "
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
    search.world = {
        .seats = task.seats,
        .epoch_blocks = task.blocks,
        .change = task.change,
        .who = task.who,
        .mode = task.mode};
    search.views = task.views;
    search.views_last = task.views_last;
    search.from = creto::Height{task.from};
    search.last = Epoch{task.last};
    search.lazy = task.lazy;
    search.wipes = task.wipes;
    search.crashes = task.crashes;
    search.timeouts = task.timeouts;
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
        std::fprintf(stderr, "usage: see the head of tests/model/epochs_main.cpp\n");
        return 2;
    }
    if (options.one) return run(*options.one, options, options.seconds).violation.empty() ? 0 : 1;
    return run_suite("epochs", suite, options.seconds, [&](const Task& task, double seconds) {
        return run(task, options, seconds);
    });
}
