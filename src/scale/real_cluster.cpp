#include "scale/real_cluster.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace creto {

namespace {

/// Loopback networks for one cluster each, so that runs side by side do not meet.
std::string next_network() {
    static std::atomic<std::uint32_t> counter{0};
    const auto pid = static_cast<std::uint32_t>(::getpid());
    return "127." + std::to_string(16 + pid % 200) + "." + std::to_string(counter++ % 120);
}

constexpr auto start_patience = std::chrono::seconds{20};

}  // namespace

Result<std::unique_ptr<RealCluster>> RealCluster::make(RealClusterOptions options) {
    std::unique_ptr<RealCluster> cluster{new RealCluster{std::move(options)}};
    if (auto prepared = cluster->prepare(); !prepared) {
        return tl::unexpected<Error>(prepared.error());
    }
    return cluster;
}

RealCluster::~RealCluster() {
    for (Node& node : nodes_)
        node.process.signal(SIGTERM);
    for (Node& node : nodes_)
        node.process.terminate(std::chrono::seconds{2});
    shim_.reset();
    if (keep_) return;
    std::error_code ignored;
    std::filesystem::remove_all(options_.dir, ignored);
}

Result<void> RealCluster::prepare() {
    std::error_code error;
    std::filesystem::create_directories(options_.dir, error);
    if (error) return fail(ErrorCode::io, options_.dir.string() + ": " + error.message());
    genesis_.network = options_.network + "-" + std::to_string(::getpid());
    genesis_.mode = options_.mode;
    genesis_.checkpoint_blocks = options_.checkpoint_blocks;
    genesis_.epoch_blocks = options_.epoch_blocks;
    genesis_.view_interval_ms = options_.view_interval_ms;
    genesis_.operators = options_.operators;
    genesis_.operators_needed = options_.operators_needed;
    const std::string network = next_network();
    LinkShimOptions shim{.profile = options_.profile, .seed = options_.seed};
    std::vector<KeySeed> keys;
    for (std::size_t i = 0; i < options_.nodes.size(); ++i) {
        std::array<std::uint8_t, KeySeed::size> secret{};
        fill_random(secret);
        keys.emplace_back(secret);
        const std::string host = std::to_string(i + 1);
        const std::string real = "/ip4/" + network + "." + host + "/tcp/4001";
        const std::string open =
            options_.direct ? real
                            : "/ip4/" + network + "." + std::to_string(i + 101) + "/tcp/4001";
        shim.nodes.push_back({real, open});
        Node node;
        node.agent = ed25519_public_key(keys.back());
        node.config.dir = options_.dir / options_.nodes[i].name;
        node.config.name = options_.nodes[i].name;
        node.config.listen = real;
        node.config.advertise = {open};
        node.config.bind_outgoing = true;
        node.config.admin_listen = "/ip4/127.0.0.1/tcp/0";
        node.config.builtin = options_.nodes[i].tools;
        node.config.answers = options_.nodes[i].drill;
        node.config.calls_per_s = options_.calls_per_s;
        node.config.calls_burst = options_.calls_burst;
        node.config.keep_blocks = options_.keep_blocks;
        if (i > 0) node.config.bootstrap = {shim.nodes[0].public_};
        if (options_.nodes[i].has_seat) {
            genesis_.members.push_back(
                {Seat{static_cast<std::uint32_t>(i)}, node.agent, options_.nodes[i].name}
            );
        }
        nodes_.push_back(std::move(node));
    }
    for (const ForeignSeat& foreign : options_.foreign_seats) {
        const Seat seat{static_cast<std::uint32_t>(genesis_.members.size())};
        genesis_.members.push_back({seat, foreign.agent, foreign.name});
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const Config& config = nodes_[i].config;
        std::filesystem::create_directories(config.dir, error);
        Result<void> done = write_key(config.dir / config.key, keys[i]);
        if (done) done = write_file(config.dir / "creto.toml", to_toml(config));
        if (done) done = write_file(config.dir / config.genesis, genesis_json(genesis_));
        if (!done) return done;
    }
    if (options_.direct) return {};
    auto started = LinkShim::start(std::move(shim));
    if (!started) return tl::unexpected<Error>(started.error());
    shim_ = std::move(*started);
    return {};
}

