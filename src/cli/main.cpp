#include "cli/main.hpp"

#include <algorithm>
#include <csignal>
#include <string_view>

#include "cli/completion.hpp"
#include "cli/demo.hpp"
#include "cli/node_commands.hpp"
#include "cli/program.hpp"
#include "cli/roster.hpp"
#include "cli/run.hpp"
#include "cli/scale.hpp"
#include "cli/sim.hpp"
#include "cli/sim_cuts.hpp"
#include "cli/sim_flood.hpp"
#include "cli/sim_lives.hpp"
#include "cli/sim_mesh.hpp"
#include "cli/sim_split.hpp"
#include "cli/sim_suspects.hpp"
#include "scale/large_pages.hpp"

namespace creto {

namespace {

void add_running(Program& p) {
    static InitOptions init;
    static std::filesystem::path dir;
    CLI::App* sub = command(
        p,
        p.app,
        "init",
        "Make a folder for a new agent: key and settings",
        "init alpha --name Alpha --genesis genesis.json"
    );
    sub->add_option("DIR", init.dir, "The folder")->required();
    sub->add_option("--name", init.name, "How people call the agent");
    sub->add_option("--genesis", init.genesis, "The network's genesis.json");
    sub->callback([&p] { p.chosen = [&p] { return command_init(init, p.output); }; });

    sub = command(
        p,
        p.app,
        "run",
        "Run a node in the foreground; SIGTERM lets it leave in good order",
        "run alpha"
    );
    sub->add_option("DIR", dir, "The node's folder")->required();
    sub->callback([&p] { p.chosen = [&p] { return command_run(dir, p.output); }; });

    sub = command(
        p, p.app, "keygen", "Make a key file (mode 0600) and print the agent id", "keygen alpha/key"
    );
    sub->add_option("FILE", dir, "The file")->required();
    sub->callback([&p] { p.chosen = [&p] { return command_keygen(dir, p.output); }; });

    sub = command(
        p, p.app, "fsck", "Check a stopped node's folder: store, index, vote log", "fsck alpha"
    );
    sub->add_option("DIR", dir, "The node's folder")->required();
    sub->callback([&p] { p.chosen = [&p] { return command_fsck(dir, p.output); }; });

    CLI::App* config = p.app.add_subcommand("config", "Show or check a node's settings");
    config->require_subcommand(1);
    for (const bool show : {true, false}) {
        sub = command(
            p,
            *config,
            show ? "show" : "validate",
            show ? "Print all settings in force" : "Check settings, key and genesis",
            show ? "config show alpha" : "config validate alpha"
        );
        sub->add_option("DIR", dir, "The node's folder")->required();
        sub->callback([&p, show] {
            p.chosen = [&p, show] { return command_config(dir, show, p.output); };
        });
    }
}

void add_version(Program& p) {
    CLI::App* sub = command(p, p.app, "version", "Print the version", "version --json");
    sub->callback([&p] {
        p.chosen = [&p] {
            p.output.say({{"ok", true}, {"version", "0.1.0"}}, version_text);
            return exit_code::done;
        };
    });
}

void add_demo(Program& p) {
    static std::vector<std::string> names;
    static bool list = false;
    CLI::App* sub = command(
        p,
        p.app,
        "demo",
        "Show the system at work on real processes",
        "demo S2.1 partition_recovery"
    );
    sub->add_option("SCENARIO", names, "Ids or names; all of them when none is given");
    sub->add_flag("--list", list, "List the scenarios");
    sub->callback([&p] { p.chosen = [&p] { return command_demo(names, list, p.output); }; });
}

void add_sim_lives(Program& p, CLI::App& sim) {
    static SimFuzzOptions fuzz;
    CLI::App* sub = command(
        p,
        sim,
        "fuzz",
        "Live under drawn faults, seed after seed",
        "sim fuzz --minutes 10 --seeds 1-100000\n"
        "         creto sim fuzz --long --seeds 1-10000 --minutes 60 --jobs 2\n"
        "         creto sim fuzz --plant all"
    );
    sub->add_flag(
        "--long", fuzz.is_long, "Minutes of 7 to 100 nodes, with several storms and calms between"
    );
    sub->add_option("--minutes", fuzz.minutes, "How long at most");
    sub->add_option("--seeds", fuzz.seeds, "A-B; all from 1 on when not given");
    sub->add_option("--jobs", fuzz.jobs, "Processes, one a core");
    sub->add_option(
        "--plant", fuzz.plant, "Plant this bug: the run must fail; or all, each in turn"
    );
    sub->add_option("--keep", fuzz.keep, "A folder for the schedules of failing seeds");
    sub->callback([&p] { p.chosen = [&p] { return command_sim_fuzz(fuzz, p.output); }; });

    static SimReplayOptions replay;
    sub = command(
        p, sim, "replay", "One life again, from its seed or its schedule", "sim replay --seed 17"
    );
    sub->add_option("FILE", replay.file, "A schedule in JSON");
    sub->add_option("--seed", replay.seed, "A seed of fuzz, when there is no file");
    sub->add_flag("--long", replay.is_long, "The seed's long life");
    sub->add_option("--plant", replay.plant, "Plant this bug in node 0");
    sub->add_flag("--log", replay.log, "What the nodes log, too");
    sub->add_option("--html", replay.html, "Write the life as one page into this file");
    sub->callback([&p] { p.chosen = [&p] { return command_sim_replay(replay, p.output); }; });

    sub = command(
        p,
        sim,
        "shrink",
        "The smallest schedule that fails in the same way",
        "sim shrink --seed 17 --out tests/corpus/sim/name.json"
    );
    sub->add_option("FILE", replay.file, "A schedule in JSON");
    sub->add_option("--seed", replay.seed, "A seed of fuzz, when there is no file");
    sub->add_flag("--long", replay.is_long, "The seed's long life");
    sub->add_option("--plant", replay.plant, "Plant this bug in node 0");
    sub->add_option("--tries", replay.tries, "How many lives at most");
    sub->add_option("--out", replay.out, "Where to write it");
    sub->callback([&p] { p.chosen = [&p] { return command_sim_shrink(replay, p.output); }; });
}

void add_trial_options(CLI::App& sub, SimRunOptions& run) {
    sub.add_option("--nodes", run.nodes, "How many nodes, 4 to 2048 (default 4)");
    sub.add_option(
        "--profile", run.profile, "local, lan, wan, degraded or regions (default local)"
    );
    sub.add_option("--byzantine", run.byzantine, "Which share deviates: 0.30 or 30%");
    sub.add_option("--attack", run.attack, "How: random-voting (default), always-reject, …");
    sub.add_option(
        "--workload",
        run.workload,
        "constant:R, ramp:A-B, burst:R/D, chaos:A-B or sine:A-B (default constant:100)"
    );
    sub.add_option("--duration", run.duration, "After 5 s of warm-up: 20s, 10m, 24h (default 20s)");
    sub.add_option("--decisions", run.decisions, "Blocks a second at most");
    sub.add_option("--payload", run.payload, "Bytes of an operation (default 256)");
    sub.add_option("--bandwidth", run.bandwidth, "Mbit/s of each node (default unlimited)");
    sub.add_option("--schedule", run.schedule, "Faults, liars and settings from this file");
    sub.add_flag_callback(
        "--crash-quorum", [&run] { run.crash_quorum = true; }, "Quorum of crashes"
    );
}

void add_sim_split(Program& p, CLI::App& sim) {
    static SimSplitOptions split;
    CLI::App* sub = command(
        p,
        sim,
        "split",
        "Live with more liars than the quorum tolerates: who did it is proven",
        "sim split --seeds 1-100"
    );
    sub->add_option("--seeds", split.seeds, "A-B");
    sub->add_option("--seed", split.seed, "This one only");
    sub->add_flag("--log", split.log, "What the nodes log, too");
    sub->callback([&p] { p.chosen = [&p] { return command_sim_split(split, p.output); }; });
}

void add_sim_mesh(Program& p, CLI::App& sim) {
    static SimMeshOptions mesh;
    CLI::App* sub = command(
        p,
        sim,
        "mesh",
        "How a mesh of many agents finds each other and notices who died",
        "sim mesh --nodes 1000 --loss 5% --slow 10% --crashes 10 --duration 10m --json\n"
        "         creto sim mesh --nodes 300 --liars 30% --crashes 5\n"
        "         creto sim mesh --nodes 1000 --joins\n"
        "         creto sim mesh --nodes 1000 --regions 10 --spread --overlay random --seeds 3\n"
        "         creto sim mesh --nodes 1000 --regions 10 --eclipse 30%"
    );
    sub->add_option("--nodes", mesh.nodes, "How many agents, 4 to 4096 (default 100)");
    sub->add_option("--seed", mesh.seed, "The first seed");
    sub->add_option("--seeds", mesh.seeds, "How many seeds");
    sub->add_option("--duration", mesh.duration, "From 2m on (default 5m)");
    sub->add_option(
        "--profile", mesh.profile, "local, lan, wan, degraded or regions (default wan)"
    );
    sub->add_option("--loss", mesh.loss, "Share of messages: 5% or 0.05 (default the profile's)");
    sub->add_option(
        "--link", mesh.link, "datagram: what is lost is gone (default); stream: it comes late"
    );
    sub->add_option("--slow", mesh.slow, "Share that stands still one second in three");
    sub->add_option("--liars", mesh.liars, "Share that says of everybody that he is silent");
    sub->add_option("--crashes", mesh.crashes, "How many agents die, one after the other");
    sub->add_flag("--joins", mesh.joins, "All start at once: how long until all know all");
    sub->add_option(
        "--regions", mesh.regions, "10: as --profile regions, ten regions of the world"
    );
    sub->add_flag("--spread", mesh.spread, "How long until what an agent says is known to all");
    sub->add_option(
        "--overlay", mesh.overlay, "With --spread: drawn (default), or random: parents near or far"
    );
    sub->add_option("--items", mesh.items, "With --spread: how much is said (default 40)");
    sub->add_option(
        "--eclipse", mesh.eclipse, "Share that conspires to keep what is new from 20 victims"
    );
    sub->callback([&p] { p.chosen = [&p] { return command_sim_mesh(mesh, p.output); }; });
}

void add_sim_cuts(Program& p, CLI::App& sim) {
    static SimCutsOptions cuts;
    CLI::App* sub = command(
        p,
        sim,
        "cuts",
        "A network under load is cut and healed: who notices when, what becomes of writes",
        "sim cuts --nodes 5 --cut 3+2 --crash-quorum --seeds 100 --json\n"
        "         creto sim cuts --nodes 31 --cut partial --profile wan\n"
        "         creto sim cuts --nodes 10 --cut none --loss 5% --slow 10% --lasts 2m"
    );
    sub->add_option("--nodes", cuts.nodes, "How many nodes, 3 to 128 (default 4)");
    sub->add_option("--cut", cuts.cut, "2+2 (default), one-way, partial, moving, flapping or none");
    sub->add_flag("--crash-quorum", cuts.crash_quorum, "Quorum of crashes");
    sub->add_option("--seed", cuts.seed, "The first seed");
    sub->add_option("--seeds", cuts.seeds, "How many seeds");
    sub->add_option("--profile", cuts.profile, "local, lan, wan or degraded (default lan)");
    sub->add_option("--loss", cuts.loss, "Share of messages: 5% or 0.05 (default the profile's)");
    sub->add_option("--slow", cuts.slow, "Share that stands still one second in three");
    sub->add_option("--lasts", cuts.lasts, "How long it is cut, from 5s on (default 10s)");
    sub->add_option("--after", cuts.after, "How long the load goes on then (default 30s)");
    sub->add_option("--every", cuts.every, "Each node writes so often (default 100ms)");
    sub->add_option(
        "--notice", cuts.notice, "Until the transport gives a cut link up (default 3s)"
    );
    sub->callback([&p] { p.chosen = [&p] { return command_sim_cuts(cuts, p.output); }; });
}

void add_sim_suspects(Program& p, CLI::App& sim) {
    static SimSuspectsOptions suspects;
    CLI::App* sub = command(
        p,
        sim,
        "suspects",
        "Nodes obstruct, or only have bad luck: whom the network suspects, and how soon",
        "sim suspects --attack random-voting --seeds 20\n"
        "         creto sim suspects --misfortune restarts --seeds 20 --json\n"
        "         creto sim suspects --nodes 31 --attack silence --epoch-blocks 64 --profile wan"
    );
    sub->add_option(
        "--nodes",
        suspects.nodes,
        "How many nodes, 4 to 256; above 128 votes go through groups (default 7)"
    );
    sub->add_option("--attack", suspects.attack, "What some do: see `creto sim run --help`");
    sub->add_option("--liars", suspects.liars, "How many (default: as many as are tolerated)");
    sub->add_option(
        "--misfortune",
        suspects.misfortune,
        "What befalls an honest node: none (default), slow-disk, restarts, skew, pauses or loss"
    );
    sub->add_flag("--crash-quorum", suspects.crash_quorum, "Quorum of crashes");
    sub->add_option("--seed", suspects.seed, "The first seed");
    sub->add_option("--seeds", suspects.seeds, "How many seeds");
    sub->add_option("--profile", suspects.profile, "local, lan, wan or degraded (default lan)");
    sub->add_option("--lasts", suspects.lasts, "How long, from 10s on (default 3m)");
    sub->add_option("--every", suspects.every, "Each honest node writes so often (default 500ms)");
    sub->add_option(
        "--epoch-blocks", suspects.epoch_blocks, "Blocks of an epoch (default 0: no end, no rest)"
    );
    sub->callback([&p] { p.chosen = [&p] { return command_sim_suspects(suspects, p.output); }; });
}

void add_sim_flood(Program& p, CLI::App& sim) {
    static SimFloodOptions flood;
    CLI::App* sub = command(
        p,
        sim,
        "flood",
        "One agent floods a node with calls: what everybody else feels of it",
        "sim flood --requests 100000 --seeds 5 --json\n"
        "         creto sim flood --quota 0 --patient --profile lan"
    );
    sub->add_option("--seats", flood.seats, "How many seats, 4 to 31 (default 4)");
    sub->add_option("--requests", flood.requests, "Calls of the flooder (default 100000)");
    sub->add_option("--lasts", flood.lasts, "Over how long (default 10s)");
    sub->add_option("--quota", flood.quota, "Calls a peer may make in a second; 0: any (500)");
    sub->add_flag("--patient", flood.patient, "The flooder is never dropped");
    sub->add_option("--seed", flood.seed, "The first seed");
    sub->add_option("--seeds", flood.seeds, "How many seeds");
    sub->add_option("--profile", flood.profile, "local (default), lan, wan or degraded");
    sub->add_option("--loss", flood.loss, "Share of messages: 5% or 0.05 (default the profile's)");
    sub->add_option("--costs", flood.costs, "Cost table by its id (default the calibrated one)");
    sub->callback([&p] { p.chosen = [&p] { return command_sim_flood(flood, p.output); }; });
}

void add_sim(Program& p) {
    static SimRunOptions run;
    CLI::App* sim = p.app.add_subcommand("sim", "The same nodes in virtual time, from a seed");
    sim->require_subcommand(1);
    sim->callback([] { use_large_pages(); });
    CLI::App* sub = command(
        p,
        *sim,
        "run",
        "Run a network of one's choice under a load, or the system scenarios",
        "sim run --nodes 7 --profile wan --byzantine 0.28 --attack equivocation --workload "
        "ramp:10-500 --duration 60s --seed 7 --html report.html"
    );
    add_trial_options(*sub, run);
    sub->add_option("--scenario", run.scenarios, "Ids or names; all of them when none is given");
    sub->add_option("--seed", run.seed, "The first seed");
    sub->add_option("--seeds", run.seeds, "How many seeds");
    sub->add_option("--html", run.html, "Write the report as one page into this file");
    sub->callback([&p] { p.chosen = [&p] { return command_sim_run(run, p.output); }; });
    add_sim_lives(p, *sim);
    add_sim_split(p, *sim);
    add_sim_mesh(p, *sim);
    add_sim_cuts(p, *sim);
    add_sim_suspects(p, *sim);
    add_sim_flood(p, *sim);
}

void add_looking(Program& p) {
    using Look = int (*)(const Client&, const Output&);
    struct Entry {
        const char* name;
        const char* about;
        Look look;
    };
    for (const Entry& entry : std::initializer_list<Entry>{
             {"status", "What a node is, where it stands, whom it hears", command_status},
             {"peers", "The agents that it knows", command_peers},
             {"tools", "The tools of the mesh", command_tools},
             {"verdicts", "What verified calls and disputes decided", command_verdicts}}) {
        const Look look = entry.look;
        node_command(p, p.app, entry.name, entry.about, std::string{entry.name} + " --node alpha")
            ->callback([&p, look] {
                p.chosen = [&p, look] {
                    return p.with_node([&](const Client& node) { return look(node, p.output); });
                };
            });
    }
    static std::string why;
    static WatchOptions watch;
    static std::uint64_t from = 1;
    static std::uint64_t count = 0;
    CLI::App* sub = node_command(
        p, p.app, "reputation", "How agents stand, and why", "reputation --why Delta --node alpha"
    );
    sub->add_option("--why", why, "Show the evidence against this agent");
    sub->callback([&p] {
        p.chosen = [&p] {
            return p.with_node([&](const Client& n) { return command_reputation(n, why, p.output); }
            );
        };
    });
    sub = node_command(
        p, p.app, "log", "The latest finalised blocks", "log --from 100 --count 10 --node alpha"
    );
    sub->add_option("--from", from, "First height");
    sub->add_option("--count", count, "How many")->default_str("100");
    sub->callback([&p] {
        p.chosen = [&p] {
            return p.with_node([&](const Client& n) {
                return command_log(n, from, count == 0 ? 100 : count, p.output);
            });
        };
    });
    sub = node_command(
        p,
        p.app,
        "watch",
        "Follow what happens at a node, or how keys change",
        "watch --prefix causal/cart --node alpha"
    );
    sub->add_option("--prefix", watch.prefix, "Keys that begin so: final/… or causal/…");
    sub->add_option("--count", watch.count, "Stop after so many events")->default_str("none");
    sub->callback([&p] {
        p.chosen = [&p] {
            return p.with_node([&](const Client& n) { return command_watch(n, watch, p.output); });
        };
    });
}

void add_using(Program& p) {
    static CallOptions call;
    CLI::App* sub = node_command(
        p,
        p.app,
        "call",
        "Call a tool of the mesh",
        "call multiply '{\"a\": 3, \"b\": 10}' --verify --receipt r.json"
    );
    sub->add_option("TOOL", call.tool, "Its name")->required();
    sub->add_option("ARGS", call.arguments, "Arguments as JSON")->default_str("{}");
    sub->add_option("--agent", call.agent, "Ask this agent (name or id)");
    CLI::Option* verify =
        sub->add_flag("--verify", call.verify, "Ask all that offer it and let a quorum decide");
    sub->add_flag(
           "--stream",
           call.stream,
           "Say what the tool shows while it works: texts and values as they come, progress on "
           "stderr, the result last; with --json one document at the end, with `pieces`. Example: "
           "creto call primes '{\"below\": 100000000}' --stream"
    )
        ->excludes(verify);
    sub->add_option("--quorum", call.quorum, "Answers that decide, a majority")
        ->default_str("two thirds of the panel");
    sub->add_option("--panel", call.panel, "seats, or any: count agents without a seat")
        ->check(CLI::IsMember({"seats", "any"}));
    sub->add_option("--receipt", call.receipt, "Write the receipt of a verified call here");
    sub->add_flag("--final", call.final, "Wait until the verdict is final; the receipt proves it");
    sub->add_option("--timeout", call.timeout_ms, "Deadline in milliseconds");
    sub->callback([&p] {
        p.chosen = [&p] {
            if (call.arguments.empty()) call.arguments = "{}";
            return p.with_node([&](const Client& n) { return command_call(n, call, p.output); });
        };
    });

    static std::filesystem::path file;
    static std::filesystem::path genesis = "genesis.json";
    CLI::App* receipt = p.app.add_subcommand("receipt", "Fetch receipts, check them offline");
    receipt->require_subcommand(1);
    static std::string call_id;
    static std::uint64_t patience_ms = 10'000;
    sub = node_command(
        p,
        *receipt,
        "get",
        "Fetch the final receipt of a verified call",
        "receipt get 5c5b… receipt.json"
    );
    sub->add_option("CALL", call_id, "The call's id, as `creto call --verify --json` shows it")
        ->required();
    sub->add_option("FILE", file, "Where to write it")->required();
    sub->add_option("--timeout", patience_ms, "How long to wait for it, in milliseconds");
    sub->callback([&p] {
        p.chosen = [&p] {
            return p.with_node([&](const Client& n) {
                return command_receipt_get(n, call_id, patience_ms, file, p.output);
            });
        };
    });
    sub = command(
        p,
        *receipt,
        "verify",
        "Check a receipt with nothing but the genesis",
        "receipt verify r.json --genesis alpha/genesis.json"
    );
    sub->add_option("FILE", file, "What `creto call --verify --receipt` wrote")->required();
    sub->add_option("--genesis", genesis, "The network's genesis.json");
    sub->callback([&p] {
        p.chosen = [&p] { return command_receipt_verify(file, genesis, p.output); };
    });

    static std::uint64_t timeout_ms = 30'000;
    sub = node_command(
        p,
        p.app,
        "submit",
        "Put a file's bytes into the final log",
        "submit contract.pdf --node alpha"
    );
    sub->add_option("FILE", file, "At most 127 KiB")->required();
    sub->add_option("--timeout", timeout_ms, "Deadline in milliseconds");
    sub->callback([&p] {
        p.chosen = [&p] {
            return p.with_node([&](const Client& n) {
                return command_submit(n, file, timeout_ms, p.output);
            });
        };
    });
}

/// The order in which a newcomer needs them.
void group_commands(CLI::App& app) {
    struct Group {
        const char* title;
        std::vector<const char*> commands;
    };
    for (const Group& group : std::initializer_list<Group>{
             {"See it work", {"demo", "cluster", "sim", "scale"}},
             {"Run a node", {"init", "run", "config", "doctor", "fsck", "keygen"}},
             {"Look at a node",
              {"status", "peers", "tools", "roster", "reputation", "verdicts", "log", "watch"}},
             {"Use the network", {"call", "receipt", "state", "submit", "export"}},
             {"This program", {"completion", "version"}}}) {
        for (const char* command : group.commands)
            app.get_subcommand(command)->group(group.title);
    }
}

/// What a shell's script asks: `creto complete -- WORDS…`, the last of them begun.
int complete(const Program& p, std::vector<std::string> words) {
    words.erase(words.begin());
    if (!words.empty() && words.front() == "--") words.erase(words.begin());
    for (const std::string& word : completions(p.app, words))
        std::cout << word << "\n";
    return exit_code::done;
}

}  // namespace

int creto_main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    Program program;
    program.app.name("creto");
    program.app.footer(
        "Begin with `creto demo`, or with a cluster of your own: `creto cluster up -n 7`.\n"
        "Each command explains itself, with an example: `creto COMMAND --help`."
    );
    program.app.option_defaults()->always_capture_default();
    program.app.require_subcommand(1);
    program.app.set_version_flag("--version", version_text);
    add_demo(program);
    add_sim(program);
    add_scale(program);
    add_running(program);
    add_looking(program);
    add_roster(program);
    add_using(program);
    add_state(program);
    add_cluster(program);
    add_care(program);
    add_version(program);
    group_commands(program.app);
    const std::vector<std::string> words(argv + 1, argv + std::max(argc, 1));
    if (!words.empty() && words.front() == "complete") return complete(program, words);
    try {
        program.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return program.app.exit(error);
        const bool json = std::find(words.begin(), words.end(), "--json") != words.end();
        return Output{json}.fail(
            {ErrorCode::invalid, usage_message(program.app, words, error.what())}, exit_code::usage
        );
    }
    try {
        return program.chosen();
    } catch (const std::exception& error) {
        // A file or a node said something of another shape than we expected.
        return program.output.fail({ErrorCode::invalid, error.what()}, exit_code::failed);
    }
}

}  // namespace creto
