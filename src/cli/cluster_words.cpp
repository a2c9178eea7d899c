// The words of `creto cluster`.
#include "cli/cluster.hpp"
#include "cli/program.hpp"

namespace creto {

namespace {

std::filesystem::path& cluster_dir() {
    static std::filesystem::path dir;
    return dir;
}

CLI::App* cluster_command(
    Program& p, CLI::App& cluster, const char* name, const char* about, const std::string& example
) {
    CLI::App* sub = command(p, cluster, name, about, "cluster " + example);
    sub->add_option(
           "--dir",
           cluster_dir(),
           "The cluster's folder (default: $CRETO_CLUSTER, else ./creto-cluster)"
    )
        ->envname("CRETO_CLUSTER")
        ->default_str("creto-cluster");
    return sub;
}

const std::filesystem::path& chosen_dir() {
    if (cluster_dir().empty()) cluster_dir() = "creto-cluster";
    return cluster_dir();
}

}  // namespace

void add_cluster(Program& p) {
    CLI::App* cluster = p.app.add_subcommand(
        "cluster", "A local cluster of real processes: start, cut, kill, heal"
    );
    cluster->require_subcommand(1);
    static ClusterUpOptions up;
    CLI::App* sub = cluster_command(
        p,
        *cluster,
        "up",
        "Start a cluster, or go on with the one in the folder",
        "up -n 7 --dir /tmp/mesh"
    );
    sub->add_option("-n,--nodes", up.nodes, "How many nodes, each a process")->default_str("7");
    sub->add_option("--quorum", up.quorum, "byzantine: two thirds decide; crash: a majority")
        ->default_str("byzantine")
        ->check(CLI::IsMember({"byzantine", "crash"}));
    sub->add_option("--port", up.port, "Port of node 0; the others follow")
        ->default_str("the first free from 7400 on");
    sub->add_option(
        "--epoch-blocks",
        up.epoch_blocks,
        "Blocks between two moments at which the roster can change; 0: never"
    );
    sub->add_option(
           "--dead-after",
           up.dead_after_reports,
           "Reports of all nodes together that miss one before it is set aside, such as 56; 0: "
           "never"
    )
        ->default_str(std::to_string(limits::dead_after_reports));
    sub->add_option(
        "--operators",
        up.operators,
        "Keys, in DIR/operators, of which more than half can change the roster; needs epochs"
    );
    sub->add_option("--timeout", up.timeout_ms, "Milliseconds to wait until all reach each other");
    sub->callback([&p] {
        p.chosen = [&p] {
            up.dir = chosen_dir();
            return command_cluster_up(up, p.output);
        };
    });

    sub = cluster_command(
        p, *cluster, "status", "Each node: process, height, whom it reaches", "status"
    );
    sub->callback([&p] {
        p.chosen = [&p] { return command_cluster_status(chosen_dir(), p.output); };
    });

    static std::vector<std::uint64_t> nodes;
    for (const bool kill : {true, false}) {
        const char* name = kill ? "kill" : "start";
        sub = cluster_command(
            p,
            *cluster,
            name,
            kill ? "Kill nodes as with kill -9" : "Start nodes again that ended",
            std::string{name} + " 3"
        );
        sub->add_option("NODE", nodes, "Numbers, as `creto cluster status` shows them")->required();
        sub->callback([&p, name] {
            p.chosen = [&p, name] {
                return command_cluster_node(chosen_dir(), name, nodes, p.output);
            };
        });
    }
    static std::vector<std::string> groups;
    sub = cluster_command(
        p,
        *cluster,
        "partition",
        "Cut the links between groups of nodes; the nodes are not told",
        "partition 0,1,2 3,4,5,6"
    );
    sub->add_option("GROUP", groups, "Numbers with commas; who is in none forms one more group")
        ->required();
    sub->callback([&p] {
        p.chosen = [&p] { return command_cluster_links(chosen_dir(), groups, p.output); };
    });
    sub = cluster_command(p, *cluster, "heal", "Make the links whole again", "heal");
    sub->callback([&p] {
        p.chosen = [&p] { return command_cluster_links(chosen_dir(), {}, p.output); };
    });
    static bool keep = false;
    sub = cluster_command(
        p, *cluster, "down", "End the cluster and remove what it wrote", "down --keep"
    );
    sub->add_flag("--keep", keep, "Keep keys and data, so that `up` goes on from them");
    sub->callback([&p] {
        p.chosen = [&p] { return command_cluster_down(chosen_dir(), keep, p.output); };
    });
    sub = cluster_command(p, *cluster, "supervise", "What `up` starts", "supervise");
    sub->group("");  // Not for people: no help lists it.
    sub->callback([&p] {
        p.chosen = [&p] { return command_cluster_supervise(chosen_dir(), p.output); };
    });
}

}  // namespace creto
