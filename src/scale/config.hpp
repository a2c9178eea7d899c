// Config: a node's folder: creto.toml, its key and the genesis; every key also from the environment.
//
// Layout   DIR/creto.toml    settings, all of them optional but node.name
//          DIR/key           64 hexadecimal digits, mode 0600: the agent's secret
//          DIR/genesis.json  who holds which seat
//          DIR/data/         the store and the vote log
// Holds    CRETO_SECTION_KEY in the environment wins over the file: CRETO_NETWORK_LISTEN, CRETO_LOG_LEVEL.
//          An unknown section or key is refused with the nearest known one: a typing error never passes
//          silently.
// Errors   invalid: file, line, what was expected.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "model/genesis.hpp"
#include "tools/peer_budget.hpp"

namespace creto {

struct Config {
    std::filesystem::path dir;

    // [node]
    std::string name = "agent";
    std::string genesis = "genesis.json";  ///< Relative to the folder.
    std::string key = "key";
    std::string data = "data";

    // [network]
    std::string listen = "/ip4/127.0.0.1/tcp/4001";
    std::vector<std::string> advertise;
    std::vector<std::string> bootstrap;
    bool bind_outgoing = false;
    std::uint64_t handshake_timeout_ms = 10'000;

    // [admin]
    std::string admin_listen = "/ip4/127.0.0.1/tcp/9001";
    std::string admin_token;
    std::uint64_t admin_timeout_ms = 60'000;

    // [tools]
    std::vector<std::string> builtin = {"all"};  ///< Names, or all, or none.
    std::uint64_t workers = 4;

    // [limits]: of each peer; see tools/peer_budget.hpp
    std::uint64_t calls_per_s = 0;
    std::uint64_t calls_burst = 500;
    std::uint64_t messages_per_s = 1'000'000;
    std::uint64_t bytes_per_s = 250'000'000;
    std::uint64_t checks_per_s = 4'000;
    std::uint64_t tool_ms_per_s = 1'000;
    std::uint64_t held_bytes = 64'000'000;
    std::uint64_t group_peers = 16;

    // [order]
    std::uint64_t delta_ms = 100;
    std::uint64_t heartbeat_ms = 2'000;

    // [storage]
    std::uint64_t keep_blocks = 0;  ///< Final blocks that are not dropped; 0: all.

    // [log]
    LogLevel log_level = LogLevel::info;
    std::string trace;  ///< A file that gets a line for all that the host does; empty: none.

    // [drill]: deviations for exercises; see docs/testing.md. Never set in earnest.
    std::string answers;  ///< "times:10", "half:2", "constant:3000", "hang", "throw"
};

/// Reads DIR/creto.toml (missing: all defaults) and the environment.
[[nodiscard]] Result<Config> load_config(
    const std::filesystem::path& dir, const std::map<std::string, std::string>& environment
);
/// This process' environment, CRETO_ variables only.
[[nodiscard]] std::map<std::string, std::string> creto_environment();

/// CRETO_SECTION_KEY of every setting.
[[nodiscard]] std::vector<std::string> setting_variables();

/// Its section [limits].
[[nodiscard]] PeerLimits peer_limits(const Config& config);

/// The settings as a commented creto.toml.
[[nodiscard]] std::string to_toml(const Config& config);

/// Genesis as JSON: {"network", "mode", "view_interval_ms", "members": [{"seat", "name", "agent"}]},
/// "term_views" where one leader has more than one view in a row, and "checkpoint_blocks" where
/// checkpoints are not as far apart as usual, "epoch_blocks" where the roster can change,
/// "dead_after_reports" where dead seats are set aside sooner, later or never, "guest_operations" and
/// "guests_total" where agents without a seat have quotas, and "operators" with "operators_needed"
/// where people's keys can change the roster and the parameters.
[[nodiscard]] Result<Genesis> read_genesis(const std::filesystem::path& file);
[[nodiscard]] std::string genesis_json(const Genesis& genesis);

[[nodiscard]] Result<KeySeed> read_key(const std::filesystem::path& file);
/// Writes 64 digits with mode 0600. conflict: the file is there.
[[nodiscard]] Result<void> write_key(const std::filesystem::path& file, const KeySeed& seed);

/// Writes a file as a whole: beside it, synced, then renamed over it.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& file, const std::string& text);
[[nodiscard]] Result<std::string> read_file(
    const std::filesystem::path& file, std::size_t bytes_max
);

}  // namespace creto
