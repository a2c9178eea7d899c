// What the system scenarios share. Private to scale/.
#pragma once

#include <array>
#include <chrono>
#include <iomanip>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "scale/agent_client.hpp"
#include "scale/real_cluster.hpp"
#include "scale/result.hpp"
#include "scale/system_scenarios.hpp"

namespace creto::scenario {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// Stops a scenario that cannot go on; run_scenario() turns it into a failed criterion.
struct Stop : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class T>
T need(Result<T> result) {
    if (!result) throw Stop{result.error().message};
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

inline std::string number(double value, const char* unit = "", int digits = 2) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(digits) << value << unit;
    return out.str();
}

/// A running cluster of nodes with these names.
inline std::unique_ptr<RealCluster> cluster(
    const ScenarioContext& context,
    ScenarioResult& result,
    QuorumMode mode,
    std::vector<RealNodeOptions> nodes,
    std::uint64_t calls_per_s = 500,
    bool start = true
) {
    RealClusterOptions options{
        .network = result.id,
        .mode = mode,
        .nodes = std::move(nodes),
        .program = context.program,
        .dir = context.dir / result.id,
        .calls_per_s = calls_per_s,
        .calls_burst = calls_per_s,
        .profile = local_profile()};
    auto made = need(RealCluster::make(std::move(options)));
    result.nodes = static_cast<std::uint32_t>(made->size());
    if (start) {
        need(made->start_all());
        result.pids = made->pids();
    }
    return made;
}

inline std::vector<RealNodeOptions> agents(std::size_t count) {
    constexpr std::array<const char*, 7> names{
        "Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta"};
    std::vector<RealNodeOptions> out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back({.name = names[i]});
    return out;
}

inline bool ok(const Json& reply) {
    return reply.value("ok", false);
}
inline std::string error_of(const Json& reply) {
    return ok(reply) ? "" : reply["error"]["message"].get<std::string>();
}
inline Json status(RealCluster& c, std::size_t i) {
    return c.ask(i, "status");
}
inline std::uint64_t finalized(RealCluster& c, std::size_t i) {
    const Json s = status(c, i);
    return ok(s) ? s["finalized"].get<std::uint64_t>() : 0;
}
/// Every node hears every seat.
inline void await_mesh(RealCluster& c, const std::vector<std::size_t>& nodes) {
    const bool whole = RealCluster::wait_until(
        [&] {
            for (const std::size_t i : nodes) {
                const Json s = status(c, i);
                if (!ok(s) || s["reachable"] != nodes.size() || s["finalized"] == 0) return false;
            }
            return true;
        },
        std::chrono::seconds{15}
    );
    if (!whole) throw Stop{"the nodes did not find each other within 15 s"};
}
inline std::vector<std::size_t> all_of(const RealCluster& c) {
    std::vector<std::size_t> out(c.size());
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = i;
    return out;
}
inline Json write(
    RealCluster& c,
    std::size_t i,
    const std::string& key,
    const std::string& action,
    const Json& value,
    std::uint64_t timeout_ms = 10'000
) {
    Json body{{"key", key}, {"action", action}, {"timeout_ms", timeout_ms}};
    body[action == "add" ? "amount" : "value"] = value;
    return c.ask(i, "write", body);
}
inline Json read(RealCluster& c, std::size_t i, const std::string& key) {
    return c.ask(i, "read", {{"key", key}});
}

void discovery(const ScenarioContext& context, ScenarioResult& r);
void tool_registration(const ScenarioContext& context, ScenarioResult& r);
void performance(const ScenarioContext& context, ScenarioResult& r);
void concurrency(const ScenarioContext& context, ScenarioResult& r);
void statistics(const ScenarioContext& context, ScenarioResult& r);
void remote_calls(const ScenarioContext& context, ScenarioResult& r);
void malicious_tool(const ScenarioContext& context, ScenarioResult& r);
void byzantine_voting(const ScenarioContext& context, ScenarioResult& r);
void flood(const ScenarioContext& context, ScenarioResult& r);
void conflicting_answers(const ScenarioContext& context, ScenarioResult& r);
void simple_partition(const ScenarioContext& context, ScenarioResult& r);
void partition_recovery(const ScenarioContext& context, ScenarioResult& r);
void minority_partition(const ScenarioContext& context, ScenarioResult& r);
void cascading_failures(const ScenarioContext& context, ScenarioResult& r);

}  // namespace creto::scenario
