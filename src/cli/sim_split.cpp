#include "cli/sim_split.hpp"

#include <iostream>
#include <map>

#include "cli/sim_lives.hpp"
#include "sim/life/split.hpp"

namespace creto {

int command_sim_split(const SimSplitOptions& options, const Output& output) {
    auto seeds = parse_seeds(options.seeds);
    if (!seeds) return output.fail(seeds.error(), exit_code::usage);
    if (options.seed != 0) seeds = Seeds{options.seed, options.seed};
    std::ostream& out = output.json ? std::cerr : std::cout;
    JsonDoc sums;
    std::map<std::string, std::uint64_t> failed_by_checker;
    std::uint64_t lives = 0;
    std::uint64_t differed = 0;
    std::uint64_t named_by_nodes = 0;
    std::uint64_t stopped = 0;
    std::uint64_t honest = 0;
    std::uint64_t empty = 0;  ///< No liar had its turn.
    for (std::uint64_t seed = seeds->first; seed <= seeds->last; ++seed) {
        LifeOptions life;
        if (options.log)
            life.log = [](NodeIndex node, LogLevel /*level*/, std::string_view text) {
                std::cerr << "node " << node.value() << ": " << text << "\n";
            };
        const SplitReport report = live_split(make_split_schedule(seed), life);
        ++lives;
        differed += report.differed ? 1 : 0;
        named_by_nodes += report.accused > report.tolerated ? 1 : 0;
        if (report.life.checker == "empty") {
            ++empty;
            continue;
        }
        stopped += report.stopped;
        honest += report.honest;
        if (report.life.passed()) continue;
        ++failed_by_checker[report.life.checker];
        out << "FAILED " << report.life.text << "\n  again: creto sim split --seed " << seed
            << std::endl;
    }
    std::uint64_t failed = 0;
    for (const auto& [checker, count] : failed_by_checker)
        failed += count;
    sums["lives"] = lives;
    sums["failed"] = failed;
    sums["failed_by_checker"] = failed_by_checker;
    sums["empty"] = empty;
    sums["honest_nodes"] = honest;
    sums["honest_nodes_stopped"] = stopped;
    sums["honest_nodes_differed"] = differed;
    sums["enough_named_by_the_nodes"] = named_by_nodes;
    output.say(
        sums,
        std::to_string(lives) + " lives with too many liars, " + std::to_string(failed) +
            " failed, " + std::to_string(empty) + " without a clash; " + std::to_string(stopped) +
            " of " + std::to_string(honest) + " honest nodes stopped; in " +
            std::to_string(differed) + " honest nodes came to differ; in " +
            std::to_string(named_by_nodes) +
            " the nodes themselves named more culprits than are tolerated"
    );
    return empty < lives && failed == 0 ? exit_code::done : exit_code::failed;
}

}  // namespace creto
