#include "scale/cluster_plan.hpp"

#include <nlohmann/json.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "crypto/digest.hpp"
#include "runtime/address.hpp"
#include "scale/pace.hpp"

namespace creto {

namespace {

using Doc = nlohmann::ordered_json;
constexpr int port_step = 100;
constexpr int port_last = 60'000;

Result<void> check_port(const std::string& address) {
    auto endpoint = parse_address(address);
    if (!endpoint) return tl::unexpected<Error>(endpoint.error());
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor acceptor{io};
    boost::system::error_code error;
    acceptor.open(endpoint->protocol(), error);
    if (!error) acceptor.set_option(boost::asio::ip::tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor.bind(*endpoint, error);
    if (!error) acceptor.listen(1, error);
    if (!error) return {};
    return fail(
        ErrorCode::conflict,
        "port " + std::to_string(endpoint->port()) + " of " + endpoint->address().to_string() +
            " cannot be used: " + error.message() +
            "; end what listens there, or make the cluster with other ports: creto cluster up "
            "--port PORT"
    );
}

/// Two clusters of one machine live on different loopback networks, each at the same one every time.
std::string network_of(const std::filesystem::path& dir) {
    const Digest digest = hash(HashDomain::checksum, as_bytes(dir.string()));
    const auto bytes = digest.view();
    return "127." + std::to_string(220 + bytes[0] % 30) + "." + std::to_string(bytes[1] % 250);
}

/// The addresses for node 0 at `port` and the others after it.
void give_addresses(ClusterPlan& plan, int port) {
    const std::string network = network_of(plan.dir);
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const std::string tail = "/tcp/" + std::to_string(port + static_cast<int>(i));
        plan.nodes[i].listen = "/ip4/" + network + "." + std::to_string(i + 1) + tail;
        plan.nodes[i].open = "/ip4/" + network + "." + std::to_string(i + 101) + tail;
        plan.nodes[i].admin = "/ip4/127.0.0.1" + tail;
    }
}

Result<void> choose_ports(ClusterPlan& plan, std::uint16_t wish) {
    if (wish != 0) {
        give_addresses(plan, wish);
        return check_ports(plan);
    }
    for (int port = cluster_first_port; port < port_last; port += port_step) {
        give_addresses(plan, port);
        if (check_ports(plan)) return {};
    }
    return fail(
        ErrorCode::conflict,
        "no free ports from 7400 on; say which to use: creto cluster up --port PORT"
    );
}

Doc to_json(const ClusterPlan& plan) {
    Doc nodes = Doc::array();
    for (const PlannedNode& node : plan.nodes) {
        nodes.push_back(
            {{"name", node.name},
             {"agent", node.agent},
             {"listen", node.listen},
             {"address", node.open},
             {"admin", node.admin}}
        );
    }
    return {
        {"network", plan.network},
        {"mode", plan.mode == QuorumMode::crash ? "crash" : "byzantine"},
        {"nodes", std::move(nodes)}};
}

Config config_of(const ClusterPlan& plan, std::size_t i) {
    Config config;
    config.dir = plan.folder(i);
    config.name = plan.nodes[i].name;
    config.listen = plan.nodes[i].listen;
    config.advertise = {plan.nodes[i].open};
    config.bind_outgoing = true;  // The shim knows the nodes by the address that they dial from.
    config.admin_listen = plan.nodes[i].admin;
    constexpr std::size_t known = 3;
    for (std::size_t k = 1; k <= std::min(known, plan.nodes.size() - 1); ++k)
        config.bootstrap.push_back(plan.nodes[(i + k) % plan.nodes.size()].open);
    return config;
}

Result<void> write_nodes(
    const ClusterPlan& plan, const Genesis& genesis, const std::vector<KeySeed>& keys
) {
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const Config config = config_of(plan, i);
        std::error_code error;
        std::filesystem::create_directories(config.dir, error);
        if (error) return fail(ErrorCode::io, config.dir.string() + ": " + error.message());
        Result<void> done = write_key(config.dir / config.key, keys[i]);
        if (done) done = write_file(config.dir / "creto.toml", to_toml(config));
        if (done) done = write_file(config.dir / config.genesis, genesis_json(genesis));
        if (!done) return done;
    }
    return {};
}

/// In a real network each would be with another person.
Result<void> write_operators(const ClusterPlan& plan, const std::vector<KeySeed>& keys) {
    if (keys.empty()) return {};
    const std::filesystem::path dir = plan.dir / "operators";
    std::error_code error;
    std::filesystem::create_directories(dir, error);
    if (error) return fail(ErrorCode::io, dir.string() + ": " + error.message());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        auto done = write_key(dir / ("op" + std::to_string(i) + ".key"), keys[i]);
        if (!done) return done;
    }
    return {};
}

KeySeed fresh_key() {
    std::array<std::uint8_t, KeySeed::size> secret{};
    fill_random(secret);
    return KeySeed{secret};
}

}  // namespace

LinkShimOptions ClusterPlan::links() const {
    LinkShimOptions out{.profile = local_profile()};
    for (const PlannedNode& node : nodes)
        out.nodes.push_back({node.listen, node.open});
    return out;
}

Result<void> check_ports(const ClusterPlan& plan) {
    for (const PlannedNode& node : plan.nodes) {
        for (const std::string& address : {node.admin, node.listen, node.open}) {
            if (auto free = check_port(address); !free) return free;
        }
    }
    return {};
}

