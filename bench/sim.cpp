// creto_bench_sim: how fast the simulator runs, and the catalogue's performance rows in virtual time.
//
// Why      Two questions: how many messages a second of real time with all checkers on, and what a
//          network of 50 to 150 nodes reaches in virtual time under the committed cost table.
// Use      creto_bench_sim [--smoke | --long] [--only NAME]
//          creto_bench_sim --gate bench/sim_gate.json [--record]
//          --gate fails when the simulator is slower than two thirds of the recorded figures, each
//          relative to a calibration loop that runs in turn with it, three times in a row; --record
//          writes them anew.
// Holds    Latency runs from the instant at which an operation was meant to be submitted. A run that
//          breaks a promise, or leaves an operation unanswered, ends the program.
//          Every figure of a model says so in its name: "sim_".
#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/resource.h>
#include <vector>

#include "calibration.hpp"
#include "scale/large_pages.hpp"
#include "sim/cluster.hpp"
#include "sim/life/life.hpp"
#include "sim/life/swarm.hpp"
#include "sim/node_participant.hpp"

namespace creto {

namespace {

using Doc = nlohmann::ordered_json;

struct Stop {
    std::string why;
};

struct Load {
    std::string name;
    std::uint32_t nodes = 4;
    LinkProfile profile = lan_profile();
    CostTable costs = no_costs();
    std::uint32_t per_second = 20;  ///< Instants at which something is submitted.
    std::uint32_t batch = 1;        ///< Operations at each.
    Duration span = Duration::from_s(60);
    bool is_long = false;  ///< Minutes: only with --long.
};

struct Figures {
    Doc all = Doc::object();
    void add(const std::string& name, const char* unit, double value) {
        all[name]["unit"] = unit;
        all[name]["values"].push_back(value);
        std::cerr << "  " << name << ": " << value << " " << unit << "\n";
    }
};

double wall_s() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(now).count();
}

/// Virtual time that the processors of all nodes spent, by the cost table.
double busy_s(const SimCluster& cluster, std::uint32_t nodes) {
    double sum = 0;
    for (std::uint32_t node = 0; node < nodes; ++node)
        sum += static_cast<double>(cluster.host(NodeIndex{node}).spent.protocol.ns()) * 1e-9;
    return sum;
}

/// Bytes that the process holds now.
double memory_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    unsigned long total = 0;
    unsigned long resident = 0;
    const bool read = file != nullptr && std::fscanf(file, "%lu %lu", &total, &resident) == 2;
    if (file != nullptr) std::fclose(file);
    return read ? static_cast<double>(resident) * 4096.0 : 0.0;
}

