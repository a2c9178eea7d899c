// S3.1 to S3.4 in virtual time.
#include "sim/scenario_run.hpp"

namespace creto::sim_scenario {

namespace {

bool partitioned(Run& run, const Nodes& nodes, bool wanted) {
    return run.poll([&] {
        return std::all_of(nodes.begin(), nodes.end(), [&](std::uint32_t i) {
            return run.status(i).partitioned == wanted;
        });
    });
}

}  // namespace

SimOutcome simple_partition(std::uint64_t seed) {
    Run run{seed, 6, QuorumMode::byzantine};
    run.require("the mesh is whole", run.mesh(first(6)));
    run.cut({{0, 1, 2}, {3, 4, 5}});
    run.require("each side says it is partitioned", partitioned(run, first(6), true));
    const auto add = CrdtOperation::Action::counter_add;
    run.require(
        "west writes",
        run.write(0, "causal/west", add, 1) && run.counter_is({0, 1, 2}, "causal/west", 1)
    );
    run.require(
        "east writes",
        run.write(4, "causal/east", add, 2) && run.counter_is({3, 4, 5}, "causal/east", 2)
    );
    run.require(
        "final writes are refused",
        Run::error_of(run.write_final(5, "final/x", "x")).rfind("no quorum", 0) == 0
    );
    run.cluster().heal();
    run.require("healed", partitioned(run, first(6), false));
    run.require(
        "converged",
        run.counter_is(first(6), "causal/west", 1) && run.counter_is(first(6), "causal/east", 2)
    );
    run.require("one state", run.same_state(first(6)));
    return run.finish();
}

SimOutcome partition_recovery(std::uint64_t seed) {
    Run run{seed, 4, QuorumMode::byzantine};
    run.require("the mesh is whole", run.mesh(first(4)));
    const auto add = CrdtOperation::Action::counter_add;
    const auto set = CrdtOperation::Action::register_set;
    run.require(
        "1 before the cut",
        run.write(0, "causal/n", add, 1) && run.counter_is(first(4), "causal/n", 1)
    );
    run.same_state(first(4));
    run.cut({{0, 1}, {2, 3}});
    partitioned(run, first(4), true);
    const Height before = run.status(0).finalized;
    run.require(
        "+10 and +20", run.write(0, "causal/n", add, 10) && run.write(2, "causal/n", add, 20)
    );
    run.require(
        "a register on both sides",
        run.write(1, "causal/r", set, 0, "west") && run.write(3, "causal/r", set, 0, "east")
    );
    run.pause(3'000);
    bool still = true;
    for (std::uint32_t i = 0; i < 4; ++i)
        still = still && run.status(i).finalized == before;
    run.require("neither side finalises", still);
    run.cluster().heal();
    run.require("31 everywhere", run.counter_is(first(4), "causal/n", 31));
    run.require(
        "both values until resolved", run.values_are(first(4), "causal/r", {"east", "west"})
    );
    run.require("finality goes on", run.poll([&] {
        return run.status(0).finalized > before && run.status(3).finalized > before;
    }));
    run.require(
        "42 wins everywhere",
        run.write(2, "causal/r", set, 0, "42") && run.values_are(first(4), "causal/r", {"42"})
    );
    run.require("one state", run.same_state(first(4)));
    return run.finish();
}

SimOutcome minority_partition(std::uint64_t seed) {
    Run run{seed, 5, QuorumMode::crash};
    run.require("the mesh is whole", run.mesh(first(5)));
    run.require(
        "a final write", Run::error_of(run.write_final(0, "final/before", "known")).empty()
    );
    run.same_state(first(5));
    run.cut({{0, 1, 2}, {3, 4}});
    partitioned(run, {3, 4}, true);
    run.require(
        "three go on", Run::error_of(run.write_final(1, "final/majority", "decided")).empty()
    );
    run.require(
        "two refuse",
        Run::error_of(run.write_final(3, "final/x", "x")) ==
            "no quorum: 2 of 5 validators reachable, 3 needed"
    );
    run.require("two still read", run.read(4, "final/before").found);
    run.require(
        "two still write causally",
        run.write(3, "causal/m", CrdtOperation::Action::counter_add, 5) &&
            run.counter_is({3, 4}, "causal/m", 5)
    );
    run.cluster().heal();
    run.require(
        "they catch up",
        run.values_are(first(5), "final/majority", {"decided"}) &&
            run.counter_is(first(5), "causal/m", 5)
    );
    run.require("one state", run.same_state(first(5)));
    return run.finish();
}

SimOutcome cascading_failures(std::uint64_t seed) {
    Run run{seed, 7, QuorumMode::crash};
    run.require("the mesh is whole", run.mesh(first(7)));
    std::vector<std::string> written;
    const auto put = [&](std::uint32_t at, const std::string& key) {
        const bool good = Run::error_of(run.write_final(at, "final/" + key, key)).empty();
        if (good) written.push_back(key);
        return good;
    };
    bool all = put(0, "seven");
    for (const std::uint32_t dead : {6U, 5U, 4U}) {
        run.cluster().crash(NodeIndex{dead});
        all = put(0, "after-" + std::to_string(dead)) && all;
    }
    run.require("works down to four", all);
    run.cluster().crash(NodeIndex{3});
    run.poll([&] { return run.status(0).reachable_seats == 3; });
    run.require(
        "stops with three, saying so",
        Run::error_of(run.write_final(0, "final/x", "x")) ==
            "no quorum: 3 of 7 validators reachable, 4 needed"
    );
    run.require("one returns", run.cluster().start(NodeIndex{3}).has_value());
    run.poll([&] { return run.status(1).reachable_seats == 4; });
    run.require("it resumes", put(1, "resumed"));
    bool kept = true;
    for (const std::string& key : written) {
        kept = kept && run.values_are({0, 1, 2, 3}, "final/" + key, {key});
    }
    run.require("nothing finalised is lost", kept);
    return run.finish();
}

}  // namespace creto::sim_scenario