Result<void> RealCluster::launch(std::size_t i) {
    Node& node = nodes_[i];
    auto process = Process::start(
        {options_.program.string(), "run", node.config.dir.string(), "--json"},
        node.config.dir / "stdout",
        node.config.dir / "stderr",
        options_.nodes[i].environment
    );
    if (!process) return tl::unexpected<Error>(process.error());
    node.process = std::move(*process);
    node.admin.clear();
    return {};
}

Error RealCluster::not_started(std::size_t i) const {
    const auto said = read_file(nodes_[i].config.dir / "stderr", 1U << 20U);
    return {
        ErrorCode::unavailable,
        nodes_[i].config.name + " did not start: " + (said ? *said : "no output")};
}

Result<bool> RealCluster::is_ready(std::size_t i) {
    Node& node = nodes_[i];
    if (!node.admin.empty()) return true;
    if (!node.process.running()) return tl::unexpected<Error>(not_started(i));
    const auto text = read_file(node.config.dir / "stdout", 1U << 20U);
    if (!text) return false;
    const auto doc = nlohmann::ordered_json::parse(*text, nullptr, false);
    if (doc.is_object() && doc.contains("admin")) node.admin = doc["admin"];
    return !node.admin.empty();
}

Result<void> RealCluster::await_ready(std::size_t i) {
    Result<bool> ready = false;
    const bool is_over = wait_until(
        [&] {
            ready = is_ready(i);
            return !ready || *ready;
        },
        start_patience
    );
    if (!ready) return tl::unexpected<Error>(ready.error());
    if (!is_over) return tl::unexpected<Error>(not_started(i));
    return {};
}

Result<void> RealCluster::start(std::size_t i) {
    if (auto launched = launch(i); !launched) return launched;
    return await_ready(i);
}

Result<void> RealCluster::start_all() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (auto launched = launch(i); !launched) return launched;
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (auto ready = await_ready(i); !ready) return ready;
    }
    return {};
}

void RealCluster::stop_all() {
    for (Node& node : nodes_)
        node.process.signal(SIGTERM);
    for (Node& node : nodes_)
        node.process.terminate(std::chrono::seconds{5});
}

Result<void> RealCluster::reconfigure(std::size_t i, const std::function<void(Config&)>& change) {
    Config& config = nodes_[i].config;
    change(config);
    return write_file(config.dir / "creto.toml", to_toml(config));
}

Result<void> RealCluster::wipe(std::size_t i) {
    const std::filesystem::path data = nodes_[i].config.dir / nodes_[i].config.data;
    std::error_code error;
    std::filesystem::remove_all(data, error);
    if (error) return fail(ErrorCode::io, data.string() + ": " + error.message());
    return {};
}

Result<void> RealCluster::set_tools(std::size_t i, const std::vector<std::string>& tools) {
    Node& node = nodes_[i];
    node.config.builtin = tools;
    auto written = write_file(node.config.dir / "creto.toml", to_toml(node.config));
    if (written) node.process.signal(SIGHUP);
    return written;
}

std::vector<std::uint32_t> RealCluster::pids() const {
    std::vector<std::uint32_t> out;
    for (const Node& node : nodes_)
        out.push_back(static_cast<std::uint32_t>(node.process.pid()));
    return out;
}

nlohmann::ordered_json RealCluster::ask(
    std::size_t i,
    const std::string& command,
    const nlohmann::ordered_json& body,
    std::chrono::milliseconds timeout
) {
    const Client client{nodes_[i].admin};
    auto reply = client.command(command, body, timeout);
    if (reply) return *reply;
    return {
        {"ok", false},
        {"error", {{"code", to_string(reply.error().code)}, {"message", reply.error().message}}}};
}

bool RealCluster::wait_until(
    const std::function<bool()>& condition, std::chrono::milliseconds timeout
) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    while (true) {
        if (condition()) return true;
        if (std::chrono::steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
}

}  // namespace creto