double percentile(std::vector<double> values, double share) {
    if (values.empty()) throw Stop{"nothing was answered"};
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

void measure(const Load& load, std::uint64_t seed, Figures& out) {
    const double memory_before = memory_bytes();
    const double wall_before = wall_s();
    SimOptions options;
    options.seed = seed;
    options.node_count = load.nodes;
    options.seat_count = std::min<std::uint32_t>(load.nodes, limits::seats_max);
    options.profile = load.profile;
    options.costs = load.costs;
    SimCluster cluster{options, honest_nodes()};
    const auto must = [&cluster](bool kept) {
        if (!kept) throw Stop{cluster.violation()};
    };
    must(cluster.run_for(Duration::from_s(5)));  // The mesh forms.

    const NetworkCounters net_before = cluster.network();
    const double cpu_before = cpu_s();
    const double busy_before = busy_s(cluster, load.nodes);
    const Instant begin = cluster.now();
    std::vector<Ticket> tickets;
    const std::uint64_t instants =
        static_cast<std::uint64_t>(load.span.ns()) * load.per_second / 1'000'000'000ULL;
    for (std::uint64_t i = 0; i < instants; ++i) {
        const Duration offset =
            Duration::from_ns(static_cast<std::int64_t>(i * 1'000'000'000ULL / load.per_second));
        cluster.at(begin + offset, [&cluster, &tickets, &load, i] {
            for (std::uint32_t n = 0; n < load.batch; ++n) {
                Bytes payload(100, static_cast<std::uint8_t>(i));
                const NodeIndex node{static_cast<std::uint32_t>((i * 7 + n) % load.nodes)};
                tickets.push_back(cluster.submit(
                    node,
                    Submit{DataOperation{std::move(payload)}, Reading::final, Duration::from_s(30)}
                ));
            }
        });
    }
    // Growth is looked for in the second half: the first fills windows and caches.
    must(cluster.run_for(Duration::from_ns(load.span.ns() / 2)));
    const double memory_half = memory_bytes();
    must(cluster.run_for(Duration::from_ns(load.span.ns() - load.span.ns() / 2)));
    const double memory_end = memory_bytes();
    must(cluster.run_until(
        [&] { return cluster.reply(tickets.back()) != nullptr; }, Duration::from_s(30)
    ));
    must(cluster.run_for(Duration::from_s(2)));
    const double cpu = cpu_s() - cpu_before;
    const double virtual_s = static_cast<double>((cluster.now() - begin).ns()) * 1e-9;
    const auto messages = static_cast<double>(cluster.network().delivered - net_before.delivered);
    const auto bytes = static_cast<double>(cluster.network().sent_bytes - net_before.sent_bytes);

    std::vector<double> ms;
    double last_answer_s = 0;
    for (const Ticket ticket : tickets) {
        const SimCommand& command = cluster.command(ticket);
        if (!command.reply || !std::holds_alternative<SubmitReply>(*command.reply))
            throw Stop{load.name + ": an operation did not become final"};
        ms.push_back(static_cast<double>((command.answered - command.submitted).ns()) * 1e-6);
        last_answer_s =
            std::max(last_answer_s, static_cast<double>((command.answered - begin).ns()) * 1e-9);
    }
    const std::string name = "sim_" + load.name;
    out.add(name + "_tps", "operations/s", static_cast<double>(ms.size()) / last_answer_s);
    out.add(name + "_p50", "ms", percentile(ms, 0.5));
    out.add(name + "_p95", "ms", percentile(ms, 0.95));
    out.add(name + "_mbps", "Mbit/s", bytes * 8e-6 / virtual_s / load.nodes);
    out.add(name + "_messages", "messages/s", messages / cpu);
    out.add(name + "_speed", "x real time", virtual_s / cpu);
    if (!load.costs.is_free()) {
        const double busy = busy_s(cluster, load.nodes) - busy_before;
        out.add(name + "_cpu", "% of a core", busy / virtual_s / load.nodes * 100);
    }
    out.add(name + "_wall", "s", wall_s() - wall_before);
    out.add(name + "_growth", "%", (memory_end - memory_half) / memory_half * 100);
    out.add(
        name + "_memory",
        "MB a node",
        std::max(0.0, memory_bytes() - memory_before) * 1e-6 / load.nodes
    );
}

/// Messages in a second of processor time: four nodes, 20 operations a second, all checkers on.
double messages_a_second(std::uint64_t seed) {
    Figures figures;
    measure(
        {.name = "n4", .nodes = 4, .per_second = 20, .span = Duration::from_s(30)}, seed, figures
    );
    return figures.all["sim_n4_messages"]["values"].back().get<double>();
}

/// Lives under drawn faults in a second of processor time.
double lives_a_second(std::uint64_t seed) {
    constexpr std::uint64_t lives = 20;
    const double before = cpu_s();
    for (std::uint64_t i = 0; i < lives; ++i) {
        const LifeReport report = live(make_schedule(seed * lives + i));
        if (!report.checker.empty()) throw Stop{report.text};
    }
    return static_cast<double>(lives) / (cpu_s() - before);
}

constexpr double share_least = 2.0 / 3.0;
constexpr int gate_rounds_max = 3;

struct Gate {
    const char* name;
    std::function<double(std::uint64_t seed)> measure;
};

/// The median over some runs, each divided by the calibration before and after it.
double relative(const Gate& gate) {
    std::vector<double> ratios;
    double before = calibration();
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const double rate = gate.measure(seed);
        const double after = calibration();
        ratios.push_back(rate / ((before + after) / 2));
        before = after;
    }
    return percentile(ratios, 0.5);
}

int gate_main(const std::string& file, bool records) {
    const std::vector<Gate> gates{
        {"messages", messages_a_second},
        {"lives", lives_a_second},
    };
    Doc recorded;
    if (std::ifstream in{file}) recorded = Doc::parse(in);
    bool passed = true;
    for (const Gate& gate : gates) {
        // What else runs on the machine costs some percent; a slower simulator is slow each time.
        double share = 0;
        for (int round = 0; round < gate_rounds_max && share < share_least; ++round) {
            const double now = relative(gate);
            if (records) recorded[gate.name] = now;
            if (!recorded.contains(gate.name)) throw Stop{file + " has no figure for " + gate.name};
            share = now / recorded[gate.name].get<double>();
            std::cout << gate.name << ": " << now << " for each round of calibration, "
                      << share * 100 << " % of what is recorded" << std::endl;
        }
        passed = passed && share >= share_least;
    }
    if (records) std::ofstream{file} << recorded.dump(1) << "\n";
    if (!passed) std::cout << "slower than two thirds of the recorded figure\n";
    return passed ? 0 : 1;
}

/// The catalogue's 100 operations a second, on more and more nodes; at most 128 hold a seat.
Load scaling(std::uint32_t nodes) {
    return {
        .name = "n" + std::to_string(nodes) + "_100tps",
        .nodes = nodes,
        .costs = ed25519_costs(),
        .per_second = 100,
        .span = Duration::from_s(5),
        .is_long = true};
}

int sim_main(int argc, char** argv) {
    use_large_pages();  // As `creto sim` does.
    if (argc > 2 && std::string{argv[1]} == "--gate")
        return gate_main(argv[2], argc > 3 && std::string{argv[3]} == "--record");
    bool smoke = false;
    bool is_long = false;
    std::string only;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        smoke = smoke || word == "--smoke";
        is_long = is_long || word == "--long";
        if (word == "--only" && i + 1 < argc) only = argv[++i];
    }
    const auto span = [smoke](std::int64_t s) { return Duration::from_s(smoke ? 2 : s); };
    const std::vector<Load> loads{
        {.name = "n4", .nodes = 4, .per_second = 20, .span = span(120)},
        {.name = "n31", .nodes = 31, .per_second = 10, .span = span(5)},
        {.name = "n50_smoke",
         .nodes = 50,
         .costs = ed25519_costs(),
         .per_second = 50,
         .span = span(5)},
        {.name = "n150_56tps",
         .nodes = 150,
         .profile = local_profile(),
         .costs = ed25519_costs(),
         .per_second = 56,
         .span = Duration::from_s(1)},
        {.name = "n150_batch10",
         .nodes = 150,
         .profile = local_profile(),
         .costs = ed25519_costs(),
         .per_second = 2,
         .batch = 10,
         .span = Duration::from_s(2)},
        // What follows takes minutes, or more: only with --long, once each.
        scaling(100),
        scaling(250),
        scaling(500),
        scaling(1'000),
        {.name = "n50_ci",
         .nodes = 50,
         .costs = ed25519_costs(),
         .per_second = 50,
         .span = Duration::from_s(60),
         .is_long = true},
        {.name = "n100_hour",
         .nodes = 100,
         .per_second = 1,
         .span = Duration::from_s(3'600),
         .is_long = true}};
    Figures out;
    for (const Load& load : loads) {
        if (!only.empty() && load.name != only) continue;
        if (only.empty() && load.is_long != is_long) continue;
        if (smoke && load.nodes > 50) continue;  // Minutes.
        const bool large = load.nodes > 4;
        const std::uint64_t runs = smoke || large ? 1 : 5;
        for (std::uint64_t seed = 1; seed <= runs; ++seed)
            measure(load, seed, out);
    }
    std::cout << out.all.dump(1) << "\n";
    return 0;
}

}  // namespace

}  // namespace creto

int main(int argc, char** argv) {
    try {
        return creto::sim_main(argc, argv);
    } catch (const creto::Stop& stop) {
        std::cerr << "creto_bench_sim: " << stop.why << "\n";
        return 1;
    }
}
