// What the whole-system tests share: where the program and their folders are, and what a command said.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "crypto/signature.hpp"
#include "scale/process.hpp"
#include "scale/real_cluster.hpp"

namespace creto::system_test {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The creto binary of this build.
[[nodiscard]] std::filesystem::path program();

/// A fresh folder on the disk that holds the build. Removed at the end, unless the test failed: then
/// its path is printed.
class WorkFolder {
public:
    WorkFolder();
    ~WorkFolder();
    WorkFolder(const WorkFolder&) = delete;
    WorkFolder& operator=(const WorkFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A number from the environment, else `fallback`.
[[nodiscard]] std::uint64_t number_from(const char* variable, std::uint64_t fallback);

[[nodiscard]] KeySeed random_key();

/// Waits until the condition holds; false when `timeout` passed first.
inline bool eventually(const std::function<bool()>& condition, milliseconds timeout) {
    return RealCluster::wait_until(condition, timeout);
}

/// A command and its arguments.
using CommandWords = std::vector<std::string>;

struct Said {
    int exit = -1;  ///< -1: ended by a signal, or by us when it took too long.
    std::string out;
    std::string err;
    [[nodiscard]] Json json() const { return Json::parse(out, nullptr, false); }
};

/// Runs any command to its end.
[[nodiscard]] Said run(
    const std::vector<std::string>& command,
    const std::map<std::string, std::string>& environment = {},
    milliseconds timeout = seconds{60}
);
/// Runs creto with these arguments.
[[nodiscard]] Said creto(
    std::vector<std::string> arguments,
    const std::map<std::string, std::string>& environment = {},
    milliseconds timeout = seconds{60}
);

[[nodiscard]] inline bool ok(const Json& reply) {
    return reply.is_object() && reply.value("ok", false);
}

/// `count` nodes with seats, named n0, n1, …
[[nodiscard]] std::vector<RealNodeOptions> seats(std::size_t count);

/// Tests on a cluster of real nodes, whose folders stay when one fails.
class ClusterTest : public ::testing::Test {
protected:
    void TearDown() override;
    /// Fills in what is the same everywhere: the program, the folder, local links. Starts nothing.
    void make(RealClusterOptions options);
    void make_and_start(RealClusterOptions options);
    /// Waits until `node` reaches so many seats, itself included.
    [[nodiscard]] bool reaches(std::size_t node, std::size_t count, milliseconds within) const;
    /// Waits until node 0 is connected to `peers` others and knows tools of each.
    [[nodiscard]] bool knows_tools_of(std::size_t peers, milliseconds within) const;

    WorkFolder folder_;
    std::unique_ptr<RealCluster> cluster_;
};

}  // namespace creto::system_test