Result<ClusterPlan> make_cluster(const NewCluster& wish) {
    if (wish.nodes == 0 || wish.nodes > cluster_nodes_max) {
        return fail(
            ErrorCode::invalid,
            "a local cluster has 1 to " + std::to_string(cluster_nodes_max) + " nodes, not " +
                std::to_string(wish.nodes)
        );
    }
    if (wish.mode == QuorumMode::byzantine && wish.nodes < 4) {
        return fail(
            ErrorCode::invalid,
            "fewer than 4 nodes cannot outvote a liar: take -n 4 or more, or --quorum crash"
        );
    }
    if (wish.operators > limits::operators_max || (wish.operators > 0 && wish.epoch_blocks == 0)) {
        return fail(
            ErrorCode::invalid,
            wish.operators > limits::operators_max
                ? "a genesis names up to " + std::to_string(limits::operators_max) + " operators"
                : "operators change the roster, which takes epochs: add --epoch-blocks 64"
        );
    }
    const std::uint32_t dead_after = wish.dead_after_reports;
    const bool is_possible = dead_after == 0 || (dead_after >= limits::dead_after_reports_min &&
                                                 dead_after <= limits::dead_after_reports_max);
    if (!is_possible || (dead_after != limits::dead_after_reports && wish.epoch_blocks == 0)) {
        return fail(
            ErrorCode::invalid,
            is_possible ? "seats are set aside where an epoch ends: add --epoch-blocks 64"
                        : "a seat is dead after " + std::to_string(limits::dead_after_reports_min) +
                              " to " + std::to_string(limits::dead_after_reports_max) +
                              " reports, or with 0 never"
        );
    }
    std::error_code error;
    std::filesystem::create_directories(wish.dir, error);
    if (error) return fail(ErrorCode::io, wish.dir.string() + ": " + error.message());
    ClusterPlan plan{.dir = std::filesystem::canonical(wish.dir), .mode = wish.mode};
    if (!std::filesystem::is_empty(plan.dir, error)) {
        return fail(
            ErrorCode::conflict,
            plan.dir.string() +
                " is not empty, and what it holds is no cluster; choose another --dir"
        );
    }
    plan.network = "cluster-" + plan.dir.filename().string();
    Genesis genesis{.network = plan.network, .mode = plan.mode};
    genesis.epoch_blocks = wish.epoch_blocks;
    genesis.view_interval_ms = static_cast<std::uint32_t>(usual_view_interval(wish.nodes).ms());
    genesis.dead_after_reports = wish.dead_after_reports;
    std::vector<KeySeed> keys;
    for (std::size_t i = 0; i < wish.nodes; ++i) {
        keys.push_back(fresh_key());
        const AgentId agent = ed25519_public_key(keys.back());
        plan.nodes.push_back({.name = "n" + std::to_string(i), .agent = agent_text(agent)});
        genesis.members.push_back({Seat{static_cast<std::uint32_t>(i)}, agent, plan.nodes[i].name});
    }
    std::vector<KeySeed> operators;
    for (std::uint32_t i = 0; i < wish.operators; ++i) {
        operators.push_back(fresh_key());
        genesis.operators.push_back(ed25519_public_key(operators.back()));
    }
    if (wish.operators > 0) genesis.operators_needed = wish.operators / 2 + 1;
    if (auto chosen = choose_ports(plan, wish.port); !chosen) {
        return tl::unexpected<Error>(chosen.error());
    }
    // The plan first: whatever happens next, `creto cluster down` knows what to remove.
    Result<void> written = write_file(plan.dir / "cluster.json", to_json(plan).dump(2) + "\n");
    if (written) written = write_nodes(plan, genesis, keys);
    if (written) written = write_operators(plan, operators);
    if (!written) return tl::unexpected<Error>(written.error());
    return plan;
}

Result<ClusterPlan> read_cluster(const std::filesystem::path& dir) {
    const std::filesystem::path file = dir / "cluster.json";
    auto text = read_file(file, 1U << 20U);
    if (!text) {
        if (text.error().code != ErrorCode::not_found) return tl::unexpected<Error>(text.error());
        return fail(
            ErrorCode::not_found,
            "there is no cluster in " + dir.string() + "; start one: creto cluster up -n 7 --dir " +
                dir.string()
        );
    }
    const Doc doc = Doc::parse(*text, nullptr, false);
    ClusterPlan plan{.dir = std::filesystem::canonical(dir)};
    try {
        plan.network = doc.at("network").get<std::string>();
        plan.mode = doc.at("mode") == "crash" ? QuorumMode::crash : QuorumMode::byzantine;
        for (const Doc& node : doc.at("nodes")) {
            plan.nodes.push_back(
                {.name = node.at("name").get<std::string>(),
                 .agent = node.at("agent").get<std::string>(),
                 .listen = node.at("listen").get<std::string>(),
                 .open = node.at("address").get<std::string>(),
                 .admin = node.at("admin").get<std::string>()}
            );
        }
    } catch (const nlohmann::json::exception& error) {
        return fail(ErrorCode::corrupt, file.string() + " is damaged: " + error.what());
    }
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        // A name becomes a path that `down` removes: nothing but what make_cluster() gives.
        if (plan.nodes[i].name != "n" + std::to_string(i)) {
            return fail(
                ErrorCode::corrupt,
                file.string() + ": node " + std::to_string(i) + " is named \"" +
                    plan.nodes[i].name + "\""
            );
        }
    }
    return plan;
}

void remove_cluster(const ClusterPlan& plan) {
    std::error_code ignored;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
        std::filesystem::remove_all(plan.folder(i), ignored);
    std::filesystem::remove_all(plan.dir / "operators", ignored);
    for (const char* name : {"control", "supervisor.log", "supervisor.lock", "cluster.json"})
        std::filesystem::remove(plan.dir / name, ignored);
    std::filesystem::remove(plan.dir, ignored);  // Only when it is empty.
}

}  // namespace creto
