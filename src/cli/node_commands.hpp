// The commands that look at and use a running node over its admin port.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.hpp"
#include "scale/client.hpp"

namespace creto {

/// The exit code that belongs to an error of a node.
[[nodiscard]] int exit_code_of(const Error& error);

/// Columns of equal width, for people.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows);

int command_status(const Client& node, const Output& output);
int command_peers(const Client& node, const Output& output);
int command_tools(const Client& node, const Output& output);
int command_reputation(const Client& node, const std::string& why, const Output& output);
int command_verdicts(const Client& node, const Output& output);
int command_log(const Client& node, std::uint64_t from, std::uint64_t count, const Output& output);
struct WatchOptions {
    std::string prefix;       ///< Of keys; empty: everything else that happens.
    std::uint64_t count = 0;  ///< 0: without end.
};
int command_watch(const Client& node, const WatchOptions& options, const Output& output);

struct CallOptions {
    std::string tool;
    std::string arguments;
    std::string agent;
    bool verify = false;
    std::uint64_t quorum = 0;
    std::string panel = "seats";
    std::uint64_t timeout_ms = 10'000;
    std::filesystem::path receipt;  ///< Where to write the receipt of a verified call.
    bool stream = false;            ///< Say what the tool shows while it works.
    bool final = false;             ///< Wait until the verdict is final, and keep its proof too.
};
int command_call(const Client& node, const CallOptions& options, const Output& output);
int command_receipt_get(
    const Client& node,
    const std::string& call,
    std::uint64_t timeout_ms,
    const std::filesystem::path& file,
    const Output& output
);
int command_receipt_verify(
    const std::filesystem::path& file, const std::filesystem::path& genesis, const Output& output
);

int command_submit(
    const Client& node,
    const std::filesystem::path& file,
    std::uint64_t timeout_ms,
    const Output& output
);

}  // namespace creto
