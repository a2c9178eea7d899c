#include "cli/run.hpp"

#include <malloc.h>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <boost/asio/signal_set.hpp>

#include "cli/drill.hpp"
#include "ops/admin_server.hpp"
#include "rocks/data_folder.hpp"
#include "rocks/fsck.hpp"
#include "runtime/node_host.hpp"
#include "scale/config.hpp"
#include "tools/builtins.hpp"

namespace creto {

namespace {

/// Lines for people on stderr, with time and level.
class StderrLog final : public Log {
public:
    StderrLog(const std::string& name, LogLevel level)
        : level_{level}, logger_{name, std::make_shared<spdlog::sinks::stderr_sink_mt>()} {
        logger_.set_level(spdlog::level::trace);
        logger_.set_pattern("%Y-%m-%d %H:%M:%S.%e %n %l %v");
        logger_.flush_on(spdlog::level::info);
    }
    [[nodiscard]] bool enabled(LogLevel level) const override { return level >= level_; }
    void write(LogLevel level, std::string_view line) override {
        if (!enabled(level)) return;
        constexpr std::array<spdlog::level::level_enum, 5> levels{
            spdlog::level::trace,
            spdlog::level::debug,
            spdlog::level::info,
            spdlog::level::warn,
            spdlog::level::err};
        logger_.log(levels[static_cast<std::size_t>(level)], line);
    }

private:
    LogLevel level_;
    spdlog::logger logger_;
};

/// A busy node frees as much as it takes, megabytes at a time. Handed back to the system at once, each
/// of these pages costs a fault and is cleared again: that was a sixth of the processor's time.
void keep_freed_memory() {
    constexpr int mebibyte = 1024 * 1024;
    mallopt(M_MMAP_THRESHOLD, 32 * mebibyte);
    mallopt(M_TRIM_THRESHOLD, 64 * mebibyte);
    mallopt(M_TOP_PAD, mebibyte);
}

/// Many peers are many sockets: take what the system allows.
void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

Result<Registry> tools_of(const Config& config, std::set<std::string, std::less<>>& quick) {
    Registry registry;
    const bool all = config.builtin == std::vector<std::string>{"all"};
    const bool none = config.builtin == std::vector<std::string>{"none"};
    std::set<std::string> missing(config.builtin.begin(), config.builtin.end());
    for (Tool& tool : builtin_tools()) {
        const std::string name = tool.name();
        if (none || (!all && missing.erase(name) == 0)) continue;
        if (config.answers.empty() && is_quick(name)) quick.insert(name);
        auto drilled = drill(std::move(tool), config.answers);
        if (!drilled) return tl::unexpected<Error>(drilled.error());
        if (auto added = registry.add(std::move(*drilled)); !added) {
            return tl::unexpected<Error>(added.error());
        }
    }
    if (!all && !none && !missing.empty()) {
        return fail(
            ErrorCode::invalid,
            "tools.builtin: there is no built-in tool \"" + *missing.begin() + "\""
        );
    }
    return registry;
}

struct Running {
    DataFolder data;
    std::unique_ptr<NodeHost> host;
    std::unique_ptr<AdminServer> admin;
};

Result<Running> open_node(const Config& config, Log& log) {
    auto key = read_key(config.dir / config.key);
    if (!key) return tl::unexpected<Error>(key.error());
    auto genesis = read_genesis(config.dir / config.genesis);
    if (!genesis) return tl::unexpected<Error>(genesis.error());

    Running out;
    RocksOptions rocks{
        .dir = (config.dir / config.data).string(), .chain = Roster{*genesis}.chain()};
    auto data = DataFolder::open(rocks);
    if (!data) return tl::unexpected<Error>(data.error());
    out.data = std::move(*data);

    NodeHostOptions options;
    options.node.genesis = *genesis;
    options.node.name = config.name;
    options.node.bootstrap = config.bootstrap;
    options.node.delta = Duration::from_ms(static_cast<std::int64_t>(config.delta_ms));
    options.node.heartbeat = Duration::from_ms(static_cast<std::int64_t>(config.heartbeat_ms));
    options.node.limits = peer_limits(config);
    options.node.keep_blocks = config.keep_blocks;
    std::array<std::uint8_t, 8> seed{};
    fill_random(seed);
    for (const std::uint8_t byte : seed)
        options.node.seed = options.node.seed << 8U | byte;
    options.transport.key = *key;
    options.transport.listen = config.listen;
    options.transport.bind_outgoing = config.bind_outgoing;
    options.transport.handshake_timeout =
        Duration::from_ms(static_cast<std::int64_t>(config.handshake_timeout_ms));
    options.tools.workers = config.workers;
    if (!config.trace.empty()) options.trace = (config.dir / config.trace).string();
    options.advertise = config.advertise;
    auto host = NodeHost::open(std::move(options), *out.data.store, *out.data.votes, log);
    if (!host) return tl::unexpected<Error>(host.error());
    out.host = std::move(*host);

    std::set<std::string, std::less<>> quick;
    auto tools = tools_of(config, quick);
    if (!tools) return tl::unexpected<Error>(tools.error());
    out.host->set_tools(tools->snapshot(), std::move(quick));

    NodeHost* running = out.host.get();
    auto admin = AdminServer::open(
        *out.host,
        {.listen = config.admin_listen,
         .token = config.admin_token,
         .timeout = std::chrono::milliseconds{config.admin_timeout_ms}},
        [running] { running->stop(); }
    );
    if (!admin) return tl::unexpected<Error>(admin.error());
    out.admin = std::move(*admin);
    return out;
}

void log_notice(Log& log, const Notice& notice) {
    if (const auto* p = std::get_if<Partitioned>(&notice)) {
        log.warn(
            "partitioned: " + std::to_string(p->reachable.size()) + " validators reachable, " +
            std::to_string(p->lost.size()) + " lost" + (p->quorum ? "" : ", no quorum")
        );
    } else if (std::holds_alternative<Healed>(notice)) {
        log.info("healed");
    } else if (const auto* e = std::get_if<Excluded>(&notice)) {
        log.warn("excluded " + e->name + ": " + e->reason);
    } else if (const auto* s = std::get_if<Suspended>(&notice)) {
        log.warn("suspended " + s->name + " as a provider: " + s->reason);
    } else if (const auto* c = std::get_if<RosterChanged>(&notice)) {
        log.info("roster: " + c->what + ", from epoch " + std::to_string(c->from.value()) + " on");
    } else if (const auto* w = std::get_if<SeatSuspected>(&notice)) {
        log.warn("seat of " + w->name + " suspected: " + w->reason);
    } else if (const auto* t = std::get_if<SeatCleared>(&notice)) {
        log.info("seat of " + t->name + " suspected no more");
    } else if (const auto* o = std::get_if<SeatDormant>(&notice)) {
        log.warn(
            "seat of " + o->name + " is set aside from epoch " + std::to_string(o->from.value()) +
            " on: nobody has seen it for long; it comes back by itself"
        );
    } else if (const auto* b = std::get_if<SeatReturned>(&notice)) {
        log.info(
            "seat of " + b->name + " votes again from epoch " + std::to_string(b->from.value()) +
            " on"
        );
    } else if (const auto* r = std::get_if<LaneReset>(&notice)) {
        log.warn(
            "seat " + std::to_string(r->seat.value()) + " (" + r->name +
            ") had lost its lane and writes lane " + lane_text(r->opened) + " from now on"
        );
    } else if (const auto* h = std::get_if<Halted>(&notice)) {
        log.error("this node no longer votes: " + h->reason);
    } else if (const auto* f = std::get_if<AgentFound>(&notice)) {
        log.info("found agent " + f->name);
    } else if (const auto* l = std::get_if<AgentLeft>(&notice)) {
        log.info("agent " + l->name + " left");
    } else if (const auto* d = std::get_if<AgentDead>(&notice)) {
        log.info("agent " + d->name + " does not answer any more");
    } else if (const auto* a = std::get_if<AgentAlive>(&notice); a != nullptr && a->was_dead) {
        log.info("agent " + a->name + " is back");
    }
}

/// SIGHUP: the tools of the settings come into service; everything else needs a restart.
void reload_tools_on(
    boost::asio::signal_set& signals, const std::filesystem::path& dir, NodeHost& host, Log& log
) {
    signals.async_wait(
        [&signals, dir, &host, &log](const boost::system::error_code& error, int /*n*/) {
            if (error) return;
            auto config = load_config(dir, creto_environment());
            std::set<std::string, std::less<>> quick;
            auto tools = config ? tools_of(*config, quick)
                                : Result<Registry>{tl::unexpected<Error>(config.error())};
            if (tools) {
                host.set_tools(tools->snapshot(), std::move(quick));
                log.info("tools reloaded");
            } else {
                log.error("tools not reloaded: " + tools.error().message);
            }
            reload_tools_on(signals, dir, host, log);
        }
    );
}

}  // namespace

int command_run(const std::filesystem::path& dir, const Output& output) {
    raise_file_limit();
    keep_freed_memory();
    auto config = load_config(dir, creto_environment());
    if (!config) return output.fail(config.error(), exit_code::usage);
    StderrLog log{config->name, config->log_level};
    auto node = open_node(*config, log);
    if (!node) return output.fail(node.error(), exit_code::failed);

    node->host->on_notice([&log](const Notice& notice) { log_notice(log, notice); });
    boost::asio::signal_set signals{node->host->io(), SIGINT, SIGTERM};
    signals.async_wait([&](const boost::system::error_code& error, int /*signal*/) {
        if (!error) node->host->stop();
    });
    boost::asio::signal_set reloads{node->host->io(), SIGHUP};
    reload_tools_on(reloads, dir, *node->host, log);
    output.say(
        {{"ok", true},
         {"agent", agent_text(node->host->agent())},
         {"name", config->name},
         {"listen", node->host->listen_address()},
         {"admin", node->admin->address()}},
        config->name + " listens on " + node->host->listen_address() + ", admin on " +
            node->admin->address() + "\nagent " + agent_text(node->host->agent())
    );
    node->host->run();
    log.info("stopped");
    return exit_code::done;
}

int command_init(const InitOptions& options, const Output& output) {
    Config config;
    config.dir = options.dir;
    if (!options.name.empty()) config.name = options.name;
    std::error_code error;
    std::filesystem::create_directories(options.dir, error);
    if (error) {
        return output.fail(
            {ErrorCode::io, options.dir.string() + ": " + error.message()}, exit_code::failed
        );
    }
    std::array<std::uint8_t, KeySeed::size> secret{};
    fill_random(secret);
    const KeySeed seed{secret};
    Result<void> done = write_key(options.dir / config.key, seed);
    if (done) done = write_file(options.dir / "creto.toml", to_toml(config));
    if (done && !options.genesis.empty()) {
        auto genesis = read_genesis(options.genesis);
        done = genesis ? write_file(options.dir / config.genesis, genesis_json(*genesis))
                       : Result<void>{tl::unexpected<Error>(genesis.error())};
    }
    if (!done) return output.fail(done.error(), exit_code::failed);
    const std::string agent = agent_text(ed25519_public_key(seed));
    output.say(
        {{"ok", true}, {"dir", options.dir.string()}, {"agent", agent}},
        "made " + options.dir.string() + " for agent " + agent +
            (options.genesis.empty()
                 ? "\nnext: put the network's genesis.json there, then `creto run " +
                       options.dir.string() + "`"
                 : "")
    );
    return exit_code::done;
}

int command_keygen(const std::filesystem::path& file, const Output& output) {
    std::array<std::uint8_t, KeySeed::size> secret{};
    fill_random(secret);
    const KeySeed seed{secret};
    if (auto written = write_key(file, seed); !written) {
        return output.fail(written.error(), exit_code::failed);
    }
    const std::string agent = agent_text(ed25519_public_key(seed));
    output.say({{"ok", true}, {"file", file.string()}, {"agent", agent}}, agent);
    return exit_code::done;
}

int command_config(const std::filesystem::path& dir, bool show, const Output& output) {
    auto config = load_config(dir, creto_environment());
    if (!config) return output.fail(config.error(), exit_code::usage);
    auto genesis = read_genesis(config->dir / config->genesis);
    if (!genesis) return output.fail(genesis.error(), exit_code::failed);
    auto key = read_key(config->dir / config->key);
    if (!key) return output.fail(key.error(), exit_code::failed);
    const std::string text = to_toml(*config);
    output.say(
        {{"ok", true}, {"toml", text}, {"chain", Roster{*genesis}.chain().value().hex()}},
        show ? text : "the configuration in " + dir.string() + " is valid"
    );
    return exit_code::done;
}

int command_fsck(const std::filesystem::path& dir, const Output& output) {
    auto config = load_config(dir, creto_environment());
    if (!config) return output.fail(config.error(), exit_code::usage);
    const FsckReport report = fsck((dir / config->data).string());
    JsonDoc findings = JsonDoc::array();
    std::string lines;
    for (const Finding& finding : report.findings) {
        const char* severity = to_string(finding.severity);
        findings.push_back(
            {{"severity", severity},
             {"where", finding.where},
             {"what", finding.what},
             {"remedy", finding.remedy}}
        );
        lines += std::string{severity} + ": " + finding.where + ": " + finding.what + "\n  " +
                 finding.remedy + "\n";
    }
    lines += std::to_string(report.vertices_good) + " vertices and " +
             std::to_string(report.vote_records) + " vote records are good";
    output.say(
        {{"ok", report.clean()},
         {"findings", std::move(findings)},
         {"vertices_good", report.vertices_good},
         {"vote_records", report.vote_records}},
        lines
    );
    return report.clean() ? exit_code::done : exit_code::failed;
}

}  // namespace creto
